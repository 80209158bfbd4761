//! What an experiment says about the machine and the day of its run.

#![forbid(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

/// Processor time of everything that ran, in ticks, and of this process: to know how quiet the machine was.
#[derive(Clone, Copy, Debug)]
pub struct Busy {
    all: f64,
    busy: f64,
    own: f64,
}

impl Busy {
    /// The ticks until now; `None` where the system does not say (`/proc` of Linux).
    pub fn now() -> Option<Busy> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<f64> = stat.lines().next()?.split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
        let all = ticks.iter().take(8).sum();
        let busy = all - ticks.get(3)? - ticks.get(4)?;
        let process = std::fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<&str> = process.rsplit_once(')')?.1.split_whitespace().collect();
        let own = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(Busy { all, busy, own })
    }
}

/// Share of all processors, in [0, 1], that other processes used since `start`; `None` where the system does not say.
pub fn others_since(start: Option<Busy>) -> Option<f64> {
    let (start, end) = (start?, Busy::now()?);
    let others = (end.busy - start.busy) - (end.own - start.own);
    (end.all > start.all).then(|| (others / (end.all - start.all)).max(0.0))
}

/// The most memory this process ever held, in bytes (`VmHWM` of Linux); 0 where the system does not say.
pub fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    field(&status, "VmHWM")
        .and_then(|value| value.strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map_or(0, |kib| 1024 * kib)
}

/// The processor's name.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    field(&info, "model name").unwrap_or(std::env::consts::ARCH).to_owned()
}

/// Number of processors that may be used.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The value after `name` and a colon at the start of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':')).map(str::trim)
}

/// Today in UTC, as year-month-day.
pub fn today() -> String {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(elapsed.as_secs() / 86_400)
}

/// The date `days` days after 1 January 1970, in the Gregorian calendar.
fn date(mut days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        let known = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (19_783, "2024-03-01"),
            (20_453, "2025-12-31"),
        ];
        for (days, expected) in known {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn fields_are_found_at_the_start_of_a_line() {
        let text = "Name:\tx\nVmHWM:\t  1234 kB\nmodel name\t: A B\n";
        assert_eq!(field(text, "VmHWM"), Some("1234 kB"));
        assert_eq!(field(text, "model name"), Some("A B"));
        assert_eq!(field(text, "HWM"), None);
        #[cfg(target_os = "linux")]
        assert!(peak_rss_bytes() > 1 << 20);
    }
}
