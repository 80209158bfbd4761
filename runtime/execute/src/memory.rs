//! How many bytes live tensors take, known before anything runs.
//!
//! Inputs are held from the start, planned as whole ciphertexts: those that arrive as a seed hold less. While a node runs, its
//! operands and its result are held, except for what an operand at its last use gives up on the way (the backend says how
//! much); afterwards what had its last use is free. A square that is fused into a linear map is never held. Packed weights
//! and the scratch of threads (a few polynomials each) are not tensors and stand apart.

use he_ir::{CipherType, HeProgram, Op};

use crate::Backend;
use crate::schedule::Schedule;

/// Bytes of live tensors along a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// While node i runs.
    pub during: Vec<usize>,
    /// After node i, when what it consumed is free.
    pub after: Vec<usize>,
    /// All inputs, before the first node.
    pub inputs: usize,
    /// The largest number of bytes ever held.
    pub peak: usize,
}

impl MemoryPlan {
    /// The plan for one run of `program` on `backend`.
    pub(crate) fn new<B: Backend>(backend: &B, program: &HeProgram, schedule: &Schedule) -> Self {
        let nodes = program.nodes();
        let value = |index: usize| -> Option<&CipherType> { Some(nodes.get(index)?.value()) };
        let bytes = |index: usize| match value(index) {
            Some(value) if !schedule.is_fused(index) => backend.planned_bytes(value),
            _ => 0,
        };
        let inputs = program.inputs().map(|(_, id, _)| bytes(id.index())).sum();
        let (mut held, mut peak): (usize, usize) = (inputs, inputs);
        let (mut during, mut after) = (Vec::new(), Vec::new());
        for (index, node) in nodes.iter().enumerate() {
            let result = if matches!(node.op(), Op::Input { .. }) { 0 } else { bytes(index) };
            let mut read: Vec<usize> = match schedule.is_fused(index) {
                true => Vec::new(),
                false => schedule.operands(program, node).iter().map(|id| id.index()).collect(),
            };
            let growth = match *read {
                [x, y] if x == y => result,
                [x, ..] if schedule.last_use(x) == index => {
                    value(x).map_or(result, |x| backend.planned_growth(node.op(), x, node.value()))
                }
                _ => result,
            };
            during.push(held + growth);
            peak = peak.max(held + growth);
            read.sort_unstable();
            read.dedup();
            let freed: usize = read.into_iter().filter(|&x| schedule.last_use(x) == index).map(bytes).sum();
            let unread = if schedule.last_use(index) == index { bytes(index) } else { 0 };
            held = held + result - freed - unread;
            after.push(held);
        }
        Self { during, after, inputs, peak }
    }
}
