//! Which elements share a factor.

use std::collections::{HashMap, HashSet};

use graph::affine::{AffineGroup, AffineMap};

use super::sets::Sets;
use super::{Pin, Scaling, each_group, scaling};
use crate::lowering::{Circuit, CircuitNode, Gate};

/// The factor's number of each element of each value; 0 is the factor 1.
#[derive(Clone, Debug)]
pub(super) struct Factors {
    /// First element of each value, and the number of all.
    first: Vec<usize>,
    of: Vec<u32>,
    /// Why an element has factor 1, for those that the key owner sees.
    pins: Vec<Option<Pin>>,
    /// Factors, the 1 included.
    count: usize,
}

impl Factors {
    pub(super) fn of(circuit: &Circuit) -> Factors {
        let mut first = vec![0];
        for node in &circuit.nodes {
            first.push(first.last().copied().unwrap_or(0) + node.elements());
        }
        let all = first.last().copied().unwrap_or(0);
        let mut joined = Joined { sets: Sets::new(all), first };
        for (index, node) in circuit.nodes.iter().enumerate() {
            joined.node(circuit, index, node);
        }
        for &(_, index) in &circuit.outputs {
            joined.pin_value(index, Pin::Output);
        }
        // Only what the key owner sees needs a factor.
        let mut seen = vec![false; all];
        for (index, node) in circuit.nodes.iter().enumerate() {
            if matches!(node.gate, Gate::Client(_)) {
                for &value in node.operands.iter().chain([&index]) {
                    for element in joined.elements(value) {
                        seen[joined.sets.find(element)] = true;
                    }
                }
            }
        }
        let Joined { mut sets, first } = joined;
        let mut numbers: HashMap<usize, u32> = HashMap::new();
        let (mut of, mut pins) = (vec![0; all], vec![None; all]);
        for element in 0..all {
            let set = sets.find(element);
            pins[element] = sets.pinned(element);
            if pins[element].is_none() && seen[set] {
                let next = numbers.len() as u32 + 1;
                of[element] = *numbers.entry(set).or_insert(next);
            }
        }
        Factors { first, of, pins, count: numbers.len() + 1 }
    }

    /// Factors, the 1 included.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Values of the circuit.
    pub(super) fn values(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// The factor's number of each element of a value.
    pub(super) fn of_value(&self, index: usize) -> &[u32] {
        &self.of[self.first[index]..self.first[index + 1]]
    }

    /// Whether an element of a value has a factor other than 1.
    pub(super) fn is_scaled(&self, index: usize) -> bool {
        self.of_value(index).iter().any(|&factor| factor != 0)
    }

    /// Factors, elements that have one, and elements of what a layer of the key owner reads.
    pub(super) fn seen_by(&self, circuit: &Circuit, index: usize) -> (usize, usize, usize) {
        let elements = || circuit.nodes[index].operands.iter().flat_map(|&x| self.of_value(x));
        let factors: HashSet<u32> = elements().copied().filter(|&factor| factor != 0).collect();
        (factors.len(), elements().filter(|&&factor| factor != 0).count(), elements().count())
    }

    /// Why the first element that has no factor, of what a layer of the key owner reads, has none.
    pub(super) fn first_pin(&self, circuit: &Circuit, index: usize) -> Option<Pin> {
        let elements = circuit.nodes[index].operands.iter().flat_map(|&x| self.first[x]..self.first[x + 1]);
        elements.into_iter().find_map(|element| self.pins[element])
    }
}

struct Joined {
    sets: Sets,
    first: Vec<usize>,
}

impl Joined {
    fn elements(&self, value: usize) -> std::ops::Range<usize> {
        self.first[value]..self.first[value + 1]
    }

    fn pin_value(&mut self, value: usize, pin: Pin) {
        self.elements(value).for_each(|element| self.sets.pin(element, pin));
    }

    /// Element i of one value with element i of another.
    fn unite_values(&mut self, a: usize, b: usize) {
        let (a, b) = (self.elements(a), self.elements(b));
        a.zip(b).for_each(|(a, b)| self.sets.unite(a, b));
    }

    fn node(&mut self, circuit: &Circuit, index: usize, node: &CircuitNode) {
        let own = self.first[index];
        if let &[channels, _, ..] = node.shape.as_slice() {
            let pixels = node.elements().checked_div(channels).unwrap_or(0);
            for element in 0..node.elements() {
                self.sets.unite(own + element, own + element / pixels.max(1) * pixels);
            }
        }
        match &node.gate {
            Gate::Input { .. } => self.pin_value(index, Pin::Input),
            Gate::Linear(map) => self.shared_blocks(map, node.operands[0], index),
            Gate::Add | Gate::Sub | Gate::Negate | Gate::AddConstant(_) => {
                node.operands.iter().for_each(|&operand| self.unite_values(operand, index));
            }
            Gate::Mul | Gate::Square => {
                node.operands.iter().chain([&index]).for_each(|&value| self.pin_value(value, Pin::Product));
            }
            Gate::Gather(indices) => {
                let operand = self.first[node.operands[0]];
                (own..).zip(indices.iter()).for_each(|(result, &i)| self.sets.unite(result, operand + i as usize));
            }
            Gate::Client(client) => {
                // Elements of several operands count on.
                let read: Vec<usize> = node.operands.iter().flat_map(|&x| self.elements(x)).collect();
                let sets = &mut self.sets;
                each_group(client, circuit.nodes[index].elements(), |inputs, outputs| {
                    let inputs = inputs.iter().map(|&i| read[i as usize]);
                    let outputs = outputs.iter().map(|&o| own + o as usize);
                    match scaling(client.function) {
                        Scaling::HandsOn => {
                            let mut all = inputs.chain(outputs);
                            if let Some(one) = all.next() {
                                all.for_each(|other| sets.unite(one, other));
                            }
                        }
                        Scaling::Cancels => {
                            let mut inputs = inputs;
                            if let Some(one) = inputs.next() {
                                inputs.for_each(|other| sets.unite(one, other));
                            }
                            outputs.for_each(|o| sets.pin(o, Pin::Result(client.function)));
                        }
                        Scaling::Breaks(pin) => inputs.chain(outputs).for_each(|x| sets.pin(x, pin)),
                    }
                });
            }
        }
    }

    /// Groups that share a block of several rows share its factors: otherwise each group would need a block of its own.
    fn shared_blocks(&mut self, map: &AffineMap, operand: usize, result: usize) {
        let (reads, writes) = (self.first[operand], self.first[result]);
        let mut first: HashMap<usize, &AffineGroup> = HashMap::new();
        for group in map.groups().iter().filter(|group| group.outputs.len() > 1) {
            let with = *first.entry(group.block).or_insert(group);
            let pairs = |a: &[u32], b: &[u32]| a.iter().copied().zip(b.iter().copied()).collect::<Vec<_>>();
            for (a, b) in pairs(&with.inputs, &group.inputs) {
                self.sets.unite(reads + a as usize, reads + b as usize);
            }
            for (a, b) in pairs(&with.outputs, &group.outputs) {
                self.sets.unite(writes + a as usize, writes + b as usize);
            }
        }
    }
}
