//! Loops over the words of one row, portable form and choice of the instruction set.
//!
//! Ranges: words in `[0, q)` in and out. Every loop is written once, without branches; an instruction set compiles the
//! same source for its vectors (`elementwise_avx2.rs`), so results cannot differ. Products of 64-bit words have no
//! vector multiply below AVX-512 and stay scalar there.

use crate::Word;
use crate::modulus::{Modulus, ShoupFactor};

/// Names every kernel of this file with its signature, for the dispatcher and for each instruction set.
macro_rules! elementwise_kernels {
    ($apply:ident) => {
        $apply! {
            /// `x += y`.
            add_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `x -= y`.
            sub_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `x = -x`.
            negate_assign<W>(m: Modulus<W>, x: &mut [W]);
            /// `x *= y`.
            mul_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `out = x * y`.
            mul_into<W>(m: Modulus<W>, out: &mut [W], x: &[W], y: &[W]);
            /// `out0 = x0^2`, `out1 = 2 x0 x1`, `out2 = x1^2`.
            square_into<W>(m: Modulus<W>, out0: &mut [W], out1: &mut [W], out2: &mut [W], x0: &[W], x1: &[W]);
            /// `acc += x * y`.
            mul_add_assign<W>(m: Modulus<W>, acc: &mut [W], x: &[W], y: &[W]);
            /// `out = sum_i xs[i] * ys[i]`, reduced once per 16 (u32) or 64 (u64) products.
            inner_product<W>(m: Modulus<W>, out: &mut [W], xs: &[&[W]], ys: &[&[W]]);
            /// `x *= w`.
            mul_shoup_assign<W>(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>);
            /// `x += c`.
            add_constant_assign<W>(m: Modulus<W>, x: &mut [W], c: W);
            /// `out = x + c mod q` for words `x` of any size and of either width.
            reduce_add_into<S, W>(m: Modulus<W>, out: &mut [W], x: &[S], c: W);
            /// `out = x mod q` for signed x.
            reduce_i64_into<W>(m: Modulus<W>, out: &mut [W], x: &[i64]);
            /// `x = (x - y) * w`.
            sub_mul_shoup_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W], w: ShoupFactor<W>);
            /// `acc += x * w` for words `x` of any size and of either width.
            mul_shoup_add_assign<S, W>(m: Modulus<W>, acc: &mut [W], x: &[S], w: ShoupFactor<W>);
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(super) use elementwise_kernels;

#[inline(always)]
pub(super) fn add_assign<W: Word>(m: Modulus<W>, x: &mut [W], y: &[W]) {
    debug_assert_eq!(x.len(), y.len());
    x.iter_mut().zip(y).for_each(|(x, y)| *x = m.add(*x, *y));
}

#[inline(always)]
pub(super) fn sub_assign<W: Word>(m: Modulus<W>, x: &mut [W], y: &[W]) {
    debug_assert_eq!(x.len(), y.len());
    x.iter_mut().zip(y).for_each(|(x, y)| *x = m.sub(*x, *y));
}

#[inline(always)]
pub(super) fn negate_assign<W: Word>(m: Modulus<W>, x: &mut [W]) {
    x.iter_mut().for_each(|x| *x = m.neg(*x));
}

#[inline(always)]
pub(super) fn mul_assign<W: Word>(m: Modulus<W>, x: &mut [W], y: &[W]) {
    debug_assert_eq!(x.len(), y.len());
    x.iter_mut().zip(y).for_each(|(x, y)| *x = m.mul(*x, *y));
}

#[inline(always)]
pub(super) fn mul_into<W: Word>(m: Modulus<W>, out: &mut [W], x: &[W], y: &[W]) {
    debug_assert!(out.len() == x.len() && out.len() == y.len());
    out.iter_mut().zip(x).zip(y).for_each(|((out, x), y)| *out = m.mul(*x, *y));
}

#[inline(always)]
pub(super) fn square_into<W: Word>(m: Modulus<W>, out0: &mut [W], out1: &mut [W], out2: &mut [W], x0: &[W], x1: &[W]) {
    debug_assert!([out0.len(), out1.len(), out2.len(), x1.len()].iter().all(|len| *len == x0.len()));
    let outs = out0.iter_mut().zip(out1).zip(out2);
    for (((out0, out1), out2), (x0, x1)) in outs.zip(x0.iter().zip(x1)) {
        *out0 = m.mul(*x0, *x0);
        let cross = m.mul(*x0, *x1);
        *out1 = m.add(cross, cross);
        *out2 = m.mul(*x1, *x1);
    }
}

#[inline(always)]
pub(super) fn mul_add_assign<W: Word>(m: Modulus<W>, acc: &mut [W], x: &[W], y: &[W]) {
    debug_assert!(acc.len() == x.len() && acc.len() == y.len());
    acc.iter_mut().zip(x).zip(y).for_each(|((acc, x), y)| *acc = m.mul_add(*x, *y, *acc));
}

/// Columns whose wide sums stay in registers and L1.
const INNER_COLUMNS: usize = 256;

#[inline(always)]
pub(super) fn inner_product<W: Word>(m: Modulus<W>, out: &mut [W], xs: &[&[W]], ys: &[&[W]]) {
    debug_assert_eq!(xs.len(), ys.len());
    for (chunk, out) in out.chunks_mut(INNER_COLUMNS).enumerate() {
        let (start, len) = (chunk * INNER_COLUMNS, out.len());
        let mut acc = [W::Wide::default(); INNER_COLUMNS];
        out.fill(W::default());
        for (xs, ys) in xs.chunks(W::MAX_LAZY_PRODUCTS).zip(ys.chunks(W::MAX_LAZY_PRODUCTS)) {
            acc.fill(W::Wide::default());
            for (x, y) in xs.iter().zip(ys) {
                let (x, y) = (&x[start..start + len], &y[start..start + len]);
                for ((acc, x), y) in acc.iter_mut().zip(x).zip(y) {
                    *acc = W::wide_sum(*acc, x.mul_wide(*y));
                }
            }
            out.iter_mut().zip(&acc).for_each(|(out, acc)| *out = m.add(*out, m.reduce_wide(*acc)));
        }
    }
}

#[inline(always)]
pub(super) fn mul_shoup_assign<W: Word>(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) {
    x.iter_mut().for_each(|x| *x = m.mul_shoup(*x, w));
}

#[inline(always)]
pub(super) fn add_constant_assign<W: Word>(m: Modulus<W>, x: &mut [W], c: W) {
    x.iter_mut().for_each(|x| *x = m.add(*x, c));
}

#[inline(always)]
pub(super) fn reduce_add_into<S: Word, W: Word>(m: Modulus<W>, out: &mut [W], x: &[S], c: W) {
    debug_assert_eq!(out.len(), x.len());
    if S::BITS <= W::BITS {
        out.iter_mut().zip(x).for_each(|(out, x)| *out = m.add(m.reduce(W::from_u64(x.to_u64())), c));
    } else {
        out.iter_mut().zip(x).for_each(|(out, x)| *out = m.add(m.reduce_u64(x.to_u64()), c));
    }
}

#[inline(always)]
pub(super) fn reduce_i64_into<W: Word>(m: Modulus<W>, out: &mut [W], x: &[i64]) {
    debug_assert_eq!(out.len(), x.len());
    out.iter_mut().zip(x).for_each(|(out, x)| *out = m.reduce_i64(*x));
}

#[inline(always)]
pub(super) fn sub_mul_shoup_assign<W: Word>(m: Modulus<W>, x: &mut [W], y: &[W], w: ShoupFactor<W>) {
    debug_assert_eq!(x.len(), y.len());
    let q = m.value();
    x.iter_mut().zip(y).for_each(|(x, y)| *x = m.mul_shoup(x.wrapping_add(q).wrapping_sub(*y), w));
}

#[inline(always)]
pub(super) fn mul_shoup_add_assign<S: Word, W: Word>(m: Modulus<W>, acc: &mut [W], x: &[S], w: ShoupFactor<W>) {
    debug_assert_eq!(acc.len(), x.len());
    let pairs = acc.iter_mut().zip(x);
    if S::BITS <= W::BITS {
        pairs.for_each(|(acc, x)| *acc = m.add(*acc, m.mul_shoup(W::from_u64(x.to_u64()), w)));
    } else {
        pairs.for_each(|(acc, x)| *acc = m.add(*acc, m.mul_shoup(m.reduce_u64(x.to_u64()), w)));
    }
}

/// The functions that the rest of the crate calls: the kernel of the instruction set named by the token.
pub(crate) mod dispatch {
    use crate::Word;
    use crate::isa::Isa;
    use crate::modulus::{Modulus, ShoupFactor};

    macro_rules! dispatcher {
        ($($(#[$doc:meta])* $name:ident<$($w:ident),+>($($arg:ident: $ty:ty),*);)*) => {$(
            $(#[$doc])*
            #[inline]
            pub(crate) fn $name<$($w: Word),+>(isa: Isa, $($arg: $ty),*) {
                match isa {
                    Isa::Scalar => super::$name($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2(proof) => crate::kernels::elementwise_avx2::$name(proof, $($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512(proof) => crate::kernels::elementwise_avx2::$name(proof.avx2(), $($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512Ifma(proof) => crate::kernels::elementwise_avx2::$name(proof.avx512().avx2(), $($arg),*),
                }
            }
        )*};
    }
    elementwise_kernels!(dispatcher);
}

#[cfg(test)]
mod tests;
