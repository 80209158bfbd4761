//! The table of a README, between two marks: no figure in it is typed by hand.

use std::fmt::Write;

use anyhow::Context;

use crate::record::{Record, Row};

const BEGIN: &str = "<!-- rows -->";
const END: &str = "<!-- /rows -->";

/// `readme` with what stands between its marks replaced by the table of a run.
pub(crate) fn written_into(readme: &str, record: &Record) -> anyhow::Result<String> {
    let missing = || format!("no {BEGIN} followed by {END}");
    let (head, rest) = readme.split_once(BEGIN).with_context(missing)?;
    let (_, tail) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{head}{BEGIN}\n{}{END}{tail}", table(record)))
}

/// Where and how, then one line per row and peer; Henge's time and ratio on each instruction set.
fn table(record: &Record) -> String {
    let machine = &record.machine;
    let mut isas: Vec<&str> = Vec::new();
    for row in &record.rows {
        if !isas.contains(&row.isa.as_str()) {
            isas.push(&row.isa);
        }
    }
    let others = machine.others.map_or_else(String::new, |share| {
        format!(" Other programs used {:.0} % of the processors meanwhile.", 100.0 * share)
    });
    let mut text = format!(
        "`{}`, {}, {}, {} processors at {:.2} GHz, {}.{others}\n\n| row | threads | peer | its time |",
        machine.command,
        machine.date,
        machine.processor,
        machine.processors,
        machine.measured.clock_hz / 1e9,
        machine.seal.as_deref().unwrap_or("no SEAL in this build"),
    );
    for isa in &isas {
        let _ = write!(text, " Henge, {isa} | ratio |");
    }
    text.push_str(" bar | of a core's limits |\n|---|---|---|---|");
    text.push_str(&"---|---|".repeat(isas.len()));
    text.push_str("---|---|\n");

    let mut lines: Vec<Vec<&Row>> = Vec::new();
    for row in &record.rows {
        let same = |line: &&mut Vec<&Row>| {
            line.iter().all(|of| of.name == row.name && of.peer == row.peer && of.threads == row.threads)
        };
        match lines.iter_mut().find(same) {
            Some(line) => line.push(row),
            None => lines.push(vec![row]),
        }
    }
    let mut before = None;
    for line in lines {
        let [first, ..] = line[..] else { continue };
        // A row's name, threads and Henge's side stand once.
        let subject = (first.name.as_str(), first.threads);
        let again = before.replace(subject) == Some(subject);
        let name = if again { String::new() } else { format!("`{}`", first.name) };
        let threads = if again { String::new() } else { first.threads.to_string() };
        let theirs = cell([quantity(first.peer_us, first.peer_bytes), percent(first.peer_accuracy)]);
        let _ = write!(text, "| {name} | {threads} | {} | {theirs} |", first.peer);
        let of = |isa: &&str| line.iter().find(|row| row.isa == **isa);
        for row in isas.iter().map(of) {
            let ours = row.filter(|_| !again).map_or_else(String::new, |row| {
                let rate = row.mac_per_second.map_or_else(String::new, |rate| format!("{:.1} G/s a core", rate / 1e9));
                let images = row.images_per_second.map_or_else(String::new, |rate| format!("{rate:.0} images/s"));
                cell([quantity(row.henge_us, row.henge_bytes), rate, images, percent(row.accuracy)])
            });
            let ratio = row.and_then(|row| row.ratio).map_or_else(String::new, |ratio| format!("{ratio:.1}"));
            let _ = write!(text, " {ours} | {ratio} |");
        }
        let rate = first.target_mac_per_second.map_or_else(String::new, |rate| format!("{} G/s a core", rate / 1e9));
        let bar = cell([first.target.map_or_else(String::new, |bar| format!("{bar}")), rate]);
        let limits: Vec<String> = isas
            .iter()
            .filter_map(of)
            .filter(|_| !again)
            .map(|row| row.limits.iter().map(|limit| format!("{:.0} %", 100.0 * limit.share)).collect::<Vec<_>>())
            .map(|shares| shares.join(", "))
            .collect();
        let _ = writeln!(text, " {bar} | {} |", limits.join("; "));
    }
    text
}

/// What there is of some entries.
fn cell<const N: usize>(entries: [String; N]) -> String {
    entries.into_iter().filter(|entry| !entry.is_empty()).collect::<Vec<_>>().join(", ")
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{:.2} %", 100.0 * share))
}

/// A time or a size, with three digits.
fn quantity(microseconds: Option<f64>, bytes: Option<u64>) -> String {
    let digits = |x: f64, unit: &str| match x {
        x if x < 10.0 => format!("{x:.2} {unit}"),
        x if x < 100.0 => format!("{x:.1} {unit}"),
        x => format!("{x:.0} {unit}"),
    };
    match (microseconds, bytes) {
        (Some(us), _) if us < 1e3 => digits(us, "us"),
        (Some(us), _) if us < 1e6 => digits(us / 1e3, "ms"),
        (Some(us), _) => digits(us / 1e6, "s"),
        (None, Some(bytes)) => digits(bytes as f64 / f64::from(1 << 30), "GiB"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        let shown = [0.5, 12.34, 987.6, 4_740.0, 168_000.0, 15_100_000.0].map(|us| quantity(Some(us), None));
        assert_eq!(shown, ["0.50 us", "12.3 us", "988 us", "4.74 ms", "168 ms", "15.1 s"]);
        assert_eq!((quantity(None, Some(3 << 29)), quantity(None, None)), ("1.50 GiB".to_owned(), String::new()));
    }
}
