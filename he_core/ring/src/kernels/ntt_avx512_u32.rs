//! Transforms of 32-bit words on AVX-512, sixteen words a vector.
//!
//! The formula and the ranges of `ntt_avx2_u32.rs`, with -q and -2q in them. Layout: even and odd lanes are put together again by one masked
//! shuffle, so words keep their order; the stage within vectors takes four blocks of 16 words at a time, in two sweeps over
//! [`SWEEP`] tiles.
//! Source: \[Har14\] for lazy butterflies; \[Mon85\] for the reduction.

use std::arch::asm;
use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm512_add_epi32, _mm512_add_epi64, _mm512_castsi128_si512, _mm512_loadu_si512,
    _mm512_mask_add_epi32, _mm512_mask_shuffle_epi32, _mm512_min_epu32, _mm512_movepi32_mask, _mm512_mul_epi32,
    _mm512_permutex2var_epi32, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_shuffle_epi32, _mm512_shuffle_i32x4,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_sub_epi64, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::ntt_packed_u32::{Block, Direction, Packed};
use crate::isa::Avx512;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 16;
/// Odd lanes over even ones.
const ODD_DOWN: i32 = 0b11_11_01_01;
type Vector = [u32; LANES];
type Lanes = super::ntt_packed_u32::Lanes<LANES>;
/// What the stage within vectors takes: four blocks of 16 words.
type Tile = [Vector; 4];
/// Tiles that a sweep takes.
const SWEEP: usize = 8;
/// Vectors of a block that is finished before the next one is begun: 16 KiB.
const BLOCK: usize = 256;

/// Below this length the portable transform runs.
pub(super) const MIN_LEN: usize = 64;

/// Transforms modulo one prime.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx512,
    packed: Packed<LANES>,
}

impl Path {
    /// From the tables of a transform of at least [`MIN_LEN`] words.
    pub(super) fn new(proof: Avx512, modulus: Modulus<u32>, tables: &Tables<u32>) -> Self {
        Self { _proof: proof, packed: Packed::new(modulus, tables) }
    }

    /// N words in `[0, q)` in and out.
    pub(super) fn forward(&self, x: &mut [u32]) {
        // SAFETY: `Avx512` is only built after the processor reported AVX-512 F and DQ.
        unsafe { forward_lanes(&self.packed, x.as_chunks_mut().0) }
    }

    /// The transform of `x + c` for any words x below 2^30 and c in `[0, q)`; `false`, and nothing done, for a prime so far
    /// below 2^30 that the sums do not stay below 2q.
    pub(super) fn forward_of(&self, out: &mut [u32], x: &[u32], c: u32) -> bool {
        debug_assert!(out.len() == x.len() && x.iter().all(|x| *x < 1 << 30));
        let Some(c) = self.packed.shift(c) else { return false };
        // SAFETY: `Avx512` is only built after the processor reported AVX-512 F and DQ.
        unsafe { forward_of_lanes(&self.packed, out.as_chunks_mut().0, x.as_chunks().0, c) }
        true
    }

    /// N words in `[0, q)` in and out.
    pub(super) fn inverse(&self, x: &mut [u32]) {
        // SAFETY: `Avx512` is only built after the processor reported AVX-512 F and DQ.
        unsafe { inverse_lanes(&self.packed, x.as_chunks_mut().0) }
    }
}

/// q and its inverse modulo 2^32 in every lane.
#[derive(Clone, Copy)]
struct Prime {
    q: __m512i,
    q_inverse: __m512i,
}

