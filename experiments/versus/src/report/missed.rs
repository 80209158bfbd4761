//! What was asked for and not reached: by how much, where the time goes, what was tried.

use crate::bars;
use crate::parts::Part;
use crate::record::Row;

/// One bar, or one hope, that was missed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Missed {
    /// The row's name.
    pub(super) row: String,
    /// What to say of it.
    pub(super) text: String,
}

/// Everything that a run missed, in the order of its rows. Where time goes stands once for a row and instruction set, what was
/// tried once for a row.
pub(super) fn missed(rows: &[Row]) -> Vec<Missed> {
    let mut before: Option<&Row> = None;
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| row.met == Some(false)) {
        let of_row = before.filter(|before| before.name == row.name);
        all.push(Missed { row: row.name.clone(), text: sentence(row, of_row) });
        before = Some(row);
    }
    all
}

/// `before` is the one before it, if that is of the same row.
fn sentence(row: &Row, before: Option<&Row>) -> String {
    let mut text = format!("on {} beside {}: ", row.isa, row.peer);
    match (row.ratio, row.target) {
        (Some(ratio), Some(target)) => text += &format!("{ratio:.2} of {target}"),
        _ => text += "not measured",
    }
    if let (Some(ours), Some(theirs), Some(target)) = (row.henge_us, row.peer_us, row.target) {
        text += &format!("; {} where the bar allows {}", time(ours), time(theirs / target));
    }
    text += ".";
    if before.is_none_or(|before| before.isa != row.isa) && !row.parts.is_empty() {
        text += &format!(" Where the time goes: {}.", shares(&row.parts));
    }
    if let Some(tried) = bars::tried(&row.name).filter(|_| before.is_none() && row.henge_us.is_some()) {
        text += &format!(" Tried, and not enough: {tried}.");
    }
    if let Some(note) = row.note.as_ref().filter(|_| row.henge_us.is_none()) {
        text += &format!(" {note}.");
    }
    text
}

/// Every part with its share.
pub(super) fn shares(parts: &[Part]) -> String {
    let part = |part: &Part| format!("{}: {:.0} %", part.what, 100.0 * part.share);
    parts.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// A time with three digits.
pub(super) fn time(us: f64) -> String {
    let digits = |x: f64, unit: &str| match x {
        x if x < 10.0 => format!("{x:.2} {unit}"),
        x if x < 100.0 => format!("{x:.1} {unit}"),
        x => format!("{x:.0} {unit}"),
    };
    match us {
        us if us < 1e3 => digits(us, "us"),
        us if us < 1e6 => digits(us / 1e3, "ms"),
        us => digits(us / 1e6, "s"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::contest::Times;

    /// A row that missed its bar.
    pub(in crate::report) fn row() -> Row {
        let (ours, theirs) = (Times::new(vec![800.0]), Times::new(vec![4000.0]));
        let isa = he_ring::Isa::Scalar;
        let mut row = crate::rows::row("relinearize_2^13_7x30", isa, 1, &ours, Some((bars::SEAL, &theirs)));
        let part = |what: &str, us: f64| Part { what: what.to_owned(), us, share: us / 800.0 };
        row.parts = vec![part("56 transforms of 30 bits", 600.0), part("the rest", 200.0)];
        row
    }

    #[test]
    fn a_missed_bar_says_why() {
        let first = row();
        let mut second = first.clone();
        (second.peer, second.peer_us, second.target, second.ratio) =
            ("other".to_owned(), Some(1200.0), Some(2.0), Some(1.5));
        let mut met = first.clone();
        met.met = Some(true);
        let mut hope = first.clone();
        (hope.name, hope.henge_us, hope.ratio, hope.note) =
            (bars::CONJUGATE_INVARIANT.to_owned(), None, None, Some("not built".to_owned()));
        let found = missed(&[first, met, second, hope]);
        assert_eq!(found.len(), 3);
        let start = "on scalar beside SEAL: 5.00 of 8; 800 us where the bar allows 500 us. Where the time goes: 56 transforms of \
                     30 bits: 75 %; the rest: 25 %. Tried, and not enough: all digits";
        assert!(found[0].text.starts_with(start), "{}", found[0].text);
        assert_eq!(found[1].text, "on scalar beside other: 1.50 of 2; 800 us where the bar allows 600 us.");
        assert!(found[2].text.starts_with("on scalar beside SEAL: not measured. Where"), "{}", found[2].text);
        assert!(found[2].text.ends_with(" not built."), "{}", found[2].text);
    }

    #[test]
    fn three_digits() {
        let shown = [0.5, 12.34, 987.6, 4_740.0, 168_000.0, 15_100_000.0].map(time);
        assert_eq!(shown, ["0.50 us", "12.3 us", "988 us", "4.74 ms", "168 ms", "15.1 s"]);
    }
}
