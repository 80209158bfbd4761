//! BatchNorm, as it is after training: a scaling and a shift per channel.
//!
//! Operands: `x [batch, C, ...]`, then scale, shift, mean, variance, each `[C]`.
//! `y = (x - mean) / sqrt(variance + epsilon) * scale + shift`.

use super::{AttributeError, Attributes, Operation, operands, parameter};
use crate::{Shape, ShapeError, Tensor};

/// Normalisation by constants, per channel (axis 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: f64,
}

impl BatchNorm {
    /// Factor and shift per channel: `y = factor * x + shift`, from the four parameters in operand order.
    pub fn factor_and_shift(&self, scale: &[f64], shift: &[f64], mean: &[f64], variance: &[f64]) -> Vec<(f64, f64)> {
        let channels = scale.iter().zip(shift).zip(mean.iter().zip(variance));
        channels
            .map(|((scale, shift), (mean, variance))| {
                let factor = scale / (variance + self.epsilon).sqrt();
                (factor, shift - mean * factor)
            })
            .collect()
    }
}

impl Operation for BatchNorm {
    const NAME: &'static str = "batch_norm";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x, scale, shift, mean, variance] = operands(inputs, "5")?;
        let Some(channels) = x.dims().get(1).and_then(|dim| dim.fixed()) else {
            return Err(ShapeError::Rank { what: "operand", expected: "at least 2".to_owned(), shape: x.clone() });
        };
        for (what, shape) in [
            ("channels and scale", scale),
            ("channels and shift", shift),
            ("channels and mean", mean),
            ("channels and variance", variance),
        ] {
            if parameter(what, shape)? != [channels] {
                return Err(ShapeError::mismatch(what, channels, shape));
            }
        }
        Ok(x.clone())
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let [x, scale, shift, mean, variance] = [0, 1, 2, 3, 4].map(|i| inputs[i].data());
        let per_channel = self.factor_and_shift(scale, shift, mean, variance);
        let plane = dims[2..].iter().product::<usize>();
        for (i, (out, x)) in out.chunks_mut(plane).zip(x.chunks(plane)).enumerate() {
            let (factor, shift) = per_channel[i % dims[1]];
            for (o, &x) in out.iter_mut().zip(x) {
                *o = x * factor + shift;
            }
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("epsilon", self.epsilon)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { epsilon: attributes.take_float("epsilon")? })
    }
}
