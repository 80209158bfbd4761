//! Functions against their formulas written out, and each broken rule.

use std::sync::Arc;

use he_params::{Level, Scale};

use super::*;
use crate::{HeIrError, HeProgramBuilder, Op, Packing};

const Q: [u64; 2] = [1073184769, 1073233921];

fn refresh(function: ClientFunction, groups: Option<Vec<RefreshGroup>>, results: usize) -> Refresh {
    let scale = Scale::from_log2(24.0).unwrap();
    Refresh { function, groups, shape: vec![results], level: Level::new(1), scale }
}

fn group(inputs: &[u32], outputs: &[u32]) -> RefreshGroup {
    RefreshGroup { inputs: inputs.into(), outputs: outputs.into() }
}

#[test]
fn elementwise_functions_are_their_formulas() {
    use ClientFunction as F;
    let x = [-2.0, -0.5, 0.0, 0.25, 7.0];
    type Formula = fn(f64) -> f64;
    let cases: [(F, Formula); 8] = [
        (F::Identity, |x| x),
        (F::Relu, |x| if x > 0.0 { x } else { 0.0 }),
        (F::BoundedRelu { max: 6.0 }, |x| {
            if x > 6.0 {
                6.0
            } else if x > 0.0 {
                x
            } else {
                0.0
            }
        }),
        (F::LeakyRelu { alpha: 0.5 }, |x| if x > 0.0 { x } else { x / 2.0 }),
        (F::Sigmoid, |x| x.exp() / (1.0 + x.exp())),
        (F::Tanh, |x| (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())),
        (F::Exp, |x| std::f64::consts::E.powf(x)),
        (F::Power { exponent: 3.0 }, |x| x * x * x),
    ];
    for (function, formula) in cases {
        let mut row = x;
        function.apply_assign(&mut row);
        let mut out = [0.0; 5];
        function.apply_group(&[&x], &mut [&mut out]);
        assert_eq!(row, out);
        for (x, y) in x.iter().zip(row) {
            assert!((formula(*x) - y).abs() <= 1e-12 * y.abs().max(1.0), "{function:?} of {x}: {y}");
        }
        assert!(function.is_elementwise() && function.results_of(3) == Some(3));
    }
}

#[test]
fn groups_meet_image_by_image() {
    use ClientFunction as F;
    let (x, y, z) = ([1.0, -5.0, 2.0], [3.0, -7.0, 2.0], [2.0, -6.0, -1.0]);
    let apply = |function: F, inputs: &[&[f64]]| {
        let mut out = vec![vec![f64::NAN; 3]; function.results_of(inputs.len()).unwrap()];
        let mut rows: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        function.apply_group(inputs, &mut rows);
        out
    };
    assert_eq!(apply(F::Max, &[&x, &y, &z]), [[3.0, -5.0, 2.0]]);
    assert_eq!(apply(F::ArgMax, &[&x, &y, &z]), [[1.0, 0.0, 0.0]]);
    assert_eq!(apply(F::Divide, &[&x, &z]), [[0.5, 5.0 / 6.0, -2.0]]);
    let soft = apply(F::Softmax, &[&x, &y, &z]);
    for image in 0..3 {
        let sum: f64 = [x, y, z].iter().map(|v| v[image].exp()).sum();
        for (row, v) in soft.iter().zip([x, y, z]) {
            assert!((row[image] - v[image].exp() / sum).abs() < 1e-15);
        }
    }
    // Numbers whose exponentials overflow.
    let large = [1000.0; 3];
    assert_eq!(apply(F::Softmax, &[&large, &large]), [[0.5; 3]; 2]);
}

#[test]
fn each_broken_rule_is_named() {
    use ClientFunction as F;
    let check = |function, groups, results, elements| refresh(function, groups, results).check(elements);
    assert_eq!(check(F::Relu, None, 4, 4), Ok(()));
    assert_eq!(check(F::Max, Some(vec![group(&[0, 1], &[1]), group(&[1, 2], &[0])]), 2, 3), Ok(()));
    let wrong = TypeError::Elements { what: "the result", found: 3, expected: 4 };
    assert_eq!(check(F::Relu, None, 3, 4), Err(wrong));
    let wrong = |inputs, outputs, function| Err(TypeError::FunctionGroup { function, inputs, outputs });
    assert_eq!(check(F::Max, None, 4, 4), wrong(1, 1, "max"));
    assert_eq!(check(F::Max, Some(vec![group(&[0], &[0, 1])]), 2, 1), wrong(1, 2, "max"));
    assert_eq!(check(F::Divide, Some(vec![group(&[0], &[0])]), 1, 1), wrong(1, 1, "divide"));
    assert_eq!(check(F::Max, Some(vec![group(&[3], &[0])]), 1, 3), Err(TypeError::Index { index: 3, elements: 3 }));
    assert_eq!(check(F::Max, Some(vec![group(&[0], &[1])]), 1, 3), Err(TypeError::Index { index: 1, elements: 1 }));
    let twice = Some(vec![group(&[0], &[0]), group(&[1], &[0])]);
    assert_eq!(check(F::Max, twice, 1, 3), Err(TypeError::ResultTwice { index: 0 }));
    assert_eq!(check(F::Max, Some(vec![group(&[0], &[1])]), 2, 3), Err(TypeError::ResultMissing { index: 0 }));
    let wrong = Err(TypeError::FunctionConstant { function: "bounded_relu", constant: 0.0 });
    assert_eq!(check(F::BoundedRelu { max: 0.0 }, None, 1, 1), wrong);
}

