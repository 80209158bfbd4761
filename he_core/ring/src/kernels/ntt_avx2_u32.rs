//! Transforms of 32-bit words on AVX2, eight words a vector.
//!
//! Formula: two layers at a time. Forward, with the twiddles `w1` of the first layer and `w2`, `w3` of the second,
//! `y = a + w1 c`, `z = a - w1 c`, `T = w2 b + w1 w2 d`, `U = w3 b - w1 w3 d`, and the block becomes
//! `y + T, y - T, z + U, z - U`; inverse is the transpose. T and U are sums of two 64-bit products with one reduction
//! (Montgomery, radix 2^32): 22 multiplications for eight butterflies' lanes instead of 24, and no Shoup quotients in
//! the tables.
//! Ranges: words are signed. Twiddles are centred, `|w| <= q/2`, so for `|x| < 2q` a reduced product is below 3q/4 and
//! a reduced sum of two below q in magnitude, as `4q < 2^32`. Forward keeps words in `(-2q, 2q)`, inverse in `(-q, q)`.
//! Layout: a product leaves lanes 0 1 2 3 of every half in the order 0 2 1 3 (one shuffle less), so two passes cancel;
//! the stage within vectors knows the order it is given. Above [`BLOCK`] vectors passes go depth first; the stage within
//! vectors takes two sweeps over [`SWEEP`] tiles, because two radix-4 steps in a row are a chain that fills a scheduler.
//! Source: \[Har14\] for lazy butterflies; \[Mon85\] for the reduction.

use std::arch::asm;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm_storeu_si128, _mm256_add_epi32, _mm256_add_epi64, _mm256_blend_epi32,
    _mm256_castps_si256, _mm256_castsi128_si256, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_inserti128_si256,
    _mm256_loadu_si256, _mm256_min_epu32, _mm256_mul_epi32, _mm256_set1_epi32, _mm256_shuffle_epi32, _mm256_shuffle_ps,
    _mm256_sign_epi32, _mm256_storeu_si256, _mm256_sub_epi32, _mm256_sub_epi64, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::ntt_packed_u32::{Block, Direction, Packed};
use crate::isa::Avx2;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 8;
type Vector = [u32; LANES];
type Lanes = super::ntt_packed_u32::Lanes<LANES>;
/// What the stage within vectors takes: two blocks of 16 words.
type Tile = [Vector; 4];
/// Tiles that a sweep takes.
const SWEEP: usize = 8;
/// Vectors of a block that is finished before the next one is begun: 16 KiB.
const BLOCK: usize = 512;

/// Below this length the portable transform runs.
pub(super) const MIN_LEN: usize = 64;

/// Transforms modulo one prime.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx2,
    packed: Packed<LANES>,
}

impl Path {
    /// From the tables of a transform of at least [`MIN_LEN`] words.
    pub(super) fn new(proof: Avx2, modulus: Modulus<u32>, tables: &Tables<u32>) -> Self {
        Self { _proof: proof, packed: Packed::new(modulus, tables) }
    }

    /// N words in `[0, q)` in and out.
    pub(super) fn forward(&self, x: &mut [u32]) {
        // SAFETY: `Avx2` is only built after the processor reported AVX2.
        unsafe { forward_lanes(&self.packed, x.as_chunks_mut().0) }
    }

    /// The transform of `x + c` for any words x below 2^30 and c in `[0, q)`; `false`, and nothing done, for a prime so far
    /// below 2^30 that the sums do not stay below 2q.
    pub(super) fn forward_of(&self, out: &mut [u32], x: &[u32], c: u32) -> bool {
        debug_assert!(out.len() == x.len() && x.iter().all(|x| *x < 1 << 30));
        let Some(c) = self.packed.shift(c) else { return false };
        // SAFETY: `Avx2` is only built after the processor reported AVX2.
        unsafe { forward_of_lanes(&self.packed, out.as_chunks_mut().0, x.as_chunks().0, c) }
        true
    }

    /// N words in `[0, q)` in and out.
    pub(super) fn inverse(&self, x: &mut [u32]) {
        // SAFETY: `Avx2` is only built after the processor reported AVX2.
        unsafe { inverse_lanes(&self.packed, x.as_chunks_mut().0) }
    }
}

