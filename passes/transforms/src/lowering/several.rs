//! Several encrypted operands that are not of one shape: broadcast ones, and ones that are put one behind the other.

use std::sync::Arc;

use graph::ShapeError;
use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use graph::ops::Op;

use super::{Circuit, CircuitNode, Gate};

/// Whether an operation combines element i of one operand with element i of another, once both have its result's shape.
pub(super) fn broadcasts(op: &Op) -> bool {
    matches!(op, Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Max(_) | Op::Min(_))
}

/// The value at `place` in a larger shape (extents aligned at the last axis; an extent of 1 repeats): a selection, which costs nothing.
pub(super) fn broadcast(circuit: &mut Circuit, place: usize, from: &[usize], to: &[usize], source: &str) -> usize {
    if from == to {
        return place;
    }
    let missing = to.len().saturating_sub(from.len());
    let mut indices = vec![0u32];
    for (axis, &extent) in to.iter().enumerate() {
        let own = axis.checked_sub(missing).and_then(|axis| from.get(axis)).copied().unwrap_or(1);
        let step = |at: usize| if own == 1 { 0 } else { at as u32 };
        indices = indices.iter().flat_map(|&i| (0..extent).map(move |at| i * own as u32 + step(at))).collect();
    }
    let gate = Gate::Gather(Arc::new(indices));
    circuit.nodes.push(CircuitNode { gate, operands: vec![place], shape: to.to_vec(), source: source.to_owned() });
    circuit.nodes.len() - 1
}

/// Values one behind the other along an axis: each is put in its place among zeros by a map of ones, and the sum is taken.
pub(super) fn concat(
    circuit: &mut Circuit,
    operands: &[(usize, Vec<usize>)],
    axis: usize,
    shape: &[usize],
    source: &str,
) -> Result<usize, ShapeError> {
    let behind: usize = shape.iter().skip(axis + 1).product();
    let total = behind * shape.get(axis).copied().unwrap_or(1);
    let mut push = |gate, operands: Vec<usize>| {
        circuit.nodes.push(CircuitNode { gate, operands, shape: shape.to_vec(), source: source.to_owned() });
        circuit.nodes.len() - 1
    };
    let (mut sum, mut before) = (None, 0);
    for (place, extents) in operands {
        let own = behind * extents.get(axis).copied().unwrap_or(1);
        let elements: usize = extents.iter().product();
        let group = |i: usize| AffineGroup {
            inputs: vec![i as u32],
            outputs: vec![(i / own * total + before + i % own) as u32],
            block: 0,
        };
        let one = AffineBlock::new(1, 1, vec![1.0])?;
        let zeros = vec![0.0; shape.iter().product()];
        let map = AffineMap::new(elements, vec![one], (0..elements).map(group).collect(), zeros)?;
        let placed = push(Gate::Linear(Arc::new(map)), vec![*place]);
        sum = Some(match sum {
            None => placed,
            Some(sum) => push(Gate::Add, vec![sum, placed]),
        });
        before += own;
    }
    sum.ok_or(ShapeError::OperandCount { expected: "at least 1", found: 0 })
}
