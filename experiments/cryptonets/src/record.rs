//! The JSON record of a run: every figure that the summary and the report show.
//!
//! Times are seconds, sizes bytes, scales and moduli base-2 logarithms.

use he_params::RingType;
use report::{Disagreement, Gate, Step};
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

/// A layer of the model: the operations of the program that come from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Layer {
    pub(crate) name: String,
    /// Verbs of its operations, in order.
    pub(crate) operations: Vec<String>,
    /// Server time of one batch, median over the batches.
    pub(crate) seconds: f64,
    /// State of what it computes.
    pub(crate) level: usize,
    pub(crate) log_scale: f64,
    pub(crate) component_count: usize,
    pub(crate) ciphertexts: usize,
    /// Bound on the magnitude of its values, and where the bound comes from.
    pub(crate) magnitude: f64,
    pub(crate) range_from: String,
    /// Bound on their error, forecast by the compiler.
    pub(crate) error_bound: f64,
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

/// Sizes in memory.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Bytes {
    /// Encrypted input of one batch, a seed in place of its uniform half.
    pub(crate) input: u64,
    /// Encrypted output of one batch.
    pub(crate) output: u64,
    pub(crate) evaluation_keys: u64,
}

/// The layers of a program: runs of steps that come from the same layer, with what the compiler said of each.
pub(crate) fn layers(steps: &[Step], explained: &[transforms::explain::Layer]) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for step in steps {
        match layers.last_mut() {
            Some(last) if last.name == step.layer => {
                last.operations.push(step.verb.clone());
                last.seconds += step.seconds;
                last.level = step.level;
                last.log_scale = step.log_scale;
                last.component_count = step.component_count;
                last.ciphertexts = step.ciphertexts;
            }
            _ => layers.push(Layer {
                name: step.layer.clone(),
                operations: vec![step.verb.clone()],
                seconds: step.seconds,
                level: step.level,
                log_scale: step.log_scale,
                component_count: step.component_count,
                ciphertexts: step.ciphertexts,
                magnitude: 0.0,
                range_from: String::new(),
                error_bound: 0.0,
            }),
        }
    }
    for (layer, known) in layers.iter_mut().zip(explained) {
        layer.magnitude = known.magnitude;
        layer.range_from.clone_from(&known.range_source);
        layer.error_bound = known.error_bound;
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verb: &str, layer: &str, seconds: f64, level: usize) -> Step {
        Step {
            verb: verb.to_owned(),
            layer: layer.to_owned(),
            seconds,
            level,
            log_scale: 24.0,
            component_count: 2,
            ciphertexts: 845,
        }
    }

    #[test]
    fn steps_gather_into_layers() {
        let steps = [
            step("expand", "image", 0.25, 5),
            step("linear", "conv1", 1.0, 5),
            step("rescale", "conv1", 0.5, 4),
            step("square", "square1", 2.0, 4),
            step("relinearize", "square1", 3.0, 4),
            step("linear", "conv1", 4.0, 3),
        ];
        let found = layers(&steps, &[]);
        let names: Vec<_> = found.iter().map(|l| (l.name.as_str(), l.seconds, l.level)).collect();
        assert_eq!(names, [("image", 0.25, 5), ("conv1", 1.5, 4), ("square1", 5.0, 4), ("conv1", 4.0, 3)]);
        assert_eq!(found[2].operations, ["square", "relinearize"]);
    }
}
