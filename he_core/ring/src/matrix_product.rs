//! The residue matrix product: `out[o][n] = sum_k w[o][k] * x[k][n] mod q` with small signed integer weights.
//!
//! This is every linear layer under batch packing: a row is a polynomial of a ciphertext, a column one evaluation.
//! Reduction is deferred: products are summed in 64 bits as long as the weights allow (bounds computed when they are
//! packed) and reduced once. A 64-bit residue enters as two digits of 31 bits, so that both widths share one kernel.
//! Layout: a task is a tile of columns of one limb and component; it packs the columns of every used input into a panel
//! `[8 words][input]` that lives in the second-level cache, then runs strip after strip of weights over it.
//! Source: the blocking is that of dense matrix products, K. Goto, R. van de Geijn, Anatomy of high-performance matrix
//! multiplication (ACM TOMS 34, 2008).

use std::borrow::Cow;

use rayon::prelude::*;

use crate::kernels::{LANES, PanelRow};
use crate::linear_weights::{LinearWeights, PackedBlock, Strip, WeightBlock, strips};
use crate::modulus::Modulus;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::scratch::Scratch;
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word, kernels};

/// Words of a row that one task writes.
const TILE: usize = 256;
/// Words of a row that are packed at a time.
const PANEL_WORDS: usize = 64;

impl Ring {
    /// Row `o * components + c` of the result is `sum_k w[o][k] * x[in_k * components + c]`, for every limb of x.
    ///
    /// # Errors
    /// [`RingError::RowMismatch`] unless x has `components` rows per input value; [`RingError::ForeignTensor`].
    pub fn matrix_product<'x>(
        &self,
        weights: &LinearWeights,
        components: usize,
        x: impl Into<RnsView<'x, Eval>>,
    ) -> Result<RnsTensor<Eval>, RingError> {
        let x = x.into();
        let rows = weights.input_count * components;
        if x.rows() != rows || components == 0 {
            return Err(RingError::RowMismatch { left: rows, right: x.rows() });
        }
        let limbs = x.limb_indices();
        let mut out = self.zero::<Eval>(weights.output_count * components, &limbs)?;
        let x = self.operand(&limbs, rows, x)?;
        let stride = out.stride();
        out.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            let product = LimbProduct { weights, components, x: &x, limb };
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => product.run(plan, words.as_mut_slice(), stride),
                (Plan::U64(plan), Words::U64(words)) => product.run(plan, words.as_mut_slice(), stride),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(out)
    }
}

/// A word as it stands in a panel row of eight `u32`: itself, or as two digits of 31 bits.
pub(crate) trait PanelWord: Word {
    /// Words per panel row.
    const COLUMNS: usize;
    /// Writes one word at `column`.
    fn store(self, row: &mut PanelRow, column: usize);
    /// The residues of the sums of a panel row; `sums` holds even words, then odd words.
    fn finish(m: Modulus<Self>, sums: &[i64; LANES], out: &mut [Self; LANES]);
    /// Weights of a block that are no `i32`, for this prime.
    fn narrow(m: Modulus<Self>, block: &WeightBlock) -> Option<Vec<Strip>>;
    /// `sum_k w[k] * x[k]`, exact, without vectors.
    fn product_i128(m: Modulus<Self>, w: &[i64], x: impl Iterator<Item = Self>) -> Self;
}

/// Any sum of a segment to `[0, q)`: an offset, a multiple of q not below 2^62, makes it positive.
#[inline(always)]
fn reduce_sum<W: Word>(m: Modulus<W>, sum: i64) -> W {
    let q = m.to_u64();
    let offset = ((1u64 << 62) / q + 1) * q;
    m.reduce_u64((sum as u64).wrapping_add(offset))
}

impl PanelWord for u32 {
    const COLUMNS: usize = LANES;

    #[inline(always)]
    fn store(self, row: &mut PanelRow, column: usize) {
        row[column] = self;
    }

    #[inline(always)]
    fn finish(m: Modulus<u32>, sums: &[i64; LANES], out: &mut [u32; LANES]) {
        for i in 0..LANES / 2 {
            out[2 * i] = reduce_sum(m, sums[i]);
            out[2 * i + 1] = reduce_sum(m, sums[LANES / 2 + i]);
        }
    }

    fn narrow(m: Modulus<u32>, block: &WeightBlock) -> Option<Vec<Strip>> {
        let q = m.value();
        let centred = |w: &i64| {
            let r = m.reduce_i64(*w);
            if r > q / 2 { r as i32 - q as i32 } else { r as i32 }
        };
        let weights: Vec<i32> = block.weights.iter().map(centred).collect();
        Some(strips(block.outputs, block.inputs, &weights))
    }

    fn product_i128(m: Modulus<u32>, w: &[i64], x: impl Iterator<Item = u32>) -> u32 {
        m.reduce_i128(w.iter().zip(x).map(|(w, x)| i128::from(*w) * i128::from(x)).sum())
    }
}

impl PanelWord for u64 {
    const COLUMNS: usize = LANES / 2;

    #[inline(always)]
    fn store(self, row: &mut PanelRow, column: usize) {
        row[2 * column] = (self & 0x7fff_ffff) as u32;
        row[2 * column + 1] = (self >> 31) as u32;
    }

