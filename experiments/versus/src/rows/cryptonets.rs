//! CryptoNets end to end, one batch: server, client, memory.
//!
//! Every contender runs the whole protocol, turn by turn, on all threads. SEAL's programs run on seven primes of 30 bits,
//! and the hand-tuned one once more as Henge's compiler wrote it: the same operations on the same primes, so that what
//! the compiler gains and what the kernels gain can be told apart. The backend that runs any program on SEAL does the same
//! with the very ciphertexts that Henge gets, and must end with the same residues.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, ensure};
use execute::{NodeTime, Recorder};
use he_ring::Isa;

use super::batch::{client, parts, work};
use super::{Setting, beside_speed, explain};
use crate::bars;
use crate::contest::Times;
use crate::cryptonets::{Henge, Kind, Labels, Task};
use crate::parts::Profile;
use crate::record::Row;
use crate::seal::process_microseconds;

const SERVER: &str = bars::CRYPTONETS;
const CLIENT: &str = "cryptonets_4096_client";
const MEMORY: &str = "cryptonets_4096_memory";

const ROUNDS: usize = 5;
/// Least share of images on which a contender must agree with the model in the clear.
const LEAST_AGREEMENT: f64 = 0.995;

pub(super) fn measure(setting: &Setting, take: &mut dyn FnMut(Vec<Row>)) -> anyhow::Result<()> {
    let names = [SERVER, CLIENT, bars::CRYPTONETS_MOONSHOT];
    if names.iter().any(|name| setting.wants(name)) {
        let task = Task::load(setting.quick, setting.threads, Kind::Usual)?;
        let results = compete(setting, &task)?;
        for (name, part) in [(SERVER, Part::Server), (CLIENT, Part::Client)] {
            let mut rows = explained(setting, &task, name, part, &results)?;
            if part == Part::Server {
                for (speed, name) in [(bars::IMAGES, SERVER), (bars::IMAGES_MOONSHOT, bars::CRYPTONETS_MOONSHOT)] {
                    rows.extend(beside(setting, &task, &rows, speed, name));
                }
            }
            rows.retain(|row| setting.wants(&row.name));
            take(rows);
        }
    }
    if setting.wants(bars::CONJUGATE_INVARIANT) {
        let task = Task::load(setting.quick, setting.threads, Kind::ConjugateInvariant)?;
        // SEAL has no such ring.
        let results = take_turns(setting, &task, ours(setting, &task)?)?;
        let rows = explained(setting, &task, bars::CONJUGATE_INVARIANT, Part::Server, &results)?;
        take(beside(setting, &task, &rows, bars::IMAGES_CONJUGATE_INVARIANT, bars::CONJUGATE_INVARIANT));
    }
    if setting.wants(MEMORY) {
        take(memory(setting)?);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Server,
    Client,
}

/// Microseconds by the clock, and of processor time of all threads.
#[derive(Clone, Copy)]
struct Took {
    wall: f64,
    processor: Option<f64>,
}

/// The times of one contender, round by round.
pub(super) struct Result {
    name: String,
    isa: Option<Isa>,
    encrypt: Vec<Took>,
    server: Vec<Took>,
    decrypt: Vec<Took>,
    labels: Option<Labels>,
    /// What its result was held against besides labels.
    checked: Option<&'static str>,
    /// What the server did in the last round, node by node.
    pub(super) nodes: Vec<NodeTime>,
    /// The parts of one encryption, and of one decryption, on one thread.
    pub(super) client: Option<[Profile; 2]>,
}

/// Runs the protocol once.
type Turn<'a> = Box<dyn FnMut(&mut Result) -> anyhow::Result<Vec<f64>> + 'a>;

/// What takes part, the rounds in which it does at the most, and how.
type Contender<'a> = (Result, usize, Turn<'a>);

/// Henge and SEAL.
fn compete(setting: &Setting, task: &Task) -> anyhow::Result<Vec<Result>> {
    let contenders = ours(setting, task)?;
    #[cfg(feature = "seal")]
    let contenders = seal::join(setting, task, contenders)?;
    take_turns(setting, task, contenders)
}

