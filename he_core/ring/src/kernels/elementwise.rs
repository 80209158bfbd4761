//! Loops over the words of one row: portable form, lists of kernels, and the arithmetic that vectors share.
//!
//! Ranges: words in `[0, q)` in and out. Every loop is written here once, without branches, and is the oracle of all
//! others. Sums and copies (`portable_kernels!`) are compiled from this source for each instruction set; products
//! (`product_kernels!`) are written for vectors as well, in one file per set and word, on top of the loops of
//! `elementwise_lanes.rs`. Results cannot differ: a residue has one representative in `[0, q)`.

pub(crate) mod dispatch;

use crate::Word;
use crate::modulus::{Modulus, ShoupFactor};

/// Kernels that every instruction set compiles from the loops of this file, with their signatures.
macro_rules! portable_kernels {
    ($apply:ident) => {
        $apply! {
            /// `x += y`.
            add_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `x -= y`.
            sub_assign<W>(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `x = -x`.
            negate_assign<W>(m: Modulus<W>, x: &mut [W]);
            /// `x += c`.
            add_constant_assign<W>(m: Modulus<W>, x: &mut [W], c: W);
            /// `x += e` for signed e.
            add_small_assign<W>(m: Modulus<W>, x: &mut [W], e: &[i8]);
            /// `x -= e` for signed e.
            sub_small_assign<W>(m: Modulus<W>, x: &mut [W], e: &[i8]);
            /// `out = x mod q` for signed x.
            reduce_i64_into<W>(m: Modulus<W>, out: &mut [W], x: &[i64]);
        }
    };
}
pub(super) use portable_kernels;

/// Kernels with a form of their own per instruction set and word, with their signatures.
macro_rules! product_kernels {
    ($apply:ident $(, $argument:tt)*) => {
        $apply! {
            $($argument,)*
            /// `x *= y`.
            mul_assign(m: Modulus<W>, x: &mut [W], y: &[W]);
            /// `out = x * y`.
            mul_into(m: Modulus<W>, out: &mut [W], x: &[W], y: &[W]);
            /// `out0 = x0^2`, `out1 = 2 x0 x1`, `out2 = x1^2`.
            square_into(m: Modulus<W>, out0: &mut [W], out1: &mut [W], out2: &mut [W], x0: &[W], x1: &[W]);
            /// `acc += x * y`.
            mul_add_assign(m: Modulus<W>, acc: &mut [W], x: &[W], y: &[W]);
            /// `x *= w`.
            mul_shoup_assign(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>);
            /// `x_k += w x_(N-k)` for 0 < k < N, every sum of what was there before; N at least 2 and even.
            fold_assign(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>);
            /// `x = (x - y) * w`.
            sub_mul_shoup_assign(m: Modulus<W>, x: &mut [W], y: &[W], w: ShoupFactor<W>);
            /// `out = x + c mod q` for any words `x`.
            reduce_add_u32_into(m: Modulus<W>, out: &mut [W], x: &[u32], c: W);
            /// `out = x + c mod q` for any words `x`.
            reduce_add_u64_into(m: Modulus<W>, out: &mut [W], x: &[u64], c: W);
            /// `acc += x * w` for any words `x`.
            mul_shoup_add_u32_assign(m: Modulus<W>, acc: &mut [W], x: &[u32], w: ShoupFactor<W>);
            /// `acc += x * w` for any words `x`.
            mul_shoup_add_u64_assign(m: Modulus<W>, acc: &mut [W], x: &[u64], w: ShoupFactor<W>);
            /// `acc += sum_i xs[i] * ws[i]` for words `xs` below 2^30, accumulated as below.
            add_weighted_u32_assign(m: Modulus<W>, acc: &mut [W], xs: &[&[u32]], ws: &[W]);
            /// `acc += sum_i xs[i] * ws[i]` for words `xs` below `2^bits`, at most 2^61, accumulated as below.
            add_weighted_u64_assign(m: Modulus<W>, acc: &mut [W], xs: &[&[u64]], ws: &[W], bits: u32);
            /// `out = sum_i xs[i] * ys[i]`, accumulated unreduced as long as the sums fit.
            inner_product(m: Modulus<W>, out: &mut [W], xs: &[&[W]], ys: &[&[W]]);
            /// `out0 = sum_i xs[i] * ys0[i]`, `out1 = sum_i xs[i] * ys1[i]`: the factors that they share are read once.
            inner_product_pair(m: Modulus<W>, out0: &mut [W], out1: &mut [W], xs: &[&[W]], ys0: &[&[W]], ys1: &[&[W]]);
        }
    };
}
pub(super) use product_kernels;

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

/// Columns whose wide sums stay in registers.
const INNER_COLUMNS: usize = 4;

#[inline(always)]
pub(super) fn inner_product<W: Word>(m: Modulus<W>, out: &mut [W], xs: &[&[W]], ys: &[&[W]]) {
    inner_product_from(m, 0, out, xs, ys);
}

#[inline(always)]
pub(super) fn inner_product_pair<W: Word>(
    m: Modulus<W>,
    out0: &mut [W],
    out1: &mut [W],
    xs: &[&[W]],
    ys0: &[&[W]],
    ys1: &[&[W]],
) {
    inner_product_from(m, 0, out0, xs, ys0);
    inner_product_from(m, 0, out1, xs, ys1);
}

/// As [`inner_product`], where `out` stands for the columns from `start` on.
#[inline(always)]
pub(super) fn inner_product_from<W: Word>(m: Modulus<W>, start: usize, out: &mut [W], xs: &[&[W]], ys: &[&[W]]) {
    debug_assert_eq!(xs.len(), ys.len());
    let (blocks, rest) = out.as_chunks_mut();
    let end = start + INNER_COLUMNS * blocks.len();
    for (i, out) in blocks.iter_mut().enumerate() {
        *out = inner_columns::<W, INNER_COLUMNS>(m, start + i * INNER_COLUMNS, xs, ys);
    }
    for (i, out) in rest.iter_mut().enumerate() {
        [*out] = inner_columns(m, end + i, xs, ys);
    }
}

#[inline(always)]
fn inner_columns<W: Word, const C: usize>(m: Modulus<W>, start: usize, xs: &[&[W]], ys: &[&[W]]) -> [W; C] {
    let mut out = [W::default(); C];
    for (xs, ys) in xs.chunks(W::MAX_LAZY_PRODUCTS).zip(ys.chunks(W::MAX_LAZY_PRODUCTS)) {
        let mut sums = [W::Wide::default(); C];
        for (x, y) in xs.iter().zip(ys) {
            let (x, y) = (&x[start..start + C], &y[start..start + C]);
            sums.iter_mut().zip(x.iter().zip(y)).for_each(|(sum, (x, y))| *sum = W::wide_sum(*sum, x.mul_wide(*y)));
        }
        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = m.add(*out, m.reduce_wide(sum)));
    }
    out
}

