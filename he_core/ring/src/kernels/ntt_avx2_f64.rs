//! Transforms of 64-bit words on AVX2 by floating-point multiply-add, four words a vector, for primes below 2^50.
//!
//! Between the edges a word is an integer held exactly by an f64, of any sign. With `h = fl(x*w)`, `c` an integer near
//! `h/q`: `x*w - c*q = (h - c*q) + (x*w - h)`, both brackets by one fused multiply-add each.
//! Exactness, for `|w| <= q/2` and `|x| <= 2^52`:
//! - `x*w - h` is the rounding error of a product of integers: exact, below `2^47`.
//! - `c = fl(h*fl(1/q) + 3*2^51) - 3*2^51` is an integer, as `|h/q| < 2^51`; it misses `x*w/q` by at most
//!   `1/2 + |x*w/q| 2^-52 <= 1/2 + |x| 2^-53`.
//! - so `|x*w - c*q| <= (1/2 + |x| 2^-53) q <= q`, and `h - c*q` is an integer below `q + 2^47 < 2^53`: exact.
//! - sums and differences of butterflies stay below 2^53: exact.
//!
//! Every result is therefore the integer that the formula says, and words in `[0, q)` at the end are the scalar ones.
//! Growth: a forward layer adds a product to a word, an inverse layer doubles it; [`Schedule`] reduces in time.

use std::arch::x86_64::{
    __m256d, __m256i, _CMP_LT_OQ, _mm256_add_pd, _mm256_and_pd, _mm256_castpd_si256, _mm256_castsi256_pd,
    _mm256_cmp_pd, _mm256_fmadd_pd, _mm256_fmsub_pd, _mm256_fnmadd_pd, _mm256_loadu_si256, _mm256_mul_pd,
    _mm256_or_si256, _mm256_set1_pd, _mm256_setzero_pd, _mm256_storeu_si256, _mm256_sub_pd, _mm256_xor_si256,
};

use super::ntt_lanes_avx2 as lanes;
use super::ntt_passes::{BLOCK_WORDS, Growth, Packed, SWEEP, Schedule, inner_layers_of_4, passes};
use crate::isa::Avx2;
use crate::modulus::Modulus;
use crate::ntt::Tables;

const LANES: usize = 4;
const PAIR: usize = 2 * LANES;
type Pair = [[u64; PAIR]; 1];
type Vector = [u64; LANES];
type Lanes = __m256i;
type Floats = __m256d;

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
    _proof: Avx2,
    log_n: u32,
    q: f64,
    schedule: Schedule,
    forward: Packed<PAIR, 1>,
    inverse: Packed<PAIR, 1>,
    n_inverse: [u64; 1],
    n_inverse_twiddle: [u64; 1],
}

impl Path {
    pub(super) fn new(proof: Avx2, modulus: Modulus<u64>, tables: &Tables<u64>) -> Self {
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
    #[target_feature(enable = "avx2,fma")]
    fn new(path: &Path) -> Self {
        Self {
            q: _mm256_set1_pd(path.q),
            q_inverse: _mm256_set1_pd(1.0 / path.q),
            rounder: _mm256_set1_pd(ROUNDER),
            to_float: _mm256_set1_pd(TO_FLOAT),
        }
    }
}

#[derive(Clone, Copy)]
struct Factor(Floats);

impl Factor {
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn splat([bits]: &[u64; 1]) -> Self {
        Self(_mm256_set1_pd(f64::from_bits(*bits)))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn pair([heap]: &Pair) -> Self {
        Self::splat(&[heap[1]])
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn inner<const DISTANCE: usize>([heap]: &Pair) -> Self {
        Self(_mm256_castsi256_pd(lanes::twiddles::<DISTANCE>(heap)))
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
#[target_feature(enable = "avx2,fma")]
fn load(x: &Vector) -> Lanes {
    // SAFETY: four words of 8 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn store(x: &mut Vector, value: Lanes) {
    // SAFETY: four words of 8 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), value) }
}

/// Words below 2^52 to floats.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn enter(p: Prime, x: Lanes) -> Lanes {
    let bits = _mm256_or_si256(x, _mm256_castpd_si256(p.to_float));
    _mm256_castpd_si256(_mm256_sub_pd(_mm256_castsi256_pd(bits), p.to_float))
}

/// Floats in `(-q, q)` to words in `[0, q)`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn leave(p: Prime, x: Floats) -> Lanes {
    let negative = _mm256_cmp_pd::<_CMP_LT_OQ>(x, _mm256_setzero_pd());
    let x = _mm256_add_pd(x, _mm256_and_pd(negative, p.q));
    _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(x, p.to_float)), _mm256_castpd_si256(p.to_float))
}

/// The integer next to `x / q`, or its neighbour where that is close to the middle of two.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn round(p: Prime, x: Floats) -> Floats {
    _mm256_sub_pd(_mm256_fmadd_pd(x, p.q_inverse, p.rounder), p.rounder)
}

