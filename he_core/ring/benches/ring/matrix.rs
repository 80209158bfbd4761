//! The residue matrix product, on the layers of CryptoNets; throughput counts multiply-accumulates of residues.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_params::{Group, Groups};
use he_ring::{Isa, LinearWeights, WeightBlock};

use crate::setup::{Chain, all_limbs, tensor};

pub(crate) fn benches(c: &mut Criterion) {
    let layers = [("matrix_dense_845x100", dense()), ("matrix_conv_169x25x5", convolution())];
    for chain in [Chain::new(1, 30), Chain::new(1, 50), Chain::new(1, 60)] {
        for isa in Isa::available() {
            let ring = chain.ring(13, isa);
            for (name, weights) in &layers {
                let x = tensor(&ring, weights.input_count(), &all_limbs(&ring));
                let mut group = c.benchmark_group("ring");
                group.sample_size(10);
                group.throughput(Throughput::Elements((weights.multiply_count() * ring.n()) as u64));
                group.bench_function(chain.name(name, 13, isa), |b| {
                    b.iter(|| ring.matrix_product(weights, 1, black_box(&x)).expect("matching shapes"));
                });
            }
        }
    }
}

/// Weights of 16 bits.
fn block(outputs: usize, inputs: usize) -> WeightBlock {
    let weight = |i: usize| (i as i64).wrapping_mul(7919) % 65_536 - 32_768;
    WeightBlock { outputs, inputs, weights: (0..outputs * inputs).map(weight).collect() }
}

fn dense() -> LinearWeights {
    let all = Group { inputs: (0..845).collect(), outputs: (0..100).collect(), block: 0 };
    LinearWeights::new(845, 100, vec![block(100, 845)], vec![all]).expect("a dense layer")
}

/// Five 5x5 filters at stride 2 over 29x29 values.
fn convolution() -> LinearWeights {
    let at = |p: u32| Group {
        inputs: (0..25).map(|k| (p / 13 * 2 + k / 5) * 29 + p % 13 * 2 + k % 5).collect(),
        outputs: (0..5).map(|o| o * 169 + p).collect(),
        block: 0,
    };
    LinearWeights::new(841, 845, vec![block(5, 25)], (0..169).map(at).collect::<Groups>()).expect("a convolution")
}
