//! The operations of a program.

use std::sync::Arc;

use he_params::Level;

use crate::{LinearMap, Refresh, RefreshGroup};

/// One operation on tensors of ciphertexts. Its operands stand in the node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// What the key owner encrypts. No operand.
    Input {
        /// Name of the model's input.
        name: String,
    },
    /// Weighted sums and a bias. One operand, of 2 or 3 components; scale is multiplied by the weights' scale.
    Linear {
        /// The weights.
        map: Arc<LinearMap>,
    },
    /// Element-wise sum of two operands of equal shape and level, and scales that differ by rounding at most.
    Add,
    /// Element-wise difference, as `Add`.
    Sub,
    /// One operand, exact.
    Negate,
    /// Adds one real number to each element; scale unchanged.
    AddConstant {
        /// One per element.
        values: Arc<Vec<f64>>,
    },
    /// Element-wise product of two operands of 2 components; result has 3, scales multiply.
    Mul,
    /// Element-wise square of one operand of 2 components; result has 3.
    Square,
    /// 3 components to 2.
    Relinearize,
    /// Divides by the last prime, and the scale with it.
    Rescale,
    /// `Relinearize` and `Rescale` by one division: 3 components to 2, rounded once, so a coefficient may be one off that of the two.
    RelinearizeRescale,
    /// Drops primes down to `to`; scale kept.
    DropLevel {
        /// The level of the result.
        to: Level,
    },
    /// Moves elements: element i of the result is element `indices[i]` of the operand. Reshapes and transposes end here.
    Gather {
        /// One per element of the result.
        indices: Arc<Vec<u32>>,
        /// Shape of the result.
        shape: Vec<usize>,
    },
    /// A function that the key owner computes on decrypted numbers. One operand or several of one level and scale, of 2 components; the
    /// result is encrypted afresh.
    Refresh {
        /// The function, and the state of what comes back.
        refresh: Arc<Refresh>,
    },
}

impl Op {
    /// The verb of the text form and of every report.
    pub fn verb(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::Linear { .. } => "linear",
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Negate => "negate",
            Op::AddConstant { .. } => "add_constant",
            Op::Mul => "mul",
            Op::Square => "square",
            Op::Relinearize => "relinearize",
            Op::Rescale => "rescale",
            Op::RelinearizeRescale => "relinearize_rescale",
            Op::DropLevel { .. } => "drop_level",
            Op::Gather { .. } => "gather",
            Op::Refresh { .. } => "refresh",
        }
    }

    /// Whether it takes the relinearization key.
    pub fn relinearizes(&self) -> bool {
        matches!(self, Op::Relinearize | Op::RelinearizeRescale)
    }

    /// The weights, constants, indices or groups that it holds, shared with its copies: where they lie, and their bytes.
    pub(crate) fn shared(&self) -> Option<(*const (), usize)> {
        match self {
            Op::Linear { map } => Some((Arc::as_ptr(map).cast(), map.byte_len())),
            Op::AddConstant { values } => Some((Arc::as_ptr(values).cast(), size_of_val(&values[..]))),
            Op::Gather { indices, .. } => Some((Arc::as_ptr(indices).cast(), size_of_val(&indices[..]))),
            Op::Refresh { refresh } => {
                let groups = refresh.groups.iter().flatten().map(RefreshGroup::byte_len).sum();
                Some((Arc::as_ptr(refresh).cast(), groups))
            }
            _ => None,
        }
    }

    /// Number of operands; of a refresh, the fewest.
    pub fn arity(&self) -> usize {
        match self {
            Op::Input { .. } => 0,
            Op::Add | Op::Sub | Op::Mul => 2,
            _ => 1,
        }
    }
}
