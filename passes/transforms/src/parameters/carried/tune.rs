//! Spends the room that a schedule leaves on precision: scales and primes change, what is done does not.
//!
//! The error is a sum of powers of two of linear functions in the bits, so it is convex; the room is linear in them. Climbing by single
//! changes and by exchanges of one for another, in ever smaller steps, comes close enough to the optimum.

use super::{HEADROOM_BITS, Kind, MOST_WEIGHT_BITS, Managed, PRIME_LOSS_BITS, Place, Problem, Schedule};
use crate::cost::{PLANE_BITS, planes};
use crate::parameters::chain::WORD_32_BITS;

/// Changes tried, in bits.
const SIZES: [f64; 4] = [2.0, 1.0, 0.5, 0.25];

/// Most simulations.
const MOST_TRIES: usize = 100_000;

/// A number of a schedule that may change.
#[derive(Clone, Copy, Debug)]
enum Variable {
    Input,
    Weight(usize),
    Prime(usize, usize),
}

/// The schedule with the least error for what it does.
pub(super) fn tune(problem: &Problem, mut schedule: Schedule) -> Schedule {
    let mut variables = vec![Variable::Input];
    for (index, step) in schedule.steps.iter().enumerate() {
        variables.extend(step.weight.map(|_| Variable::Weight(index)));
        variables.extend((0..step.dropped.len()).map(|prime| Variable::Prime(index, prime)));
    }
    // Larger weights must not cost a pass more.
    let most: Vec<f64> = problem.places.iter().zip(&schedule.steps).map(|(p, s)| most_weight(p, s)).collect();
    let mut best = error(problem, &schedule, &most).unwrap_or(f64::INFINITY);
    let mut tries = 0;
    for size in SIZES {
        let changes: Vec<(Variable, f64)> = variables.iter().flat_map(|&v| [(v, size), (v, -size)]).collect();
        let mut improved = true;
        while improved && tries < MOST_TRIES {
            improved = false;
            for (i, first) in changes.iter().enumerate() {
                let pairs = changes[i + 1..].iter().map(|second| vec![*first, *second]);
                for change in std::iter::once(vec![*first]).chain(pairs) {
                    let Some(changed) = apply(problem, &schedule, &change) else { continue };
                    tries += 1;
                    if let Some(found) = error(problem, &changed, &most).filter(|&found| found < best - 1e-6) {
                        (best, schedule, improved) = (found, changed, true);
                    }
                }
            }
        }
    }
    schedule.error = best;
    schedule
}

/// Bits that the scale of a map's weights may have.
fn most_weight(place: &Place, step: &Managed) -> f64 {
    let passes = planes(step.weight.unwrap_or_default() + place.weight);
    MOST_WEIGHT_BITS.min(f64::from(PLANE_BITS) * passes as f64) - place.weight
}

fn apply(problem: &Problem, schedule: &Schedule, change: &[(Variable, f64)]) -> Option<Schedule> {
    let mut changed = schedule.clone();
    for &(variable, size) in change {
        match variable {
            Variable::Input => changed.input += size,
            Variable::Weight(index) => *changed.steps.get_mut(index)?.weight.as_mut()? += size,
            Variable::Prime(index, prime) => {
                let bits = changed.steps.get_mut(index)?.dropped.get_mut(prime)?;
                let wanted = f64::from(*bits) + size;
                if wanted.fract() != 0.0
                    || !(f64::from(problem.least_prime)..=f64::from(WORD_32_BITS)).contains(&wanted)
                {
                    return None;
                }
                *bits = wanted as u8;
            }
        }
    }
    Some(changed)
}

/// log2 of the error over what is allowed; `None` when a value outgrows its modulus or a weight its word.
fn error(problem: &Problem, schedule: &Schedule, most_weight: &[f64]) -> Option<f64> {
    let size = |bits: u8| f64::from(bits) - PRIME_LOSS_BITS;
    let dropped: usize = schedule.steps.iter().map(|step| step.dropped.len()).sum();
    let kept = (schedule.primes.checked_sub(dropped)?) as f64 * size(WORD_32_BITS);
    let mut modulus = kept + schedule.steps.iter().flat_map(|s| &s.dropped).map(|&b| size(b)).sum::<f64>();
    let (mut scale, mut primes, mut variance) = (schedule.input, schedule.primes, 0.0);
    for ((place, step), most_weight) in problem.places.iter().zip(&schedule.steps).zip(most_weight) {
        let share = |bits: f64| (2.0 * bits).exp2();
        match place.kind {
            Kind::Input => variance += share(place.unit + problem.fresh - scale),
            Kind::Linear => {
                let weight = step.weight?;
                if weight > *most_weight || weight < 0.0 {
                    return None;
                }
                scale += weight;
                variance += share(place.rounding - weight);
            }
            Kind::Square => scale *= 2.0,
            Kind::Keep => {}
        }
        let mut fits = scale + place.magnitude + 1.0 + HEADROOM_BITS <= modulus;
        if step.relinearize {
            variance += share(place.unit + problem.key_switch(primes) - scale);
        }
        for &bits in &step.dropped {
            (scale, modulus, primes) = (scale - size(bits), modulus - size(bits), primes - 1);
            variance += share(place.unit + problem.rescale - scale);
            fits &= scale + place.magnitude + 1.0 + HEADROOM_BITS <= modulus;
        }
        if !fits {
            return None;
        }
    }
    Some(0.5 * variance.log2())
}
