//! What it takes to compile a network, named `transforms/compile/NETWORK`: CryptoNets as published, and with half of its
//! channels. Throughput counts weights of the network.
//!
//! `cargo bench -p transforms`; one thread.

#![expect(clippy::expect_used, reason = "a bench that cannot set up has nothing to measure")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_main};
use graph::ops::Conv;
use graph::{Expr, Graph, GraphBuilder, Tensor};
use transforms::{CompileOptions, compile, ranges::Interval};

fn benches() {
    let mut c = Criterion::default().configure_from_args();
    for (name, channels) in [("cryptonets", 5), ("cryptonets_narrow", 2)] {
        let (graph, weights) = cryptonets(channels);
        let mut options = CompileOptions::new(4096);
        options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
        options.calibration = vec![uniform(&[4, 1, 28, 28], 1.0)];
        options.threads = 1;
        let mut group = c.benchmark_group("transforms");
        group.sample_size(10);
        group.throughput(Throughput::Elements(weights));
        group.bench_function(format!("compile/{name}"), |b| {
            b.iter(|| compile(black_box(&graph), &options).expect("a network that compiles"));
        });
    }
    c.final_summary();
}

/// Convolution, square, dense, square, dense; and how many weights it has. CryptoNets for 5 channels.
fn cryptonets(channels: usize) -> (Graph, u64) {
    let g = GraphBuilder::new("cryptonets");
    let mut weights = 0;
    let mut scaled = |name: &str, dims: &[usize], fan_in: usize| -> Expr<'_> {
        weights += dims.iter().product::<usize>() as u64;
        g.constant(name, uniform(dims, 2.0 / (fan_in as f64).sqrt()))
    };
    let conv = Conv { strides: vec![2, 2], pads: vec![[1, 1], [1, 1]], ..Conv::new(2) };
    let features = channels * 169;
    let kernel = scaled("kernel", &[channels, 1, 5, 5], 25);
    let (w1, w2) = (scaled("w1", &[features, 100], features), scaled("w2", &[100, 10], 100));
    let hidden = g.input("image", &[1, 28, 28]).conv(conv, kernel).square().flatten().matmul(w1).square();
    (g.finish(&[hidden.matmul(w2)]).expect("matching shapes"), weights)
}

/// Elements without structure, evenly in [-width/2, width/2), or for images in [0, 1).
fn uniform(dims: &[usize], width: f64) -> Tensor {
    let count = dims.iter().product::<usize>() as u64;
    let fraction = |i: u64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / 53f64.exp2();
    let offset = if dims.len() == 4 && dims[1..] == [1, 28, 28] { 0.0 } else { width / 2.0 };
    Tensor::new(dims.to_vec(), (0..count).map(|i| fraction(i) * width - offset).collect()).expect("as many elements")
}

criterion_main!(benches);
