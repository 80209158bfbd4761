//! The same results under any mask, and what is left to see.

use std::collections::HashMap;
use std::convert::Infallible;

use graph::ops::{ArgMax, AveragePool, BoundedRelu, Conv, LeakyRelu, MaxPool, Relu, Sigmoid, Softmax};
use graph::{Expr, Graph, GraphBuilder, Tensor, interpret};
use he_ir::HeProgram;

use super::*;
use crate::ranges::Interval;
use crate::testing::{evaluate, random};
use crate::{CompileError, CompileOptions, Compiled, compile, replay_masked, replay_with};

fn weights<'b>(g: &'b GraphBuilder, name: &str, dims: &[usize], seed: u64, factor: f64) -> Expr<'b> {
    let tensor = random(dims, seed);
    let data = tensor.data().iter().map(|w| w * factor).collect();
    g.constant(name, Tensor::new(dims.to_vec(), data).unwrap())
}

/// Convolution, ReLU, max pool, dense, leaky ReLU, dense, softmax.
fn pooled() -> Graph {
    let g = GraphBuilder::new("pooled");
    let x = g.input("image", &[1, 6, 6]);
    let conv = Conv { pads: vec![[1, 1], [1, 1]], ..Conv::new(2) };
    let y = g.apply("relu", Relu, &[x.conv(conv, weights(&g, "k", &[4, 1, 3, 3], 1, 0.5))]);
    let y = g.apply("pool", MaxPool::new(&[2, 2]), &[y]);
    let y = y.flatten().matmul(weights(&g, "w", &[36, 5], 2, 0.4)) + weights(&g, "b", &[5], 3, 0.2);
    let y = g.apply("leaky", LeakyRelu { alpha: 0.1 }, &[y]).matmul(weights(&g, "v", &[5, 4], 4, 0.7));
    g.finish(&[g.apply("softmax", Softmax { axes: vec![1] }, &[y])]).unwrap()
}

/// A bounded ReLU, a depthwise convolution, and a shortcut around it.
fn shortcut() -> Graph {
    let g = GraphBuilder::new("shortcut");
    let x = g.input("image", &[2, 6, 6]);
    let depthwise = Conv { pads: vec![[1, 1], [1, 1]], groups: 4, ..Conv::new(2) };
    let y = g.apply("relu", Relu, &[x.conv(Conv::new(2), weights(&g, "e", &[4, 2, 1, 1], 1, 0.9))]);
    let z = g.apply("relu6", BoundedRelu { max: 6.0 }, &[y.conv(depthwise, weights(&g, "d", &[4, 1, 3, 3], 2, 0.6))]);
    let z = z.conv(Conv::new(2), weights(&g, "p", &[4, 4, 1, 1], 3, 0.8)) + y;
    let z = g.apply("head", Relu, &[z.conv(Conv::new(2), weights(&g, "h", &[3, 4, 1, 1], 4, 0.8))]);
    g.finish(&[z.average_pool(AveragePool::new(&[6, 6])).flatten()]).unwrap()
}

fn images(elements: &[usize], count: usize, seed: u64) -> Tensor {
    let dims: Vec<usize> = std::iter::once(count).chain(elements.iter().copied()).collect();
    let data = random(&dims, seed).data().iter().map(|x| (x + 1.0) / 2.0).collect();
    Tensor::new(dims, data).unwrap()
}

fn options(image: &[usize]) -> CompileOptions {
    let mut options = CompileOptions::new(2048);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    options.calibration = vec![images(image, 16, 7)];
    options.mask_channels = true;
    options
}

/// Numbers that look random (xorshift, multiplied).
fn source(seed: u64) -> impl FnMut() -> Result<u64, Infallible> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        Ok(state.wrapping_mul(0x2545_f491_4f6c_dd1d))
    }
}

fn masked(graph: &Graph, compiled: &Compiled, whole: usize, seed: u64) -> HeProgram {
    replay_masked(graph, &compiled.chain, &compiled.choices, whole, source(seed)).unwrap()
}

/// The circuit of a network under a mask.
fn masked_circuit(circuit: &Circuit, seed: u64) -> Circuit {
    let masking = Masking::of(circuit);
    let mask = masking.draw(0, &mut source(seed)).unwrap();
    assert_eq!(format!("{mask:?}"), "Mask(9 factors)");
    masking.apply(&mask, circuit).unwrap()
}