/// Henge on every instruction set.
fn ours<'a>(setting: &Setting, task: &'a Task) -> anyhow::Result<Vec<Contender<'a>>> {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(setting.threads).build()?);
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for isa in &setting.isas {
        let henge = Henge::new(task, *isa)?;
        let mut result = Result::new(format!("Henge, {}", isa.name()), Some(*isa));
        result.client = Some(client(setting, task, henge.context())?);
        let pool = Arc::clone(&pool);
        let turn = move |times: &mut Result| {
            pool.install(|| {
                let mut nodes = Recorder::new(());
                let input = timed(&mut times.encrypt, || henge.encrypt(task))?;
                let output = timed(&mut times.server, || henge.run(input, &mut nodes))?;
                times.nodes = nodes.into_parts().0;
                timed(&mut times.decrypt, || henge.decrypt(&output, task.images))
            })
        };
        contenders.push((result, usize::MAX, Box::new(turn)));
    }
    Ok(contenders)
}

fn take_turns(setting: &Setting, task: &Task, mut contenders: Vec<Contender<'_>>) -> anyhow::Result<Vec<Result>> {
    let rounds = if setting.quick { 1 } else { ROUNDS.min(setting.plan.rounds) };
    for round in 0..rounds {
        for (result, most, turn) in &mut contenders {
            if round < *most {
                // Once untimed, as in `contest`: pages and caches are this contender's own again.
                turn(result).with_context(|| result.name.clone())?;
                [&mut result.encrypt, &mut result.server, &mut result.decrypt].into_iter().for_each(|times| {
                    times.pop();
                });
                let logits = turn(result).with_context(|| result.name.clone())?;
                let labels = task.judge(&logits)?;
                let agreement = 100.0 * labels.agreement;
                ensure!(
                    labels.agreement >= LEAST_AGREEMENT,
                    "{}: labels agree with the model in the clear on {agreement:.2} % only",
                    result.name
                );
                result.labels = Some(labels);
            }
        }
    }
    Ok(contenders.into_iter().map(|(result, _, _)| result).collect())
}

fn timed<T>(times: &mut Vec<Took>, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let (start, processor) = (Instant::now(), process_microseconds());
    let result = work()?;
    let wall = start.elapsed().as_secs_f64() * 1e6;
    times.push(Took { wall, processor: process_microseconds().zip(processor).map(|(end, start)| end - start) });
    Ok(result)
}

impl Result {
    fn new(name: impl Into<String>, isa: Option<Isa>) -> Result {
        let times = || Vec::with_capacity(ROUNDS);
        Result {
            name: name.into(),
            isa,
            encrypt: times(),
            server: times(),
            decrypt: times(),
            labels: None,
            checked: None,
            nodes: Vec::new(),
            client: None,
        }
    }

    /// Of a part, round by round.
    fn took(&self, part: Part) -> Vec<Took> {
        let sum = |(e, d): (&Took, &Took)| Took {
            wall: e.wall + d.wall,
            processor: e.processor.zip(d.processor).map(|(e, d)| e + d),
        };
        match part {
            Part::Server => self.server.clone(),
            Part::Client => self.encrypt.iter().zip(&self.decrypt).map(sum).collect(),
        }
    }

    fn times(&self, part: Part) -> Times {
        Times::new(self.took(part).iter().map(|took| took.wall).collect())
    }

    fn processor(&self, part: Part) -> Option<f64> {
        Times::new(self.took(part).iter().filter_map(|took| took.processor).collect()).median()
    }
}

