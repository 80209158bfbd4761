//! Places relinearize, rescale and drop_level: from a circuit to a HeProgram.
//!
//! **Scales.** Each level has one scale: S_L is the input's, S_(l-1) = S_l^2 / q_l. A product at level l has scale S_l^2, a linear map uses S_l as
//! its weights' scale, and one rescale by q_l brings both to S_(l-1). So operands of a sum agree by construction; a value that is wanted
//! further down is brought there by an identity map. Only an output may have a scale of its own, for the sake of a small q_0.
//!
//! **When to relinearize and rescale.** A product may stay as it is (three components, its rescale owed) through the linear map that follows:
//! then fewer ciphertexts are relinearized and rescaled, while the map works on half as much again. Which is cheaper depends on the
//! layer; the choice minimises the cost model's seconds over the circuit, by dynamic programming over (components, rescales owed). In the
//! spirit of the lazy placement of [EVA20], with relinearization added.
//!
//! A ciphertext of three components is never rescaled: the rounding error of its third component would be multiplied by s^2, whose
//! values in the slots are of the order of N, where that of the second is multiplied by s, of the order of sqrt(N).

mod emit;
mod search;

use he_ir::{HeIrError, HeProgram};
use he_params::{ParamsError, Scale};

use crate::PassReport;
use crate::cost::{CostModel, Words};
use crate::lowering::Circuit;

/// The modulus chain a program is placed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// log2 of the ring degree.
    pub log_n: u32,
    /// Ciphertext primes q_0..q_L.
    pub q: Vec<u64>,
    /// Special primes.
    pub p: Vec<u64>,
    /// Scale of the inputs at level L.
    pub input_scale: Scale,
    /// Scale of outputs that come from a linear map; that of level 0 where absent.
    pub output_scale: Option<Scale>,
}

impl Chain {
    /// The scale of each level, S_0 first.
    ///
    /// # Errors
    /// When a scale leaves the range of `f64`: scales that are far from their primes square themselves away.
    pub fn level_scales(&self) -> Result<Vec<Scale>, ParamsError> {
        let mut scale = self.input_scale;
        let mut scales = vec![scale];
        for &prime in self.q.iter().skip(1).rev() {
            scale = scale.times(scale)?.over(prime)?;
            scales.push(scale);
        }
        scales.reverse();
        Ok(scales)
    }

    fn words(&self) -> Words {
        Words::new(&self.q, &self.p)
    }
}

/// Why a circuit does not fit a chain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// Fewer primes than levels.
    #[error("the circuit multiplies {depth} times in a row and needs {} ciphertext primes, the chain has {primes}", depth + 1)]
    ChainTooShort {
        /// Multiplicative depth.
        depth: usize,
        /// Ciphertext primes.
        primes: usize,
    },
    /// A weight that is no 53-bit integer at its scale.
    #[error("node {node}: weight {weight} at scale {scale} is not an integer below 2^53")]
    Weight {
        /// The layer.
        node: String,
        /// The weight.
        weight: f64,
        /// The weights' scale.
        scale: Scale,
    },
    /// A scale outside the range of `f64`.
    #[error(transparent)]
    Scale(#[from] ParamsError),
    /// The program's own rules refuse.
    #[error("{}", list(.0))]
    Program(Vec<HeIrError>),
}

fn list(errors: &[HeIrError]) -> String {
    errors.iter().map(HeIrError::to_string).collect::<Vec<_>>().join("; ")
}

impl From<HeIrError> for PlacementError {
    fn from(error: HeIrError) -> Self {
        PlacementError::Program(vec![error])
    }
}

/// Places the circuit on the chain.
///
/// # Errors
/// See [`PlacementError`].
pub fn place(circuit: &Circuit, chain: &Chain, costs: &CostModel) -> Result<(HeProgram, PassReport), PlacementError> {
    let depth = circuit.depth();
    if chain.q.len() <= depth {
        return Err(PlacementError::ChainTooShort { depth, primes: chain.q.len() });
    }
    let plan = search::cheapest(circuit, &chain.words(), chain.log_n, costs);
    emit::emit(circuit, chain, &plan)
}

#[cfg(test)]
mod tests;