/// Words at even lanes and at odd ones, or 64-bit values made of them. Words sit in the low halves.
#[derive(Clone, Copy)]
struct Split {
    even: __m512i,
    odd: __m512i,
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
#[target_feature(enable = "avx512f,avx512dq")]
fn load(x: &Vector) -> __m512i {
    // SAFETY: sixteen words of 4 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

/// The words at odd lanes, each also one lane down: a load port does it, where a shuffle would take a vector port.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load_odd(x: &Vector) -> __m512i {
    let words: __m512i;
    // SAFETY: reads sixteen words of 4 bytes; the instruction belongs to AVX-512 F and needs no alignment.
    unsafe {
        asm!("vmovshdup {}, zmmword ptr [{}]", out(zmm_reg) words, in(reg) x.as_ptr(),
             options(pure, readonly, nostack, preserves_flags));
    }
    words
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load_split(x: &Vector) -> Split {
    Split { even: load(x), odd: load_odd(x) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(x: &mut Vector, value: __m512i) {
    // SAFETY: sixteen words of 4 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), value) }
}

/// Odd lanes over even ones.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn split(x: __m512i) -> Split {
    Split { even: x, odd: _mm512_shuffle_epi32::<ODD_DOWN>(x) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn splat(w: i32) -> Split {
    let w = _mm512_set1_epi32(w);
    Split { even: w, odd: w }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn splat_block(w: &Block) -> Factors {
    Factors { w1: splat(w.w1), w2: splat(w.w2), w12: splat(w.w12), w3: splat(w.w3), w13: splat(w.w13) }
}

/// The factors of four blocks, four lanes each.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn splat_blocks(blocks: &[Block; 4]) -> Factors {
    // SAFETY: four blocks are 20 words of 4 bytes, `repr(C)`: 16, then 4; the loads need no alignment.
    let (low, high) = unsafe {
        let words: *const i32 = blocks.as_ptr().cast();
        (_mm512_loadu_si512(words.cast()), _mm512_castsi128_si512(_mm_loadu_si128(words.add(16).cast())))
    };
    let quarters = _mm512_setr_epi32(0, 0, 0, 0, 5, 5, 5, 5, 10, 10, 10, 10, 15, 15, 15, 15);
    let field = |i: i32| {
        let w = _mm512_permutex2var_epi32(low, _mm512_add_epi32(quarters, _mm512_set1_epi32(i)), high);
        Split { even: w, odd: w }
    };
    Factors { w1: field(0), w2: field(1), w12: field(2), w3: field(3), w13: field(4) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load_factors([w1, w2, w12, w3, w13]: &Lanes) -> Factors {
    Factors { w1: load_split(w1), w2: load_split(w2), w12: load_split(w12), w3: load_split(w3), w13: load_split(w13) }
}

/// 64-bit products.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul(x: Split, w: Split) -> Split {
    Split { even: _mm512_mul_epi32(x.even, w.even), odd: _mm512_mul_epi32(x.odd, w.odd) }
}

/// `x * w + y * v`, 64 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul_sum(x: Split, w: Split, y: Split, v: Split) -> Split {
    let (p, r) = (mul(x, w), mul(y, v));
    Split { even: _mm512_add_epi64(p.even, r.even), odd: _mm512_add_epi64(p.odd, r.odd) }
}

/// `x * y` of the low halves of 64-bit lanes. The compiler, which sees that only low halves of it count, would take an
/// instruction for whole products of 64 bits, three times as dear.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn low_product(x: __m512i, y: __m512i) -> __m512i {
    let product: __m512i;
    // SAFETY: an instruction of AVX-512 F on registers.
    unsafe {
        asm!("vpmuludq {}, {}, {}", out(zmm_reg) product, in(zmm_reg) x, in(zmm_reg) y,
             options(pure, nomem, nostack, preserves_flags));
    }
    product
}

/// `p * 2^-32 mod q`, in magnitude at most `|p| / 2^32 + q/2`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce(prime: Prime, p: Split) -> __m512i {
    let m = Split { even: low_product(p.even, prime.q_inverse), odd: low_product(p.odd, prime.q_inverse) };
    let m = mul(m, Split { even: prime.q, odd: prime.q });
    // The low halves are equal, so nothing is borrowed.
    let odd = _mm512_sub_epi64(p.odd, m.odd);
    _mm512_mask_shuffle_epi32::<ODD_DOWN>(odd, 0x5555, _mm512_sub_epi64(p.even, m.even))
}

/// `[-2q, 2q)` to `[-q, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn halve_range(prime: Prime, x: __m512i) -> __m512i {
    let is_negative = _mm512_movepi32_mask(x);
    _mm512_mask_add_epi32(_mm512_sub_epi32(x, prime.q), is_negative, x, prime.q)
}

/// `[-q, q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn lift(prime: Prime, x: __m512i) -> __m512i {
    _mm512_min_epu32(x, _mm512_add_epi32(x, prime.q))
}

/// Two forward layers. Words in `(-2q, 2q)` in and out; `a` in `(-q, q)` when it is `SMALL`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_4<const SMALL: bool>(p: Prime, a: __m512i, b: Split, c: Split, d: Split, w: &Factors) -> [__m512i; 4] {
    let a = if SMALL { a } else { halve_range(p, a) };
    let c = reduce(p, mul(c, w.w1));
    let (y, z) = (halve_range(p, _mm512_add_epi32(a, c)), halve_range(p, _mm512_sub_epi32(a, c)));
    let t = reduce(p, mul_sum(b, w.w2, d, w.w12));
    let u = reduce(p, mul_sum(b, w.w3, d, w.w13));
    [_mm512_add_epi32(y, t), _mm512_sub_epi32(y, t), _mm512_add_epi32(z, u), _mm512_sub_epi32(z, u)]
}

