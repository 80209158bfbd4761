//! Interval analysis: the lowest and highest value of every element.
//!
//! Rules are the textbook ones; a weighted sum takes the low end for positive weights and the high end for negative ones. Rounding of `f64` is not
//! accounted for: bounds feed a choice of moduli by whole bits.

use std::collections::HashMap;

use graph::affine::AffineMap;
use serde::{Deserialize, Serialize};

use crate::lowering::{Circuit, Gate};

/// Lowest and highest value, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lowest.
    pub low: f64,
    /// Highest.
    pub high: f64,
}

impl Interval {
    /// From `low` to `high`.
    pub fn new(low: f64, high: f64) -> Interval {
        Interval { low, high }
    }

    /// The larger magnitude of the two ends.
    pub fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    fn plus(self, other: Interval) -> Interval {
        Interval { low: self.low + other.low, high: self.high + other.high }
    }

    fn negated(self) -> Interval {
        Interval { low: -self.high, high: -self.low }
    }

    fn squared(self) -> Interval {
        let (a, b) = (self.low * self.low, self.high * self.high);
        let low = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { a.min(b) };
        Interval { low, high: a.max(b) }
    }

    fn times(self, other: Interval) -> Interval {
        let corners = [self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high];
        Interval {
            low: corners.into_iter().fold(f64::INFINITY, f64::min),
            high: corners.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// Intervals of all elements of all values.
pub(super) fn propagate(circuit: &Circuit, inputs: &HashMap<String, Interval>) -> Vec<Vec<Interval>> {
    let mut values: Vec<Vec<Interval>> = Vec::with_capacity(circuit.nodes.len());
    for node in &circuit.nodes {
        let x = node.operands.first().map_or(&[] as &[Interval], |&i| &values[i]);
        let y = node.operands.get(1).map_or(x, |&i| &values[i]);
        let zip = |f: fn(Interval, Interval) -> Interval| x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect();
        let value = match &node.gate {
            Gate::Input { name } => {
                let everything = Interval::new(f64::NEG_INFINITY, f64::INFINITY);
                vec![inputs.get(name).copied().unwrap_or(everything); node.elements()]
            }
            Gate::Linear(map) => linear(map, x),
            Gate::Add => zip(Interval::plus),
            Gate::Sub => zip(|x, y| x.plus(y.negated())),
            Gate::Mul => zip(Interval::times),
            Gate::Square => x.iter().map(|x| x.squared()).collect(),
            Gate::Negate => x.iter().map(|x| x.negated()).collect(),
            Gate::AddConstant(c) => x.iter().zip(c.iter()).map(|(x, &c)| x.plus(Interval::new(c, c))).collect(),
            Gate::Gather(indices) => indices.iter().map(|&i| x[i as usize]).collect(),
        };
        values.push(value);
    }
    values
}

fn linear(map: &AffineMap, x: &[Interval]) -> Vec<Interval> {
    let mut y: Vec<Interval> = map.bias().iter().map(|&b| Interval::new(b, b)).collect();
    for group in map.groups() {
        let block = map.block(group);
        for (row, &output) in group.outputs.iter().enumerate() {
            for (&weight, &input) in block.row(row).iter().zip(&group.inputs) {
                let Interval { low, high } = x[input as usize];
                let sum = &mut y[output as usize];
                if weight > 0.0 {
                    *sum = sum.plus(Interval::new(weight * low, weight * high));
                } else if weight < 0.0 {
                    *sum = sum.plus(Interval::new(weight * high, weight * low));
                }
            }
        }
    }
    y
}
