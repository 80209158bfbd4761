//! Runs a program tile by tile, with the key owner at the other end of a [`crate::RefreshPort`].
//!
//! ```text
//! prepare_streamed(&backend, &program, &options) -> Streamed    tiles, packed weights, the order of every step, its memory
//! run_streamed(&backend, &streamed, &mut port, progress)        one batch; inputs come, and tiles go and return, through the port
//! ```
//!
//! A tile is a list of elements of one value. Each operation says which elements of its operands a tile of its result needs, so the deepest tile
//! that can run always does, and what nobody reads again is freed: a network of convolutions holds a few rows of each layer and never
//! a whole tensor. The order of all steps is fixed beforehand, as if the key owner answered a request when [`StreamOptions::in_flight`] are
//! open and not before: both sides have work meanwhile, two runs take the same steps, and the peak of memory is known before the first.
//! Whatever the tiles, the results are the same bits.

mod memory;
mod order;
mod run;
mod task;
mod tiling;

use std::fmt;

use he_ir::{CipherType, Groups, HeProgram, WeightBlock};
use he_params::Scale;

pub use memory::StreamMemory;
pub use run::run_streamed;

use crate::{Backend, ExecuteError};
use order::Step;
use task::{Task, Work};
use tiling::Tilings;

/// Sizes of a streamed run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// Ciphertexts of a tile, about; `usize::MAX` for whole tensors.
    pub tile_values: usize,
    /// Requests to the key owner that are open at one time, at least 1.
    pub in_flight: usize,
}

impl Default for StreamOptions {
    /// Tiles of 512 ciphertexts, three under way.
    fn default() -> Self {
        Self { tile_values: 512, in_flight: 3 }
    }
}

/// A backend that computes on values that lie in several tiles.
pub trait TiledBackend: Backend {
    /// A block of weights, packed once for all tiles that multiply with it.
    type Block: Clone + Send + Sync;

    /// Packs a block.
    ///
    /// # Errors
    /// As the backend says; so for all that follow.
    fn pack_block(&self, block: &WeightBlock) -> Result<Self::Block, Self::Error>;

    /// The weights of one tile: `bias.len()` results of `inputs` values, groups over packed blocks.
    fn pack_tile(
        &self,
        inputs: usize,
        blocks: Vec<Self::Block>,
        groups: Groups,
        bias: Vec<f64>,
        weight_scale: Scale,
    ) -> Result<Self::Weights, Self::Error>;

    /// Bytes of a packed block.
    fn block_bytes(&self, block: &Self::Block) -> usize;

    /// Bytes of what a tile's weights hold beside their blocks.
    fn tile_bytes(&self, weights: &Self::Weights) -> usize;

    /// As [`Backend::linear`], input k being value `.1` of tensor `.0`.
    fn linear_of(
        &self,
        values: &[(&Self::Tensor, usize)],
        weights: &Self::Weights,
    ) -> Result<Self::Tensor, Self::Error>;

    /// The listed values as one tensor.
    fn gather_of(&self, values: &[(&Self::Tensor, usize)]) -> Result<Self::Tensor, Self::Error>;

    /// What came from the key owner, in the form that is computed with.
    fn settle(&self, tensor: Self::Tensor) -> Result<Self::Tensor, Self::Error>;
}

/// A program ready to run in tiles, as often as wanted, on the backend that prepared it.
pub struct Streamed<B: TiledBackend> {
    program: HeProgram,
    tilings: Tilings,
    tasks: Vec<Task<B::Weights>>,
    steps: Vec<Step>,
    memory: StreamMemory,
    weights_bytes: usize,
}

impl<B: TiledBackend> fmt::Debug for Streamed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tasks, steps) = (self.tasks.len(), self.steps.len());
        f.debug_struct("Streamed").field("tasks", &tasks).field("steps", &steps).field("memory", &self.memory).finish()
    }
}

impl<B: TiledBackend> Streamed<B> {
    /// The program.
    pub fn program(&self) -> &HeProgram {
        &self.program
    }

    /// Bytes of live tiles along a run.
    pub fn memory(&self) -> &StreamMemory {
        &self.memory
    }

    /// Bytes of packed weights, blocks that tiles share counted once.
    pub fn weights_bytes(&self) -> usize {
        self.weights_bytes
    }

    /// Bytes of the program, which copies of it share, and of the lists of its tiles, of what each reads and of the order of all steps.
    pub fn program_bytes(&self) -> usize {
        let tasks = self.tasks.iter().map(Task::byte_len).sum::<usize>();
        self.program.byte_len() + self.tilings.byte_len() + tasks + size_of_val(&self.steps[..])
    }

    /// Tiles of all values.
    pub fn tiles(&self) -> usize {
        self.tasks.len()
    }

    /// Requests to the key owner along a run: tiles of inputs and refreshed tiles.
    pub fn requests(&self) -> u64 {
        self.steps.iter().filter(|step| matches!(step, Step::Request { .. })).count() as u64
    }

    /// Those of them that are for one node of the program.
    pub fn requests_of(&self, node: usize) -> u64 {
        let of = |step: &&Step| match step {
            Step::Request { task, .. } => self.tasks.get(*task).is_some_and(|task| task.node == node),
            _ => false,
        };
        self.steps.iter().filter(of).count() as u64
    }

    /// Most ciphertexts that one request sends, or has answered.
    pub fn largest_request(&self) -> usize {
        let values = |task: &Task<B::Weights>| {
            let results = self.tilings.of(task.node).and_then(|t| t.tiles.get(task.tile)).map_or(0, |tile| tile.len());
            match &task.work {
                Work::Refresh { places: Some(places), .. } => places.len().max(results),
                Work::Input { .. } | Work::Refresh { places: None, .. } => results,
                Work::Linear { .. } | Work::Operands(_) => 0,
            }
        };
        self.tasks.iter().map(values).max().unwrap_or(0)
    }
}

/// Verifies `program`, cuts it into tiles, packs their weights and fixes the order of all steps.
///
/// # Errors
/// A program that is not sound, or that this backend cannot run; weights that it cannot hold.
pub fn prepare_streamed<B: TiledBackend>(
    backend: &B,
    program: &HeProgram,
    options: &StreamOptions,
) -> Result<Streamed<B>, ExecuteError> {
    crate::prepare::check(backend, program)?;
    let tilings = Tilings::new(program, options.tile_values.max(1));
    let (tasks, weights_bytes) = task::tasks(backend, program, &tilings)?;
    let steps = order::steps(&tilings, &tasks, options.in_flight.max(1));
    let memory = memory::plan(backend, program, &tilings, &tasks, &steps);
    Ok(Streamed { program: program.clone(), tilings, tasks, steps, memory, weights_bytes })
}

/// The type of a tile of so many values.
fn tile_type(value: &CipherType, values: usize) -> CipherType {
    CipherType { shape: vec![values], ..value.clone() }
}
