//! `henge calibrate`: times the operations of the scheme on this machine, and writes the constants that the compiler's costs are made of.
//!
//! Each operation runs several times on ciphertexts that leave the caches, on one thread, in time of the processor (other programs do not count);
//! once more on all threads, by the clock, for what further cores bring. The constants are those with which the compiler's own counts of work
//! give these times.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use he_ckks::{
    CiphertextTensor, CkksContext, Evaluator, Group, LinearWeights, Seed, SeededCiphertextTensor, WeightBlock,
};
use he_params::{CkksParams, CkksParamsLiteral, ModulusChain, RequiredSecurity};
use he_rlwe::RelinearizationKey;
use he_secret::{KeyGenerator, SecretKey, SymmetricEncryptor};
use transforms::cost::{CLASSES, CostModel, MachineCosts, Words, Work};

use crate::args::{Args, Calibrate};
use crate::files;

const LOG_N: u8 = 13;
/// Ciphertexts of a layer's input.
const VALUES: usize = 48;
/// Ciphertexts of its output.
const OUTPUTS: usize = 48;
/// Ciphertexts that are relinearized.
const RELINEARIZED: usize = 12;
/// Time spent on each operation.
const BUDGET: Duration = Duration::from_millis(100);
/// Longest time spent on it, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn calibrate(args: &Args, command: &Calibrate) -> anyhow::Result<()> {
    let threads = rayon::current_num_threads();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    // One size of primes for each class that kernels tell apart.
    let small = Bench::new(&[30; 4], 30)?;
    let benches = [&small, &Bench::new(&[50; 3], 50)?, &Bench::new(&[60; 3], 60)?];
    let alone = super::step(args, "one thread timed", || {
        one.install(|| benches.iter().map(|bench| bench.times(Clock::Thread)).collect::<anyhow::Result<Vec<Times>>>())
    })?;
    let efficiency = match threads {
        1 => CostModel::default().parallel_efficiency,
        // By the clock both, one after the other: what else the machine does slows both down.
        _ => super::step(args, "all threads timed", || {
            let one = one.install(|| small.times(Clock::Wall))?;
            let speedup = one.all() / small.times(Clock::Wall)?.all();
            Ok(((speedup - 1.0) / (threads - 1) as f64).clamp(0.0, 1.0))
        })?,
    };
    let found: Vec<Constants> = benches.iter().zip(&alone).map(|(bench, times)| bench.constants(times)).collect();
    let each = |constant: fn(&Constants) -> f64| -> anyhow::Result<[f64; CLASSES]> {
        let classes: Vec<f64> = found.iter().map(constant).collect();
        classes.try_into().map_err(|found: Vec<f64>| anyhow::anyhow!("{} classes of {CLASSES} timed", found.len()))
    };
    let costs = CostModel {
        butterfly_ns: each(|c| c.butterfly)?,
        multiply_accumulate_ns: each(|c| c.multiply_accumulate)?,
        pass_ns: each(|c| c.pass)?,
        sample_ns: each(|c| c.sample)?,
        parallel_efficiency: efficiency,
    };
    let model = MachineCosts::new(processor(), small.context.isa().name().to_owned(), threads, costs)?;
    let bytes = model.to_bytes()?;
    files::write_bytes(&command.output, &bytes)?;
    let printed = if command.rust { as_rust(&model) } else { String::from_utf8(bytes)? };
    super::print(None, true, &printed)
}

/// The constants as the compiler's source has them.
fn as_rust(model: &MachineCosts) -> String {
    let CostModel { butterfly_ns, multiply_accumulate_ns, pass_ns, sample_ns, parallel_efficiency } = &model.costs;
    let name = if model.isa.starts_with("avx512") { "AVX512" } else { "AVX2" };
    let list = |classes: &[f64]| classes.iter().map(|ns| format!("{ns:.3}")).collect::<Vec<_>>().join(", ");
    format!(
        "    // {}, {}\n    pub const {name}: CostModel = CostModel {{\n        butterfly_ns: [{}],\n        \
         multiply_accumulate_ns: [{}],\n        pass_ns: [{}],\n        sample_ns: [{}],\n        \
         parallel_efficiency: {parallel_efficiency:.2},\n    }};\n",
        model.machine,
        model.isa,
        list(butterfly_ns),
        list(multiply_accumulate_ns),
        list(pass_ns),
        list(sample_ns),
    )
}

/// Ciphertexts and keys over primes of one size.
struct Bench {
    context: Arc<CkksContext>,
    evaluator: Evaluator,
    key: RelinearizationKey,
    seeded: SeededCiphertextTensor,
    weights: LinearWeights,
    words: Words,
    primes: usize,
}

/// Seconds of each operation.
struct Times {
    linear: f64,
    /// On ciphertexts whose second components are a seed.
    linear_seeded: f64,
    add: f64,
    relinearize: f64,
    rescale: f64,
}

impl Times {
    fn all(&self) -> f64 {
        self.linear + self.linear_seeded + self.add + self.relinearize + self.rescale
    }
}

/// Nanoseconds per unit of work.
struct Constants {
    butterfly: f64,
    multiply_accumulate: f64,
    pass: f64,
    sample: f64,
}

