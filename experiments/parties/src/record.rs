//! The JSON record of a run, and the run in words.
//!
//! Times are seconds, sizes bytes, scales and moduli base-2 logarithms.

use std::fmt;

use serde::Serialize;

use crate::{Classified, Comparison, Disagreement, LARGEST_ERROR_SHARE, Layer, Link, Ready, Served};

/// What the clear model is, and how the run was made.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the keys of a record")]
pub struct Network {
    pub network: String,
    pub network_sha256: String,
    /// What the images are.
    pub data: String,
    pub batch_size: usize,
    pub threads: usize,
    pub link: Option<Link>,
    /// All compared images in the clear, f64 reference.
    pub seconds_clear: f64,
    /// Share of images whose labels must agree.
    pub least_agreement: f64,
}

/// One run. The keys are an interface: scripts read them.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the keys of a record")]
pub struct Record {
    #[serde(flatten)]
    pub run: Network,
    pub images: usize,
    pub labelled: usize,
    pub accuracy_clear: f64,
    pub accuracy_encrypted: f64,
    /// Share of the images whose encrypted label equals the clear one.
    pub agreement: f64,
    pub largest_logit_error: f64,
    pub root_mean_square_logit_error: f64,
    pub logit_range: f64,
    /// Both parties, from images to outputs, median over the batches.
    pub seconds_per_batch: f64,
    pub seconds_batches: Vec<f64>,
    pub images_per_second: f64,
    pub milliseconds_per_image: f64,
    pub bytes_up_per_image: f64,
    pub bytes_down_per_image: f64,
    pub minimum_bytes_up_per_image: f64,
    pub minimum_bytes_down_per_image: f64,
    pub key_bytes: u64,
    pub rounds: u64,
    pub connections: u64,
    pub client_peak_rss_bytes: u64,
    pub server_peak_rss_bytes: u64,
    pub peak_rss_bytes: u64,
    pub planned_server_bytes: u64,
    pub isa: String,
    pub n: usize,
    pub q: Vec<u64>,
    pub p: Vec<u64>,
    pub log_qp: f64,
    pub log_scale: f64,
    pub packing: String,
    pub security_bits: u32,
    pub security_table: String,
    pub seconds_compile: f64,
    pub seconds_prepare: f64,
    pub seconds_keygen: f64,
    pub forecast_seconds_per_batch: f64,
    pub layers: Vec<Layer>,
    pub disagreements: Vec<Disagreement>,
    pub gate: Gate,
    pub processor: String,
    pub processors: usize,
    pub date: String,
}

/// What had to hold, and whether it did.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the keys of a record")]
pub struct Gate {
    pub least_agreement: f64,
    pub largest_error_share: f64,
    pub passed: bool,
    pub refusals: Vec<String>,
}

impl Record {
    /// Puts together what all sides said.
    pub fn new(run: Network, ready: Ready, found: Classified, served: &Served, compared: Comparison) -> Record {
        let seconds_per_batch = median(&found.seconds);
        let per_image = |bytes: f64| bytes / found.images.max(1) as f64;
        let refusals = compared.refusals(run.least_agreement);
        Record {
            images: compared.images,
            labelled: compared.labelled,
            accuracy_clear: compared.accuracy_clear,
            accuracy_encrypted: compared.accuracy_encrypted,
            agreement: compared.agreement,
            largest_logit_error: compared.largest_error,
            root_mean_square_logit_error: compared.root_mean_square_error,
            logit_range: compared.range,
            seconds_per_batch,
            images_per_second: run.batch_size as f64 / seconds_per_batch,
            milliseconds_per_image: 1e3 * seconds_per_batch / run.batch_size as f64,
            bytes_up_per_image: per_image(found.bytes_up as f64),
            bytes_down_per_image: per_image(found.bytes_down as f64),
            minimum_bytes_up_per_image: per_image(found.minimum_up),
            minimum_bytes_down_per_image: per_image(found.minimum_down),
            key_bytes: found.key_bytes,
            rounds: found.rounds,
            connections: found.connections,
            client_peak_rss_bytes: found.peak_rss_bytes,
            server_peak_rss_bytes: served.peak_rss_bytes,
            peak_rss_bytes: found.peak_rss_bytes + served.peak_rss_bytes,
            planned_server_bytes: ready.planned_bytes,
            isa: ready.isa,
            n: ready.n,
            q: ready.q,
            p: ready.p,
            log_qp: ready.log_qp,
            log_scale: ready.log_scale,
            packing: ready.packing,
            security_bits: ready.security_bits,
            security_table: ready.security_table,
            seconds_compile: ready.seconds_compile,
            seconds_prepare: ready.seconds_prepare,
            seconds_keygen: found.seconds_keygen,
            forecast_seconds_per_batch: ready.forecast_seconds_per_batch,
            layers: ready.layers,
            disagreements: compared.disagreements,
            gate: Gate {
                least_agreement: run.least_agreement,
                largest_error_share: LARGEST_ERROR_SHARE,
                passed: refusals.is_empty(),
                refusals,
            },
            processor: machine::processor(),
            processors: machine::processors(),
            date: machine::today(),
            seconds_batches: found.seconds,
            run,
        }
    }
}

