//! The operations that carry a network, named `layer/op/log_n/primes/isa`, on every instruction set of this machine.
//!
//! `cargo bench -p he_ring`; one thread with `RAYON_NUM_THREADS=1`.

#![expect(clippy::expect_used, reason = "a bench that cannot set up has nothing to measure")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use he_ring::{Coeff, Eval, Isa, LinearGroup, LinearWeights, NttPlan, Ring, RnsTensor, WeightBlock, Word};

/// Primes `1 mod 2^15`, largest first: 30 bits, then 60 bits.
const PRIMES_30: [u64; 7] = [1073643521, 1073479681, 1073430529, 1073299457, 1073233921, 1073184769, 1073053697];
const PRIME_60: u64 = 1152921504606748673;

fn transforms<W: Word>(c: &mut Criterion, log_n: u32, q: u64, bits: u32) {
    for isa in Isa::available() {
        let plan = NttPlan::<W>::new(log_n, q, isa).expect("a prime for this degree");
        let mut x: Vec<W> = (0..1u64 << log_n).map(|i| W::from_u64(i * 0x9e37_79b9 % q)).collect();
        let mut group = c.benchmark_group("ntt");
        group.bench_function(format!("forward/{log_n}/1x{bits}/{}", isa.name()), |b| {
            b.iter(|| plan.forward(black_box(&mut x)));
        });
        group.bench_function(format!("inverse/{log_n}/1x{bits}/{}", isa.name()), |b| {
            b.iter(|| plan.inverse(black_box(&mut x)));
        });
    }
}

fn ntt(c: &mut Criterion) {
    transforms::<u32>(c, 13, PRIMES_30[0], 30);
    transforms::<u64>(c, 13, PRIME_60, 60);
    transforms::<u64>(c, 14, PRIME_60, 60);
}

/// Residues that look random; the transform of a ramp.
fn tensor(ring: &Ring, rows: usize, limbs: &[usize]) -> RnsTensor<Eval> {
    let coefficients: Vec<i64> = (0..(rows * ring.n()) as i64).map(|i| i.wrapping_mul(0x1e37_79b9_7f4a_7c15)).collect();
    ring.forward(ring.from_signed(&coefficients, limbs).expect("whole rows")).expect("a tensor of this ring")
}

fn matrix_product(c: &mut Criterion) {
    for isa in Isa::available() {
        let ring = Ring::new(13, &[PRIMES_30[0], PRIME_60], isa).expect("primes for this degree");
        let weight = |i: usize| (i as i64).wrapping_mul(7919) % 65_536 - 32_768;
        let dense = WeightBlock { outputs: 100, inputs: 845, weights: (0..84_500).map(weight).collect() };
        let all = LinearGroup { inputs: (0..845).collect(), outputs: (0..100).collect(), block: 0 };
        let dense = LinearWeights::new(845, 100, vec![dense], vec![all]).expect("a dense layer");
        let conv = WeightBlock { outputs: 5, inputs: 25, weights: (0..125).map(weight).collect() };
        let at = |p: u32| LinearGroup {
            inputs: (0..25).map(|k| (p / 13 * 2 + k / 5) * 29 + p % 13 * 2 + k % 5).collect(),
            outputs: (0..5).map(|o| o * 169 + p).collect(),
            block: 0,
        };
        let conv = LinearWeights::new(841, 845, vec![conv], (0..169).map(at).collect()).expect("a convolution");
        let mut group = c.benchmark_group("matrix_product");
        group.sample_size(10);
        for (limb, bits) in [(0, 30), (1, 60)] {
            for (name, weights) in [("dense_845x100", &dense), ("conv_169x25x5", &conv)] {
                let x = tensor(&ring, weights.input_count(), &[limb]);
                group.throughput(Throughput::Elements((weights.multiply_count() * ring.n()) as u64));
                group.bench_function(format!("{name}/13/1x{bits}/{}", isa.name()), |b| {
                    b.iter(|| ring.matrix_product(weights, 1, black_box(&x)).expect("matching shapes"));
                });
            }
        }
    }
}

fn rescale(c: &mut Criterion) {
    for isa in Isa::available() {
        let ring = Ring::new(13, &PRIMES_30, isa).expect("primes for this degree");
        let x = tensor(&ring, 2, &[0, 1, 2, 3, 4, 5, 6]);
        let coeff: RnsTensor<Coeff> = ring.inverse(x.clone()).expect("a tensor of this ring");
        let mut group = c.benchmark_group("ring");
        group.bench_function(format!("divide_round_by_last/13/7x30/{}", isa.name()), |b| {
            b.iter_batched(|| x.clone(), |x| ring.divide_round_by_last(x).expect("two limbs"), BatchSize::LargeInput);
        });
        group.bench_function(format!("forward/13/7x30/{}", isa.name()), |b| {
            b.iter_batched(|| coeff.clone(), |x| ring.forward(x).expect("ours"), BatchSize::LargeInput);
        });
        group.bench_function(format!("mul_components/13/7x30/{}", isa.name()), |b| {
            b.iter(|| ring.mul_components(black_box(&x), 2, black_box(&x), 2).expect("matching shapes"));
        });
    }
}

criterion_group!(benches, ntt, matrix_product, rescale);
criterion_main!(benches);
