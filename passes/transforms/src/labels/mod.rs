//! The smallest weights with which the samples keep their labels.
//!
//! Parameters are chosen with weights as large as the error bound takes, and scales are made to fill what room there is. Here weights lose bits again, as
//! long as the network with rounded weights, run in the clear on the calibration samples, names the same largest element of each output: first
//! all weights together bit by bit, then each scale of the chain alone, in order of the program. The precision asked for is held besides. Where the
//! error bound alone loses a label already, nothing is made smaller, and the report says how many are kept.
//!
//! What rounding leaves of a label must bear the noise of encryption, which comes on top. With lead the distance of the largest element to the next, and
//! e the bound on an output's error, a sample keeps its label when its lead is at least `min(2 e, lead before / 2)`: no noise within the bound can turn
//! it, or, where it stood closer than that from the start, rounding took half of it at the most.

mod clear;
#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::ops::Range;

use he_ir::{HeProgram, Op};
use he_params::Scale;
use serde::Serialize;

pub(crate) use self::clear::evaluate as evaluate_clear;
use crate::cost::CostModel;
use crate::lowering::Circuit;
use crate::parameters::{Request, Selection, evaluate};
use crate::placement::Chain;
use crate::ranges::{Sample, ValueRange};

/// The part of its lead that rounding may take from a label.
pub const LEAD_LOST: f64 = 0.5;

/// Multiplications that one look at the samples may take; of large networks some samples are looked at.
const MOST_PRODUCTS: u64 = 1 << 30;

/// Bits that a scale may lose.
const MOST_BITS: usize = 30;

/// What the weights of a program were made as small as.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightsBy {
    /// The error bound alone.
    ErrorBound {
        /// Why labels were not looked at.
        reason: &'static str,
    },
    /// The labels of samples.
    Labels(Labels),
}

/// The labels of samples with rounded weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Labels {
    /// Samples looked at.
    pub samples: usize,
    /// Samples that keep their label with the weights of the program.
    pub kept: usize,
    /// The most by which rounded weights change an element of an output.
    pub deviation: f64,
    /// The bound on an element's error, noise and rounded weights together, the largest of all outputs.
    pub error_bound: f64,
    /// One row per linear layer, in order.
    pub layers: Vec<LayerBits>,
}

/// Bits of a layer's largest weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerBits {
    /// Layer of the model.
    pub layer: String,
    /// With scales as large as the error bound takes.
    pub by_error_bound: u32,
    /// In the program.
    pub bits: u32,
}

/// What a selection is judged by.
pub(crate) struct Judge<'a> {
    pub(crate) circuit: &'a Circuit,
    pub(crate) ranges: &'a [ValueRange],
    pub(crate) samples: &'a [Sample],
    pub(crate) request: &'a Request,
    pub(crate) costs: &'a CostModel,
    pub(crate) threads: usize,
}

/// What the network says of one sample without rounding.
struct Reference<'a> {
    sample: &'a Sample,
    outputs: Vec<Vec<f64>>,
}

/// What rounded weights do to some samples.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    kept: usize,
    deviation: f64,
}

