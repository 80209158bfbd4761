//! The table of a README and the bars that it misses, between two marks: no figure there is typed by hand.

use std::fmt::Write;

use anyhow::Context;

use super::missed::{missed, time};
use super::text::counts;
use crate::record::{Record, Row};

const BEGIN: &str = "<!-- rows -->";
const END: &str = "<!-- /rows -->";

/// `readme` with what stands between its marks replaced by the table of a run.
pub(crate) fn written_into(readme: &str, record: &Record) -> anyhow::Result<String> {
    let missing = || format!("no {BEGIN} followed by {END}");
    let (head, rest) = readme.split_once(BEGIN).with_context(missing)?;
    let (_, tail) = rest.split_once(END).with_context(missing)?;
    Ok(format!("{head}{BEGIN}\n{}{}{END}{tail}", table(record), bars_missed(&record.rows)))
}

/// A list of what was missed and why.
fn bars_missed(rows: &[Row]) -> String {
    let mut text = String::new();
    let missed = missed(rows);
    if !missed.is_empty() {
        text += "\n### Bars that were missed\n\n";
    }
    for missed in missed {
        let _ = writeln!(text, "- `{}` {}", missed.row, missed.text);
    }
    text
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
        "`{}`, {}, {}, {} processors at {:.2} GHz, {}. {}.{others}\n\n| row | threads | peer | its time |",
        machine.command,
        machine.date,
        machine.processor,
        machine.processors,
        machine.measured.clock_hz / 1e9,
        machine.seal.as_deref().unwrap_or("no SEAL in this build"),
        counts(&record.rows),
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
            let verdict = match row.and_then(|row| row.met) {
                Some(true) => " met",
                Some(false) => " **missed**",
                None => "",
            };
            let ratio = row.and_then(|row| row.ratio).map_or_else(String::new, |ratio| format!("{ratio:.1}"));
            let _ = write!(text, " {ours} | {} |", format!("{ratio}{verdict}").trim_start());
        }
        let bar = first.target.map_or_else(String::new, |bar| format!("{bar}"));
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
    match (microseconds, bytes) {
        (Some(us), _) => time(us),
        (None, Some(bytes)) => format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::missed::tests::row;

    #[test]
    fn what_stands_between_the_marks() {
        let mut faster = row();
        (faster.isa, faster.henge_us, faster.ratio, faster.met) =
            ("avx2".to_owned(), Some(400.0), Some(10.0), Some(true));
        let mut hope = row();
        hope.henge_bytes = Some(3 << 29);
        (hope.name, hope.henge_us, hope.ratio, hope.met) = ("hoped".to_owned(), None, None, Some(false));
        let record = Record { machine: machine(), rows: vec![row(), faster, hope] };
        let text = written_into("head <!-- rows -->\nold\n<!-- /rows --> tail", &record).unwrap();
        assert!(
            text.starts_with("head <!-- rows -->\n`versus`, 2026-01-01, a processor, 2 processors at 3.00 GHz, "),
            "{text}"
        );
        assert!(text.contains("1 of 3 bars met."), "{text}");
        let rows = "| row | threads | peer | its time | Henge, scalar | ratio | Henge, avx2 | ratio | bar | of a core's limits |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n\
                    | `relinearize_2^13_7x30` | 1 | SEAL | 4.00 ms | 800 us | 5.0 **missed** | 400 us | 10.0 met | 8 | ;  |\n\
                    | `hoped` | 1 | SEAL | 4.00 ms | 1.50 GiB | **missed** |  |  | 8 |  |\n\
                    \n### Bars that were missed\n\n- `relinearize_2^13_7x30` on scalar";
        assert!(text.contains(rows), "{text}");
        assert!(text.ends_with("<!-- /rows --> tail") && !text.contains("old"), "{text}");
        assert!(written_into("no marks", &record).is_err());
    }

    fn machine() -> crate::record::Machine {
        crate::record::Machine {
            processor: "a processor".to_owned(),
            processors: 2,
            instruction_sets: Vec::new(),
            others: None,
            seal: None,
            date: "2026-01-01".to_owned(),
            command: "versus".to_owned(),
            measured: crate::limit::Processor { clock_hz: 3e9, copy_bytes_per_second: 1e9, is_amd: false },
        }
    }
}
