//! Sums, means and maxima over whole axes, softmax over them, and the place of a maximum. The batch is never reduced.
//!
//! | operation | each element of the result |
//! |---|---|
//! | `reduce_sum`, `reduce_mean`, `reduce_max` | over all elements that differ only along `axes` |
//! | `softmax` | `exp(x - m) / sum of exp(x' - m)`, `m` the largest of the `x'` that differ only along `axes` |
//! | `arg_max` | position of the largest along one axis, the first (or, with `last`, the last) of equals |
//!
//! Reduced axes stay with extent 1 (`keep`) or go. Source: ONNX ReduceSum, ReduceMean, ReduceMax, Softmax, ArgMax.

use super::elementwise::larger;
use super::{AttributeError, Attributes, Operation, for_each_offset, operands, row_major_strides};
use crate::{Dim, Shape, ShapeError, Tensor};

/// The sum over axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReduceSum {
    /// Axes, ascending, the batch never among them.
    pub axes: Vec<usize>,
    /// Whether they stay, with extent 1.
    pub keep: bool,
}

/// The mean over axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReduceMean {
    /// Axes, ascending, the batch never among them.
    pub axes: Vec<usize>,
    /// Whether they stay, with extent 1.
    pub keep: bool,
}

/// The largest over axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReduceMax {
    /// Axes, ascending, the batch never among them.
    pub axes: Vec<usize>,
    /// Whether they stay, with extent 1.
    pub keep: bool,
}

/// Exponentials, normalised to sum to 1 over axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// Axes that are normalised together, ascending, the batch never among them.
    pub axes: Vec<usize>,
}

/// The position of the largest along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgMax {
    /// The axis, never the batch.
    pub axis: usize,
    /// Whether it stays, with extent 1.
    pub keep: bool,
    /// Whether the last of equals counts, instead of the first.
    pub last: bool,
}

/// Axes in ascending order, each an axis of the operand and none of them the batch.
fn check_axes(attribute: &'static str, axes: &[usize], x: &Shape) -> Result<(), ShapeError> {
    let ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
    let inside = axes.iter().all(|&axis| x.dims().get(axis).is_some_and(|dim| *dim != Dim::Batch));
    if ascending && inside {
        return Ok(());
    }
    let expected = format!("ascending axes of {x}, not the batch");
    Err(ShapeError::attribute(attribute, expected, format!("{axes:?}")))
}

fn reduced(x: &Shape, axes: &[usize], keep: bool) -> Result<Shape, ShapeError> {
    check_axes("axes", axes, x)?;
    let dims = x.dims().iter().enumerate().filter_map(|(axis, &dim)| match (axes.contains(&axis), keep) {
        (false, _) => Some(dim),
        (true, true) => Some(Dim::Fixed(1)),
        (true, false) => None,
    });
    Shape::new(dims.collect())
}

/// For each element of `x`, row-major, which element of the result it falls into; the results are row-major too.
fn for_each_pair(x: &[usize], axes: &[usize], mut visit: impl FnMut(usize, usize)) {
    let kept: Vec<usize> = x.iter().enumerate().map(|(axis, &d)| if axes.contains(&axis) { 1 } else { d }).collect();
    let mut steps = row_major_strides(&kept);
    for &axis in axes {
        steps[axis] = 0;
    }
    let mut i = 0;
    for_each_offset(x, &steps, |result| {
        visit(i, result);
        i += 1;
    });
}

macro_rules! reduction {
    ($name:ident, $verb:literal, $start:expr, $fold:expr, $finish:expr) => {
        impl Operation for $name {
            const NAME: &'static str = $verb;

            fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
                let [x] = operands(inputs, "1")?;
                reduced(x, &self.axes, self.keep)
            }

            fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
                let x = inputs[0];
                out.fill($start);
                let fold: fn(f64, f64) -> f64 = $fold;
                for_each_pair(x.dims(), &self.axes, |i, result| out[result] = fold(out[result], x.data()[i]));
                let finish: fn(f64, f64) -> f64 = $finish;
                let count = self.axes.iter().map(|&axis| x.dims()[axis]).product::<usize>() as f64;
                for o in out.iter_mut() {
                    *o = finish(*o, count);
                }
            }

            fn attributes(&self) -> Attributes {
                Attributes::default().with("axes", self.axes.as_slice()).with("keep", self.keep)
            }

            fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
                Ok(Self { axes: attributes.take_sizes("axes")?, keep: attributes.take_bool("keep")? })
            }
        }
    };
}

reduction!(ReduceSum, "reduce_sum", 0.0, |sum, x| sum + x, |sum, _| sum);
reduction!(ReduceMean, "reduce_mean", 0.0, |sum, x| sum + x, |sum, count| sum / count);
reduction!(ReduceMax, "reduce_max", f64::NEG_INFINITY, larger, |largest, _| largest);

impl Operation for Softmax {
    const NAME: &'static str = "softmax";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        check_axes("axes", &self.axes, x)?;
        Ok(x.clone())
    }

    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
        let x = inputs[0].data();
        let groups = x.len() / self.axes.iter().map(|&axis| dims[axis]).product::<usize>();
        let (mut largest, mut sums) = (vec![f64::NEG_INFINITY; groups], vec![0.0; groups]);
        for_each_pair(dims, &self.axes, |i, group| largest[group] = larger(largest[group], x[i]));
        for_each_pair(dims, &self.axes, |i, group| {
            out[i] = (x[i] - largest[group]).exp();
            sums[group] += out[i];
        });
        for_each_pair(dims, &self.axes, |i, group| out[i] /= sums[group]);
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("axes", self.axes.as_slice())
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self { axes: attributes.take_sizes("axes")? })
    }
}

impl Operation for ArgMax {
    const NAME: &'static str = "arg_max";

    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
        let [x] = operands(inputs, "1")?;
        reduced(x, &[self.axis], self.keep)
    }

    fn evaluate(&self, inputs: &[&Tensor], _: &[usize], out: &mut [f64]) {
        let x = inputs[0];
        let (stride, extent) = (row_major_strides(x.dims())[self.axis], x.dims()[self.axis]);
        let mut largest = vec![f64::NEG_INFINITY; out.len()];
        for_each_pair(x.dims(), &[self.axis], |i, result| {
            let place = i / stride % extent;
            let value = x.data()[i];
            if place == 0 || value > largest[result] || (self.last && value == largest[result]) {
                largest[result] = value;
                out[result] = place as f64;
            }
        });
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().with("axis", self.axis).with("keep", self.keep).with("last", self.last)
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError> {
        Ok(Self {
            axis: attributes.take_size("axis")?,
            keep: attributes.take_bool("keep")?,
            last: attributes.take_bool("last")?,
        })
    }
}
