//! The rows of the table, by subject.

pub(crate) mod cryptonets;
mod matrix;
mod ntt;
mod scheme;

use he_ring::Isa;

use crate::bars;
use crate::contest::{Contender, Plan, Times, measure};
use crate::limit::{Limit, Processor};
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
    cryptonets::measure(setting, &mut take)?;
    Ok(rows)
}

/// A row in the making: the same operation by Henge on each instruction set, and by the peers.
struct Contest<'a> {
    name: &'a str,
    threads: usize,
    henge: Vec<(Isa, Contender<'a>)>,
    peers: Vec<Contender<'a>>,
    /// What the results were seen to agree in, one entry per peer.
    checked: Vec<Option<String>>,
    /// Multiplications of the operation on an instruction set.
    multiplies: Option<Box<dyn Fn(Isa) -> f64 + 'a>>,
    note: Option<String>,
}

impl<'a> Contest<'a> {
    fn new(name: &'a str) -> Contest<'a> {
        Contest {
            name,
            threads: 1,
            henge: Vec::new(),
            peers: Vec::new(),
            checked: Vec::new(),
            multiplies: None,
            note: None,
        }
    }

    fn peer(&mut self, contender: Contender<'a>, checked: Option<&str>) {
        self.peers.push(contender);
        self.checked.push(checked.map(str::to_owned));
    }

    /// Measures turn by turn; one row per instruction set and peer, or one per instruction set without a peer.
    fn run(self, setting: &Setting) -> anyhow::Result<Vec<Row>> {
        let (isas, mut contenders): (Vec<Isa>, Vec<Contender<'_>>) = self.henge.into_iter().unzip();
        let names: Vec<String> = self.peers.iter().map(|peer| peer.name.clone()).collect();
        contenders.extend(self.peers);
        let times = measure(&mut contenders, &setting.plan, self.threads)?;
        let (ours, theirs) = times.split_at(isas.len());
        let mut rows = Vec::new();
        for (isa, times) in isas.iter().zip(ours) {
            let limit =
                self.multiplies.as_ref().zip(times.median()).map(|(count, median)| {
                    setting.processor.multiplies(*isa, count(*isa), median * self.threads as f64)
                });
            if names.is_empty() {
                rows.push(row(self.name, *isa, self.threads, times, None, limit.clone()));
            }
            for ((name, peer), checked) in names.iter().zip(theirs).zip(&self.checked) {
                let mut row = row(self.name, *isa, self.threads, times, Some((name, peer)), limit.clone());
                row.checked = checked.clone();
                if name == "tfhe-ntt" && isa.name() == "avx2" && has_avx512() {
                    row.note = Some("the peer runs on AVX-512 here: not judged".to_owned());
                    row.met = None;
                }
                rows.push(row);
            }
        }
        rows.iter_mut().for_each(|row| row.note = row.note.take().or(self.note.clone()));
        Ok(rows)
    }
}

/// Whether this processor has the instruction set that `tfhe-ntt` takes by itself where it is.
fn has_avx512() -> bool {
    Isa::available().iter().any(|isa| isa.name().starts_with("avx512"))
}

fn row(name: &str, isa: Isa, threads: usize, ours: &Times, peer: Option<(&str, &Times)>, limit: Option<Limit>) -> Row {
    let peer_us = peer.and_then(|(_, times)| times.median());
    let ratio = peer_us.zip(ours.median()).map(|(peer, ours)| peer / ours);
    let target = peer.and_then(|(peer, _)| bars::ratio(name, peer));
    Row {
        name: name.to_owned(),
        isa: isa.name().to_owned(),
        threads,
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
        checked: None,
        limit,
        mac_per_second: None,
        target_mac_per_second: None,
        images_per_second: None,
        target_images_per_second: None,
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