impl Judge<'_> {
    /// The selection with the smallest weights that keep the labels.
    pub(crate) fn smallest(&self, mut selection: Selection) -> Selection {
        let outputs = selection.placed.program.outputs();
        let elements =
            outputs.iter().filter_map(|(_, id)| selection.placed.program.node(*id)).map(|n| n.value().elements());
        let scales = selection.chain.clone().weight_scales_mut().count();
        let references = match self.samples {
            [] => Err("no samples to hold labels against"),
            _ if scales == 0 => Err("no scale of weights is free to change"),
            _ if elements.max().unwrap_or(0) < 2 => Err("outputs of one element have no labels"),
            _ => {
                self.references(&selection.placed.program).ok_or("one sample takes too long to hold its label against")
            }
        };
        let references = match references {
            Ok(references) => references,
            Err(reason) => {
                selection.weights = WeightsBy::ErrorBound { reason };
                return selection;
            }
        };
        let by_error_bound = largest_weights(&selection.placed.program);
        let mut held = self.held(&selection, &references);
        let all = 0..scales;
        let alone = all.clone().filter(|_| scales > 1).map(|scale| scale..scale + 1);
        for group in std::iter::once(all).chain(alone) {
            for _ in 0..MOST_BITS {
                let Some(smaller) = self.smaller(&selection, &references, group.clone()) else { break };
                (selection, held) = smaller;
            }
        }
        let bits = largest_weights(&selection.placed.program);
        let layers = by_error_bound.into_iter().zip(bits);
        selection.weights = WeightsBy::Labels(Labels {
            samples: references.len(),
            kept: held.kept,
            deviation: held.deviation,
            error_bound: error_bound(&selection),
            layers: layers
                .map(|((layer, by_error_bound), (_, bits))| LayerBits { layer, by_error_bound, bits })
                .collect(),
        });
        selection
    }

    /// The selection with one bit less in some scales, if every sample keeps its label and the precision is what was asked for.
    fn smaller(
        &self,
        selection: &Selection,
        references: &[Reference],
        scales: Range<usize>,
    ) -> Option<(Selection, Held)> {
        let mut chain: Chain = selection.chain.clone();
        for scale in chain.weight_scales_mut().skip(scales.start).take(scales.len()) {
            *scale = Scale::new(scale.get() / 2.0).ok()?;
        }
        let params = selection.params.clone();
        let smaller = evaluate(self.circuit, self.ranges, params, &chain, self.request, self.costs).ok()?;
        if smaller.precision_bits < self.request.precision_bits {
            return None;
        }
        let held = self.held(&smaller, references);
        let smaller = Selection { log: selection.log.clone(), ..smaller };
        (held.kept == references.len()).then_some((smaller, held))
    }

    /// What the network says of the samples, or of as many as can be looked at; `None` when that is none.
    fn references(&self, program: &HeProgram) -> Option<Vec<Reference<'_>>> {
        let products = program.nodes().iter().map(|node| match node.op() {
            Op::Linear { map } => map.multiply_accumulates(),
            _ => 0,
        });
        let most = usize::try_from(MOST_PRODUCTS / products.sum::<u64>().max(1)).unwrap_or(usize::MAX);
        let stride = self.samples.len().div_ceil(most.max(1));
        let looked_at: Vec<&Sample> = self.samples.iter().step_by(stride.max(1)).take(most).collect();
        let outputs = self.each(&looked_at, |sample| {
            // The samples went through the circuit when ranges were found.
            let values = self.circuit.evaluate(sample).unwrap_or_default();
            let output = |(_, index): &(String, usize)| values.get(*index).cloned().unwrap_or_default();
            self.circuit.outputs.iter().map(output).collect::<Vec<_>>()
        });
        let references = looked_at.into_iter().zip(outputs).map(|(sample, outputs)| Reference { sample, outputs });
        Some(references.collect::<Vec<_>>()).filter(|references| !references.is_empty())
    }

    /// What a program with rounded weights says of the samples.
    fn held(&self, selection: &Selection, references: &[Reference]) -> Held {
        let noise = 2.0 * error_bound(selection);
        let one = |reference: &Reference| {
            let Ok(outputs) = evaluate_clear(&selection.placed.program, reference.sample) else {
                return Held { kept: 0, deviation: f64::INFINITY };
            };
            let pairs = || reference.outputs.iter().zip(&outputs);
            let kept = pairs().all(|(before, after)| keeps_label(before, after, noise));
            let off = pairs().flat_map(|(before, after)| before.iter().zip(after)).map(|(x, y)| (x - y).abs());
            Held { kept: usize::from(kept), deviation: off.fold(0.0, f64::max) }
        };
        let all = self.each(references, one).into_iter();
        all.fold(Held::default(), |sum, one| Held {
            kept: sum.kept + one.kept,
            deviation: sum.deviation.max(one.deviation),
        })
    }

    /// What a function makes of each item, items shared out to the threads.
    fn each<T: Sync, R: Send>(&self, items: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let present = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = items.len().div_ceil(self.threads.clamp(1, present)).max(1);
        let make = &make;
        std::thread::scope(|scope| {
            let running: Vec<_> = items
                .chunks(share)
                .map(|items| scope.spawn(move || items.iter().map(make).collect::<Vec<R>>()))
                .collect();
            let panicked = |payload| std::panic::resume_unwind(payload);
            running.into_iter().flat_map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        })
    }
}

/// Whether the largest element is the same, by enough.
fn keeps_label(before: &[f64], after: &[f64], noise: f64) -> bool {
    let Some((label, lead)) = label_of(before) else { return true };
    label_of(after).is_some_and(|(found, left)| found == label && left >= noise.min(lead * (1.0 - LEAD_LOST)))
}

/// The largest of two elements or more, the first of equal ones, and its lead over the next.
fn label_of(output: &[f64]) -> Option<(usize, f64)> {
    let first = output.iter().enumerate().reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    let others = output.iter().enumerate().filter(|(index, _)| *index != first.0);
    let second = others.map(|(_, x)| *x).reduce(f64::max)?;
    Some((first.0, first.1 - second))
}

/// The largest error bound among the outputs.
fn error_bound(selection: &Selection) -> f64 {
    let outputs = selection.placed.program.outputs().iter();
    outputs.filter_map(|(_, id)| selection.errors.get(id.index())).map(|error| error.bound).fold(0.0, f64::max)
}

/// Bits of the largest weight of each linear operation, with its layer.
fn largest_weights(program: &HeProgram) -> Vec<(String, u32)> {
    let linear = program.nodes().iter().filter_map(|node| match node.op() {
        Op::Linear { map } => Some((node.source().to_owned(), u64::BITS - map.largest_weight().leading_zeros())),
        _ => None,
    });
    linear.collect()
}