#[test]
fn tiles_are_computed_or_refused_whole() {
    use ClientFunction as F;
    let values = [1.0, -2.0, 3.0, -4.0, 0.5, 6.0];
    assert_eq!(F::Relu.apply_tile(None, &values, 2, 3).unwrap(), [1.0, 0.0, 3.0, 0.0, 0.5, 6.0]);
    let groups = [group(&[0, 2], &[1]), group(&[1, 2, 0], &[0])];
    assert_eq!(F::Max.apply_tile(Some(&groups), &values, 2, 2).unwrap(), [3.0, 6.0, 1.0, 6.0]);
    for (function, groups, results) in [
        (F::Relu, None, 2),
        (F::Max, None, 3),
        (F::Max, Some(&groups[..1]), 2),
        (F::Max, Some(&[group(&[0], &[0]), group(&[1], &[0])][..]), 2),
        (F::Max, Some(&[group(&[3], &[0])][..]), 1),
        (F::Max, Some(&[group(&[0], &[1])][..]), 1),
        (F::Divide, Some(&[group(&[0], &[0])][..]), 1),
    ] {
        assert_eq!(function.apply_tile(groups, &values, 2, results), None, "{function:?} {groups:?}");
    }
}

#[test]
fn a_refresh_begins_a_value_of_its_own_state() {
    let mut b = HeProgramBuilder::new("refreshed", Q.to_vec());
    b.packing(Packing::Complex);
    let x = b.input("x", vec![2, 2], Level::new(0), Scale::from_log2(20.0).unwrap()).unwrap();
    let op = |refresh| Op::Refresh { refresh: Arc::new(refresh) };
    let y = b.push(op(refresh(ClientFunction::BoundedRelu { max: 6.0 }, None, 4)), &[x], "relu6").unwrap();
    let pairs = (0..4).map(|i| group(&[i, i + 4], &[i])).collect();
    let z = b.push(op(refresh(ClientFunction::Max, Some(pairs), 4)), &[y, y], "larger").unwrap();
    let refused = |b: &mut HeProgramBuilder, refresh, operands: &[_]| match b.push(op(refresh), operands, "n") {
        Err(HeIrError::Op { error, .. }) => error,
        other => panic!("not refused: {other:?}"),
    };
    let both = refresh(ClientFunction::Relu, None, 8);
    let want = TypeError::Level { left: Level::new(0), right: Level::new(1) };
    assert_eq!(refused(&mut b, both.clone(), &[x, y]), want);
    let high = Refresh { level: Level::new(2), ..both.clone() };
    assert_eq!(refused(&mut b, high, &[y, z]), TypeError::FreshLevel { level: Level::new(2), primes: 2 });
    assert_eq!(refused(&mut b, both, &[]), TypeError::Arity { expected: 1, found: 0 });
    b.output("z", z);
    let program = b.finish().unwrap();
    let text = program.to_string();
    assert!(text.contains("%1 = refresh %0 bounded_relu 6 : cipher[4] level 1 scale 2^24.000 x2  # relu6"), "{text}");
    assert!(text.contains("%2 = refresh %1 %1 max {4 groups} : cipher[4]"), "{text}");
    assert!(text.starts_with("program \"refreshed\" q [1073184769, 1073233921] complex-packed\n"), "{text}");
    assert_eq!(program.refreshes().map(|(id, _)| id).collect::<Vec<_>>(), [y, z]);
}

#[test]
fn two_images_in_a_slot_are_not_multiplied() {
    let mut b = HeProgramBuilder::new("square", Q.to_vec());
    let x = b.input("x", vec![1], Level::new(0), Scale::from_log2(10.0).unwrap()).unwrap();
    let y = b.push(Op::Square, &[x], "square").unwrap();
    b.output("y", y);
    let errors = b.finish().unwrap().with_packing(Packing::Complex).unwrap_err();
    assert!(matches!(&errors[..], [HeIrError::Op { error: TypeError::ComplexProduct, .. }]), "{errors:?}");
}
