//! Interval analysis: the lowest and highest value of every element.
//!
//! Rules are the textbook ones; a weighted sum takes the low end for positive weights and the high end for negative ones. Rounding of `f64` is not
//! accounted for: bounds feed a choice of moduli by whole bits.

use std::collections::HashMap;

use graph::affine::AffineMap;
use he_ir::ClientFunction;
use serde::{Deserialize, Serialize};

use crate::lowering::{Circuit, ClientGate, Gate};

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
            Gate::Client(gate) => {
                let operands: Vec<Interval> = node.operands.iter().flat_map(|&i| &values[i]).copied().collect();
                client(gate, &operands, node.elements())
            }
        };
        values.push(value);
    }
    values
}

/// Functions that rise have the range of their ends; the others theirs.
fn client(gate: &ClientGate, x: &[Interval], results: usize) -> Vec<Interval> {
    use ClientFunction as F;
    let one = |x: &Interval| match gate.function {
        F::LeakyRelu { alpha } => {
            let ends = [x.low, x.high].map(|v| if v < 0.0 { alpha * v } else { v });
            let zero = if x.low < 0.0 && x.high > 0.0 { 0.0 } else { ends[0] };
            Interval::new(ends[0].min(ends[1]).min(zero), ends[0].max(ends[1]).max(zero))
        }
        F::Power { exponent } if exponent < 0.0 => Interval::new(f64::NEG_INFINITY, f64::INFINITY),
        F::Power { exponent } => {
            let high = x.magnitude().powf(exponent);
            Interval::new(if x.low < 0.0 { -high } else { x.low.powf(exponent) }, high)
        }
        F::Softmax => Interval::new(0.0, 1.0),
        F::Divide => Interval::new(f64::NEG_INFINITY, f64::INFINITY),
        rising => {
            let mut ends = [x.low, x.high];
            rising.apply_assign(&mut ends);
            Interval::new(ends[0], ends[1])
        }
    };
    let Some(groups) = &gate.groups else { return x.iter().map(one).collect() };
    let mut y = vec![Interval::new(0.0, 0.0); results];
    for group in groups {
        let inputs = group.inputs.iter().map(|&i| x[i as usize]);
        let whole = match gate.function {
            F::Max => inputs.reduce(|a, b| Interval::new(a.low.max(b.low), a.high.max(b.high))),
            F::ArgMax => Some(Interval::new(0.0, group.inputs.len().saturating_sub(1) as f64)),
            _ => inputs.map(|x| one(&x)).reduce(|a, b| Interval::new(a.low.min(b.low), a.high.max(b.high))),
        };
        for &output in &group.outputs {
            y[output as usize] = whole.unwrap_or(Interval::new(0.0, 0.0));
        }
    }
    y
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
