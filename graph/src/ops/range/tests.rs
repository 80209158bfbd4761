//! Bounds hold for what operations give, and are reached.

use proptest::prelude::*;

use crate::Tensor;
use crate::ops::*;

fn unary() -> Vec<Op> {
    vec![
        Relu.into(),
        BoundedRelu { max: 6.0 }.into(),
        LeakyRelu { alpha: 0.25 }.into(),
        LeakyRelu { alpha: -0.5 }.into(),
        Clip { min: Some(-1.0), max: None }.into(),
        Clip { min: Some(1.0), max: Some(-1.0) }.into(),
        Sigmoid.into(),
        Tanh.into(),
        Exp.into(),
        Softmax { axes: vec![0] }.into(),
        ReduceMax { axes: vec![0], keep: true }.into(),
    ]
}

fn binary() -> Vec<Op> {
    vec![Max.into(), Min.into(), Div.into(), Pow.into()]
}

fn inside(bounds: Bounds, values: &[f64]) -> bool {
    // NaN (a root of a negative number) is inside of nothing but everything.
    let (low, high) = bounds;
    low == f64::NEG_INFINITY && high == f64::INFINITY || values.iter().all(|v| (low..=high).contains(v))
}

proptest! {
    #[test]
    fn what_operations_give_lies_within(a in -4.0..4.0f64, b in -4.0..4.0f64, shares in prop::collection::vec(0.0..=1.0f64, 5)) {
        let (low, high) = (a.min(b), a.max(b));
        let x = Tensor::vector(shares.iter().map(|share| (low + share * (high - low)).clamp(low, high)).collect());
        for op in unary() {
            let bounds = op.bounds(&[(low, high)]).unwrap();
            prop_assert!(inside(bounds, op.evaluate(&[&x]).unwrap().data()), "{op:?} of {x:?} leaves {bounds:?}");
            prop_assert!(op.is_nonlinear());
        }
    }

    #[test]
    fn of_two_operands_too(ends in prop::array::uniform4(-4.0..4.0f64), shares in prop::collection::vec((0.0..=1.0f64, 0.0..=1.0f64), 5), whole in any::<bool>()) {
        let [a, b, c, d] = ends;
        let left = (a.min(b), a.max(b));
        let right = if whole { (c.round(), c.round()) } else { (c.min(d), c.max(d)) };
        let at = |(low, high): Bounds, share: f64| (low + share * (high - low)).clamp(low, high);
        let x = Tensor::vector(shares.iter().map(|(share, _)| at(left, *share)).collect());
        let y = Tensor::vector(shares.iter().map(|(_, share)| at(right, *share)).collect());
        for op in binary() {
            let bounds = op.bounds(&[left, right]).unwrap();
            prop_assert!(inside(bounds, op.evaluate(&[&x, &y]).unwrap().data()), "{op:?} of {x:?}, {y:?} leaves {bounds:?}");
        }
    }
}

#[test]
fn bounds_are_reached() {
    let of = |op: Op, operands: &[Bounds]| op.bounds(operands).unwrap();
    assert_eq!(of(Relu.into(), &[(-2.0, 3.0)]), (0.0, 3.0));
    assert_eq!(of(BoundedRelu { max: 6.0 }.into(), &[(f64::NEG_INFINITY, f64::INFINITY)]), (0.0, 6.0));
    assert_eq!(of(LeakyRelu { alpha: -1.0 }.into(), &[(-2.0, 1.0)]), (0.0, 2.0));
    assert_eq!(of(LeakyRelu { alpha: 0.5 }.into(), &[(-2.0, 1.0)]), (-1.0, 1.0));
    assert_eq!(of(Sigmoid.into(), &[(f64::NEG_INFINITY, f64::INFINITY)]), (0.0, 1.0));
    assert_eq!(of(Max.into(), &[(0.0, 1.0), (-5.0, 2.0)]), (0.0, 2.0));
    assert_eq!(of(Min.into(), &[(0.0, 1.0), (-5.0, 2.0)]), (-5.0, 1.0));
    assert_eq!(of(Div.into(), &[(1.0, 2.0), (-4.0, -2.0)]), (-1.0, -0.25));
    assert_eq!(of(Div.into(), &[(1.0, 2.0), (0.0, 2.0)]), (f64::NEG_INFINITY, f64::INFINITY));
    assert_eq!(of(Pow.into(), &[(-2.0, 1.0), (2.0, 2.0)]), (0.0, 4.0));
    assert_eq!(of(Pow.into(), &[(-2.0, 1.0), (3.0, 3.0)]), (-8.0, 1.0));
    assert_eq!(of(Pow.into(), &[(0.5, 2.0), (-1.0, 1.0)]), (0.5, 2.0));
    assert_eq!(of(Pow.into(), &[(-2.0, 1.0), (0.5, 0.5)]), (f64::NEG_INFINITY, f64::INFINITY));
}

#[test]
fn other_operations_have_none() {
    assert_eq!(Op::from(Add).bounds(&[(0.0, 1.0), (0.0, 1.0)]), None);
    assert_eq!(Op::from(Relu).bounds(&[]), None);
    assert_eq!(Op::from(ArgMax { axis: 1, keep: false, last: false }).bounds(&[(0.0, 1.0)]), None);
    assert!(!Op::from(Concat { axis: 1 }).is_nonlinear());
}
