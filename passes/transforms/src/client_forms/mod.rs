//! Functions that the key owner has no name for, in terms of those it has: constants move into the linear layers on either side.
//!
//! | found | becomes |
//! |---|---|
//! | `max(x, c)` | `relu(x - c) + c` |
//! | `min(x, c)` | `c - relu(c - x)` |
//! | `min(x, y)` | `-max(-x, -y)` |
//! | `clip(x)` to `[a, b]`, `a < b` | `bounded_relu(x - a) + a`, bounded by `b - a` |
//! | `clip(x)` from `a`, to `b` alone | as `max(x, a)`, `min(x, b)` |
//! | `c / x` | `c x^-1` |
//!
//! `c` may be any constant. Translations cost no level, and `linear_squashing` lets layers before and behind take them in.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use graph::ops::{Add, BoundedRelu, Clip, Max, Mul, Negate, Op, Pow, Relu, Sub};
use graph::{Graph, NodeId, Tensor, ValueId};

use crate::{Pass, PassError, PassReport, Property};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientForms;

impl Pass<Graph> for ClientForms {
    fn name(&self) -> &'static str {
        "client_forms"
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
        let nodes: Vec<NodeId> = graph.nodes().map(|(id, _)| id).collect();
        for id in nodes {
            if let Some(form) = Form::of(graph, id) {
                let node = graph.node(id);
                report.rewrote(node.name(), format!("{} is {}", node.op().name(), form.text()));
                form.write(graph, id).map_err(failed)?;
            }
        }
        Ok(report)
    }
}

/// What stands in for a node.
enum Form {
    /// `relu(x - c) + c`.
    From { x: ValueId, c: ValueId },
    /// `c - relu(c - x)`.
    To { x: ValueId, c: ValueId },
    /// `-max(-x, -y)`.
    Smaller { x: ValueId, y: ValueId },
    /// `bounded_relu(x - low) + low`.
    Between { x: ValueId, low: f64, high: f64 },
    /// `c x^-1`.
    Reciprocal { x: ValueId, c: ValueId },
    /// One bound, as a number.
    Bound { x: ValueId, bound: f64, is_upper: bool },
}

impl Form {
    fn of(graph: &Graph, id: NodeId) -> Option<Form> {
        let node = graph.node(id);
        let is_constant = |value: ValueId| graph.constant(value).is_some();
        match (node.op(), node.inputs()) {
            (Op::Clip(Clip { min, max }), &[x]) => match (*min, *max) {
                (Some(low), Some(high)) if low < high => Some(Form::Between { x, low, high }),
                (Some(bound), None) => Some(Form::Bound { x, bound, is_upper: false }),
                (None, Some(bound)) => Some(Form::Bound { x, bound, is_upper: true }),
                _ => None,
            },
            (op, &[left, right]) => {
                let (x, c) = match (is_constant(left), is_constant(right)) {
                    (false, true) => (left, right),
                    (true, false) => (right, left),
                    (false, false) if matches!(op, Op::Min(_)) => {
                        return Some(Form::Smaller { x: left, y: right });
                    }
                    _ => return None,
                };
                match op {
                    Op::Max(_) => Some(Form::From { x, c }),
                    Op::Min(_) => Some(Form::To { x, c }),
                    Op::Div(_) if c == left => Some(Form::Reciprocal { x, c }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Form::From { .. } | Form::Bound { is_upper: false, .. } => "relu(x - c) + c",
            Form::To { .. } | Form::Bound { is_upper: true, .. } => "c - relu(c - x)",
            Form::Smaller { .. } => "-max(-x, -y)",
            Form::Between { .. } => "bounded_relu(x - c) + c",
            Form::Reciprocal { .. } => "c x^-1",
        }
    }

    fn write(self, graph: &mut Graph, id: NodeId) -> Result<(), graph::EditError> {
        let name = graph.node(id).name().to_owned();
        let mut edit = graph.edit();
        let mut step =
            |role: &str, op: Op, inputs: &[ValueId]| edit.insert_before(id, &format!("{name}_{role}"), op, inputs);
        let (op, inputs) = match self {
            Form::From { x, c } => {
                let above = step("shifted", Sub.into(), &[x, c])?;
                (Add.into(), [step("relu", Relu.into(), &[above])?, c].to_vec())
            }
            Form::To { x, c } => {
                let below = step("shifted", Sub.into(), &[c, x])?;
                (Sub.into(), [c, step("relu", Relu.into(), &[below])?].to_vec())
            }
            Form::Smaller { x, y } => {
                let (x, y) = (step("left", Negate.into(), &[x])?, step("right", Negate.into(), &[y])?);
                (Negate.into(), vec![step("max", Max.into(), &[x, y])?])
            }
            Form::Reciprocal { x, c } => {
                let minus = edit.add_constant(&format!("{name}_exponent"), Tensor::scalar(-1.0))?;
                let inverse = edit.insert_before(id, &format!("{name}_inverse"), Pow.into(), &[x, minus])?;
                (Op::from(Mul), vec![inverse, c])
            }
            Form::Between { x, low, high } => {
                let c = edit.add_constant(&format!("{name}_low"), Tensor::scalar(low))?;
                let above = edit.insert_before(id, &format!("{name}_shifted"), Sub.into(), &[x, c])?;
                let bounded = BoundedRelu { max: high - low };
                (Add.into(), vec![edit.insert_before(id, &format!("{name}_relu"), bounded.into(), &[above])?, c])
            }
            Form::Bound { x, bound, is_upper } => {
                let c = edit.add_constant(&format!("{name}_bound"), Tensor::scalar(bound))?;
                let form = if is_upper { Form::To { x, c } } else { Form::From { x, c } };
                return form.write(graph, id);
            }
        };
        edit.rewrite(id, op, &inputs)
    }
}

#[cfg(test)]
mod tests;
