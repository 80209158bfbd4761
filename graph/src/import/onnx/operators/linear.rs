//! Gemm and BatchNormalization.

use super::{Context, Operands, Translated};
use crate::import::onnx::NodeError;
use crate::import::onnx::attributes::NodeAttributes;
use crate::ops::{BatchNorm, Gemm};

pub(super) fn batch_norm(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    operands.count(5, 5)?;
    // How running means were updated in training: of no effect now.
    attributes.float("momentum")?;
    if context.opset < 9 {
        attributes.only("spatial", 1)?;
    }
    if context.opset >= 14 {
        attributes.only("training_mode", 0)?;
    }
    let epsilon = attributes.float("epsilon")?.unwrap_or(f64::from(1e-5f32));
    Ok(operands.node(BatchNorm { epsilon }, 5))
}

pub(super) fn gemm(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(2, 3)?;
    attributes.only("transA", 0)?;
    let op = Gemm {
        alpha: attributes.float("alpha")?.unwrap_or(1.0),
        beta: attributes.float("beta")?.unwrap_or(1.0),
        transposed: attributes.flag("transB")?,
    };
    Ok(operands.node(op, 3))
}
