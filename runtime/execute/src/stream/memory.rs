//! How many bytes tiles take along a run, known before it.
//!
//! Counted are live tiles, those a request carries until it is answered (the port may hold them) and the answers to come, as whole
//! ciphertexts. While a task runs, its result stands beside what it reads.

use he_ir::HeProgram;

use super::order::Step;
use super::task::{Source, Task, Work};
use super::tiling::Tilings;
use super::{TiledBackend, tile_type};

/// Bytes of tiles along a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMemory {
    /// The largest number of bytes ever held.
    pub peak: usize,
    /// The layer during which that is, by the node's index.
    pub peak_node: usize,
    /// After each step, requests that are open included.
    pub(crate) after: Vec<usize>,
}

/// Which tiles have their last reader at each step.
pub(super) fn last_reads<W>(
    program: &HeProgram,
    tilings: &Tilings,
    tasks: &[Task<W>],
    steps: &[Step],
) -> Vec<Vec<usize>> {
    let mut last: Vec<Option<usize>> = vec![None; tilings.count()];
    for (at, step) in steps.iter().enumerate() {
        let (Step::Compute { task } | Step::Request { task, .. } | Step::Receive { task, .. }) = *step;
        if matches!(step, Step::Receive { .. }) {
            continue;
        }
        for &read in tasks.get(task).map(|t| t.reads.as_slice()).unwrap_or_default() {
            if let Some(last) = last.get_mut(read) {
                *last = Some(at);
            }
        }
    }
    // Outputs stay to the end.
    for (_, id) in program.outputs() {
        let tiles = tilings.of(id.index()).map_or(0, |tiling| tiling.tiles.len());
        for tile in 0..tiles {
            if let Some(last) = last.get_mut(tilings.number(id.index(), tile)) {
                *last = None;
            }
        }
    }
    let mut ends = vec![Vec::new(); steps.len()];
    for (tile, at) in last.into_iter().enumerate() {
        if let Some(ends) = at.and_then(|at| ends.get_mut(at)) {
            ends.push(tile);
        }
    }
    ends
}

pub(super) fn plan<B: TiledBackend>(
    backend: &B,
    program: &HeProgram,
    tilings: &Tilings,
    tasks: &[Task<B::Weights>],
    steps: &[Step],
) -> StreamMemory {
    let bytes = |task: usize| {
        let task = tasks.get(task)?;
        let values = tilings.of(task.node)?.tiles.get(task.tile)?.len();
        Some(backend.planned_bytes(&tile_type(program.nodes().get(task.node)?.value(), values)))
    };
    let bytes = |task: usize| bytes(task).unwrap_or_default();
    // What a request carries: a tile that nobody else reads, or a copy of values.
    let sent = |task: usize| {
        let task = tasks.get(task)?;
        let operand = program.node(*program.nodes().get(task.node)?.operands().first()?)?.value();
        match &task.work {
            Work::Refresh { places: Some(places), .. } => {
                Some(backend.planned_bytes(&tile_type(operand, places.len())))
            }
            Work::Refresh { places: None, .. } => Some(task.reads.iter().map(|&read| bytes(read)).sum()),
            _ => None,
        }
    };
    let ends = last_reads(program, tilings, tasks, steps);
    let (mut held, mut peak, mut peak_node) = (0usize, 0usize, 0);
    let mut after = Vec::with_capacity(steps.len());
    for (step, ends) in steps.iter().zip(&ends) {
        let (Step::Compute { task } | Step::Request { task, .. } | Step::Receive { task, .. }) = *step;
        let gathered = match tasks.get(task).map(|t| &t.work) {
            // Operands that are copied together stand beside the result while it is made.
            Some(Work::Operands(operands)) => {
                operands.iter().filter(|x| matches!(x, Source::Values(_))).count() * bytes(task)
            }
            _ => 0,
        };
        let (during, left) = match step {
            Step::Compute { .. } => (held + bytes(task) + gathered, held + bytes(task)),
            Step::Request { .. } => {
                let more = sent(task).unwrap_or_default() + bytes(task);
                (held + more, held + more)
            }
            Step::Receive { .. } => (held, held.saturating_sub(sent(task).unwrap_or_default())),
        };
        if during > peak {
            (peak, peak_node) = (during, tasks.get(task).map_or(0, |task| task.node));
        }
        held = left.saturating_sub(ends.iter().map(|&tile| bytes(tile)).sum());
        after.push(held);
    }
    StreamMemory { peak, peak_node, after }
}
