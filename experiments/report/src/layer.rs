//! A layer of the model: the operations of the program that come from it, what was known of them before the run, and what they took.

use serde::{Deserialize, Serialize};

use crate::Step;

/// A layer of the model. The keys are those of the records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Verbs of its operations, in order.
    pub operations: Vec<String>,
    /// Server time of one batch, median over the batches.
    pub seconds: f64,
    /// The same, forecast by the compiler.
    pub forecast_seconds: f64,
    /// Level of what it computes.
    pub level: usize,
    /// log2 of the scale of what it computes.
    pub log_scale: f64,
    /// Polynomials of each ciphertext.
    pub component_count: usize,
    /// Ciphertexts of what it computes.
    pub ciphertexts: usize,
    /// Bound on the magnitude of its values.
    pub magnitude: f64,
    /// Where that bound comes from.
    pub range_from: String,
    /// Bound on their error, forecast by the compiler.
    pub error_bound: f64,
}

/// The layers of a program: runs of steps that come from the same layer, with what the compiler said of each.
pub fn gather(steps: &[Step], explained: &[transforms::explain::Layer]) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for step in steps {
        if layers.last().is_none_or(|last| last.name != step.layer) {
            layers.push(Layer { name: step.layer.clone(), ..Layer::default() });
        }
        let Some(layer) = layers.last_mut() else { continue };
        layer.operations.push(step.verb.clone());
        layer.seconds += step.seconds;
        layer.level = step.level;
        layer.log_scale = step.log_scale;
        layer.component_count = step.component_count;
        layer.ciphertexts = step.ciphertexts;
    }
    for (layer, known) in layers.iter_mut().zip(explained) {
        layer.forecast_seconds = known.seconds;
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
        let found = gather(&steps, &[]);
        let names: Vec<_> = found.iter().map(|l| (l.name.as_str(), l.seconds, l.level)).collect();
        assert_eq!(names, [("image", 0.25, 5), ("conv1", 1.5, 4), ("square1", 5.0, 4), ("conv1", 4.0, 3)]);
        assert_eq!(found[2].operations, ["square", "relinearize"]);
    }
}
