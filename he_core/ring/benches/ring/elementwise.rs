//! Word by word: sums, dyadic products, scalars, permutations; throughput counts words written.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use he_ring::{Isa, Ring};

use crate::setup::{Chain, all_limbs, tensor};

pub(crate) fn benches(c: &mut Criterion) {
    for (log_n, chain) in [(13, Chain::new(7, 30)), (14, Chain::new(7, 50)), (14, Chain::new(7, 60))] {
        for isa in Isa::available() {
            operations(c, log_n, chain, &chain.ring(log_n, isa));
        }
    }
}

fn operations(c: &mut Criterion, log_n: u32, chain: Chain, ring: &Ring) {
    let limbs = all_limbs(ring);
    let (mut x, y) = (tensor(ring, 1, &limbs), tensor(ring, 1, &limbs));
    let mut sum = tensor(ring, 1, &limbs);
    let scalars = ring.scalars(&[-7919], &limbs).expect("limbs of this ring");
    let galois = ring.galois(3).expect("an odd element");
    let pairs = tensor(ring, 2, &limbs);

    let mut group = c.benchmark_group("ring");
    let name = |op| chain.name(op, log_n, ring.isa());
    group.throughput(Throughput::Elements(chain.words(log_n)));
    group.bench_function(name("add"), |b| b.iter(|| ring.add_assign(black_box(&mut x), &y)));
    group.bench_function(name("sub"), |b| b.iter(|| ring.sub_assign(black_box(&mut x), &y)));
    group.bench_function(name("negate"), |b| b.iter(|| ring.negate_assign(black_box(&mut x))));
    group.bench_function(name("mul"), |b| b.iter(|| ring.mul_assign(black_box(&mut x), &y)));
    group.bench_function(name("mul_add"), |b| b.iter(|| ring.mul_add_assign(black_box(&mut sum), &x, &y)));
    group.bench_function(name("mul_scalar"), |b| b.iter(|| ring.mul_scalar_assign(black_box(&mut x), &scalars)));
    group.bench_function(name("automorphism"), |b| b.iter(|| ring.automorphism(&galois, black_box(&x))));
    group.throughput(Throughput::Elements(3 * chain.words(log_n)));
    group.bench_function(name("mul_components"), |b| {
        b.iter(|| ring.mul_components(black_box(&pairs), 2, black_box(&pairs), 2));
    });
    group.bench_function(name("square_components"), |b| b.iter(|| ring.square_components(black_box(&pairs))));
}
