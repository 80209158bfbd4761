//! The rules of a graph, checked from scratch.
//!
//! 1. Every operand is there and computed before it is read.
//! 2. Every node's output has the shape that the operation's shape rule gives.
//! 3. Every constant is finite and has its recorded shape.
//! 4. Names are unique; there is at least one output and every output is there.

use std::collections::HashSet;

use super::{Graph, NodeId, ValueSource};
use crate::{VerifyError, VerifyErrors};

impl Graph {
    /// Checks every rule and returns every broken one.
    ///
    /// # Errors
    /// The list of broken rules, in running order.
    pub fn verify(&self) -> Result<(), VerifyErrors> {
        let mut errors = Vec::new();
        self.verify_values(&mut errors);
        self.verify_nodes(&mut errors);
        self.verify_outputs(&mut errors);
        if errors.is_empty() { Ok(()) } else { Err(VerifyErrors(errors)) }
    }

    fn verify_values(&self, errors: &mut Vec<VerifyError>) {
        let mut names = HashSet::new();
        for (id, value) in self.values() {
            if !names.insert(value.name()) || self.find_value(value.name()).is_none() {
                errors.push(VerifyError::DuplicateName { name: value.name().to_owned() });
            }
            match value.source() {
                ValueSource::Input => {
                    if !self.inputs.contains(&id) {
                        structure(errors, format!("{} is an input but not listed as one", value.name()));
                    }
                }
                ValueSource::Constant(tensor) => {
                    if value.shape().with_batch(0) != tensor.dims() || value.shape().is_batched() {
                        errors.push(VerifyError::ConstantShape {
                            value: value.name().to_owned(),
                            recorded: value.shape().clone(),
                            found: tensor.dims().to_vec(),
                        });
                    }
                    if let Some(index) = tensor.data().iter().position(|x| !x.is_finite()) {
                        errors.push(VerifyError::NotFinite {
                            value: value.name().to_owned(),
                            index,
                            found: tensor.data()[index],
                        });
                    }
                }
                ValueSource::Node(node) => {
                    if self.get_node(*node).is_none_or(|node| node.output() != id) {
                        structure(errors, format!("{} is computed by no node", value.name()));
                    }
                }
            }
        }
    }

    fn verify_nodes(&self, errors: &mut Vec<VerifyError>) {
        let mut done: HashSet<NodeId> = HashSet::new();
        for (id, node) in self.nodes() {
            let (name, op) = (node.name().to_owned(), node.op().name());
            let mut shapes = Vec::with_capacity(node.inputs().len());
            for &input in node.inputs() {
                let Some(value) = self.get_value(input) else {
                    let value = format!("{input:?}");
                    errors.push(VerifyError::UnknownOperand { node: name.clone(), op, value });
                    continue;
                };
                if matches!(value.source(), ValueSource::Node(producer) if !done.contains(producer)) {
                    let value = value.name().to_owned();
                    errors.push(VerifyError::UseBeforeDefinition { node: name.clone(), op, value });
                }
                shapes.push(value.shape());
            }
            if shapes.len() == node.inputs().len() {
                match (node.op().infer(&shapes), self.get_value(node.output())) {
                    (Err(source), _) => errors.push(VerifyError::Shape { node: name, op, source }),
                    (Ok(_), None) => structure(errors, format!("node {name} has no output")),
                    (Ok(inferred), Some(output)) if inferred != *output.shape() => {
                        let recorded = output.shape().clone();
                        errors.push(VerifyError::WrongShape { node: name, op, recorded, inferred });
                    }
                    _ => {}
                }
            }
            if !done.insert(id) {
                structure(errors, format!("node {} runs twice", node.name()));
            }
        }
        let live = self.nodes.iter().flatten().count();
        if live != done.len() || self.order.len() != done.len() {
            structure(errors, format!("{live} nodes, {} in running order", self.order.len()));
        }
    }

    fn verify_outputs(&self, errors: &mut Vec<VerifyError>) {
        if self.outputs.is_empty() {
            errors.push(VerifyError::NoOutput);
        }
        for &output in &self.outputs {
            if self.get_value(output).is_none() {
                errors.push(VerifyError::UnknownOutput { value: format!("{output:?}") });
            }
        }
    }
}

fn structure(errors: &mut Vec<VerifyError>, what: String) {
    errors.push(VerifyError::Structure { what });
}
