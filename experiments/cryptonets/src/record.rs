//! The JSON record of a run: every figure that the summary and the report show.
//!
//! Times are seconds, sizes bytes, scales and moduli base-2 logarithms.

use he_params::RingType;
use report::{Bytes, Disagreement, Gate, Layer, Step};
use serde::Serialize;

/// One run. The keys are an interface: scripts read them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) images: usize,
    pub(crate) accuracy_clear: f64,
    pub(crate) accuracy_encrypted: f64,
    /// Share of the images whose encrypted label equals the clear one.
    pub(crate) agreement: f64,
    pub(crate) largest_logit_error: f64,
    pub(crate) root_mean_square_logit_error: f64,
    /// Largest clear logit minus the smallest.
    pub(crate) logit_range: f64,
    /// Images in a full batch.
    pub(crate) batch_size: usize,
    /// Server time of one batch, median over the batches: from ciphertexts in memory to ciphertexts in memory.
    pub(crate) seconds_per_batch: f64,
    /// A full batch divided by `seconds_per_batch`.
    pub(crate) images_per_second: f64,
    pub(crate) peak_rss_bytes: u64,
    pub(crate) threads: usize,
    pub(crate) isa: String,
    pub(crate) ring: RingType,
    pub(crate) n: usize,
    pub(crate) log_qp: f64,
    pub(crate) security_bits: u32,
    pub(crate) layers: Vec<Layer>,

    /// Server seconds of one batch, forecast by the compiler before the run.
    pub(crate) forecast_seconds_per_batch: f64,
    pub(crate) insecure: bool,
    pub(crate) security_table: String,
    /// Largest log2(QP) that the table allows at this N for the required security.
    pub(crate) security_bound: Option<u32>,
    pub(crate) slots: usize,
    pub(crate) q: Vec<u64>,
    pub(crate) p: Vec<u64>,
    pub(crate) log_scale: f64,
    pub(crate) dataset: String,
    pub(crate) model: String,
    pub(crate) model_sha256: String,
    pub(crate) seed: String,
    pub(crate) seconds: Seconds,
    /// In memory.
    pub(crate) bytes: Bytes,
    pub(crate) steps: Vec<Step>,
    pub(crate) disagreements: Vec<Disagreement>,
    pub(crate) confusion: Vec<Vec<u32>>,
    pub(crate) gate: Gate,
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) version: String,
    pub(crate) date: String,
    pub(crate) command: String,
}

/// Where the time of the whole run went. "Median" is over the batches.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Seconds {
    /// Model to program and parameters.
    pub(crate) compile: f64,
    pub(crate) keygen: f64,
    /// Packing of the weights.
    pub(crate) prepare: f64,
    /// All images in the clear, f64 reference.
    pub(crate) clear: f64,
    /// Client, one batch, median.
    pub(crate) encrypt: f64,
    /// Client, one batch, median.
    pub(crate) decrypt: f64,
    /// Server, each batch.
    pub(crate) server: Vec<f64>,
    pub(crate) total: f64,
}