impl Bench {
    fn new(q: &[u8], p: u8) -> anyhow::Result<Bench> {
        let literal = CkksParamsLiteral {
            // Keys and messages are made up: nothing here is worth a secret.
            security: RequiredSecurity::Insecure,
            ..CkksParamsLiteral::new(LOG_N, ModulusChain::Bits(q.to_vec()), ModulusChain::Bits(vec![p]), 25.0)
        };
        let params = CkksParams::try_from(literal)?;
        let words = Words::new(params.q(), params.p());
        let (level, scale) = (params.max_level(), params.scale());
        let context = CkksContext::new(params)?;
        let seed = Seed::new([7; 32]);
        let secret = SecretKey::generate(&context, &seed)?;
        let key = KeyGenerator::new(&context, &secret, seed.clone()).relinearization_key()?;
        let seeded =
            SymmetricEncryptor::new(&context, &secret, &seed).encrypt_tensor(&[[0.5]; VALUES], level, scale)?;
        let weight = |i: usize| (i * 7919 % 2001) as i64 - 1000;
        let weights = (0..OUTPUTS * VALUES).map(weight).collect();
        let block = WeightBlock { outputs: OUTPUTS, inputs: VALUES, weights };
        let group = Group { inputs: indices(VALUES), outputs: indices(OUTPUTS), block: 0 };
        let weights = LinearWeights::new(VALUES, OUTPUTS, vec![block], vec![group])?;
        Ok(Bench { evaluator: Evaluator::new(&context), context, key, seeded, weights, words, primes: q.len() })
    }

    fn times(&self, clock: Clock) -> anyhow::Result<Times> {
        let x = self.seeded.expand(&self.context)?;
        let scale = self.context.params().scale();
        let few: Vec<usize> = (0..RELINEARIZED).collect();
        let squares = self.evaluator.square(&x.gather(&few)?)?;
        let mut sum = x.clone();
        Ok(Times {
            linear: mean(clock, || (), |()| self.evaluator.linear(&x, &self.weights, scale, &[0.0]))?,
            linear_seeded: mean(clock, || (), |()| self.evaluator.linear(&self.seeded, &self.weights, scale, &[0.0]))?,
            add: mean(clock, || (), |()| self.evaluator.add_assign(&mut sum, &x))?,
            relinearize: mean(clock, || (), |()| self.evaluator.relinearize(&squares, &self.key))?,
            rescale: mean(clock, || x.clone(), |x: CiphertextTensor| self.evaluator.rescale(x))?,
        })
    }

    /// What the compiler counts, solved for its constants.
    fn constants(&self, times: &Times) -> Constants {
        let (primes, values) = (self.primes, VALUES as u64);
        let n = f64::from(LOG_N).exp2();
        let passes = |work: &Work| work.row_passes.iter().sum::<u64>() as f64;
        let transforms = |work: &Work| work.transforms.iter().sum::<u64>() as f64;
        let pass = times.add / (passes(&self.words.element_wise(primes, 3 * 2 * values)) * n);
        let linear = self.words.linear(primes, 2, (OUTPUTS * VALUES) as u64, (OUTPUTS + VALUES) as u64);
        let products = linear.row_multiply_accumulates.iter().sum::<u64>() as f64;
        let expand = self.words.expand(primes, values);
        let mut key_work = self.words.relinearize(primes, RELINEARIZED as u64);
        key_work += self.words.rescale(primes, 2, values);
        let butterflies = transforms(&key_work) * n / 2.0 * f64::from(LOG_N);
        let managed = times.relinearize + times.rescale;
        let samples = expand.row_samples.iter().sum::<u64>() as f64;
        // What is left after the passes; a tenth at least, should passes be dearer here than inside the operation.
        let rest = |seconds: f64, work: &Work| (seconds - passes(work) * n * pass).max(seconds / 10.0);
        let drawn = (times.linear_seeded - times.linear).max(times.linear_seeded / 20.0);
        Constants {
            butterfly: 1e9 * rest(managed, &key_work) / butterflies,
            multiply_accumulate: 1e9 * rest(times.linear, &linear) / (products * n),
            pass: 1e9 * pass,
            sample: 1e9 * rest(drawn, &expand) / (samples * n),
        }
    }
}

fn indices(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

/// What times are taken by.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// Time that this thread had a processor.
    Thread,
    /// Time that passed.
    Wall,
}

impl Clock {
    /// Seconds since `start`, or since the thread began where the system counts that.
    fn seconds(self, start: Instant) -> f64 {
        let on_processor = || -> Option<f64> {
            let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
            Some(text.split_whitespace().next()?.parse::<f64>().ok()? * 1e-9)
        };
        match self {
            Clock::Thread => on_processor().unwrap_or_else(|| start.elapsed().as_secs_f64()),
            Clock::Wall => start.elapsed().as_secs_f64(),
        }
    }
}

/// The mean time of an operation over as many runs as fit the budget, at least two; what it is given is made outside of the time.
fn mean<X, Y, E>(
    clock: Clock,
    mut given: impl FnMut() -> X,
    mut run: impl FnMut(X) -> Result<Y, E>,
) -> anyhow::Result<f64>
where
    anyhow::Error: From<E>,
{
    let start = Instant::now();
    let (mut seconds, mut runs) = (0.0, 0);
    drop(run(given())?);
    while runs < 2 || seconds < BUDGET.as_secs_f64() {
        let x = given();
        let before = clock.seconds(start);
        let y = run(x)?;
        seconds += clock.seconds(start) - before;
        drop(y);
        runs += 1;
        anyhow::ensure!(start.elapsed() < PATIENCE, "no time of the processor was counted within {PATIENCE:?}");
    }
    Ok(seconds / f64::from(runs))
}

/// The processor's name, as far as the system says it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// The constants of a file that `calibrate` wrote, and what a report calls them.
pub(crate) fn read(path: &std::path::Path) -> anyhow::Result<(CostModel, String)> {
    let bytes = files::read(path, transforms::cost::MAX_BYTES as u64)?;
    let model = MachineCosts::from_bytes(&bytes).with_context(|| path.display().to_string())?;
    let from = format!("{}, {} on {}", path.display(), model.isa, model.machine);
    Ok((model.costs, from))
}
