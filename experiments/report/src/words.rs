//! Figures and text as readers want them.

/// Text as it may stand in HTML, in attribute values too.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Seconds for a reader: `870 µs`, `12.3 ms`, `4.56 s`, `2 min 5 s`.
pub fn seconds(value: f64) -> String {
    match value {
        v if v < 1e-3 => format!("{:.0} µs", 1e6 * v),
        v if v < 0.1 => format!("{:.1} ms", 1e3 * v),
        v if v < 1.0 => format!("{:.0} ms", 1e3 * v),
        v if v < 120.0 => format!("{v:.2} s"),
        v => format!("{:.0} min {:.0} s", (v / 60.0).floor(), v % 60.0),
    }
}

/// Bytes for a reader, in powers of 1024.
pub fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        v if v < 1024.0 => format!("{v} B"),
        v if v < 1024.0 * 1024.0 => format!("{:.1} KiB", v / 1024.0),
        v if v < 1024.0 * 1024.0 * 1024.0 => format!("{:.1} MiB", v / (1024.0 * 1024.0)),
        v => format!("{:.2} GiB", v / (1024.0 * 1024.0 * 1024.0)),
    }
}

/// A whole number with thin spaces between thousands.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A small number as digits and a power of ten, for HTML.
pub fn power_of_ten(value: f64) -> String {
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            format!("{digits}<small>&#160;×&#160;10<sup>{}</sup></small>", power.replace('-', "−"))
        }
        None => text,
    }
}

/// The middle value, or the mean of the two in the middle; 0 of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.get(sorted.len() / 2)) {
        (count, Some(&high)) if count % 2 == 0 => (sorted[count / 2 - 1] + high) / 2.0,
        (_, Some(&middle)) => middle,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_for_a_reader() {
        assert_eq!(
            [seconds(12e-6), seconds(0.0123), seconds(0.5), seconds(2.456), seconds(125.0)],
            ["12 µs", "12.3 ms", "500 ms", "2.46 s", "2 min 5 s"]
        );
        assert_eq!([bytes(12), bytes(3 << 20)], ["12 B", "3.0 MiB"]);
        assert_eq!([grouped(7), grouped(4096), grouped(1_234_567)], ["7", "4\u{202f}096", "1\u{202f}234\u{202f}567"]);
    }

    #[test]
    fn every_angle_bracket_and_quote_is_escaped() {
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }

    #[test]
    fn medians() {
        assert_eq!([&[][..], &[3.0], &[3.0, 1.0, 2.0], &[4.0, 1.0, 2.0, 3.0]].map(median), [0.0, 3.0, 2.0, 2.5]);
    }
}
