//! Inner loops of the canonical embedding: portable form and choice of the instruction set.
//!
//! Every operation is one correctly rounded f64 operation in a fixed order: a butterfly is four products, of which each
//! pair is summed, and four sums. No product is contracted with a sum (a processor without a fused operation would have to
//! emulate it), and vectors only run independent butterflies side by side and several layers at a time, so results are
//! identical bit for bit.
//! Layout: real and imaginary parts apart, `n` values each; roots of the layer with `m` blocks are entries `m..2m`. From 16
//! values on, values stand transposed in groups of 16 ([`place`]): what vectors of four have after the last two layers.

use crate::isa::Isa;

/// Magnitudes below this, after rounding, suit [`round_to_i32`].
pub(crate) const SHORT_LIMIT: f64 = (1u64 << 31) as f64;

/// Twiddle factors, real and imaginary parts apart, in bit-reversed order.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    re: Vec<f64>,
    im: Vec<f64>,
    leaves: Vec<Leaf>,
}

/// Values that the last four layers treat together, as 4 x 4.
pub(super) const GROUP: usize = 16;

/// Roots of the last two layers over 16 values, one lane for each block of 4: of the block, of its first half, of its second
/// half, each real part, imaginary part.
pub(super) type Leaf = [[[f64; 4]; 2]; 3];

impl Roots {
    /// Takes the root of every block, real and imaginary parts: as many as values; entry 0 is not used.
    pub(crate) fn new(re: Vec<f64>, im: Vec<f64>) -> Self {
        let n = re.len();
        let leaf = |group: usize| {
            let lanes = |block: &dyn Fn(usize) -> usize| {
                [&re, &im].map(|part| std::array::from_fn(|lane| part[block(4 * group + lane)]))
            };
            [lanes(&|b| n / 4 + b), lanes(&|b| n / 2 + 2 * b), lanes(&|b| n / 2 + 2 * b + 1)]
        };
        let leaves = (0..n / 16).map(leaf).collect();
        Self { re, im, leaves }
    }

    /// Root of block `k`.
    #[inline(always)]
    pub(super) fn of(&self, k: usize) -> (f64, f64) {
        (self.re[k], self.im[k])
    }

    /// For each of `count` blocks from `k` on: its root, and the roots of its halves.
    #[inline(always)]
    pub(super) fn of_two_layers(&self, k: usize, count: usize) -> impl Iterator<Item = [(f64, f64); 3]> {
        let halves = 2 * k..2 * (k + count);
        let re = self.re[halves.clone()].as_chunks::<2>().0.iter();
        let im = self.im[halves].as_chunks::<2>().0;
        let whole = self.re[k..k + count].iter().zip(&self.im[k..k + count]);
        whole.zip(re.zip(im)).map(|((re, im), (r, i))| [(*re, *im), (r[0], i[0]), (r[1], i[1])])
    }

    /// The packed roots of `count` groups, of which the first is block `k` of its layer.
    #[inline(always)]
    pub(super) fn leaves(&self, k: usize, count: usize) -> &[Leaf] {
        let first = k - self.leaves.len();
        &self.leaves[first..first + count]
    }
}

/// Where value `t`, counted in bit-reversed order, stands among `n`.
pub(crate) fn place(t: usize, n: usize) -> usize {
    if n < GROUP { t } else { (t & !15) | (t & 3) << 2 | (t >> 2) & 3 }
}

