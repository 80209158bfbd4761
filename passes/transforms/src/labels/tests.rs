//! Labels decide how far weights shrink, and the precision asked for is held besides.

use graph::{Graph, GraphBuilder, Tensor};

use super::*;
use crate::ranges::Interval;
use crate::testing::random;
use crate::{CompileOptions, Compiled, compile};

/// Two logits of sixteen numbers, whose weights are `a` and `b` off one half.
fn two_logits(a: f64, b: f64) -> Graph {
    let g = GraphBuilder::new("two");
    let x = g.input("x", &[16]);
    let weights = (0..16).flat_map(|_| [0.5 + a, 0.5 + b]).collect();
    let w = g.constant("w", Tensor::new(vec![16, 2], weights).unwrap());
    g.finish(&[x.matmul(w).square()]).unwrap()
}

fn ones(samples: usize) -> Tensor {
    Tensor::new(vec![samples, 16], vec![0.9; samples * 16]).unwrap()
}

fn compiled(graph: &Graph, precision_bits: f64, calibration: Vec<Tensor>) -> Compiled {
    let mut options = CompileOptions::new(16);
    options.precision_bits = precision_bits;
    options.threads = 2;
    options.input_ranges.insert("x".into(), Interval::new(0.0, 1.0));
    options.calibration = calibration;
    compile(graph, &options).unwrap()
}

fn labels(compiled: &Compiled) -> &Labels {
    match &compiled.explain.weights {
        WeightsBy::Labels(labels) => labels,
        other => panic!("{other:?}"),
    }
}

fn bits(compiled: &Compiled) -> u32 {
    labels(compiled).layers[0].bits
}

#[test]
fn a_label_is_its_lead_and_keeps_half_of_it() {
    assert_eq!(label_of(&[1.0, 4.0, 3.5]), Some((1, 0.5)));
    assert_eq!(label_of(&[2.0, 2.0]), Some((0, 0.0)));
    assert_eq!(label_of(&[2.0]), None);
    let before = [0.0, 1.0];
    assert!(keeps_label(&before, &[0.4, 1.0], 1e9) && !keeps_label(&before, &[0.6, 1.0], 1e9));
    // A lead beyond all noise may shrink further.
    assert!(keeps_label(&before, &[0.6, 1.0], 0.3) && !keeps_label(&before, &[0.8, 1.0], 0.3));
    assert!(!keeps_label(&before, &[1.5, 1.0], 0.0));
    assert!(keeps_label(&[7.0], &[-7.0], 0.0), "one element has no label to lose");
}

#[test]
fn weights_shrink_to_the_precision_asked_for_where_labels_are_far_apart() {
    let compiled = compiled(&two_logits(0.3, -0.3), 8.0, vec![ones(4)]);
    let found = labels(&compiled);
    assert_eq!((found.samples, found.kept), (4, 4));
    assert!(found.layers[0].bits < found.layers[0].by_error_bound, "{found:?}");
    assert!(compiled.explain.precision_bits >= 8.0);
    assert!(found.deviation <= found.error_bound);
    // One bit less is too few for the precision: nothing is left on the table.
    assert!(compiled.explain.precision_bits < 10.0, "{}", compiled.explain.precision_bits);
}

#[test]
fn logits_that_nearly_tie_keep_the_bits_that_tell_them_apart() {
    // 2^-8 apart: at scale 2^7 both are equal.
    let (far, near) = (two_logits(0.3, -0.3), two_logits(0.0, -(0.5f64.powi(8))));
    let (far, near) = (compiled(&far, 4.0, vec![ones(4)]), compiled(&near, 4.0, vec![ones(4)]));
    assert_eq!((labels(&near).samples, labels(&near).kept), (4, 4));
    assert_eq!(bits(&near), 8, "{:?}", labels(&near));
    assert!(bits(&far) < 8 && far.explain.precision_bits < near.explain.precision_bits, "{:?}", labels(&far));
}

#[test]
fn labels_that_the_error_bound_does_not_keep_are_counted() {
    // 2^-11 apart, and room for weights of nine bits.
    let compiled = compiled(&two_logits(0.0, -(0.5f64.powi(11))), 4.0, vec![ones(4)]);
    let found = labels(&compiled);
    assert_eq!((found.samples, found.kept), (4, 0));
    assert_eq!(found.layers[0].bits, found.layers[0].by_error_bound);
    assert!(compiled.explain.to_string().contains("0 of 4 samples keep their label"));
}

#[test]
fn without_samples_or_labels_the_error_bound_rules() {
    let reason = |compiled: &Compiled| match compiled.explain.weights {
        WeightsBy::ErrorBound { reason } => reason,
        WeightsBy::Labels(_) => panic!("labels of nothing"),
    };
    let graph = two_logits(0.3, -0.3);
    let none = compiled(&graph, 8.0, vec![]);
    assert_eq!(reason(&none), "no samples to hold labels against");
    assert!(none.explain.to_string().contains("as small as the error bound lets them be: no samples"));
    let g = GraphBuilder::new("one");
    let x = g.input("x", &[16]);
    let w = g.constant("w", random(&[16, 1], 3));
    let one = g.finish(&[x.matmul(w)]).unwrap();
    assert_eq!(reason(&compiled(&one, 8.0, vec![ones(4)])), "outputs of one element have no labels");
}

#[test]
fn threads_share_samples_and_change_nothing() {
    let graph = two_logits(0.2, 0.1);
    let samples = Tensor::new(vec![9, 16], random(&[9, 16], 5).data().iter().map(|x| x.abs()).collect()).unwrap();
    let with = |threads: usize| {
        let mut options = CompileOptions::new(16);
        options.threads = threads;
        options.input_ranges.insert("x".into(), Interval::new(0.0, 1.0));
        options.calibration = vec![samples.clone()];
        compile(&graph, &options).unwrap()
    };
    let (one, two) = (with(1), with(2));
    assert_eq!((&one.program, &one.explain.weights), (&two.program, &two.explain.weights));
}
