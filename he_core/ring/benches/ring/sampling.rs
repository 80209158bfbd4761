//! Randomness: throughput counts the bytes of residues that ChaCha20 fills, and the coefficients of small polynomials.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_params::{ErrorDistribution, SecretDistribution};
use he_ring::sampling::{Purpose, Seed, SmallPolys, Stream};
use he_ring::{Eval, Isa};

use crate::setup::{Chain, all_limbs};

pub(crate) fn benches(c: &mut Criterion) {
    let stream = Stream::new(&Seed::new([7; 32]), Purpose::new(*b"benches."));
    let mut group = c.benchmark_group("ring");
    for isa in Isa::available() {
        for chain in [Chain::new(7, 30), Chain::new(7, 60)] {
            let ring = chain.ring(13, isa);
            let mut x = ring.zero::<Eval>(1, &all_limbs(&ring)).expect("limbs of this ring");
            group.throughput(Throughput::Bytes(chain.words(13) * if chain.bits <= 30 { 4 } else { 8 }));
            group.bench_function(chain.name("sample_uniform", 13, isa), |b| {
                b.iter(|| ring.fill_uniform(&stream, 0, black_box(&mut x)));
            });
        }
        let errors =
            [("binomial", ErrorDistribution::CentredBinomial), ("gaussian", ErrorDistribution::RoundedGaussian)];
        group.throughput(Throughput::Elements(1 << 13));
        let mut row = vec![0; 1 << 13];
        for (name, distribution) in errors {
            group.bench_function(format!("sample_{name}/13/-/{}", isa.name()), |b| {
                b.iter(|| stream.sampler(isa, 0, 0).fill_error(distribution, black_box(&mut row)));
            });
        }
        group.bench_function(format!("sample_ternary/13/-/{}", isa.name()), |b| {
            b.iter(|| SmallPolys::secrets(isa, &stream, 0, 1, 1 << 13, SecretDistribution::UniformTernary));
        });
    }
}
