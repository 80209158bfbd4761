//! Convolution and pooling: windows that slide.

use super::{Context, Operands, Translated};
use crate::Shape;
use crate::import::onnx::NodeError;
use crate::import::onnx::attributes::{NodeAttributes, refuse, sizes};
use crate::ops::window::{AutoPad, Window};
use crate::ops::{AveragePool, Conv, MaxPool};

/// Extents behind the first two axes.
fn spatial(shape: &Shape) -> Result<Vec<usize>, NodeError> {
    if shape.rank() < 3 {
        let error =
            crate::ShapeError::Rank { what: "operand", expected: "at least 3".to_owned(), shape: shape.clone() };
        return Err(error.into());
    }
    Ok(shape.dims()[2..].iter().filter_map(|dim| dim.fixed()).collect())
}

/// Attributes shared by convolution and pooling; dilations where the operator has them.
fn window(
    attributes: &mut NodeAttributes<'_>,
    input: &[usize],
    kernel: Vec<usize>,
    has_dilations: bool,
) -> Result<Window, NodeError> {
    let axes = input.len();
    let ones = || vec![1; axes];
    let strides = attributes.sizes("strides")?.unwrap_or_else(ones);
    let dilations = if has_dilations { attributes.sizes("dilations")? } else { None }.unwrap_or_else(ones);
    let explicit = attributes.ints("pads")?;
    let pads = match attributes.string("auto_pad")?.as_deref() {
        None | Some("NOTSET") => explicit.map_or_else(|| Ok(vec![[0, 0]; axes]), |pads| pairs("pads", pads, axes))?,
        Some(_) if explicit.is_some_and(|pads| pads.iter().any(|&p| p != 0)) => {
            return Err(refuse("pads", "none beside auto_pad", format!("{:?}", explicit.unwrap_or_default())));
        }
        Some(mode) => {
            let auto = match mode {
                "SAME_UPPER" => AutoPad::SameUpper,
                "SAME_LOWER" => AutoPad::SameLower,
                "VALID" => AutoPad::Valid,
                other => return Err(refuse("auto_pad", "NOTSET, SAME_UPPER, SAME_LOWER or VALID", other)),
            };
            auto.pads(input, &kernel, &strides, &dilations)?
        }
    };
    Ok(Window { kernel, strides, dilations, pads })
}

/// `[b0, b1, .., a0, a1, ..]` into `[b, a]` per axis.
pub(super) fn pairs(name: &str, flat: &[i64], axes: usize) -> Result<Vec<[usize; 2]>, NodeError> {
    if flat.len() != 2 * axes {
        return Err(refuse(name, format!("{} entries", 2 * axes), format!("{} entries", flat.len())));
    }
    let (before, after) = flat.split_at(axes);
    let (before, after) = (sizes(name, before)?, sizes(name, after)?);
    Ok(before.into_iter().zip(after).map(|(b, a)| [b, a]).collect())
}

pub(super) fn conv(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(2, 3)?;
    let input = spatial(&operands.shape(0, "X")?)?;
    let kernel = spatial(&operands.shape(1, "W")?)?;
    if let Some(declared) = attributes.sizes("kernel_shape")?
        && declared != kernel
    {
        return Err(refuse("kernel_shape", format!("{kernel:?}, as the weights have"), format!("{declared:?}")));
    }
    let group = attributes.int("group")?.unwrap_or(1);
    let groups = usize::try_from(group).map_err(|_| refuse("group", "at least 1", group.to_string()))?;
    let Window { strides, dilations, pads, .. } = window(attributes, &input, kernel, true)?;
    Ok(operands.node(Conv { strides, dilations, pads, groups }, 3))
}

pub(super) fn average_pool(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    let count_border = attributes.flag("count_include_pad")?;
    let may_round_up = context.opset >= 10 && !count_border;
    if context.opset >= 10 && count_border {
        // What a window that leaves the border behind divides by is not the same in every version.
        attributes.only("ceil_mode", 0)?;
    }
    let window = pool(operands, attributes, context.opset >= 19, may_round_up)?;
    Ok(operands.node(AveragePool { window, count_border }, 1))
}

pub(super) fn max_pool(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    if context.opset >= 8 {
        // Only of the indices, a second output.
        attributes.only("storage_order", 0)?;
    }
    let window = pool(operands, attributes, context.opset >= 10, context.opset >= 10)?;
    Ok(operands.node(MaxPool { window }, 1))
}

pub(super) fn global_average_pool(operands: &Operands<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let window = Window::new(&spatial(&operands.shape(0, "X")?)?);
    Ok(operands.node(AveragePool { window, count_border: false }, 1))
}

pub(super) fn global_max_pool(operands: &Operands<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let window = Window::new(&spatial(&operands.shape(0, "X")?)?);
    Ok(operands.node(MaxPool { window }, 1))
}

/// The window of a pooling.
fn pool(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    has_dilations: bool,
    may_round_up: bool,
) -> Result<Window, NodeError> {
    operands.count(1, 1)?;
    let input = spatial(&operands.shape(0, "X")?)?;
    let kernel = attributes.sizes("kernel_shape")?.ok_or_else(|| refuse("kernel_shape", "extents", "none"))?;
    if kernel.len() != input.len() {
        return Err(refuse("kernel_shape", format!("{} entries", input.len()), format!("{kernel:?}")));
    }
    let mut window = window(attributes, &input, kernel, has_dilations)?;
    if may_round_up && attributes.flag("ceil_mode")? {
        round_up(&mut window, &input)?;
    }
    Ok(window)
}

/// Makes the border behind wide enough that the number of positions is rounded up instead of down. A position that would
/// begin in the border behind is not counted. The border itself is never looked at by what uses this.
fn round_up(window: &mut Window, input: &[usize]) -> Result<(), NodeError> {
    // Checks all extents: none is 0, all are small.
    window.positions(input)?;
    for (axis, &extent) in input.iter().enumerate() {
        let (stride, [before, after]) = (window.strides[axis], window.pads[axis]);
        let span = window.dilations[axis] * (window.kernel[axis] - 1) + 1;
        let mut positions = (extent + before + after - span).div_ceil(stride) + 1;
        if (positions - 1) * stride >= extent + before {
            positions -= 1;
        }
        let needed = ((positions - 1) * stride + span).saturating_sub(extent + before);
        window.pads[axis] = [before, needed.max(after)];
    }
    Ok(())
}