    #[inline(always)]
    fn finish(m: Modulus<u64>, sums: &[i64; LANES], out: &mut [u64; LANES]) {
        let radix = m.shoup(m.reduce_u64(1 << 31));
        for i in 0..LANES / 2 {
            let high = reduce_sum(m, sums[LANES / 2 + i]);
            out[i] = m.add(m.mul_shoup(high, radix), reduce_sum(m, sums[i]));
        }
    }

    fn narrow(_: Modulus<u64>, _: &WeightBlock) -> Option<Vec<Strip>> {
        None
    }

    fn product_i128(m: Modulus<u64>, w: &[i64], x: impl Iterator<Item = u64>) -> u64 {
        m.reduce_i128(w.iter().zip(x).map(|(w, x)| i128::from(*w) * i128::from(x)).sum())
    }
}

/// A block for one prime.
enum LimbBlock<'a> {
    Strips(Cow<'a, [Strip]>),
    Exact(&'a WeightBlock),
}

/// The product of one limb.
struct LimbProduct<'a> {
    weights: &'a LinearWeights,
    components: usize,
    x: &'a Operand<'a, Eval>,
    limb: usize,
}

impl LimbProduct<'_> {
    fn run<W: PanelWord>(&self, plan: &NttPlan<W>, out: &mut [W], stride: usize) {
        let (n, m) = (1usize << plan.log_n(), plan.modulus());
        let tile = TILE.min(n);
        let blocks: Vec<LimbBlock<'_>> = self.weights.blocks.iter().map(|block| limb_block(m, block)).collect();
        // The columns of every output row, by tile: tasks write disjoint slices.
        let tiles = n / tile;
        let mut columns: Vec<Vec<&mut [W]>> = Vec::new();
        columns.resize_with(tiles * self.components, || Vec::with_capacity(self.weights.output_count));
        for (row, words) in out.chunks_exact_mut(stride).enumerate() {
            let first = row % self.components * tiles;
            for (i, part) in words[..n].chunks_exact_mut(tile).enumerate() {
                columns[first + i].push(part);
            }
        }
        columns.into_par_iter().enumerate().for_each(|(i, mut out)| {
            let (component, start) = (i / tiles, i % tiles * tile);
            for column in (0..tile).step_by(PANEL_WORDS) {
                let width = PANEL_WORDS.min(tile - column);
                self.panel(plan, &blocks, component, start, column..column + width, &mut out);
            }
        });
    }

    /// Packs `columns` (relative to `start`) of every used input and multiplies.
    fn panel<W: PanelWord>(
        &self,
        plan: &NttPlan<W>,
        blocks: &[LimbBlock<'_>],
        component: usize,
        start: usize,
        columns: std::ops::Range<usize>,
        out: &mut [&mut [W]],
    ) {
        let (m, inputs) = (plan.modulus(), self.weights.input_count);
        let row = |input: u32| -> &[W] { self.x.words(self.limb, input as usize * self.components + component) };
        let depth = columns.len().div_ceil(W::COLUMNS);
        u32::with_scratch(depth * inputs * LANES, |panel| {
            let panel = panel.as_chunks_mut::<LANES>().0;
            for input in &self.weights.used {
                let source = &row(*input)[start + columns.start..start + columns.end];
                for (j, words) in source.chunks(W::COLUMNS).enumerate() {
                    let target = &mut panel[j * inputs + *input as usize];
                    words.iter().enumerate().for_each(|(i, word)| word.store(target, i));
                }
            }
            for group in &self.weights.groups {
                match &blocks[group.block] {
                    LimbBlock::Strips(strips) => {
                        for strip in strips.iter() {
                            for j in 0..depth {
                                let at = columns.start + j * W::COLUMNS;
                                let width = W::COLUMNS.min(columns.end - at);
                                let mut residues = [[W::default(); LANES]; crate::linear_weights::STRIP];
                                let panel = &panel[j * inputs..(j + 1) * inputs];
                                kernels::strip_product(plan.isa(), m, panel, &group.inputs, strip, &mut residues);
                                for (r, residues) in residues[..strip.rows].iter().enumerate() {
                                    let output = group.outputs[strip.first + r] as usize;
                                    out[output][at..at + width].copy_from_slice(&residues[..width]);
                                }
                            }
                        }
                    }
                    LimbBlock::Exact(block) => {
                        for (output, w) in group.outputs.iter().zip(block.weights.chunks_exact(block.inputs.max(1))) {
                            for at in columns.clone() {
                                let x = group.inputs.iter().map(|input| row(*input)[start + at]);
                                out[*output as usize][at] = W::product_i128(m, w, x);
                            }
                        }
                    }
                }
            }
        });
    }
}

fn limb_block<W: PanelWord>(m: Modulus<W>, block: &PackedBlock) -> LimbBlock<'_> {
    match block {
        PackedBlock::Narrow(strips) => LimbBlock::Strips(Cow::Borrowed(strips)),
        PackedBlock::Wide(block) => match W::narrow(m, block) {
            Some(strips) => LimbBlock::Strips(Cow::Owned(strips)),
            None => LimbBlock::Exact(block),
        },
    }
}

#[cfg(test)]
mod tests;
