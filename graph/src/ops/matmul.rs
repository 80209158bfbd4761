//! MatMul: product of the last two axes, the axes before them broadcast as in Add.
//!
//! `[..., M, K] x [..., K, N] -> [..., M, N]`. The batch may be rows (`[batch, K] x [K, N]`) or a leading axis
//! (`[batch, M, K] x [K, N]`), never summed over.

use super::elementwise::broadcast_steps;
use super::{AttributeError, Attributes, Operation, broadcast, for_each_offset, operands};
use crate::{Dim, Shape, ShapeError, Tensor};

/// Matrix product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatMul;

impl Operation for MatMul {
    const NAME: &'static str = "matmul";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [left, right] = operands(inputs, "2")?;
        for (what, shape) in [("left operand", left), ("right operand", right)] {
            if shape.rank() < 2 {
                return Err(ShapeError::Rank { what, expected: "at least 2".to_owned(), shape: shape.clone() });
            }
        }
        let (left_lead, left_matrix) = left.dims().split_at(left.rank() - 2);
        let (right_lead, right_matrix) = right.dims().split_at(right.rank() - 2);
        if left_matrix[1] != right_matrix[0] || right_matrix[0] == Dim::Batch {
            return Err(ShapeError::mismatch("inner extents", left, right));
        }
        let lead = broadcast(&Shape::new(left_lead.to_vec())?, &Shape::new(right_lead.to_vec())?)
            .map_err(|_| ShapeError::mismatch("leading extents do not broadcast", left, right))?;
        Shape::new(lead.dims().iter().copied().chain([left_matrix[0], right_matrix[1]]).collect())
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let (left, right) = (inputs[0], inputs[1]);
        let (lead, matrix) = dims.split_at(dims.len() - 2);
        let (rows, columns) = (matrix[0], matrix[1]);
        let inner = left.dims()[left.dims().len() - 1];
        // Which matrix of each operand belongs to which matrix of the output.
        let offsets = |operand: &Tensor| {
            let own = &operand.dims()[..operand.dims().len() - 2];
            let mut offsets = Vec::new();
            for_each_offset(lead, &broadcast_steps(own, lead), |offset| offsets.push(offset));
            offsets
        };
        let pairs = offsets(left).into_iter().zip(offsets(right));
        for (out, (l, r)) in out.chunks_mut(rows * columns).zip(pairs) {
            let left = &left.data()[l * rows * inner..][..rows * inner];
            let right = &right.data()[r * inner * columns..][..inner * columns];
            multiply(left, right, inner, columns, out);
        }
    }

    fn attributes(&self) -> Attributes {
        Attributes::default()
    }

    fn from_attributes(_: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self)
    }
}

/// `out += left x right`, all row-major, `out` of zeros on entry.
pub(super) fn multiply(left: &[f64], right: &[f64], inner: usize, columns: usize, out: &mut [f64]) {
    for (out, left) in out.chunks_mut(columns).zip(left.chunks(inner)) {
        for (&l, right) in left.iter().zip(right.chunks(columns)) {
            for (o, &r) in out.iter_mut().zip(right) {
                *o += l * r;
            }
        }
    }
}
