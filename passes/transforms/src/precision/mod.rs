//! How exact the outputs will be: the noise of every value along a program, and whether every value fits its modulus.
//!
//! Noise follows `he_params::noise`, one variance per value, worst row of a linear map, worst slot of a key switch. Rounding the weights to integers
//! counts as noise too: a weight's error is uniform in half a unit, so an output is off by at most a sum of variance
//! `sum x_i^2 / (12 weight_scale^2)`, with the sum of squares bounded by the ranges.

use he_ir::{HeProgram, LinearMap, Node, Op};
use he_params::LogN;
use he_params::noise::{Noise, NoiseModel};

use crate::ranges::ValueRange;

/// What is predicted for one value, in units of the message.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct ValueError {
    /// Root mean square error of a slot.
    pub std: f64,
    /// Error that no slot exceeds, with high probability.
    pub bound: f64,
    /// Bits between the value's bound (range times scale, plus noise) and half its modulus: negative means it may outgrow it.
    pub headroom_bits: f64,
}

/// The scheme a program runs on, as far as noise goes.
#[derive(Clone, Debug)]
pub struct NoiseSetting<'a> {
    /// Degree and distributions.
    pub model: NoiseModel,
    /// log2 of the product of the special primes; 0 without any.
    pub log_p: f64,
    /// Ciphertext primes.
    pub q: &'a [u64],
    /// Ciphertext primes to a key switching digit.
    pub primes_per_digit: usize,
}

/// One prediction per value; `ranges` holds one range per value.
pub fn estimate(program: &HeProgram, ranges: &[&ValueRange], setting: &NoiseSetting) -> Vec<ValueError> {
    let log_n = setting.model.log_n();
    let mut noises: Vec<Noise> = Vec::with_capacity(program.nodes().len());
    let mut errors = Vec::with_capacity(program.nodes().len());
    for (index, node) in program.nodes().iter().enumerate() {
        let noise = node_noise(program, node, &noises, ranges, setting);
        noises.push(noise);
        let scale = node.value().scale.get();
        let log_q: f64 = setting.q[..node.value().level.prime_count()].iter().map(|&q| (q as f64).log2()).sum();
        let used = ranges[index].magnitude * scale + noise.slot_bound(log_n);
        errors.push(ValueError {
            std: noise.slot_std(log_n) / scale,
            bound: noise.slot_bound(log_n) / scale,
            headroom_bits: log_q - 1.0 - used.log2(),
        });
    }
    errors
}

fn node_noise(
    program: &HeProgram,
    node: &Node,
    noises: &[Noise],
    ranges: &[&ValueRange],
    setting: &NoiseSetting,
) -> Noise {
    let model = &setting.model;
    let operand = |i: usize| node.operands().get(i).map_or(0, |id| id.index());
    // Largest magnitude of an operand's slots, in integer units.
    let slot = |i: usize| {
        let id = operand(i);
        ranges[id].magnitude * program.nodes()[id].value().scale.get()
    };
    let x = || noises[operand(0)];
    let level = node.operands().first().and_then(|&id| program.node(id)).map(|n| n.value().level);
    match node.op() {
        Op::Input { .. } => model.encoding().plus(model.symmetric_encryption()),
        Op::Linear { map } => {
            let scale = program.nodes()[operand(0)].value().scale.get();
            linear_noise(map, x(), ranges[operand(0)], scale, model.log_n())
        }
        Op::Add | Op::Sub => x().plus(noises[operand(1)]),
        Op::Mul => model.product(x(), slot(0), noises[operand(1)], slot(1)),
        Op::Square => model.square(x(), slot(0)),
        Op::Relinearize => {
            let primes = level.map_or(0, |l| l.prime_count());
            let digits: Vec<f64> = setting.q[..primes]
                .chunks(setting.primes_per_digit.max(1))
                .map(|chunk| chunk.iter().map(|&q| (q as f64).log2()).sum())
                .collect();
            // The worst slot's mean square stands for all slots.
            let worst = model.key_switch_worst_slot_std(digits.iter().copied(), setting.log_p);
            x().plus(Noise::from_variance(worst * worst / model.log_n().n() as f64))
        }
        Op::Rescale => {
            let last = level.map_or(0, |l| l.last_prime());
            let components = node.value().component_count;
            model.rescale(x(), setting.q[last], components)
        }
        _ => x(),
    }
}

fn linear_noise(map: &LinearMap, x: Noise, range: &ValueRange, scale: f64, log_n: LogN) -> Noise {
    let (mut squares, mut most) = (0.0f64, 0);
    for block in map.blocks() {
        for row in block.weights().chunks(block.columns().max(1)) {
            squares = squares.max(row.iter().map(|&w| (w as f64).powi(2)).sum());
            most = most.max(row.iter().filter(|&&w| w != 0).count());
        }
    }
    // In integer units the weights' rounding errors have variance 1/12 each and multiply messages x_i * scale.
    let square_sum = range.square_sum.min(most as f64 * range.magnitude * range.magnitude);
    let rounding = Noise::from_variance(square_sum * scale * scale / 12.0 / log_n.n() as f64);
    x.weighted(squares).plus(rounding)
}

#[cfg(test)]
mod tests;
