//! Scales that are carried over several operations and rescaled when it pays.
//!
//! For a circuit in which every operation reads the one before it, nothing forces a scale per level: scales multiply, and a prime is dropped where
//! that makes the rest cheaper. A [`Schedule`] says which results are relinearized and by which primes they are rescaled, and the scales of the
//! input and of all weights. [`search`] finds the cheapest one for a number of primes, [`tune`] spends what room it leaves on precision.
//!
//! Bits: let r(v) be the error that rounding to integers leaves on a value (fresh noise, weights, a key switch, a rescale) and u(v) what an error of
//! one there does to the outputs, relative to the error allowed ([`crate::sensitivity`]). Every such place at scale s takes the share
//! `(u r / s)^2` of what is allowed; all shares together may be one. That bounds scales from below; magnitude times scale below half the modulus
//! bounds them from above.
//! Source: rescaling by a waterline is \[EVA20\]'s; here the waterline is each value's own, and relinearization is placed in the same search.

mod search;
mod tune;

use he_params::noise::{Digit, NoiseModel, slot_bound_stds};
use he_params::primes::ntt_primes_except;
use he_params::{ErrorDistribution, ParamsError, RingShape, Scale, SecretDistribution};

use super::Request;
use super::chain::{Needs, WORD_32_BITS};
use crate::cost::{CostModel, PLANE_BITS};
use crate::lowering::{Circuit, Gate};
use crate::placement::{Chain, Management, Step};
use crate::ranges::ValueRange;
use crate::sensitivity::Sensitivity;

/// Bits of a prime that are counted on: the largest primes of a size are a little below its power of two.
const PRIME_LOSS_BITS: f64 = 0.02;

/// Bits left between the bound on a value and half its modulus.
const HEADROOM_BITS: f64 = 0.1;

/// Bits of the largest integer weight: two passes of the matrix product.
const MOST_WEIGHT_BITS: f64 = 2.0 * PLANE_BITS as f64;

/// Whether every operation reads the one before it and nothing else, and the only output is the last one.
pub(super) fn applies(circuit: &Circuit) -> bool {
    let reads_last = |(index, operands): (usize, &[usize])| match index {
        0 => operands.is_empty(),
        _ => !operands.is_empty() && operands.iter().all(|&x| x + 1 == index),
    };
    let is_last = |&(_, index): &(String, usize)| index + 1 == circuit.nodes.len();
    let sums = circuit.nodes.iter().any(|n| matches!(n.gate, Gate::Add | Gate::Sub | Gate::Client(_)));
    !sums
        && circuit.nodes.iter().map(|n| n.operands.as_slice()).enumerate().all(reads_last)
        && matches!(circuit.outputs.as_slice(), [output] if is_last(output))
}

/// What an operation does to a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Input,
    /// Multiplies it by that of the weights.
    Linear,
    /// Squares it, and leaves three components.
    Square,
    /// Nothing.
    Keep,
}

/// One operation of the circuit, in bits.
#[derive(Clone, Debug)]
struct Place {
    kind: Kind,
    /// Bound on the result's magnitude.
    magnitude: f64,
    /// Share of the error allowed (log2 of its root) that an error of one in every element of the result takes.
    unit: f64,
    /// The same for its weights rounded to integers at scale one.
    rounding: f64,
    /// Largest weight.
    weight: f64,
}

/// A circuit, in bits, in one ring.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    circuit: &'a Circuit,
    shape: RingShape,
    places: Vec<Place>,
    /// Error of a fresh ciphertext in a slot.
    fresh: f64,
    /// Error that a rescale of two components leaves in a slot.
    rescale: f64,
    /// Smallest size of a prime to rescale by.
    least_prime: u8,
    /// Whether a relinearize and the rescale behind it are one operation. Its error is taken for that of the two, which is larger by a rounding at the
    /// scale before.
    fused: bool,
}

