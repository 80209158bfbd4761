//! The graph: an arena of values, an arena of nodes, and the order in which nodes run.

use std::collections::HashMap;
use std::sync::Arc;

use super::{NodeId, Shape, Tensor, ValueId};
use crate::ops::Op;

/// A network in single-assignment form.
///
/// Read it freely; change it through [`Graph::edit`] only.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(super) name: String,
    pub(super) values: Vec<Option<Value>>,
    pub(super) nodes: Vec<Option<Node>>,
    /// Every live node once, producers before users.
    pub(super) order: Vec<NodeId>,
    pub(super) inputs: Vec<ValueId>,
    pub(super) outputs: Vec<ValueId>,
    pub(super) names: HashMap<String, ValueId>,
}

/// One value: an input of the graph, a constant, or what a node computes.
#[derive(Clone, Debug)]
pub struct Value {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) source: ValueSource,
}

impl Value {
    /// Unique in its graph.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Extents of all axes.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Where it comes from.
    pub fn source(&self) -> &ValueSource {
        &self.source
    }
}

/// Where a value comes from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ValueSource {
    /// Given when the graph runs.
    Input,
    /// Known now.
    Constant(Arc<Tensor>),
    /// Computed by a node.
    Node(NodeId),
}

/// One application of an operation; every operation has one output.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) op: Op,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) output: ValueId,
}

impl Node {
    /// As the model file calls it; for messages. The output's name where the file gave none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The operation with its attributes.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Operands in order.
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// The value it computes.
    pub fn output(&self) -> ValueId {
        self.output
    }
}

impl Graph {
    pub(crate) fn empty(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: Vec::new(),
            nodes: Vec::new(),
            order: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            names: HashMap::new(),
        }
    }

    /// A graph of parts that nobody has checked: the parser's door.
    pub(crate) fn from_parts(
        name: String,
        values: Vec<Value>,
        nodes: Vec<Node>,
        inputs: Vec<ValueId>,
        outputs: Vec<ValueId>,
    ) -> Self {
        let names = values.iter().enumerate();
        let names = names.filter_map(|(i, value)| Some((value.name.clone(), ValueId::from_index(i)?))).collect();
        Self {
            name,
            values: values.into_iter().map(Some).collect(),
            order: (0..nodes.len()).filter_map(NodeId::from_index).collect(),
            nodes: nodes.into_iter().map(Some).collect(),
            inputs,
            outputs,
            names,
        }
    }

    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Values given when the graph runs, in order.
    pub fn inputs(&self) -> &[ValueId] {
        &self.inputs
    }

    /// Values the graph computes, in order.
    pub fn outputs(&self) -> &[ValueId] {
        &self.outputs
    }

    /// Nodes in the order they run: producers before users.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> {
        self.order.iter().filter_map(|&id| Some((id, self.nodes.get(id.index())?.as_ref()?)))
    }

    /// Live values: inputs, constants and node outputs, in the order they were made.
    pub fn values(&self) -> impl Iterator<Item = (ValueId, &Value)> {
        self.values.iter().enumerate().filter_map(|(i, v)| Some((ValueId::from_index(i)?, v.as_ref()?)))
    }

    /// A node of this graph.
    ///
    /// # Panics
    /// When the id belongs to a removed node or to another graph: a bug of the caller, never a matter of data.
    #[expect(clippy::panic, reason = "documented: ids are only made by the graph they index")]
    pub fn node(&self, id: NodeId) -> &Node {
        match self.get_node(id) {
            Some(node) => node,
            None => panic!("no node {id:?} in graph {}", self.name),
        }
    }

    /// A value of this graph.
    ///
    /// # Panics
    /// When the id belongs to a removed value or to another graph: a bug of the caller, never a matter of data.
    #[expect(clippy::panic, reason = "documented: ids are only made by the graph they index")]
    pub fn value(&self, id: ValueId) -> &Value {
        match self.get_value(id) {
            Some(value) => value,
            None => panic!("no value {id:?} in graph {}", self.name),
        }
    }

    /// A node, if it is (still) there.
    pub fn get_node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.index())?.as_ref()
    }

    /// A value, if it is (still) there.
    pub fn get_value(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.index())?.as_ref()
    }

    /// Shape of a value. Panics as [`Graph::value`].
    pub fn shape(&self, id: ValueId) -> &Shape {
        self.value(id).shape()
    }

    /// The tensor behind a value, if it is a constant.
    pub fn constant(&self, id: ValueId) -> Option<&Arc<Tensor>> {
        match &self.get_value(id)?.source {
            ValueSource::Constant(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The node that computes a value; none for inputs and constants.
    pub fn producer(&self, id: ValueId) -> Option<NodeId> {
        match self.get_value(id)?.source {
            ValueSource::Node(node) => Some(node),
            _ => None,
        }
    }

    /// Nodes that read a value, in running order; a node that reads it twice stands here once.
    pub fn users(&self, id: ValueId) -> Vec<NodeId> {
        self.nodes().filter(|(_, node)| node.inputs.contains(&id)).map(|(node, _)| node).collect()
    }

    /// How many times a value is read: operands of nodes plus outputs of the graph.
    pub fn use_count(&self, id: ValueId) -> usize {
        let operands = self.nodes().flat_map(|(_, node)| &node.inputs).filter(|&&input| input == id).count();
        operands + self.outputs.iter().filter(|&&output| output == id).count()
    }

    /// How many times each value is read, indexed by [`ValueId::index`]: one walk instead of one per value.
    pub fn use_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.values.len()];
        for &id in self.nodes().flat_map(|(_, node)| &node.inputs).chain(&self.outputs) {
            if let Some(count) = counts.get_mut(id.index()) {
                *count += 1;
            }
        }
        counts
    }

    /// The value of that name.
    pub fn find_value(&self, name: &str) -> Option<ValueId> {
        self.names.get(name).copied()
    }
}
