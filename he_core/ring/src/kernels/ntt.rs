//! Negacyclic transforms, portable form and choice of the instruction set.
//!
//! Formula: forward layers take `(a, b)` to `(a + w*b, a - w*b)` (Cooley-Tukey), inverse layers to `(a + b, (a - b)*w)`
//! (Gentleman-Sande); the last inverse layer carries `N^-1` in both factors.
//! Ranges: forward keeps words below 4q, inverse below 2q, both end in `[0, q)`.
//! Source: \[Har14\], the lazy butterflies.

use std::fmt::Debug;

#[cfg(target_arch = "x86_64")]
use super::{
    ntt_avx2_f64, ntt_avx2_u32, ntt_avx2_u64, ntt_avx512_f64, ntt_avx512_ifma, ntt_avx512_u32, ntt_avx512_u64,
};
use crate::Word;
use crate::isa::Isa;
use crate::modulus::Modulus;
use crate::ntt::{Tables, Twiddles};

/// The transforms of a word on every instruction set.
pub trait NttKernels: Sized {
    /// One path with what it reads: its proof, its constants and its own tables.
    #[doc(hidden)]
    type Transform: Clone + Debug + Send + Sync + 'static;
    /// The fastest path of an instruction set for a prime.
    #[doc(hidden)]
    fn transform(isa: Isa, modulus: Modulus<Self>, tables: Tables<Self>) -> Self::Transform
    where
        Self: Word;
    #[doc(hidden)]
    fn ntt_forward(transform: &Self::Transform, x: &mut [Self])
    where
        Self: Word;
    /// The transform of `x + c` into `out` for any words below 2^30, or `false` and nothing done.
    #[doc(hidden)]
    fn ntt_forward_of(_transform: &Self::Transform, _out: &mut [Self], _x: &[u32], _c: Self) -> bool
    where
        Self: Word,
    {
        false
    }
    #[doc(hidden)]
    fn ntt_inverse(transform: &Self::Transform, x: &mut [Self])
    where
        Self: Word;
}

/// The paths of 32-bit words.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Transform32 {
    Scalar(Portable<u32>),
    #[cfg(target_arch = "x86_64")]
    Avx2(Box<ntt_avx2_u32::Path>),
    #[cfg(target_arch = "x86_64")]
    Avx512(Box<ntt_avx512_u32::Path>),
}

impl NttKernels for u32 {
    type Transform = Transform32;

    fn transform(isa: Isa, modulus: Modulus<u32>, tables: Tables<u32>) -> Transform32 {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => Self::transform(Isa::Avx512(proof.avx512()), modulus, tables),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if tables.forward.values.len() >= ntt_avx512_u32::MIN_LEN => {
                Transform32::Avx512(Box::new(ntt_avx512_u32::Path::new(proof, modulus, &tables)))
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if tables.forward.values.len() >= ntt_avx2_u32::MIN_LEN => {
                Transform32::Avx2(Box::new(ntt_avx2_u32::Path::new(proof, modulus, &tables)))
            }
            _ => Transform32::Scalar(Portable { modulus, tables }),
        }
    }

    fn ntt_forward(transform: &Transform32, x: &mut [u32]) {
        match transform {
            Transform32::Scalar(portable) => forward(portable, x),
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx2(path) => path.forward(x),
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx512(path) => path.forward(x),
        }
    }

    fn ntt_forward_of(transform: &Transform32, out: &mut [u32], x: &[u32], c: u32) -> bool {
        match transform {
            Transform32::Scalar(_) => false,
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx2(path) => path.forward_of(out, x, c),
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx512(path) => path.forward_of(out, x, c),
        }
    }

    fn ntt_inverse(transform: &Transform32, x: &mut [u32]) {
        match transform {
            Transform32::Scalar(portable) => inverse(portable, x),
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx2(path) => path.inverse(x),
            #[cfg(target_arch = "x86_64")]
            Transform32::Avx512(path) => path.inverse(x),
        }
    }
}

