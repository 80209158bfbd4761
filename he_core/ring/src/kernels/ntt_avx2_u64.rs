//! Transforms of 64-bit words on AVX2, four words a vector, for primes of 51 to 61 bits.
//!
//! Words are signed between the edges; products come from 32-bit halves, see [`ntt_split`](super::ntt_split).
//! Growth: a forward layer adds less than q to a word, an inverse layer doubles it; [`Schedule`] reduces in time.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_loadu_si256, _mm256_mul_epi32,
    _mm256_permutevar_pd, _mm256_set1_epi64x, _mm256_setr_epi64x, _mm256_shuffle_epi32, _mm256_slli_epi64,
    _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi64,
};

use super::ntt_lanes_avx2 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, SWEEP, Schedule, inner_layers_of_4, passes};
use super::ntt_split::{self as split, MAX_FACTOR};
use crate::isa::Avx2;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 4;
const PAIR: usize = 2 * LANES;
type Pair = [[u64; PAIR]; 3];
type Vector = [u64; LANES];
type Lanes = __m256i;

/// Primes stay above.
pub(super) const MIN_MODULUS: u64 = 1 << 50;
/// `log2 N` is at least this.
pub(super) const MIN_LOG_N: u32 = 5;

/// One prime and its twiddles in parts.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx2,
    log_n: u32,
    q: u64,
    schedule: Schedule,
    forward: Packed<PAIR, 3>,
    inverse: Packed<PAIR, 3>,
    n_inverse: [u64; 3],
    n_inverse_twiddle: [u64; 3],
}

impl Path {
    pub(super) fn new(proof: Avx2, modulus: Modulus<u64>, tables: &Tables<u64>) -> Self {
        let q = modulus.value();
        debug_assert!(q > MIN_MODULUS);
        let log_n = tables.forward.values.len().ilog2();
        let parts = |w: u64| split::parts(w, q);
        let limit = MAX_FACTOR as f64 / q as f64;
        let step = (step_of(q) / q) as f64;
        let growth = Growth {
            limit,
            product: |k: f64| split::product_bound(k / limit),
            forward_reduced: |k: f64| step.max(k - step),
            inverse_reduced: |k: f64| split::reduced_bound(k / limit),
        };
        Self {
            _proof: proof,
            log_n,
            q,
            schedule: Schedule::new(log_n, &growth),
            forward: Packed::new(&tables.forward.values, parts),
            inverse: Packed::new(&tables.inverse.values, parts),
            n_inverse: parts(tables.n_inverse.value()),
            n_inverse_twiddle: parts(tables.n_inverse_twiddle.value()),
        }
    }
}

/// The multiple of q next below half of the range: subtracted towards zero it halves the bound of a word.
fn step_of(q: u64) -> u64 {
    (1 << 62) / q * q
}

#[derive(Clone, Copy)]
struct Prime {
    q: Lanes,
    q_high: Lanes,
    /// `2^31`: a half of what rounds to the upper half.
    half: Lanes,
    reciprocal: Lanes,
    /// What to add to a word that is not negative, or negative: a step towards zero; 0, or q.
    step: Lanes,
    lift: Lanes,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new(path: &Path) -> Self {
        let all = |x: u64| _mm256_set1_epi64x(x as i64);
        let (q, step) = (all(split::halves(path.q as i64)), step_of(path.q) as i64);
        Self {
            q,
            q_high: high(q),
            half: all(1 << 31),
            reciprocal: all(split::reciprocal(path.q)),
            step: _mm256_setr_epi64x(-step, step, -step, step),
            lift: _mm256_setr_epi64x(0, path.q as i64, 0, path.q as i64),
        }
    }
}

