//! Parameters, security, times, sizes and provenance, as tables.

use super::{Report, bytes, escape, grouped, seconds};

fn table(rows: &[(&str, String)]) -> String {
    let rows = rows.iter().map(|(name, value)| format!("<tr><th>{name}</th><td>{value}</td></tr>"));
    format!("<table>{}</table>", rows.collect::<String>())
}

fn primes(primes: &[u64]) -> String {
    let shown =
        primes.iter().map(|q| format!("{q:#x} <span style=\"color:var(--faint)\">({:.1})</span>", (*q as f64).log2()));
    format!("<code>{}</code>", shown.collect::<Vec<_>>().join(", "))
}

/// Parameters and security.
pub(super) fn scheme(report: &Report<'_>) -> String {
    let r = report.record;
    let log = |primes: &[u64]| primes.iter().map(|q| (*q as f64).log2()).sum::<f64>();
    let bound = r.security_bound.map_or(String::new(), |b| format!(", at most {b} allowed for 128 bits"));
    table(&[
        ("scheme", "CKKS, leveled, uniform ternary secret".to_owned()),
        ("ring degree N", format!("{}, {} slots", grouped(r.n as u64), grouped(r.slots as u64))),
        ("log<sub>2</sub> QP", format!("{:.1} bits{bound}", r.log_qp)),
        (
            "security",
            if r.insecure {
                format!("<b>{} bits: insecure</b>", r.security_bits)
            } else {
                format!("{} bits ({})", r.security_bits, escape(&r.security_table))
            },
        ),
        ("scale", format!("2<sup>{:.2}</sup>", r.log_scale)),
        ("primes q", format!("{:.1} bits: {}", log(&r.q), primes(&r.q))),
        ("special primes p", format!("{:.1} bits: {}", log(&r.p), primes(&r.p))),
    ])
}

/// Times and sizes.
pub(super) fn cost(report: &Report<'_>) -> String {
    let r = report.record;
    let batches = r.seconds.server.len();
    let each: Vec<String> = r.seconds.server.iter().map(|s| seconds(*s)).collect();
    table(&[
        ("server, a batch", format!("{} (median of {batches}: {})", seconds(r.seconds_per_batch), each.join(", "))),
        (
            "client, a batch",
            format!("{} to encrypt, {} to decrypt", seconds(r.seconds.encrypt), seconds(r.seconds.decrypt)),
        ),
        (
            "before the first batch",
            format!(
                "{} to compile, {} for keys, {} to pack weights",
                seconds(r.seconds.compile),
                seconds(r.seconds.keygen),
                seconds(r.seconds.prepare)
            ),
        ),
        ("in the clear", format!("{} for all images (64-bit reference)", seconds(r.seconds.clear))),
        ("whole run", seconds(r.seconds.total)),
        ("encrypted input", format!("{} a batch", bytes(r.bytes.input))),
        ("encrypted output", format!("{} a batch", bytes(r.bytes.output))),
        ("evaluation keys", bytes(r.bytes.evaluation_keys)),
        ("peak memory", format!("{}, client and server in one process", bytes(r.peak_rss_bytes))),
    ])
}

/// What was run, where and when.
pub(super) fn provenance(report: &Report<'_>) -> String {
    let r = report.record;
    let code = |text: &str| format!("<code>{}</code>", escape(text));
    table(&[
        ("model", format!("{}<br>{}", code(&r.model), code(&format!("sha256 {}", r.model_sha256)))),
        ("data", format!("{}, {} test images", escape(&r.dataset), grouped(r.images as u64))),
        ("seed", code(&r.seed)),
        ("machine", format!("{}, {} threads, {}", escape(&r.processor), r.threads, escape(&r.isa))),
        ("command", code(&r.command)),
        ("program", format!("henge {}, {}", escape(&r.version), escape(&r.date))),
    ])
}

/// The images on which encrypted and clear labels differ.
pub(super) fn disagreements(report: &Report<'_>) -> String {
    let rows: String = report
        .disagreements()
        .iter()
        .map(|d| {
            format!(
                "<tr><td>#{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{:.2e}</td><td class=\"number\">{:.2e}</td></tr>",
                d.image,
                escape(report.class(usize::from(d.label))),
                escape(report.class(d.clear)),
                escape(report.class(d.encrypted)),
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
