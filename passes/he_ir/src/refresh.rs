//! Refresh: ciphertexts travel to the key owner, who decrypts them, applies a function, and encrypts afresh.
//!
//! The function is plain data and both sides read it: the server knows which operand elements a result needs, so that it can send tiles;
//! the key owner evaluates it on numbers. Between them they see: the server ciphertexts, the key owner the intermediate values.
//! Layout: numbers of one element are a row, one number per image; a function acts on each image by itself.

use he_params::{Level, Scale};
use serde::{Deserialize, Serialize};

use crate::TypeError;

/// What the key owner computes.
///
/// Formulas: Relu `max(x, 0)`; BoundedRelu `min(max(x, 0), max)`; LeakyRelu `x < 0 ? alpha x : x`; Sigmoid `1 / (1 + exp(-x))`; Power
/// `x^exponent`; Softmax `exp(x_i - m) / sum_j exp(x_j - m)`, m the largest of the group.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ClientFunction {
    /// The number itself: a refresh and nothing else.
    Identity,
    /// Negative numbers become zero.
    Relu,
    /// Numbers are brought into `[0, max]`.
    BoundedRelu {
        /// Upper bound, positive.
        max: f64,
    },
    /// Negative numbers are multiplied by `alpha`.
    LeakyRelu {
        /// Slope below zero.
        alpha: f64,
    },
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// Exponential.
    Exp,
    /// A power; of a negative number only where the exponent is an integer.
    Power {
        /// The exponent.
        exponent: f64,
    },
    /// The largest of a group of numbers.
    Max,
    /// The position in its group of the largest number, the first of equals.
    ArgMax,
    /// Exponentials of a group, divided by their sum.
    Softmax,
    /// The first of two numbers divided by the second.
    Divide,
}

impl ClientFunction {
    /// The name of the text form.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::BoundedRelu { .. } => "bounded_relu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Exp => "exp",
            Self::Power { .. } => "power",
            Self::Max => "max",
            Self::ArgMax => "arg_max",
            Self::Softmax => "softmax",
            Self::Divide => "divide",
        }
    }

    /// Whether each result needs one number, and needs no groups therefore.
    pub fn is_elementwise(&self) -> bool {
        !matches!(self, Self::Max | Self::ArgMax | Self::Softmax | Self::Divide)
    }

    /// Results of a group of so many numbers; `None` for a group that the function cannot take.
    pub fn results_of(&self, inputs: usize) -> Option<usize> {
        match self {
            Self::Max | Self::ArgMax => (inputs >= 1).then_some(1),
            Self::Divide => (inputs == 2).then_some(1),
            Self::Softmax => (inputs >= 1).then_some(inputs),
            _ => Some(inputs),
        }
    }

    /// A constant of the function that is no finite number, or a bound that is not positive.
    pub fn bad_constant(&self) -> Option<f64> {
        match *self {
            Self::BoundedRelu { max } if !(max.is_finite() && max > 0.0) => Some(max),
            Self::LeakyRelu { alpha } if !alpha.is_finite() => Some(alpha),
            Self::Power { exponent } if !exponent.is_finite() => Some(exponent),
            _ => None,
        }
    }

    /// Applies an elementwise function to every number of `row`; other functions leave it as it is.
    pub fn apply_assign(&self, row: &mut [f64]) {
        fn each(row: &mut [f64], f: impl Fn(f64) -> f64) {
            row.iter_mut().for_each(|x| *x = f(*x));
        }
        match *self {
            Self::Relu => each(row, |x| x.max(0.0)),
            Self::BoundedRelu { max } => each(row, |x| x.max(0.0).min(max)),
            Self::LeakyRelu { alpha } => each(row, |x| if x < 0.0 { alpha * x } else { x }),
            Self::Sigmoid => each(row, |x| 1.0 / (1.0 + (-x).exp())),
            Self::Tanh => each(row, f64::tanh),
            Self::Exp => each(row, f64::exp),
            Self::Power { exponent } => each(row, |x| x.powf(exponent)),
            Self::Identity | Self::Max | Self::ArgMax | Self::Softmax | Self::Divide => {}
        }
    }

    /// Applies the function to one group: as many rows as [`ClientFunction::results_of`] says are written, image by image. Rows of other
    /// lengths are read and written as far as the shortest goes.
    pub fn apply_group(&self, inputs: &[&[f64]], outputs: &mut [&mut [f64]]) {
        match (self, outputs) {
            (Self::Max, [out, ..]) => {
                out.fill(f64::NEG_INFINITY);
                for x in inputs {
                    out.iter_mut().zip(*x).for_each(|(o, x)| *o = o.max(*x));
                }
            }
            (Self::ArgMax, [out, ..]) => {
                let at = |x: &&[f64], image: usize| x.get(image).copied().unwrap_or(f64::NEG_INFINITY);
                for (image, out) in out.iter_mut().enumerate() {
                    let first = (0, f64::NEG_INFINITY);
                    let best = inputs.iter().enumerate().fold(first, |best, (i, x)| {
                        let x = at(x, image);
                        if x > best.1 { (i, x) } else { best }
                    });
                    *out = best.0 as f64;
                }
            }
            (Self::Divide, [out, ..]) => {
                let [x, y] = inputs else { return };
                out.iter_mut().zip(x.iter().zip(*y)).for_each(|(o, (x, y))| *o = x / y);
            }
            (Self::Softmax, outputs) => {
                let width = inputs.iter().map(|x| x.len()).min().unwrap_or(0);
                let mut largest = vec![f64::NEG_INFINITY; width];
                for x in inputs {
                    largest.iter_mut().zip(*x).for_each(|(m, x)| *m = m.max(*x));
                }
                let mut sum = vec![0.0; width];
                for (out, x) in outputs.iter_mut().zip(inputs) {
                    for ((o, x), (m, s)) in out.iter_mut().zip(*x).zip(largest.iter().zip(&mut sum)) {
                        *o = (x - m).exp();
                        *s += *o;
                    }
                }
                for out in outputs.iter_mut() {
                    out.iter_mut().zip(&sum).for_each(|(o, s)| *o /= s);
                }
            }
            (_, outputs) => {
                for (out, x) in outputs.iter_mut().zip(inputs) {
                    out.iter_mut().zip(*x).for_each(|(o, x)| *o = *x);
                    self.apply_assign(out);
                }
            }
        }
    }
}

