//! Polynomials of degree 2 or 3 in the place of functions that have no exact form under encryption.
//!
//! | polynomial | written as | products of ciphertexts |
//! |---|---|---|
//! | `c0 + c1 x + c2 x^2` | `c2 (x + h)^2 + k`, `h = c1 / (2 c2)`, `k = c0 - c1^2 / (4 c2)` | 1 |
//! | the same, `h` far beyond the range | `c2 x^2 + (c1 x + c0)` | 1 |
//! | `c0 + c1 x + c2 x^2 + c3 x^3` | `x^2 (c3 x + c2) + (c1 x + c0)` | 2 |
//!
//! The linear layers before and behind take in `h`, `c2` and `k`, so the first form costs what a square costs. A polynomial is near its function on
//! the range that it was fitted for ([`Polynomial::fit`]) and far from it outside: calibration samples make that range.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

mod fit;

use std::collections::BTreeMap;

use graph::ops::{Add, Mul, Op};
use graph::{EditError, Graph, NodeId, Tensor, ValueId};

pub use fit::Polynomial;

use crate::{Pass, PassError, PassReport, Property};

/// `h` beyond so many times the range would drown the number in its translation.
const FARTHEST_SHIFT: f64 = 4.0;

/// The pass.
#[derive(Clone, Debug, Default)]
pub struct PolynomialActivations {
    /// For each node that is replaced, what stands in for it.
    pub polynomials: BTreeMap<String, Polynomial>,
}

/// The degree that serves an operation; `None` for operations that are no function of one number.
pub(crate) fn degree(op: &Op) -> Option<usize> {
    match op {
        Op::Relu(_) | Op::BoundedRelu(_) | Op::LeakyRelu(_) | Op::Exp(_) => Some(2),
        // Odd but for a constant: a square would add nothing.
        Op::Sigmoid(_) | Op::Tanh(_) => Some(3),
        _ => None,
    }
}

impl Pass<Graph> for PolynomialActivations {
    fn name(&self) -> &'static str {
        "polynomial_activations"
    }

    fn requires(&self) -> &'static [Property] {
        &[Property::ConstantsFolded]
    }

    fn ensures(&self) -> &'static [Property] {
        &[]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let pass = self.name();
        let mut report = PassReport::default();
        for (name, polynomial) in &self.polynomials {
            let unsupported = |op: &str, reason: &str| PassError::Unsupported {
                pass,
                site: name.clone(),
                op: op.to_owned(),
                reason: reason.to_owned(),
            };
            let Some((id, node)) = graph.nodes().find(|(_, node)| node.name() == name) else {
                return Err(unsupported("none", "a polynomial is to stand in for it, and there is no such node"));
            };
            let (op, &[x]) = (node.op().name(), node.inputs()) else {
                return Err(unsupported(node.op().name(), "a polynomial stands in for functions of one operand"));
            };
            if degree(node.op()).is_none() {
                return Err(unsupported(op, "no polynomial stands in for it"));
            }
            if !polynomial.is_sound() {
                return Err(unsupported(op, "its polynomial has coefficients that are no finite numbers, or too many"));
            }
            write(graph, id, x, polynomial).map_err(|source| PassError::Edit { pass, source: Box::new(source) })?;
            report.rewrote(name, format!("{op} is {polynomial}"));
        }
        Ok(report)
    }
}

fn write(graph: &mut Graph, id: NodeId, x: ValueId, polynomial: &Polynomial) -> Result<(), EditError> {
    let name = graph.node(id).name().to_owned();
    let mut pen = Pen { graph, id, name };
    let [c0, c1, c2, c3] = polynomial.coefficients();
    let last = if c3 != 0.0 {
        let square = pen.step("square", Mul, x, x)?;
        let slope = pen.line("slope", x, c3, c2)?;
        let product = pen.step("product", Mul, square, slope)?;
        let line = pen.line("line", x, c1, c0)?;
        (Op::from(Add), product, line)
    } else if c2 == 0.0 {
        let scaled = pen.scaled("scaled", x, c1)?;
        let constant = pen.number("constant", c0)?;
        (Add.into(), scaled, constant)
    } else {
        let h = c1 / (2.0 * c2);
        if h.abs() <= FARTHEST_SHIFT * polynomial.range {
            let shift = pen.number("shift", h)?;
            let shifted = pen.step("shifted", Add, x, shift)?;
            let square = pen.step("square", Mul, shifted, shifted)?;
            let scaled = pen.scaled("scaled", square, c2)?;
            let constant = pen.number("constant", c0 - c1 * h / 2.0)?;
            (Add.into(), scaled, constant)
        } else {
            let square = pen.step("square", Mul, x, x)?;
            let scaled = pen.scaled("scaled", square, c2)?;
            let line = pen.line("line", x, c1, c0)?;
            (Add.into(), scaled, line)
        }
    };
    let (op, left, right) = last;
    pen.graph.edit().rewrite(id, op, &[left, right])
}

/// Writes nodes before the one that they stand in for.
struct Pen<'g> {
    graph: &'g mut Graph,
    id: NodeId,
    name: String,
}

impl Pen<'_> {
    fn step(&mut self, role: &str, op: impl Into<Op>, left: ValueId, right: ValueId) -> Result<ValueId, EditError> {
        let name = format!("{}_{role}", self.name);
        self.graph.edit().insert_before(self.id, &name, op.into(), &[left, right])
    }

    fn number(&mut self, role: &str, number: f64) -> Result<ValueId, EditError> {
        self.graph.edit().add_constant(&format!("{}_{role}", self.name), Tensor::scalar(number))
    }

    fn scaled(&mut self, role: &str, x: ValueId, factor: f64) -> Result<ValueId, EditError> {
        let factor = self.number(&format!("{role}_by"), factor)?;
        self.step(role, Mul, x, factor)
    }

    /// `slope x + constant`.
    fn line(&mut self, role: &str, x: ValueId, slope: f64, constant: f64) -> Result<ValueId, EditError> {
        let scaled = self.scaled(&format!("{role}_scaled"), x, slope)?;
        let constant = self.number(&format!("{role}_constant"), constant)?;
        self.step(role, Add, scaled, constant)
    }
}

#[cfg(test)]
mod tests;
