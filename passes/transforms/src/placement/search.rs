//! The cheapest state for each value, by dynamic programming.
//!
//! A value read once, by an operation that can carry a state, may be in any state; every other value is settled: two components,
//! nothing owed. Costs of a settled value are counted once per reader, which changes no choice since it has one state only.

use std::collections::BTreeMap;

use he_params::ParamsError;
use serde::{Deserialize, Serialize};

use super::{Chain, Levels};
use crate::cost::{CostModel, Work, gate_work, planes};
use crate::lowering::{Circuit, CircuitNode, Gate};

/// What a value still owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// 2, or 3 before relinearization.
    pub components: usize,
    /// Rescales not done yet; the value stands that many levels above its own.
    pub owed: usize,
}

impl State {
    pub(super) const SETTLED: State = State { components: 2, owed: 0 };

    /// An output whose last rescale is left out.
    pub(super) const FREE_OUTPUT: State = State { components: 2, owed: 1 };

    /// Whether relinearize and then rescale lead from here to `to`.
    fn reaches(self, to: State) -> bool {
        let relinearized = to.components == 2;
        to.components <= self.components && to.owed <= self.owed && (relinearized || to.owed == self.owed)
    }
}

/// What a product leaves.
const PRODUCT: State = State { components: 3, owed: 1 };

/// Rescales that may be owed at once: those of a product and of the map behind it.
const MOST_OWED: usize = 2;

/// The choice for one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice {
    /// State of the operand (settled where there are two).
    operand: State,
    /// State right after the operation.
    pub(super) raw: State,
    /// State in which the value is handed on.
    pub(super) handed: State,
    seconds: f64,
}

/// One choice per node of the circuit; `free_outputs` are handed on with one rescale owed.
///
/// # Errors
/// A scale outside the range of `f64`.
pub(super) fn cheapest(
    circuit: &Circuit,
    chain: &Chain,
    levels: &Levels,
    costs: &CostModel,
    free_outputs: &[bool],
) -> Result<Vec<Choice>, ParamsError> {
    let (words, scales) = (&chain.words(), levels.scales(chain)?);
    let required = circuit.required_levels();
    let may_owe = may_owe(circuit);
    let seconds = |work: Work| costs.seconds(&work, u32::from(chain.shape.log_n().get()));
    let mut table: Vec<BTreeMap<State, Choice>> = Vec::with_capacity(circuit.nodes.len());
    for (index, node) in circuit.nodes.iter().enumerate() {
        let elements = node.elements() as u64;
        let mut choices: BTreeMap<State, Choice> = BTreeMap::new();
        let planes = match &node.gate {
            Gate::Linear(map) => {
                let scale = levels.scale_of_weights(&scales, required[index], free_outputs[index]);
                let largest = map.blocks().iter().flat_map(|b| b.weights()).fold(0.0f64, |m, w| w.abs().max(m));
                planes((largest * scale.get()).log2())
            }
            _ => 1,
        };
        for (operand, raw, before) in raw_states(&table, &node.gate, &node.operands) {
            // Ciphertexts stand at the operand's level, plus what the operand owed.
            let primes = required[index] + raw.owed + 1;
            let done = before + seconds(gate_work(node, words, primes, raw.components, planes));
            for handed in states(may_owe[index], free_outputs[index]).filter(|&state| raw.reaches(state)) {
                let mut managed = done;
                let relinearizes = handed.components < raw.components;
                let fuses = relinearizes && handed.owed < raw.owed && chain.fused;
                if fuses {
                    managed += seconds(words.relinearize_rescale(primes, elements));
                } else if relinearizes {
                    managed += seconds(words.relinearize(primes, elements));
                }
                for step in usize::from(fuses)..raw.owed - handed.owed {
                    managed += seconds(words.rescale(primes - step, handed.components, elements));
                }
                let choice = Choice { operand, raw, handed, seconds: managed };
                let best = choices.entry(handed).or_insert(choice);
                if managed < best.seconds {
                    *best = choice;
                }
            }
        }
        table.push(choices);
    }
    Ok(trace_back(circuit, &table, free_outputs))
}

