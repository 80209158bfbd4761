//! Parameters and security, bars, images whose labels differ: as tables.

use crate::{Bar, Disagreement, escape, grouped};

/// A name and a value in each row, both of them HTML.
pub fn table(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>"));
    format!("<table>{}</table>", rows.collect::<String>())
}

fn primes(primes: &[u64]) -> String {
    let shown =
        primes.iter().map(|q| format!("{q:#x} <span style=\"color:var(--faint)\">({:.1})</span>", (*q as f64).log2()));
    format!("<code>{}</code>", shown.collect::<Vec<_>>().join(", "))
}

/// Parameters as the page shows them.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheme<'a> {
    /// Ring degree.
    pub n: usize,
    /// Images that a ciphertext holds.
    pub slots: usize,
    /// Ciphertext primes.
    pub q: &'a [u64],
    /// Special primes.
    pub p: &'a [u64],
    /// log2 of the product of all primes.
    pub log_qp: f64,
    /// The largest one that the table allows for 128 bits, where it is known.
    pub bound: Option<u32>,
    /// Security.
    pub security_bits: u32,
    /// Who says so.
    pub security_table: &'a str,
    /// log2 of the scale of fresh messages.
    pub log_scale: f64,
}

/// Parameters and security.
pub fn scheme(s: &Scheme<'_>) -> String {
    let log = |primes: &[u64]| primes.iter().map(|q| (*q as f64).log2()).sum::<f64>();
    let bound = s.bound.map_or(String::new(), |b| format!(", at most {b} allowed for 128 bits"));
    let mut rows = vec![
        ("scheme", "CKKS, leveled, uniform ternary secret".to_owned()),
        ("ring degree N", format!("{}, {} slots", grouped(s.n as u64), grouped(s.slots as u64))),
        ("log<sub>2</sub> QP", format!("{:.1} bits{bound}", s.log_qp)),
        (
            "security",
            if s.security_bits < 128 {
                format!("<b>{} bits: insecure</b>", s.security_bits)
            } else {
                format!("{} bits ({})", s.security_bits, escape(s.security_table))
            },
        ),
        ("scale", format!("2<sup>{:.2}</sup>", s.log_scale)),
        ("primes q", format!("{:.1} bits: {}", log(s.q), primes(s.q))),
    ];
    if !s.p.is_empty() {
        rows.push(("special primes p", format!("{:.1} bits: {}", log(s.p), primes(s.p))));
    }
    table(&rows)
}

/// What the project asked of the run.
pub fn bars(bars: &[Bar]) -> String {
    let row = |bar: &Bar| {
        let (class, verdict) = if bar.met { ("good", "✓ met") } else { ("bad", "✗ missed") };
        format!(
            "<tr><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td><span class=\"{class}\">{verdict}{}</span></td></tr>",
            escape(&bar.what),
            escape(&bar.asked()),
            escape(&bar.found_text()),
            bar.moonshot_text().map_or(String::new(), |text| format!(", {text}"))
        )
    };
    let rows: String = bars.iter().map(row).collect();
    format!(
        "<table><tr><th>what</th><th class=\"number\">bar</th><th class=\"number\">found</th><th></th></tr>{rows}</table>"
    )
}

/// The images on which encrypted and clear labels differ, as a section; nothing where there is none.
pub fn disagreements(found: &[Disagreement], class: impl Fn(usize) -> String) -> String {
    let rows: String = found
        .iter()
        .map(|d| {
            format!(
                "<tr><td>#{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{:.2e}</td><td class=\"number\">{:.2e}</td></tr>",
                d.image,
                d.label.map_or_else(|| "nobody says".to_owned(), |label| escape(&class(label))),
                escape(&class(d.clear)),
                escape(&class(d.encrypted)),
                d.clear_margin,
                d.encrypted_margin
            )
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section><h2>Where encrypted and clear labels differ</h2><p class=\"note\">The margin is by how much the label's logit leads the other one.</p><table><tr><th>image</th><th>true</th><th>clear</th><th>encrypted</th><th class=\"number\">margin, clear</th><th class=\"number\">margin, encrypted</th></tr>{rows}</table></section>"
    )
}
