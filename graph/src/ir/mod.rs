//! The intermediate representation: ids, shapes, constants, the graph, and the two ways to write one.

mod build;
mod edit;
mod graph;
mod ids;
mod shape;
mod tensor;
mod verify;

pub use build::{Expr, GraphBuilder};
pub use edit::GraphEditor;
pub use graph::{Graph, Node, Value, ValueSource};
pub use ids::{NodeId, ValueId};
pub use shape::{Dim, Shape};
pub use tensor::Tensor;

#[cfg(test)]
mod tests;