/// The choices that hand values on in these states, one per node; `None` when no operation can do that.
pub(super) fn given(circuit: &Circuit, handed: &[State]) -> Option<Vec<Choice>> {
    let choice = |(index, node): (usize, &CircuitNode)| {
        let handed_on = *handed.get(index)?;
        let operand = node.operands.first().map_or(Some(State::SETTLED), |&x| handed.get(x).copied())?;
        let all_settled = node.operands.iter().all(|&x| handed.get(x) == Some(&State::SETTLED));
        let raw = match node.gate {
            Gate::Linear(_) => State { owed: operand.owed.checked_add(1)?, ..operand },
            Gate::Negate | Gate::Gather(_) => operand,
            _ if !all_settled => return None,
            Gate::Mul | Gate::Square => PRODUCT,
            _ => State::SETTLED,
        };
        raw.reaches(handed_on).then_some(Choice { operand, raw, handed: handed_on, seconds: 0.0 })
    };
    circuit.nodes.iter().enumerate().map(choice).collect()
}

/// For each value whether it may be handed on in another state than settled: its one reader must take it so.
fn may_owe(circuit: &Circuit) -> Vec<bool> {
    let uses = circuit.use_counts();
    let mut may = vec![false; circuit.nodes.len()];
    for node in &circuit.nodes {
        if let (Gate::Linear(_) | Gate::Negate | Gate::Gather(_), &[operand]) = (&node.gate, node.operands.as_slice()) {
            may[operand] = uses[operand] == 1;
        }
    }
    may
}

fn states(may_owe: bool, free_output: bool) -> impl Iterator<Item = State> {
    let all = (0..=MOST_OWED).flat_map(|owed| [2, 3].map(|components| State { components, owed }));
    let only = if free_output { State::FREE_OUTPUT } else { State::SETTLED };
    all.filter(move |&state| may_owe || state == only)
}

/// What the operation can be given and what it then leaves, with the seconds spent so far.
fn raw_states(table: &[BTreeMap<State, Choice>], gate: &Gate, operands: &[usize]) -> Vec<(State, State, f64)> {
    let settled_seconds = || {
        operands.iter().filter_map(|&operand| table[operand].get(&State::SETTLED)).map(|choice| choice.seconds).sum()
    };
    match gate {
        Gate::Input { .. } => vec![(State::SETTLED, State::SETTLED, 0.0)],
        Gate::Mul | Gate::Square => vec![(State::SETTLED, PRODUCT, settled_seconds())],
        Gate::Add | Gate::Sub | Gate::AddConstant(_) | Gate::Client(_) => {
            vec![(State::SETTLED, State::SETTLED, settled_seconds())]
        }
        Gate::Linear(_) => carried(table, operands, 1),
        Gate::Negate | Gate::Gather(_) => carried(table, operands, 0),
    }
}

fn carried(table: &[BTreeMap<State, Choice>], operands: &[usize], more: usize) -> Vec<(State, State, f64)> {
    let choices = operands.iter().flat_map(|&operand| &table[operand]);
    choices
        .filter(|(state, _)| state.owed + more <= MOST_OWED)
        .map(|(&state, choice)| (state, State { owed: state.owed + more, ..state }, choice.seconds))
        .collect()
}

/// Walks back from the outputs: each reader names the state of what it reads.
fn trace_back(circuit: &Circuit, table: &[BTreeMap<State, Choice>], free_outputs: &[bool]) -> Vec<Choice> {
    let first = |&free: &bool| if free { State::FREE_OUTPUT } else { State::SETTLED };
    let mut handed: Vec<State> = free_outputs.iter().map(first).collect();
    let mut plan = Vec::with_capacity(circuit.nodes.len());
    for (index, node) in circuit.nodes.iter().enumerate().rev() {
        let settled = Choice { operand: State::SETTLED, raw: State::SETTLED, handed: State::SETTLED, seconds: 0.0 };
        let choice = table[index].get(&handed[index]).copied().unwrap_or(settled);
        if let &[operand] = node.operands.as_slice() {
            // A value that several read is settled, and every reader asks for just that.
            handed[operand] = choice.operand;
        }
        plan.push(choice);
    }
    plan.reverse();
    plan
}
