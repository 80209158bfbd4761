//! Transforms of 64-bit words on AVX-512, eight words a vector, for primes of 51 to 61 bits.
//!
//! Words are signed between the edges; products come from 32-bit halves, see [`ntt_split`](super::ntt_split).
//! Growth: a forward layer adds less than q to a word, an inverse layer doubles it; [`Schedule`] reduces in time.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_loadu_si512, _mm512_min_epu64, _mm512_mul_epi32, _mm512_mullo_epi64,
    _mm512_permutex2var_epi64, _mm512_set1_epi64, _mm512_shuffle_epi32, _mm512_srai_epi64, _mm512_srli_epi64,
    _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::ntt_lanes_avx512 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, SWEEP, Schedule, inner_layers_of_8, passes};
use super::ntt_split::{self as split, MAX_FACTOR};
use crate::isa::Avx512;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 8;
const PAIR: usize = 2 * LANES;
type Pair = [[u64; PAIR]; 2];
type Vector = [u64; LANES];
type Lanes = __m512i;

/// Primes stay above.
pub(super) const MIN_MODULUS: u64 = 1 << 50;
/// `log2 N` is at least this.
pub(super) const MIN_LOG_N: u32 = 6;

/// One prime and its twiddles in parts.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx512,
    log_n: u32,
    q: u64,
    multiples: Box<[Vector; 2]>,
    schedule: Schedule,
    forward: Packed<PAIR, 2>,
    inverse: Packed<PAIR, 2>,
    n_inverse: [u64; 2],
    n_inverse_twiddle: [u64; 2],
}

impl Path {
    pub(super) fn new(proof: Avx512, modulus: Modulus<u64>, tables: &Tables<u64>) -> Self {
        let q = modulus.value();
        debug_assert!(q > MIN_MODULUS);
        let log_n = tables.forward.values.len().ilog2();
        let parts = |w: u64| split::quotient_parts(w, q);
        let limit = MAX_FACTOR as f64 / q as f64;
        let reduced = 0.5 + (1u64 << (MULTIPLE_BITS - 1)) as f64 / q as f64;
        let growth = Growth {
            limit,
            product: |k: f64| split::product_bound(k / limit),
            forward_reduced: |_| reduced,
            inverse_reduced: |_| reduced,
        };
        Self {
            _proof: proof,
            log_n,
            q,
            multiples: Box::new(multiples_of(q)),
            schedule: Schedule::new(log_n, &growth),
            forward: Packed::new(&tables.forward.values, parts),
            inverse: Packed::new(&tables.inverse.values, parts),
            n_inverse: parts(tables.n_inverse.value()),
            n_inverse_twiddle: parts(tables.n_inverse_twiddle.value()),
        }
    }
}

/// The multiple of q next to the middle of the words with the same bits from here on.
const MULTIPLE_BITS: u32 = 60;

fn multiples_of(q: u64) -> [Vector; 2] {
    let multiple = |bits: i64| {
        let middle = (bits << MULTIPLE_BITS) + (1 << (MULTIPLE_BITS - 1));
        (q as i64).wrapping_mul((middle as f64 / q as f64).round() as i64) as u64
    };
    [std::array::from_fn(|i| multiple(i as i64)), std::array::from_fn(|i| multiple(i as i64 - 8))]
}

#[derive(Clone, Copy)]
struct Prime {
    q: Lanes,
    /// `2^31`: a half of what rounds to the upper half.
    half: Lanes,
    reciprocal: Lanes,
    /// The multiples of q that [`step`] subtracts.
    multiples: [Lanes; 2],
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(path: &Path) -> Self {
        let all = |x: u64| _mm512_set1_epi64(x as i64);
        Self {
            q: all(path.q),
            half: all(1 << 31),
            reciprocal: all(split::reciprocal(path.q)),
            multiples: [load(&path.multiples[0]), load(&path.multiples[1])],
        }
    }
}