/// To `[-q/2, q/2]`, and what the rounding adds.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn reduce(p: Prime, x: Floats) -> Floats {
    _mm256_fnmadd_pd(round(p, x), p.q, x)
}

/// `x * w mod q` in `[-q, q]`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn mul(p: Prime, x: Floats, Factor(w): Factor) -> Floats {
    let high = _mm256_mul_pd(x, w);
    let low = _mm256_fmsub_pd(x, w, high);
    _mm256_add_pd(_mm256_fnmadd_pd(round(p, high), p.q, high), low)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn forward_butterfly(p: Prime, a: Lanes, b: Lanes, w: Factor, reduces: bool) -> (Lanes, Lanes) {
    let (a, b) = (_mm256_castsi256_pd(a), _mm256_castsi256_pd(b));
    let u = if reduces { reduce(p, a) } else { a };
    let v = mul(p, b, w);
    (_mm256_castpd_si256(_mm256_add_pd(u, v)), _mm256_castpd_si256(_mm256_sub_pd(u, v)))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn inverse_butterfly(p: Prime, u: Lanes, v: Lanes, w: Factor, Step(reduces): Step) -> (Lanes, Lanes) {
    let (u, v) = (_mm256_castsi256_pd(u), _mm256_castsi256_pd(v));
    let sum = _mm256_add_pd(u, v);
    let sum = if reduces { reduce(p, sum) } else { sum };
    (_mm256_castpd_si256(sum), _mm256_castpd_si256(mul(p, _mm256_sub_pd(u, v), w)))
}

/// The layer that carries `N^-1`, to words.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn inverse_last(p: Prime, u: Lanes, v: Lanes, w: [Factor; 2], _step: Step) -> (Lanes, Lanes) {
    let (u, v) = (_mm256_castsi256_pd(u), _mm256_castsi256_pd(v));
    let (sum, difference) = (_mm256_add_pd(u, v), _mm256_sub_pd(u, v));
    (leave(p, mul(p, sum, w[0])), leave(p, mul(p, difference, w[1])))
}

/// The end of a forward transform, to words.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn finish(p: Prime, x: Lanes) -> Lanes {
    leave(p, reduce(p, _mm256_castsi256_pd(x)))
}

inner_layers_of_4!("avx2,fma");
passes!("avx2,fma");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_FACTOR, MAX_MODULUS, ROUNDER};

    /// `mul` on one number.
    fn product(x: f64, w: f64, q: f64) -> f64 {
        let high = x * w;
        let low = x.mul_add(w, -high);
        let c = high.mul_add(1.0 / q, ROUNDER) - ROUNDER;
        (-c).mul_add(q, high) + low
    }

    fn check(x: i64, w: i64, q: i64) {
        let r = product(x as f64, w as f64, q as f64);
        assert_eq!(r, r.round());
        let exact = i128::from(x) * i128::from(w);
        assert_eq!((exact - r as i128) % i128::from(q), 0, "x={x} w={w} q={q}: {r}");
        let bound = (0.5 + x.unsigned_abs() as f64 / 2.0 / MAX_FACTOR) * q as f64;
        assert!(r.abs() <= bound, "x={x} w={w} q={q}: {r}");
    }

    const MODULI: [i64; 5] = [12289, (1 << 30) + 3, (1 << 40) - 87, (1 << 49) + 69, MAX_MODULUS as i64 - 27];

    proptest! {
        #[test]
        fn products_are_exact(x in -(MAX_FACTOR as i64)..=MAX_FACTOR as i64, w: i64) {
            for q in MODULI { check(x, w % (q / 2 + 1), q); }
        }
    }

    #[test]
    fn products_are_exact_at_the_ends() {
        for q in MODULI {
            for w in [0, 1, q / 2 - 1, q / 2] {
                for x in [0, 1, q - 1, q, q + 1, MAX_FACTOR as i64 - 1, MAX_FACTOR as i64] {
                    [(x, w), (-x, w), (x, -w), (-x, -w)].iter().for_each(|(x, w)| check(*x, *w, q));
                }
            }
        }
    }
}
