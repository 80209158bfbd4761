//! How many bytes live tensors take, known before anything runs.
//!
//! Inputs are held from the start. While a node runs, its operands and its result are held, unless the result takes over the
//! memory of an operand that nobody reads again; afterwards what had its last use is free. Packed weights and the scratch of
//! threads (a few polynomials each) are not tensors and stand apart.

use he_ir::{HeProgram, Node, Op};

use crate::Backend;

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
    pub fn new<B: Backend>(backend: &B, program: &HeProgram) -> Self {
        let bytes: Vec<usize> = program.nodes().iter().map(|node| backend.planned_bytes(node.value())).collect();
        let of = |index: usize| bytes.get(index).copied().unwrap_or_default();
        let in_place = |operand: usize, node: &Node| {
            let operand = program.nodes().get(operand);
            operand.is_some_and(|operand| backend.is_in_place(node.op(), operand.value(), node.value()))
        };
        let last = program.last_uses();
        let inputs = program.inputs().map(|(_, id, _)| of(id.index())).sum();
        let (mut held, mut peak): (usize, usize) = (inputs, inputs);
        let (mut during, mut after) = (Vec::new(), Vec::new());
        for (index, node) in program.nodes().iter().enumerate() {
            let result = if matches!(node.op(), Op::Input { .. }) { 0 } else { of(index) };
            let mut read: Vec<usize> = node.operands().iter().map(|id| id.index()).collect();
            let ends = |value: &usize| last.get(*value) == Some(&index);
            let taken_over = match *read {
                [x, y] if x == y => 0,
                [x, ..] if ends(&x) && in_place(x, node) => of(x).min(result),
                _ => 0,
            };
            let now = held + result - taken_over;
            during.push(now);
            peak = peak.max(now);
            read.sort_unstable();
            read.dedup();
            let freed: usize = read.iter().filter(|value| ends(value)).map(|&value| of(value)).sum();
            let unread = if last.get(index) == Some(&index) { of(index) } else { 0 };
            held = held + result - freed - unread;
            after.push(held);
        }
        Self { during, after, inputs, peak }
    }
}