/// The middle value, or the mean of the two in the middle; 0 of none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.get(sorted.len() / 2)) {
        (count, Some(&high)) if count % 2 == 0 => (sorted[count / 2 - 1] + high) / 2.0,
        (_, Some(&middle)) => middle,
        _ => 0.0,
    }
}

/// The run in words, for the terminal.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22}{value}");
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        row("network", format!("{} (sha256 {:.16}…)", self.run.network, self.run.network_sha256))?;
        row(
            "parameters",
            format!(
                "N = {}, log2 QP = {:.1} ({} + {} primes), scale 2^{:.2}, {} packing",
                self.n,
                self.log_qp,
                self.q.len(),
                self.p.len(),
                self.log_scale,
                self.packing
            ),
        )?;
        row("security", format!("{} bits, {}", self.security_bits, self.security_table))?;
        let link = match self.run.link {
            None => "loopback TLS".to_owned(),
            Some(link) => format!(
                "TLS through an emulated link (a relay of ours): {} Gbit/s, {} ms one way",
                link.bits_per_second / 1e9,
                1e3 * link.delay
            ),
        };
        row(
            "a batch",
            format!(
                "{:.2} s for {} images, both parties, {link}, {} threads each, {}; median of {}",
                self.seconds_per_batch,
                self.run.batch_size,
                self.run.threads,
                self.isa,
                self.seconds_batches.len()
            ),
        )?;
        row("", format!("{:.0} images/s, {:.3} ms an image", self.images_per_second, self.milliseconds_per_image))?;
        row(
            "bytes an image",
            format!(
                "{:.0} up (at least {:.0}), {:.0} down (at least {:.0}); {} rounds a batch; keys {} once",
                self.bytes_up_per_image,
                self.minimum_bytes_up_per_image,
                self.bytes_down_per_image,
                self.minimum_bytes_down_per_image,
                self.rounds,
                self.key_bytes
            ),
        )?;
        row(
            "peak memory",
            format!(
                "{:.0} MiB server (planned {:.0}), {:.0} MiB client",
                mib(self.server_peak_rss_bytes),
                mib(self.planned_server_bytes),
                mib(self.client_peak_rss_bytes)
            ),
        )?;
        if self.labelled > 0 {
            let (clear, encrypted) = (100.0 * self.accuracy_clear, 100.0 * self.accuracy_encrypted);
            row("accuracy", format!("{encrypted:.2} % encrypted, {clear:.2} % in the clear, of {}", self.labelled))?;
        }
        row("labels that agree", format!("{} of {}", self.images - self.disagreements.len(), self.images))?;
        let share = 100.0 * self.largest_logit_error / self.logit_range;
        row(
            "largest error",
            format!("{:.2e} on a range of {:.2} ({share:.4} %)", self.largest_logit_error, self.logit_range),
        )?;
        for d in self.disagreements.iter().take(20) {
            let (a, b) = (d.clear_margin, d.encrypted_margin);
            row(
                "",
                format!(
                    "image {}: clear {} (margin {a:.2e}), encrypted {} (margin {b:.2e})",
                    d.image, d.clear, d.encrypted
                ),
            )?;
        }
        if self.gate.passed {
            return row("gate", "passed: encrypted = clear".to_owned());
        }
        self.gate.refusals.iter().try_for_each(|refusal| row("gate", format!("FAILED: {refusal}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(
            [median(&[]), median(&[3.0]), median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])],
            [0.0, 3.0, 2.0, 2.5]
        );
    }
}
