//! The canonical embedding: a real polynomial of degree below N to its values at N/2 roots of unity, and back, in f64.
//!
//! Formula: slot `j` is `a(zeta^(3^j))`, `zeta = exp(i pi / N)`, j < N/2: the order of Microsoft SEAL (its generator 3).
//! With `c_k = a_k + i a_(k + N/2)` and a root `w = zeta^m`, `m = 1 mod 4`, `w^(N/2) = i`, so `a(w) = sum_k c_k w^k`: half
//! as many complex coefficients serve all N/2 such roots. For `m = 3 mod 4` the slot is the conjugate of the value at
//! `zeta^(2N - m)`.
//! Layout: the N reals are the N/2 complex `c_k`, real parts first. Values stand in bit-reversed order of `t`,
//! `m = 4t + 1`; the polynomial `X^(N/2) - i` is split by square roots, block by block, as in a number-theoretic transform.
//! Source: \[CKKS17\], for the embedding.

use crate::kernels::fft::{Roots, forward, inverse, round_to_i64};
use crate::ntt::bit_reverse;
use crate::{Isa, MAX_LOG_N, RingError};

mod roots;

use roots::root_of_unity;

/// Marks a slot that is the conjugate of its value.
const CONJUGATE: u32 = 1 << 31;

/// Tables for one ring degree, and the instruction set to run on.
#[derive(Clone, Debug)]
pub struct FftPlan {
    log_n: u32,
    isa: Isa,
    roots: Roots,
    /// Where slot `j` stands among the values; the top bit asks for the conjugate.
    places: Vec<u32>,
}

impl FftPlan {
    /// A plan for ring degree `2^log_n`, hence `2^(log_n - 1)` slots.
    ///
    /// # Errors
    /// [`RingError::LogNOutOfRange`].
    pub fn new(log_n: u32, isa: Isa) -> Result<Self, RingError> {
        if !(1..=MAX_LOG_N).contains(&log_n) {
            return Err(RingError::LogNOutOfRange { log_n });
        }
        let (n, log_slots) = (1usize << log_n, log_n - 1);
        let slots = n / 2;
        let mut roots = Roots { re: vec![0.0; slots], im: vec![0.0; slots] };
        // The block that keeps exponent e (mod 4 slots = 2N as zeta^e) splits at zeta^(e/2): entry `blocks + b` is
        // exp(i pi/2 * (1 + 4 bitrev(b)) / (2 blocks)).
        for blocks in (0..log_slots).map(|l| 1usize << l) {
            for b in 0..blocks {
                let m = 1 + 4 * bit_reverse(b, blocks.trailing_zeros());
                (roots.re[blocks + b], roots.im[blocks + b]) = root_of_unity(m, 4 * blocks);
            }
        }
        let mut m = 1usize;
        let places = (0..slots)
            .map(|_| {
                let (exponent, flag) = if m % 4 == 1 { (m, 0) } else { (2 * n - m, CONJUGATE) };
                m = m * 3 % (2 * n);
                bit_reverse((exponent - 1) / 4, log_slots) as u32 | flag
            })
            .collect();
        Ok(Self { log_n, isa, roots, places })
    }

    /// Base-2 logarithm of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// Number of slots, N/2.
    pub fn slots(&self) -> usize {
        self.places.len()
    }

    /// Coefficients of the real polynomial that has the given slots, times `factor`: `re` and `im` have the same length,
    /// at most [`FftPlan::slots`] (missing slots are zero), or `im` is empty for real slots; `out` has N entries.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`].
    pub fn slots_to_coefficients(&self, re: &[f64], im: &[f64], factor: f64, out: &mut [f64]) -> Result<(), RingError> {
        let slots = self.slots();
        if re.len() > slots {
            return Err(RingError::LengthMismatch { what: "slots", expected: slots, found: re.len() });
        }
        if !im.is_empty() && im.len() != re.len() {
            return Err(RingError::LengthMismatch { what: "imaginary parts", expected: re.len(), found: im.len() });
        }
        if out.len() != 2 * slots {
            return Err(RingError::LengthMismatch { what: "coefficients", expected: 2 * slots, found: out.len() });
        }
        if re.len() < slots || im.is_empty() {
            out.fill(0.0);
        }
        let (out_re, out_im) = out.split_at_mut(slots);
        for (place, x) in self.places.iter().zip(re) {
            out_re[(place & !CONJUGATE) as usize] = *x;
        }
        for (place, x) in self.places.iter().zip(im) {
            out_im[(place & !CONJUGATE) as usize] = if place & CONJUGATE == 0 { *x } else { -*x };
        }
        inverse(self.isa, &self.roots, factor, out_re, out_im);
        Ok(())
    }

    /// The slots of a real polynomial, real and imaginary parts; `coefficients` (N entries) is used as scratch.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`].
    pub fn coefficients_to_slots(
        &self,
        coefficients: &mut [f64],
        re: &mut [f64],
        im: &mut [f64],
    ) -> Result<(), RingError> {
        let slots = self.slots();
        for (what, expected, found) in
            [("coefficients", 2 * slots, coefficients.len()), ("slots", slots, re.len()), ("slots", slots, im.len())]
        {
            if expected != found {
                return Err(RingError::LengthMismatch { what, expected, found });
            }
        }
        let (c_re, c_im) = coefficients.split_at_mut(slots);
        forward(self.isa, &self.roots, c_re, c_im);
        for ((place, re), im) in self.places.iter().zip(re).zip(im) {
            let at = (place & !CONJUGATE) as usize;
            *re = c_re[at];
            *im = if place & CONJUGATE == 0 { c_im[at] } else { -c_im[at] };
        }
        Ok(())
    }

    /// Rounds each entry to nearest, halves away from zero, and returns the largest magnitude before rounding (NaN when
    /// an entry is NaN or infinite). Results are only meaningful when that is below 2^63.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`].
    pub fn round(&self, x: &[f64], out: &mut [i64]) -> Result<f64, RingError> {
        if x.len() != out.len() {
            return Err(RingError::LengthMismatch { what: "integers", expected: x.len(), found: out.len() });
        }
        Ok(round_to_i64(self.isa, x, out))
    }
}

#[cfg(test)]
mod tests;
