//! ONNX models into graphs.
//!
//! Operators: Add, ArgMax, AveragePool, BatchNormalization (inference), Clip, Concat, Constant, Conv, Div, Dropout
//! (inference), Exp, Flatten, Gemm, GlobalAveragePool, GlobalMaxPool, Identity, LeakyRelu, MatMul, Max, MaxPool, Min, Mul,
//! Neg, Pad (constant), Pow, ReduceMax, ReduceMean, ReduceSum, Relu, Reshape, Sigmoid, Softmax, Squeeze, Sub, Sum, Tanh,
//! Transpose, Unsqueeze, of opsets [`OPSETS`] of the default domain. Anything else is an error that names node, operator
//! and attribute.
//!
//! Axis 0 of every input is the batch. A model that declares a batch of, say, 16 is read as one for any batch: a
//! leading Reshape entry of 16 becomes symbolic with it. Initialisers may also be listed as inputs, as files before
//! IR version 4 do.
//!
//! Source: the ONNX specification (`docs/IR.md`, `docs/Operators.md` and `onnx/onnx.proto` of the ONNX project).

mod assemble;
mod attributes;
mod error;
mod limits;
mod operators;
mod proto;
mod tensor;

use std::io::Read;
use std::ops::RangeInclusive;
use std::path::Path;

use prost::Message;

pub use error::{NodeError, OnnxError};
pub use tensor::tensor_from_bytes;

use crate::Graph;

/// Versions of the default operator set whose operators mean what this importer takes them to mean.
pub const OPSETS: RangeInclusive<i64> = 7..=22;

/// How to read a model.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What axis 0 of the inputs is.
    pub batch: BatchAxis,
    /// Largest file, in bytes.
    pub max_bytes: usize,
    /// Most nodes.
    pub max_nodes: usize,
}

impl Default for ImportOptions {
    /// Symbolic batch, at most 256 MiB and 10,000 nodes.
    fn default() -> Self {
        Self { batch: BatchAxis::Symbolic, max_bytes: 256 << 20, max_nodes: 10_000 }
    }
}

/// What axis 0 of the inputs is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchAxis {
    /// The batch: any number of images, whatever the model declares.
    #[default]
    Symbolic,
    /// An axis like any other, with the declared extent.
    AsDeclared,
}

/// Reads a model file.
///
/// # Errors
/// A file that cannot be read or is too large, bytes that are no model, a model outside of what is supported.
pub fn load(path: impl AsRef<Path>, options: &ImportOptions) -> Result<Graph, OnnxError> {
    let path = path.as_ref();
    let failed = |source| OnnxError::Io { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(options.max_bytes).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    from_bytes(&bytes, options)
}

/// Reads a model from memory.
///
/// # Errors
/// As [`load`], but for the file.
pub fn from_bytes(bytes: &[u8], options: &ImportOptions) -> Result<Graph, OnnxError> {
    if bytes.len() > options.max_bytes {
        return Err(OnnxError::FileTooLarge { limit: options.max_bytes });
    }
    limits::check(bytes)?;
    let model = proto::ModelProto::decode(bytes).map_err(|source| OnnxError::Decode { source })?;
    assemble::assemble(&model, options)
}
