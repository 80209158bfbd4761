//! What one gate of a circuit costs, before it is an operation of a program.

use super::{Words, Work};
use crate::lowering::{CircuitNode, Gate};

/// Work of a gate on ciphertexts of so many primes, of `components` after the gate; the weights of a linear map have `planes`.
pub(crate) fn gate_work(node: &CircuitNode, words: &Words, primes: usize, components: usize, planes: u64) -> Work {
    let (elements, all) = (node.elements() as u64, components as u64);
    match &node.gate {
        Gate::Input { .. } | Gate::Client(_) => words.expand(primes, elements),
        Gate::Linear(map) => {
            let rows = map.groups().iter().map(|g| (g.inputs.len() + g.outputs.len()) as u64).sum();
            words.linear(primes, components, planes * map.multiplications() as u64, rows)
        }
        Gate::Square => words.element_wise(primes, 5 * elements),
        Gate::Mul => words.element_wise(primes, 7 * elements),
        Gate::Add | Gate::Sub => words.element_wise(primes, 3 * all * elements),
        Gate::Negate | Gate::Gather(_) => words.element_wise(primes, 2 * all * elements),
        Gate::AddConstant(_) => words.element_wise(primes, 2 * elements),
    }
}
