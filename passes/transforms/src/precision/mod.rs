//! How exact the outputs will be: the noise of every value along a program, and whether every value fits its modulus.
//!
//! Noise follows `he_params::noise`, one variance per element of each value: an element that is multiplied by large messages or summed with large
//! weights has more of it. Messages enter by their mean squares along the calibration samples times the margin squared (by their bounds where
//! there are no samples), since an error is a sum of many, and some images are larger than the mean. A key switch counts as noisy as in its worst
//! slot everywhere. Rounding the weights to integers counts as noise too: a weight's error is uniform in half a unit either way, so it adds
//! `sum x_i^2 / (12 weight_scale^2)` to an output's variance. A weight that is an integer then, as zeros are, is exact; one that rounds to zero may
//! have lost all of itself, half a unit, and counts three times as much.
//!
//! Under a mask (see [`crate::masking`]) errors are those of the values as they were before it, by the worst factors: what is added to a value that
//! may be multiplied by 1/f counts f times, and rounding of weights that read factor f and write 1/g counts f g times.

use std::sync::Arc;

use graph::affine::AffineMap;
use he_ir::{HeProgram, LinearMap, Node, Op, Refresh, ValueId};
use he_params::Scale;
use he_params::noise::{Digit, Encryption, Noise, NoiseModel};

use crate::ranges::ValueRange;
use crate::segments::pass_on;

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
    /// How inputs are encrypted; what the key owner refreshes always is under the secret key.
    pub encryption: Encryption,
}

/// One prediction per value; `ranges` holds one range per value, `real_weights` what the integers of each linear map stand for, where that is
/// known: weights that lose nothing, structural zeros above all, are taken for exact.
pub fn estimate(
    program: &HeProgram,
    ranges: &[&ValueRange],
    real_weights: &[Option<Arc<AffineMap>>],
    setting: &NoiseSetting,
) -> Vec<ValueError> {
    let shape = setting.model.shape();
    let mut noises: Vec<Vec<Noise>> = Vec::with_capacity(program.nodes().len());
    let mut errors = Vec::with_capacity(program.nodes().len());
    for (index, node) in program.nodes().iter().enumerate() {
        let real = real_weights.get(index).and_then(Option::as_deref);
        let noise = node_noise(program, node, real, &noises, ranges, setting);
        let worst = noise.iter().copied().fold(Noise::NONE, |a, b| if b > a { b } else { a });
        noises.push(noise);
        let scale = node.value().scale.get();
        let log_q: f64 = setting.q[..node.value().level.prime_count()].iter().map(|&q| (q as f64).log2()).sum();
        let used = ranges[index].magnitude * scale + worst.slot_bound(shape) * ranges[index].factor;
        errors.push(ValueError {
            std: worst.slot_std(shape) / scale,
            bound: worst.slot_bound(shape) / scale,
            headroom_bits: log_q - 1.0 - used.log2(),
        });
    }
    errors
}

