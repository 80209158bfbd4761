//! Where circuits are cut, what the key owner gets to see, and that the errors promised hold in the clear.

use std::collections::HashMap;

use graph::ops::{ArgMax, AveragePool, BoundedRelu, Clip, Conv, Div, LeakyRelu, Max, MaxPool, Min, Relu, Softmax};
use graph::{Expr, Graph, GraphBuilder, Tensor, interpret};
use he_ir::{Op, Packing};

use crate::lowering::{Gate, lower};
use crate::ranges::Interval;
use crate::testing::{evaluate, random};
use crate::{CompileOptions, Compiled, compile, replay};

fn weights<'b>(g: &'b GraphBuilder, name: &str, dims: &[usize], seed: u64, factor: f64) -> Expr<'b> {
    let tensor = random(dims, seed);
    let data = tensor.data().iter().map(|w| w * factor).collect();
    g.constant(name, Tensor::new(dims.to_vec(), data).unwrap())
}

/// Convolution, ReLU, max pool, dense, softmax.
fn pooled() -> Graph {
    let g = GraphBuilder::new("pooled");
    let x = g.input("image", &[1, 6, 6]);
    let y = x.conv(Conv { pads: vec![[1, 1], [1, 1]], ..Conv::new(2) }, weights(&g, "k", &[2, 1, 3, 3], 1, 0.5));
    let y = g.apply("relu", Relu, &[y]);
    let y = g.apply("pool", MaxPool::new(&[2, 2]), &[y]);
    let y = y.flatten().matmul(weights(&g, "w", &[18, 4], 2, 0.7));
    g.finish(&[g.apply("softmax", Softmax { axes: vec![1] }, &[y])]).unwrap()
}

/// Two blocks of a network of depthwise-separable convolutions, the second with a shortcut, then the mean and a dense layer.
fn separable() -> Graph {
    let g = GraphBuilder::new("separable");
    let x = g.input("image", &[3, 6, 6]);
    let relu6 = |name: &str, x| g.apply(name, BoundedRelu { max: 6.0 }, &[x]);
    let depthwise = |channels| Conv { pads: vec![[1, 1], [1, 1]], groups: channels, ..Conv::new(2) };
    let y = relu6("expand1", x.conv(Conv::new(2), weights(&g, "e1", &[4, 3, 1, 1], 1, 0.9)));
    let y = relu6("depthwise1", y.conv(depthwise(4), weights(&g, "d1", &[4, 1, 3, 3], 2, 0.6)));
    let y = y.conv(Conv::new(2), weights(&g, "p1", &[2, 4, 1, 1], 3, 0.8));
    let z = relu6("expand2", y.conv(Conv::new(2), weights(&g, "e2", &[4, 2, 1, 1], 4, 0.9)));
    let z = relu6("depthwise2", z.conv(depthwise(4), weights(&g, "d2", &[4, 1, 3, 3], 5, 0.6)));
    let z = z.conv(Conv::new(2), weights(&g, "p2", &[2, 4, 1, 1], 6, 0.8)) + y;
    let z = relu6("head", z.conv(Conv::new(2), weights(&g, "h", &[5, 2, 1, 1], 7, 0.8)));
    let z = z.average_pool(AveragePool::new(&[6, 6])).flatten();
    g.finish(&[z.matmul(weights(&g, "w", &[5, 3], 8, 0.9))]).unwrap()
}

fn images(elements: &[usize], count: usize, seed: u64) -> Tensor {
    let dims: Vec<usize> = std::iter::once(count).chain(elements.iter().copied()).collect();
    let data = random(&dims, seed).data().iter().map(|x| (x + 1.0) / 2.0).collect();
    Tensor::new(dims, data).unwrap()
}

fn compiled(graph: &Graph, image: &[usize], batch: usize) -> Compiled {
    let mut options = CompileOptions::new(batch);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    options.calibration = vec![images(image, 16, 7)];
    compile(graph, &options).unwrap()
}