fn rows(setting: &Setting, task: &Task, name: &str, part: Part, results: &[Result]) -> Vec<Row> {
    let chain = |primes: &mut dyn Iterator<Item = &u64>| {
        primes.map(|q| (64 - q.leading_zeros()).to_string()).collect::<Vec<_>>().join(", ")
    };
    let params = &task.compiled.params;
    let ours_chain =
        format!("Henge's primes: {} + {} bits", chain(&mut params.q().iter()), chain(&mut params.p().iter()));
    let mut rows = Vec::new();
    let ours: Vec<(&Result, Isa)> = results.iter().filter_map(|result| Some((result, result.isa?))).collect();
    // SEAL's client is the same whatever the server does.
    let compared = |result: &&Result| match part {
        Part::Server => result.isa.is_none(),
        Part::Client => result.name == bars::SEAL_HAND_TUNED,
    };
    let peers: Vec<Option<&Result>> = results.iter().filter(compared).map(Some).collect();
    for (henge, isa) in ours {
        for peer in if peers.is_empty() { &[None][..] } else { &peers[..] } {
            let times = henge.times(part);
            let peer_name =
                |peer: &'_ Result| if part == Part::Client { bars::SEAL.to_owned() } else { peer.name.clone() };
            let peer_times = peer.map(|peer| (peer_name(peer), peer.times(part)));
            let against = peer_times.as_ref().map(|(name, times)| (name.as_str(), times));
            let mut row = super::row(name, isa, setting.threads, &times, against);
            let per_core = times.median().map(|median| median * setting.threads as f64);
            row.limits = per_core.map_or_else(Vec::new, |us| setting.limits(isa, work(task, part, isa), us));
            row.henge_processor_us = henge.processor(part);
            row.peer_processor_us = peer.and_then(|peer| peer.processor(part));
            let labels = |of: Option<&Result>| of.and_then(|result| result.labels.clone());
            let (ours, theirs) = (labels(Some(henge)), labels(*peer));
            row.accuracy = ours.as_ref().map(|labels| labels.accuracy);
            row.peer_accuracy = theirs.as_ref().map(|labels| labels.accuracy);
            row.checked = ours.zip(theirs).map(|(ours, theirs)| {
                let same = ours.labels.iter().zip(&theirs.labels).filter(|(a, b)| a == b).count();
                let labels = format!("{same} of {} labels the same", task.images);
                peer.and_then(|peer| peer.checked)
                    .map_or_else(|| labels.clone(), |checked| format!("{checked}, {labels}"))
            });
            row.note = Some(ours_chain.clone());
            if setting.quick {
                row.met = None;
            }
            if part == Part::Server {
                let rate = |us: f64| task.images as f64 * 1e6 / us;
                row.images_per_second = row.henge_us.map(rate);
                row.peer_images_per_second = row.peer_us.map(rate);
            }
            rows.push(row);
        }
    }
    rows
}

/// The rows of a part, with what fills their time.
fn explained(setting: &Setting, task: &Task, name: &str, part: Part, results: &[Result]) -> anyhow::Result<Vec<Row>> {
    let mut rows = rows(setting, task, name, part, results);
    for henge in results {
        if let Some(isa) = henge.isa {
            explain(&mut rows, isa, |us| parts(setting, task, henge, part, us))?;
        }
    }
    Ok(rows)
}

/// Images a second that are asked or hoped for, beside the first row of each instruction set.
fn beside(setting: &Setting, task: &Task, rows: &[Row], speed: bars::Speed, name: &str) -> Vec<Row> {
    let measured = setting.isas.iter().filter_map(|isa| rows.iter().find(|row| row.isa == isa.name()));
    let beside = |measured: &Row| {
        let mut row = beside_speed(measured, speed, task.images as f64);
        row.name = name.to_owned();
        if setting.quick || setting.threads != bars::CORES {
            row.met = None;
        }
        row
    };
    measured.map(beside).collect()
}

/// What a child process is asked to run, and prints its peak for.
pub(crate) fn peak_of(contender: &str, threads: usize, quick: bool) -> anyhow::Result<u64> {
    let task = Task::load(quick, threads, Kind::Usual)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    match contender.strip_prefix("henge:") {
        Some(isa) => {
            let henge = Henge::new(&task, Isa::by_name(isa)?)?;
            pool.install(|| -> anyhow::Result<()> {
                let output = henge.run(henge.encrypt(&task)?, &mut Recorder::default())?;
                task.judge(&henge.decrypt(&output, task.images)?)?;
                Ok(())
            })?;
        }
        #[cfg(feature = "seal")]
        None if contender == "seal" => seal::run_once(&task, threads)?,
        None => anyhow::bail!("no contender {contender}"),
    }
    Ok(machine::peak_rss_bytes())
}

