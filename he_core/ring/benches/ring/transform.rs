//! The transforms of one prime in both rings; throughput counts butterflies, N/2 log2 N to a transform.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_params::{LogN, RingShape, RingType};
use he_ring::{Isa, NttPlan, Word};

use crate::setup::Chain;

pub(crate) fn benches(c: &mut Criterion) {
    for log_n in [12, 13, 14, 15, 16] {
        transforms::<u32>(c, RingType::Cyclotomic, log_n, 30);
        transforms::<u64>(c, RingType::Cyclotomic, log_n, 50);
        transforms::<u64>(c, RingType::Cyclotomic, log_n, 60);
    }
    for log_n in [12, 13, 14] {
        transforms::<u32>(c, RingType::ConjugateInvariant, log_n, 30);
        transforms::<u64>(c, RingType::ConjugateInvariant, log_n, 60);
    }
}

fn transforms<W: Word>(c: &mut Criterion, ring_type: RingType, log_n: u32, bits: u8) {
    let (chain, degree) = (Chain::new(1, bits), LogN::new(log_n as u8).expect("a degree"));
    let shape = RingShape::new(ring_type, degree).expect("a degree of this ring");
    let q = chain.primes(u32::from(shape.cyclotomic().get()))[0];
    let [forward, inverse] = match ring_type {
        RingType::Cyclotomic => ["ntt_forward", "ntt_inverse"],
        RingType::ConjugateInvariant => ["conjugate_invariant_ntt_forward", "conjugate_invariant_ntt_inverse"],
    };
    let mut group = c.benchmark_group("ring");
    group.throughput(Throughput::Elements(u64::from(log_n) << (log_n - 1)));
    for isa in Isa::available() {
        let plan = NttPlan::<W>::of_type(ring_type, log_n, q, isa).expect("a prime for this degree");
        let mut x: Vec<W> = (0..1u64 << log_n).map(|i| W::from_u64(i * 0x9e37_79b9 % q)).collect();
        group.bench_function(chain.name(forward, log_n, isa), |b| b.iter(|| plan.forward(black_box(&mut x))));
        group.bench_function(chain.name(inverse, log_n, isa), |b| b.iter(|| plan.inverse(black_box(&mut x))));
    }
}
