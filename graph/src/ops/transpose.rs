//! Transpose: output axis `i` is input axis `order[i]`. The batch stays at axis 0.

use super::{AttributeError, Attributes, Operation, for_each_offset, operands, row_major_strides};
use crate::{Shape, ShapeError, Tensor};

/// Axes in another order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transpose {
    /// For each axis of the output, the axis of the input that becomes it.
    pub order: Vec<usize>,
}

impl Operation for Transpose {
    const NAME: &'static str = "transpose";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..x.rank()) {
            let expected = format!("each axis of {x} once");
            return Err(ShapeError::attribute("order", expected, format!("{:?}", self.order)));
        }
        Shape::new(self.order.iter().map(|&axis| x.dims()[axis]).collect())
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let x = inputs[0];
        let strides = row_major_strides(x.dims());
        let steps: Vec<usize> = self.order.iter().map(|&axis| strides[axis]).collect();
        let mut i = 0;
        for_each_offset(dims, &steps, |offset| {
            out[i] = x.data()[offset];
            i += 1;
        });
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("order", self.order.as_slice())
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { order: attributes.take_sizes("order")? })
    }
}
