//! The cheapest schedule over a number of primes, by dynamic programming along the circuit.
//!
//! State of a result: primes left, components, scale, and slack: how many bits smaller than a whole word one more of the primes so far may be
//! without any earlier value outgrowing its modulus. Scales of inputs and weights are the smallest that the tightness allows, so a schedule is
//! decided by where it relinearizes and rescales.

use std::collections::BTreeMap;

use super::{HEADROOM_BITS, Kind, MOST_WEIGHT_BITS, Managed, PRIME_LOSS_BITS, Problem, Schedule};
use crate::cost::{CostModel, Words, gate_work, planes};
use crate::parameters::chain::WORD_32_BITS;

/// Steps of a bit in which scales are counted.
const STEPS: f64 = 4.0;

/// Most states kept per operation, the cheapest ones.
const MOST_STATES: usize = 4096;

/// Most rescales of one result.
const MOST_RESCALES: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    primes: usize,
    components: usize,
    /// In steps of a bit.
    scale: i64,
    /// In whole bits.
    slack: i64,
}

#[derive(Clone, Debug)]
struct Reached {
    seconds: f64,
    from: State,
    relinearize: bool,
    dropped: Vec<u8>,
}

fn bits(scale: i64) -> f64 {
    scale as f64 / STEPS
}

/// The smallest number of steps that is at least so many bits.
fn steps(bits: f64) -> i64 {
    (bits * STEPS).ceil() as i64
}

/// The cheapest schedule in which no error takes more than `2^-tightness` (of the root) of what is allowed, if there is any.
pub(super) fn cheapest(problem: &Problem, primes: usize, tightness: f64, costs: &CostModel) -> Option<Schedule> {
    let search = Search {
        problem,
        tightness,
        costs,
        words: Words::all_32_bit(primes),
        log_n: u32::from(problem.shape.log_n().get()),
    };
    search.run(primes)
}

struct Search<'a> {
    problem: &'a Problem<'a>,
    tightness: f64,
    costs: &'a CostModel,
    words: Words,
    log_n: u32,
}

impl Search<'_> {
    fn run(&self, primes: usize) -> Option<Schedule> {
        let places = &self.problem.places;
        let input_bits = places.first()?.unit + self.problem.fresh + self.tightness;
        let input = State { primes, components: 2, scale: steps(input_bits), slack: i64::MAX };
        let mut tables: Vec<BTreeMap<State, Reached>> = Vec::with_capacity(places.len());
        for index in 0..places.len() {
            let mut table = BTreeMap::new();
            let start = Reached { seconds: 0.0, from: input, relinearize: false, dropped: vec![] };
            let first = [(input, start)].into_iter().collect();
            for (state, reached) in tables.last().unwrap_or(&first) {
                self.follow(index, *state, reached.seconds, &mut table);
            }
            if table.len() > MOST_STATES {
                let mut all: Vec<_> = table.into_iter().collect();
                all.sort_by(|a, b| a.1.seconds.total_cmp(&b.1.seconds));
                all.truncate(MOST_STATES);
                table = all.into_iter().collect();
            }
            tables.push(table);
        }
        let settled = tables.last()?.iter().filter(|(state, _)| state.components == 2);
        let (mut state, end) = settled.min_by(|a, b| a.1.seconds.total_cmp(&b.1.seconds))?;
        let seconds = end.seconds;
        let mut steps = Vec::with_capacity(places.len());
        for (place, table) in places.iter().zip(&tables).rev() {
            let reached = table.get(state)?;
            let weight = (place.kind == Kind::Linear).then(|| self.weight(place.rounding));
            steps.push(Managed { weight, relinearize: reached.relinearize, dropped: reached.dropped.clone() });
            state = &reached.from;
        }
        steps.reverse();
        Some(Schedule { primes, input: bits(input.scale), steps, seconds, error: f64::INFINITY })
    }

    fn weight(&self, rounding: f64) -> f64 {
        bits(steps((rounding + self.tightness).max(0.0)))
    }

    /// Whether an error of `error` bits at this scale takes no more than its share.
    fn is_small(&self, unit: f64, error: f64, scale: i64) -> bool {
        unit + error - bits(scale) <= -self.tightness
    }

    /// All that can be done at operation `index` when its operand is in `from`.
    fn follow(&self, index: usize, from: State, before: f64, table: &mut BTreeMap<State, Reached>) {
        let place = &self.problem.places[index];
        let seconds = |work| self.costs.seconds(&work, self.log_n);
        let node = &self.problem.circuit.nodes[index];
        let elements = node.elements() as u64;
        let mut passes = 1;
        let (components, scale) = match place.kind {
            Kind::Input | Kind::Keep => (from.components, from.scale),
            Kind::Linear => {
                let weight = self.weight(place.rounding);
                if weight + place.weight > MOST_WEIGHT_BITS {
                    return;
                }
                passes = planes(weight + place.weight);
                (from.components, from.scale + steps(weight))
            }
            Kind::Square if from.components == 2 => (3, 2 * from.scale),
            Kind::Square => return,
        };
        let word = f64::from(WORD_32_BITS) - PRIME_LOSS_BITS;
        let room = word * from.primes as f64 - (bits(scale) + place.magnitude + 1.0 + HEADROOM_BITS);
        if room < 0.0 {
            return;
        }
        let slack = from.slack.min(room.floor() as i64);
        let mut state = State { primes: from.primes, components, scale, slack };
        let mut reached = Reached {
            seconds: before + seconds(gate_work(node, &self.words, from.primes, components, passes)),
            from,
            relinearize: false,
            dropped: vec![],
        };
        keep(table, state, &reached);
        if components == 3 {
            if !self.is_small(place.unit, self.problem.key_switch(state.primes), scale) {
                return;
            }
            state.components = 2;
            reached.relinearize = true;
            reached.seconds += seconds(self.words.relinearize(state.primes, elements));
            keep(table, state, &reached);
        }
        for _ in 0..MOST_RESCALES {
            // As much as the scale can lose, up to a word.
            let least = place.unit + self.problem.rescale + self.tightness;
            let most = (bits(state.scale) - least).floor().min(f64::from(WORD_32_BITS)) as i64;
            let missing = i64::from(WORD_32_BITS) - most;
            if most < i64::from(self.problem.least_prime) || missing > state.slack || state.primes < 2 {
                return;
            }
            reached.seconds += if reached.relinearize && reached.dropped.is_empty() && self.problem.fused {
                let apart = seconds(self.words.relinearize(state.primes, elements));
                seconds(self.words.relinearize_rescale(state.primes, elements)) - apart
            } else {
                seconds(self.words.rescale(state.primes, 2, elements))
            };
            reached.dropped.push(most as u8);
            state = State {
                primes: state.primes - 1,
                components: 2,
                scale: state.scale - steps(most as f64),
                slack: state.slack - missing,
            };
            // What was dropped may still have been needed.
            let used = bits(state.scale) + place.magnitude + 1.0 + HEADROOM_BITS;
            if used > word * state.primes as f64 {
                return;
            }
            keep(table, state, &reached);
        }
    }
}

/// Enters a state, unless it was reached at no more cost before.
fn keep(table: &mut BTreeMap<State, Reached>, state: State, reached: &Reached) {
    let capped = State { slack: state.slack.min(64), ..state };
    let better = table.get(&capped).is_none_or(|known| reached.seconds < known.seconds);
    if better {
        table.insert(capped, reached.clone());
    }
}
