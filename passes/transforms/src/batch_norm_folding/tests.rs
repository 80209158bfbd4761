use graph::ops::{Conv, Gemm};
use graph::{Expr, GraphBuilder, Tensor};

use super::BatchNormFolding;
use crate::testing::{check_golden, random, run};
use crate::{Pass, PassReport};

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&BatchNormFolding, before, after, report);
}

fn batch_norm<'b>(g: &'b GraphBuilder, x: Expr<'b>, channels: usize) -> Expr<'b> {
    let vector = |name, seed| g.constant(name, random(&[channels], seed));
    let variance = random(&[channels], 14).data().iter().map(|v| v + 1.5).collect();
    let parameters = [
        vector("scale", 11),
        vector("shift", 12),
        vector("mean", 13),
        g.constant("variance", Tensor::vector(variance)),
    ];
    x.batch_norm(1e-3, parameters)
}

/// Runs the pass on a layer followed by a batch norm; the report, and the verbs that are left.
fn fold(
    image: &[usize],
    channels: usize,
    layer: impl for<'b> Fn(&'b GraphBuilder, Expr<'b>) -> Expr<'b>,
) -> (PassReport, Vec<&'static str>) {
    let g = GraphBuilder::new("g");
    let x = g.input("x", image);
    let y = batch_norm(&g, layer(&g, x), channels);
    let mut graph = g.finish(&[y]).unwrap();
    let report = run(&BatchNormFolding, &mut graph);
    (report, graph.nodes().map(|(_, node)| node.op().name()).collect())
}

#[test]
fn every_layer_that_can_takes_it_in() {
    let (report, verbs) = fold(&[4, 5, 5], 6, |g, x| {
        let op = Conv::new(2).groups(2).stride(2).pad(1, 0);
        x.conv_bias(op, g.constant("w", random(&[6, 2, 2, 2], 1)), g.constant("b", random(&[6], 2)))
    });
    assert_eq!((report.to_string().as_str(), verbs), ("+ batch_norm2: folded into conv1\n", vec!["conv"]));
    for transposed in [false, true] {
        for bias in [&[3][..], &[1, 3], &[1, 1], &[]] {
            let op = Gemm { alpha: 0.5, beta: 2.0, transposed };
            let dims = if transposed { [3, 4] } else { [4, 3] };
            let (_, verbs) =
                fold(&[4], 3, |g, x| x.gemm(op, g.constant("w", random(&dims, 1)), g.constant("b", random(bias, 2))));
            assert_eq!(verbs, ["gemm"]);
        }
    }
    let (_, verbs) = fold(&[4], 3, |g, x| x.matmul(g.constant("w", random(&[4, 3], 1))));
    assert_eq!(verbs, ["gemm"]);
}

#[test]
fn otherwise_it_becomes_a_product_and_a_sum() {
    let reason = |report: PassReport| report.rewritten[0].1.clone();
    let (report, verbs) = fold(&[2, 3], 2, |_, x| x.square());
    assert_eq!(
        (reason(report).as_str(), verbs),
        ("became a product and a sum: mul1 is a mul", vec!["mul", "mul", "add"])
    );
    let (report, verbs) = fold(&[2, 4], 2, |g, x| x.matmul(g.constant("w", random(&[4, 3], 1))));
    assert_eq!(
        (reason(report).as_str(), verbs),
        ("became a product and a sum: matmul1 is a matmul", vec!["matmul", "mul", "add"])
    );
    let (report, verbs) = fold(&[2], 2, |_, x| x);
    assert_eq!(
        (reason(report).as_str(), verbs),
        ("became a product and a sum: it normalises an input", vec!["mul", "add"])
    );

    let g = GraphBuilder::new("g");
    let x = g.input("x", &[1, 3]);
    let conv = x.conv(Conv::new(1), g.constant("w", random(&[2, 1, 2], 1)));
    let mut graph = g.finish(&[batch_norm(&g, conv, 2), conv]).unwrap();
    assert_eq!(reason(run(&BatchNormFolding, &mut graph)), "became a product and a sum: conv1 is read elsewhere too");
}

#[test]
fn parameters_must_be_constant_and_sound() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    let c = |name, value| g.constant(name, Tensor::vector(vec![value; 2]));
    let varying = g.fixed_input("scale", &[2]);
    let mut graph = g.finish(&[x.batch_norm(0.0, [varying, c("b", 0.0), c("m", 0.0), c("v", 1.0)])]).unwrap();
    let error = BatchNormFolding.run(&mut graph).unwrap_err().to_string();
    assert_eq!(error, "pass batch_norm_folding, node batch_norm1 (batch_norm): its parameters are not constant");
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    let c = |name, value| g.constant(name, Tensor::vector(vec![value; 2]));
    let mut graph = g.finish(&[x.batch_norm(0.0, [c("s", 1.0), c("b", 0.0), c("m", 0.0), c("v", -1.0)])]).unwrap();
    let error = BatchNormFolding.run(&mut graph).unwrap_err().to_string();
    assert!(error.ends_with("variance + epsilon is not positive for every channel"), "{error}");
}
