//! Places relinearize, rescale and drop_level: from a circuit to a HeProgram.
//!
//! **Scales.** Each level has one scale, S_L that of the inputs. Where a product reads at level l, its scale S_l^2 becomes S_(l-1) = S_l^2 / q_l, and
//! a linear map at that level uses S_l as its weights' scale. Where only linear maps read, the chain states a weight scale W_l of its own, small
//! like its prime, and S_(l-1) = S_l W_l / q_l. One rescale brings either to the scale of the level below, so operands of a sum agree by
//! construction; a value that is wanted further down is brought there by an identity map. An output that comes from a linear map may be
//! left at level 1 without its rescale: that saves the rounding error of the last one.
//!
//! **When to relinearize and rescale.** A product may stay as it is (three components, its rescale owed) through the linear map that follows:
//! then fewer ciphertexts are relinearized and rescaled, while the map works on half as much again. Which is cheaper depends on the
//! layer; the choice minimises the cost model's seconds over the circuit, by dynamic programming over (components, rescales owed). In the
//! spirit of the lazy placement of \[EVA20\], with relinearization added.
//!
//! A relinearize with a rescale behind it is one operation where the chain says so: one division by both primes, with fewer transforms and one rounding.
//! SEAL has no such operation; programs that are to give SEAL's residues keep the two apart.
//!
//! A ciphertext of three components is never rescaled: the rounding error of its third component would be multiplied by s^2, whose
//! values in the slots are of the order of N, where that of the second is multiplied by s, of the order of sqrt(N).

mod carried;
mod emit;
mod quantise;
mod search;

use std::sync::Arc;

use graph::affine::AffineMap;
use he_ir::{HeIrError, HeProgram};
use he_params::{ParamsError, RingShape, Scale};
use serde::{Deserialize, Serialize};

pub use self::search::State;
use crate::PassReport;
use crate::cost::{CostModel, Words};
use crate::lowering::Circuit;

/// The modulus chain a program is placed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The ring.
    pub shape: RingShape,
    /// Ciphertext primes q_0..q_L.
    pub q: Vec<u64>,
    /// Special primes.
    pub p: Vec<u64>,
    /// Scale of the inputs.
    pub input_scale: Scale,
    /// Whether a relinearize and the rescale behind it are one operation, which rounds once.
    pub fused: bool,
    /// How scales and levels follow from there.
    pub management: Management,
}

/// How scales and levels of a program are managed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Management {
    /// Each operation says what follows it: for circuits in which every operation reads the one before.
    Carried(Vec<Step>),
    /// One scale per level.
    Levelled(Levels),
}

/// What is done to the result of one node of the circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Scale of its weights, when it is a linear map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_scale: Option<Scale>,
    /// Whether its result is relinearized.
    #[serde(default)]
    pub relinearize: bool,
    /// How often it is rescaled then.
    #[serde(default)]
    pub rescales: u8,
}

/// What is not the default of one scale per level.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// For each level, W_l where only linear maps read at it; entry 0 is never used, and absent entries are `None`.
    pub weight_scales: Vec<Option<Scale>>,
    /// Weight scale of linear maps that make an output: these outputs stay at level 1, not rescaled. `None`: they are rescaled like all others.
    pub output_weight_scale: Option<Scale>,
    /// The state in which each node's value is handed on; empty: chosen by cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed: Vec<State>,
}

impl Chain {
    /// The chain with what `placed` chose, so that another cost model gives the same program.
    #[must_use]
    pub fn decided(&self, placed: &Placed) -> Chain {
        let management = match &self.management {
            Management::Levelled(levels) => {
                Management::Levelled(Levels { handed: placed.handed.clone(), ..levels.clone() })
            }
            carried => carried.clone(),
        };
        Chain { management, ..self.clone() }
    }

    /// The scales of weights that it states; each is that of one layer or of several.
    pub(crate) fn weight_scales_mut(&mut self) -> impl Iterator<Item = &mut Scale> {
        let (steps, levels) = match &mut self.management {
            Management::Carried(steps) => (Some(steps), None),
            Management::Levelled(levels) => (None, Some(levels)),
        };
        let steps = steps.into_iter().flatten().filter_map(|step| step.weight_scale.as_mut());
        steps.chain(
            levels
                .into_iter()
                .flat_map(|levels| levels.weight_scales.iter_mut().chain([&mut levels.output_weight_scale]).flatten()),
        )
    }

    fn words(&self) -> Words {
        Words::new(&self.q, &self.p)
    }
}

/// A circuit placed on a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The program.
    pub program: HeProgram,
    /// For each value of the program the circuit node whose message it carries.
    pub origins: Vec<usize>,
    /// For each value of the program that a linear map of the circuit makes, the real weights that its integers stand for.
    pub real_weights: Vec<Option<Arc<AffineMap>>>,
    /// The state in which the value of each circuit node is handed on.
    pub handed: Vec<State>,
    /// Where products are relinearized.
    pub report: PassReport,
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
    /// A plan for another circuit.
    #[error("node {node} ({op}): {reason}")]
    Plan {
        /// The layer.
        node: String,
        /// Its operation.
        op: &'static str,
        /// What the plan has that the circuit has not, or the other way round.
        reason: &'static str,
    },
    /// States that the operations of the circuit cannot leave.
    #[error("the plan hands values on in states that the circuit's operations do not leave")]
    Handed,
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
pub fn place(circuit: &Circuit, chain: &Chain, costs: &CostModel) -> Result<Placed, PlacementError> {
    match &chain.management {
        Management::Carried(steps) => carried::emit(circuit, chain, steps),
        Management::Levelled(levels) => {
            let depth = circuit.depth();
            if chain.q.len() <= depth {
                return Err(PlacementError::ChainTooShort { depth, primes: chain.q.len() });
            }
            let free_outputs = free_outputs(circuit, levels);
            let plan = match levels.handed.as_slice() {
                [] => search::cheapest(circuit, chain, levels, costs, &free_outputs)?,
                handed => search::given(circuit, handed).ok_or(PlacementError::Handed)?,
            };
            emit::emit(circuit, chain, levels, &plan, &free_outputs)
        }
    }
}

/// Which nodes are outputs that keep their last rescale.
fn free_outputs(circuit: &Circuit, levels: &Levels) -> Vec<bool> {
    let mut free = vec![false; circuit.nodes.len()];
    if levels.output_weight_scale.is_some() {
        circuit.linear_outputs().for_each(|index| free[index] = true);
    }
    free
}

#[cfg(test)]
mod tests;
