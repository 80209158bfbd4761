//! The only way to change a graph.
//!
//! Each method checks first and changes after: an error leaves the graph as it was. What holds after every call is
//! what [`Graph::verify`] checks, except that values may be unused.

use std::sync::Arc;

use super::{Graph, Node, NodeId, Shape, Tensor, Value, ValueId, ValueSource};
use crate::EditError;
use crate::ops::Op;

/// A guarded pen: see the module documentation.
#[derive(Debug)]
pub struct GraphEditor<'g> {
    graph: &'g mut Graph,
}

impl Graph {
    /// Opens the graph for changes.
    pub fn edit(&mut self) -> GraphEditor<'_> {
        GraphEditor { graph: self }
    }
}

impl GraphEditor<'_> {
    /// The graph as it stands.
    pub fn graph(&self) -> &Graph {
        self.graph
    }

    /// Declares an input. A name that is taken gets a number.
    ///
    /// # Errors
    /// When the graph is full.
    pub fn add_input(&mut self, name: &str, shape: Shape) -> Result<ValueId, EditError> {
        let id = self.add_value(name, shape, ValueSource::Input)?;
        self.graph.inputs.push(id);
        Ok(id)
    }

    /// Adds a constant. A name that is taken gets a number.
    ///
    /// # Errors
    /// A tensor with an extent of 0 or too many elements; a full graph.
    pub fn add_constant(&mut self, name: &str, tensor: impl Into<Arc<Tensor>>) -> Result<ValueId, EditError> {
        let tensor = tensor.into();
        let shape = tensor.shape().map_err(|source| EditError::ValueShape { value: name.to_owned(), source })?;
        self.add_value(name, shape, ValueSource::Constant(tensor))
    }

    /// Appends a node; it and its output are called `name` (the value gets a number if the name is taken).
    ///
    /// # Errors
    /// Unknown operands, or operands that do not fit.
    pub fn push(&mut self, name: &str, op: Op, inputs: &[ValueId]) -> Result<ValueId, EditError> {
        self.insert_at(self.graph.order.len(), name, name, op, inputs)
    }

    /// As [`GraphEditor::push`], with a name of its own for the output.
    ///
    /// # Errors
    /// As [`GraphEditor::push`].
    pub fn push_named(&mut self, node: &str, output: &str, op: Op, inputs: &[ValueId]) -> Result<ValueId, EditError> {
        self.insert_at(self.graph.order.len(), node, output, op, inputs)
    }

    /// Inserts a node so that it runs just before another.
    ///
    /// # Errors
    /// Unknown operands or `before`, operands that do not fit or are computed later.
    pub fn insert_before(
        &mut self,
        before: NodeId,
        name: &str,
        op: Op,
        inputs: &[ValueId],
    ) -> Result<ValueId, EditError> {
        let position = self.position(before)?;
        self.insert_at(position, name, name, op, inputs)
    }

    /// Gives a node another operation and other operands; its output keeps id, name and shape.
    ///
    /// # Errors
    /// Unknown operands, operands that do not fit or are computed later, or another output shape than before.
    pub fn rewrite(&mut self, node: NodeId, op: Op, inputs: &[ValueId]) -> Result<(), EditError> {
        let position = self.position(node)?;
        let old = self.graph.get_node(node).ok_or_else(|| unknown(node))?;
        let (name, output) = (old.name.clone(), old.output);
        let shape = self.check_node(position, &name, &op, inputs)?;
        let value = self.graph.get_value(output).ok_or_else(|| unknown(output))?;
        if value.shape != shape {
            return Err(EditError::ReplaceShape {
                old: value.name.clone(),
                old_shape: value.shape.clone(),
                new: format!("{} of {name}", op.name()),
                new_shape: shape,
            });
        }
        if let Some(Some(slot)) = self.graph.nodes.get_mut(node.index()) {
            slot.op = op;
            slot.inputs = inputs.to_vec();
        }
        Ok(())
    }

    /// Puts a constant in the place of what a node computes; the node goes, the value keeps id, name and shape.
    ///
    /// # Errors
    /// An unknown node, or a tensor of another shape.
    pub fn replace_with_constant(&mut self, node: NodeId, tensor: impl Into<Arc<Tensor>>) -> Result<(), EditError> {
        let tensor = tensor.into();
        let position = self.position(node)?;
        let output = self.graph.get_node(node).ok_or_else(|| unknown(node))?.output;
        let value = self.graph.get_value(output).ok_or_else(|| unknown(output))?;
        let shape = tensor.shape().map_err(|source| EditError::ValueShape { value: value.name.clone(), source })?;
        if value.shape != shape {
            return Err(EditError::ReplaceShape {
                old: value.name.clone(),
                old_shape: value.shape.clone(),
                new: "a constant".to_owned(),
                new_shape: shape,
            });
        }
        self.graph.order.remove(position);
        if let Some(slot) = self.graph.nodes.get_mut(node.index()) {
            *slot = None;
        }
        if let Some(Some(value)) = self.graph.values.get_mut(output.index()) {
            value.source = ValueSource::Constant(tensor);
        }
        Ok(())
    }

    /// Gives a node another name; its output keeps its own.
    ///
    /// # Errors
    /// An unknown node.
    pub fn rename_node(&mut self, node: NodeId, name: impl Into<String>) -> Result<(), EditError> {
        match self.graph.nodes.get_mut(node.index()) {
            Some(Some(node)) => {
                node.name = name.into();
                Ok(())
            }
            _ => Err(unknown(node)),
        }
    }

    /// Makes every reader of `old`, the graph's outputs included, read `new` instead.
    ///
    /// # Errors
    /// Unknown values, different shapes, or a reader that runs before `new` is computed.
    pub fn replace_uses(&mut self, old: ValueId, new: ValueId) -> Result<(), EditError> {
        let old_value = self.graph.get_value(old).ok_or_else(|| unknown(old))?;
        let new_value = self.graph.get_value(new).ok_or_else(|| unknown(new))?;
        if old_value.shape != new_value.shape {
            return Err(EditError::ReplaceShape {
                old: old_value.name.clone(),
                old_shape: old_value.shape.clone(),
                new: new_value.name.clone(),
                new_shape: new_value.shape.clone(),
            });
        }
        let ready = self.ready_at(new)?;
        let too_early = self.graph.nodes().take(ready).find(|(_, node)| node.inputs.contains(&old));
        if let Some((_, user)) = too_early {
            return Err(EditError::Order { user: user.name.clone(), value: new_value.name.clone() });
        }
        for node in self.graph.nodes.iter_mut().flatten() {
            for input in node.inputs.iter_mut().filter(|input| **input == old) {
                *input = new;
            }
        }
        for output in self.graph.outputs.iter_mut().filter(|output| **output == old) {
            *output = new;
        }
        Ok(())
    }

    /// Removes a node and its output.
    ///
    /// # Errors
    /// When the output is still read.
    pub fn remove_node(&mut self, node: NodeId) -> Result<(), EditError> {
        let output = self.graph.get_node(node).ok_or_else(|| unknown(node))?.output;
        self.check_unused(output)?;
        let position = self.position(node)?;
        self.graph.order.remove(position);
        if let Some(slot) = self.graph.nodes.get_mut(node.index()) {
            *slot = None;
        }
        self.forget(output);
        Ok(())
    }

    /// Removes a constant.
    ///
    /// # Errors
    /// When it is still read, or is no constant.
    pub fn remove_constant(&mut self, id: ValueId) -> Result<(), EditError> {
        let value = self.graph.get_value(id).ok_or_else(|| unknown(id))?;
        match value.source {
            ValueSource::Constant(_) => {}
            ValueSource::Input => {
                return Err(EditError::InputRemoved { value: value.name.clone() });
            }
            ValueSource::Node(node) => return Err(unknown(node)),
        }
        self.check_unused(id)?;
        self.forget(id);
        Ok(())
    }

    /// Says what the graph computes.
    ///
    /// # Errors
    /// No outputs, or unknown ones.
    pub fn set_outputs(&mut self, outputs: &[ValueId]) -> Result<(), EditError> {
        if outputs.is_empty() {
            return Err(EditError::NoOutput);
        }
        if let Some(&missing) = outputs.iter().find(|&&id| self.graph.get_value(id).is_none()) {
            return Err(unknown(missing));
        }
        self.graph.outputs = outputs.to_vec();
        Ok(())
    }

    fn insert_at(
        &mut self,
        position: usize,
        node_name: &str,
        value_name: &str,
        op: Op,
        inputs: &[ValueId],
    ) -> Result<ValueId, EditError> {
        let shape = self.check_node(position, node_name, &op, inputs)?;
        let node = NodeId::from_index(self.graph.nodes.len()).ok_or(EditError::Full)?;
        let output = self.add_value(value_name, shape, ValueSource::Node(node))?;
        self.graph.nodes.push(Some(Node { name: node_name.to_owned(), op, inputs: inputs.to_vec(), output }));
        self.graph.order.insert(position, node);
        Ok(output)
    }

    /// Shape of the output of a node that would run at `position`.
    fn check_node(&self, position: usize, name: &str, op: &Op, inputs: &[ValueId]) -> Result<Shape, EditError> {
        let mut shapes = Vec::with_capacity(inputs.len());
        for &input in inputs {
            let value = self.graph.get_value(input).ok_or_else(|| unknown(input))?;
            if self.ready_at(input)? > position {
                return Err(EditError::Order { user: name.to_owned(), value: value.name.clone() });
            }
            shapes.push(&value.shape);
        }
        op.infer(&shapes).map_err(|source| EditError::Shape { node: name.to_owned(), op: op.name(), source })
    }

    /// First position at which a node may read the value.
    fn ready_at(&self, value: ValueId) -> Result<usize, EditError> {
        match self.graph.producer(value) {
            None => Ok(0),
            Some(node) => Ok(self.position(node)? + 1),
        }
    }

    fn position(&self, node: NodeId) -> Result<usize, EditError> {
        // From the back: passes and importers work near the end.
        self.graph.order.iter().rposition(|&id| id == node).ok_or_else(|| unknown(node))
    }

    fn check_unused(&self, id: ValueId) -> Result<(), EditError> {
        let value = || self.graph.get_value(id).map_or_else(String::new, |value| value.name.clone());
        if let Some((_, user)) = self.graph.nodes().find(|(_, node)| node.inputs.contains(&id)) {
            return Err(EditError::StillUsed { value: value(), user: format!("node {}", user.name) });
        }
        if self.graph.outputs.contains(&id) {
            return Err(EditError::StillUsed { value: value(), user: "the graph's outputs".to_owned() });
        }
        Ok(())
    }

    fn add_value(&mut self, name: &str, shape: Shape, source: ValueSource) -> Result<ValueId, EditError> {
        let id = ValueId::from_index(self.graph.values.len()).ok_or(EditError::Full)?;
        let name = self.fresh_name(name);
        self.graph.names.insert(name.clone(), id);
        self.graph.values.push(Some(Value { name, shape, source }));
        Ok(id)
    }

    fn forget(&mut self, id: ValueId) {
        if let Some(slot) = self.graph.values.get_mut(id.index())
            && let Some(value) = slot.take()
        {
            self.graph.names.remove(&value.name);
        }
    }

    /// `name`, or `name.1`, `name.2`, ... when it is taken.
    fn fresh_name(&self, name: &str) -> String {
        let name = if name.is_empty() { "value" } else { name };
        if !self.graph.names.contains_key(name) {
            return name.to_owned();
        }
        let mut number = 1usize;
        loop {
            let candidate = format!("{name}.{number}");
            if !self.graph.names.contains_key(&candidate) {
                return candidate;
            }
            number += 1;
        }
    }
}

fn unknown(id: impl std::fmt::Debug) -> EditError {
    EditError::Unknown { what: format!("{id:?}") }
}
