//! Flatten: `[batch, a, b, c] -> [batch, a*b*c]`, row-major.

use super::{AttributeError, Attributes, Operation, operands};
use crate::{Dim, Shape, ShapeError, Tensor};

/// Everything behind axis 0 becomes one axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flatten;

impl Operation for Flatten {
    const NAME: &'static str = "flatten";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let Some((&first, rest)) = x.dims().split_first() else {
            return Err(ShapeError::Rank { what: "operand", expected: "at least 1".to_owned(), shape: x.clone() });
        };
        let columns = rest.iter().filter_map(|dim| dim.fixed()).product();
        Shape::new(vec![first, Dim::Fixed(columns)])
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        out.copy_from_slice(inputs[0].data());
    }

    fn attributes(&self) -> Attributes {
        Attributes::default()
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self)
    }
}
