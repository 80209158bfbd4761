//! ReLU and its bounded form get their own names, whatever a model file spells them with: one operation instead of two, and one that a key
//! owner computes in a single step.
//!
//! | found | becomes |
//! |---|---|
//! | `max(x, 0)` | `relu(x)` |
//! | `clip(x)` from 0, with or without a bound above it | `bounded_relu(x)`, `relu(x)` |
//! | `min(relu(x), c)`, `relu(min(x, c))` with `c > 0` | `bounded_relu(x)` to `c` |
//! | `min(bounded_relu(x), c)` with `c > 0` | `bounded_relu(x)` to the lower of the two |
//!
//! A constant counts when all its elements are one number and it does not widen the shape. What the outer operation read stays behind for
//! `dead_code`.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use graph::ops::{BoundedRelu, Clip, Op, Relu};
use graph::{Graph, NodeId, ValueId};

use crate::{Pass, PassError, PassReport, Property};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActivationFusion;

impl Pass<Graph> for ActivationFusion {
    fn name(&self) -> &'static str {
        "activation_fusion"
    }

    fn requires(&self) -> &'static [Property] {
        &[Property::ConstantsFolded]
    }

    fn ensures(&self) -> &'static [Property] {
        &[]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let failed = |source| PassError::Edit { pass: self.name(), source: Box::new(source) };
        let mut report = PassReport::default();
        // In running order: what an operation reads has its own name by the time the operation is looked at.
        let nodes: Vec<NodeId> = graph.nodes().map(|(id, _)| id).collect();
        for id in nodes {
            match rewritten(graph, id) {
                Ok(Some((op, x))) => {
                    let node = graph.node(id);
                    report.rewrote(node.name(), format!("{} is {}{}", node.op().name(), op.name(), bound(&op)));
                    graph.edit().rewrite(id, op, &[x]).map_err(failed)?;
                }
                Ok(None) => {}
                Err(reason) => report.decline(graph.node(id).name(), reason),
            }
        }
        Ok(report)
    }
}

fn bound(op: &Op) -> String {
    match op {
        Op::BoundedRelu(op) => format!(" to {}", op.max),
        _ => String::new(),
    }
}

/// What a node is under its own name, and what it then reads; none for a node that stays as it is, an error for one that comes close.
fn rewritten(graph: &Graph, id: NodeId) -> Result<Option<(Op, ValueId)>, String> {
    let node = graph.node(id);
    Ok(match node.op() {
        Op::Max(_) => match with_number(graph, id)? {
            Some((x, 0.0)) => Some(relu_of(graph, x)),
            _ => None,
        },
        Op::Relu(_) => match node.inputs() {
            &[x] => match relu_of(graph, x) {
                (Op::Relu(_), _) => None,
                fused => Some(fused),
            },
            _ => None,
        },
        Op::Clip(Clip { min: Some(0.0), max }) => match (node.inputs(), max) {
            (&[x], None) => Some((Relu.into(), x)),
            (&[x], Some(max)) if *max > 0.0 => Some((BoundedRelu { max: *max }.into(), x)),
            _ => None,
        },
        Op::Min(_) => match with_number(graph, id)? {
            Some((x, c)) if c > 0.0 => match producer(graph, x) {
                Some((Op::Relu(_), x)) => Some((BoundedRelu { max: c }.into(), x)),
                Some((Op::BoundedRelu(inner), x)) => Some((BoundedRelu { max: inner.max.min(c) }.into(), x)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// `relu(x)`, bounded when `x` is the smaller of something and a positive number.
fn relu_of(graph: &Graph, x: ValueId) -> (Op, ValueId) {
    if let Some(min) = graph.producer(x)
        && matches!(graph.node(min).op(), Op::Min(_))
        && let Ok(Some((inner, c))) = with_number(graph, min)
        && c > 0.0
    {
        return (BoundedRelu { max: c }.into(), inner);
    }
    (Relu.into(), x)
}

/// The operation that computes a value, and its one operand.
fn producer(graph: &Graph, x: ValueId) -> Option<(&Op, ValueId)> {
    let node = graph.node(graph.producer(x)?);
    match node.inputs() {
        &[operand] => Some((node.op(), operand)),
        _ => None,
    }
}

/// The varying operand of an operation of two and the one number that its constant operand holds.
fn with_number(graph: &Graph, id: NodeId) -> Result<Option<(ValueId, f64)>, String> {
    let node = graph.node(id);
    let &[left, right] = node.inputs() else { return Ok(None) };
    let (x, constant) = match (graph.constant(left), graph.constant(right)) {
        (None, Some(constant)) => (left, constant),
        (Some(constant), None) => (right, constant),
        _ => return Ok(None),
    };
    let numbers = constant.data();
    let Some(&first) = numbers.first() else { return Ok(None) };
    if let Some(other) = numbers.iter().find(|&&number| number != first) {
        return Err(format!("its constant holds {first} and {other}, one number is needed"));
    }
    if graph.shape(x) != graph.shape(node.output()) {
        return Err(format!("its constant widens {} to {}", graph.shape(x), graph.shape(node.output())));
    }
    Ok(Some((x, first)))
}

#[cfg(test)]
mod tests;
