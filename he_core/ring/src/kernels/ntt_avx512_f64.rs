//! Transforms of 64-bit words on AVX-512 by floating-point multiply-add, eight words a vector, for primes below 2^50.
//!
//! Formula, ranges and why every step is exact: as in `ntt_avx2_f64`, on vectors twice as wide.

use std::arch::x86_64::{
    __m512d, __m512i, _CMP_LT_OQ, _mm512_add_pd, _mm512_castpd_si512, _mm512_castsi512_pd, _mm512_cmp_pd_mask,
    _mm512_fmadd_pd, _mm512_fmsub_pd, _mm512_fnmadd_pd, _mm512_loadu_si512, _mm512_mask_add_pd, _mm512_mul_pd,
    _mm512_or_pd, _mm512_set1_pd, _mm512_setzero_pd, _mm512_storeu_si512, _mm512_sub_pd, _mm512_xor_pd,
};

use super::ntt_lanes_avx512 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, Schedule, passes};
use crate::isa::Avx512;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 8;
const PAIR: usize = 2 * LANES;
type Vector = [u64; LANES];
type Lanes = __m512d;

/// Primes stay below.
pub(super) const MAX_MODULUS: u64 = 1 << 50;
/// `log2 N` is at least this.
pub(super) const MIN_LOG_N: u32 = 6;

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
        let growth = Growth { limit, product: |k: f64| 0.5 + k / limit / 2.0, reduced: |_| 0.5 + f64::EPSILON * limit };
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
    q: Lanes,
    q_inverse: Lanes,
    rounder: Lanes,
    to_float: Lanes,
}

impl Prime {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
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
struct Factor(Lanes);

impl Factor {
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn splat([bits]: &[u64; 1]) -> Self {
        Self(_mm512_set1_pd(f64::from_bits(*bits)))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn pair([w]: &[[u64; PAIR]; 1]) -> Self {
        Self::splat(&[w[1]])
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
    _mm512_castsi512_pd(unsafe { _mm512_loadu_si512(x.as_ptr().cast::<__m512i>()) })
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn store(x: &mut Vector, value: Lanes) {
    // SAFETY: eight words of 8 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast::<__m512i>(), _mm512_castpd_si512(value)) }
}

/// Words below 2^52 to floats.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn enter(p: Prime, x: Lanes) -> Lanes {
    _mm512_sub_pd(_mm512_or_pd(x, p.to_float), p.to_float)
}

/// Floats in `(-q, q)` to words in `[0, q)`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn leave(p: Prime, x: Lanes) -> Lanes {
    let negative = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(x, _mm512_setzero_pd());
    let x = _mm512_mask_add_pd(x, negative, x, p.q);
    _mm512_xor_pd(_mm512_add_pd(x, p.to_float), p.to_float)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn round(p: Prime, x: Lanes) -> Lanes {
    _mm512_sub_pd(_mm512_fmadd_pd(x, p.q_inverse, p.rounder), p.rounder)
}

/// To `[-q/2, q/2]` and the rounding of `x/q`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn reduce(p: Prime, x: Lanes) -> Lanes {
    _mm512_fnmadd_pd(round(p, x), p.q, x)
}

/// `x * w mod q` in `[-q, q]`.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn mul(p: Prime, x: Lanes, Factor(w): Factor) -> Lanes {
    let high = _mm512_mul_pd(x, w);
    let low = _mm512_fmsub_pd(x, w, high);
    _mm512_add_pd(_mm512_fnmadd_pd(round(p, high), p.q, high), low)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let u = if reduces { reduce(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm512_add_pd(u, v), _mm512_sub_pd(u, v))
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, Step(reduces): Step) -> (Lanes, Lanes) {
    let sum = _mm512_add_pd(u, v);
    (if reduces { reduce(p, sum) } else { sum }, mul(p, _mm512_sub_pd(u, v), w))
}

/// The layer that carries `N^-1`, to words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], _step: Step) -> (Lanes, Lanes) {
    let (sum, difference) = (_mm512_add_pd(u, v), _mm512_sub_pd(u, v));
    (leave(p, mul(p, sum, w[0])), leave(p, mul(p, difference, w[1])))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn words((a, b): (Lanes, Lanes)) -> (__m512i, __m512i) {
    (_mm512_castpd_si512(a), _mm512_castpd_si512(b))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn floats((a, b): (__m512i, __m512i)) -> (Lanes, Lanes) {
    (_mm512_castsi512_pd(a), _mm512_castsi512_pd(b))
}

/// Distances 4, 2 and 1 within a pair of vectors, to words.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn forward_inner(p: Prime, x: (Lanes, Lanes), [w]: &[[u64; PAIR]; 1], reduces: u32) -> (Lanes, Lanes) {
    let (a, b) = floats(lanes::alternate(words(x)));
    let w4 = Factor(_mm512_castsi512_pd(lanes::twiddles_4(w)));
    let x = forward_butterfly(p, a, b, w4, reduces & 1 == 1);
    let (a, b) = floats(lanes::split_2(words(x)));
    let w2 = Factor(_mm512_castsi512_pd(lanes::twiddles_2(w)));
    let x = forward_butterfly(p, a, b, w2, reduces & 2 == 2);
    let (a, b) = floats(lanes::halves(words(x)));
    let w1 = Factor(_mm512_castsi512_pd(lanes::twiddles_1(w)));
    let (a, b) = forward_butterfly(p, a, b, w1, reduces & 4 == 4);
    floats(lanes::neighbours(words((leave(p, reduce(p, a)), leave(p, reduce(p, b))))))
}

/// Distances 1, 2 and 4 within a pair of vectors.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn inverse_inner(p: Prime, x: (Lanes, Lanes), [w]: &[[u64; PAIR]; 1], step: [Step; 3]) -> (Lanes, Lanes) {
    let (a, b) = floats(lanes::neighbours(words(x)));
    let w1 = Factor(_mm512_castsi512_pd(lanes::twiddles_1(w)));
    let x = inverse_butterfly(p, a, b, w1, step[2]);
    let (a, b) = floats(lanes::halves(words(x)));
    let w2 = Factor(_mm512_castsi512_pd(lanes::twiddles_2(w)));
    let x = inverse_butterfly(p, a, b, w2, step[1]);
    let (a, b) = floats(lanes::join_2(words(x)));
    let w4 = Factor(_mm512_castsi512_pd(lanes::twiddles_4(w)));
    let x = inverse_butterfly(p, a, b, w4, step[0]);
    floats(lanes::from_alternate(words(x)))
}

passes!("avx512f,avx512dq");
