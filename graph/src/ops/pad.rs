//! Pad: a border of one constant value. The batch is never padded.

use super::{AttributeError, Attributes, Operation, for_each_offset, operands, row_major_strides};
use crate::{Dim, Shape, ShapeError, Tensor};

/// A border of one constant value.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    /// `[before, after]` for each axis, the batch included (there `[0, 0]`).
    pub pads: Vec<[usize; 2]>,
    /// What the border is made of.
    pub value: f64,
}

impl Operation for Pad {
    const NAME: &'static str = "pad";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        let found = || format!("{:?}", self.pads);
        if self.pads.len() != x.rank() {
            return Err(ShapeError::attribute("pads", format!("a pair for each axis of {x}"), found()));
        }
        let dims = x.dims().iter().zip(&self.pads).map(|(&dim, &[before, after])| match dim {
            Dim::Batch if before == 0 && after == 0 => Ok(dim),
            Dim::Batch => Err(ShapeError::attribute("pads", "[0, 0] for the batch", found())),
            Dim::Fixed(extent) => match extent.checked_add(before).and_then(|n| n.checked_add(after)) {
                Some(extent) => Ok(Dim::Fixed(extent)),
                None => Err(ShapeError::attribute("pads", "smaller pads", found())),
            },
        });
        Shape::new(dims.collect::<Result<_, _>>()?)
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        out.fill(self.value);
        let strides = row_major_strides(dims);
        let origin: usize = self.pads.iter().zip(&strides).map(|([before, _], stride)| before * stride).sum();
        let x = inputs[0];
        let mut i = 0;
        for_each_offset(x.dims(), &strides, |offset| {
            out[origin + offset] = x.data()[i];
            i += 1;
        });
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("pads", self.pads.as_slice()).with("value", self.value)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { pads: attributes.take_pads("pads")?, value: attributes.take_float("value")? })
    }
}
