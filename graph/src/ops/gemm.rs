//! Gemm: `alpha * x W + beta * bias`.
//!
//! Operands: `x [batch, K]`, weights `[K, N]` (`[N, K]` when `transposed`), optionally a bias that broadcasts to
//! `[batch, N]`.

use super::elementwise::broadcast_steps;
use super::{AttributeError, Attributes, Operation, broadcast, for_each_offset, matmul};
use crate::{Shape, ShapeError, Tensor};

/// Scaled matrix product plus scaled bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gemm {
    /// Factor of the product.
    pub alpha: f64,
    /// Factor of the bias.
    pub beta: f64,
    /// Whether weights are `[N, K]`.
    pub transposed: bool,
}

impl Default for Gemm {
    fn default() -> Self {
        Self { alpha: 1.0, beta: 1.0, transposed: false }
    }
}

impl Operation for Gemm {
    const NAME: &'static str = "gemm";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let (x, w, bias) = match *inputs {
            [x, w] => (x, w, None),
            [x, w, bias] => (x, w, Some(bias)),
            _ => {
                return Err(ShapeError::OperandCount { expected: "2 or 3", found: inputs.len() });
            }
        };
        for (what, shape) in [("operand", x), ("weights", w)] {
            if shape.rank() != 2 {
                return Err(ShapeError::Rank { what, expected: "2".to_owned(), shape: shape.clone() });
            }
        }
        let (inner, columns) = if self.transposed { (w.dims()[1], w.dims()[0]) } else { (w.dims()[0], w.dims()[1]) };
        if x.dims()[1] != inner || w.is_batched() {
            return Err(ShapeError::mismatch("inner extents", x, w));
        }
        let out = Shape::new(vec![x.dims()[0], columns])?;
        match bias {
            Some(bias) if broadcast(&out, bias).ok().as_ref() != Some(&out) => {
                Err(ShapeError::mismatch("bias does not broadcast to the output", out, bias))
            }
            _ => Ok(out),
        }
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let (x, w) = (inputs[0], inputs[1]);
        let (inner, columns) = (x.dims()[1], dims[1]);
        let straight;
        let weights = if self.transposed {
            straight = (0..inner * columns).map(|i| w.data()[i % columns * inner + i / columns]).collect::<Vec<_>>();
            &straight
        } else {
            w.data()
        };
        matmul::multiply(x.data(), weights, inner, columns, out);
        for o in out.iter_mut() {
            *o *= self.alpha;
        }
        if let Some(bias) = inputs.get(2) {
            let mut i = 0;
            for_each_offset(dims, &broadcast_steps(bias.dims(), dims), |offset| {
                out[i] += self.beta * bias.data()[offset];
                i += 1;
            });
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("alpha", self.alpha).with("beta", self.beta).with("transposed", self.transposed)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self {
            alpha: attributes.take_float("alpha")?,
            beta: attributes.take_float("beta")?,
            transposed: attributes.take_bool("transposed")?,
        })
    }
}