/// Two inverse layers but the factor of the first output, which lies in `(-2q, 2q)`, its lanes in order. Words in
/// `(-q, q)` in and, the others, out.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_4(p: Prime, [a, b, c, d]: [__m512i; 4], w: &Factors) -> [__m512i; 4] {
    let (g, h) = (halve_range(p, _mm512_add_epi32(a, b)), halve_range(p, _mm512_add_epi32(c, d)));
    let (e, f) = (split(_mm512_sub_epi32(a, b)), split(_mm512_sub_epi32(c, d)));
    [
        _mm512_add_epi32(g, h),
        reduce(p, mul_sum(e, w.w2, f, w.w3)),
        reduce(p, mul(split(_mm512_sub_epi32(g, h)), w.w1)),
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

#[target_feature(enable = "avx512f,avx512dq")]
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

#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_pass(p: Prime, x: &mut [Vector], blocks: &[Block]) {
    for (block, w) in x.chunks_exact_mut(x.len() / blocks.len()).zip(blocks) {
        let w = splat_block(w);
        for [a, b, c, d] in quarters(block) {
            let out = inverse_4(p, [load(a), load(b), load(c), load(d)], &w);
            store(a, halve_range(p, out[0]));
            store(b, out[1]);
            store(c, out[2]);
            store(d, out[3]);
        }
    }
}

/// The last two inverse layers; factors carry 1/N. To `[0, q)`.
#[target_feature(enable = "avx512f,avx512dq")]
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
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_single(p: Prime, x: &mut [Vector], w: i32) {
    let w = splat(w);
    let (low, high) = x.split_at_mut(x.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        let (u, v) = (load(a), reduce(p, mul(load_split(b), w)));
        store(a, _mm512_add_epi32(u, v));
        store(b, _mm512_sub_epi32(u, v));
    }
}

/// The only layer of an inverse transform that has no partner, that of four blocks. Words in `(-q, q)`.
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_single(p: Prime, x: &mut [Vector], factors: &[i32; 4]) {
    for (block, w) in x.chunks_exact_mut(x.len() / 4).zip(factors) {
        let w = splat(*w);
        let (low, high) = block.split_at_mut(block.len() / 2);
        for (a, b) in low.iter_mut().zip(high) {
            let (u, v) = (load(a), load(b));
            store(a, halve_range(p, _mm512_add_epi32(u, v)));
            store(b, reduce(p, mul(split(_mm512_sub_epi32(u, v)), w)));
        }
    }
}

/// Quarter j of vector i to quarter i of vector j: blocks of 16 words to rows of four words of each, and back.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn regroup([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, cd) = (_mm512_shuffle_i32x4::<0x44>(a, b), _mm512_shuffle_i32x4::<0x44>(c, d));
    let (ef, gh) = (_mm512_shuffle_i32x4::<0xee>(a, b), _mm512_shuffle_i32x4::<0xee>(c, d));
    [
        _mm512_shuffle_i32x4::<0x88>(ab, cd),
        _mm512_shuffle_i32x4::<0xdd>(ab, cd),
        _mm512_shuffle_i32x4::<0x88>(ef, gh),
        _mm512_shuffle_i32x4::<0xdd>(ef, gh),
    ]
}

/// Row u: words `4u..4u+4` of every block.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load_rows([a, b, c, d]: &Tile) -> [__m512i; 4] {
    regroup([load(a), load(b), load(c), load(d)])
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store_rows(tile: &mut Tile, rows: [__m512i; 4]) {
    for (vector, words) in tile.iter_mut().zip(regroup(rows)) {
        store(vector, words);
    }
}

/// Word j of row u to word u of row j, in every quarter.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn transpose([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ef, gh) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab, cd),
        _mm512_unpackhi_epi64(ab, cd),
        _mm512_unpacklo_epi64(ef, gh),
        _mm512_unpackhi_epi64(ef, gh),
    ]
}

