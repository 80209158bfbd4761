//! The negacyclic transforms of one prime; throughput counts butterflies, N/2 log2 N to a transform.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_ring::{Isa, NttPlan, Word};

use crate::setup::Chain;

pub(crate) fn benches(c: &mut Criterion) {
    for log_n in [12, 13, 14, 15, 16] {
        transforms::<u32>(c, log_n, 30);
        transforms::<u64>(c, log_n, 50);
        transforms::<u64>(c, log_n, 60);
    }
}

fn transforms<W: Word>(c: &mut Criterion, log_n: u32, bits: u8) {
    let chain = Chain::new(1, bits);
    let q = chain.primes(log_n)[0];
    let mut group = c.benchmark_group("ring");
    group.throughput(Throughput::Elements(u64::from(log_n) << (log_n - 1)));
    for isa in Isa::available() {
        let plan = NttPlan::<W>::new(log_n, q, isa).expect("a prime for this degree");
        let mut x: Vec<W> = (0..1u64 << log_n).map(|i| W::from_u64(i * 0x9e37_79b9 % q)).collect();
        group.bench_function(chain.name("ntt_forward", log_n, isa), |b| b.iter(|| plan.forward(black_box(&mut x))));
        group.bench_function(chain.name("ntt_inverse", log_n, isa), |b| b.iter(|| plan.inverse(black_box(&mut x))));
    }
}
