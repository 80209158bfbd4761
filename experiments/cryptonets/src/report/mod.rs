//! The self-contained HTML page of a run: one file, no outside resource, light and dark.
//!
//! One module per figure; each returns a fragment. Whatever comes from outside (model names, layer names, file names)
//! goes through [`escape`].

mod confusion;
mod digits;
mod layers;
mod logits;
mod page;
mod parameters;
mod png;
mod program;
mod style;

use datasets::{Dataset, LabelledImages};

use crate::compare::{Disagreement, Logits};
use crate::record::Record;

pub(crate) use page::page;

/// Everything the page shows.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) record: &'a Record,
    pub(crate) dataset: Dataset,
    pub(crate) images: &'a LabelledImages,
    pub(crate) clear: &'a Logits,
    pub(crate) encrypted: &'a Logits,
}

impl Report<'_> {
    fn class(&self, index: usize) -> &'static str {
        self.dataset.classes().get(index).copied().unwrap_or("?")
    }

    fn disagreements(&self) -> &[Disagreement] {
        &self.record.disagreements
    }
}

/// Text as it may stand in HTML, in attribute values too.
fn escape(text: &str) -> String {
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
pub(crate) fn seconds(value: f64) -> String {
    match value {
        v if v < 1e-3 => format!("{:.0} µs", 1e6 * v),
        v if v < 0.1 => format!("{:.1} ms", 1e3 * v),
        v if v < 1.0 => format!("{:.0} ms", 1e3 * v),
        v if v < 120.0 => format!("{v:.2} s"),
        v => format!("{:.0} min {:.0} s", (v / 60.0).floor(), v % 60.0),
    }
}

/// Bytes for a reader, in powers of 1024.
pub(crate) fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        v if v < 1024.0 => format!("{v} B"),
        v if v < 1024.0 * 1024.0 => format!("{:.1} KiB", v / 1024.0),
        v if v < 1024.0 * 1024.0 * 1024.0 => format!("{:.1} MiB", v / (1024.0 * 1024.0)),
        v => format!("{:.2} GiB", v / (1024.0 * 1024.0 * 1024.0)),
    }
}

/// A whole number with thin spaces between thousands.
pub(crate) fn grouped(value: u64) -> String {
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

#[cfg(test)]
mod tests;