/// What the program computes on integers without noise is what the graph computes, to the error that is promised.
fn check_meaning(graph: &Graph, compiled: &Compiled, image: &[usize]) {
    let batch = images(image, 20, 11);
    let clear = interpret::run(graph, std::slice::from_ref(&batch)).unwrap();
    let elements = image.iter().product();
    let outputs = clear[0].data().len() / 20;
    let bound = compiled.explain.layers.last().unwrap().error_bound;
    for (image, expected) in batch.data().chunks(elements).zip(clear[0].data().chunks(outputs)) {
        let found = evaluate(&compiled.program, &HashMap::from([("image".to_owned(), image.to_vec())]));
        for (e, f) in expected.iter().zip(&found[0]) {
            assert!((e - f).abs() < bound, "expected {e}, found {f}, bound {bound:.2e}");
        }
    }
}

#[test]
fn activations_become_refreshes_between_segments_of_one_level() {
    let graph = pooled();
    let compiled = compiled(&graph, &[1, 6, 6], 2048);
    let verbs: Vec<&str> = compiled.program.nodes().iter().map(|n| n.op().verb()).collect();
    let want = ["input", "linear", "rescale", "refresh", "refresh", "linear", "rescale", "refresh"];
    assert_eq!(verbs, want);
    assert_eq!(compiled.program.packing(), Packing::Complex);
    // 2048 images: two to a slot at N = 2^11, over two small primes and no special one.
    assert_eq!((compiled.params.log_n().get(), compiled.params.q().len(), compiled.params.p().len()), (11, 2, 0));
    assert!(compiled.params.security_report().bits >= 128);
    assert!(compiled.explain.precision_bits >= 9.0);
    let client = compiled.explain.client.as_ref().unwrap();
    let rows: Vec<_> = client.layers.iter().map(|l| (l.function, l.values_down, l.values_up)).collect();
    assert_eq!(rows, [("relu", 72, 72), ("max", 72, 18), ("softmax", 4, 4)]);
    assert_eq!(client.rounds, 3);
    // Bits of q_0 twice for what goes down, of both primes once for what comes up.
    let [q0, q1] = [0, 1].map(|i| (compiled.params.q()[i] as f64).log2());
    let up = (36.0 * (q0 + q1) + 72.0 * q0 + 18.0 * (q0 + q1) + 4.0 * q0) / 8.0;
    assert!((client.bytes_up_per_image - up).abs() < 0.1, "{} bytes, {up}", client.bytes_up_per_image);
    let down = (72.0 + 72.0 + 4.0 + 4.0) * 2.0 * q0 / 8.0;
    assert!((client.bytes_down_per_image - down).abs() < 0.1, "{} bytes, {down}", client.bytes_down_per_image);
    let text = compiled.explain.to_string();
    assert!(text.contains("client     3 rounds, "), "{text}");
    assert!(text.contains("the key owner sees every value that it computes on"), "{text}");
    // What nobody multiplies again comes back without a prime to spare.
    let levels: Vec<u8> = compiled.program.refreshes().map(|(_, r)| r.level.get()).collect();
    assert_eq!(levels, [0, 1, 0]);
    check_meaning(&graph, &compiled, &[1, 6, 6]);
    assert_eq!(replay(&graph, &compiled.chain).unwrap(), compiled.program);
}

#[test]
fn shortcuts_and_bottlenecks_are_cut_by_identity_refreshes() {
    let graph = separable();
    let compiled = compiled(&graph, &[3, 6, 6], 4096);
    let identities = compiled.circuit.nodes.iter().filter(|node| match &node.gate {
        Gate::Client(client) => client.function == he_ir::ClientFunction::Identity,
        _ => false,
    });
    let sources: Vec<&str> = identities.map(|node| node.source.as_str()).collect();
    // The first bottleneck, which a convolution and a sum read, and the sum; the mean and the dense layer are one map.
    assert_eq!(sources, ["conv3", "add7"]);
    assert_eq!(compiled.circuit.depth(), 1);
    assert_eq!(compiled.params.log_n().get(), 12);
    check_meaning(&graph, &compiled, &[3, 6, 6]);
    let fresh = compiled.program.nodes().iter().filter(|n| matches!(n.op(), Op::Refresh { .. }));
    assert_eq!(fresh.count(), 7);
    assert_eq!(replay(&graph, &compiled.chain).unwrap(), compiled.program);
}

