//! The canonical embedding: a real polynomial of degree below N to its values at N/2 roots of unity, and back, in f64.
//!
//! Formula: slot `j` is `a(zeta^(3^j))`, `zeta = exp(i pi / N)`, j < N/2: the order of Microsoft SEAL (its generator 3).
//! With `c_k = a_k + i a_(k + N/2)` and a root `w = zeta^m`, `m = 1 mod 4`, `w^(N/2) = i`, so `a(w) = sum_k c_k w^k`: half
//! as many complex coefficients serve all N/2 such roots. For `m = 3 mod 4` the slot is the conjugate of the value at
//! `zeta^(2N - m)`.
//! Layout: the N reals are the N/2 complex `c_k`, real parts first. Values stand in bit-reversed order of `t`,
//! `m = 4t + 1` (groups of 16 of them transposed, as vectors leave them); the polynomial `X^(N/2) - i` is split by square
//! roots, block by block, as in a number-theoretic transform.
//! Source: \[CKKS17\], for the embedding.

use crate::kernels::fft::{Roots, Twist, fold, forward, inverse, largest, place};
use crate::ntt::bit_reverse;
use crate::scratch::Scratch;
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
    /// The way to real parts alone; `None` below four coefficients.
    real: Option<RealParts>,
}

/// Real parts of all slots by a transform of half the size.
#[derive(Clone, Debug)]
struct RealParts {
    twists: Vec<Twist>,
    roots: Roots,
    /// Where slot `j` stands: real parts, then imaginary parts.
    places: Vec<u32>,
}

