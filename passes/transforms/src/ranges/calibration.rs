//! What sample images reach.

use std::collections::HashMap;

use crate::lowering::{Circuit, InputError};

/// One image: the elements of each input, by name, row-major.
pub type Sample = HashMap<String, Vec<f64>>;

/// What the samples show of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Largest magnitude of an element.
    pub(super) magnitude: f64,
    /// Largest sum of squares of an image's elements.
    pub(super) square_sum: f64,
}

/// One entry per node; none without samples.
pub(super) fn observe(circuit: &Circuit, samples: &[Sample]) -> Result<Vec<Seen>, InputError> {
    if samples.is_empty() {
        return Ok(vec![]);
    }
    let mut seen = vec![Seen::default(); circuit.nodes.len()];
    for sample in samples {
        for (value, seen) in circuit.evaluate(sample)?.iter().zip(&mut seen) {
            seen.magnitude = value.iter().map(|x| x.abs()).fold(seen.magnitude, f64::max);
            seen.square_sum = seen.square_sum.max(value.iter().map(|x| x * x).sum());
        }
    }
    Ok(seen)
}
