//! Clip, LeakyRelu, and Dropout as it is after training.

use super::{Context, Operands, Translated, identity};
use crate::import::onnx::NodeError;
use crate::import::onnx::attributes::{NodeAttributes, refuse};
use crate::ops::{BoundedRelu, Clip, LeakyRelu, Relu};

/// Relu and its bounded form under their own names; no operation at all without bounds.
pub(super) fn clip(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    let (min, max) = if context.opset < 11 {
        operands.count(1, 1)?;
        (attributes.float("min")?, attributes.float("max")?)
    } else {
        operands.count(1, 3)?;
        let bound = |position, role| operands.get(position).map(|_| operands.scalar(position, role)).transpose();
        (bound(1, "min")?, bound(2, "max")?)
    };
    // Exporters write "no bound" as the last number of f32, or as infinity.
    let last = f64::from(f32::MAX);
    let (min, max) = (min.filter(|&min| min > -last), max.filter(|&max| max < last));
    Ok(match (min, max) {
        (None, None) => {
            let (_, binding) = operands.get(0).ok_or(NodeError::MissingOperand("input"))?;
            Translated::Same(binding.clone())
        }
        (Some(0.0), None) => operands.node(Relu, 1),
        (Some(0.0), Some(max)) if max > 0.0 => operands.node(BoundedRelu { max }, 1),
        _ => operands.node(Clip { min, max }, 1),
    })
}

pub(super) fn leaky_relu(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let alpha = attributes.float("alpha")?.unwrap_or(f64::from(0.01f32));
    Ok(operands.node(LeakyRelu { alpha }, 1))
}

/// Nothing is dropped after training, whatever the ratio.
pub(super) fn dropout(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    if context.opset < 12 {
        attributes.float("ratio")?;
        return identity(operands);
    }
    operands.count(1, 3)?;
    attributes.int("seed")?;
    if operands.get(2).is_some() {
        let training = operands.integers(2, "training_mode")?;
        if training != [0] {
            return Err(refuse("training_mode", "false", format!("{training:?}")));
        }
    }
    let (_, binding) = operands.get(0).ok_or(NodeError::MissingOperand("data"))?;
    Ok(Translated::Same(binding.clone()))
}
