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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use graph::affine::{AffineBlock, AffineGroup};

    use super::*;
    use crate::lowering::CircuitNode;
    use crate::ranges::{Interval, RangeOptions, analyse};

    fn node(gate: Gate, operands: &[usize], elements: usize) -> CircuitNode {
        CircuitNode { gate, operands: operands.to_vec(), shape: vec![elements], source: "n".into() }
    }

    /// `sum of (w x)^2` with w = diag(1, 0.5), then `y (x_0 + y)` in a second output.
    fn circuit() -> Circuit {
        let group = |inputs: Vec<u32>| vec![AffineGroup { inputs, outputs: vec![0], block: 0 }];
        let block = |weights: Vec<f64>| vec![AffineBlock::new(1, weights.len(), weights).unwrap()];
        let map = |inputs, weights: Vec<f64>, from| {
            Gate::Linear(Arc::new(AffineMap::new(inputs, block(weights), group(from), vec![0.0]).unwrap()))
        };
        Circuit {
            name: "c".into(),
            nodes: vec![
                node(Gate::Input { name: "x".into() }, &[], 2),
                node(map(2, vec![0.5, 0.0], vec![0, 1]), &[0], 1),
                node(Gate::Square, &[1], 1),
                node(Gate::Gather(Arc::new(vec![0])), &[0], 1),
                node(Gate::Add, &[2, 3], 1),
                node(Gate::Mul, &[2, 4], 1),
            ],
            outputs: vec![("y".into(), 2), ("z".into(), 5)],
            ..Circuit::default()
        }
    }

    #[test]
    fn derivatives_squared() {
        let inputs = HashMap::from([("x".to_owned(), Interval::new(-2.0, 2.0))]);
        let options = RangeOptions { inputs, samples: vec![], margin: 1.0 };
        let circuit = circuit();
        let ranges = analyse(&circuit, &options).unwrap();
        let found = Sensitivity::of(&circuit, &ranges);
        // |x| = 2, so the map gives 1, its square 1, the sum 3.
        assert_eq!(found.typical, [1.0, 3.0]);
        assert_eq!(found.unit[5], [0.0, 1.0]);
        assert_eq!(found.unit[4], [0.0, 1.0]);
        assert_eq!(found.unit[3], [0.0, 1.0]);
        // The square as an output, and as a factor of 3 beside the error that the sum passes on, which is taken as independent.
        assert_eq!(found.unit[2], [1.0, 9.0 + 1.0]);
        assert_eq!(found.unit[1], [4.0, 40.0]);
        assert_eq!(found.unit[0][0], 1.0);
        // One of two weights is zero; the other's error multiplies 2.
        assert_eq!(found.rounding[1].as_deref(), Some(&[4.0 * 4.0 / 12.0, 40.0 * 4.0 / 12.0][..]));
        assert!(found.rounding[2].is_none());
    }
}
