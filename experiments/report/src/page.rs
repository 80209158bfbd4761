//! The frame of a page: verdict, title, headline figures, sections, foot.

use std::fmt::Write;

use crate::style::STYLE;
use crate::{Gate, escape};

/// A page as far as it is written.
#[derive(Clone, Debug)]
pub struct Page {
    html: String,
}

impl Page {
    /// Begins a page. `alarm` comes before everything, then whether the gate let the run pass.
    pub fn new(title: &str, alarm: Option<&str>, gate: &Gate, lead: &str) -> Page {
        let title = escape(title);
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head><body><main>"
        );
        if let Some(alarm) = alarm {
            let _ = write!(html, "<p class=\"alarm\">{}</p>", escape(alarm));
        }
        let verdict = if gate.passed {
            "<span class=\"verdict good\">✓ encrypted = clear</span>".to_owned()
        } else {
            let reasons: Vec<String> = gate.refusals.iter().map(|t| escape(t)).collect();
            format!("<span class=\"verdict bad\">✗ {}</span>", reasons.join("; "))
        };
        let _ = write!(html, "<header>{verdict}<h1>{title}</h1><p class=\"lead\">{}</p></header>", escape(lead));
        Page { html }
    }

    /// Headline figures, HTML, with what each is.
    pub fn tiles(&mut self, tiles: &[(String, String)]) {
        let tiles =
            tiles.iter().map(|(figure, text)| format!("<div class=\"tile\"><b>{figure}</b><span>{text}</span></div>"));
        let _ = write!(self.html, "<div class=\"tiles\">{}</div>", tiles.collect::<String>());
    }

    /// A section of HTML with a note, which may be empty.
    pub fn section(&mut self, title: &str, note: &str, body: &str) {
        let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>") };
        let _ = write!(self.html, "<section><h2>{title}</h2>{note}{body}</section>");
    }

    /// Sections side by side; what `right` writes makes one column.
    pub fn pair(&mut self, left: impl FnOnce(&mut Page), right: impl FnOnce(&mut Page)) {
        self.html.push_str("<div class=\"pair\"><div>");
        left(self);
        self.html.push_str("</div><div>");
        right(self);
        self.html.push_str("</div></div>");
    }

    /// HTML as it is.
    pub fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    /// The whole page.
    pub fn finish(mut self, foot: &str) -> String {
        let _ = writeln!(self.html, "<footer>{}</footer></main></body></html>", escape(foot));
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped_and_refusals_come_first() {
        let refusals = vec!["labels <b>differ</b>".to_owned()];
        let gate = Gate { least_agreement: 1.0, largest_error_share: 0.01, passed: false, refusals };
        let mut page = Page::new("<script>", Some("in & out"), &gate, "a \"lead\"");
        page.section("one", "", "<p>body</p>");
        page.pair(|page| page.section("left", "note", ""), |page| page.section("right", "", ""));
        let html = page.finish("<foot>");
        assert!(!html.contains("<script>") && !html.contains("<foot>") && !html.contains("<b>differ"));
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text}"));
        assert!(at("in &amp; out") < at("✗ labels &lt;b&gt;") && at("✗ labels") < at("<h1>"));
        assert_eq!(html.matches("<div").count(), html.matches("</div>").count());
        assert_eq!(html.matches("<section>").count(), 3);
    }
}
