//! From a graph to its arithmetic circuit: `x * x` is a square, data movement a gather, every other linear node an affine map, and what
//! has no exact form under encryption a function of the key owner.
//!
//! Layout: batch packing. Axis 0 lies in the slots, so a circuit value is the list of one image's elements, row-major.

mod circuit;
pub(crate) mod client;
mod several;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use graph::affine::AffineMap;
use graph::ops::Op;
use graph::{Graph, Node, NodeId, ValueId, ValueSource};

pub use circuit::{Circuit, CircuitNode, Gate, InputError};
pub use client::ClientGate;

use crate::PassError;
use crate::affine::linearise;

const NAME: &str = "lowering";

/// Lowers a graph whose constants are folded and whose dead code is gone.
///
/// # Errors
/// A value without a batch where one is needed, an operation with no encrypted form, or an output that is a constant.
pub fn lower(graph: &Graph) -> Result<Circuit, PassError> {
    lower_with(graph, &BTreeSet::new())
}

/// As [`lower`]; squares of the nodes named are computed by the key owner.
///
/// # Errors
/// As [`lower`].
pub fn lower_with(graph: &Graph, squares_for_client: &BTreeSet<String>) -> Result<Circuit, PassError> {
    let mut circuit = Circuit { name: graph.name().to_owned(), ..Circuit::default() };
    let mut places: HashMap<ValueId, usize> = HashMap::new();
    for &id in graph.inputs() {
        let value = graph.value(id);
        if !value.shape().is_batched() {
            return Err(unsupported(value.name(), "input", "its axis 0 is not the batch".into()));
        }
        places.insert(id, circuit.nodes.len());
        circuit.nodes.push(CircuitNode {
            gate: Gate::Input { name: value.name().to_owned() },
            operands: vec![],
            shape: value.shape().per_image(),
            source: value.name().to_owned(),
        });
    }
    for (id, node) in graph.nodes() {
        let result = graph.shape(node.output()).per_image();
        let mut encrypted: Vec<usize> = node.inputs().iter().filter_map(|v| places.get(v).copied()).collect();
        if let (Op::Concat(op), 2..) = (node.op(), encrypted.len()) {
            // The batch stands first, and is no axis of an image.
            let axis = op.axis.saturating_sub(1);
            let extents = node.inputs().iter().map(|&v| graph.shape(v).per_image());
            let operands: Vec<(usize, Vec<usize>)> = encrypted.into_iter().zip(extents).collect();
            let place = several::concat(&mut circuit, &operands, axis, &result, node.name());
            let place =
                place.map_err(|source| PassError::Shape { pass: NAME, site: node.name().to_owned(), source })?;
            places.insert(node.output(), place);
            continue;
        }
        if several::broadcasts(node.op()) && encrypted.len() == 2 {
            for (place, &value) in encrypted.iter_mut().zip(node.inputs()) {
                let from = graph.shape(value).per_image();
                *place = several::broadcast(&mut circuit, *place, &from, &result, node.name());
            }
        }
        let (gate, operands) = gate_of(graph, id, node, encrypted, squares_for_client.contains(node.name()))?;
        let place = match (&gate, operands.as_slice()) {
            (Gate::Gather(indices), &[operand]) if is_identity(indices, circuit.nodes[operand].elements()) => operand,
            _ => {
                let shape = graph.shape(node.output()).per_image();
                circuit.nodes.push(CircuitNode { gate, operands, shape, source: node.name().to_owned() });
                circuit.nodes.len() - 1
            }
        };
        places.insert(node.output(), place);
    }
    for &id in graph.outputs() {
        let name = graph.value(id).name().to_owned();
        let Some(&place) = places.get(&id) else {
            return Err(unsupported(&name, "output", "it does not depend on an input: nothing to encrypt".into()));
        };
        circuit.outputs.push((name, place));
    }
    Ok(circuit)
}

fn gate_of(
    graph: &Graph,
    id: NodeId,
    node: &Node,
    encrypted: Vec<usize>,
    squares_for_client: bool,
) -> Result<(Gate, Vec<usize>), PassError> {
    let constants =
        node.inputs().iter().filter(|&&v| matches!(graph.value(v).source(), ValueSource::Constant(_))).count();
    let client = client::client_gate(graph, node, encrypted.len(), squares_for_client);
    let refuse = |reason| unsupported(node.name(), node.op().name(), reason);
    if let Some(client) = client.map_err(refuse)? {
        // A value that meets itself is read once.
        let operands = if client.groups.is_none() { encrypted.into_iter().take(1).collect() } else { encrypted };
        return Ok((Gate::Client(Arc::new(client)), operands));
    }
    if let (Op::Pow(_), &[x]) = (node.op(), encrypted.as_slice()) {
        return Ok((Gate::Square, vec![x]));
    }
    if let (&[left, right], 0) = (encrypted.as_slice(), constants) {
        let gate = match node.op() {
            Op::Mul(_) if left == right => return Ok((Gate::Square, vec![left])),
            Op::Mul(_) => Gate::Mul,
            Op::Add(_) => Gate::Add,
            Op::Sub(_) => Gate::Sub,
            _ => {
                let reason = "has no form for two encrypted operands".to_owned();
                return Err(unsupported(node.name(), node.op().name(), reason));
            }
        };
        return Ok((gate, encrypted));
    }
    if matches!(node.op(), Op::Negate(_)) {
        return Ok((Gate::Negate, encrypted));
    }
    let map = match node.op() {
        Op::Affine(affine) => Arc::clone(&affine.map),
        _ => linearise(graph, id).map_err(|reason| unsupported(node.name(), node.op().name(), reason.to_string()))?.map,
    };
    Ok((gate_of_map(map), encrypted))
}

/// The cheapest gate that computes a map: no level for a selection or a translation.
fn gate_of_map(map: Arc<AffineMap>) -> Gate {
    match selection(&map) {
        Some(indices) if map.bias().iter().all(|&b| b == 0.0) => Gate::Gather(Arc::new(indices)),
        Some(indices) if is_identity(&indices, map.inputs()) => Gate::AddConstant(Arc::new(map.bias().to_vec())),
        _ => Gate::Linear(map),
    }
}

/// `Some(indices)` when output i is input `indices[i]` (plus its bias).
fn selection(map: &AffineMap) -> Option<Vec<u32>> {
    let mut indices = vec![None; map.outputs()];
    for group in map.groups() {
        let block = map.block(group);
        for (row, &output) in group.outputs.iter().enumerate() {
            let mut read = block.row(row).iter().zip(&group.inputs).filter(|(w, _)| **w != 0.0);
            match (read.next(), read.next()) {
                (Some((&1.0, &input)), None) => *indices.get_mut(output as usize)? = Some(input),
                _ => return None,
            }
        }
    }
    indices.into_iter().collect()
}

fn is_identity(indices: &[u32], elements: usize) -> bool {
    indices.len() == elements && indices.iter().enumerate().all(|(i, &index)| i == index as usize)
}

fn unsupported(site: &str, op: &str, reason: String) -> PassError {
    PassError::Unsupported { pass: NAME, site: site.to_owned(), op: op.to_owned(), reason }
}

#[cfg(test)]
mod tests;
