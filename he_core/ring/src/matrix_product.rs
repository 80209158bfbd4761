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
use crate::view::{RnsView, RnsViewMut, Rows};

/// Words of a row that one task writes, at most and (in a ring that has them) at least.
const MAX_TILE: usize = 1024;
const MIN_TILE: usize = 256;
/// Inputs whose words are asked for ahead of the one that is packed.
const PREFETCH: usize = 4;
/// A panel of this many bytes leaves room in a second-level cache of 1 MiB.
const PANEL_BYTES: usize = 512 << 10;
/// Fewest and most rows of a panel for each input. The sums of a strip, `STRIP` times as many rows, fit a first-level cache.
const PANEL_BLOCKS: Range<usize> = 4..32;

/// Columns packed at a time: a power of two, as many as respect [`PANEL_BYTES`] within [`PANEL_BLOCKS`], and at most a tile.
fn panel_columns<W: PanelWord>(inputs: usize, tile: usize) -> usize {
    let blocks = (PANEL_BYTES / (inputs.max(1) * size_of::<PanelRow>())).clamp(PANEL_BLOCKS.start, PANEL_BLOCKS.end);
    tile.min(W::COLUMNS << blocks.ilog2())
}

/// What a matrix product multiplies the weights with: one row per input value.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'x> {
    /// Row k as it stands.
    Rows(RnsView<'x, Eval>),
    /// The pointwise product of rows k of both.
    Products(RnsView<'x, Eval>, RnsView<'x, Eval>),
    /// Twice that.
    TwiceProducts(RnsView<'x, Eval>, RnsView<'x, Eval>),
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
        let (inputs, outputs) = (weights.input_count, weights.output_count);
        if x.rows() != inputs * components || components == 0 {
            return Err(RingError::RowMismatch { left: inputs * components, right: x.rows() });
        }
        let mut out = self.zero::<Eval>(outputs * components, &x.limb_indices())?;
        for c in 0..components {
            let factor = Factor::Rows(x.select(c, inputs, components)?);
            self.matrix_product_into(out.view_mut().select(c, outputs, components)?, weights, factor)?;
        }
        Ok(out)
    }

    /// `out[o] = sum_k w[o][k] * x[k]` for every limb of `out`, which x has too; rows of no group are left as they are.
    ///
    /// # Errors
    /// [`RingError::RowMismatch`] unless there is one row per output value and one per input value;
    /// [`RingError::ForeignTensor`], [`RingError::MissingLimb`].
    pub fn matrix_product_into<'o>(
        &self,
        out: impl Into<RnsViewMut<'o, Eval>>,
        weights: &LinearWeights,
        x: Factor<'_>,
    ) -> Result<(), RingError> {
        let out = out.into();
        self.check(out.tensor)?;
        let (inputs, limbs) = (weights.input_count, out.tensor.limb_indices());
        let (x, y, scale) = match x {
            Factor::Rows(x) => (x, None, 1),
            Factor::Products(x, y) => (x, Some(y), 1),
            Factor::TwiceProducts(x, y) => (x, Some(y), 2),
        };
        for (left, right) in
            [(weights.output_count, out.rows()), (inputs, x.rows()), (inputs, y.map_or(inputs, |y| y.rows()))]
        {
            if left != right {
                return Err(RingError::RowMismatch { left, right });
            }
        }
        let operand = |view| self.operand(&limbs, inputs, view);
        let (x, y) = (operand(x)?, y.map(operand).transpose()?);
        let (stride, rows, strips) = (out.tensor.stride(), out.rows, weights.strip_count());
        out.tensor.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            let product = LimbProduct { weights, x: &x, y: y.as_ref(), scale, limb, strips };
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => product.run(plan, words.as_mut_slice(), rows, stride),
                (Plan::U64(plan), Words::U64(words)) => product.run(plan, words.as_mut_slice(), rows, stride),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(())
    }
}

