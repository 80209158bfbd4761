//! The rows of the table, by subject.

mod anatomy;
mod batch;
pub(crate) mod cryptonets;
#[cfg(feature = "seal")]
mod files;
mod matrix;
mod ntt;
mod scheme;

use he_ring::Isa;

use crate::bars::{self, Speed};
use crate::contest::{Contender, Plan, Times, measure, measure_together};
use crate::limit::{Limit, Processor, Work};
use crate::parts::Part;
use crate::record::Row;

/// What every row needs to know.
pub(crate) struct Setting {
    pub(crate) patterns: Vec<String>,
    pub(crate) isas: Vec<Isa>,
    pub(crate) threads: usize,
    pub(crate) plan: Plan,
    pub(crate) quick: bool,
    pub(crate) processor: Processor,
}

impl Setting {
    /// Whether a row is asked for.
    fn wants(&self, row: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| row.contains(pattern.as_str()))
    }

    /// What one core reached that did some work in so many microseconds.
    fn limits(&self, isa: Isa, work: Work, microseconds: f64) -> Vec<Limit> {
        let multiplies = (work.multiplies > 0.0).then(|| self.processor.multiplies(isa, work.multiplies, microseconds));
        let bytes = (work.bytes > 0.0).then(|| self.processor.bytes(work.bytes, microseconds, self.quick));
        multiplies.into_iter().chain(bytes).collect()
    }
}

/// All rows that are asked for; `say` hears of each as soon as it stands.
pub(crate) fn measure_all(setting: &Setting, say: &mut dyn FnMut(&Row)) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut take = |found: Vec<Row>| {
        found.iter().for_each(&mut *say);
        rows.extend(found);
    };
    ntt::measure(setting, &mut take)?;
    scheme::measure(setting, &mut take)?;
    matrix::measure(setting, &mut take)?;
    #[cfg(feature = "seal")]
    files::measure(setting, &mut take)?;
    cryptonets::measure(setting, &mut take)?;
    Ok(rows)
}

/// A row in the making: the same operation by Henge on each instruction set, and by the peers.
struct Contest<'a> {
    label: Label<'a>,
    henge: Vec<Contender<'a>>,
    peers: Vec<Contender<'a>>,
}

/// What a row says besides its times.
struct Label<'a> {
    name: &'a str,
    isas: Vec<Isa>,
    peers: Vec<String>,
    /// What the results were seen to agree in, one entry per peer.
    checked: Vec<Option<String>>,
    /// The work of the operation on an instruction set.
    work: Box<dyn Fn(Isa) -> Work + 'a>,
}

impl<'a> Contest<'a> {
    fn new(name: &'a str, work: impl Fn(Isa) -> Work + 'a) -> Contest<'a> {
        let label = Label { name, isas: Vec::new(), peers: Vec::new(), checked: Vec::new(), work: Box::new(work) };
        Contest { label, henge: Vec::new(), peers: Vec::new() }
    }

    fn henge(&mut self, isa: Isa, contender: Contender<'a>) {
        self.label.isas.push(isa);
        self.henge.push(contender);
    }

    fn peer(&mut self, contender: Contender<'a>, checked: Option<&str>) {
        self.label.peers.push(contender.name.clone());
        self.label.checked.push(checked.map(str::to_owned));
        self.peers.push(contender);
    }

    fn split(mut self) -> (Label<'a>, Vec<Contender<'a>>) {
        self.henge.extend(self.peers);
        (self.label, self.henge)
    }
}

/// Measures turn by turn, on one thread, then on all together.
fn contest<'a>(setting: &Setting, make: impl Fn() -> anyhow::Result<Contest<'a>> + Sync) -> anyhow::Result<Vec<Row>> {
    let (label, mut contenders) = make()?.split();
    let times = measure(&mut contenders, &setting.plan, 1)?;
    drop(contenders);
    let mut rows = label.rows(setting, 1, &times);
    if setting.threads > 1 {
        let times = measure_together(setting.threads, &setting.plan, &|| Ok(make()?.split().1))?;
        rows.extend(label.rows(setting, setting.threads, &times));
    }
    Ok(rows)
}

