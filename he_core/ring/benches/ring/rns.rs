//! Between moduli, and the inside of key switching.
//!
//! Throughput counts words written, for `base_conversion` and `inner_product` multiply-adds, and for what is made of
//! transforms (`rescale`, `key_switch`) the words of the input.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use he_ring::{BaseConversion, Isa, Ring};

use crate::setup::{Chain, all_limbs, tensor};

pub(crate) fn benches(c: &mut Criterion) {
    // The last prime is the special one.
    for (log_n, chain) in [(13, Chain::new(7, 30)), (14, Chain::new(8, 50)), (14, Chain::new(8, 60))] {
        for isa in Isa::available() {
            operations(c, log_n, chain, &chain.ring(log_n, isa));
        }
    }
}

fn operations(c: &mut Criterion, log_n: u32, chain: Chain, ring: &Ring) {
    let all = all_limbs(ring);
    let kept = &all[..chain.count - 1];
    let digits = kept.len();
    let mut group = c.benchmark_group("ring");
    let name = |op| chain.name(op, log_n, ring.isa());
    let words = |limbs: usize, rows: u64| (rows * (limbs as u64)) << log_n;

    let pair = tensor(ring, 2, &all);
    group.throughput(Throughput::Elements(words(all.len(), 2)));
    group.bench_function(name("rescale"), |b| {
        b.iter_batched(|| pair.clone(), |x| ring.divide_round_by_last(x), BatchSize::LargeInput);
    });

    let coeff = ring.inverse(tensor(ring, 1, kept)).expect("a tensor of this ring");
    let half = digits / 2;
    let conversion = BaseConversion::new(ring, &kept[..half], &all[half..]).expect("disjoint limbs");
    let source = coeff.view().with_limbs(&kept[..half]).expect("limbs of the tensor");
    group.throughput(Throughput::Elements(words(half * (all.len() - half), 1)));
    group.bench_function(name("base_conversion"), |b| b.iter(|| ring.convert(&conversion, black_box(&source))));

    let parts: Vec<_> = (0..digits).map(|_| tensor(ring, 1, &all)).collect();
    let keys: Vec<_> = (0..digits).map(|_| tensor(ring, 2, &all)).collect();
    let parts: Vec<_> = parts.iter().map(|x| x.view()).collect();
    let keys: Vec<_> = keys.iter().map(|x| x.view()).collect();
    group.throughput(Throughput::Elements(words(digits * all.len(), 2)));
    group.bench_function(name("inner_product"), |b| b.iter(|| ring.inner_product(black_box(&parts), black_box(&keys))));

    // One prime to a digit: raise each to every other prime, multiply by the key, sum, divide by the special prime.
    let raise: Vec<_> = kept
        .iter()
        .map(|limb| {
            let others: Vec<usize> = all.iter().copied().filter(|other| other != limb).collect();
            BaseConversion::new(ring, &[*limb], &others).expect("disjoint limbs")
        })
        .collect();
    let down = BaseConversion::new(ring, &all[digits..], kept).expect("disjoint limbs");
    let key = tensor(ring, 2 * digits, &all);
    let x = tensor(ring, 1, kept);
    group.throughput(Throughput::Elements(words(digits, 1)));
    group.bench_function(name("key_switch"), |b| {
        b.iter(|| ring.key_switch(&raise, &down, black_box(&x), &key, [None, None]).expect("one key to a digit"));
    });
}