/// The product of one limb.
struct LimbProduct<'a> {
    weights: &'a LinearWeights,
    x: &'a Operand<'a, Eval>,
    /// The second factor of products.
    y: Option<&'a Operand<'a, Eval>>,
    /// Results are multiplied by this.
    scale: u64,
    limb: usize,
    /// Strips that a panel meets.
    strips: usize,
}

impl LimbProduct<'_> {
    fn run<W: PanelWord>(&self, plan: &NttPlan<W>, out: &mut [W], rows: Rows, stride: usize) {
        let n = 1usize << plan.log_n();
        // Enough tasks for every thread, even where limbs come one by one.
        let tile = (n / (4 * rayon::current_num_threads()).next_power_of_two()).clamp(MIN_TILE, MAX_TILE).min(n);
        // The columns of every output row, by tile: tasks write disjoint slices.
        let mut columns: Vec<Vec<&mut [W]>> = Vec::new();
        columns.resize_with(n / tile, || Vec::with_capacity(rows.count));
        for row in out.chunks_mut(stride).skip(rows.first).step_by(rows.step).take(rows.count) {
            for (columns, part) in columns.iter_mut().zip(row[..n].chunks_exact_mut(tile)) {
                columns.push(part);
            }
        }
        columns
            .into_par_iter()
            .enumerate()
            .for_each(|(i, mut out)| self.tile(plan, i * tile..(i + 1) * tile, &mut out));
    }

    /// Some columns.
    fn tile<W: PanelWord>(&self, plan: &NttPlan<W>, columns: Range<usize>, out: &mut [&mut [W]]) {
        let (isa, m, inputs) = (plan.isa(), plan.modulus(), self.weights.input_count);
        let width = panel_columns::<W>(inputs, columns.len());
        let blocks = width.div_ceil(W::COLUMNS);
        let reduction = SumReduction::new(m);
        let used = &self.weights.used[..];
        let share = used.len().div_ceil(self.strips.max(1));
        let ask = |input: u32, columns: Range<usize>| {
            kernels::prefetch(&self.x.words::<W>(self.limb, input as usize)[columns.clone()]);
            if let Some(y) = self.y {
                kernels::prefetch(&y.words::<W>(self.limb, input as usize)[columns]);
            }
        };
        let mut products = [W::default(); PANEL_BLOCKS.end * LANES];
        f64::with_scratch((inputs + STRIP) * blocks * LANES, |scratch| {
            let (panel, sums) = scratch.as_chunks_mut::<LANES>().0.split_at_mut(inputs * blocks);
            for (nth, start) in columns.clone().step_by(width).enumerate() {
                let now = start..start + width;
                for (i, input) in used.iter().map(|input| *input as usize).enumerate() {
                    if let Some(ahead) = used.get(i + PREFETCH) {
                        ask(*ahead, now.clone());
                    }
                    let x = &self.x.words(self.limb, input)[now.clone()];
                    match self.y {
                        None => W::pack(isa, x, panel, inputs, input),
                        Some(y) => {
                            let products = &mut products[..width];
                            kernels::mul_into(isa, m, products, x, &y.words(self.limb, input)[now.clone()]);
                            W::pack(isa, products, panel, inputs, input);
                        }
                    }
                }
                // The words of the next panel arrive while this one is multiplied.
                let next = now.end..now.end + width;
                let mut upcoming = used.iter().filter(|_| next.start < columns.end);
                let place = nth * width..(nth + 1) * width;
                let panel = Panel { rows: panel, inputs };
                let product = PanelProduct { plan, reduction: &reduction, panel, columns: place.clone() };
                for group in &self.weights.groups {
                    for strip in &self.weights.blocks[group.block] {
                        upcoming.by_ref().take(share).for_each(|input| ask(*input, next.clone()));
                        product.strip(strip, group, &mut sums[..strip.rows * blocks], out);
                    }
                    if self.scale != 1 {
                        let scale = m.shoup(m.reduce_u64(self.scale));
                        for output in &group.outputs {
                            kernels::mul_shoup_assign(isa, m, &mut out[*output as usize][place.clone()], scale);
                        }
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
