//! Where the time of an operation goes.
//!
//! Parts of an operation are measured in the same run, each on its own, with the public operations that it is made of and
//! operands of the same shapes; or, of a transform and a matrix product, they are its instructions at the rate that the
//! processor can issue them. What no part accounts for is the rest. It can be negative: a part alone may take longer than as
//! part of a pass that finds its data in the cache.

use serde::Serialize;

use crate::contest::{Contender, Plan, measure};

/// A part of an operation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Part {
    pub(crate) what: String,
    /// Microseconds of one operation.
    pub(crate) us: f64,
    /// Of all of its time.
    pub(crate) share: f64,
}

/// Parts as they are found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Profile(Vec<(String, f64)>);

impl Profile {
    /// A part, in microseconds.
    pub(crate) fn add(&mut self, what: impl Into<String>, us: f64) {
        self.0.push((what.into(), us));
    }

    /// Microseconds of all parts together.
    pub(crate) fn sum(&self) -> f64 {
        self.0.iter().map(|(_, us)| us).sum()
    }

    /// Microseconds of the parts of a name.
    pub(crate) fn us(&self, what: &str) -> f64 {
        self.0.iter().filter(|(name, _)| name == what).map(|(_, us)| us).sum()
    }

    /// The same parts of an operation that is done so many times.
    pub(crate) fn times(mut self, count: f64) -> Profile {
        self.0.iter_mut().for_each(|(_, us)| *us *= count);
        self
    }

    /// The parts of something else besides.
    pub(crate) fn extend(&mut self, others: Profile) {
        self.0.extend(others.0);
    }

    /// The same parts, whose names begin with `prefix`.
    pub(crate) fn named(mut self, prefix: &str) -> Profile {
        self.0.iter_mut().for_each(|(what, _)| what.insert_str(0, prefix));
        self
    }

    /// Parts of an operation that takes so many microseconds, and what is left, which is called `rest`. None without parts.
    pub(crate) fn of(&self, total: f64, rest: &str) -> Vec<Part> {
        if self.0.is_empty() || total <= 0.0 {
            return Vec::new();
        }
        let part = |what: &str, us: f64| Part { what: what.to_owned(), us, share: us / total };
        let parts = self.0.iter().map(|(what, us)| part(what, *us));
        parts.chain([part(rest, total - self.sum())]).collect()
    }
}

/// Rounds that one part is measured in.
const ROUNDS: usize = 11;

/// Microseconds of one `operation` on this thread, on something fresh each time, whose making is not timed.
pub(crate) fn time<T, R>(
    plan: &Plan,
    prepare: impl FnMut() -> anyhow::Result<T>,
    operation: impl FnMut(T) -> anyhow::Result<R>,
) -> anyhow::Result<f64> {
    let plan = Plan { rounds: plan.rounds.min(ROUNDS), ..*plan };
    let times = measure(&mut [Contender::prepared("a part", prepare, operation)], &plan, 1)?;
    Ok(times.first().and_then(|times| times.median()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn shares_and_the_rest() {
        let mut profile = Profile::default();
        assert_eq!(profile.of(1.0, "rest"), []);
        profile.add("first", 2.0);
        profile.add("second", 1.0);
        let parts = profile.clone().times(2.0).of(8.0, "rest");
        let found: Vec<(&str, f64, f64)> = parts.iter().map(|part| (part.what.as_str(), part.us, part.share)).collect();
        assert_eq!(found, [("first", 4.0, 0.5), ("second", 2.0, 0.25), ("rest", 2.0, 0.25)]);
        assert_eq!((profile.sum(), profile.of(0.0, "rest")), (3.0, Vec::new()));
        let mut both = profile.clone().named("a ");
        both.extend(profile);
        assert_eq!((both.us("a first"), both.us("second"), both.us("third"), both.sum()), (2.0, 1.0, 0.0, 6.0));
    }

    #[test]
    fn a_part_is_timed_without_its_preparation() {
        let plan = Plan { rounds: 2, sample: Duration::ZERO, patience: Duration::from_secs(60) };
        let prepare = || {
            std::thread::sleep(Duration::from_millis(200));
            Ok(())
        };
        let us = time(&plan, prepare, Ok).unwrap();
        assert!((0.0..200_000.0).contains(&us), "{us}");
    }
}
