//! Measures several ways of doing one thing, turn by turn in one process.
//!
//! A round is one sample of each contender, and every contender is sampled in every round, so that whatever else the
//! machine does falls on all alike. A sample runs the operation once untimed, to have its data in the caches again after
//! the others' turns, and then repeats it until it has taken [`Plan::sample`]. What is reported is the median and the
//! least over the rounds.
//!
//! A row of one thread is measured in processor time of that thread when each contender takes at least [`SHORT`], so that
//! other programs that share the processor do not count; every other row by the clock on the wall.
//!
//! On all threads each thread has operands of its own and all run the same contender at the same time: what counts is how
//! many operations the processor does a second, and the time of one is its share of that.

use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Samples of each contender, at most.
    pub(crate) rounds: usize,
    /// The least that a sample takes, unless one operation takes longer.
    pub(crate) sample: Duration,
    /// No new round begins after this much, but there are always [`MIN_ROUNDS`].
    pub(crate) patience: Duration,
}

/// Below this the call that reads processor time would count.
const SHORT: Duration = Duration::from_micros(100);

/// Rounds of a row however long they take.
const MIN_ROUNDS: usize = 3;

/// What time is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The clock on the wall.
    Wall,
    /// Processor time of this thread.
    Thread,
}

impl Clock {
    fn now(self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        let thread = if self == Clock::Thread { crate::seal::thread_time() } else { None };
        thread.unwrap_or_else(|| START.elapsed())
    }

    fn since(self, start: Duration) -> Duration {
        self.now().saturating_sub(start)
    }
}

/// One way of doing it.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    /// Does it so many times and says how long the doing took on the given clock, without its preparation.
    run: Box<dyn FnMut(usize, Clock) -> anyhow::Result<Duration> + 'a>,
    /// How many times what it does goes into the whole operation.
    parts: f64,
}

impl<'a> Contender<'a> {
    /// An operation without preparation: all repetitions are timed together.
    pub(crate) fn new(
        name: impl Into<String>,
        mut operation: impl FnMut() -> anyhow::Result<()> + 'a,
    ) -> Contender<'a> {
        let run = move |times, clock: Clock| {
            let start = clock.now();
            for _ in 0..times {
                operation()?;
            }
            Ok(clock.since(start))
        };
        Contender { name: name.into(), run: Box::new(run), parts: 1.0 }
    }

    /// For one that does only a part of the operation, because all of it would take too long: its times count so often.
    #[cfg(feature = "seal")]
    pub(crate) fn one_part_of(mut self, parts: f64) -> Contender<'a> {
        self.parts = parts;
        self
    }

    /// An operation on something fresh, whose making is not timed; nor is the freeing of what came of it.
    pub(crate) fn prepared<T, R>(
        name: impl Into<String>,
        mut prepare: impl FnMut() -> anyhow::Result<T> + 'a,
        mut operation: impl FnMut(T) -> anyhow::Result<R> + 'a,
    ) -> Contender<'a> {
        let run = move |times, clock: Clock| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                let fresh = prepare()?;
                let start = clock.now();
                let result = operation(fresh)?;
                took += clock.since(start);
                drop(result);
            }
            Ok(took)
        };
        Contender { name: name.into(), run: Box::new(run), parts: 1.0 }
    }
}

/// Microseconds of one operation, one entry per round.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn new(microseconds: Vec<f64>) -> Times {
        Times(microseconds)
    }

    /// Nothing without a round.
    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted.get((sorted.len().max(1) - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some((low + high) / 2.0)
    }

    /// Nothing without a round.
    pub(crate) fn least(&self) -> Option<f64> {
        self.0.iter().copied().min_by(f64::total_cmp)
    }

    pub(crate) fn rounds(&self) -> usize {
        self.0.len()
    }
}