/// q and its inverse modulo 2^32 in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: __m256i,
    q_inverse: __m256i,
}

/// Words at even lanes and at odd ones, or 64-bit values made of them. Words sit in the low halves.
#[derive(Clone, Copy)]
struct Split {
    even: __m256i,
    odd: __m256i,
}

/// The factors of a block in every lane, as in [`Block`].
#[derive(Clone, Copy)]
struct Factors {
    w1: Split,
    w2: Split,
    w12: Split,
    w3: Split,
    w13: Split,
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(x: &Vector) -> __m256i {
    // SAFETY: eight words of 4 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

/// The words at odd lanes, each also one lane down: a load port does it, where a shuffle would take a vector port.
#[inline]
#[target_feature(enable = "avx2")]
fn load_odd(x: &Vector) -> __m256i {
    let words: __m256i;
    // SAFETY: reads eight words of 4 bytes; the instruction belongs to AVX and needs no alignment.
    unsafe {
        asm!("vmovshdup {}, ymmword ptr [{}]", out(ymm_reg) words, in(reg) x.as_ptr(),
             options(pure, readonly, nostack, preserves_flags));
    }
    words
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_split(x: &Vector) -> Split {
    Split { even: load(x), odd: load_odd(x) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Vector, value: __m256i) {
    // SAFETY: eight words of 4 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Odd lanes over even ones.
#[inline]
#[target_feature(enable = "avx2")]
fn split(x: __m256i) -> Split {
    Split { even: x, odd: _mm256_shuffle_epi32::<0b11_11_01_01>(x) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(w: i32) -> Split {
    let w = _mm256_set1_epi32(w);
    Split { even: w, odd: w }
}

/// One block's factor in the low half, the next block's in the high half.
#[inline]
#[target_feature(enable = "avx2")]
fn splat_halves(low: i32, high: i32) -> Split {
    let w = _mm256_blend_epi32::<0xf0>(_mm256_set1_epi32(low), _mm256_set1_epi32(high));
    Split { even: w, odd: w }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat_block(w: &Block) -> Factors {
    Factors { w1: splat(w.w1), w2: splat(w.w2), w12: splat(w.w12), w3: splat(w.w3), w13: splat(w.w13) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat_blocks([low, high]: &[Block; 2]) -> Factors {
    Factors {
        w1: splat_halves(low.w1, high.w1),
        w2: splat_halves(low.w2, high.w2),
        w12: splat_halves(low.w12, high.w12),
        w3: splat_halves(low.w3, high.w3),
        w13: splat_halves(low.w13, high.w13),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_factors([w1, w2, w12, w3, w13]: &Lanes) -> Factors {
    Factors { w1: load_split(w1), w2: load_split(w2), w12: load_split(w12), w3: load_split(w3), w13: load_split(w13) }
}

/// 64-bit products.
#[inline]
#[target_feature(enable = "avx2")]
fn mul(x: Split, w: Split) -> Split {
    Split { even: _mm256_mul_epi32(x.even, w.even), odd: _mm256_mul_epi32(x.odd, w.odd) }
}

/// `x * w + y * v`, 64 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn mul_sum(x: Split, w: Split, y: Split, v: Split) -> Split {
    let (p, r) = (mul(x, w), mul(y, v));
    Split { even: _mm256_add_epi64(p.even, r.even), odd: _mm256_add_epi64(p.odd, r.odd) }
}

/// `x * y` of the low halves of 64-bit lanes, of which only the low halves count.
#[inline]
#[target_feature(enable = "avx2")]
fn low_product(x: __m256i, y: __m256i) -> __m256i {
    let product: __m256i;
    // SAFETY: an instruction of AVX2 on registers.
    unsafe {
        asm!("vpmuludq {}, {}, {}", out(ymm_reg) product, in(ymm_reg) x, in(ymm_reg) y,
             options(pure, nomem, nostack, preserves_flags));
    }
    product
}

/// `p * 2^-32 mod q`, in magnitude at most `|p| / 2^32 + q/2`; lanes of every half in the order 0 2 1 3.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(prime: Prime, p: Split) -> __m256i {
    let m = Split { even: low_product(p.even, prime.q_inverse), odd: low_product(p.odd, prime.q_inverse) };
    let m = mul(m, Split { even: prime.q, odd: prime.q });
    // The low halves are equal, so nothing is borrowed.
    shuffle::<0xdd>(_mm256_sub_epi64(p.even, m.even), _mm256_sub_epi64(p.odd, m.odd))
}

/// The order that [`reduce`] leaves.
#[inline]
#[target_feature(enable = "avx2")]
fn swap_middle(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_01_10_00>(x)
}

/// `(-2q, 2q)` to `(-q, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn halve_range(prime: Prime, x: __m256i) -> __m256i {
    _mm256_sub_epi32(x, _mm256_sign_epi32(prime.q, x))
}

/// `(-q, q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn lift(prime: Prime, x: __m256i) -> __m256i {
    _mm256_min_epu32(x, _mm256_add_epi32(x, prime.q))
}

/// `a` and `b` as floats, for a shuffle that integers lack.
#[inline]
#[target_feature(enable = "avx2")]
fn shuffle<const MASK: i32>(a: __m256i, b: __m256i) -> __m256i {
    _mm256_castps_si256(_mm256_shuffle_ps::<MASK>(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b)))
}

/// Two forward layers. Words in `(-2q, 2q)` in and out; `a` in `(-q, q)` when it is `SMALL`.
#[inline]
#[target_feature(enable = "avx2")]
fn forward_4<const SMALL: bool>(p: Prime, a: __m256i, b: Split, c: Split, d: Split, w: &Factors) -> [__m256i; 4] {
    let a = swap_middle(if SMALL { a } else { halve_range(p, a) });
    let c = reduce(p, mul(c, w.w1));
    let (y, z) = (halve_range(p, _mm256_add_epi32(a, c)), halve_range(p, _mm256_sub_epi32(a, c)));
    let t = reduce(p, mul_sum(b, w.w2, d, w.w12));
    let u = reduce(p, mul_sum(b, w.w3, d, w.w13));
    [_mm256_add_epi32(y, t), _mm256_sub_epi32(y, t), _mm256_add_epi32(z, u), _mm256_sub_epi32(z, u)]
}

/// Two inverse layers but the factor of the first output, which lies in `(-2q, 2q)`, its lanes in order. Words in
/// `(-q, q)` in and, the others, out.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_4(p: Prime, [a, b, c, d]: [__m256i; 4], w: &Factors) -> [__m256i; 4] {
    let (g, h) = (halve_range(p, _mm256_add_epi32(a, b)), halve_range(p, _mm256_add_epi32(c, d)));
    let (e, f) = (split(_mm256_sub_epi32(a, b)), split(_mm256_sub_epi32(c, d)));
    [
        _mm256_add_epi32(g, h),
        reduce(p, mul_sum(e, w.w2, f, w.w3)),
        reduce(p, mul(split(_mm256_sub_epi32(g, h)), w.w1)),
        reduce(p, mul_sum(e, w.w12, f, w.w13)),
    ]
}

/// The four quarters of a block, in step.
#[inline]
fn quarters(block: &mut [Vector]) -> impl Iterator<Item = [&mut Vector; 4]> {
    let t = block.len() / 4;
    let (low, high) = block.split_at_mut(2 * t);
    let ((a, b), (c, d)) = (low.split_at_mut(t), high.split_at_mut(t));
    a.iter_mut().zip(b).zip(c.iter_mut().zip(d)).map(|((a, b), (c, d))| [a, b, c, d])
}

#[target_feature(enable = "avx2")]
fn forward_pass<const SMALL: bool>(p: Prime, x: &mut [Vector], blocks: &[Block]) {
    for (block, w) in x.chunks_exact_mut(x.len() / blocks.len()).zip(blocks) {
        let w = splat_block(w);
        for [a, b, c, d] in quarters(block) {
            let out = forward_4::<SMALL>(p, load(a), load_split(b), load_split(c), load_split(d), &w);
            store(a, out[0]);
            store(b, out[1]);
            store(c, out[2]);
            store(d, out[3]);
        }
    }
}

#[target_feature(enable = "avx2")]
fn inverse_pass(p: Prime, x: &mut [Vector], blocks: &[Block]) {
    for (block, w) in x.chunks_exact_mut(x.len() / blocks.len()).zip(blocks) {
        let w = splat_block(w);
        for [a, b, c, d] in quarters(block) {
            let out = inverse_4(p, [load(a), load(b), load(c), load(d)], &w);
            store(a, swap_middle(halve_range(p, out[0])));
            store(b, out[1]);
            store(c, out[2]);
            store(d, out[3]);
        }
    }
}

/// The last two inverse layers; factors carry 1/N. To `[0, q)`.
#[target_feature(enable = "avx2")]
fn inverse_last_pass(p: Prime, x: &mut [Vector], table: &Direction<LANES>) {
    let (w, n_inverse) = (splat_block(&table.last), splat(table.n_inverse));
    for [a, b, c, d] in quarters(x) {
        let out = inverse_4(p, [load(a), load(b), load(c), load(d)], &w);
        store(a, lift(p, reduce(p, mul(split(out[0]), n_inverse))));
        store(b, lift(p, out[1]));
        store(c, lift(p, out[2]));
        store(d, lift(p, out[3]));
    }
}

/// The only layer of a forward transform that has no partner, the first: `[0, q)` to `(-2q, 2q)`.
#[target_feature(enable = "avx2")]
fn forward_single(p: Prime, x: &mut [Vector], w: i32) {
    let w = splat(w);
    let (low, high) = x.split_at_mut(x.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        let (u, v) = (swap_middle(load(a)), reduce(p, mul(load_split(b), w)));
        store(a, _mm256_add_epi32(u, v));
        store(b, _mm256_sub_epi32(u, v));
    }
}

/// The only layer of an inverse transform that has no partner, that of four blocks. Words in `(-q, q)`.
#[target_feature(enable = "avx2")]
fn inverse_single(p: Prime, x: &mut [Vector], factors: &[i32; 4]) {
    for (block, w) in x.chunks_exact_mut(x.len() / 4).zip(factors) {
        let w = splat(*w);
        let (low, high) = block.split_at_mut(block.len() / 2);
        for (a, b) in low.iter_mut().zip(high) {
            let (u, v) = (load(a), load(b));
            store(a, swap_middle(halve_range(p, _mm256_add_epi32(u, v))));
            store(b, reduce(p, mul(split(_mm256_sub_epi32(u, v)), w)));
        }
    }
}

/// Row u: words `4u..4u+4` of both blocks of 16.
#[inline]
#[target_feature(enable = "avx2")]
fn load_rows(tile: &Tile) -> [__m256i; 4] {
    let units = tile.as_flattened().as_chunks::<4>().0;
    let load_half = |u: usize| -> __m128i {
        // SAFETY: four words of 4 bytes; the load needs no alignment.
        unsafe { _mm_loadu_si128(units[u].as_ptr().cast()) }
    };
    let row = |u: usize| _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(load_half(u)), load_half(u + 4));
    [row(0), row(1), row(2), row(3)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_rows(tile: &mut Tile, rows: [__m256i; 4]) {
    let units = tile.as_flattened_mut().as_chunks_mut::<4>().0;
    for (u, row) in rows.into_iter().enumerate() {
        // SAFETY: four words of 4 bytes each; the instructions belong to AVX and need no alignment. The second is named
        // because the compiler would join halves by shuffles, to store whole vectors: a store port has more time than those.
        unsafe {
            _mm_storeu_si128(units[u].as_mut_ptr().cast(), _mm256_castsi256_si128(row));
            asm!("vextracti128 xmmword ptr [{}], {}, 1", in(reg) units[u + 4].as_mut_ptr(), in(ymm_reg) row,
                 options(nostack, preserves_flags));
        }
    }
}

/// Word j of row u to word u of row j, in both halves.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
    let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
    let (ef, gh) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
    [
        _mm256_unpacklo_epi64(ab, cd),
        _mm256_unpackhi_epi64(ab, cd),
        _mm256_unpacklo_epi64(ef, gh),
        _mm256_unpackhi_epi64(ef, gh),
    ]
}

/// Tiles in sweeps, with the factors of both stages.
fn sweeps<'a>(
    x: &'a mut [Vector],
    blocks: &'a [Block],
    lanes: &'a [Lanes],
) -> impl Iterator<Item = (&'a mut [Tile], &'a [[Block; 2]], &'a [Lanes])> {
    let tiles = x.as_chunks_mut().0.chunks_mut(SWEEP);
    let blocks = blocks.as_chunks().0.chunks(SWEEP);
    tiles.zip(blocks.zip(lanes.chunks(SWEEP))).map(|(tiles, (blocks, lanes))| (tiles, blocks, lanes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn store_tile(tile: &mut Tile, words: [__m256i; 4]) {
    tile.iter_mut().zip(words).for_each(|(vector, words)| store(vector, words));
}

/// The layers at distances 8 and 4, then 2 and 1, to `[0, q)`. `SWAPPED`: words come in the order 0 2 1 3.
#[target_feature(enable = "avx2")]
fn forward_within<const SWAPPED: bool>(p: Prime, x: &mut [Vector], blocks: &[Block], lanes: &[Lanes]) {
    for (tiles, blocks, lanes) in sweeps(x, blocks, lanes) {
        for (tile, blocks) in tiles.iter_mut().zip(blocks) {
            let [a, b, c, d] = load_rows(tile);
            let rows = forward_4::<false>(p, a, split(b), split(c), split(d), &splat_blocks(blocks));
            store_tile(tile, transpose(rows));
        }
        for (tile, lanes) in tiles.iter_mut().zip(lanes) {
            let [a, b, c, d] = &*tile;
            let (b, c) = if SWAPPED { (b, c) } else { (c, b) };
            let out = forward_4::<false>(p, load(a), load_split(b), load_split(c), load_split(d), &load_factors(lanes));
            let [a, b, c, d] = transpose(out.map(|x| lift(p, halve_range(p, x))));
            store_rows(tile, [a, c, b, d]);
        }
    }
}

/// The layers at distances 1 and 2, then 4 and 8, from `[0, q)` to `(-q, q)`. `SWAPPED`: words leave in the order 0 2 1 3.
#[target_feature(enable = "avx2")]
fn inverse_within<const SWAPPED: bool>(p: Prime, x: &mut [Vector], blocks: &[Block], lanes: &[Lanes]) {
    for (tiles, blocks, lanes) in sweeps(x, blocks, lanes) {
        for (tile, lanes) in tiles.iter_mut().zip(lanes) {
            let [a, b, c, d] = inverse_4(p, transpose(load_rows(tile)), &load_factors(lanes));
            let (b, c) = if SWAPPED { (b, c) } else { (c, b) };
            let [a, b, c, d] = transpose([swap_middle(halve_range(p, a)), b, c, d]);
            store_tile(tile, [a, c, b, d]);
        }
        for (tile, blocks) in tiles.iter_mut().zip(blocks) {
            let rows = tile.each_ref().map(|x| load(x));
            let [a, b, c, d] = inverse_4(p, rows, &splat_blocks(blocks));
            store_rows(tile, [swap_middle(halve_range(p, a)), b, c, d]);
        }
    }
}

impl Prime {
    #[target_feature(enable = "avx2")]
    fn new(plan: &Packed<LANES>) -> Self {
        Self { q: _mm256_set1_epi32(plan.q), q_inverse: _mm256_set1_epi32(plan.q_inverse) }
    }
}

#[target_feature(enable = "avx2")]
fn forward_lanes(plan: &Packed<LANES>, x: &mut [Vector]) {
    let p = Prime::new(plan);
    if let [w] = plan.forward.single[..] {
        forward_single(p, x, w);
    }
    forward_rest(p, &plan.forward, x, plan.forward.first);
}

/// The first pass reads `x + c`, in `(-2q, 2q)`, where [`forward_lanes`] reads words in `[0, q)`.
#[target_feature(enable = "avx2")]
fn forward_of_lanes(plan: &Packed<LANES>, out: &mut [Vector], x: &[Vector], c: i32) {
    let (p, table, c) = (Prime::new(plan), &plan.forward, _mm256_set1_epi32(c));
    let shifted = |x: &Vector| _mm256_add_epi32(load(x), c);
    if let [w] = table.single[..] {
        let w = splat(w);
        let ((low, high), (x0, x1)) = (out.split_at_mut(out.len() / 2), x.split_at(x.len() / 2));
        for ((a, b), (x0, x1)) in low.iter_mut().zip(high).zip(x0.iter().zip(x1)) {
            let (u, v) = (halve_range(p, shifted(x0)), reduce(p, mul(split(shifted(x1)), w)));
            let u = swap_middle(u);
            store(a, _mm256_add_epi32(u, v));
            store(b, _mm256_sub_epi32(u, v));
        }
        return forward_rest(p, table, out, table.first);
    }
    let [block] = table.blocks(1, 0..1) else { return };
    let w = splat_block(block);
    let ((x0, x1), (x2, x3)) = (x.split_at(x.len() / 4), x[x.len() / 2..].split_at(x.len() / 4));
    let sources = x0.iter().zip(&x1[..x.len() / 4]).zip(x2.iter().zip(x3));
    for ([a, b, c, d], ((x0, x1), (x2, x3))) in quarters(out).zip(sources) {
        let [x1, x2, x3] = [x1, x2, x3].map(|x| split(shifted(x)));
        let words = forward_4::<false>(p, shifted(x0), x1, x2, x3, &w);
        store(a, words[0]);
        store(b, words[1]);
        store(c, words[2]);
        store(d, words[3]);
    }
    forward_rest(p, table, out, 4);
}

/// The passes from that over `count` blocks on.
#[target_feature(enable = "avx2")]
fn forward_rest(p: Prime, table: &Direction<LANES>, x: &mut [Vector], mut count: usize) {
    // Passes over everything until a block fits, then block by block.
    while x.len() / count > BLOCK {
        if count == 1 {
            forward_pass::<true>(p, x, table.blocks(count, 0..count));
        } else {
            forward_pass::<false>(p, x, table.blocks(count, 0..count));
        }
        count *= 4;
    }
    let outer = if x.len() > BLOCK { count } else { 1 };
    for (i, block) in x.chunks_exact_mut(x.len() / outer).enumerate() {
        let mut parts = count / outer;
        while block.len() / parts > 16 / LANES {
            let blocks = table.blocks(outer * parts, i * parts..(i + 1) * parts);
            forward_pass::<false>(p, block, blocks);
            parts *= 4;
        }
        let blocks = table.blocks(outer * parts, i * parts..(i + 1) * parts);
        let lanes = &table.lanes[i * parts * 4 / LANES..][..parts * 4 / LANES];
        if table.is_swapped {
            forward_within::<true>(p, block, blocks, lanes);
        } else {
            forward_within::<false>(p, block, blocks, lanes);
        }
    }
}

#[target_feature(enable = "avx2")]
fn inverse_lanes(plan: &Packed<LANES>, x: &mut [Vector]) {
    let (p, table) = (Prime::new(plan), &plan.inverse);
    let mut count = if x.len() > BLOCK { table.first } else { 1 };
    while x.len() / count > BLOCK {
        count *= 4;
    }
    for (i, block) in x.chunks_exact_mut(x.len() / count).enumerate() {
        let mut parts = block.len() * LANES / 16;
        let blocks = table.blocks(count * parts, i * parts..(i + 1) * parts);
        let lanes = &table.lanes[i * parts * 4 / LANES..][..parts * 4 / LANES];
        if table.is_swapped {
            inverse_within::<true>(p, block, blocks, lanes);
        } else {
            inverse_within::<false>(p, block, blocks, lanes);
        }
        while count * parts > table.first.max(count) {
            parts /= 4;
            inverse_pass(p, block, table.blocks(count * parts, i * parts..(i + 1) * parts));
        }
    }
    while count > table.first {
        count /= 4;
        inverse_pass(p, x, table.blocks(count, 0..count));
    }
    if let [a, b, c, d] = table.single[..] {
        inverse_single(p, x, &[a, b, c, d]);
    }
    inverse_last_pass(p, x, table);
}
