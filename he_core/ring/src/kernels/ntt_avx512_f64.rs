//! Transforms of 64-bit words on AVX-512 by floating-point multiply-add, eight words a vector, for primes below 2^50.
//!
//! Formula, ranges and why every step is exact: as in `ntt_avx2_f64`, on vectors twice as wide.

use std::arch::x86_64::{
    __m512d, __m512i, _CMP_LT_OQ, _mm512_add_pd, _mm512_castpd_si512, _mm512_castsi512_pd, _mm512_cmp_pd_mask,
    _mm512_fmadd_pd, _mm512_fmsub_pd, _mm512_fnmadd_pd, _mm512_loadu_si512, _mm512_mask_add_pd, _mm512_mul_pd,
    _mm512_or_si512, _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_si512, _mm512_sub_pd, _mm512_xor_si512,
};

use super::ntt_lanes_avx512 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, SWEEP, Schedule, inner_layers_of_8, passes};
use crate::isa::Avx512;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 8;
const PAIR: usize = 2 * LANES;
type Pair = [[u64; PAIR]; 1];
type Vector = [u64; LANES];
type Lanes = __m512i;
type Floats = __m512d;

/// Primes stay below.
pub(super) const MAX_MODULUS: u64 = 1 << 50;

/// Factors of products stay below: `|h/q| < 2^51`.
const MAX_FACTOR: f64 = (1u64 << 52) as f64;
/// `2^52 + 2^51`: added, it rounds to an integer.
const ROUNDER: f64 = (3u64 << 51) as f64;
/// `2^52`: its bits or-ed to those of a smaller integer are an f64 that is larger by `2^52`.
const TO_FLOAT: f64 = (1u64 << 52) as f64;

/// One prime, its twiddles around zero as bits of f64.
#[derive(Clone, Debug)]
pub struct Path {
    _proof: Avx512,
    log_n: u32,
    q: f64,
    schedule: Schedule,
    forward: Packed<PAIR, 1>,
    inverse: Packed<PAIR, 1>,
    n_inverse: [u64; 1],
    n_inverse_twiddle: [u64; 1],
}

impl Path {
    pub(super) fn new(proof: Avx512, modulus: Modulus<u64>, tables: &Tables<u64>) -> Self {
        let q = modulus.value();
        debug_assert!(q < MAX_MODULUS);
        let log_n = tables.forward.values.len().ilog2();
        let centered = |w: u64| [if w > q / 2 { w as f64 - q as f64 } else { w as f64 }.to_bits()];
        let limit = MAX_FACTOR / q as f64;
        let reduced = |_| 0.5 + f64::EPSILON * limit;
        let product = |k: f64| 0.5 + k / limit / 2.0;
        let growth = Growth { limit, product, forward_reduced: reduced, inverse_reduced: reduced };
        Self {
            _proof: proof,
            log_n,
            q: q as f64,
            schedule: Schedule::new(log_n, &growth),
            forward: Packed::new(&tables.forward.values, centered),
            inverse: Packed::new(&tables.inverse.values, centered),
            n_inverse: centered(tables.n_inverse.value()),
            n_inverse_twiddle: centered(tables.n_inverse_twiddle.value()),
        }
    }
}

#[derive(Clone, Copy)]
struct Prime {
    q: Floats,
    q_inverse: Floats,
    rounder: Floats,
    to_float: Floats,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new(path: &Path) -> Self {
        Self {
            q: _mm512_set1_pd(path.q),
            q_inverse: _mm512_set1_pd(1.0 / path.q),
            rounder: _mm512_set1_pd(ROUNDER),
            to_float: _mm512_set1_pd(TO_FLOAT),
        }
    }
}

#[derive(Clone, Copy)]
struct Factor(Floats);

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn splat([bits]: &[u64; 1]) -> Self {
        Self(_mm512_set1_pd(f64::from_bits(*bits)))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn pair([heap]: &Pair) -> Self {
        Self::splat(&[heap[1]])
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn inner<const DISTANCE: usize>([heap]: &Pair) -> Self {
        Self(_mm512_castsi512_pd(lanes::twiddles::<DISTANCE>(heap)))
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

/// Words below 2^52 to floats.
#[inline]
#[target_feature(enable = "avx512f")]
fn enter(p: Prime, x: Lanes) -> Lanes {
    let bits = _mm512_or_si512(x, _mm512_castpd_si512(p.to_float));
    _mm512_castpd_si512(_mm512_sub_pd(_mm512_castsi512_pd(bits), p.to_float))
}

/// Floats in `(-q, q)` to words in `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f")]
fn leave(p: Prime, x: Floats) -> Lanes {
    let negative = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(x, _mm512_setzero_pd());
    let x = _mm512_mask_add_pd(x, negative, x, p.q);
    _mm512_xor_si512(_mm512_castpd_si512(_mm512_add_pd(x, p.to_float)), _mm512_castpd_si512(p.to_float))
}

/// The integer next to `x / q`, or its neighbour where that is close to the middle of two.
#[inline]
#[target_feature(enable = "avx512f")]
fn round(p: Prime, x: Floats) -> Floats {
    _mm512_sub_pd(_mm512_fmadd_pd(x, p.q_inverse, p.rounder), p.rounder)
}

/// To `[-q/2, q/2]`, and what the rounding adds.
#[inline]
#[target_feature(enable = "avx512f")]
fn reduce(p: Prime, x: Floats) -> Floats {
    _mm512_fnmadd_pd(round(p, x), p.q, x)
}

/// `x * w mod q` in `[-q, q]`.
#[inline]
#[target_feature(enable = "avx512f")]
fn mul(p: Prime, x: Floats, Factor(w): Factor) -> Floats {
    let high = _mm512_mul_pd(x, w);
    let low = _mm512_fmsub_pd(x, w, high);
    _mm512_add_pd(_mm512_fnmadd_pd(round(p, high), p.q, high), low)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let (a, b) = (_mm512_castsi512_pd(a), _mm512_castsi512_pd(b));
    let u = if reduces { reduce(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm512_castpd_si512(_mm512_add_pd(u, v)), _mm512_castpd_si512(_mm512_sub_pd(u, v)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, Step(reduces): Step) -> (Lanes, Lanes) {
    let (u, v) = (_mm512_castsi512_pd(u), _mm512_castsi512_pd(v));
    let sum = _mm512_add_pd(u, v);
    let sum = if reduces { reduce(p, sum) } else { sum };
    (_mm512_castpd_si512(sum), _mm512_castpd_si512(mul(p, _mm512_sub_pd(u, v), w)))
}

/// The layer that carries `N^-1`, to words.
#[inline]
#[target_feature(enable = "avx512f")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], _step: Step) -> (Lanes, Lanes) {
    let (u, v) = (_mm512_castsi512_pd(u), _mm512_castsi512_pd(v));
    let (sum, difference) = (_mm512_add_pd(u, v), _mm512_sub_pd(u, v));
    (leave(p, mul(p, sum, w[0])), leave(p, mul(p, difference, w[1])))
}

/// The end of a forward transform, to words.
#[inline]
#[target_feature(enable = "avx512f")]
fn finish(p: Prime, x: Lanes) -> Lanes {
    leave(p, reduce(p, _mm512_castsi512_pd(x)))
}

inner_layers_of_8!("avx512f");
passes!("avx512f");