/// A twiddle per lane, and its quotient with each half in the low half of a lane.
#[derive(Clone, Copy)]
struct Factor {
    value: Lanes,
    quotient: Lanes,
    quotient_high: Lanes,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn new(value: Lanes, quotient: Lanes) -> Self {
        Self { value, quotient, quotient_high: high(quotient) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn splat([value, quotient]: &[u64; 2]) -> Self {
        Self::new(_mm512_set1_epi64(*value as i64), _mm512_set1_epi64(*quotient as i64))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn pair(heap: &Pair) -> Self {
        Self::splat(&[heap[0][1], heap[1][1]])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn inner<const DISTANCE: usize>(heap: &Pair) -> Self {
        Self::new(lanes::twiddles::<DISTANCE>(&heap[0]), lanes::twiddles::<DISTANCE>(&heap[1]))
    }
}

/// Whether an inverse layer reduces its sums.
#[derive(Clone, Copy)]
struct Step(bool);

impl Step {
    #[inline]
    fn new(path: &Path, layer: u32) -> Self {
        Self(path.schedule.inverse(layer))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn load(x: &Vector) -> Lanes {
    // SAFETY: eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(x: &mut Vector, value: Lanes) {
    // SAFETY: eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), value) }
}

/// Words are taken as they are.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn enter(_p: Prime, x: Lanes) -> Lanes {
    x
}

/// Upper halves over lower ones.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn high(x: Lanes) -> Lanes {
    _mm512_shuffle_epi32::<0b11_11_01_01>(x)
}

/// To the least remainder, as well as the upper four bits of a word tell.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn step(p: Prime, x: Lanes) -> Lanes {
    let upper = _mm512_srli_epi64::<MULTIPLE_BITS>(x);
    _mm512_sub_epi64(x, _mm512_permutex2var_epi64(p.multiples[0], upper, p.multiples[1]))
}

/// The upper half of a sum, rounded, as a number.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn rounded_high(p: Prime, sum: Lanes) -> Lanes {
    _mm512_srai_epi64::<32>(_mm512_add_epi64(sum, p.half))
}

/// To `(-q, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce(p: Prime, x: Lanes) -> Lanes {
    let e = rounded_high(p, _mm512_mul_epi32(high(_mm512_add_epi64(x, p.half)), p.reciprocal));
    _mm512_sub_epi64(x, _mm512_mullo_epi64(e, p.q))
}

/// From `(-q, q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn leave(p: Prime, x: Lanes) -> Lanes {
    _mm512_min_epu64(x, _mm512_add_epi64(x, p.q))
}

/// `x * w mod q` in `(-q, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul(p: Prime, x: Lanes, w: Factor) -> Lanes {
    let x_high = high(_mm512_add_epi64(x, p.half));
    let sum = _mm512_add_epi64(_mm512_mul_epi32(x_high, w.quotient), _mm512_mul_epi32(x, w.quotient_high));
    let e = _mm512_add_epi64(_mm512_mul_epi32(x_high, w.quotient_high), rounded_high(p, sum));
    _mm512_sub_epi64(_mm512_mullo_epi64(x, w.value), _mm512_mullo_epi64(e, p.q))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let u = if reduces { step(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm512_add_epi64(u, v), _mm512_sub_epi64(u, v))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, Step(reduces): Step) -> (Lanes, Lanes) {
    let sum = _mm512_add_epi64(u, v);
    (if reduces { step(p, sum) } else { sum }, mul(p, _mm512_sub_epi64(u, v), w))
}

/// The layer that carries `N^-1`, to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], _step: Step) -> (Lanes, Lanes) {
    let (sum, difference) = (_mm512_add_epi64(u, v), _mm512_sub_epi64(u, v));
    (leave(p, mul(p, sum, w[0])), leave(p, mul(p, difference, w[1])))
}

/// The end of a forward transform.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn finish(p: Prime, x: Lanes) -> Lanes {
    leave(p, reduce(p, x))
}

inner_layers_of_8!("avx512f,avx512dq");
passes!("avx512f,avx512dq");
