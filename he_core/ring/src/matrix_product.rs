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

use crate::kernels::{LANES, PanelRow, PanelWord, StripProduct, SumReduction};
use crate::linear_weights::{LinearWeights, PackedBlock, Strip, WeightBlock, strips};
use crate::modulus::Modulus;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::scratch::Scratch;
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

/// Words of a row that one task writes.
const TILE: usize = 256;
/// A panel of this many bytes leaves room in a second-level cache of 2 MiB.
const PANEL_BYTES: usize = 1 << 20;
/// Two cache lines of `u32`, the narrowest panel.
const MIN_PANEL_COLUMNS: usize = 32;

/// Columns packed at a time: a power of two between [`MIN_PANEL_COLUMNS`] and [`TILE`] that respects [`PANEL_BYTES`].
fn panel_columns<W: PanelWord>(inputs: usize) -> usize {
    let column_bytes = inputs.max(1) * size_of::<PanelRow>() / W::COLUMNS;
    let columns = (PANEL_BYTES / column_bytes).clamp(MIN_PANEL_COLUMNS, TILE);
    1 << columns.ilog2()
}

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

/// How a word takes weights that are no `i32`.
trait WideWeights: PanelWord {
    /// The block modulo the prime and centred, if that fits `i32`.
    fn narrow(m: Modulus<Self>, block: &WeightBlock) -> Option<Vec<Strip>>;
}

impl WideWeights for u32 {
    fn narrow(m: Modulus<u32>, block: &WeightBlock) -> Option<Vec<Strip>> {
        let q = m.value();
        let centred = |w: &i64| {
            let r = m.reduce_i64(*w);
            if r > q / 2 { r as i32 - q as i32 } else { r as i32 }
        };
        let weights: Vec<i32> = block.weights.iter().map(centred).collect();
        Some(strips(block.outputs, block.inputs, &weights))
    }
}

impl WideWeights for u64 {
    fn narrow(_: Modulus<u64>, _: &WeightBlock) -> Option<Vec<Strip>> {
        None
    }
}

/// `sum_k w[k] * x[k]` in 128 bits: the sums of magnitudes, at most [`MAX_WEIGHT_SUM`](crate::MAX_WEIGHT_SUM), leave room.
fn exact_product<W: Word>(m: Modulus<W>, w: &[i64], x: impl Iterator<Item = W>) -> W {
    m.reduce_i128(w.iter().zip(x).map(|(w, x)| i128::from(*w) * i128::from(x.to_u64())).sum())
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
    fn run<W: WideWeights>(&self, plan: &NttPlan<W>, out: &mut [W], stride: usize) {
        let (n, m) = (1usize << plan.log_n(), plan.modulus());
        let tile = TILE.min(n);
        let panel = panel_columns::<W>(self.weights.input_count);
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
            for column in (0..tile).step_by(panel) {
                let width = panel.min(tile - column);
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
        let reduction = SumReduction::new(m);
        let row = |input: u32| -> &[W] { self.x.words(self.limb, input as usize * self.components + component) };
        let depth = columns.len().div_ceil(W::COLUMNS);
        u32::with_scratch(depth * inputs * LANES, |panel| {
            let panel = panel.as_chunks_mut::<LANES>().0;
            for input in &self.weights.used {
                let source = &row(*input)[start + columns.start..start + columns.end];
                for (j, words) in source.chunks(W::COLUMNS).enumerate() {
                    W::pack(words, &mut panel[j * inputs + *input as usize]);
                }
            }
            for group in &self.weights.groups {
                match &blocks[group.block] {
                    LimbBlock::Strips(strips) => {
                        for strip in strips.iter() {
                            let outputs = &group.outputs[strip.first..strip.first + strip.rows];
                            let product = StripProduct { panel, inputs, index: &group.inputs, strip, outputs };
                            W::strip_product(plan.isa(), &reduction, product, out, columns.clone());
                        }
                    }
                    LimbBlock::Exact(block) => {
                        for (output, w) in group.outputs.iter().zip(block.weights.chunks_exact(block.inputs.max(1))) {
                            for at in columns.clone() {
                                let x = group.inputs.iter().map(|input| row(*input)[start + at]);
                                out[*output as usize][at] = exact_product(m, w, x);
                            }
                        }
                    }
                }
            }
        });
    }
}

fn limb_block<W: WideWeights>(m: Modulus<W>, block: &PackedBlock) -> LimbBlock<'_> {
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
