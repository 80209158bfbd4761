//! Functions of two operands with broadcasting: sums, products, quotients, powers, the larger and the smaller.
//!
//! Broadcasting: shapes are aligned at their last axes; an axis of extent 1, or one that is not there, repeats. The
//! batch goes with the batch, with 1 and with nothing; it must end at axis 0.

use super::{AttributeError, Attributes, Operation, for_each_offset, operands, row_major_strides};
use crate::{Dim, Shape, ShapeError, Tensor};

/// Common shape of two operands under broadcasting.
///
/// # Errors
/// Extents that differ and are not 1; a batch that would leave axis 0.
pub fn broadcast(left: &Shape, right: &Shape) -> Result<Shape, ShapeError> {
    let rank = left.rank().max(right.rank());
    let at = |shape: &Shape, axis: usize| {
        (axis + shape.rank()).checked_sub(rank).map_or(Dim::Fixed(1), |axis| shape.dims()[axis])
    };
    let mut dims = Vec::with_capacity(rank);
    for axis in 0..rank {
        dims.push(match (at(left, axis), at(right, axis)) {
            (a, b) if a == b => a,
            (a, Dim::Fixed(1)) => a,
            (Dim::Fixed(1), b) => b,
            _ => return Err(ShapeError::mismatch("shapes do not broadcast", left, right)),
        });
    }
    Shape::new(dims)
}

fn apply(inputs: &[&Tensor], dims: &[usize], out: &mut [f64], f: impl Fn(f64, f64) -> f64) {
    let (left, right) = (inputs[0], inputs[1]);
    if left.dims() == dims && right.dims() == dims {
        for ((o, &a), &b) in out.iter_mut().zip(left.data()).zip(right.data()) {
            *o = f(a, b);
        }
        return;
    }
    // Copy the left operand into place, then combine with the right one.
    let mut i = 0;
    for_each_offset(dims, &broadcast_steps(left.dims(), dims), |offset| {
        out[i] = left.data()[offset];
        i += 1;
    });
    i = 0;
    for_each_offset(dims, &broadcast_steps(right.dims(), dims), |offset| {
        out[i] = f(out[i], right.data()[offset]);
        i += 1;
    });
}

/// Step of an operand along each axis of the output: 0 where it repeats.
pub(super) fn broadcast_steps(from: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len() - from.len();
    let strides = row_major_strides(from);
    (0..to.len())
        .map(|axis| match axis.checked_sub(missing) {
            Some(own) if from[own] != 1 => strides[own],
            _ => 0,
        })
        .collect()
}

macro_rules! elementwise {
    ($(#[$doc:meta])* $name:ident, $verb:literal, $f:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl Operation for $name {
            const NAME: &'static str = $verb;

            fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
                let [left, right] = operands(inputs, "2")?;
                broadcast(left, right)
            }

            fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
                apply(inputs, dims, out, $f);
            }

            fn attributes(&self) -> Attributes {
                Attributes::default()
            }

            fn from_attributes(_: &mut Attributes) -> Result<Self, AttributeError> {
                Ok(Self)
            }
        }
    };
}

elementwise!(
    /// `left + right`.
    Add, "add", |a, b| a + b
);
elementwise!(
    /// `left - right`.
    Sub, "sub", |a, b| a - b
);
elementwise!(
    /// `left * right`; of a value with itself: its square.
    Mul, "mul", |a, b| a * b
);
elementwise!(
    /// `left / right`.
    Div, "div", |a, b| a / b
);
elementwise!(
    /// `left` to the power `right`; not a number for a negative base and an exponent that is not whole.
    Pow, "pow", f64::powf
);
elementwise!(
    /// The larger of the two.
    Max, "max", larger
);
elementwise!(
    /// The smaller of the two.
    Min, "min", |a, b| -larger(-a, -b)
);

/// The larger of two numbers; not a number when one of them is not.
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}
