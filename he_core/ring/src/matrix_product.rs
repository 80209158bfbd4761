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

use he_params::GroupRef;
use rayon::prelude::*;

use crate::kernels::{self, LANES, Panel, PanelRow, PanelWord, SumReduction, Write};
use crate::linear_weights::{LinearWeights, PLANE_BITS, SEGMENT_INPUTS, STRIP, Strip};
use crate::modulus::ShoupFactor;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::scalars::{Bias, ScalarRows};
use crate::scratch::Scratch;
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

/// Words of a row that one task writes, at most and (in a ring that has them) at least.
const MAX_TILE: usize = 1024;
const MIN_TILE: usize = 64;
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
    /// Row k is the only row of view k: rows that stand in several tensors.
    Each(&'x [RnsView<'x, Eval>]),
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
        let (x, inputs) = (x.into(), weights.input_count);
        if x.rows() != inputs * components || components == 0 {
            return Err(RingError::RowMismatch { left: inputs * components, right: x.rows() });
        }
        let factor = |c| Ok(Factor::Rows(x.select(c, inputs, components)?));
        let factors = (0..components).map(factor).collect::<Result<Vec<_>, RingError>>()?;
        self.matrix_product_of(weights, &x.limb_indices(), &factors, None)
    }

    /// Row `o * C + c` of the result, C the number of factors, is `sum_k w[o][k] * factors[c][k]`, over the primes with ring
    /// indices `limbs`; `bias`, one number per output or one for all, is added to component 0.
    ///
    /// # Errors
    /// [`RingError::RowMismatch`] unless every factor has a row per input value and the bias fits; [`RingError::ForeignTensor`],
    /// [`RingError::MissingLimb`], [`RingError::LimbOutOfRange`], [`RingError::DuplicateLimb`].
    pub fn matrix_product_of<'x>(
        &self,
        weights: &LinearWeights,
        limbs: &[usize],
        factors: &[Factor<'x>],
        bias: Option<Bias<'_>>,
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (inputs, outputs) = (weights.input_count, weights.output_count);
        let mut out = self.unwritten::<Eval>(outputs * factors.len(), limbs)?;
        let bias = match bias {
            Some(bias) => Some((bias, bias.scalars().for_limbs(self, limbs, outputs)?)),
            None => None,
        };
        let rows = |rows: usize, view: RnsView<'x, Eval>| match view.rows() == rows {
            true => self.operand(limbs, rows, view),
            false => Err(RingError::RowMismatch { left: rows, right: view.rows() }),
        };
        let whole = |view| Ok(Rows::Together(rows(inputs, view)?));
        let component = |factor: &Factor<'x>| {
            let (x, y, scale) = match *factor {
                Factor::Rows(x) => (whole(x)?, None, 1),
                Factor::Each(views) if views.len() == inputs => {
                    (Rows::Each(views.iter().map(|x| rows(1, *x)).collect::<Result<_, _>>()?), None, 1)
                }
                Factor::Each(views) => return Err(RingError::RowMismatch { left: inputs, right: views.len() }),
                Factor::Products(x, y) => (whole(x)?, Some(whole(y)?), 1),
                Factor::TwiceProducts(x, y) => (whole(x)?, Some(whole(y)?), 2),
            };
            Ok(Component { x, y, scale })
        };
        let components = factors.iter().map(component).collect::<Result<Vec<_>, RingError>>()?;
        let (stride, strips) = (out.stride(), weights.strip_count());
        out.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            let product = LimbProduct { weights, components: &components, bias: bias.as_ref(), limb, strips };
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => product.run(plan, words.as_mut_slice(), stride),
                (Plan::U64(plan), Words::U64(words)) => product.run(plan, words.as_mut_slice(), stride),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(out)
    }
}

/// One row per input value.
enum Rows<'a> {
    Together(Operand<'a, Eval>),
    Each(Vec<Operand<'a, Eval>>),
}

impl<'a> Rows<'a> {
    fn words<W: Word>(&self, limb: usize, input: usize) -> &'a [W] {
        match self {
            Rows::Together(rows) => rows.words(limb, input),
            Rows::Each(rows) => rows[input].words(limb, 0),
        }
    }
}

/// One component of every input value.
struct Component<'a> {
    x: Rows<'a>,
    /// The second factor of products.
    y: Option<Rows<'a>>,
    /// Results are multiplied by this.
    scale: u64,
}

/// The product of one limb.
struct LimbProduct<'a> {
    weights: &'a LinearWeights,
    components: &'a [Component<'a>],
    bias: Option<&'a (Bias<'a>, ScalarRows<'a>)>,
    limb: usize,
    /// Strips that a panel meets.
    strips: usize,
}

/// What all tiles of one component read.
struct Source<'a, W: PanelWord> {
    /// The rows of every used input.
    x: Vec<&'a [W]>,
    /// The rows that they are multiplied with; empty when they are not.
    y: Vec<&'a [W]>,
    scale: Option<ShoupFactor<W>>,
    /// Added to each output in the first half of its row and in the second; empty for nothing.
    bias: Vec<[W; 2]>,
}