impl<'a> Problem<'a> {
    /// The circuit in a ring, with errors as shares of what the precision asked for allows.
    pub(super) fn new(
        circuit: &'a Circuit,
        ranges: &[ValueRange],
        sensitivity: &Sensitivity,
        shape: RingShape,
        request: &Request,
    ) -> Problem<'a> {
        let model = noise_model(shape);
        let allowed = (-request.precision_bits).exp2() / slot_bound_stds(shape.ring_type());
        let share = |variances: &[f64]| {
            let worst = variances.iter().zip(&sensitivity.typical).map(|(v, t)| v.sqrt() / (t * allowed));
            worst.fold(f64::MIN_POSITIVE, f64::max).log2()
        };
        let place = |(index, node): (usize, &crate::lowering::CircuitNode)| {
            let (kind, weight) = match &node.gate {
                Gate::Input { .. } => (Kind::Input, 0.0),
                Gate::Linear(map) => (Kind::Linear, largest(map.blocks().iter().flat_map(|b| b.weights()))),
                Gate::Mul | Gate::Square => (Kind::Square, 0.0),
                _ => (Kind::Keep, 0.0),
            };
            Place {
                kind,
                magnitude: ranges[index].magnitude.max(f64::MIN_POSITIVE).log2(),
                unit: share(&sensitivity.unit[index]),
                rounding: sensitivity.rounding[index].as_deref().map_or(f64::NEG_INFINITY, share),
                weight,
            }
        };
        Problem {
            circuit,
            shape,
            places: circuit.nodes.iter().enumerate().map(place).collect(),
            fresh: model.fresh(request.encryption, f64::from(WORD_32_BITS)).slot_std(shape).log2(),
            rescale: model.rounding(2).slot_std(shape).log2(),
            least_prime: shape.cyclotomic().get() + 4,
            fused: request.fused,
        }
    }

    /// Error of a key switch over so many primes in its worst slot, primes and special prime being of one size.
    fn key_switch(&self, primes: usize) -> f64 {
        let bits = f64::from(WORD_32_BITS);
        let digit = Digit { log_modulus: bits };
        noise_model(self.shape).key_switch_worst_slot_std(&vec![digit; primes], bits).log2()
    }

    /// Schedules over so many primes, cheapest first, tuned. None may be precise enough; that is for an estimate of the whole program to say.
    pub(super) fn schedules(&self, primes: usize, costs: &CostModel) -> Vec<Schedule> {
        let mut found: Vec<Schedule> = Vec::new();
        // The shares are not known beforehand: each place is allowed everything, then less and less.
        for quarter in 0..=10 {
            if let Some(schedule) = search::cheapest(self, primes, f64::from(quarter) / 4.0, costs) {
                let schedule = tune::tune(self, schedule);
                if !found.contains(&schedule) {
                    found.push(schedule);
                }
            }
        }
        found.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        found
    }
}

/// What is done to one result.
#[derive(Clone, Debug, Default, PartialEq)]
struct Managed {
    /// Bits of the weights' scale.
    weight: Option<f64>,
    relinearize: bool,
    /// Bits of the primes it is rescaled by, in order.
    dropped: Vec<u8>,
}

/// Scales and primes of a whole circuit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    /// Ciphertext primes.
    primes: usize,
    /// Bits of the input's scale.
    input: f64,
    /// One per node.
    steps: Vec<Managed>,
    /// Seconds forecast.
    pub(super) seconds: f64,
    /// log2 of the error over what is allowed.
    pub(super) error: f64,
}

impl Schedule {
    /// The chain with actual primes.
    pub(super) fn chain(&self, shape: RingShape, needs: &Needs) -> Result<Chain, ParamsError> {
        let mut bits = vec![WORD_32_BITS; self.primes];
        let dropped = self.steps.iter().flat_map(|step| &step.dropped);
        bits.iter_mut().rev().zip(dropped).for_each(|(bits, dropped)| *bits = *dropped);
        let mut taken: Vec<u64> = Vec::new();
        for size in bits.into_iter().chain(needs.products.then_some(WORD_32_BITS)) {
            let prime = ntt_primes_except(size, shape.cyclotomic(), 1, &taken)?;
            taken.extend(prime);
        }
        let p = taken.split_off(self.primes);
        let step = |step: &Managed| {
            let weight_scale = step.weight.map(Scale::from_log2).transpose()?;
            let rescales = u8::try_from(step.dropped.len()).unwrap_or(u8::MAX);
            Ok(Step { weight_scale, relinearize: step.relinearize, rescales })
        };
        Ok(Chain {
            shape,
            q: taken,
            p,
            input_scale: Scale::from_log2(self.input)?,
            fused: needs.fused,
            management: Management::Carried(self.steps.iter().map(step).collect::<Result<_, ParamsError>>()?),
        })
    }
}

fn noise_model(shape: RingShape) -> NoiseModel {
    NoiseModel::new(shape, SecretDistribution::default(), ErrorDistribution::default())
}

fn largest<'a>(weights: impl Iterator<Item = &'a f64>) -> f64 {
    weights.fold(f64::MIN_POSITIVE, |m, w| w.abs().max(m)).log2()
}