/// What each layer of the key owner reads, for one image.
fn seen(circuit: &Circuit, image: &[f64]) -> Vec<(String, Vec<f64>)> {
    let values = circuit.evaluate(&HashMap::from([("image".to_owned(), image.to_vec())])).unwrap();
    let read = |node: &crate::lowering::CircuitNode| match &node.gate {
        Gate::Client(client) => {
            Some((format!("{} {}", node.source, client.function.name()), values[node.operands[0]].clone()))
        }
        _ => None,
    };
    circuit.nodes.iter().filter_map(read).collect()
}

fn check(graph: &Graph, image: &[usize], precision_bits: f64) -> Compiled {
    let compiled = compile(graph, &CompileOptions { precision_bits, ..options(image) }).unwrap();
    assert!(compiled.explain.precision_bits >= precision_bits);
    assert_eq!(replay_with(graph, &compiled.chain, &compiled.choices).unwrap(), compiled.program);
    let batch = images(image, 10, 11);
    let clear = interpret::run(graph, std::slice::from_ref(&batch)).unwrap();
    let (elements, outputs) = (image.iter().product(), clear[0].data().len() / 10);
    let bound = compiled.explain.layers.last().unwrap().error_bound;
    for (seed, whole) in [(1, 0), (2, 64), (3, usize::MAX)] {
        let program = masked(graph, &compiled, whole, seed);
        assert_ne!(program, compiled.program);
        let states = |program: &HeProgram| -> Vec<_> {
            program.nodes().iter().map(|n| (n.op().verb(), n.value().clone(), n.operands().to_vec())).collect()
        };
        assert_eq!(states(&program), states(&compiled.program));
        for (image, expected) in batch.data().chunks(elements).zip(clear[0].data().chunks(outputs)) {
            let found = evaluate(&program, &HashMap::from([("image".to_owned(), image.to_vec())]));
            for (e, f) in expected.iter().zip(&found[0]) {
                assert!((e - f).abs() < bound, "seed {seed}: expected {e}, found {f}, bound {bound:.2e}");
            }
        }
    }
    compiled
}

#[test]
fn masked_programs_compute_the_same() {
    let compiled = check(&pooled(), &[1, 6, 6], 9.0);
    let report = &compiled.reports.iter().find(|(pass, _)| *pass == "masking").unwrap().1;
    let expected = "\
        + relu: relu sees 144 values under 4 factors, in drawn order\n\
        + pool: max sees 144 values under 4 factors, in drawn order\n\
        + leaky: leaky_relu sees 5 values under 5 factors, in drawn order\n\
        - softmax: softmax sees 4 values as they are: softmax(r x) is not r softmax(x); in drawn order\n";
    assert_eq!(report.to_string(), expected);
    let text = compiled.explain.to_string();
    assert!(text.contains("+ leaky: leaky_relu sees 5 values under 5 factors"), "{text}");
    assert!(text.contains("under a mask as far as \"masking\" says"), "{text}");
}

#[test]
fn sums_share_factors_and_bounds_have_none() {
    // Fewer bits than without a mask: the worst factors meet in one place.
    let compiled = check(&shortcut(), &[2, 6, 6], 7.0);
    let report = &compiled.reports.iter().find(|(pass, _)| *pass == "masking").unwrap().1;
    let lines = report.to_string();
    // The sum, its shortcut and the ReLU that both come from have one factor a channel.
    assert!(lines.contains("+ relu: relu sees 144 values under 4 factors"), "{lines}");
    assert!(lines.contains("identity sees 144 values under 4 factors"), "{lines}");
    let bounded = "- relu6: bounded_relu sees 144 values as they are: its bound would have to be scaled too";
    assert!(lines.contains(bounded), "{lines}");
}