/// The paths of 64-bit words.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Transform64 {
    Scalar(Portable<u64>),
    #[cfg(target_arch = "x86_64")]
    Avx2U64(ntt_avx2_u64::Path),
    #[cfg(target_arch = "x86_64")]
    Avx2F64(ntt_avx2_f64::Path),
    #[cfg(target_arch = "x86_64")]
    Avx512U64(ntt_avx512_u64::Path),
    #[cfg(target_arch = "x86_64")]
    Avx512F64(ntt_avx512_f64::Path),
    #[cfg(target_arch = "x86_64")]
    Avx512Ifma(ntt_avx512_ifma::Path),
}

impl NttKernels for u64 {
    type Transform = Transform64;

    fn transform(isa: Isa, modulus: Modulus<u64>, tables: Tables<u64>) -> Transform64 {
        let (q, log_n) = (modulus.value(), tables.forward.values.len().ilog2());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) if q < ntt_avx512_ifma::MAX_MODULUS && log_n >= ntt_avx512_ifma::MIN_LOG_N => {
                Transform64::Avx512Ifma(ntt_avx512_ifma::Path::new(proof, modulus, &tables))
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => Self::transform(Isa::Avx512(proof.avx512()), modulus, tables),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) if log_n >= ntt_avx512_u64::MIN_LOG_N => {
                if q < ntt_avx512_f64::MAX_MODULUS {
                    Transform64::Avx512F64(ntt_avx512_f64::Path::new(proof, modulus, &tables))
                } else {
                    Transform64::Avx512U64(ntt_avx512_u64::Path::new(proof, modulus, &tables))
                }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => Self::transform(Isa::Avx2(proof.avx2()), modulus, tables),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) if log_n >= ntt_avx2_u64::MIN_LOG_N => {
                if q < ntt_avx2_f64::MAX_MODULUS {
                    Transform64::Avx2F64(ntt_avx2_f64::Path::new(proof, modulus, &tables))
                } else {
                    Transform64::Avx2U64(ntt_avx2_u64::Path::new(proof, modulus, &tables))
                }
            }
            _ => Transform64::Scalar(Portable { modulus, tables }),
        }
    }

    fn ntt_forward(transform: &Transform64, x: &mut [u64]) {
        match transform {
            Transform64::Scalar(portable) => forward(portable, x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx2U64(path) => path.forward(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx2F64(path) => path.forward(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512U64(path) => path.forward(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512F64(path) => path.forward(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512Ifma(path) => path.forward(x),
        }
    }

    fn ntt_inverse(transform: &Transform64, x: &mut [u64]) {
        match transform {
            Transform64::Scalar(portable) => inverse(portable, x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx2U64(path) => path.inverse(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx2F64(path) => path.inverse(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512U64(path) => path.inverse(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512F64(path) => path.inverse(x),
            #[cfg(target_arch = "x86_64")]
            Transform64::Avx512Ifma(path) => path.inverse(x),
        }
    }
}

/// The portable path: a prime and its twiddles.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Portable<W: Word> {
    pub(super) modulus: Modulus<W>,
    pub(super) tables: Tables<W>,
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
pub(super) fn forward<W: Word>(plan: &Portable<W>, x: &mut [W]) {
    let m = plan.modulus;
    let mut t = x.len() / 2;
    while t > 0 {
        forward_layer(m, &plan.tables.forward, x, t);
        t /= 2;
    }
    for word in x {
        *word = m.reduce_once(m.reduce_4q_lazy(*word));
    }
}

/// Words in `[0, q)` in and out.
pub(super) fn inverse<W: Word>(plan: &Portable<W>, x: &mut [W]) {
    let m = plan.modulus;
    let half = x.len() / 2;
    let mut t = 1;
    while t < half {
        inverse_layer(m, &plan.tables.inverse, x, t);
        t *= 2;
    }
    let (low, high) = x.split_at_mut(half);
    for (a, b) in low.iter_mut().zip(high) {
        let (u, v) = (*a, *b);
        *a = m.mul_shoup(u.wrapping_add(v), plan.tables.n_inverse);
        *b = m.mul_shoup(u.wrapping_add(m.twice()).wrapping_sub(v), plan.tables.n_inverse_twiddle);
    }
}