#[test]
fn squares_and_client_functions_share_a_network() {
    let g = GraphBuilder::new("mixed");
    let x = g.input("image", &[6]);
    let y = x.matmul(weights(&g, "w1", &[6, 5], 1, 0.5)).square();
    let y = g.apply("leaky", LeakyRelu { alpha: 0.1 }, &[y.matmul(weights(&g, "w2", &[5, 4], 2, 0.5))]);
    let graph = g.finish(&[y.matmul(weights(&g, "w3", &[4, 2], 3, 0.5))]).unwrap();
    let compiled = compiled(&graph, &[6], 1024);
    assert_eq!(compiled.program.packing(), Packing::Batch);
    assert!(compiled.reports.iter().any(|(pass, report)| *pass == "segments" && report.declined.len() == 1));
    check_meaning(&graph, &compiled, &[6]);
}

#[test]
fn two_operands_meet_in_a_client_function() {
    let g = GraphBuilder::new("two");
    let x = g.input("image", &[4]);
    let (a, b) = (x.matmul(weights(&g, "a", &[4, 3], 1, 0.5)), x.matmul(weights(&g, "b", &[4, 3], 2, 0.1)) + 1.0);
    let y = g.apply("quotient", Div, &[a, b]);
    let y = g.apply("larger", Max, &[y, a]);
    let graph = g.finish(&[y.matmul(weights(&g, "c", &[3, 3], 3, 0.5))]).unwrap();
    // A quotient has no bound that holds for every image; samples give one.
    let compiled = compiled(&graph, &[4], 2048);
    check_meaning(&graph, &compiled, &[4]);
    let mut options = CompileOptions::new(2048);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    let error = compile(&graph, &options).unwrap_err().to_string();
    assert!(error.contains("node quotient (refresh): its magnitude has no bound"), "{error}");
}

#[test]
fn what_the_client_does_not_compute_is_refused_by_name() {
    let g = GraphBuilder::new("last");
    let x = g.input("image", &[4]);
    let graph = g.finish(&[g.apply("arg", ArgMax { axis: 1, keep: false, last: true }, &[x])]).unwrap();
    let error = lower(&graph).unwrap_err().to_string();
    assert!(error.contains("node arg (arg_max): the client takes the first of equals"), "{error}");
}

#[test]
fn what_the_key_owner_has_no_name_for_is_computed_through_what_it_has() {
    let g = GraphBuilder::new("forms");
    let x = g.input("image", &[4]);
    let (a, b) = (x.matmul(weights(&g, "a", &[4, 3], 1, 0.5)), x.matmul(weights(&g, "b", &[4, 3], 2, 0.5)));
    let number = |name: &str, value: f64| g.constant(name, Tensor::scalar(value));
    let smaller = g.apply("smaller", Min, &[a, b]);
    let clipped = g.apply("clipped", Clip { min: Some(-0.25), max: Some(0.125) }, &[smaller]);
    let above = g.apply("above", Max, &[number("floor", -0.125), clipped]);
    let below = g.apply("below", Min, &[above, number("ceiling", 0.0625)]);
    let inverse = g.apply("inverse", Div, &[number("one", 1.5), below + 2.0]);
    let graph = g.finish(&[inverse.matmul(weights(&g, "c", &[3, 3], 3, 0.5))]).unwrap();
    let compiled = compiled(&graph, &[4], 2048);
    let functions: Vec<&str> = compiled.program.refreshes().map(|(_, refresh)| refresh.function.name()).collect();
    assert_eq!(functions, ["max", "bounded_relu", "relu", "relu", "power"]);
    check_meaning(&graph, &compiled, &[4]);
}
