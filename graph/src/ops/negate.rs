//! Negate: `-x`.

use super::{AttributeError, Attributes, Operation, operands};
use crate::{Shape, ShapeError, Tensor};

/// `-x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Negate;

impl Operation for Negate {
    const NAME: &'static str = "negate";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        Ok(x.clone())
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        for (o, &x) in out.iter_mut().zip(inputs[0].data()) {
            *o = -x;
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes::default()
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self)
    }
}
