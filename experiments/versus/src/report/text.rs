//! Plain lines.

use super::missed::{missed, shares};
use crate::limit::VECTOR_MULTIPLIES;
use crate::record::{Record, Row};
use crate::rows::Setting;

/// What stands above the rows.
pub(crate) fn head(setting: &Setting) -> String {
    let isas: Vec<&str> = setting.isas.iter().map(|isa| isa.name()).collect();
    let seal = crate::seal::describe();
    format!(
        "{}\nHenge on {}; one thread at {:.2} GHz, copies {:.1} GB/s; limits assume {VECTOR_MULTIPLIES} vector multiplications a cycle\n\n{:<36} {:<12} {:>3} {:>12}  {:<20} {:>12} {:>7} {:>9}  {}",
        seal.as_deref().unwrap_or("no SEAL in this build: run it through ./bazelw run //experiments:versus"),
        isas.join(", "),
        setting.processor.clock_hz / 1e9,
        setting.processor.copy_bytes_per_second / 1e9,
        "row",
        "isa",
        "thr",
        "henge us",
        "peer",
        "peer us",
        "ratio",
        "bar",
        "of a core's limits, checks"
    )
}

/// One row, and below it where its time goes, unless one `before` it has said the same.
pub(crate) fn line(row: &Row, before: &[Row]) -> String {
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.1}"));
    let bar = match (row.target, row.met) {
        (Some(target), Some(met)) => format!("{target:.1} {}", if met { "met" } else { "MISS" }),
        _ => String::new(),
    };
    let said = before.iter().any(|before| before.parts == row.parts);
    let parts = match row.parts.is_empty() || said {
        true => String::new(),
        false => format!("\n    {}", shares(&row.parts)),
    };
    let text = format!(
        "{:<36} {:<12} {:>3} {:>12}  {:<20} {:>12} {:>7} {:>9}  {}",
        row.name,
        row.isa,
        row.threads,
        number(row.henge_us),
        row.peer,
        number(row.peer_us),
        row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        bar,
        remarks(row).join("; ")
    );
    text.trim_end().to_owned() + &parts
}

/// What there is to say of a row besides its times.
pub(super) fn remarks(row: &Row) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    if row.together {
        remarks.push("every thread with operands of its own: time of one operation of all together".to_owned());
    }
    for limit in &row.limits {
        let unit = limit.unit;
        remarks.push(format!("{:.1} of {:.0} {unit} ({:.0} %)", limit.reached, limit.possible, 100.0 * limit.share));
    }
    if let Some(rate) = row.mac_per_second {
        remarks.push(format!("{:.1} G multiply-accumulates/s a core", rate / 1e9));
    }
    let pair = |ours: Option<f64>, theirs: Option<f64>, show: &dyn Fn(f64) -> String| match (ours, theirs) {
        (Some(ours), Some(theirs)) => Some(format!("{} : {}", show(ours), show(theirs))),
        (Some(ours), None) => Some(show(ours)),
        _ => None,
    };
    remarks.extend(pair(row.images_per_second, row.peer_images_per_second, &|x| format!("{x:.0} images/s")));
    if let (Some(ours), Some(theirs)) = (row.henge_processor_us, row.peer_processor_us) {
        remarks.push(format!("{:.2} times in processor time of all threads", theirs / ours));
    }
    remarks.extend(pair(row.accuracy, row.peer_accuracy, &|x| format!("{:.2} %", 100.0 * x)));
    let bytes = |x: Option<u64>| x.map(|x| x as f64);
    remarks
        .extend(pair(bytes(row.henge_bytes), bytes(row.peer_bytes), &|x| format!("{:.2} GiB", x / f64::from(1 << 30))));
    remarks.extend(row.checked.clone());
    remarks.extend(row.note.clone());
    remarks
}

/// What stands below.
pub(crate) fn foot(record: &Record) -> String {
    let others = record.machine.others.map_or_else(String::new, |share| {
        format!("; other processes used {:.0} % of the processors meanwhile", 100.0 * share)
    });
    let mut text = format!("\n{} on {}{others}", counts(&record.rows), record.machine.processor);
    let missed = missed(&record.rows);
    if !missed.is_empty() {
        text += "\n\nmissed:";
    }
    for missed in missed {
        text += &format!("\n  {} {}", missed.row, missed.text);
    }
    text
}

/// How many bars, and how many hopes, were met.
pub(super) fn counts(rows: &[Row]) -> String {
    let of = |moonshot: bool| {
        let judged = rows.iter().filter(|row| row.moonshot == moonshot).filter_map(|row| row.met);
        judged.fold((0, 0), |(met, all), is_met| (met + usize::from(is_met), all + 1))
    };
    let ((met, all), (hopes_met, hopes)) = (of(false), of(true));
    let moonshots = if hopes == 0 { String::new() } else { format!(", {hopes_met} of {hopes} moonshots") };
    format!("{met} of {all} bars met{moonshots}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::missed::tests::row;

    #[test]
    fn where_time_goes_stands_once_below_its_rows() {
        let row = row();
        let first = line(&row, &[]);
        assert!(first.ends_with("\n    56 transforms of 30 bits: 75 %; the rest: 25 %"), "{first}");
        assert!(first.contains(" 5.00  8.0 MISS"), "{first}");
        assert!(!line(&row, std::slice::from_ref(&row)).contains('\n'));
    }

    #[test]
    fn bars_and_hopes_are_counted_apart() {
        let bar = row();
        let mut hope = bar.clone();
        (hope.moonshot, hope.met) = (true, Some(true));
        assert_eq!(counts(&[bar.clone(), bar.clone()]), "0 of 2 bars met");
        assert_eq!(counts(&[bar, hope]), "0 of 1 bars met, 1 of 1 moonshots");
    }
}