impl LimbProduct<'_> {
    fn run<W: PanelWord>(&self, plan: &NttPlan<W>, out: &mut [W], stride: usize) {
        let n = 1usize << plan.log_n();
        let sources: Vec<Source<'_, W>> = (0..self.components.len()).map(|c| self.source(plan, c)).collect();
        // Enough tasks for every thread, and no tile in both halves of a row, even where limbs come one by one.
        let tile = (n / (4 * rayon::current_num_threads()).next_power_of_two()).clamp(MIN_TILE, MAX_TILE).min(n / 2);
        // The columns of every output row, by component and tile: tasks write disjoint slices.
        let tiles = n / tile;
        let mut columns: Vec<Vec<&mut [W]>> = Vec::new();
        columns.resize_with(tiles * sources.len(), || Vec::with_capacity(self.weights.output_count));
        for (row, words) in out.chunks_exact_mut(stride).enumerate() {
            let first = row % sources.len() * tiles;
            for (i, part) in words[..n].chunks_exact_mut(tile).enumerate() {
                columns[first + i].push(part);
            }
        }
        columns.into_par_iter().enumerate().for_each(|(i, mut out)| {
            let start = i % tiles * tile;
            self.tile(plan, &sources[i / tiles], start..start + tile, &mut out);
        });
    }

    fn source<'s, W: PanelWord>(&'s self, plan: &NttPlan<W>, component: usize) -> Source<'s, W> {
        let Component { x, y, scale } = &self.components[component];
        let rows = |rows: &'s Rows<'_>| {
            self.weights.used.iter().map(move |input| rows.words(self.limb, *input as usize)).collect()
        };
        let m = plan.modulus();
        let bias = self.bias.filter(|_| component == 0);
        let outputs = 0..self.weights.output_count;
        Source {
            x: rows(x),
            y: y.as_ref().map(rows).unwrap_or_default(),
            scale: (*scale != 1).then(|| m.shoup(m.reduce_u64(*scale))),
            bias: bias.map_or_else(Vec::new, |(bias, rows)| {
                let halves = bias.halves(plan);
                outputs.map(|o| halves(W::from_u64(rows.get(self.limb, o)))).collect()
            }),
        }
    }

    /// Some columns.
    fn tile<W: PanelWord>(
        &self,
        plan: &NttPlan<W>,
        source: &Source<'_, W>,
        columns: Range<usize>,
        out: &mut [&mut [W]],
    ) {
        let (isa, m, inputs) = (plan.isa(), plan.modulus(), self.weights.input_count);
        let width = panel_columns::<W>(inputs, columns.len());
        let blocks = width.div_ceil(W::COLUMNS);
        let reduction = SumReduction::new(m);
        let used = &self.weights.used[..];
        let ask = |i: usize, columns: &Range<usize>| {
            for row in [source.x.get(i), source.y.get(i)].into_iter().flatten() {
                kernels::prefetch(&row[columns.clone()]);
            }
        };
        // The words of the next panel arrive while one is multiplied: so many inputs with each strip.
        let share = used.len().div_ceil(self.strips.max(1));
        // A tile is a power of two of words, and at most half a row: it lies in one half.
        let half = usize::from(columns.start >> (plan.log_n() - 1) != 0);
        let mut products = [W::default(); PANEL_BLOCKS.end * LANES];
        f64::with_scratch((inputs + STRIP) * blocks * LANES, |scratch| {
            let (panel, sums) = scratch.as_chunks_mut::<LANES>().0.split_at_mut(inputs * blocks);
            for (nth, start) in columns.clone().step_by(width).enumerate() {
                let now = start..start + width;
                for (i, (input, x)) in used.iter().zip(&source.x).enumerate() {
                    ask(i + PREFETCH, &now);
                    let mut x = &x[now.clone()];
                    if let Some(y) = source.y.get(i) {
                        kernels::mul_into(isa, m, &mut products[..width], x, &y[now.clone()]);
                        x = &products[..width];
                    }
                    W::pack(isa, x, panel, inputs, *input as usize);
                }
                let next = now.end..now.end + width;
                let mut upcoming = 0..if next.start < columns.end { used.len() } else { 0 };
                let place = nth * width..(nth + 1) * width;
                let panel = Panel { rows: panel, inputs };
                let product = PanelProduct { plan, reduction: &reduction, panel, columns: place.clone() };
                for output in &self.weights.alone {
                    out[*output as usize][place.clone()].fill(W::default());
                }
                for group in self.weights.groups.iter() {
                    for strip in self.weights.blocks[group.block].strips() {
                        upcoming.by_ref().take(share).for_each(|i| ask(i, &next));
                        product.strip(strip, group, &mut sums[..strip.rows * blocks], out);
                    }
                }
                for (o, out) in out.iter_mut().enumerate() {
                    let out = &mut out[place.clone()];
                    if let Some(scale) = source.scale {
                        kernels::mul_shoup_assign(isa, m, out, scale);
                    }
                    if let Some(halves) = source.bias.get(o) {
                        kernels::add_constant_assign(isa, m, out, halves[half]);
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
    fn strip(&self, strip: &Strip, group: GroupRef<'_>, sums: &mut [PanelRow], out: &mut [&mut [W]]) {
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