/// Runs the named loop with the vectors of `isa`.
macro_rules! dispatch {
    ($isa:expr, $name:ident($($arg:expr),*)) => {
        match $isa {
            Isa::Scalar => $name($($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2(proof) => super::fft_avx2::$name(proof, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512(proof) => super::fft_avx512::$name(proof, $($arg),*),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Ifma(proof) => super::fft_avx512::$name(proof.avx512(), $($arg),*),
        }
    };
}

/// Coefficients `c_k` to values at `zeta^(4t+1)`, t in bit-reversed order, each at its [`place`].
pub(crate) fn forward(isa: Isa, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    debug_assert!(im.len() == re.len() && roots.re.len() == re.len() && re.len().is_power_of_two());
    dispatch!(isa, forward_layers(roots, re, im));
}

/// The way back, times n.
pub(crate) fn inverse(isa: Isa, roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    debug_assert!(im.len() == re.len() && roots.re.len() == re.len() && re.len().is_power_of_two());
    dispatch!(isa, inverse_layers(roots, re, im));
}

fn mul(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

pub(super) fn forward_layers(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    for log_blocks in 0..n.trailing_zeros() {
        let blocks = 1 << log_blocks;
        let half = n / blocks / 2;
        let parts = re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half));
        for (k, (re, im)) in (blocks..).zip(parts) {
            let (ur, vr) = re.split_at_mut(half);
            let (ui, vi) = im.split_at_mut(half);
            for (((ur, ui), vr), vi) in ur.iter_mut().zip(ui).zip(vr).zip(vi) {
                let t = mul((*vr, *vi), roots.of(k));
                (*vr, *vi) = (*ur - t.0, *ui - t.1);
                (*ur, *ui) = (*ur + t.0, *ui + t.1);
            }
        }
    }
    transpose(re);
    transpose(im);
}

pub(super) fn inverse_layers(roots: &Roots, re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    transpose(re);
    transpose(im);
    for log_blocks in (0..n.trailing_zeros()).rev() {
        let blocks = 1 << log_blocks;
        let half = n / blocks / 2;
        let parts = re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half));
        for (k, (re, im)) in (blocks..).zip(parts) {
            let (ur, vr) = re.split_at_mut(half);
            let (ui, vi) = im.split_at_mut(half);
            let (wr, wi) = roots.of(k);
            for (((ur, ui), vr), vi) in ur.iter_mut().zip(ui).zip(vr).zip(vi) {
                let d = (*ur - *vr, *ui - *vi);
                (*ur, *ui) = (*ur + *vr, *ui + *vi);
                (*vr, *vi) = mul(d, (wr, -wi));
            }
        }
    }
}

/// Factors of [`fold`] for four k from 1 on, in lanes: `u_k`, `v_k`, `u_(S-k)`, `v_(S-k)`, real parts, imaginary parts.
pub(crate) type Twist = [[[f64; 4]; 2]; 4];

/// From N = 4 S real coefficients to S complex numbers (real parts first) with which [`forward`] gives all 2 S values
/// `Re a(zeta^m)`, m odd, two to a number: with `b_k = a_k - a_(N-k)` (`b_0 = 2 a_0`), `p_k = b_k - i b_(2S-k)` and
/// `q_k = exp(-i pi/4) conj(p_(S-k))`, number k is `u_k (p_k + q_k) + v_k (p_k - q_k)`, where
/// `u_k = exp(-i pi k/N) / 2`, `v_k = i exp(3 i pi k/N) / 2`. In place, in the first half of `a`.
pub(crate) fn fold(isa: Isa, twists: &[Twist], a: &mut [f64]) {
    debug_assert!(a.len() >= 4 && a.len().is_power_of_two() && twists.len() == (a.len() / 8).div_ceil(4));
    dispatch!(isa, fold_pairs(twists, a));
}

pub(super) fn fold_pairs(twists: &[Twist], a: &mut [f64]) {
    fold_from(1, twists, a);
}

/// Pairs from k = `first` on, and the numbers without a partner, 0 and S/2.
pub(super) fn fold_from(first: usize, twists: &[Twist], a: &mut [f64]) {
    let (n, m, s) = (a.len(), a.len() / 2, a.len() / 4);
    for k in first..=s / 2 {
        let b = [a[k] - a[n - k], a[s - k] - a[m + s + k], a[s + k] - a[m + s - k], a[m - k] - a[m + k]];
        let twist = |i: usize| (twists[(k - 1) / 4][i][0][(k - 1) % 4], twists[(k - 1) / 4][i][1][(k - 1) % 4]);
        let (p, q) = ((b[0], -b[3]), rotated(b[1], b[2]));
        let (other_p, other_q) = ((b[1], -b[2]), rotated(b[0], b[3]));
        (a[k], a[s + k]) = twisted(p, q, twist(0), twist(1));
        if 2 * k < s {
            (a[s - k], a[m - k]) = twisted(other_p, other_q, twist(2), twist(3));
        }
    }
    let rest = (a[s] - a[m + s]) * std::f64::consts::FRAC_1_SQRT_2;
    (a[0], a[s]) = (a[0] + rest, a[0] - rest);
}

