//! Concat: operands one behind the other along one axis, which is not the batch.
//!
//! All other extents agree; a constant operand has no batch and cannot stand beside images.

use super::{AttributeError, Attributes, Operation};
use crate::{Dim, Shape, ShapeError, Tensor};

/// Operands one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    /// The axis along which they stand, never the batch.
    pub axis: usize,
}

impl Operation for Concat {
    const NAME: &'static str = "concat";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let Some((first, rest)) = inputs.split_first() else {
            return Err(ShapeError::OperandCount { expected: "at least 1", found: 0 });
        };
        let extent = |shape: &Shape| match shape.dims().get(self.axis) {
            Some(Dim::Fixed(extent)) => Ok(*extent),
            _ => {
                let expected = format!("an axis of {shape}, not the batch");
                Err(ShapeError::attribute("axis", expected, self.axis.to_string()))
            }
        };
        let mut total = extent(first)?;
        for shape in rest {
            let others = |shape: &Shape| {
                shape.dims().iter().copied().enumerate().filter(|(axis, _)| *axis != self.axis).collect::<Vec<_>>()
            };
            if shape.rank() != first.rank() || others(shape) != others(first) {
                return Err(ShapeError::mismatch("extents besides the axis of concatenation", first, shape));
            }
            // No overflow: operands are bounded, and a graph holds fewer than 2^32 values.
            total += extent(shape)?;
        }
        let mut dims = first.dims().to_vec();
        dims[self.axis] = Dim::Fixed(total);
        Shape::new(dims)
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let row = |dims: &[usize]| dims[self.axis..].iter().product::<usize>();
        let total = row(dims);
        let mut before = 0;
        for operand in inputs {
            let own = row(operand.dims());
            for (out, data) in out.chunks_mut(total).zip(operand.data().chunks(own)) {
                out[before..][..own].copy_from_slice(data);
            }
            before += own;
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("axis", self.axis)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { axis: attributes.take_size("axis")? })
    }
}
