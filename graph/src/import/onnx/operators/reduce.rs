//! Reductions over axes, ArgMax, Softmax.

use super::{Context, Operands, Translated, axes, axis_of};
use crate::import::onnx::NodeError;
use crate::import::onnx::attributes::NodeAttributes;
use crate::ops::{ArgMax, Op, Softmax};

/// ReduceSum and its like: all axes when none is named, or none when the model says so.
pub(super) fn over_axes<O: Into<Op>>(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    axes_are_an_operand: bool,
    make: impl FnOnce(Vec<usize>, bool) -> O,
) -> Result<Translated, NodeError> {
    let keep = attributes.int("keepdims")?.unwrap_or(1) != 0;
    let mut nothing_means_nothing = false;
    let listed = if axes_are_an_operand {
        operands.count(1, 2)?;
        nothing_means_nothing = attributes.flag("noop_with_empty_axes")?;
        operands.get(1).map(|_| operands.integers(1, "axes")).transpose()?
    } else {
        operands.count(1, 1)?;
        attributes.ints("axes")?
    };
    let rank = operands.shape(0, "data")?.rank();
    let axes = match listed {
        Some(listed) if !listed.is_empty() => axes("axes", listed, rank)?,
        _ if nothing_means_nothing => {
            let (_, binding) = operands.get(0).ok_or(NodeError::MissingOperand("data"))?;
            return Ok(Translated::Same(binding.clone()));
        }
        _ => (0..rank).collect(),
    };
    Ok(operands.node(make(axes, keep), 1))
}

pub(super) fn arg_max(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let rank = operands.shape(0, "data")?.rank();
    let axis = axis_of("axis", attributes.int("axis")?.unwrap_or(0), rank)?;
    let keep = attributes.int("keepdims")?.unwrap_or(1) != 0;
    let last = context.opset >= 12 && attributes.flag("select_last_index")?;
    Ok(operands.node(ArgMax { axis, keep, last }, 1))
}

/// Along one axis; before opset 13 over that axis and all behind it together.
pub(super) fn softmax(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let rank = operands.shape(0, "input")?.rank();
    let together = context.opset < 13;
    let axis = axis_of("axis", attributes.int("axis")?.unwrap_or(if together { 1 } else { -1 }), rank)?;
    let axes = if together { (axis..rank).collect() } else { vec![axis] };
    Ok(operands.node(Softmax { axes }, 1))
}