/// Tiles in sweeps, with the factors of both stages.
fn sweeps<'a>(
    x: &'a mut [Vector],
    blocks: &'a [Block],
    lanes: &'a [Lanes],
) -> impl Iterator<Item = (&'a mut [Tile], &'a [[Block; 4]], &'a [Lanes])> {
    let tiles = x.as_chunks_mut().0.chunks_mut(SWEEP);
    let blocks = blocks.as_chunks().0.chunks(SWEEP);
    tiles.zip(blocks.zip(lanes.chunks(SWEEP))).map(|(tiles, (blocks, lanes))| (tiles, blocks, lanes))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store_tile(tile: &mut Tile, words: [__m512i; 4]) {
    tile.iter_mut().zip(words).for_each(|(vector, words)| store(vector, words));
}

/// The layers at distances 8 and 4, then 2 and 1, to `[0, q)`.
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_within(p: Prime, x: &mut [Vector], blocks: &[Block], lanes: &[Lanes]) {
    for (tiles, blocks, lanes) in sweeps(x, blocks, lanes) {
        for (tile, blocks) in tiles.iter_mut().zip(blocks) {
            let [a, b, c, d] = load_rows(tile);
            let rows = forward_4::<false>(p, a, split(b), split(c), split(d), &splat_blocks(blocks));
            store_tile(tile, transpose(rows));
        }
        for (tile, lanes) in tiles.iter_mut().zip(lanes) {
            let [a, b, c, d] = &*tile;
            let out = forward_4::<false>(p, load(a), load_split(b), load_split(c), load_split(d), &load_factors(lanes));
            store_rows(tile, transpose(out.map(|x| lift(p, halve_range(p, x)))));
        }
    }
}

/// The layers at distances 1 and 2, then 4 and 8, from `[0, q)` to `(-q, q)`.
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_within(p: Prime, x: &mut [Vector], blocks: &[Block], lanes: &[Lanes]) {
    for (tiles, blocks, lanes) in sweeps(x, blocks, lanes) {
        for (tile, lanes) in tiles.iter_mut().zip(lanes) {
            let [a, b, c, d] = inverse_4(p, transpose(load_rows(tile)), &load_factors(lanes));
            store_tile(tile, transpose([halve_range(p, a), b, c, d]));
        }
        for (tile, blocks) in tiles.iter_mut().zip(blocks) {
            let rows = tile.each_ref().map(|x| load(x));
            let [a, b, c, d] = inverse_4(p, rows, &splat_blocks(blocks));
            store_rows(tile, [halve_range(p, a), b, c, d]);
        }
    }
}

impl Prime {
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(plan: &Packed<LANES>) -> Self {
        Self { q: _mm512_set1_epi32(plan.q), q_inverse: _mm512_set1_epi32(plan.q_inverse) }
    }
}

#[target_feature(enable = "avx512f,avx512dq")]
fn forward_lanes(plan: &Packed<LANES>, x: &mut [Vector]) {
    let p = Prime::new(plan);
    if let [w] = plan.forward.single[..] {
        forward_single(p, x, w);
    }
    forward_rest(p, &plan.forward, x, plan.forward.first);
}

/// The first pass reads `x + c`, in `(-2q, 2q)`, where [`forward_lanes`] reads words in `[0, q)`.
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_of_lanes(plan: &Packed<LANES>, out: &mut [Vector], x: &[Vector], c: i32) {
    let (p, table, c) = (Prime::new(plan), &plan.forward, _mm512_set1_epi32(c));
    let shifted = |x: &Vector| _mm512_add_epi32(load(x), c);
    if let [w] = table.single[..] {
        let w = splat(w);
        let ((low, high), (x0, x1)) = (out.split_at_mut(out.len() / 2), x.split_at(x.len() / 2));
        for ((a, b), (x0, x1)) in low.iter_mut().zip(high).zip(x0.iter().zip(x1)) {
            let (u, v) = (halve_range(p, shifted(x0)), reduce(p, mul(split(shifted(x1)), w)));
            store(a, _mm512_add_epi32(u, v));
            store(b, _mm512_sub_epi32(u, v));
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
#[target_feature(enable = "avx512f,avx512dq")]
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
        forward_within(p, block, blocks, lanes);
    }
}

#[target_feature(enable = "avx512f,avx512dq")]
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
        inverse_within(p, block, blocks, lanes);
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