/// `exp(-i pi/4) (re + i im)`.
fn rotated(re: f64, im: f64) -> (f64, f64) {
    ((re + im) * std::f64::consts::FRAC_1_SQRT_2, (im - re) * std::f64::consts::FRAC_1_SQRT_2)
}

fn twisted(p: (f64, f64), q: (f64, f64), u: (f64, f64), v: (f64, f64)) -> (f64, f64) {
    let sum = mul((p.0 + q.0, p.1 + q.1), u);
    let difference = mul((p.0 - q.0, p.1 - q.1), v);
    (sum.0 + difference.0, sum.1 + difference.1)
}

/// Groups of 16 as 4 x 4, rows against columns; nothing below 16 values.
fn transpose(x: &mut [f64]) {
    for group in x.as_chunks_mut::<16>().0 {
        *group = std::array::from_fn(|i| group[place(i, 16)]);
    }
}

/// The largest magnitude; NaN when an entry is NaN or infinite.
pub(crate) fn largest(isa: Isa, x: &[f64]) -> f64 {
    dispatch!(isa, largest_of(x))
}

#[inline(always)]
pub(super) fn largest_of(x: &[f64]) -> f64 {
    // The order of maxima does not matter. Comparisons are false for NaN; `size * 0` keeps it, and makes it of an infinity.
    let (mut largest, mut poison) = ([0.0f64; 32], [0.0f64; 32]);
    let (chunks, rest) = x.as_chunks::<32>();
    let mut tail = [0.0; 32];
    tail[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter().chain([&tail]) {
        for ((x, largest), poison) in chunk.iter().zip(&mut largest).zip(&mut poison) {
            let size = x.abs();
            *poison += size * 0.0;
            *largest = if size > *largest { size } else { *largest };
        }
    }
    if poison.iter().any(|p| *p != 0.0) {
        f64::NAN
    } else {
        largest.iter().fold(0.0, |m, x| if *x > m { *x } else { m })
    }
}

/// `scale * x` rounded to nearest, halves away from zero; the result must fit.
pub(crate) fn round_to_i32(isa: Isa, scale: f64, x: &[f64], out: &mut [i32]) {
    debug_assert_eq!(x.len(), out.len());
    dispatch!(isa, round_short(scale, x, out));
}

/// As [`round_to_i32`], for any magnitude below 2^62; `largest` is the largest magnitude.
pub(crate) fn round_to_i64(isa: Isa, scale: f64, largest: f64, x: &[f64], out: &mut [i64]) {
    debug_assert_eq!(x.len(), out.len());
    if largest < MAGIC_LIMIT - 1.0 {
        dispatch!(isa, round_long(scale, x, out));
    } else {
        x.iter().zip(out).for_each(|(x, out)| *out = (x * scale).round() as i64);
    }
}

/// The largest double below 1/2: `trunc(x +- this)` rounds halves away from zero.
pub(super) const BELOW_HALF: f64 = 0.5 - f64::EPSILON / 4.0;

/// Magnitudes below this are converted by adding and subtracting 1.5 * 2^52.
const MAGIC_LIMIT: f64 = (1u64 << 51) as f64;

pub(super) fn round_short(scale: f64, x: &[f64], out: &mut [i32]) {
    for (x, out) in x.iter().zip(out) {
        let x = x * scale;
        *out = (x + BELOW_HALF.copysign(x)) as i32;
    }
}

#[inline(always)]
pub(super) fn round_long(scale: f64, x: &[f64], out: &mut [i64]) {
    const MAGIC: f64 = 1.5 * (1u64 << 52) as f64;
    for (x, out) in x.iter().zip(out) {
        let x = x * scale;
        let whole = (x + BELOW_HALF.copysign(x)).trunc();
        *out = ((whole + MAGIC).to_bits() as i64).wrapping_sub(MAGIC.to_bits() as i64);
    }
}
