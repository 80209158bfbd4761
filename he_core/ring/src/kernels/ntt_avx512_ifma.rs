//! Transforms of 64-bit words by the 52-bit multiply-add of AVX-512 IFMA, eight words a vector, for primes below 2^50.
//!
//! A word is an integer in `[0, 2^52)` of which the low 52 bits of a lane count: products read no others, sums and
//! differences are right modulo 2^52, and only the last reduction clears what lies above.
//! Formula: Shoup's product with radix 2^52, `w' = floor(w * 2^52 / q)`, `x*w - floor(x*w' / 2^52) * q` in `[0, 2q)`.
//! Ranges: a forward layer adds 2q, an inverse layer doubles; both stay below 2^52, see [`Schedule`].
//! Source: \[Har14\] for the butterflies.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_min_epu64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_storeu_si512, _mm512_sub_epi64,
};

use super::ntt_lanes_avx512 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, SWEEP, Schedule, inner_layers_of_8, passes};
use crate::isa::Avx512Ifma;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 8;
const PAIR: usize = 2 * LANES;
type Pair = [[u64; PAIR]; 2];
type Vector = [u64; LANES];
type Lanes = __m512i;

/// Primes stay below: a factor may then be 4q.
pub(super) const MAX_MODULUS: u64 = 1 << 50;
/// `log2 N` is at least this.
pub(super) const MIN_LOG_N: u32 = 6;

const RADIX_BITS: u32 = 52;
const MASK: u64 = (1 << RADIX_BITS) - 1;

/// One prime and its twiddles, value and quotient.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx512Ifma,
    log_n: u32,
    q: u64,
    schedule: Schedule,
    forward: Packed<PAIR, 2>,
    inverse: Packed<PAIR, 2>,
    n_inverse: [u64; 2],
    n_inverse_twiddle: [u64; 2],
}

impl Path {
    pub(super) fn new(proof: Avx512Ifma, modulus: Modulus<u64>, tables: &Tables<u64>) -> Self {
        let q = modulus.value();
        debug_assert!(q < MAX_MODULUS);
        let log_n = tables.forward.values.len().ilog2();
        let parts = |w: u64| [w, ((u128::from(w) << RADIX_BITS) / u128::from(q)) as u64];
        let limit = (1u64 << RADIX_BITS) as f64 / q as f64;
        let growth = Growth { limit, product: |_| 2.0, forward_reduced: |_| 2.0, inverse_reduced: |_| 2.0 };
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

#[derive(Clone, Copy)]
struct Prime {
    q: Lanes,
    two_q: Lanes,
    /// `2^52 - q`: adding its multiples subtracts those of q.
    minus_q: Lanes,
    /// `floor(2^52 / q)`.
    ratio: Lanes,
    mask: Lanes,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(path: &Path) -> Self {
        let all = |x: u64| _mm512_set1_epi64(x as i64);
        let q = path.q;
        Self { q: all(q), two_q: all(2 * q), minus_q: all(MASK + 1 - q), ratio: all((MASK + 1) / q), mask: all(MASK) }
    }
}

#[derive(Clone, Copy)]
struct Factor {
    value: Lanes,
    quotient: Lanes,
}

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn splat([value, quotient]: &[u64; 2]) -> Self {
        Self { value: _mm512_set1_epi64(*value as i64), quotient: _mm512_set1_epi64(*quotient as i64) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn pair(heap: &Pair) -> Self {
        Self::splat(&[heap[0][1], heap[1][1]])
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn inner<const DISTANCE: usize>(heap: &Pair) -> Self {
        Self { value: lanes::twiddles::<DISTANCE>(&heap[0]), quotient: lanes::twiddles::<DISTANCE>(&heap[1]) }
    }
}

/// An inverse layer: the multiple of q that keeps its differences from being negative, and whether it reduces sums.
#[derive(Clone, Copy)]
struct Step {
    offset: Lanes,
    reduces: bool,
}

impl Step {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(path: &Path, layer: u32) -> Self {
        let offset = path.q * path.schedule.inverse_bounds[layer as usize] as u64;
        Self { offset: _mm512_set1_epi64(offset as i64), reduces: path.schedule.inverse(layer) }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(x: &Vector) -> Lanes {
    // SAFETY: eight words of 8 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(x: &mut Vector, value: Lanes) {
    // SAFETY: eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), value) }
}

/// Words are taken as they are.
#[inline]
fn enter(_p: Prime, x: Lanes) -> Lanes {
    x
}

/// `x * w mod q` in `[0, 2q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn mul(p: Prime, x: Lanes, w: Factor) -> Lanes {
    let zero = _mm512_setzero_si512();
    let e = _mm512_madd52hi_epu64(zero, x, w.quotient);
    _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(zero, x, w.value), e, p.minus_q)
}

/// To `[0, 2q)`: the product with 1.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(p: Prime, x: Lanes) -> Lanes {
    _mm512_madd52lo_epu64(x, _mm512_madd52hi_epu64(_mm512_setzero_si512(), x, p.ratio), p.minus_q)
}

/// From `[0, 2q)` to `[0, q)`, nothing above.
#[inline]
#[target_feature(enable = "avx512f")]
fn leave(p: Prime, x: Lanes) -> Lanes {
    let x = _mm512_and_si512(x, p.mask);
    _mm512_min_epu64(x, _mm512_sub_epi64(x, p.q))
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let u = if reduces { reduce(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm512_add_epi64(u, v), _mm512_sub_epi64(_mm512_add_epi64(u, p.two_q), v))
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, step: Step) -> (Lanes, Lanes) {
    let sum = _mm512_add_epi64(u, v);
    let difference = _mm512_sub_epi64(_mm512_add_epi64(u, step.offset), v);
    (if step.reduces { reduce(p, sum) } else { sum }, mul(p, difference, w))
}

/// The layer that carries `N^-1`, to `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], step: Step) -> (Lanes, Lanes) {
    let difference = _mm512_sub_epi64(_mm512_add_epi64(u, step.offset), v);
    (leave(p, mul(p, _mm512_add_epi64(u, v), w[0])), leave(p, mul(p, difference, w[1])))
}

/// The end of a forward transform.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn finish(p: Prime, x: Lanes) -> Lanes {
    leave(p, reduce(p, x))
}

inner_layers_of_8!("avx512f,avx512ifma");
passes!("avx512f,avx512ifma");
