//! Operators of ONNX into operations of a graph, one function each.
//!
//! Each reads the attributes and the constant operands that the operator has in the model's opset, and gives an
//! operation with finished attributes: borders are spelled out, targets of reshapes are shapes.

use super::NodeError;
use super::assemble::Binding;
use super::attributes::{NodeAttributes, refuse, sizes};
use super::tensor::{self, Constant};
use crate::ops::window::{AutoPad, Window};
use crate::ops::{
    Add, AveragePool, BatchNorm, Conv, Flatten, Gemm, MatMul, Mul, Negate, Op, Pad, Reshape, ReshapeTarget, Sub,
    Transpose,
};
use crate::{Graph, Shape, Tensor};

/// What an operator's meaning depends on besides its node.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub(super) opset: i64,
    pub(super) declared_batch: Option<usize>,
}

/// What a node of the model becomes.
pub(super) enum Translated {
    /// Another name for what it reads.
    Same(Binding),
    /// Known now.
    Constant(Constant),
    /// A node of the graph; `operands` are positions in the model's operand list.
    Node { op: Op, operands: Vec<usize> },
}

/// Operands of a node; none where the model leaves one out.
pub(super) struct Operands<'g> {
    resolved: Vec<Option<(String, Binding)>>,
    graph: &'g Graph,
}

impl<'g> Operands<'g> {
    pub(super) fn new(resolved: Vec<Option<(String, Binding)>>, graph: &'g Graph) -> Self {
        Self { resolved, graph }
    }

    fn get(&self, position: usize) -> Option<&(String, Binding)> {
        self.resolved.get(position)?.as_ref()
    }

    /// Checks the number of operands, and that the first `least` are there.
    fn count(&self, least: usize, most: usize) -> Result<(), NodeError> {
        let found = self.resolved.len();
        if found < least || found > most || self.resolved.iter().take(least).any(Option::is_none) {
            let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
            return Err(NodeError::OperandCount { expected, found });
        }
        Ok(())
    }

    fn shape(&self, position: usize, role: &'static str) -> Result<Shape, NodeError> {
        match self.get(position) {
            None => Err(NodeError::MissingOperand(role)),
            Some((_, Binding::Value(id))) => Ok(self.graph.shape(*id).clone()),
            Some((_, Binding::Constant(Constant::Numbers(tensor)))) => Ok(tensor.shape()?),
            Some((name, Binding::Constant(Constant::Integers(_)))) => Err(NodeError::IntegerOperand(name.clone())),
        }
    }

    fn integers(&self, position: usize, role: &'static str) -> Result<&[i64], NodeError> {
        match self.get(position) {
            None => Err(NodeError::MissingOperand(role)),
            Some((_, Binding::Constant(Constant::Integers(integers)))) => Ok(integers),
            Some((value, _)) => Err(NodeError::NotConstant { operand: role, value: value.clone(), expected: "int64" }),
        }
    }

    fn scalar(&self, position: usize, role: &'static str) -> Result<f64, NodeError> {
        let (value, binding) = self.get(position).ok_or(NodeError::MissingOperand(role))?;
        let tensor = match binding {
            Binding::Constant(Constant::Numbers(tensor)) => Some(tensor),
            Binding::Value(id) => self.graph.constant(*id),
            Binding::Constant(Constant::Integers(_)) => None,
        };
        match tensor.map(|tensor| tensor.data()) {
            Some(&[number]) => Ok(number),
            _ => Err(NodeError::NotConstant { operand: role, value: value.clone(), expected: "float, one element" }),
        }
    }

    /// Positions of the operands `0..most` that are there.
    fn node(&self, op: impl Into<Op>, most: usize) -> Translated {
        Translated::Node { op: op.into(), operands: (0..most.min(self.resolved.len())).collect() }
    }
}

pub(super) fn translate(
    op_type: &str,
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    match op_type {
        "Add" => plain(Add, operands, 2),
        "Sub" => plain(Sub, operands, 2),
        "Mul" => plain(Mul, operands, 2),
        "MatMul" => plain(MatMul, operands, 2),
        "Neg" => plain(Negate, operands, 1),
        "AveragePool" => average_pool(operands, attributes, context),
        "BatchNormalization" => batch_norm(operands, attributes, context),
        "Constant" => constant(operands, attributes),
        "Conv" => conv(operands, attributes),
        "Flatten" => flatten(operands, attributes),
        "Gemm" => gemm(operands, attributes),
        "Identity" => identity(operands),
        "Pad" => pad(operands, attributes, context),
        "Reshape" => reshape(operands, attributes, context),
        "Transpose" => transpose(operands, attributes),
        _ => Err(NodeError::UnknownOperator),
    }
}

