//! Operators of ONNX into operations of a graph, one function each.
//!
//! Each reads the attributes and the constant operands that the operator has in the model's opset, and gives an
//! operation with finished attributes: borders are spelled out, targets of reshapes are shapes.

mod linear;
mod movement;
mod nonlinear;
mod reduce;
mod windows;

use super::NodeError;
use super::assemble::Binding;
use super::attributes::{NodeAttributes, refuse};
use super::tensor::{self, Constant};
use crate::ops::{Add, Div, Exp, MatMul, Max, Min, Mul, Negate, Op, Pow, ReduceMax, ReduceMean, ReduceSum, Relu};
use crate::ops::{Sigmoid, Sub, Tanh};
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
    /// An operation of two operands over all operands of the model, from the first on: `(((a op b) op c) op ..)`.
    Fold(Op),
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

    /// How many there are, those left out included.
    fn len(&self) -> usize {
        self.resolved.len()
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
        "Div" => plain(Div, operands, 2),
        "Exp" => plain(Exp, operands, 1),
        "MatMul" => plain(MatMul, operands, 2),
        "Max" => fold(Max, operands),
        "Min" => fold(Min, operands),
        "Mul" => plain(Mul, operands, 2),
        "Neg" => plain(Negate, operands, 1),
        "Pow" => plain(Pow, operands, 2),
        "Relu" => plain(Relu, operands, 1),
        "Sigmoid" => plain(Sigmoid, operands, 1),
        "Sub" => plain(Sub, operands, 2),
        "Sum" => fold(Add, operands),
        "Tanh" => plain(Tanh, operands, 1),
        "ArgMax" => reduce::arg_max(operands, attributes, context),
        "AveragePool" => windows::average_pool(operands, attributes, context),
        "BatchNormalization" => linear::batch_norm(operands, attributes, context),
        "Clip" => nonlinear::clip(operands, attributes, context),
        "Concat" => movement::concat(operands, attributes),
        "Constant" => constant(operands, attributes),
        "Conv" => windows::conv(operands, attributes),
        "Dropout" => nonlinear::dropout(operands, attributes, context),
        "Flatten" => movement::flatten(operands, attributes),
        "Gemm" => linear::gemm(operands, attributes),
        "GlobalAveragePool" => windows::global_average_pool(operands),
        "GlobalMaxPool" => windows::global_max_pool(operands),
        "Identity" => identity(operands),
        "LeakyRelu" => nonlinear::leaky_relu(operands, attributes),
        "MaxPool" => windows::max_pool(operands, attributes, context),
        "Pad" => movement::pad(operands, attributes, context),
        "ReduceMax" => {
            reduce::over_axes(operands, attributes, context.opset >= 18, |axes, keep| ReduceMax { axes, keep })
        }
        "ReduceMean" => {
            reduce::over_axes(operands, attributes, context.opset >= 18, |axes, keep| ReduceMean { axes, keep })
        }
        "ReduceSum" => {
            reduce::over_axes(operands, attributes, context.opset >= 13, |axes, keep| ReduceSum { axes, keep })
        }
        "Reshape" => movement::reshape(operands, attributes, context),
        "Softmax" => reduce::softmax(operands, attributes, context),
        "Squeeze" => movement::squeeze(operands, attributes, context),
        "Transpose" => movement::transpose(operands, attributes),
        "Unsqueeze" => movement::unsqueeze(operands, attributes, context),
        _ => Err(NodeError::UnknownOperator),
    }
}

fn plain(op: impl Into<Op>, operands: &Operands<'_>, count: usize) -> Result<Translated, NodeError> {
    operands.count(count, count)?;
    Ok(operands.node(op, count))
}

/// Any number of operands, combined two by two from the left.
fn fold(op: impl Into<Op>, operands: &Operands<'_>) -> Result<Translated, NodeError> {
    operands.count(operands.len().max(1), operands.len().max(1))?;
    if operands.len() == 1 { identity(operands) } else { Ok(Translated::Fold(op.into())) }
}

/// An axis counted from the front, or from the back when negative; below `rank`.
fn axis_of(name: &str, axis: i64, rank: usize) -> Result<usize, NodeError> {
    let from_front = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
    let axis_in_range = from_front.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank);
    axis_in_range.ok_or_else(|| refuse(name, format!("an axis of {rank}"), axis.to_string()))
}

/// Axes as a model writes them, in ascending order, none twice.
fn axes(name: &str, entries: &[i64], rank: usize) -> Result<Vec<usize>, NodeError> {
    let mut axes = entries.iter().map(|&axis| axis_of(name, axis, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(refuse(name, "each axis once", format!("{entries:?}")));
    }
    Ok(axes)
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
