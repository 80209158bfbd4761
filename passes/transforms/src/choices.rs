//! What is chosen about the functions between linear layers: what the key owner computes, and where a polynomial stands in.

use std::collections::{BTreeMap, BTreeSet};

use graph::Graph;
use graph::ops::Op;
use serde::{Deserialize, Serialize};

use crate::activation_fusion::ActivationFusion;
use crate::constant_folding::ConstantFolding;
use crate::dead_code::DeadCode;
use crate::lowering::{Circuit, Gate};
use crate::polynomial_activations::{Polynomial, PolynomialActivations, degree};
use crate::ranges::ValueRange;
use crate::{PassError, PassReport, Pipeline};

/// Who computes a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The key owner, exactly; it sees what it computes on.
    Client,
    /// The server, by a polynomial on ciphertexts; the key owner sees nothing.
    Polynomial,
}

/// What the caller wishes, by the name of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activations {
    /// For all nodes that are not named: `None` leaves squares to the server and all other functions to the key owner.
    pub default: Option<Activation>,
    /// For single nodes.
    pub nodes: BTreeMap<String, Activation>,
}

/// What was decided: with the same network, primes and scales it gives the same program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choices {
    /// Squares that the key owner computes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub client_squares: BTreeSet<String>,
    /// Functions that a polynomial stands in for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub polynomials: BTreeMap<String, Polynomial>,
    /// Whether values have room for a mask (see [`crate::masking`]).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
}

/// A wish that a network cannot grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActivationError {
    /// No such node.
    #[error("no node {node:?} has a function to choose for; there are: {}", nodes.join(", "))]
    NoSuchNode {
        /// The name.
        node: String,
        /// Nodes that there are.
        nodes: Vec<String>,
    },
    /// No polynomial can stand in.
    #[error("node {node} ({op}): no polynomial of one number stands in for it")]
    NoPolynomial {
        /// The node.
        node: String,
        /// Its operation.
        op: &'static str,
    },
}

impl Activations {
    fn of(&self, node: &str) -> Option<Activation> {
        self.nodes.get(node).copied().or(self.default)
    }
}

impl Choices {
    /// Whether nothing was chosen.
    pub fn is_default(&self) -> bool {
        *self == Choices::default()
    }

    /// Puts polynomials where they stand in: the network that a program with these choices computes.
    ///
    /// # Errors
    /// An edit that the graph refuses, as when a name belongs to another operation.
    pub fn apply(&self, graph: &mut Graph) -> Result<Vec<(&'static str, PassReport)>, PassError> {
        if self.polynomials.is_empty() {
            return Ok(Vec::new());
        }
        let polynomials = PolynomialActivations { polynomials: self.polynomials.clone() };
        Pipeline::new(vec![
            Box::new(ConstantFolding::default()),
            Box::new(ActivationFusion),
            Box::new(polynomials),
            Box::new(DeadCode),
        ])?
        .run(graph)
    }

    /// Decides all that needs no ranges: squares. Nodes that are to become polynomials come with it, with the
    /// degree, in the order of the network.
    pub(crate) fn start(graph: &Graph, wishes: &Activations) -> Result<(Choices, Vec<(String, usize)>), CannotChoose> {
        let mut graph = graph.clone();
        Pipeline::new(vec![Box::new(ConstantFolding::default()), Box::new(ActivationFusion), Box::new(DeadCode)])?
            .run(&mut graph)?;
        let (mut choices, mut pending, mut nodes) = (Choices::default(), Vec::new(), Vec::new());
        for (_, node) in graph.nodes() {
            let (name, is_square) = (node.name().to_owned(), is_square(&graph, node));
            if !is_square && !node.op().is_nonlinear() {
                continue;
            }
            nodes.push(name.clone());
            match wishes.of(&name) {
                Some(Activation::Client) if is_square => {
                    choices.client_squares.insert(name);
                }
                Some(Activation::Polynomial) if !is_square => match degree(node.op()) {
                    Some(degree) => pending.push((name, degree)),
                    None if wishes.nodes.contains_key(&name) => {
                        return Err(ActivationError::NoPolynomial { node: name, op: node.op().name() }.into());
                    }
                    None => {}
                },
                _ => {}
            }
        }
        match wishes.nodes.keys().find(|name| !nodes.contains(name)) {
            Some(node) => Err(ActivationError::NoSuchNode { node: node.clone(), nodes }.into()),
            None => Ok((choices, pending)),
        }
    }

    /// Fits a polynomial to the function of a node on the range that its operand has in the circuit.
    pub(crate) fn fit(&mut self, node: &str, degree: usize, circuit: &Circuit, ranges: &[ValueRange]) {
        let gate = circuit.nodes.iter().find_map(|n| match &n.gate {
            Gate::Client(client) if n.source == node => Some((client, ranges.get(*n.operands.first()?)?.magnitude)),
            _ => None,
        });
        if let Some((client, magnitude)) = gate {
            let function = |x: f64| {
                let mut y = [x];
                client.function.apply_assign(&mut y);
                y[0]
            };
            self.polynomials.insert(node.to_owned(), Polynomial::fit(function, magnitude, degree));
        }
    }
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotChoose {
    #[error(transparent)]
    Activation(#[from] ActivationError),
    #[error(transparent)]
    Pass(#[from] PassError),
}

/// Whether a node multiplies a value with itself.
fn is_square(graph: &Graph, node: &graph::Node) -> bool {
    match (node.op(), node.inputs()) {
        (Op::Mul(_), &[left, right]) => left == right,
        (Op::Pow(_), &[_, exponent]) => graph.constant(exponent).is_some_and(|c| c.data() == [2.0]),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
