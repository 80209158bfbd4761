//! How much an error in one place of a circuit shows in its outputs.
//!
//! Formula: errors are taken as independent, so variances propagate: `sum w_i^2 v_i` through a linear map, `4 m^2 v` through a square of messages
//! of mean square m^2. Everything is in units of the message, so nothing depends on scales: an error of variance u in every element of a value
//! shows in output o with variance `u unit[value][o]`, and weights rounded to integers at scale W show with variance `rounding[layer][o] / W^2`.
//! Layout: outputs of the circuit one behind the other, one number per element.

use graph::affine::AffineMap;

use crate::lowering::{Circuit, Gate};
use crate::ranges::ValueRange;

/// What errors of size one do to the outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// For each value, the variance in each output element that an error of variance 1 in every element of the value makes.
    pub unit: Vec<Vec<f64>>,
    /// For each linear map, the variance in each output element that rounding its weights to integers makes; other nodes have none.
    pub rounding: Vec<Option<Vec<f64>>>,
    /// For each output element the magnitude that precision is measured against.
    pub typical: Vec<f64>,
}

impl Sensitivity {
    /// Propagates an error from each value of the circuit, and from the weights of each linear map.
    pub fn of(circuit: &Circuit, ranges: &[ValueRange]) -> Sensitivity {
        let sources = circuit.nodes.iter().enumerate();
        let unit = sources.clone().map(|(i, node)| propagate(circuit, ranges, i, vec![1.0; node.elements()]));
        let rounding = sources.map(|(i, node)| match (&node.gate, node.operands.as_slice()) {
            (Gate::Linear(map), &[x]) => Some(propagate(circuit, ranges, i, rounded(map, &ranges[x].squares))),
            _ => None,
        });
        let outputs = circuit.outputs.iter();
        let typical = outputs.flat_map(|&(_, i)| std::iter::repeat_n(ranges[i].typical(), circuit.nodes[i].elements()));
        Sensitivity { unit: unit.collect(), rounding: rounding.collect(), typical: typical.collect() }
    }
}

/// Variance of a map's outputs when each weight is off by up to half an integer; weights of zero are exact.
fn rounded(map: &AffineMap, squares: &[f64]) -> Vec<f64> {
    through(map, |weight, input| if weight == 0.0 { 0.0 } else { squares[input] / 12.0 })
}

/// Sums `term(weight, input)` for each output of a map.
fn through(map: &AffineMap, term: impl Fn(f64, usize) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; map.outputs()];
    for group in map.groups() {
        let block = map.block(group);
        for (row, &output) in group.outputs.iter().enumerate() {
            let terms = block.row(row).iter().zip(&group.inputs).map(|(&w, &i)| term(w, i as usize));
            sums[output as usize] = terms.sum();
        }
    }
    sums
}

/// Variances of the outputs when value `source` has these and everything else is exact.
fn propagate(circuit: &Circuit, ranges: &[ValueRange], source: usize, variances: Vec<f64>) -> Vec<f64> {
    let mut table: Vec<Option<Vec<f64>>> = vec![None; circuit.nodes.len()];
    table[source] = Some(variances);
    for (index, node) in circuit.nodes.iter().enumerate().skip(source + 1) {
        let operand = |i: usize| node.operands.get(i).and_then(|&x| table[x].as_ref());
        // A factor's mean squares.
        let squares = |i: usize| node.operands.get(i).map_or(&[] as &[f64], |&x| &ranges[x].squares);
        let times = |v: &[f64], s: &[f64], factor: f64| v.iter().zip(s).map(|(v, s)| factor * v * s).collect();
        let value = match (&node.gate, operand(0), operand(1)) {
            (_, None, None) => None,
            (Gate::Linear(map), Some(v), _) => Some(through(map, |w, i| w * w * v[i])),
            (Gate::Square, Some(v), _) => Some(times(v, squares(0), 4.0)),
            (Gate::Mul, Some(v), Some(_)) if node.operands[0] == node.operands[1] => Some(times(v, squares(0), 4.0)),
            (Gate::Mul, left, right) => {
                let left = left.map(|v| times(v, squares(1), 1.0));
                sum(left, right.map(|v| times(v, squares(0), 1.0)))
            }
            (Gate::Gather(indices), Some(v), _) => Some(indices.iter().map(|&i| v[i as usize]).collect()),
            (_, left, right) => sum(left.cloned(), right.cloned()),
        };
        table[index] = value;
    }
    let outputs = circuit.outputs.iter();
    let zeros = |i: usize| vec![0.0; circuit.nodes[i].elements()];
    outputs.flat_map(|&(_, i)| table[i].clone().unwrap_or_else(|| zeros(i))).collect()
}

fn sum(left: Option<Vec<f64>>, right: Option<Vec<f64>>) -> Option<Vec<f64>> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.iter().zip(&right).map(|(l, r)| l + r).collect()),
        (left, right) => left.or(right),
    }
}
