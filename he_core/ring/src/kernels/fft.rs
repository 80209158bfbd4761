//! Inner loops of the canonical embedding, written once and compiled for each instruction set.
//!
//! Every operation is one correctly rounded f64 operation in a fixed order; Rust never contracts a product and a sum into
//! one rounding, and vector lanes only run independent butterflies side by side, so results are identical bit for bit.
//! Layout: real and imaginary parts apart, `n` values each; roots of layer with `m` blocks are entries `m..2m`.

use crate::isa::Isa;

/// Magnitudes below this are converted by adding and subtracting 1.5 * 2^52.
pub(super) const MAGIC_LIMIT: f64 = (1u64 << 51) as f64;

/// Twiddle factors, real and imaginary parts apart, in bit-reversed order.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    pub(crate) re: Vec<f64>,
    pub(crate) im: Vec<f64>,
}

/// Runs the named loop with the vectors of `isa`.
macro_rules! dispatch {
    ($isa:expr, $name:ident($($arg:expr),*)) => {
        match $isa {
            Isa::Scalar => body::$name($($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::fft_avx2::$name(proof, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::fft_avx2::$name(proof.avx2(), $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::fft_avx2::$name(proof.avx512().avx2(), $($arg),*),
        }
    };
}

/// Coefficients `c_k` to values at `zeta^(4t+1)` in bit-reversed order of t.
pub(crate) fn forward(isa: Isa, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    dispatch!(isa, forward(roots, re, im));
}

/// The way back, times `factor / n`.
pub(crate) fn inverse(isa: Isa, roots: &Roots, factor: f64, re: &mut [f64], im: &mut [f64]) {
    dispatch!(isa, inverse(roots, factor, re, im));
}

/// Rounds to nearest, halves away from zero; returns the largest magnitude (NaN if there is one). Magnitudes from 2^63
/// on saturate, so the caller looks at the result first.
pub(crate) fn round_to_i64(isa: Isa, x: &[f64], out: &mut [i64]) -> f64 {
    dispatch!(isa, round_to_i64(x, out))
}

/// The loops themselves; inlined into one function per instruction set.
pub(super) mod body {
    use super::{MAGIC_LIMIT, Roots};

    #[inline(always)]
    fn mul(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
        (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
    }

    #[inline(always)]
    pub(in super::super) fn forward(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
        let n = re.len();
        debug_assert!(im.len() == n && roots.re.len() == n && n.is_power_of_two());
        let mut blocks = 1;
        while blocks < n {
            let half = n / blocks / 2;
            let w = roots.re[blocks..2 * blocks].iter().zip(&roots.im[blocks..2 * blocks]);
            let parts = re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half));
            for ((wr, wi), (re, im)) in w.zip(parts) {
                let (ur, vr) = re.split_at_mut(half);
                let (ui, vi) = im.split_at_mut(half);
                for (((ur, ui), vr), vi) in ur.iter_mut().zip(ui).zip(vr).zip(vi) {
                    let t = mul((*vr, *vi), (*wr, *wi));
                    (*vr, *vi) = (*ur - t.0, *ui - t.1);
                    (*ur, *ui) = (*ur + t.0, *ui + t.1);
                }
            }
            blocks *= 2;
        }
    }

    #[inline(always)]
    pub(in super::super) fn inverse(roots: &Roots, factor: f64, re: &mut [f64], im: &mut [f64]) {
        let n = re.len();
        debug_assert!(im.len() == n && roots.re.len() == n && n.is_power_of_two());
        let mut blocks = n / 2;
        while blocks > 0 {
            let half = n / blocks / 2;
            let w = roots.re[blocks..2 * blocks].iter().zip(&roots.im[blocks..2 * blocks]);
            let parts = re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half));
            for ((wr, wi), (re, im)) in w.zip(parts) {
                let (ur, vr) = re.split_at_mut(half);
                let (ui, vi) = im.split_at_mut(half);
                for (((ur, ui), vr), vi) in ur.iter_mut().zip(ui).zip(vr).zip(vi) {
                    let d = (*ur - *vr, *ui - *vi);
                    (*ur, *ui) = (*ur + *vr, *ui + *vi);
                    (*vr, *vi) = mul(d, (*wr, -*wi));
                }
            }
            blocks /= 2;
        }
        // n is a power of two: the quotient is exact.
        let scale = factor / n as f64;
        re.iter_mut().chain(im).for_each(|x| *x *= scale);
    }

    #[inline(always)]
    pub(in super::super) fn round_to_i64(x: &[f64], out: &mut [i64]) -> f64 {
        debug_assert_eq!(x.len(), out.len());
        // Two accumulators that both survive NaN: comparisons are false for it, the sum is not.
        let mut largest = 0.0f64;
        let mut poison = 0.0f64;
        for x in x {
            let size = x.abs();
            poison += size * 0.0;
            largest = if size > largest { size } else { largest };
        }
        if poison != 0.0 {
            return f64::NAN;
        }
        if largest < MAGIC_LIMIT - 1.0 {
            const MAGIC: f64 = 1.5 * (1u64 << 52) as f64;
            for (x, out) in x.iter().zip(out) {
                let truncated = nearest_away(*x);
                *out = ((truncated + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64);
            }
        } else {
            x.iter().zip(out).for_each(|(x, out)| *out = x.round() as i64);
        }
        largest
    }

    /// As [`f64::round`] for magnitudes below 2^51, without a call: round to even by adding 2^52, then mend the ties and
    /// nothing else (`x - even` is exact).
    #[inline(always)]
    fn nearest_away(x: f64) -> f64 {
        const SHIFT: f64 = (1u64 << 52) as f64;
        let size = x.abs();
        let even = (size + SHIFT) - SHIFT;
        let rest = size - even;
        let rounded = even + if rest == 0.5 { 1.0 } else { 0.0 };
        if x < 0.0 { -rounded } else { rounded }
    }
}
