//! How large every value can become.
//!
//! Two sources. *Interval analysis* carries the range of every single element from the inputs to the outputs: it always holds, and is wide
//! behind dense layers. *Calibration* runs sample images through the circuit and multiplies what it sees by a stated margin: it is tight, and
//! holds as far as the samples represent what will come. A value's bound is the smaller of the two, and says which one it is.

mod calibration;
mod interval;

use std::collections::HashMap;
use std::fmt;

use crate::lowering::{Circuit, Gate, InputError};

pub use calibration::Sample;
pub use interval::Interval;

/// Where a bound comes from.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeSource {
    /// Interval analysis from the stated ranges of the inputs: nothing can exceed it.
    Interval,
    /// The largest magnitude among samples, times a margin.
    Calibration {
        /// Sample images.
        samples: usize,
        /// Factor on what was seen.
        margin: f64,
    },
}

impl fmt::Display for RangeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RangeSource::Interval => f.write_str("interval"),
            RangeSource::Calibration { samples, margin } => write!(f, "{samples} samples x {margin}"),
        }
    }
}

/// What is known about the messages of one value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueRange {
    /// No element's magnitude exceeds this, multiplied by a factor of a mask or not.
    pub magnitude: f64,
    /// The largest factor, and the reciprocal of the smallest, by which a mask may multiply elements; 1 where none does.
    pub factor: f64,
    /// Where the bound comes from.
    pub source: RangeSource,
    /// Bound by interval analysis.
    pub interval: f64,
    /// Largest magnitude among the samples, without margin.
    pub seen: Option<f64>,
    /// For each element, what its square is taken for when errors are predicted: the mean over the samples times the margin squared, or the
    /// square of its interval's bound where that is less or there are no samples.
    pub squares: Vec<f64>,
}

impl ValueRange {
    /// The magnitude that precision is measured against: what samples show, else the bound.
    pub fn typical(&self) -> f64 {
        self.seen.filter(|&seen| seen > 0.0).unwrap_or(self.magnitude)
    }
}

/// What ranges are derived from.
#[derive(Clone, Debug)]
pub struct RangeOptions {
    /// Lowest and highest element of an input, by name.
    pub inputs: HashMap<String, Interval>,
    /// Sample images.
    pub samples: Vec<Sample>,
    /// Factor on what the samples show; at least 1.
    pub margin: f64,
}

/// Why ranges cannot be known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// Nothing says how large an input is.
    #[error("input {0:?}: neither a range nor calibration samples are given, so no value's range is known")]
    UnknownInput(String),
    /// A range given for an input that does not exist.
    #[error("a range is given for input {0:?}, the model has no such input")]
    NoSuchInput(String),
    /// A range that is none.
    #[error("range of input {name:?} is {low} to {high}")]
    BadInterval {
        /// The input.
        name: String,
        /// Stated lowest.
        low: f64,
        /// Stated highest.
        high: f64,
    },
    /// A margin that would shrink what was seen.
    #[error("calibration margin {0}, expected at least 1")]
    Margin(f64),
    /// A sample outside the stated range of its input.
    #[error("input {name:?}: a sample holds {found}, outside the stated range {low} to {high}")]
    SampleOutside {
        /// The input.
        name: String,
        /// The number in the sample.
        found: f64,
        /// Stated lowest.
        low: f64,
        /// Stated highest.
        high: f64,
    },
    /// A sample that does not fit the model.
    #[error("calibration sample: {0}")]
    Sample(#[from] InputError),
    /// A value that is infinite or not a number.
    #[error("node {node} ({op}): its magnitude has no bound")]
    Unbounded {
        /// The layer.
        node: String,
        /// Its operation.
        op: &'static str,
    },
}

/// One range per node of the circuit.
///
/// # Errors
/// See [`RangeError`].
pub fn analyse(circuit: &Circuit, options: &RangeOptions) -> Result<Vec<ValueRange>, RangeError> {
    if !(options.margin >= 1.0 && options.margin.is_finite()) {
        return Err(RangeError::Margin(options.margin));
    }
    let inputs = input_intervals(circuit, options)?;
    let intervals = interval::propagate(circuit, &inputs);
    let seen = calibration::observe(circuit, &options.samples)?;
    let mut ranges = Vec::with_capacity(circuit.nodes.len());
    for (index, node) in circuit.nodes.iter().enumerate() {
        let range = combine(&intervals[index], seen.get(index), options);
        if !range.magnitude.is_finite() {
            return Err(RangeError::Unbounded { node: node.source.clone(), op: node.gate.verb() });
        }
        ranges.push(range);
    }
    Ok(ranges)
}

fn combine(elements: &[Interval], seen: Option<&calibration::Seen>, options: &RangeOptions) -> ValueRange {
    let interval = elements.iter().map(|i| i.magnitude()).fold(0.0, f64::max);
    let bounds = elements.iter().map(|i| i.magnitude().powi(2));
    let squares = match seen {
        Some(seen) => bounds.zip(&seen.mean_squares).map(|(b, s)| b.min(s * options.margin * options.margin)).collect(),
        None => bounds.collect(),
    };
    let calibrated = seen.map(|s| s.magnitude * options.margin).filter(|&magnitude| magnitude < interval);
    let samples = options.samples.len();
    ValueRange {
        magnitude: calibrated.unwrap_or(interval),
        factor: 1.0,
        source: match calibrated {
            Some(_) => RangeSource::Calibration { samples, margin: options.margin },
            None => RangeSource::Interval,
        },
        interval,
        seen: seen.map(|s| s.magnitude),
        squares,
    }
}

/// The range of each input: as stated, else as sampled and widened by the margin.
fn input_intervals(circuit: &Circuit, options: &RangeOptions) -> Result<HashMap<String, Interval>, RangeError> {
    let mut found = HashMap::new();
    for node in &circuit.nodes {
        let Gate::Input { name } = &node.gate else { continue };
        let sampled = options.samples.iter().filter_map(|s| s.get(name)).flatten();
        let interval = match options.inputs.get(name) {
            Some(&stated) => {
                let Interval { low, high } = stated;
                if !(low <= high && low.is_finite() && high.is_finite()) {
                    return Err(RangeError::BadInterval { name: name.clone(), low, high });
                }
                if let Some(&found) = sampled.into_iter().find(|x| !(low..=high).contains(*x)) {
                    return Err(RangeError::SampleOutside { name: name.clone(), found, low, high });
                }
                stated
            }
            None => {
                let magnitude = sampled.map(|x| x.abs()).reduce(f64::max);
                let bound = magnitude.ok_or_else(|| RangeError::UnknownInput(name.clone()))? * options.margin;
                Interval { low: -bound, high: bound }
            }
        };
        found.insert(name.clone(), interval);
    }
    match options.inputs.keys().find(|name| !found.contains_key(*name)) {
        Some(name) => Err(RangeError::NoSuchInput(name.clone())),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests;