impl RealParts {
    /// For `slots` slots, at least two, with their roots.
    ///
    /// With `r(m) = Re a(zeta^m) = r(2N - m)` the sequence `r(1), r(5), r(9), .., r(7), r(3)` is what the half transform gives,
    /// two neighbours as real and imaginary part: it is the cosine transform of type III of the coefficients, computed as a real
    /// Fourier transform. Source: J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Transactions on
    /// Acoustics, Speech, and Signal Processing 28 (1980).
    fn new(slots: usize, re: &[f64], im: &[f64]) -> Self {
        let (n, half) = (2 * slots, slots / 2);
        let factor = |k: usize, i: usize| {
            let at = if i < 2 { k } else { half - k };
            // u is exp(-i pi k/N) / 2, v is exp(i pi (3k/N + 1/2)) / 2.
            let (re, im) = root_of_unity(if i.is_multiple_of(2) { 2 * n - at } else { 3 * at + n / 2 }, n);
            [re / 2.0, im / 2.0]
        };
        let twist = |group: usize| -> Twist {
            std::array::from_fn(|i| {
                std::array::from_fn(|part| {
                    std::array::from_fn(|lane| factor((4 * group + lane + 1).min(half), i)[part])
                })
            })
        };
        let mut m = 1usize;
        let places = (0..slots)
            .map(|_| {
                let odd = m.min(2 * n - m) / 2;
                m = m * 3 % (2 * n);
                // Even ones ascend, odd ones descend; two neighbours are one complex number.
                let at = if odd.is_multiple_of(2) { odd / 2 } else { slots - 1 - odd / 2 };
                (place(bit_reverse(at / 2, half.trailing_zeros()), half) + at % 2 * half) as u32
            })
            .collect();
        Self {
            twists: (0..(half / 2).div_ceil(4)).map(twist).collect(),
            roots: Roots::new(re[..half].to_vec(), im[..half].to_vec()),
            places,
        }
    }
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
        let (mut re, mut im) = (vec![0.0; slots], vec![0.0; slots]);
        // The block that keeps exponent e (mod 4 slots = 2N as zeta^e) splits at zeta^(e/2): entry `blocks + b` is
        // exp(i pi/2 * (1 + 4 bitrev(b)) / (2 blocks)).
        for blocks in (0..log_slots).map(|l| 1usize << l) {
            for b in 0..blocks {
                let m = 1 + 4 * bit_reverse(b, blocks.trailing_zeros());
                (re[blocks + b], im[blocks + b]) = root_of_unity(m, 4 * blocks);
            }
        }
        let mut m = 1usize;
        let places = (0..slots)
            .map(|_| {
                let (exponent, flag) = if m % 4 == 1 { (m, 0) } else { (2 * n - m, CONJUGATE) };
                m = m * 3 % (2 * n);
                place(bit_reverse((exponent - 1) / 4, log_slots), slots) as u32 | flag
            })
            .collect();
        let real = (slots > 1).then(|| RealParts::new(slots, &re, &im));
        Ok(Self { log_n, isa, roots: Roots::new(re, im), places, real })
    }

    /// Base-2 logarithm of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// Number of slots, N/2.
    pub fn slots(&self) -> usize {
        self.places.len()
    }

    /// Lends N numbers of unspecified content; each thread keeps its own.
    pub fn with_scratch<R>(&self, f: impl FnOnce(&mut [f64]) -> R) -> R {
        Scratch::with_scratch(2 * self.slots(), f)
    }

    /// The real polynomial that has the given slots, times `factor` (positive): `re` and `im` have the same length, at most
    /// [`FftPlan::slots`] (missing slots are zero), or `im` is empty for real slots; `scratch` has N entries.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`].
    pub fn slots_to_coefficients<'a>(
        &self,
        re: &[f64],
        im: &[f64],
        factor: f64,
        scratch: &'a mut [f64],
    ) -> Result<RealPoly<'a>, RingError> {
        let slots = self.slots();
        if re.len() > slots {
            return Err(RingError::LengthMismatch { what: "slots", expected: slots, found: re.len() });
        }
        if !im.is_empty() && im.len() != re.len() {
            return Err(RingError::LengthMismatch { what: "imaginary parts", expected: re.len(), found: im.len() });
        }
        if scratch.len() != 2 * slots {
            return Err(RingError::LengthMismatch { what: "coefficients", expected: 2 * slots, found: scratch.len() });
        }
        let (out_re, out_im) = scratch.split_at_mut(slots);
        if re.len() < slots {
            out_re.fill(0.0);
        }
        if im.len() < slots {
            out_im.fill(0.0);
        }
        for (place, x) in self.places.iter().zip(re) {
            out_re[(place & !CONJUGATE) as usize] = *x;
        }
        for (place, x) in self.places.iter().zip(im) {
            // The conjugate flag is the sign bit of what is written.
            out_im[(place & !CONJUGATE) as usize] = f64::from_bits(x.to_bits() ^ u64::from(place & CONJUGATE) << 32);
        }
        inverse(self.isa, &self.roots, out_re, out_im);
        // The number of slots is a power of two: the quotient is exact.
        Ok(RealPoly { isa: self.isa, scale: factor / slots as f64, unscaled: scratch })
    }

    /// The slots of a real polynomial, real parts and, unless `im` is empty, imaginary parts; `coefficients` (N entries) is
    /// used as scratch.
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
        let im_len = if im.is_empty() { slots } else { im.len() };
        for (what, expected, found) in
            [("coefficients", 2 * slots, coefficients.len()), ("slots", slots, re.len()), ("slots", slots, im_len)]
        {
            if expected != found {
                return Err(RingError::LengthMismatch { what, expected, found });
            }
        }
        if let (true, Some(real)) = (im.is_empty(), &self.real) {
            fold(self.isa, &real.twists, coefficients);
            let values = &mut coefficients[..slots];
            let (values_re, values_im) = values.split_at_mut(slots / 2);
            forward(self.isa, &real.roots, values_re, values_im);
            re.iter_mut().zip(&real.places).for_each(|(re, place)| *re = values[*place as usize]);
            return Ok(());
        }
        let (c_re, c_im) = coefficients.split_at_mut(slots);
        forward(self.isa, &self.roots, c_re, c_im);
        for (place, re) in self.places.iter().zip(re) {
            *re = c_re[(place & !CONJUGATE) as usize];
        }
        for (place, im) in self.places.iter().zip(im) {
            // The conjugate flag is the sign bit of what is read.
            *im = f64::from_bits(c_im[(place & !CONJUGATE) as usize].to_bits() ^ u64::from(place & CONJUGATE) << 32);
        }
        Ok(())
    }
}

/// Real coefficients that are still to be multiplied by one number.
#[derive(Debug)]
pub struct RealPoly<'a> {
    pub(crate) isa: Isa,
    pub(crate) scale: f64,
    pub(crate) unscaled: &'a [f64],
}

impl RealPoly<'_> {
    /// The first `n` coefficients, or all where there are fewer.
    #[must_use]
    pub fn first(self, n: usize) -> Self {
        Self { unscaled: self.unscaled.get(..n).unwrap_or(self.unscaled), ..self }
    }

    /// The largest magnitude; NaN or infinite when an entry is NaN or infinite.
    pub fn largest(&self) -> f64 {
        // Rounding is monotonic: this is the largest of the rounded products.
        largest(self.isa, self.unscaled) * self.scale
    }

    /// The coefficients.
    pub fn coefficients(&self) -> impl ExactSizeIterator<Item = f64> {
        self.unscaled.iter().map(|x| x * self.scale)
    }
}

#[cfg(test)]
mod tests;
