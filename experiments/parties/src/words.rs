//! The run in words, for the terminal.

use std::fmt;

use crate::Record;

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22}{value}");
        let r = self;
        row("model", format!("{} (sha256 {:.16}…)", r.model, r.model_sha256))?;
        row(
            "parameters",
            format!(
                "N = {}, log2 QP = {:.1} ({} + {} primes), scale 2^{:.2}, {} packing",
                r.n,
                r.log_qp,
                r.q.len(),
                r.p.len(),
                r.log_scale,
                r.packing
            ),
        )?;
        row("security", format!("{} bits, {}", r.security_bits, r.security_table))?;
        row("parties", r.way_described.clone())?;
        row(
            "a batch",
            format!(
                "{:.2} s for {} images, both parties, {} threads{}, {}; median of {}",
                r.seconds_per_batch,
                r.batch_size,
                r.threads,
                if r.server_peak_rss_bytes.is_some() { " each" } else { "" },
                r.isa,
                r.seconds.batches.len()
            ),
        )?;
        row(
            "",
            format!(
                "of which the server computes {:.2} s, forecast at {:.2} s",
                r.server_seconds_per_batch(),
                r.forecast_seconds_per_batch
            ),
        )?;
        row("", format!("{:.0} images/s, {:.3} ms an image", r.images_per_second, r.milliseconds_per_image))?;
        row(
            "bytes an image",
            format!(
                "{:.0} up (at least {:.0}), {:.0} down (at least {:.0}); {} requests a batch in {} rounds; keys {} once",
                r.bytes_up_per_image,
                r.minimum_bytes_up_per_image,
                r.bytes_down_per_image,
                r.minimum_bytes_down_per_image,
                r.requests,
                r.rounds,
                r.bytes.evaluation_keys
            ),
        )?;
        row("peak memory", r.memory())?;
        if r.labelled > 0 {
            let (clear, encrypted) = (100.0 * r.accuracy_clear, 100.0 * r.accuracy_encrypted);
            row("accuracy", format!("{encrypted:.2} % encrypted, {clear:.2} % in the clear, of {}", r.labelled))?;
        }
        row("labels that agree", format!("{} of {}", r.images - r.disagreements.len(), r.images))?;
        let share = 100.0 * r.largest_logit_error / r.logit_range;
        row(
            "largest error",
            format!("{:.2e} on a range of {:.2} ({share:.4} %)", r.largest_logit_error, r.logit_range),
        )?;
        for d in &r.disagreements {
            let (a, b) = (d.clear_margin, d.encrypted_margin);
            row(
                "",
                format!(
                    "image {}: clear {} (margin {a:.2e}), encrypted {} (margin {b:.2e})",
                    d.image, d.clear, d.encrypted
                ),
            )?;
        }
        for bar in &r.bars {
            row("bar", bar.to_string())?;
        }
        if r.bars.is_empty() {
            row("bar", "none is set for this set-up".to_owned())?;
        }
        if r.gate.passed {
            return row("gate", "passed: encrypted = clear".to_owned());
        }
        r.gate.refusals.iter().try_for_each(|refusal| row("gate", format!("FAILED: {refusal}")))
    }
}

impl Record {
    /// Forecast and measured memory.
    pub(crate) fn memory(&self) -> String {
        let size = |bytes: u64| match bytes as f64 {
            b if b >= 1e8 => format!("{:.2} GB", b / 1e9),
            b => format!("{:.1} MB", b / 1e6),
        };
        let measured = match (self.server_peak_rss_bytes, self.client_peak_rss_bytes) {
            (Some(server), Some(client)) => format!("{} server + {} client = ", size(server), size(client)),
            _ => "one process, ".to_owned(),
        };
        format!(
            "{measured}{}; the server planned {} of tiles (limit {}) beside {} of weights and {} of program",
            size(self.peak_rss_bytes),
            size(self.planned_server_bytes),
            size(self.memory_limit_bytes),
            size(self.weights_bytes),
            size(self.program_bytes)
        )
    }
}
