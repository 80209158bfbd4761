//! The run in words, for the terminal.

use std::fmt::Write;

use report::{bytes, grouped, seconds};

use crate::record::Record;

/// Disagreeing images that are listed one by one.
const LISTED: usize = 20;

/// Many lines, the last without a line break. When the parameters are insecure the first line says so.
pub(crate) fn summary(r: &Record) -> String {
    let mut text = String::new();
    if r.insecure {
        let _ = writeln!(text, "INSECURE: {} bits of security; for tests only", r.security_bits);
    }
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<22}{value}");
    };
    row("model", format!("{} (sha256 {:.16}…)", r.model, r.model_sha256));
    row(
        "parameters",
        format!(
            "N = {}, log2 QP = {:.1} ({} + {} primes), scale 2^{:.2}",
            r.n,
            r.log_qp,
            r.q.len(),
            r.p.len(),
            r.log_scale
        ),
    );
    row(
        "security",
        format!(
            "{} bits, {}{}",
            r.security_bits,
            r.security_table,
            r.security_bound.map_or(String::new(), |b| format!(" (log2 QP at most {b})"))
        ),
    );
    row(
        "server, a batch",
        format!(
            "{} for {} images, median of {} batches, {} threads, {}",
            seconds(r.seconds_per_batch),
            grouped(r.batch_size as u64),
            r.seconds.server.len(),
            r.threads,
            r.isa
        ),
    );
    row(
        "client, a batch",
        format!("{} to encrypt, {} to decrypt", seconds(r.seconds.encrypt), seconds(r.seconds.decrypt)),
    );
    row("images a second", format!("{:.0} (server, full batches)", r.images_per_second));
    row("peak memory", format!("{} (client and server in one process)", bytes(r.peak_rss_bytes)));
    row("accuracy, clear", format!("{:.2} % (64-bit reference on the model as read)", 100.0 * r.accuracy_clear));
    row("accuracy, encrypted", format!("{:.2} %", 100.0 * r.accuracy_encrypted));
    let agreeing = r.images - r.disagreements.len();
    row("labels that agree", format!("{} of {}", grouped(agreeing as u64), grouped(r.images as u64)));
    row(
        "largest logit error",
        format!(
            "{:.2e} on a range of {:.2} ({:.4} %)",
            r.largest_logit_error,
            r.logit_range,
            100.0 * r.largest_logit_error / r.logit_range
        ),
    );
    for d in r.disagreements.iter().take(LISTED) {
        row(
            "",
            format!(
                "image {}: label {}, clear {} (margin {:.2e}), encrypted {} (margin {:.2e})",
                d.image,
                d.label.unwrap_or_default(),
                d.clear,
                d.clear_margin,
                d.encrypted,
                d.encrypted_margin
            ),
        );
    }
    if r.disagreements.len() > LISTED {
        row("", format!("and {} more in the JSON record", r.disagreements.len() - LISTED));
    }
    row("seed", r.seed.clone());
    if r.gate.passed {
        row("gate", "passed: encrypted = clear".to_owned());
    }
    for refusal in &r.gate.refusals {
        row("gate", format!("FAILED: {refusal}"));
    }
    text.truncate(text.trim_end().len());
    text
}
