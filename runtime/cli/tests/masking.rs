//! What arrives at the port of a masked program: the same results, other numbers to see.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::convert::Infallible;

use execute::clear::{ClearBackend, ClearPort, ClearTensor};
use execute::{Asked, Batch, PortError, RefreshPort, Request, StreamOptions, prepare_streamed, run_streamed};
use graph::ops::{BoundedRelu, Conv, MaxPool, Relu};
use graph::{Graph, GraphBuilder, Tensor, interpret};
use he_ir::HeProgram;
use transforms::ranges::Interval;
use transforms::{CompileOptions, compile, replay_masked};

const IMAGES: usize = 4;
const TILE: usize = 40;

/// A port that keeps what it is asked to refresh, row by row.
struct Watched {
    port: ClearPort,
    seen: BTreeMap<&'static str, Vec<Vec<f64>>>,
}

impl RefreshPort<ClearTensor> for Watched {
    fn send(&mut self, request: Request<ClearTensor>) -> Result<(), PortError> {
        if let Asked::Refresh { function, tile, .. } = &request.what {
            self.seen.entry(function.name()).or_default().extend(tile.batch().rows().map(<[f64]>::to_vec));
        }
        self.port.send(request)
    }

    fn receive(&mut self, sequence: u64) -> Result<ClearTensor, PortError> {
        self.port.receive(sequence)
    }
}

fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Convolution, ReLU, max pool, dense, bounded ReLU, dense.
fn network() -> Graph {
    let g = GraphBuilder::new("net");
    let weights = |name: &str, dims: &[usize], seed, factor: f64| {
        let data = numbers(dims.iter().product(), seed).iter().map(|w| w * factor).collect();
        g.constant(name, Tensor::new(dims.to_vec(), data).unwrap())
    };
    let conv = Conv { pads: vec![[1, 1], [1, 1]], ..Conv::new(2) };
    let y = g.input("image", &[1, 6, 6]).conv(conv, weights("k", &[3, 1, 3, 3], 1, 0.5));
    let y = g.apply("pool", MaxPool::new(&[2, 2]), &[g.apply("relu", Relu, &[y])]);
    let y = y.flatten().matmul(weights("w", &[27, 6], 2, 0.4));
    let y = g.apply("relu6", BoundedRelu { max: 6.0 }, &[y]);
    g.finish(&[y.matmul(weights("v", &[6, 3], 3, 0.7))]).unwrap()
}

fn image_numbers() -> Vec<f64> {
    numbers(36 * IMAGES, 9).iter().map(|x| (x + 1.0) / 2.0).collect()
}

/// Results, image by image, and rows seen by the key owner, by function.
fn run(program: &HeProgram) -> (Vec<f64>, BTreeMap<&'static str, Vec<Vec<f64>>>) {
    let backend = ClearBackend::new(program.q(), 2 * IMAGES);
    let options = StreamOptions { tile_values: TILE, ..StreamOptions::default() };
    let streamed = prepare_streamed(&backend, program, &options).unwrap();
    let port = ClearPort::new(vec![Batch::from_images(&image_numbers(), 36).unwrap()]);
    let mut watched = Watched { port, seen: BTreeMap::new() };
    let outputs = run_streamed(&backend, &streamed, &mut watched, &mut ()).unwrap();
    (outputs[0].batch().to_images(), watched.seen)
}

/// Whether one row is another times a factor of the mask.
fn is_multiple(row: &[f64], of: &[f64]) -> bool {
    let factor = row[0] / of[0];
    (0.49..2.01).contains(&factor) && row.iter().zip(of).all(|(a, b)| (a / b / factor - 1.0).abs() < 1e-2)
}

fn is_same(row: &[f64], of: &[f64]) -> bool {
    let largest = of.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    row.iter().zip(of).all(|(a, b)| (a - b).abs() < 1e-2 * largest)
}

#[test]
fn the_port_sees_scaled_and_reordered_values_and_the_results_are_the_same() {
    let graph = network();
    let mut options = CompileOptions::new(2048);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    let calibration = numbers(36 * 16, 5).iter().map(|x| (x + 1.0) / 2.0).collect();
    options.calibration = vec![Tensor::new(vec![16, 1, 6, 6], calibration).unwrap()];
    options.mask_channels = true;
    let compiled = compile(&graph, &options).unwrap();
    let mut state = 1u64;
    let random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        Ok::<u64, Infallible>(state ^ state >> 29)
    };
    let masked = replay_masked(&graph, &compiled.chain, &compiled.choices, TILE, random).unwrap();
    assert!(compiled.program.differs_in_numbers_only(&masked));

    let clear = interpret::run(&graph, &[Tensor::new(vec![IMAGES, 1, 6, 6], image_numbers()).unwrap()]).unwrap();
    let bound = compiled.explain.layers.last().unwrap().error_bound;
    let (plain_results, plain) = run(&compiled.program);
    let (results, hidden) = run(&masked);
    for (expected, found) in clear[0].data().iter().zip(plain_results.iter().zip(&results)) {
        assert!((expected - found.0).abs() < bound && (expected - found.1).abs() < bound, "{expected} {found:?}");
    }

    // ReLU: each row seen is one of the model's times a factor, and few are one of the model's.
    let (plain_rows, rows) = (&plain["relu"], &hidden["relu"]);
    assert_eq!((plain_rows.len(), rows.len()), (3 * 36, 3 * 36));
    assert!(rows.iter().all(|row| plain_rows.iter().any(|of| is_multiple(row, of))));
    let as_they_are = rows.iter().filter(|row| plain_rows.iter().any(|of| is_same(row, of))).count();
    assert!(as_they_are < 36, "{as_they_are}");
    // The bounded ReLU: its own numbers, in another order.
    let place = |row: &Vec<f64>| plain["bounded_relu"].iter().position(|of| is_same(row, of)).unwrap();
    let mut places: Vec<usize> = hidden["bounded_relu"].iter().map(place).collect();
    assert_ne!(places, (0..6).collect::<Vec<_>>());
    places.sort_unstable();
    assert_eq!(places, (0..6).collect::<Vec<_>>());
}
