//! Plain lines.

use crate::record::{Record, Row};
use crate::rows::Setting;

/// What stands above the rows.
pub(crate) fn head(setting: &Setting) -> String {
    let isas: Vec<&str> = setting.isas.iter().map(|isa| isa.name()).collect();
    let seal = crate::seal::describe();
    format!(
        "{}\nHenge on {}; one thread at {:.2} GHz, copies {:.1} GB/s\n\n{:<36} {:<12} {:>3} {:>12}  {:<20} {:>12} {:>7} {:>9}  {}",
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

/// One row.
pub(crate) fn line(row: &Row) -> String {
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.1}"));
    let bar = match (row.target, row.met) {
        (Some(target), Some(met)) => format!("{target:.1} {}", if met { "met" } else { "MISS" }),
        (None, Some(met)) => if met { "met" } else { "MISS" }.to_owned(),
        _ => String::new(),
    };
    format!(
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
    )
    .trim_end()
    .to_owned()
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
    let with_bar: Vec<&Row> = record.rows.iter().filter(|row| row.met.is_some()).collect();
    let met = with_bar.iter().filter(|row| row.met == Some(true)).count();
    let others = record.machine.others.map_or_else(String::new, |share| {
        format!("; other processes used {:.0} % of the processors meanwhile", 100.0 * share)
    });
    format!("\n{met} of {} bars met on {}{others}", with_bar.len(), record.machine.processor)
}