impl ClientFunction {
    /// Applies the function to a tile: `values` are rows of `images` numbers, one row per value; so are the `results` rows of the result. Without
    /// groups result i comes from value i. `None` when sizes do not agree, or a group names what is not there or does not fit the function:
    /// groups may come from anybody.
    pub fn apply_tile(
        &self,
        groups: Option<&[RefreshGroup]>,
        values: &[f64],
        images: usize,
        results: usize,
    ) -> Option<Vec<f64>> {
        let Some(groups) = groups else {
            let fits = self.is_elementwise() && results.checked_mul(images) == Some(values.len());
            let mut out = fits.then(|| values.to_vec())?;
            self.apply_assign(&mut out);
            return Some(out);
        };
        let rows: Vec<&[f64]> = values.chunks_exact(images.max(1)).collect();
        let mut out = vec![0.0; results.checked_mul(images)?];
        self.apply_rows(groups, &rows, out.chunks_exact_mut(images.max(1)).collect())?;
        Some(out)
    }

    /// Applies the function to the rows of a tile, or to the same part of each: every image is on its own. `None` as for
    /// [`ClientFunction::apply_tile`].
    pub fn apply_rows(&self, groups: &[RefreshGroup], values: &[&[f64]], results: Vec<&mut [f64]>) -> Option<()> {
        let mut places: Vec<Option<&mut [f64]>> = results.into_iter().map(Some).collect();
        for group in groups {
            if self.results_of(group.inputs.len()) != Some(group.outputs.len()) {
                return None;
            }
            let inputs: Vec<&[f64]> =
                group.inputs.iter().map(|&i| values.get(i as usize).copied()).collect::<Option<_>>()?;
            // A result that two groups name is taken by the first.
            let outputs = group.outputs.iter().map(|&o| places.get_mut(o as usize)?.take());
            self.apply_group(&inputs, &mut outputs.collect::<Option<Vec<_>>>()?);
        }
        places.iter().all(Option::is_none).then_some(())
    }
}

/// Operand elements that meet in a function, and the results it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshGroup {
    /// Elements read, in the function's order; an element may stand in several groups.
    pub inputs: Vec<u32>,
    /// Elements written, in the function's order.
    pub outputs: Vec<u32>,
}

impl RefreshGroup {
    /// Bytes of the group and its lists.
    pub fn byte_len(&self) -> usize {
        size_of::<Self>() + size_of_val(&self.inputs[..]) + size_of_val(&self.outputs[..])
    }
}

/// A refresh: the function, which elements meet in it, and the state of the fresh ciphertexts.
///
/// With several operands their elements count on, one operand behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Refresh {
    /// What the key owner computes.
    pub function: ClientFunction,
    /// Which elements meet; without groups, result i comes from element i alone.
    pub groups: Option<Vec<RefreshGroup>>,
    /// Shape of one image's result.
    pub shape: Vec<usize>,
    /// Level of the fresh ciphertexts.
    pub level: Level,
    /// Scale of the fresh ciphertexts.
    pub scale: Scale,
}

impl Refresh {
    /// Number of results.
    pub fn results(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether the groups fit `elements` operand elements: each result written once, everything in range, a function that takes them.
    ///
    /// # Errors
    /// The first rule broken.
    pub fn check(&self, elements: usize) -> Result<(), TypeError> {
        let (name, results) = (self.function.name(), self.results());
        if let Some(constant) = self.function.bad_constant() {
            return Err(TypeError::FunctionConstant { function: name, constant });
        }
        let Some(groups) = &self.groups else {
            return match (self.function.is_elementwise(), results == elements) {
                (true, true) => Ok(()),
                (true, false) => Err(TypeError::Elements { what: "the result", found: results, expected: elements }),
                (false, _) => Err(TypeError::FunctionGroup { function: name, inputs: 1, outputs: 1 }),
            };
        };
        let mut written = vec![false; results];
        for group in groups {
            let (inputs, outputs) = (group.inputs.len(), group.outputs.len());
            if self.function.results_of(inputs) != Some(outputs) {
                return Err(TypeError::FunctionGroup { function: name, inputs, outputs });
            }
            if let Some(&index) = group.inputs.iter().find(|&&i| i as usize >= elements) {
                return Err(TypeError::Index { index, elements });
            }
            for &index in &group.outputs {
                match written.get_mut(index as usize) {
                    None => return Err(TypeError::Index { index, elements: results }),
                    Some(true) => return Err(TypeError::ResultTwice { index }),
                    Some(written) => *written = true,
                }
            }
        }
        match written.iter().position(|written| !written) {
            Some(index) => Err(TypeError::ResultMissing { index }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
