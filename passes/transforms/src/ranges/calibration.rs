//! What sample images reach.

use std::collections::HashMap;

use crate::lowering::{Circuit, InputError};

/// One image: the elements of each input, by name, row-major.
pub type Sample = HashMap<String, Vec<f64>>;

/// What the samples show of one value.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Largest magnitude of an element.
    pub(super) magnitude: f64,
    /// Mean square of each element.
    pub(super) mean_squares: Vec<f64>,
}

/// One entry per node; none without samples.
pub(super) fn observe(circuit: &Circuit, samples: &[Sample]) -> Result<Vec<Seen>, InputError> {
    if samples.is_empty() {
        return Ok(vec![]);
    }
    let empty = |elements| Seen { magnitude: 0.0, mean_squares: vec![0.0; elements] };
    let mut seen: Vec<Seen> = circuit.nodes.iter().map(|node| empty(node.elements())).collect();
    for sample in samples {
        for (value, seen) in circuit.evaluate(sample)?.iter().zip(&mut seen) {
            seen.magnitude = value.iter().map(|x| x.abs()).fold(seen.magnitude, f64::max);
            for (mean, x) in seen.mean_squares.iter_mut().zip(value) {
                *mean += x * x / samples.len() as f64;
            }
        }
    }
    Ok(seen)
}