#[inline(always)]
pub(super) fn mul_shoup_assign<W: Word>(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) {
    x.iter_mut().for_each(|x| *x = m.mul_shoup(*x, w));
}

#[inline(always)]
pub(super) fn fold_assign<W: Word>(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) {
    let (low, high) = fold_halves(m, x, w);
    fold_pairs(m, low, high, w);
}

/// Folds the word in the middle; the words on either side of it that are to be folded.
#[inline(always)]
pub(super) fn fold_halves<W: Word>(m: Modulus<W>, x: &mut [W], w: ShoupFactor<W>) -> (&mut [W], &mut [W]) {
    debug_assert!(x.len() >= 2 && x.len().is_multiple_of(2));
    let (low, high) = x.split_at_mut(x.len() / 2);
    high[0] = m.add(high[0], m.mul_shoup(high[0], w));
    (&mut low[1..], &mut high[1..])
}

/// Word k of one with word k from the end of the other.
#[inline(always)]
pub(super) fn fold_pairs<W: Word>(m: Modulus<W>, low: &mut [W], high: &mut [W], w: ShoupFactor<W>) {
    for (a, b) in low.iter_mut().zip(high.iter_mut().rev()) {
        (*a, *b) = (m.add(*a, m.mul_shoup(*b, w)), m.add(*b, m.mul_shoup(*a, w)));
    }
}

#[inline(always)]
pub(super) fn add_constant_assign<W: Word>(m: Modulus<W>, x: &mut [W], c: W) {
    x.iter_mut().for_each(|x| *x = m.add(*x, c));
}

#[inline(always)]
pub(super) fn add_small_assign<W: Word>(m: Modulus<W>, x: &mut [W], e: &[i8]) {
    for_each_small(m, x, e, |x, negative, size| if negative { m.sub(x, size) } else { m.add(x, size) });
}