fn node_noise(
    program: &HeProgram,
    node: &Node,
    real: Option<&AffineMap>,
    noises: &[Vec<Noise>],
    ranges: &[&ValueRange],
    setting: &NoiseSetting,
) -> Vec<Noise> {
    let model = &setting.model;
    let operand = |i: usize| node.operands().get(i).map_or(0, |id| id.index());
    let scale = |i: usize| program.nodes()[operand(i)].value().scale.get();
    // Magnitudes of an operand's slots, in integer units, element by element.
    let slots = |i: usize| ranges[operand(i)].squares.iter().map(move |square| square.sqrt() * scale(i));
    let x = || noises[operand(0)].iter().copied();
    let y = || noises[operand(1)].iter().copied();
    let level = node.operands().first().and_then(|&id| program.node(id)).map(|n| n.value().level);
    let own = ranges[noises.len()];
    // An error that is made here, as large as the smallest factor makes it look.
    let added = |noise: Noise| Noise::from_variance(noise.variance() * own.factor * own.factor);
    match node.op() {
        Op::Input { .. } => vec![model.fresh(setting.encryption, setting.log_p); node.value().elements()],
        Op::Linear { map } => {
            linear_noise(map, real, &noises[operand(0)], ranges[operand(0)], own.factor, scale(0), model)
        }
        Op::Add | Op::Sub => x().zip(y()).map(|(x, y)| x.plus(y)).collect(),
        Op::Mul => {
            let pairs = x().zip(slots(0)).zip(y().zip(slots(1)));
            pairs.map(|((x, x_slot), (y, y_slot))| model.product(x, x_slot, y, y_slot)).collect()
        }
        Op::Square => x().zip(slots(0)).map(|(x, slot)| model.square(x, slot)).collect(),
        Op::Relinearize => {
            let primes = level.map_or(0, |l| l.prime_count());
            let digits = Digit::of(&setting.q[..primes], setting.primes_per_digit);
            let switched = model.of_slot_std(model.key_switch_worst_slot_std(&digits, setting.log_p));
            x().map(|x| x.plus(added(switched))).collect()
        }
        Op::Rescale => {
            let prime = setting.q[level.map_or(0, |l| l.last_prime())] as f64;
            let rounding = added(model.rounding(node.value().component_count));
            x().map(|x| x.over(prime).plus(rounding)).collect()
        }
        Op::RelinearizeRescale => {
            let primes = level.map_or(0, |l| l.prime_count());
            let digits = Digit::of(&setting.q[..primes], setting.primes_per_digit);
            let last = setting.q[level.map_or(0, |l| l.last_prime())];
            let made = added(model.key_switch_rescale(Noise::NONE, &digits, setting.log_p, last));
            x().map(|x| x.over(last as f64).plus(made)).collect()
        }
        Op::Refresh { refresh } => {
            let of = |id: &ValueId| {
                let x = id.index();
                (&noises[x][..], program.nodes()[x].value().scale, ranges[x])
            };
            let fresh = added(model.fresh(Encryption::Symmetric, 0.0));
            refresh_noise(refresh, &node.operands().iter().map(of).collect::<Vec<_>>(), own, fresh)
        }
        Op::Gather { indices, .. } => indices.iter().map(|&i| noises[operand(0)][i as usize]).collect(),
        _ => x().collect(),
    }
}

/// What the key owner's function makes of the errors, and the noise of fresh ciphertexts.
fn refresh_noise(
    refresh: &Refresh,
    operands: &[(&[Noise], Scale, &ValueRange)],
    result: &ValueRange,
    fresh: Noise,
) -> Vec<Noise> {
    let errors = operands
        .iter()
        .flat_map(|(noise, scale, _)| noise.iter().map(|noise| [noise.variance() / (scale.get() * scale.get())]));
    let errors: Vec<[f64; 1]> = errors.collect();
    let squares: Vec<f64> = operands.iter().flat_map(|(_, _, range)| &range.squares).copied().collect();
    let magnitude = operands.iter().map(|(_, _, range)| range.magnitude).fold(0.0, f64::max);
    let groups = refresh.groups.as_deref();
    pass_on(refresh.function, groups, &errors, &squares, magnitude, &result.squares)
        .into_iter()
        .map(|[v]| Noise::from_variance(v * refresh.scale.get() * refresh.scale.get()).plus(fresh))
        .collect()
}

fn linear_noise(
    map: &LinearMap,
    real: Option<&AffineMap>,
    x: &[Noise],
    range: &ValueRange,
    factor: f64,
    scale: f64,
    model: &NoiseModel,
) -> Vec<Noise> {
    // Maps that only bring a value down have no real weights, and no mask changes them.
    let masked = if real.is_some() { range.factor * factor } else { 1.0 };
    // In integer units the weights' rounding errors have variance 1/12 each and multiply messages x_i * scale.
    let rounding = masked * masked * model.of_slot_std(scale).variance() / 12.0;
    let mut y = vec![Noise::NONE; map.outputs()];
    for group in map.groups().iter() {
        let block = &map.blocks()[group.block];
        let inputs: Vec<(f64, f64)> =
            group.inputs.iter().map(|&i| (x[i as usize].variance(), rounding * range.squares[i as usize])).collect();
        let real = real.and_then(|map| map.blocks().get(group.block));
        for (index, (&output, row)) in
            group.outputs.iter().zip(block.weights().chunks(block.columns().max(1))).enumerate()
        {
            let real = real.map_or(&[] as &[f64], |block| block.row(index));
            let is_exact = |column: usize, w: i64| {
                // A masked weight is an integer by chance only, but for zeros.
                real.get(column)
                    .is_some_and(|&real| real * map.weight_scale().get() == w as f64 && (masked == 1.0 || real == 0.0))
            };
            let terms = row.iter().zip(&inputs).enumerate().map(|(column, (&w, (noise, rounding)))| {
                let rounding = match w {
                    _ if is_exact(column, w) => 0.0,
                    0 => 3.0 * rounding,
                    _ => *rounding,
                };
                (w as f64).powi(2) * noise + rounding
            });
            y[output as usize] = Noise::from_variance(terms.sum());
        }
    }
    y
}

#[cfg(test)]
mod tests;
