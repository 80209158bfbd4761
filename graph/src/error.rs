//! Everything that can be wrong with a graph, both sides shown.

use std::fmt;

use crate::Shape;

/// A shape that cannot be, or operands that do not fit an operation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The batch stands at axis 0 or nowhere.
    #[error("the batch must stay at axis 0, here it is at axis {axis}")]
    BatchAxis {
        /// Where it was.
        axis: usize,
    },
    /// An extent of 0.
    #[error("axis {axis} has extent 0")]
    EmptyAxis {
        /// Which.
        axis: usize,
    },
    /// Too many axes.
    #[error("{found} axes, at most {limit} are supported")]
    TooManyAxes {
        /// How many.
        found: usize,
        /// How many are supported.
        limit: usize,
    },
    /// Too many elements.
    #[error("shape {shape} has more than {limit} elements per image")]
    TooLarge {
        /// The shape.
        shape: String,
        /// The limit.
        limit: usize,
    },
    /// As many elements as extents say.
    #[error("extents {dims:?} do not hold {found} elements")]
    ElementCount {
        /// The extents.
        dims: Vec<usize>,
        /// Elements given.
        found: usize,
    },
    /// Wrong number of operands.
    #[error("takes {expected} operands, found {found}")]
    OperandCount {
        /// What the operation takes: `2`, `2 or 3`.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// Wrong rank.
    #[error("{what}: expected rank {expected}, found {shape}")]
    Rank {
        /// Which operand.
        what: &'static str,
        /// What the operation takes: `2`, `at least 3`.
        expected: String,
        /// What it got.
        shape: Shape,
    },
    /// Two operands that do not fit each other.
    #[error("{what}: left {left}, right {right}")]
    Mismatch {
        /// What must agree.
        what: &'static str,
        /// Left side.
        left: String,
        /// Right side.
        right: String,
    },
    /// An attribute outside of its range for these operands.
    #[error("{attribute}: expected {expected}, found {found}")]
    Attribute {
        /// Its name.
        attribute: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl ShapeError {
    pub(crate) fn mismatch(what: &'static str, left: impl fmt::Display, right: impl fmt::Display) -> Self {
        Self::Mismatch { what, left: left.to_string(), right: right.to_string() }
    }

    pub(crate) fn attribute(attribute: &'static str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Attribute { attribute, expected: expected.into(), found: found.into() }
    }
}

/// A change that the guarded editor refuses.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The operands do not fit the operation.
    #[error("node {node} ({op}): {source}")]
    Shape {
        /// Its name.
        node: String,
        /// Its operation.
        op: &'static str,
        /// Why.
        source: ShapeError,
    },
    /// A shape that cannot be.
    #[error("value {value}: {source}")]
    ValueShape {
        /// Its name.
        value: String,
        /// Why.
        source: ShapeError,
    },
    /// An id that is not (any more) in this graph.
    #[error("{what} is not in this graph")]
    Unknown {
        /// The id.
        what: String,
    },
    /// Removing what is still read.
    #[error("value {value} is still used by {user}")]
    StillUsed {
        /// Its name.
        value: String,
        /// Who reads it.
        user: String,
    },
    /// Putting one value in the place of another of a different shape.
    #[error("cannot put {new} {new_shape} in the place of {old} {old_shape}")]
    ReplaceShape {
        /// Name of the old value.
        old: String,
        /// Its shape.
        old_shape: Shape,
        /// Name of the new one.
        new: String,
        /// Its shape.
        new_shape: Shape,
    },
    /// A node would read a value that is computed after it.
    #[error("{user} would read {value} before it is computed")]
    Order {
        /// The reading node.
        user: String,
        /// The value.
        value: String,
    },
    /// More than `u32::MAX - 1` nodes or values.
    #[error("the graph is full")]
    Full,
    /// Only nodes compute: inputs stay.
    #[error("{value} is an input of the graph and cannot be removed")]
    InputRemoved {
        /// Its name.
        value: String,
    },
    /// A graph without outputs.
    #[error("a graph needs at least one output")]
    NoOutput,
}

/// A graph that cannot be built or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Refused while it was built.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A broken rule.
    #[error(transparent)]
    Verify(#[from] VerifyErrors),
    /// Operands that do not fit, met while running.
    #[error("node {node} ({op}): {source}")]
    Shape {
        /// Its name.
        node: String,
        /// Its operation.
        op: &'static str,
        /// Why.
        source: ShapeError,
    },
    /// Wrong number of inputs given to the interpreter.
    #[error("the graph takes {expected} inputs, found {found}")]
    InputCount {
        /// Inputs of the graph.
        expected: usize,
        /// Tensors given.
        found: usize,
    },
    /// An input that is not what the graph declares.
    #[error("input {input}: expected shape {expected}, found {found:?}")]
    InputShape {
        /// Its name.
        input: String,
        /// As declared.
        expected: Shape,
        /// As given.
        found: Vec<usize>,
    },
    /// Inputs with different numbers of images, or none.
    #[error("inputs hold {left} and {right} images")]
    BatchMismatch {
        /// Images of the first input.
        left: usize,
        /// Images of another.
        right: usize,
    },
    /// A tensor that cannot be.
    #[error(transparent)]
    Tensor(#[from] ShapeError),
}

/// One broken rule of a graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A node reads a value that is not there.
    #[error("node {node} ({op}) reads {value}, which is not in the graph")]
    UnknownOperand {
        /// The node.
        node: String,
        /// Its operation.
        op: &'static str,
        /// The id.
        value: String,
    },
    /// A node reads a value that is computed later.
    #[error("node {node} ({op}) reads {value} before it is computed")]
    UseBeforeDefinition {
        /// The node.
        node: String,
        /// Its operation.
        op: &'static str,
        /// The value.
        value: String,
    },
    /// Operands that do not fit the operation.
    #[error("node {node} ({op}): {source}")]
    Shape {
        /// The node.
        node: String,
        /// Its operation.
        op: &'static str,
        /// Why.
        source: ShapeError,
    },
    /// The recorded shape is not what the shape rule gives.
    #[error("node {node} ({op}): recorded shape {recorded}, its operands give {inferred}")]
    WrongShape {
        /// The node.
        node: String,
        /// Its operation.
        op: &'static str,
        /// In the graph.
        recorded: Shape,
        /// By the rule.
        inferred: Shape,
    },
    /// A constant and its recorded shape differ.
    #[error("constant {value}: recorded shape {recorded}, its tensor has {found:?}")]
    ConstantShape {
        /// Its name.
        value: String,
        /// In the graph.
        recorded: Shape,
        /// Of the tensor.
        found: Vec<usize>,
    },
    /// A constant that is infinite or not a number.
    #[error("constant {value}: element {index} is {found}")]
    NotFinite {
        /// Its name.
        value: String,
        /// Position in row-major order.
        index: usize,
        /// What stands there.
        found: f64,
    },
    /// Two values of one name.
    #[error("two values are called {name}")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// An output that is not there.
    #[error("output {value} is not in the graph")]
    UnknownOutput {
        /// The id.
        value: String,
    },
    /// Nothing to compute.
    #[error("a graph needs at least one output")]
    NoOutput,
    /// The arena and the running order contradict each other: a bug of this crate.
    #[error("{what}")]
    Structure {
        /// What.
        what: String,
    },
}

/// Every broken rule of a graph, one a line.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifyErrors(pub Vec<VerifyError>);

impl fmt::Display for VerifyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for VerifyErrors {}