impl Label<'_> {
    /// One row per instruction set and peer, or one per instruction set without a peer.
    fn rows(&self, setting: &Setting, threads: usize, times: &[Times]) -> Vec<Row> {
        let (ours, theirs) = times.split_at(self.isas.len());
        let mut rows = Vec::new();
        for (isa, times) in self.isas.iter().zip(ours) {
            let limits = times
                .median()
                .map_or_else(Vec::new, |median| setting.limits(*isa, (self.work)(*isa), median * threads as f64));
            let mut add = |peer: Option<(&str, &Times)>, checked: Option<String>| {
                let mut row = row(self.name, *isa, threads, times, peer);
                (row.checked, row.limits) = (checked, limits.clone());
                if threads > 1 {
                    // Bars are asked of one thread.
                    (row.together, row.target, row.met) = (true, None, None);
                }
                if row.peer == TFHE_NTT && isa.name().starts_with("avx512") {
                    row.note = Some("the peer is built for AVX2: not judged".to_owned());
                    row.met = None;
                }
                if setting.quick {
                    row.met = None;
                }
                rows.push(row);
            };
            if self.peers.is_empty() {
                add(None, None);
            }
            for ((name, peer), checked) in self.peers.iter().zip(theirs).zip(&self.checked) {
                add(Some((name, peer)), checked.clone());
            }
        }
        rows
    }
}

/// It takes AVX-512 by itself where it is built for it; it is not, so that AVX2 stands beside AVX2.
const TFHE_NTT: &str = "tfhe-ntt";

/// Notes in the rows of one instruction set, those of one thread, where the time goes that the median of them says.
fn explain(rows: &mut [Row], isa: Isa, parts: impl FnOnce(f64) -> anyhow::Result<Vec<Part>>) -> anyhow::Result<()> {
    let mut rows: Vec<&mut Row> = rows.iter_mut().filter(|row| row.isa == isa.name() && !row.together).collect();
    let Some(us) = rows.first().and_then(|row| row.henge_us) else { return Ok(()) };
    let parts = parts(us)?;
    rows.iter_mut().for_each(|row| row.parts.clone_from(&parts));
    Ok(())
}

/// A row beside a speed that is asked for, like one that was measured: `units` of work on as many threads as that row has.
fn beside_speed(measured: &Row, speed: Speed, units: f64) -> Row {
    let asked_us = units / speed.per_second * 1e6;
    let ratio = measured.henge_us.map(|ours| asked_us / ours);
    Row {
        peer: speed.name.to_owned(),
        peer_us: Some(asked_us),
        ratio,
        peer_least_us: None,
        peer_processor_us: None,
        peer_images_per_second: None,
        peer_accuracy: None,
        target: Some(1.0),
        met: ratio.map(|ratio| ratio >= 1.0),
        moonshot: speed.moonshot,
        checked: None,
        ..measured.clone()
    }
}

pub(crate) fn row(name: &str, isa: Isa, threads: usize, ours: &Times, peer: Option<(&str, &Times)>) -> Row {
    let peer_us = peer.and_then(|(_, times)| times.median());
    let ratio = peer_us.zip(ours.median()).map(|(peer, ours)| peer / ours);
    let target = peer.and_then(|(peer, _)| bars::ratio(name, peer));
    Row {
        name: name.to_owned(),
        isa: isa.name().to_owned(),
        threads,
        together: false,
        henge_us: ours.median(),
        peer: peer.map_or("", |(name, _)| name).to_owned(),
        peer_us,
        ratio,
        henge_least_us: ours.least(),
        peer_least_us: peer.and_then(|(_, times)| times.least()),
        rounds: ours.rounds(),
        henge_processor_us: None,
        peer_processor_us: None,
        target,
        met: target.zip(ratio).map(|(target, ratio)| ratio >= target),
        moonshot: false,
        checked: None,
        limits: Vec::new(),
        parts: Vec::new(),
        mac_per_second: None,
        images_per_second: None,
        peer_images_per_second: None,
        accuracy: None,
        peer_accuracy: None,
        henge_bytes: None,
        peer_bytes: None,
        note: None,
    }
}

/// Reproducible residues below `q`.
fn residues(seed: u64, q: u64, count: usize) -> Vec<u64> {
    (0..count as u64).map(|i| mix(seed.wrapping_mul(0x1000_0001) ^ i) % q).collect()
}

/// Reproducible numbers in [-1, 1).
fn numbers(seed: u64, count: usize) -> Vec<f64> {
    (0..count as u64)
        .map(|i| (mix(seed.wrapping_mul(0x1000_0003) ^ i) >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
        .collect()
}

/// The finalizer of SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