#[inline(always)]
pub(super) fn sub_small_assign<W: Word>(m: Modulus<W>, x: &mut [W], e: &[i8]) {
    for_each_small(m, x, e, |x, negative, size| if negative { m.add(x, size) } else { m.sub(x, size) });
}

/// `x = f(x, e < 0, |e| mod q)`.
#[inline(always)]
fn for_each_small<W: Word>(m: Modulus<W>, x: &mut [W], e: &[i8], f: impl Fn(W, bool, W) -> W) {
    debug_assert_eq!(x.len(), e.len());
    let size = |e: i8| W::from_u64(u64::from(e.unsigned_abs()));
    // Sizes are at most 128.
    if m.to_u64() > 128 {
        x.iter_mut().zip(e).for_each(|(x, e)| *x = f(*x, *e < 0, size(*e)));
    } else {
        x.iter_mut().zip(e).for_each(|(x, e)| *x = f(*x, *e < 0, m.reduce(size(*e))));
    }
}

#[inline(always)]
pub(super) fn reduce_add_u32_into<W: Word>(m: Modulus<W>, out: &mut [W], x: &[u32], c: W) {
    debug_assert_eq!(out.len(), x.len());
    out.iter_mut().zip(x).for_each(|(out, x)| *out = m.add(m.reduce(W::from_u64((*x).into())), c));
}

#[inline(always)]
pub(super) fn reduce_add_u64_into<W: Word>(m: Modulus<W>, out: &mut [W], x: &[u64], c: W) {
    debug_assert_eq!(out.len(), x.len());
    out.iter_mut().zip(x).for_each(|(out, x)| *out = m.add(m.reduce_u64(*x), c));
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
pub(super) fn mul_shoup_add_u32_assign<W: Word>(m: Modulus<W>, acc: &mut [W], x: &[u32], w: ShoupFactor<W>) {
    debug_assert_eq!(acc.len(), x.len());
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc = m.add(*acc, m.mul_shoup(W::from_u64((*x).into()), w)));
}

#[inline(always)]
pub(super) fn mul_shoup_add_u64_assign<W: Word>(m: Modulus<W>, acc: &mut [W], x: &[u64], w: ShoupFactor<W>) {
    debug_assert_eq!(acc.len(), x.len());
    acc.iter_mut().zip(x).for_each(|(acc, x)| *acc = m.add(*acc, m.mul_shoup(m.reduce_u64(*x), w)));
}

#[inline(always)]
pub(super) fn add_weighted_u32_assign<W: Word>(m: Modulus<W>, acc: &mut [W], xs: &[&[u32]], ws: &[W]) {
    add_weighted_from(m, 0, acc, xs, ws);
}

#[inline(always)]
pub(super) fn add_weighted_u64_assign<W: Word>(m: Modulus<W>, acc: &mut [W], xs: &[&[u64]], ws: &[W], bits: u32) {
    debug_assert!(bits <= u64::MAX_MODULUS_BITS && xs.iter().all(|x| x.iter().all(|x| x >> bits == 0)));
    add_weighted_from(m, 0, acc, xs, ws);
}

/// As [`add_weighted_u32_assign`] and [`add_weighted_u64_assign`], where `acc` stands for the columns from `start` on.
#[inline(always)]
pub(super) fn add_weighted_from<S: Word, W: Word>(m: Modulus<W>, start: usize, acc: &mut [W], xs: &[&[S]], ws: &[W]) {
    debug_assert_eq!(xs.len(), ws.len());
    for (i, acc) in acc.iter_mut().enumerate() {
        for (xs, ws) in xs.chunks(W::MAX_LAZY_PRODUCTS).zip(ws.chunks(W::MAX_LAZY_PRODUCTS)) {
            let mut sum = W::Wide::default();
            for (x, w) in xs.iter().zip(ws) {
                // A word of at most 61 bits in 64, or of 30 in 32, is as good as a residue here.
                let x = x[start + i].to_u64();
                let x = if S::BITS <= W::BITS { W::from_u64(x) } else { m.reduce_u64(x) };
                sum = W::wide_sum(sum, x.mul_wide(*w));
            }
            *acc = m.add(*acc, m.reduce_wide(sum));
        }
    }
}

#[cfg(test)]
mod tests;