/// Each contender alone in a process, which compiles, encrypts, runs and decrypts one batch.
fn memory(setting: &Setting) -> anyhow::Result<Vec<Row>> {
    let peak = |contender: &str| -> anyhow::Result<u64> {
        let output = Command::new(std::env::current_exe()?)
            .args(["--peak-of", contender, "--threads", &setting.threads.to_string()])
            .args(setting.quick.then_some("--quick"))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{contender}: {}", String::from_utf8_lossy(&output.stderr).trim());
        text.trim().parse().with_context(|| format!("{contender} said {text:?}"))
    };
    let peer = if cfg!(feature = "seal") { Some(peak("seal")?) } else { None };
    let nothing = Times::new(Vec::new());
    let mut rows = Vec::new();
    for isa in &setting.isas {
        let ours = peak(&format!("henge:{}", isa.name()))?;
        let mut row = super::row(MEMORY, *isa, setting.threads, &nothing, None);
        (row.henge_bytes, row.peer_bytes) = (Some(ours), peer);
        row.peer = if peer.is_some() { bars::SEAL_HAND_TUNED.to_owned() } else { String::new() };
        row.ratio = peer.map(|peer| peer as f64 / ours as f64);
        row.target = bars::ratio(MEMORY, &row.peer);
        // A toy's memory is mostly that of the program and the data set.
        row.met = row.target.zip(row.ratio).map(|(target, ratio)| ratio >= target).filter(|_| !setting.quick);
        row.note = Some("peak resident memory of a process that holds client and server".to_owned());
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(feature = "seal")]
mod seal {
    use std::cell::RefCell;
    use std::rc::Rc;

    use he_ir::Op;
    use he_params::primes::ntt_prime_chain;

    use super::*;
    use crate::seal::{Network, Step, Way};

    /// Bits of the primes of SEAL's program, the special one last.
    const CHAIN: [u8; 7] = [30; 7];
    const LOG_SCALE: f64 = 30.0;
    /// What the last prime can hold with the logits below it.
    const LOG_OUTPUT_SCALE: f64 = 24.0;

    /// Adds SEAL's programs.
    pub(super) fn join<'a>(
        setting: &Setting,
        task: &'a Task,
        mut contenders: Vec<Contender<'a>>,
    ) -> anyhow::Result<Vec<Contender<'a>>> {
        let shared = |network| Rc::new(RefCell::new(network));
        let usual = shared(usual(task, setting.threads)?);
        let mut add = |name: &str, rounds: usize, network: &Rc<RefCell<Network>>, way: Way| {
            let network = Rc::clone(network);
            let turn = move |times: &mut Result| {
                let mut network = network.borrow_mut();
                timed(&mut times.encrypt, || network.encrypt(task.pixels.values(), task.images))?;
                timed(&mut times.server, || network.run(way))?;
                timed(&mut times.decrypt, || network.decrypt(task.images))
            };
            contenders.push((Result::new(name, None), rounds, Box::new(turn)));
        };
        add(bars::SEAL_HAND_TUNED, usize::MAX, &usual, Way::HandTuned);
        add(bars::SEAL_OWN_KERNELS, 2, &usual, Way::OwnKernels);
        add("SEAL, documented", 1, &usual, Way::Documented);
        let same = shared(same_program(task, setting.threads)?);
        add("SEAL, hand-tuned, Henge's program", usize::MAX, &same, Way::HandTuned);
        let isa = *setting.isas.last().context("no instruction set")?;
        let mut backend = Result::new("SEAL, backend, Henge's program", None);
        backend.checked = Some("same residues");
        contenders.push((backend, 2, on_backend(setting, isa)?));
        Ok(contenders)
    }

    /// Henge's client, and `SealBackend` in the place of `CkksBackend`; ciphertexts change sides between the two. The program
    /// relinearizes and rescales in two operations, as SEAL has no other way, and goes through `CkksBackend` once, untimed:
    /// both must end with the same residues.
    fn on_backend<'a>(setting: &Setting, isa: Isa) -> anyhow::Result<Turn<'a>> {
        let task = Task::load(setting.quick, setting.threads, Kind::SealExact)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(setting.threads).build()?;
        let henge = Henge::new(&task, isa)?;
        let seal = henge.on_seal(&task)?;
        let expected = pool.install(|| henge.run(henge.encrypt(&task)?, &mut Recorder::default()))?;
        Ok(Box::new(move |times| {
            pool.install(|| {
                let input = timed(&mut times.encrypt, || seal.import(&henge, henge.encrypt(&task)?))?;
                let output = timed(&mut times.server, || seal.run(input))?;
                let output = seal.export(&henge, &output)?;
                ensure!(
                    output.rows() == expected.rows(),
                    "the residues of the logits differ from Henge's own backend's"
                );
                timed(&mut times.decrypt, || henge.decrypt(&output, task.images))
            })
        }))
    }

    /// The hand-tuned program alone.
    pub(super) fn run_once(task: &Task, threads: usize) -> anyhow::Result<()> {
        let mut network = usual(task, threads)?;
        network.encrypt(task.pixels.values(), task.images)?;
        network.run(Way::HandTuned)?;
        task.judge(&network.decrypt(task.images)?)?;
        Ok(())
    }

    /// The program as HE-Transformer has it, on seven primes of 30 bits: each layer's weights at the scale of the prime
    /// that its rescale takes away. Squares are rescaled before they are relinearized: one prime less to relinearize
    /// over, which is faster, and the labels bear the noise.
    fn usual(task: &Task, threads: usize) -> anyhow::Result<Network> {
        let params = &task.compiled.params;
        let primes = ntt_prime_chain(&CHAIN, params.log_n(), &[])?;
        let mut network = Network::new(u32::from(params.log_n().get()), &primes, LOG_SCALE.exp2(), threads)?;
        let layers = task.layers()?;
        let mut left: Vec<f64> = primes[..primes.len() - 1].iter().map(|q| *q as f64).collect();
        let mut scale = LOG_SCALE.exp2();
        for (i, layer) in layers.iter().enumerate() {
            let last = left.pop().context("a prime for every rescale")?;
            if i + 1 == layers.len() {
                network.add_affine(layer, LOG_OUTPUT_SCALE.exp2() * last / scale)?;
                network.add_step(Step::Rescale)?;
            } else {
                network.add_affine(layer, last)?;
                for step in [Step::Rescale, Step::Square, Step::Rescale, Step::Relinearize] {
                    network.add_step(step)?;
                }
                scale = scale * scale / left.pop().context("a prime for every rescale")?;
            }
        }
        Ok(network)
    }

    /// The program that Henge's compiler made, operation for operation, on its primes; only that SEAL relinearizes and
    /// rescales one after the other.
    fn same_program(task: &Task, threads: usize) -> anyhow::Result<Network> {
        let (params, program) = (&task.compiled.params, &task.compiled.program);
        let (_, _, input) = program.inputs().next().context("the program has no input")?;
        let q = params.q_at(input.level);
        let primes: Vec<u64> = q.iter().chain(params.p()).copied().collect();
        let mut network = Network::new(u32::from(params.log_n().get()), &primes, input.scale.get(), threads)?;
        let mut level = input.level;
        for node in program.nodes() {
            match node.op() {
                Op::Input { .. } => {}
                Op::Linear { map } => network.add_linear(map)?,
                Op::Square => network.add_step(Step::Square)?,
                Op::Relinearize => network.add_step(Step::Relinearize)?,
                Op::RelinearizeRescale => {
                    network.add_step(Step::Relinearize)?;
                    network.add_step(Step::Rescale)?;
                }
                Op::Rescale => network.add_step(Step::Rescale)?,
                Op::DropLevel { .. } => {
                    for _ in node.value().level.prime_count()..level.prime_count() {
                        network.add_step(Step::DropPrime)?;
                    }
                }
                other => anyhow::bail!("SEAL's side knows no {}", other.verb()),
            }
            level = node.value().level;
        }
        Ok(network)
    }
}
