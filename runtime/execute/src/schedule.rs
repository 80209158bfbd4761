//! Which nodes run on their own, and when a value is read for the last time.
//!
//! A square that one linear map reads and nobody else is no step of its own where the backend fuses the two: the map then
//! reads what the square would have read.

use he_ir::{HeProgram, Node, Op, ValueId};

use crate::Backend;

/// The order of a run is that of the program; this is what the program does not say.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    last_uses: Vec<usize>,
    fused: Vec<bool>,
}

impl Schedule {
    pub(crate) fn new<B: Backend>(backend: &B, program: &HeProgram) -> Self {
        let nodes = program.nodes();
        let mut schedule = Self { last_uses: program.last_uses(), fused: vec![false; nodes.len()] };
        if !backend.fuses_squares() {
            return schedule;
        }
        let mut reads = vec![0usize; nodes.len()];
        for id in nodes.iter().flat_map(Node::operands) {
            if let Some(count) = reads.get_mut(id.index()) {
                *count += 1;
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            let (Op::Square, Some(&x), Some(1)) = (node.op(), node.operands().first(), reads.get(index)) else {
                continue;
            };
            // An output of the program is read after the last node.
            let reader = schedule.last_use(index);
            if !nodes.get(reader).is_some_and(|node| matches!(node.op(), Op::Linear { .. })) {
                continue;
            }
            if let (Some(last), Some(fused)) = (schedule.last_uses.get_mut(x.index()), schedule.fused.get_mut(index)) {
                (*last, *fused) = ((*last).max(reader), true);
            }
        }
        schedule
    }

    /// The last node that reads a value.
    pub(crate) fn last_use(&self, value: usize) -> usize {
        self.last_uses.get(value).copied().unwrap_or(value)
    }

    /// Whether a node is part of its reader's step.
    pub(crate) fn is_fused(&self, index: usize) -> bool {
        self.fused.get(index).copied().unwrap_or_default()
    }

    /// What a step reads: the operands of its node, or those of the node that is fused into it.
    pub(crate) fn operands<'a>(&self, program: &'a HeProgram, node: &'a Node) -> &'a [ValueId] {
        match node.operands() {
            [x] if self.is_fused(x.index()) => program.node(*x).map_or(&[], Node::operands),
            operands => operands,
        }
    }

    /// Whether a step begins with a node that is fused into it.
    pub(crate) fn begins_fused(&self, node: &Node) -> bool {
        node.operands().first().is_some_and(|x| self.is_fused(x.index()))
    }
}
