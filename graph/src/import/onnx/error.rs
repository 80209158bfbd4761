//! What can be wrong with a model file.

use std::path::PathBuf;

use crate::{EditError, ShapeError, VerifyErrors};

/// A model that cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is larger than the caller allows.
    #[error("the model has more than {limit} bytes")]
    FileTooLarge {
        /// What is allowed.
        limit: usize,
    },
    /// More fields than any model has.
    #[error("the model has more than {limit} fields")]
    TooManyFields {
        /// What is allowed.
        limit: usize,
    },
    /// More nodes than the caller allows.
    #[error("the model has {found} nodes, at most {limit} are allowed")]
    TooManyNodes {
        /// In the file.
        found: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The file ends early.
    #[error("truncated model: the field at byte {at} has {length} bytes, {present} are left")]
    Truncated {
        /// Where the field begins.
        at: usize,
        /// How long it says it is.
        length: usize,
        /// What is there.
        present: usize,
    },
    /// Bytes that are no protobuf.
    #[error("not an ONNX model: at byte {at}: {source}")]
    Malformed {
        /// Where the field begins.
        at: usize,
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// A protobuf group, which ONNX does not use.
    #[error("not an ONNX model: group {tag} at byte {at}")]
    Group {
        /// Where it begins.
        at: usize,
        /// Its tag.
        tag: u32,
    },
    /// Fields of other types than ONNX's.
    #[error("not an ONNX model: {source}")]
    Decode {
        /// What the decoder said.
        source: prost::DecodeError,
    },
    /// A part of a model that is not there.
    #[error("not an ONNX model: no {what}")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// A feature of ONNX that is not supported.
    #[error("{what} are not supported")]
    Unsupported {
        /// What.
        what: &'static str,
    },
    /// An operator set of another version.
    #[error("opset {found} of the default domain is not supported, {} to {} are", supported.0, supported.1)]
    Opset {
        /// In the file.
        found: i64,
        /// First and last version.
        supported: (i64, i64),
    },
    /// A tensor that cannot be read.
    #[error("tensor {tensor}: {reason}")]
    Tensor {
        /// Its name.
        tensor: String,
        /// Why.
        reason: String,
    },
    /// An input or output that cannot be.
    #[error("{value}: {reason}")]
    Value {
        /// Its name.
        value: String,
        /// Why.
        reason: String,
    },
    /// A name that stands for two things.
    #[error("{name} is defined twice")]
    DefinedTwice {
        /// The name.
        name: String,
    },
    /// A node that cannot be imported.
    #[error("node {node} ({op}): {source}")]
    Node {
        /// Its name, or that of its first output.
        node: String,
        /// Its operator.
        op: String,
        /// Why.
        source: Box<NodeError>,
    },
    /// Refused by the graph.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Refused by the verifier.
    #[error(transparent)]
    Verify(#[from] VerifyErrors),
}

/// What can be wrong with one node.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// An operator outside of the supported ones.
    #[error("unknown operator")]
    UnknownOperator,
    /// An operator of another domain.
    #[error("unknown operator domain {0}")]
    UnknownDomain(String),
    /// An attribute that the operator does not have, or not in this opset.
    #[error("unknown attribute {0}")]
    UnknownAttribute(String),
    /// An attribute outside of what is supported.
    #[error("attribute {attribute}: expected {expected}, found {found}")]
    Attribute {
        /// Its name.
        attribute: String,
        /// What is supported.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// Wrong number of operands.
    #[error("takes {expected} operands, found {found}")]
    OperandCount {
        /// What the operator takes.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// An operand that nothing before the node defines.
    #[error("operand {0} is not defined before")]
    UnknownOperand(String),
    /// An operand that must be there.
    #[error("operand {0} is missing")]
    MissingOperand(&'static str),
    /// An operand that must be known while importing.
    #[error("operand {operand} ({value}) must be a constant of type {expected}")]
    NotConstant {
        /// Its role.
        operand: &'static str,
        /// Its name.
        value: String,
        /// Its type.
        expected: &'static str,
    },
    /// An integer tensor where numbers are computed with.
    #[error("operand {0} is an integer tensor, only float and double can be computed with")]
    IntegerOperand(String),
    /// More outputs than one.
    #[error("expected 1 output, found {0}")]
    OutputCount(usize),
    /// An output whose name stands for something already.
    #[error("output {0} is defined twice")]
    DefinedTwice(String),
    /// Operands that do not fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Refused by the graph.
    #[error(transparent)]
    Edit(EditError),
    /// A tensor that cannot be read.
    #[error("{0}")]
    Tensor(String),
}

impl From<EditError> for NodeError {
    fn from(error: EditError) -> Self {
        match error {
            // The node is named around it already.
            EditError::Shape { source, .. } | EditError::ValueShape { source, .. } => NodeError::Shape(source),
            other => NodeError::Edit(other),
        }
    }
}
