//! The residue matrix product: `out[o][n] = sum_k w[o][k] * x[k][n] mod q` with small signed integer weights.
//!
//! This is every linear layer under batch packing: a row is a polynomial of a ciphertext, a column one evaluation.
//! Reduction is deferred: products are summed exactly in `f64` as long as the weights allow (bounds computed when they are
//! packed), then reduced. A 64-bit residue enters as two digits, so that both widths share one kernel.
//! Layout: a task is a tile of columns of one limb and component; it packs the columns of every used input into a panel
//! `[block of columns][input]` that lives in the second-level cache, then runs strip after strip of weights over it.
//! Source: the blocking is that of dense matrix products, K. Goto, R. van de Geijn, Anatomy of high-performance matrix
//! multiplication (ACM TOMS 34, 2008).

use std::ops::Range;

use rayon::prelude::*;

use crate::RingError;
use crate::kernels::{self, LANES, Panel, PanelRow, PanelWord, SumReduction, Write};
use crate::linear_weights::{LinearGroup, LinearWeights, PLANE_BITS, SEGMENT_INPUTS, STRIP, Strip};
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::scratch::Scratch;
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;

/// Words of a row that one task writes.
const TILE: usize = 1024;
/// Inputs whose words are asked for ahead of the one that is packed.
const PREFETCH: usize = 4;
/// A panel of this many bytes leaves room in a second-level cache of 1 MiB.
const PANEL_BYTES: usize = 512 << 10;
/// Fewest and most rows of a panel for each input. The sums of a strip, `STRIP` times as many rows, fit a first-level cache.
const PANEL_BLOCKS: Range<usize> = 4..32;

/// Columns packed at a time: a power of two, as many as respect [`PANEL_BYTES`] within [`PANEL_BLOCKS`], and at most a tile.
fn panel_columns<W: PanelWord>(inputs: usize) -> usize {
    let blocks = (PANEL_BYTES / (inputs.max(1) * size_of::<PanelRow>())).clamp(PANEL_BLOCKS.start, PANEL_BLOCKS.end);
    TILE.min(W::COLUMNS << blocks.ilog2())
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
            let product = LimbProduct { weights, components, x: &x, limb, strips: weights.strip_count() };
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => product.run(plan, words.as_mut_slice(), stride),
                (Plan::U64(plan), Words::U64(words)) => product.run(plan, words.as_mut_slice(), stride),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(out)
    }
}

/// The product of one limb.
struct LimbProduct<'a> {
    weights: &'a LinearWeights,
    components: usize,
    x: &'a Operand<'a, Eval>,
    limb: usize,
    /// Strips that a panel meets.
    strips: usize,
}

impl LimbProduct<'_> {
    fn run<W: PanelWord>(&self, plan: &NttPlan<W>, out: &mut [W], stride: usize) {
        let n = 1usize << plan.log_n();
        let tile = TILE.min(n);
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
        columns.into_par_iter().enumerate().for_each(|(i, out)| {
            let (component, start) = (i / tiles, i % tiles * tile);
            self.tile(plan, component, start..start + tile, out);
        });
    }

    /// Some columns of one component.
    fn tile<W: PanelWord>(&self, plan: &NttPlan<W>, component: usize, columns: Range<usize>, mut out: Vec<&mut [W]>) {
        let inputs = self.weights.input_count;
        let width = panel_columns::<W>(inputs).min(columns.len());
        let blocks = width.div_ceil(W::COLUMNS);
        let reduction = SumReduction::new(plan.modulus());
        f64::with_scratch((inputs + STRIP) * blocks * LANES, |scratch| {
            let (panel, sums) = scratch.as_chunks_mut::<LANES>().0.split_at_mut(inputs * blocks);
            let used = &self.weights.used[..];
            let words = |input: u32, start: usize| {
                let row: &[W] = self.x.words(self.limb, input as usize * self.components + component);
                &row[start..start + width]
            };
            for (nth, start) in columns.clone().step_by(width).enumerate() {
                for (i, input) in used.iter().enumerate() {
                    if let Some(ahead) = used.get(i + PREFETCH) {
                        kernels::prefetch(words(*ahead, start));
                    }
                    W::pack(plan.isa(), words(*input, start), panel, inputs, *input as usize);
                }
                // The words of the next panel arrive while this one is multiplied.
                let next = start + width;
                let mut upcoming = used.iter().filter(|_| next < columns.end);
                let share = used.len().div_ceil(self.strips.max(1));
                let panel = Panel { rows: panel, inputs };
                let product =
                    PanelProduct { plan, reduction: &reduction, panel, columns: nth * width..(nth + 1) * width };
                for group in &self.weights.groups {
                    for strip in &self.weights.blocks[group.block] {
                        upcoming.by_ref().take(share).for_each(|input| kernels::prefetch(words(*input, next)));
                        product.strip(strip, group, &mut sums[..strip.rows * blocks], &mut out);
                    }
                }
            }
        });
    }
}

/// The products of one panel.
struct PanelProduct<'a, W: PanelWord> {
    plan: &'a NttPlan<W>,
    reduction: &'a SumReduction<W>,
    panel: Panel<'a>,
    /// Where they go in a tile.
    columns: Range<usize>,
}

impl<W: PanelWord> PanelProduct<'_, W> {
    /// The outputs of one strip: plane after plane by Horner's rule, segment after segment added.
    fn strip(&self, strip: &Strip, group: &LinearGroup, sums: &mut [PanelRow], out: &mut [&mut [W]]) {
        let (isa, m, blocks) = (self.plan.isa(), self.plan.modulus(), sums.len() / strip.rows);
        let outputs = &group.outputs[strip.first..strip.first + strip.rows];
        let base = m.shoup(m.reduce_u64(1 << PLANE_BITS));
        for (nth, plane) in strip.planes.iter().enumerate() {
            if nth > 0 {
                for output in outputs {
                    kernels::mul_shoup_assign(isa, m, &mut out[*output as usize][self.columns.clone()], base);
                }
            }
            let mut start = 0;
            for end in W::segments(plane) {
                let write = if nth == 0 && start == 0 { Write::Store } else { Write::Add };
                let mut gathered = [0; SEGMENT_INPUTS];
                let index = if plane.columns.len() == group.inputs.len() {
                    &group.inputs[start..*end]
                } else {
                    let columns = &plane.columns[start..*end];
                    gathered.iter_mut().zip(columns).for_each(|(to, column)| *to = group.inputs[*column as usize]);
                    &gathered[..columns.len()]
                };
                let weights = &plane.weights[start * strip.rows..end * strip.rows];
                kernels::accumulate(isa, self.panel, index, weights, strip.rows, sums);
                for (sums, output) in sums.chunks_exact(blocks).zip(outputs) {
                    let out = &mut out[*output as usize][self.columns.clone()];
                    W::finish(isa, self.reduction, sums, out, write);
                }
                start = *end;
            }
        }
    }
}

#[cfg(test)]
mod tests;
