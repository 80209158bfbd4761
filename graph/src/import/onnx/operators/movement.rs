//! Operators that move elements: reshapes of every kind, transposition, borders, concatenation.

use super::windows::pairs;
use super::{Context, Operands, Translated, axes, axis_of};
use crate::import::onnx::NodeError;
use crate::import::onnx::attributes::{NodeAttributes, refuse};
use crate::ops::{Concat, Flatten, Pad, Reshape, ReshapeTarget, Transpose};
use crate::{Dim, Shape};

pub(super) fn flatten(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let shape = operands.shape(0, "input")?;
    let axis = attributes.int("axis")?.unwrap_or(1);
    let rank = i64::try_from(shape.rank()).unwrap_or(i64::MAX);
    let from_front = if axis < 0 { axis + rank } else { axis };
    if from_front == 1 && rank >= 1 {
        return Ok(operands.node(Flatten, 1));
    }
    let split = usize::try_from(from_front).ok().filter(|&split| split <= shape.rank() && !shape.is_batched());
    let Some(split) = split else {
        let expected = if shape.is_batched() { "1, so that the batch stays" } else { "an axis of the operand" };
        return Err(refuse("axis", expected, axis.to_string()));
    };
    let dims = shape.per_image();
    let target = Shape::fixed(&[dims[..split].iter().product(), dims[split..].iter().product()])?;
    Ok(operands.node(Reshape { target }, 1))
}

pub(super) fn reshape(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    operands.count(2, 2)?;
    let target = ReshapeTarget {
        entries: operands.integers(1, "shape")?.to_vec(),
        allow_zero: context.opset >= 14 && attributes.flag("allowzero")?,
        declared_batch: context.declared_batch,
    };
    Ok(operands.node(target.resolve(&operands.shape(0, "data")?)?, 1))
}

pub(super) fn transpose(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let rank = operands.shape(0, "data")?.rank();
    let order = attributes.sizes("perm")?.unwrap_or_else(|| (0..rank).rev().collect());
    Ok(operands.node(Transpose { order }, 1))
}

pub(super) fn pad(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    if let Some(mode) = attributes.string("mode")?
        && mode != "constant"
    {
        return Err(refuse("mode", "constant", mode));
    }
    operands.count(
        1,
        if context.opset < 11 {
            1
        } else if context.opset < 18 {
            3
        } else {
            4
        },
    )?;
    let rank = operands.shape(0, "data")?.rank();
    if context.opset < 11 {
        let flat = attributes.ints("pads")?.ok_or_else(|| refuse("pads", "a pair for each axis", "none"))?;
        let value = attributes.float("value")?.unwrap_or(0.0);
        return Ok(operands.node(Pad { pads: pairs("pads", flat, rank)?, value }, 1));
    }
    let flat = operands.integers(1, "pads")?;
    let value = if operands.get(2).is_some() { operands.scalar(2, "constant_value")? } else { 0.0 };
    let pads = if operands.get(3).is_some() {
        let axes = operands.integers(3, "axes")?;
        let named = pairs("pads", flat, axes.len())?;
        let mut pads = vec![[0, 0]; rank];
        for (&axis, pair) in axes.iter().zip(named) {
            pads[axis_of("axes", axis, rank)?] = pair;
        }
        pads
    } else {
        pairs("pads", flat, rank)?
    };
    Ok(operands.node(Pad { pads, value }, 1))
}

pub(super) fn concat(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    let count = operands.len().max(1);
    operands.count(count, count)?;
    let axis = attributes.int("axis")?.ok_or_else(|| refuse("axis", "an axis", "none"))?;
    let axis = axis_of("axis", axis, operands.shape(0, "inputs")?.rank())?;
    Ok(operands.node(Concat { axis }, count))
}

/// Axes of Squeeze and Unsqueeze: an attribute, from opset 13 on an operand.
fn listed_axes(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Option<Vec<i64>>, NodeError> {
    if context.opset < 13 {
        operands.count(1, 1)?;
        return Ok(attributes.ints("axes")?.map(<[i64]>::to_vec));
    }
    operands.count(1, 2)?;
    operands.get(1).map(|_| operands.integers(1, "axes").map(<[i64]>::to_vec)).transpose()
}

pub(super) fn squeeze(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    let listed = listed_axes(operands, attributes, context)?;
    let shape = operands.shape(0, "data")?;
    let gone = match listed {
        Some(listed) => axes("axes", &listed, shape.rank())?,
        None => (0..shape.rank()).filter(|&axis| shape.dims()[axis] == Dim::Fixed(1)).collect(),
    };
    if gone.iter().any(|&axis| shape.dims()[axis] != Dim::Fixed(1)) {
        return Err(refuse("axes", format!("axes of extent 1 in {shape}"), format!("{gone:?}")));
    }
    let kept = shape.dims().iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
    let target = Shape::new(kept.map(|(_, &dim)| dim).collect())?;
    Ok(operands.node(Reshape { target }, 1))
}

pub(super) fn unsqueeze(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    let listed = listed_axes(operands, attributes, context)?.ok_or(NodeError::MissingOperand("axes"))?;
    let shape = operands.shape(0, "data")?;
    let rank = shape.rank() + listed.len();
    if rank > Shape::MAX_RANK {
        return Err(refuse("axes", format!("at most {} axes in all", Shape::MAX_RANK), rank.to_string()));
    }
    let mut dims = shape.dims().to_vec();
    for axis in axes("axes", &listed, rank)? {
        // Ascending, and below the final rank: every place exists by the time it is filled.
        dims.insert(axis, Dim::Fixed(1));
    }
    Ok(operands.node(Reshape { target: Shape::new(dims)? }, 1))
}