fn plain(op: impl Into<Op>, operands: &Operands<'_>, count: usize) -> Result<Translated, NodeError> {
    operands.count(count, count)?;
    Ok(operands.node(op, count))
}

fn identity(operands: &Operands<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let (_, binding) = operands.get(0).ok_or(NodeError::MissingOperand("input"))?;
    Ok(Translated::Same(binding.clone()))
}

fn constant(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(0, 0)?;
    let numbers = |tensor: Tensor| Constant::Numbers(tensor.into());
    let constant = if let Some(proto) = attributes.tensor("value")? {
        tensor::constant(proto).map_err(|e| NodeError::Tensor(e.to_string()))?
    } else if let Some(value) = attributes.float("value_float")? {
        numbers(Tensor::scalar(value))
    } else if let Some(values) = attributes.floats("value_floats")? {
        numbers(Tensor::vector(values.iter().copied().map(f64::from).collect()))
    } else if let Some(value) = attributes.int("value_int")? {
        Constant::Integers(vec![value])
    } else if let Some(values) = attributes.ints("value_ints")? {
        Constant::Integers(values.to_vec())
    } else {
        return Err(refuse("value", "a tensor, numbers or integers", "none"));
    };
    Ok(Translated::Constant(constant))
}

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
fn pairs(name: &str, flat: &[i64], axes: usize) -> Result<Vec<[usize; 2]>, NodeError> {
    if flat.len() != 2 * axes {
        return Err(refuse(name, format!("{} entries", 2 * axes), format!("{} entries", flat.len())));
    }
    let (before, after) = flat.split_at(axes);
    let (before, after) = (sizes(name, before)?, sizes(name, after)?);
    Ok(before.into_iter().zip(after).map(|(b, a)| [b, a]).collect())
}

fn conv(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
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

fn average_pool(
    operands: &Operands<'_>,
    attributes: &mut NodeAttributes<'_>,
    context: Context,
) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let input = spatial(&operands.shape(0, "X")?)?;
    let kernel = attributes.sizes("kernel_shape")?.ok_or_else(|| refuse("kernel_shape", "extents", "none"))?;
    if kernel.len() != input.len() {
        return Err(refuse("kernel_shape", format!("{} entries", input.len()), format!("{kernel:?}")));
    }
    if context.opset >= 10 {
        attributes.only("ceil_mode", 0)?;
    }
    let count_border = attributes.flag("count_include_pad")?;
    let window = window(attributes, &input, kernel, context.opset >= 19)?;
    Ok(operands.node(AveragePool { window, count_border }, 1))
}

fn batch_norm(
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

fn gemm(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(2, 3)?;
    attributes.only("transA", 0)?;
    let op = Gemm {
        alpha: attributes.float("alpha")?.unwrap_or(1.0),
        beta: attributes.float("beta")?.unwrap_or(1.0),
        transposed: attributes.flag("transB")?,
    };
    Ok(operands.node(op, 3))
}

fn flatten(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
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

fn reshape(
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

fn transpose(operands: &Operands<'_>, attributes: &mut NodeAttributes<'_>) -> Result<Translated, NodeError> {
    operands.count(1, 1)?;
    let rank = operands.shape(0, "data")?.rank();
    let order = attributes.sizes("perm")?.unwrap_or_else(|| (0..rank).rev().collect());
    Ok(operands.node(Transpose { order }, 1))
}

fn pad(
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
            let from_front = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
            let slot = from_front.and_then(|axis| usize::try_from(axis).ok()).and_then(|axis| pads.get_mut(axis));
            *slot.ok_or_else(|| refuse("axes", "axes of the operand", format!("{axes:?}")))? = pair;
        }
        pads
    } else {
        pairs("pads", flat, rank)?
    };
    Ok(operands.node(Pad { pads, value }, 1))
}
