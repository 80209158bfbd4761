//! Negacyclic transforms, portable form and choice of the instruction set.
//!
//! Formula: forward layers take `(a, b)` to `(a + w*b, a - w*b)` (Cooley-Tukey), inverse layers to `(a + b, (a - b)*w)`
//! (Gentleman-Sande); the last inverse layer carries `N^-1` in both factors.
//! Ranges: forward keeps words below 4q, inverse below 2q, both end in `[0, q)`.
//! The portable form runs two layers in one pass, and all layers of a block that fits a first-level cache before the next.
//! Source: \[Har14\], the lazy butterflies.

use std::fmt::Debug;

#[cfg(target_arch = "x86_64")]
use super::{
    ntt_avx2_f64, ntt_avx2_u32, ntt_avx2_u64, ntt_avx512_f64, ntt_avx512_ifma, ntt_avx512_u32, ntt_avx512_u64,
};
use crate::Word;
use crate::isa::Isa;
use crate::modulus::{Modulus, ShoupFactor};
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

/// Words of a block whose layers all run before the next block is touched: half of a first-level cache of 32 KiB.
const fn near<W>() -> usize {
    (16 << 10) / size_of::<W>()
}

/// The twiddle of block `k`, counted over all layers from 1.
#[inline(always)]
fn twiddle<W: Word>(m: Modulus<W>, twiddles: &Twiddles<W>, k: usize) -> ShoupFactor<W> {
    m.shoup_from_parts(twiddles.values[k], twiddles.quotients[k])
}

/// Words below 4q in and out.
#[inline(always)]
fn forward_butterfly<W: Word>(m: Modulus<W>, a: W, b: W, w: ShoupFactor<W>) -> (W, W) {
    let (u, v) = (m.reduce_4q_lazy(a), m.mul_shoup_lazy(b, w));
    (u.wrapping_add(v), u.wrapping_add(m.twice()).wrapping_sub(v))
}

/// Words below 2q in and out.
#[inline(always)]
fn inverse_butterfly<W: Word>(m: Modulus<W>, u: W, v: W, w: ShoupFactor<W>) -> (W, W) {
    let difference = u.wrapping_add(m.twice()).wrapping_sub(v);
    (m.reduce_4q_lazy(u.wrapping_add(v)), m.mul_shoup_lazy(difference, w))
}

/// One layer of one block.
#[inline(always)]
fn one_layer<W: Word>(x: &mut [W], butterfly: impl Fn(W, W) -> (W, W)) {
    let (low, high) = x.split_at_mut(x.len() / 2);
    for (a, b) in low.iter_mut().zip(high) {
        (*a, *b) = butterfly(*a, *b);
    }
}

/// Two layers of `count` blocks, the first of which is block `k`; `four` takes quarters of a block with the twiddles of the
/// block and of its halves.
#[inline(always)]
fn two_layers<W: Word>(
    m: Modulus<W>,
    twiddles: &Twiddles<W>,
    k: usize,
    x: &mut [W],
    count: usize,
    four: impl Fn([W; 4], [ShoupFactor<W>; 3]) -> [W; 4],
) {
    let quarter = x.len() / count / 4;
    for (k, block) in (k..).zip(x.chunks_exact_mut(4 * quarter)) {
        let w = [k, 2 * k, 2 * k + 1].map(|k| twiddle(m, twiddles, k));
        let (low, high) = block.split_at_mut(2 * quarter);
        let ((x0, x1), (x2, x3)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
        for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
            [*x0, *x1, *x2, *x3] = four([*x0, *x1, *x2, *x3], w);
        }
    }
}

/// Words in `[0, q)` in and out.
pub(super) fn forward<W: Word>(plan: &Portable<W>, x: &mut [W]) {
    let (m, twiddles, n) = (plan.modulus, &plan.tables.forward, x.len());
    let four = |[x0, x1, x2, x3]: [W; 4], [w, w0, w1]: [ShoupFactor<W>; 3]| {
        let ((x0, x2), (x1, x3)) = (forward_butterfly(m, x0, x2, w), forward_butterfly(m, x1, x3, w));
        let ((x0, x1), (x2, x3)) = (forward_butterfly(m, x0, x1, w0), forward_butterfly(m, x2, x3, w1));
        [x0, x1, x2, x3]
    };
    let mut blocks = 1;
    if n.ilog2() % 2 == 1 {
        let w = twiddle(m, twiddles, 1);
        one_layer(x, |a, b| forward_butterfly(m, a, b, w));
        blocks = 2;
    }
    while n / blocks > near::<W>() {
        two_layers(m, twiddles, blocks, x, blocks, four);
        blocks *= 4;
    }
    for (k, block) in (blocks..).zip(x.chunks_exact_mut(n / blocks)) {
        let mut count = 1;
        while count < block.len() {
            two_layers(m, twiddles, k * count, block, count, four);
            count *= 4;
        }
        for word in block {
            *word = m.reduce_once(m.reduce_4q_lazy(*word));
        }
    }
}

/// Words in `[0, q)` in and out.
pub(super) fn inverse<W: Word>(plan: &Portable<W>, x: &mut [W]) {
    let (m, twiddles, n) = (plan.modulus, &plan.tables.inverse, x.len());
    let four = |[x0, x1, x2, x3]: [W; 4], [w, w0, w1]: [ShoupFactor<W>; 3]| {
        let ((x0, x1), (x2, x3)) = (inverse_butterfly(m, x0, x1, w0), inverse_butterfly(m, x2, x3, w1));
        let ((x0, x2), (x1, x3)) = (inverse_butterfly(m, x0, x2, w), inverse_butterfly(m, x1, x3, w));
        [x0, x1, x2, x3]
    };
    // Two layers at a time below the last, which stands alone; where the others are odd in number, so does the one before.
    let tops = if n.ilog2() % 2 == 0 { 4 } else { 2 };
    let mut blocks = tops;
    while n / blocks > near::<W>() {
        blocks *= 4;
    }
    for (k, block) in (blocks..).zip(x.chunks_exact_mut(n / blocks)) {
        let mut count = block.len() / 4;
        while count > 0 {
            two_layers(m, twiddles, k * count, block, count, four);
            count /= 4;
        }
    }
    while blocks > tops {
        blocks /= 4;
        two_layers(m, twiddles, blocks, x, blocks, four);
    }
    if tops == 4 {
        for (k, half) in (2..).zip(x.chunks_exact_mut(n / 2)) {
            let w = twiddle(m, twiddles, k);
            one_layer(half, |a, b| inverse_butterfly(m, a, b, w));
        }
    }
    let (w0, w1) = (plan.tables.n_inverse, plan.tables.n_inverse_twiddle);
    one_layer(x, |u, v| {
        (m.mul_shoup(u.wrapping_add(v), w0), m.mul_shoup(u.wrapping_add(m.twice()).wrapping_sub(v), w1))
    });
}
