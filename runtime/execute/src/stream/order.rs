//! The order of all steps of a run.
//!
//! Among the tiles that can be made, the one of the deepest value comes next. Requests to the key owner are made as soon as what they send is there,
//! and answered in order: the oldest is waited for when as many as allowed are open, or when nothing else can run. That is a fixed order,
//! whatever the key owner's pace.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::task::{Task, Work};
use super::tiling::Tilings;

/// One step of a run; tiles by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The task of a tile runs.
    Compute { task: usize },
    /// The key owner is asked for a tile.
    Request { task: usize, sequence: u64 },
    /// The answer becomes a tile.
    Receive { task: usize, sequence: u64 },
}

pub(super) fn steps<W>(tilings: &Tilings, tasks: &[Task<W>], in_flight: usize) -> Vec<Step> {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); tilings.count()];
    let mut missing: Vec<usize> = Vec::with_capacity(tasks.len());
    for (index, task) in tasks.iter().enumerate() {
        missing.push(task.reads.len());
        for &read in &task.reads {
            if let Some(readers) = readers.get_mut(read) {
                readers.push(index);
            }
        }
    }
    let deepest = |task: usize| tasks.get(task).map(|t| (t.node, Reverse(t.tile), task)).unwrap_or_default();
    let mut ready: BinaryHeap<(usize, Reverse<usize>, usize)> = BinaryHeap::new();
    ready.extend((0..tasks.len()).filter(|&i| missing.get(i) == Some(&0)).map(deepest));
    let mut open: VecDeque<(usize, u64)> = VecDeque::new();
    let mut steps = Vec::with_capacity(tasks.len() * 2);
    let mut sequence = 0;
    loop {
        let next = if open.len() >= in_flight { None } else { ready.pop() };
        let done = match next {
            Some((_, _, task)) => match tasks.get(task).map(|t| &t.work) {
                Some(Work::Input { .. } | Work::Refresh { .. }) => {
                    steps.push(Step::Request { task, sequence });
                    open.push_back((task, sequence));
                    sequence += 1;
                    continue;
                }
                _ => {
                    steps.push(Step::Compute { task });
                    task
                }
            },
            None => match open.pop_front() {
                Some((task, sequence)) => {
                    steps.push(Step::Receive { task, sequence });
                    task
                }
                None => return steps,
            },
        };
        // A task's number is that of its tile.
        for &reader in readers.get(done).map(Vec::as_slice).unwrap_or_default() {
            if let Some(missing) = missing.get_mut(reader) {
                *missing -= 1;
                if *missing == 0 {
                    ready.push(deepest(reader));
                }
            }
        }
    }
}