#[test]
fn what_is_seen_is_scaled_channel_by_channel_and_reordered() {
    let graph = pooled();
    let compiled = compile(&graph, &options(&[1, 6, 6])).unwrap();
    let image = images(&[1, 6, 6], 1, 5);
    let plain = seen(&compiled.circuit, image.data());
    let hidden = seen(&masked_circuit(&compiled.circuit, 9), image.data());
    let names: Vec<&str> = hidden.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["relu relu", "pool max", "leaky leaky_relu", "softmax softmax"]);
    // Each channel seen is a channel of the model times one number of [1/2, 2), and no two come from one.
    let mut sources = Vec::new();
    let mut factors = Vec::new();
    for channel in hidden[0].1.chunks(36) {
        let of = |other: &[f64]| {
            let ratios: Vec<f64> = channel.iter().zip(other).map(|(a, b)| a / b).collect();
            let first = ratios[0];
            (first > 0.0 && ratios.iter().all(|r| (r / first - 1.0).abs() < 1e-9)).then_some(first)
        };
        let found: Vec<(usize, f64)> =
            plain[0].1.chunks(36).enumerate().filter_map(|(i, other)| Some((i, of(other)?))).collect();
        let [(source, factor)] = found[..] else { panic!("{found:?}") };
        assert!((0.5..2.0).contains(&factor), "{factor}");
        sources.push(source);
        factors.push(factor);
    }
    let mut sorted = sources.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2, 3]);
    assert!(factors.iter().any(|f| (f - 1.0).abs() > 0.05), "{factors:?}");
    // A dense layer is reordered element by element, and softmax sees its own numbers.
    let sorted = |x: &[f64]| {
        let mut x = x.to_vec();
        x.sort_by(f64::total_cmp);
        x
    };
    for (a, b) in sorted(&plain[3].1).iter().zip(sorted(&hidden[3].1)) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    // Another start draws another mask.
    assert_ne!(seen(&masked_circuit(&compiled.circuit, 10), image.data())[0].1, hidden[0].1);
}

#[test]
fn room_is_kept_for_the_largest_factor() {
    let graph = pooled();
    let without = compile(&graph, &CompileOptions { mask_channels: false, ..options(&[1, 6, 6]) }).unwrap();
    let with = compile(&graph, &options(&[1, 6, 6])).unwrap();
    let magnitude =
        |compiled: &Compiled, layer: &str| compiled.explain.layers.iter().find(|l| l.name == layer).unwrap().magnitude;
    assert_eq!(magnitude(&with, "relu"), LARGEST_FACTOR * magnitude(&without, "relu"));
    assert_eq!(magnitude(&with, "softmax"), magnitude(&without, "softmax"));
    let room = with.explain.operations.iter().map(|o| o.headroom_bits).fold(f64::INFINITY, f64::min);
    assert!(room >= 0.0, "{room}");
    assert!(with.params.log_qp() > without.params.log_qp());
    let error = replay_masked(&graph, &without.chain, &without.choices, 0, source(1)).unwrap_err();
    assert!(matches!(error, CompileError::NotMasked), "{error}");
    let error = replay_masked(&graph, &with.chain, &with.choices, 0, || Err::<u64, _>("no entropy")).unwrap_err();
    assert_eq!(error.to_string(), "random numbers for the mask: no entropy");
}

#[test]
fn functions_that_do_not_scale_say_why() {
    let lines = |make: &dyn Fn(&GraphBuilder) -> Graph| {
        let g = GraphBuilder::new("net");
        let circuit = crate::lowering::lower(&make(&g)).unwrap();
        Masking::of(&circuit).report(&circuit).to_string()
    };
    let sigmoid = lines(&|g| {
        let x = g.input("image", &[3]).matmul(weights(g, "w", &[3, 3], 1, 0.5));
        g.finish(&[g.apply("sigmoid", Sigmoid, &[x]).matmul(weights(g, "v", &[3, 2], 2, 0.5))]).unwrap()
    });
    let want = "- sigmoid: sigmoid sees 3 values as they are: sigmoid(r x) is not r sigmoid(x); in drawn order\n";
    assert_eq!(sigmoid, want);
    // The place of the largest stays where all have one factor; what is read from the input is its own.
    let largest = lines(&|g| {
        let x = g.input("image", &[3]).matmul(weights(g, "w", &[3, 3], 1, 0.5));
        g.finish(&[g.apply("arg", ArgMax { axis: 1, keep: false, last: false }, &[x])]).unwrap()
    });
    assert_eq!(largest, "+ arg: arg_max sees 3 values under 1 factors, in drawn order\n");
    let input = lines(&|g| {
        let x = g.apply("relu", Relu, &[g.input("image", &[3])]);
        g.finish(&[x.matmul(weights(g, "v", &[3, 2], 2, 0.5))]).unwrap()
    });
    let why = "the key owner encrypts the input as it is";
    assert_eq!(input, format!("- relu: relu sees 3 values as they are: {why}; in the model's order: {why}\n"));
    let square = lines(&|g| {
        let x = g.input("image", &[3]).matmul(weights(g, "w", &[3, 3], 1, 0.5));
        let y = g.apply("relu", Relu, &[x]).square();
        g.finish(&[y.matmul(weights(g, "v", &[3, 2], 2, 0.5))]).unwrap()
    });
    assert!(square.contains("- relu: relu sees 3 values as they are: ciphertexts are multiplied;"), "{square}");
}
