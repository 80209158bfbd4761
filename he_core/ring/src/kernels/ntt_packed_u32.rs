//! Twiddle factors of 32-bit words in the order and form that the vector transforms read, two layers at a time.
//!
//! Formula: a block's factors are those of its first layer (`w1`), of the halves in the second (`w2`, `w3`) and the
//! products that its last quarter needs. Each is stored as `w * 2^32 mod q`, centred: at most q/2 in magnitude.
//! Layout: blocks pass after pass, as many in a pass as it has blocks, each pass four times the one before, down to
//! blocks of 16 words; then the factors of blocks of 4 words, `L` neighbours side by side.
//! Source: \[Har14\]; \[Mon85\] for the form.

use std::ops::Range;

use crate::modulus::Modulus;
use crate::ntt::{Tables, Twiddles};

/// The factors of two layers over one block.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) w1: i32,
    pub(super) w2: i32,
    /// `w1 * w2`.
    pub(super) w12: i32,
    pub(super) w3: i32,
    /// `-w1 * w3`.
    pub(super) w13: i32,
}

/// The fields of `L` neighbouring blocks, in the order of [`Block`].
pub(super) type Lanes<const L: usize> = [[u32; L]; 5];

/// Both directions for one prime, for vectors of `L` words.
#[derive(Clone, Debug)]
pub(super) struct Packed<const L: usize> {
    pub(super) q: i32,
    /// `q^-1 mod 2^32`.
    pub(super) q_inverse: i32,
    pub(super) forward: Direction<L>,
    pub(super) inverse: Direction<L>,
}

/// The factors of one direction.
#[derive(Clone, Debug)]
pub(super) struct Direction<const L: usize> {
    /// Blocks in the largest of the passes in `blocks`.
    pub(super) first: usize,
    blocks: Vec<Block>,
    /// The layers at distances 2 and 1.
    pub(super) lanes: Vec<Lanes<L>>,
    /// The factors of the layer without a partner: forward none or 1 (the first layer), inverse none or 4.
    pub(super) single: Vec<i32>,
    /// Whether an odd number of passes lies between words in order and the stage within vectors, for kernels whose passes
    /// change the order.
    pub(super) is_swapped: bool,
    /// Of the last two inverse layers: the factors times 1/N, and 1/N.
    pub(super) last: Block,
    pub(super) n_inverse: i32,
}

impl<const L: usize> Direction<L> {
    /// Some blocks of the pass over `count` blocks.
    pub(super) fn blocks(&self, count: usize, range: Range<usize>) -> &[Block] {
        // first * (1 + 4 + ..) blocks are in the passes before.
        &self.blocks[(count - self.first) / 3..][range]
    }
}

/// `w * 2^32 mod q`, centred.
fn montgomery(m: Modulus<u32>, w: u32) -> i32 {
    let q = u64::from(m.value());
    let r = (u64::from(w) << 32) % q;
    if 2 * r > q { (r as i64 - q as i64) as i32 } else { r as i32 }
}

/// The factors of block `k - blocks` when there are `blocks`, all times `scale`.
fn block(m: Modulus<u32>, twiddles: &Twiddles<u32>, k: usize, scale: u32) -> Block {
    let [w1, w2, w3] = [k, 2 * k, 2 * k + 1].map(|k| twiddles.values[k]);
    let form = |w: u32| montgomery(m, m.mul(w, scale));
    Block { w1: form(w1), w2: form(w2), w12: form(m.mul(w1, w2)), w3: form(w3), w13: form(m.neg(m.mul(w1, w3))) }
}

impl<const L: usize> Packed<L> {
    /// c, centred, when `x + c` lies in `(-2q, 2q)` for every x below 2^30: `2^30 + q/2 < 2q`.
    pub(super) fn shift(&self, c: u32) -> Option<i32> {
        let c = c as i32;
        (3 * i64::from(self.q) > 1 << 31).then_some(if 2 * i64::from(c) > i64::from(self.q) { c - self.q } else { c })
    }

    /// From the portable tables of a transform of at least 64 words.
    pub(super) fn new(m: Modulus<u32>, tables: &Tables<u32>) -> Self {
        let n = tables.forward.values.len();
        let is_odd = n.ilog2() % 2 == 1;
        let n_inverse = tables.n_inverse.value();
        let direction = |twiddles: &Twiddles<u32>, first: usize, single: Range<usize>, passes: usize| {
            let counts = std::iter::successors(Some(first), |count| Some(4 * count));
            let counts = counts.take_while(|count| *count <= n / 16);
            let lanes = |i: usize| {
                let mut out = [[0; L]; 5];
                for j in 0..L {
                    let b = block(m, twiddles, n / 4 + L * i + j, 1);
                    let fields = [b.w1, b.w2, b.w12, b.w3, b.w13];
                    out.iter_mut().zip(fields).for_each(|(row, w)| row[j] = w as u32);
                }
                out
            };
            Direction {
                first,
                is_swapped: (counts.clone().count() - 1 + passes + single.len().min(1)) % 2 == 1,
                blocks: counts.flat_map(|count| count..2 * count).map(|k| block(m, twiddles, k, 1)).collect(),
                lanes: (0..n / 4 / L).map(lanes).collect(),
                single: twiddles.values[single].iter().map(|w| montgomery(m, *w)).collect(),
                last: block(m, twiddles, 1, n_inverse),
                n_inverse: montgomery(m, n_inverse),
            }
        };
        let q = m.value();
        // Newton's iteration: q is its own inverse modulo 8, and every step doubles the bits.
        let q_inverse = (0..4).fold(q, |x, _| x.wrapping_mul(2u32.wrapping_sub(q.wrapping_mul(x))));
        Self {
            q: q as i32,
            q_inverse: q_inverse as i32,
            forward: direction(&tables.forward, 1 + usize::from(is_odd), 1..1 + usize::from(is_odd), 0),
            inverse: direction(&tables.inverse, 4 << usize::from(is_odd), 4..4 + 4 * usize::from(is_odd), 1),
        }
    }
}
