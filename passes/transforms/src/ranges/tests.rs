//! Intervals contain every evaluation; refusals.

use std::sync::Arc;

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use proptest::prelude::*;

use super::*;
use crate::lowering::CircuitNode;

fn node(gate: Gate, operands: &[usize], elements: usize, source: &str) -> CircuitNode {
    CircuitNode { gate, operands: operands.to_vec(), shape: vec![elements], source: source.into() }
}

/// (W x + b)^2 - x_rev * x + c.
fn circuit(weights: &[f64]) -> Circuit {
    let block = AffineBlock::new(2, 2, weights.to_vec()).unwrap();
    let group = AffineGroup { inputs: vec![0, 1], outputs: vec![0, 1], block: 0 };
    let map = AffineMap::new(2, vec![block], vec![group], vec![0.5, -0.25]).unwrap();
    Circuit {
        name: "c".into(),
        nodes: vec![
            node(Gate::Input { name: "x".into() }, &[], 2, "x"),
            node(Gate::Linear(Arc::new(map)), &[0], 2, "dense"),
            node(Gate::Square, &[1], 2, "square"),
            node(Gate::Gather(Arc::new(vec![1, 0])), &[0], 2, "swap"),
            node(Gate::Mul, &[3, 0], 2, "mul"),
            node(Gate::Sub, &[2, 4], 2, "sub"),
            node(Gate::AddConstant(Arc::new(vec![1.0, -2.0])), &[5], 2, "shift"),
            node(Gate::Negate, &[6], 2, "minus"),
            node(Gate::Add, &[7, 0], 2, "sum"),
        ],
        outputs: vec![("y".into(), 8)],
        ..Circuit::default()
    }
}

fn options(low: f64, high: f64, samples: &[[f64; 2]]) -> RangeOptions {
    RangeOptions {
        inputs: HashMap::from([("x".into(), Interval::new(low, high))]),
        samples: samples.iter().map(|s| HashMap::from([("x".into(), s.to_vec())])).collect(),
        margin: 2.0,
    }
}

proptest! {
    #[test]
    fn every_evaluation_lies_in_its_interval(
        weights in prop::collection::vec(-2.0..2.0f64, 4),
        ends in (-3.0..3.0f64, 0.0..4.0f64),
        at in prop::collection::vec(0.0..=1.0f64, 2),
    ) {
        let circuit = circuit(&weights);
        let (low, high) = (ends.0, ends.0 + ends.1);
        let x: Vec<f64> = at.iter().map(|t| low + t * (high - low)).collect();
        let values = circuit.evaluate(&HashMap::from([("x".into(), x)])).unwrap();
        let inputs = HashMap::from([("x".into(), Interval::new(low, high))]);
        for (value, intervals) in values.iter().zip(interval::propagate(&circuit, &inputs)) {
            for (v, i) in value.iter().zip(intervals) {
                prop_assert!(i.low - 1e-9 <= *v && *v <= i.high + 1e-9, "{v} outside {i:?}");
            }
        }
    }
}

#[test]
fn the_tighter_source_wins_and_is_named() {
    let circuit = circuit(&[1.0, -1.0, 1.0, 1.0]);
    let ranges = analyse(&circuit, &options(0.0, 1.0, &[[0.0, 0.0], [0.25, 0.5]])).unwrap();
    // dense: interval [-0.5, 1.5] and [-0.25, 1.75]; samples reach 0.5, twice that is less.
    assert_eq!((ranges[1].interval, ranges[1].seen, ranges[1].magnitude), (1.75, Some(0.5), 1.0));
    assert_eq!(ranges[1].source, RangeSource::Calibration { samples: 2, margin: 2.0 });
    assert_eq!(ranges[1].source.to_string(), "2 samples x 2");
    // input: twice what was seen is no less than the stated range.
    assert_eq!((ranges[0].magnitude, ranges[0].source), (1.0, RangeSource::Interval));
    // Squares: mean over the samples times four; dense is (0.5, -0.25) and (0.25, 0.5).
    assert_eq!(ranges[1].squares, [4.0 * (0.25 + 0.0625) / 2.0, 4.0 * (0.0625 + 0.25) / 2.0]);
    assert_eq!(ranges[0].squares, [4.0 * 0.0625 / 2.0, 4.0 * 0.25 / 2.0]);
}

#[test]
fn without_a_stated_range_samples_bound_the_input() {
    let mut options = options(0.0, 1.0, &[[0.5, -0.75]]);
    options.inputs.clear();
    let ranges = analyse(&circuit(&[1.0; 4]), &options).unwrap();
    assert_eq!(ranges[0].magnitude, 1.5);
    options.samples.clear();
    let error = analyse(&circuit(&[1.0; 4]), &options).unwrap_err();
    assert_eq!(error, RangeError::UnknownInput("x".into()));
}

#[test]
fn refusals() {
    let circuit = circuit(&[1.0; 4]);
    let refused = |options: RangeOptions| analyse(&circuit, &options).unwrap_err().to_string();
    assert!(refused(options(1.0, 0.0, &[])).contains("range of input \"x\" is 1 to 0"));
    assert!(refused(options(0.0, 1.0, &[[0.0, 2.0]])).contains("a sample holds 2, outside the stated range 0 to 1"));
    assert!(refused(RangeOptions { margin: 0.5, ..options(0.0, 1.0, &[]) }).contains("margin 0.5"));
    let mut unknown = options(0.0, 1.0, &[]);
    unknown.inputs.insert("z".into(), Interval::new(0.0, 1.0));
    assert!(refused(unknown).contains("no such input"));
    let mut short = options(0.0, 1.0, &[]);
    short.samples = vec![HashMap::from([("x".into(), vec![0.0])])];
    assert!(refused(short).contains("input \"x\" has 1 numbers, expected 2"));
    let huge = refused(options(0.0, 1e200, &[]));
    assert!(huge.contains("node square (square): its magnitude has no bound"), "{huge}");
}