/// The times of each contender, in their order. `threads` is how many they work on.
pub(crate) fn measure(contenders: &mut [Contender<'_>], plan: &Plan, threads: usize) -> anyhow::Result<Vec<Times>> {
    let mut repetitions = Vec::with_capacity(contenders.len());
    let mut clock = if threads == 1 { Clock::Thread } else { Clock::Wall };
    for contender in contenders.iter_mut() {
        // The first run warms caches and pools.
        contender.sample(1, Clock::Wall)?;
        let once = contender.sample(1, Clock::Wall)?.max(Duration::from_nanos(20));
        if once < SHORT {
            clock = Clock::Wall;
        }
        repetitions.push((plan.sample.as_nanos() / once.as_nanos()).clamp(1, 100_000) as usize);
    }
    let mut times = vec![Times(Vec::with_capacity(plan.rounds)); contenders.len()];
    let start = Instant::now();
    for round in 0..plan.rounds.max(1) {
        if round >= MIN_ROUNDS && start.elapsed() > plan.patience {
            break;
        }
        for ((contender, times), repetitions) in contenders.iter_mut().zip(&mut times).zip(&repetitions) {
            if !plan.sample.is_zero() {
                contender.sample(1, clock)?;
            }
            let took = contender.sample(*repetitions, clock)?;
            times.0.push(contender.parts * took.as_secs_f64() * 1e6 / *repetitions as f64);
        }
    }
    Ok(times)
}

/// How much longer a sample of many threads is, so that their setting out together does not count.
const TOGETHER: u32 = 4;

/// The times of each contender that `make` gives while `threads` threads do the same, each with contenders of its own: the
/// time in which all of them together do one operation.
pub(crate) fn measure_together<'a>(
    threads: usize,
    plan: &Plan,
    make: &(dyn Fn() -> anyhow::Result<Vec<Contender<'a>>> + Sync),
) -> anyhow::Result<Vec<Times>> {
    std::thread::scope(|scope| {
        let (said, heard) = channel();
        let orders: Vec<Sender<Order>> = (0..threads)
            .map(|_| {
                let ((order, orders), said) = (channel(), said.clone());
                scope.spawn(move || work(make, &orders, &said));
                order
            })
            .collect();
        drop(said);
        // When one thread fails the orders go out of scope, and the others end.
        let everyone =
            || -> anyhow::Result<Vec<f64>> { (0..threads).map(|_| heard.recv().context("a thread ended")?).collect() };
        let together = |contender, times| -> anyhow::Result<Vec<f64>> {
            orders.iter().try_for_each(|order| order.send(Order { contender, times })).context("a thread ended")?;
            everyone()
        };
        let count = everyone()?.first().map_or(0, |count| *count as usize);
        let mut repetitions = Vec::with_capacity(count);
        for contender in 0..count {
            let once = together(contender, 1)?.into_iter().fold(0.0, f64::max).max(0.02);
            let sample = (plan.sample * TOGETHER).as_secs_f64() * 1e6;
            repetitions.push((sample / once).clamp(1.0, 100_000.0) as usize);
        }
        let mut times = vec![Times(Vec::with_capacity(plan.rounds)); count];
        let start = Instant::now();
        for round in 0..plan.rounds.max(1) {
            if round >= MIN_ROUNDS && start.elapsed() > plan.patience {
                break;
            }
            for (contender, (times, repetitions)) in times.iter_mut().zip(&repetitions).enumerate() {
                let rate: f64 = together(contender, *repetitions)?.into_iter().map(f64::recip).sum();
                times.0.push(rate.recip());
            }
        }
        Ok(times)
    })
}

/// What a thread is told to do: one contender, so many times.
struct Order {
    contender: usize,
    times: usize,
}

/// Says how many contenders it has, then for each order the microseconds of one operation.
fn work<'a>(
    make: &(dyn Fn() -> anyhow::Result<Vec<Contender<'a>>> + Sync),
    orders: &Receiver<Order>,
    said: &Sender<anyhow::Result<f64>>,
) {
    let made = || {
        // Work of one thread stays on it.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()?;
        Ok((pool, make()?))
    };
    let (pool, mut contenders) = match made() {
        Ok(made) => made,
        Err(error) => {
            let _ = said.send(Err(error));
            return;
        }
    };
    let mut sent = said.send(Ok(contenders.len() as f64));
    while let (Ok(()), Ok(order)) = (&sent, orders.recv()) {
        let contender = &mut contenders[order.contender];
        let took = contender.sample(1, Clock::Wall).and_then(|_| contender.sample(order.times, Clock::Wall));
        let each = took.map(|took| contender.parts * took.as_secs_f64() * 1e6 / order.times as f64);
        sent = said.send(each);
    }
    drop(contenders);
    drop(pool);
}

impl Contender<'_> {
    fn sample(&mut self, times: usize, clock: Clock) -> anyhow::Result<Duration> {
        (self.run)(times, clock).with_context(|| self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_least() {
        let times = Times(vec![3.0, 1.0, 2.0, 10.0]);
        assert_eq!((times.median(), times.least(), times.rounds()), (Some(2.5), Some(1.0), 4));
        assert_eq!(Times(vec![7.0]).median(), Some(7.0));
        assert_eq!(Times(Vec::new()).median(), None);
    }

    #[test]
    fn contenders_take_turns_and_preparation_is_not_timed() {
        let plan = Plan { rounds: 4, sample: Duration::ZERO, patience: Duration::from_secs(60) };
        let sleep = || {
            std::thread::sleep(Duration::from_millis(20));
            Ok(())
        };
        let slow = Contender::prepared("slow to prepare", sleep, Ok);
        let plain = Contender::new("plain", || Ok(()));
        let times = measure(&mut [slow, plain], &plan, 2).unwrap();
        assert_eq!((times[0].rounds(), times[1].rounds()), (4, 4));
        assert!(times[0].least().unwrap() < 20_000.0);
        let fails = || Contender::new("fails", || anyhow::bail!("why"));
        assert_eq!(format!("{:#}", measure(&mut [fails()], &plan, 1).unwrap_err()), "fails: why");
        let together = measure_together(2, &plan, &|| Ok(vec![fails()]));
        assert_eq!(format!("{:#}", together.unwrap_err()), "fails: why");
    }

    #[test]
    fn threads_together_do_more_in_a_second() {
        let plan = Plan { rounds: 3, sample: Duration::ZERO, patience: Duration::from_secs(60) };
        let rest = || {
            std::thread::sleep(Duration::from_millis(10));
            Ok(())
        };
        let make = || Ok(vec![Contender::new("first", rest), Contender::new("second", rest)]);
        let times = measure_together(4, &plan, &make).unwrap();
        assert_eq!(times.len(), 2);
        // Four threads that rest for 10 ms each, at the same time: 2.5 ms an operation, never less.
        assert!(times.iter().all(|times| times.rounds() == 3 && times.least().unwrap() >= 2_500.0));
        let refused = measure_together(2, &plan, &|| anyhow::bail!("nothing to measure"));
        assert_eq!(format!("{:#}", refused.unwrap_err()), "nothing to measure");
    }
}
