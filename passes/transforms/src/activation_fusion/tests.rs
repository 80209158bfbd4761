use graph::ops::{Max, Min, Relu};
use graph::{GraphBuilder, Tensor};

use super::ActivationFusion;
use crate::testing::{check_golden, run};

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&ActivationFusion, before, after, report);
}

#[test]
fn a_constant_that_widens_is_not_fused() {
    let g = GraphBuilder::new("wide");
    let x = g.input("x", &[1, 2]);
    let zeros = g.constant("zeros", Tensor::filled(vec![3, 2], 0.0).unwrap());
    let mut graph = g.finish(&[g.apply("max", Max, &[x, zeros])]).unwrap();
    let report = run(&ActivationFusion, &mut graph);
    assert_eq!(report.declined.len(), 1);
    assert!(report.to_string().contains("widens [batch, 1, 2] to [batch, 3, 2]"), "{report}");
}

#[test]
fn two_values_that_vary_are_left_alone() {
    let g = GraphBuilder::new("two");
    let (x, y) = (g.input("x", &[2]), g.input("y", &[2]));
    let relu = g.apply("relu", Relu, &[x]);
    let mut graph = g.finish(&[g.apply("min", Min, &[relu, y])]).unwrap();
    let before = graph.to_string();
    assert_eq!(run(&ActivationFusion, &mut graph).to_string(), "");
    assert_eq!(graph.to_string(), before);
}
