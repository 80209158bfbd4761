//! Networks that the key owner helps with are cut into segments of one level.
//!
//! What the key owner computes is fresh: a segment begins there (or at an input), goes through one linear map, and ends where the key owner
//! reads again (or at an output). Two linear maps in a row would need one prime more in every ciphertext that the first of them reads; a
//! refresh of what lies between them, which in bottlenecks is narrow, costs less. So this pass puts an identity refresh behind a linear map
//! (or a sum of some) that a linear map reads. Everything then runs over two primes, and only the lower one travels to the key owner.
//!
//! The second half of this folder says how errors add up along such a circuit: the primes follow from it (see [`crate::parameters`]).

mod budget;

use std::sync::Arc;

use he_ir::ClientFunction;

pub(crate) use budget::{Budget, pass_on};

use crate::PassReport;
use crate::lowering::{Circuit, CircuitNode, ClientGate, Gate};

/// Cuts a circuit that the key owner helps with and that multiplies no ciphertexts; any other stays as it is.
pub fn cut(circuit: Circuit) -> (Circuit, PassReport) {
    let mut report = PassReport::default();
    if !circuit.is_client_aided() {
        return (circuit, report);
    }
    if circuit.multiplies() {
        let reason = "ciphertexts are multiplied: levels as the circuit needs them";
        report.decline(&circuit.name, reason);
        return (circuit, report);
    }
    let mut out = Circuit { name: circuit.name.clone(), packing: circuit.packing, ..Circuit::default() };
    // Where a value of the circuit stands now: as it is, and fresh where somebody asked for that.
    let mut places: Vec<usize> = Vec::with_capacity(circuit.nodes.len());
    let mut fresh: Vec<Option<usize>> = vec![None; circuit.nodes.len()];
    let mut spent: Vec<bool> = Vec::with_capacity(circuit.nodes.len());
    for node in &circuit.nodes {
        let is_linear = matches!(node.gate, Gate::Linear(_));
        let mut operands = Vec::with_capacity(node.operands.len());
        for &operand in &node.operands {
            // Once refreshed, a value is read fresh by all that follow.
            if let (true, true, None) = (is_linear, spent[operand], fresh[operand]) {
                let (source, shape) = (circuit.nodes[operand].source.clone(), circuit.nodes[operand].shape.clone());
                report.rewrote(
                    &source,
                    format!("{} values refreshed before {}", shape.iter().product::<usize>(), node.source),
                );
                let gate = Gate::Client(Arc::new(ClientGate::elementwise(ClientFunction::Identity)));
                out.nodes.push(CircuitNode { gate, operands: vec![places[operand]], shape, source });
                fresh[operand] = Some(out.nodes.len() - 1);
            }
            operands.push(fresh[operand].unwrap_or(places[operand]));
        }
        let inherits = node.operands.iter().any(|&x| spent[x] && fresh[x].is_none());
        spent.push(match node.gate {
            Gate::Input { .. } | Gate::Client(_) => false,
            Gate::Linear(_) => true,
            _ => inherits,
        });
        out.nodes.push(CircuitNode { operands, ..node.clone() });
        places.push(out.nodes.len() - 1);
    }
    out.outputs = circuit.outputs.iter().map(|(name, index)| (name.clone(), places[*index])).collect();
    (out, report)
}

#[cfg(test)]
mod tests;
