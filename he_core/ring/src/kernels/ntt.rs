//! Negacyclic transforms, portable form and choice of the instruction set.
//!
//! Formula: forward layers take `(a, b)` to `(a + w*b, a - w*b)` (Cooley-Tukey), inverse layers to `(a + b, (a - b)*w)`
//! (Gentleman-Sande); the last inverse layer carries `N^-1` in both factors.
//! Ranges: forward keeps words below 4q, inverse below 2q, both end in `[0, q)`.
//! Source: \[Har14\], the lazy butterflies.

use crate::Word;
use crate::isa::Isa;
use crate::modulus::Modulus;
use crate::ntt::{NttPlan, Twiddles};

/// The transforms of a word on every instruction set.
pub trait NttKernels: Sized {
    #[doc(hidden)]
    fn ntt_forward(plan: &NttPlan<Self>, x: &mut [Self])
    where
        Self: Word;
    #[doc(hidden)]
    fn ntt_inverse(plan: &NttPlan<Self>, x: &mut [Self])
    where
        Self: Word;
}

impl NttKernels for u32 {
    fn ntt_forward(plan: &NttPlan<u32>, x: &mut [u32]) {
        match plan.isa() {
            Isa::Scalar => forward(plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::ntt_avx2_u32::forward(proof, plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::ntt_avx2_u32::forward(proof.avx2(), plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::ntt_avx2_u32::forward(proof.avx512().avx2(), plan, x),
        }
    }
    fn ntt_inverse(plan: &NttPlan<u32>, x: &mut [u32]) {
        match plan.isa() {
            Isa::Scalar => inverse(plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::ntt_avx2_u32::inverse(proof, plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::ntt_avx2_u32::inverse(proof.avx2(), plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::ntt_avx2_u32::inverse(proof.avx512().avx2(), plan, x),
        }
    }
}

impl NttKernels for u64 {
    fn ntt_forward(plan: &NttPlan<u64>, x: &mut [u64]) {
        match plan.isa() {
            Isa::Scalar => forward(plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::ntt_avx2_u64::forward(proof, plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::ntt_avx2_u64::forward(proof.avx2(), plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::ntt_avx2_u64::forward(proof.avx512().avx2(), plan, x),
        }
    }
    fn ntt_inverse(plan: &NttPlan<u64>, x: &mut [u64]) {
        match plan.isa() {
            Isa::Scalar => inverse(plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::ntt_avx2_u64::inverse(proof, plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::ntt_avx2_u64::inverse(proof.avx2(), plan, x),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::ntt_avx2_u64::inverse(proof.avx512().avx2(), plan, x),
        }
    }
}

/// One forward layer over blocks of `2t` words; words below 4q in and out.
fn forward_layer<W: Word>(m: Modulus<W>, twiddles: &Twiddles<W>, x: &mut [W], t: usize) {
    let two_q = m.twice();
    let blocks = x.len() / (2 * t);
    let factors = twiddles.values[blocks..].iter().zip(&twiddles.quotients[blocks..]);
    for (block, (value, quotient)) in x.chunks_exact_mut(2 * t).zip(factors) {
        let w = m.shoup_from_parts(*value, *quotient);
        let (low, high) = block.split_at_mut(t);
        for (a, b) in low.iter_mut().zip(high) {
            let u = m.reduce_4q_lazy(*a);
            let v = m.mul_shoup_lazy(*b, w);
            *a = u.wrapping_add(v);
            *b = u.wrapping_add(two_q).wrapping_sub(v);
        }
    }
}

/// One inverse layer over blocks of `2t` words, without the last one; words below 2q in and out.
fn inverse_layer<W: Word>(m: Modulus<W>, twiddles: &Twiddles<W>, x: &mut [W], t: usize) {
    let two_q = m.twice();
    let blocks = x.len() / (2 * t);
    let factors = twiddles.values[blocks..].iter().zip(&twiddles.quotients[blocks..]);
    for (block, (value, quotient)) in x.chunks_exact_mut(2 * t).zip(factors) {
        let w = m.shoup_from_parts(*value, *quotient);
        let (low, high) = block.split_at_mut(t);
        for (a, b) in low.iter_mut().zip(high) {
            let (u, v) = (*a, *b);
            *a = m.reduce_4q_lazy(u.wrapping_add(v));
            *b = m.mul_shoup_lazy(u.wrapping_add(two_q).wrapping_sub(v), w);
        }
    }
}

/// Words in `[0, q)` in and out.
pub(super) fn forward<W: Word>(plan: &NttPlan<W>, x: &mut [W]) {
    let m = plan.modulus();
    let mut t = x.len() / 2;
    while t > 0 {
        forward_layer(m, &plan.forward, x, t);
        t /= 2;
    }
    for word in x {
        *word = m.reduce_once(m.reduce_4q_lazy(*word));
    }
}

/// Words in `[0, q)` in and out.
pub(super) fn inverse<W: Word>(plan: &NttPlan<W>, x: &mut [W]) {
    let m = plan.modulus();
    let half = x.len() / 2;
    let mut t = 1;
    while t < half {
        inverse_layer(m, &plan.inverse, x, t);
        t *= 2;
    }
    let (low, high) = x.split_at_mut(half);
    for (a, b) in low.iter_mut().zip(high) {
        let (u, v) = (*a, *b);
        *a = m.mul_shoup(u.wrapping_add(v), plan.n_inverse);
        *b = m.mul_shoup(u.wrapping_add(m.twice()).wrapping_sub(v), plan.n_inverse_twiddle);
    }
}