/// The parts of a twiddle per lane, each half that multiplies in the low half of a lane.
#[derive(Clone, Copy)]
struct Factor {
    b: Lanes,
    b_high: Lanes,
    a: Lanes,
    a_high: Lanes,
    b_quotient: Lanes,
    a_quotient: Lanes,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new([b, a, quotients]: [Lanes; 3]) -> Self {
        Self { b, b_high: high(b), a, a_high: high(a), b_quotient: quotients, a_quotient: high(quotients) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(parts: &[u64; 3]) -> Self {
        let all = |x: u64| _mm256_set1_epi64x(x as i64);
        Self::new([all(parts[0]), all(parts[1]), all(parts[2])])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn pair(heap: &Pair) -> Self {
        Self::splat(&[heap[0][1], heap[1][1], heap[2][1]])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn inner<const DISTANCE: usize>(heap: &Pair) -> Self {
        let twiddles = [lanes::twiddles::<DISTANCE>(&heap[0]), lanes::twiddles::<DISTANCE>(&heap[1])];
        Self::new([twiddles[0], twiddles[1], lanes::twiddles::<DISTANCE>(&heap[2])])
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
#[target_feature(enable = "avx2")]
fn load(x: &Vector) -> Lanes {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(x: &mut Vector, value: Lanes) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Words are taken as they are.
#[inline]
#[target_feature(enable = "avx2")]
fn enter(_p: Prime, x: Lanes) -> Lanes {
    x
}

/// Upper halves over lower ones.
#[inline]
#[target_feature(enable = "avx2")]
fn high(x: Lanes) -> Lanes {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

/// The first of two numbers, or the second for negative words.
#[inline]
#[target_feature(enable = "avx2")]
fn by_sign(pair: Lanes, x: Lanes) -> Lanes {
    _mm256_castpd_si256(_mm256_permutevar_pd(_mm256_castsi256_pd(pair), _mm256_srli_epi64::<62>(x)))
}

/// A step towards zero and past it.
#[inline]
#[target_feature(enable = "avx2")]
fn step(p: Prime, x: Lanes) -> Lanes {
    _mm256_add_epi64(x, by_sign(p.step, x))
}

/// `low + 2^32 cross - e*q`.
#[inline]
#[target_feature(enable = "avx2")]
fn subtract_multiple(p: Prime, low: Lanes, cross: Lanes, e: Lanes) -> Lanes {
    let low = _mm256_sub_epi64(low, _mm256_mul_epi32(e, p.q));
    _mm256_add_epi64(low, _mm256_slli_epi64::<32>(_mm256_sub_epi64(cross, _mm256_mul_epi32(e, p.q_high))))
}

/// To `(-q, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn reduce(p: Prime, x: Lanes) -> Lanes {
    let e = high(_mm256_add_epi64(_mm256_mul_epi32(high(_mm256_add_epi64(x, p.half)), p.reciprocal), p.half));
    let low = _mm256_sub_epi64(x, _mm256_mul_epi32(e, p.q));
    _mm256_sub_epi64(low, _mm256_slli_epi64::<32>(_mm256_mul_epi32(e, p.q_high)))
}

/// From `(-q, q)` to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn leave(p: Prime, x: Lanes) -> Lanes {
    _mm256_add_epi64(x, by_sign(p.lift, x))
}

/// `x * w mod q` in `(-q, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn mul(p: Prime, x: Lanes, w: Factor) -> Lanes {
    let x_high = high(_mm256_add_epi64(x, p.half));
    let sum = _mm256_add_epi64(_mm256_mul_epi32(x, w.b_quotient), p.half);
    let e = high(_mm256_add_epi64(_mm256_mul_epi32(x_high, w.a_quotient), sum));
    let low = _mm256_add_epi64(_mm256_mul_epi32(x_high, w.a), _mm256_mul_epi32(x, w.b));
    let cross = _mm256_add_epi64(_mm256_mul_epi32(x_high, w.a_high), _mm256_mul_epi32(x, w.b_high));
    subtract_multiple(p, low, cross, e)
}

#[inline]
#[target_feature(enable = "avx2")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let u = if reduces { step(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm256_add_epi64(u, v), _mm256_sub_epi64(u, v))
}

#[inline]
#[target_feature(enable = "avx2")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, Step(reduces): Step) -> (Lanes, Lanes) {
    let sum = _mm256_add_epi64(u, v);
    (if reduces { reduce(p, sum) } else { sum }, mul(p, _mm256_sub_epi64(u, v), w))
}

/// The layer that carries `N^-1`, to `[0, q)`.
#[inline]
#[target_feature(enable = "avx2")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], _step: Step) -> (Lanes, Lanes) {
    let (sum, difference) = (_mm256_add_epi64(u, v), _mm256_sub_epi64(u, v));
    (leave(p, mul(p, sum, w[0])), leave(p, mul(p, difference, w[1])))
}

/// The end of a forward transform.
#[inline]
#[target_feature(enable = "avx2")]
fn finish(p: Prime, x: Lanes) -> Lanes {
    leave(p, reduce(p, x))
}

inner_layers_of_4!("avx2");
passes!("avx2");
