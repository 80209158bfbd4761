//! Weighted sums of ciphertexts, for which SEAL has no operation: its own way, one product with a plaintext per weight, would reduce
//! after every term.
//!
//! Formula: `out_o = sum_k w[o][k] x_k + bias_o`, word by word, modulo each prime, reduced once. Small weights w are shifted
//! to `w + s >= 0` and x is split into halves of 32 bits, so that every product and every sum stays in a word:
//! `sum_k (w_k + s) x_k - s sum_k x_k`. Weights for which that overflows are taken modulo the prime and summed in 128 bits.
//! Layout: a job is `CHUNK` columns of one prime of one component, of all outputs.

use he_ir::{GroupRef, Groups, LinearMap};
use he_params::Scale;
use rayon::prelude::*;

use super::{SealBackendError, SealTensor};
use crate::{Ciphertext, Context};

/// Columns of a job.
const CHUNK: usize = 256;
/// Columns that are summed together: one cache line.
const TILE: usize = 8;
/// Outputs that are summed together.
const OUTPUTS: usize = 2;
/// Products of residues that fit 128 bits together: primes of SEAL are below 2^61.
const WIDE_TERMS: usize = 64;

/// One column of each of some inputs.
type Columns = [u64; TILE];

/// A linear map made ready for one level.
#[derive(Debug)]
pub struct SealWeights {
    inputs: usize,
    blocks: Vec<Block>,
    groups: Groups,
    bias: Vec<f64>,
    scale: Scale,
    primes: Vec<Prime>,
}

/// Weights, `[pair of outputs][input]`; a pair that lacks its second output has zeros there.
#[derive(Debug)]
enum Block {
    /// Shifted by the number, so that none is negative.
    Small { shift: u64, weights: Vec<Vec<[u64; OUTPUTS]>> },
    /// As they are.
    Large { weights: Vec<Vec<[i64; OUTPUTS]>> },
}

impl SealWeights {
    pub(super) fn new(map: &LinearMap, primes: &[u64]) -> Self {
        Self {
            inputs: map.inputs(),
            blocks: map.blocks().iter().map(|block| Block::new(block.weights(), block.columns())).collect(),
            groups: map.groups().clone(),
            bias: map.bias().to_vec(),
            scale: map.weight_scale(),
            primes: primes.iter().map(|&q| Prime::new(q)).collect(),
        }
    }

    pub(super) fn byte_len(&self) -> usize {
        let block = |block: &Block| match block {
            Block::Small { weights, .. } => weights.iter().map(|pair| size_of_val(&pair[..])).sum::<usize>(),
            Block::Large { weights } => weights.iter().map(|pair| size_of_val(&pair[..])).sum(),
        };
        self.blocks.iter().map(block).sum::<usize>() + self.groups.byte_len()
    }

    pub(super) fn apply(&self, context: &Context, x: &SealTensor) -> Result<SealTensor, SealBackendError> {
        let (expected, found) = (self.inputs, x.ciphertexts().len());
        if expected != found {
            return Err(SealBackendError::Elements { expected, found });
        }
        let (expected, found) = (self.primes.len(), x.level().prime_count());
        if expected != found {
            return Err(SealBackendError::MixedTensor { level: Some(x.level()) });
        }
        let (components, level, scale) = (x.component_count(), x.level(), x.scale().times(self.scale)?);
        let zero = |_| Ciphertext::zero(context, components, level, scale);
        let mut out = (0..self.bias.len()).into_par_iter().map(zero).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<&[u64]> = x.ciphertexts().iter().map(Ciphertext::words).collect();
        let n = context.log_n().n();
        let chunk = CHUNK.min(n);
        let mut jobs: Vec<Vec<&mut [u64]>> = Vec::new();
        jobs.resize_with(components * level.prime_count() * n / chunk, || Vec::with_capacity(self.bias.len()));
        for out in &mut out {
            jobs.iter_mut().zip(out.words_mut().chunks_mut(chunk)).for_each(|(job, words)| job.push(words));
        }
        jobs.into_par_iter().enumerate().for_each_init(Vec::new, |columns, (index, mut out)| {
            let (first, row) = (index * chunk, index * chunk / n);
            let prime = &self.primes[row % self.primes.len()];
            for group in self.groups.iter() {
                self.group(group, prime, &inputs, first, columns, &mut out);
            }
            if row < self.primes.len() {
                for (out, bias) in out.iter_mut().zip(&self.bias) {
                    prime.add(out, prime.residue(bias * scale.get()));
                }
            }
        });
        SealTensor::new(out)
    }

    /// The columns from `first` on of the outputs of one group.
    fn group(
        &self,
        group: GroupRef<'_>,
        prime: &Prime,
        inputs: &[&[u64]],
        first: usize,
        columns: &mut Vec<Columns>,
        out: &mut [&mut [u64]],
    ) {
        let width = out.first().map_or(0, |out| out.len());
        for at in (0..width).step_by(TILE) {
            let end = TILE.min(width - at);
            columns.clear();
            columns.extend(group.inputs.iter().map(|&input| {
                let mut line = Columns::default();
                line[..end].copy_from_slice(&inputs[input as usize][first + at..first + at + end]);
                line
            }));
            let mut store = |pair: usize, sums: [Columns; OUTPUTS]| {
                for (&output, sums) in group.outputs[OUTPUTS * pair..].iter().zip(&sums) {
                    out[output as usize][at..at + end].copy_from_slice(&sums[..end]);
                }
            };
            match &self.blocks[group.block] {
                Block::Small { shift, weights } => {
                    let shifted = prime.shifted(columns, *shift);
                    for (pair, weights) in weights.iter().enumerate() {
                        store(pair, prime.small_sums(columns, weights, &shifted));
                    }
                }
                Block::Large { weights } => {
                    weights.iter().enumerate().for_each(|(pair, weights)| store(pair, prime.sums(columns, weights)));
                }
            }
        }
    }
}

impl Block {
    fn new(weights: &[i64], columns: usize) -> Self {
        let shift = weights.iter().copied().min().unwrap_or(0).min(0).unsigned_abs();
        let largest = weights.iter().copied().max().unwrap_or(0).max(0).unsigned_abs().saturating_add(shift);
        let rows: Vec<&[i64]> = weights.chunks(columns.max(1)).collect();
        let pairs = |rows: &[&[i64]]| {
            (0..columns).map(|k| std::array::from_fn(|o| rows.get(o).map_or(0, |row| row[k]))).collect()
        };
        let weights: Vec<Vec<[i64; OUTPUTS]>> = rows.chunks(OUTPUTS).map(pairs).collect();
        // A half of x is below 2^32.
        if largest.checked_mul(columns as u64).is_none_or(|sum| sum >> 32 != 0) {
            return Block::Large { weights };
        }
        let up = |w: i64| w.wrapping_add_unsigned(shift) as u64;
        Block::Small { shift, weights: weights.iter().map(|pair| pair.iter().map(|w| w.map(up)).collect()).collect() }
    }
}

/// A prime and what reducing by it needs.
#[derive(Debug)]
struct Prime {
    q: u64,
    /// floor(2^64 / q).
    inverse: u64,
    /// 2^32 mod q.
    half: u64,
    /// floor(2^64 half / q).
    half_quotient: u64,
}

impl Prime {
    fn new(q: u64) -> Self {
        let half = (1u64 << 32) % q;
        let quotient = |x: u128| (x / u128::from(q)) as u64;
        Self { q, inverse: quotient(1 << 64), half, half_quotient: quotient(u128::from(half) << 64) }
    }

    /// x mod q.
    fn reduce(&self, x: u64) -> u64 {
        let quotient = ((u128::from(x) * u128::from(self.inverse)) >> 64) as u64;
        // At most two too small.
        let rest = x.wrapping_sub(quotient.wrapping_mul(self.q));
        let rest = if rest >= self.q { rest - self.q } else { rest };
        if rest >= self.q { rest - self.q } else { rest }
    }

    /// `low + 2^32 high` mod q.
    fn join(&self, low: u64, high: u64) -> u64 {
        let high = self.reduce(high);
        let quotient = ((u128::from(high) * u128::from(self.half_quotient)) >> 64) as u64;
        let product = high.wrapping_mul(self.half).wrapping_sub(quotient.wrapping_mul(self.q));
        let product = if product >= self.q { product - self.q } else { product };
        let sum = product + self.reduce(low);
        if sum >= self.q { sum - self.q } else { sum }
    }

    fn difference(&self, x: u64, y: u64) -> u64 {
        if x >= y { x - y } else { x + self.q - y }
    }

    /// The integer nearest to a number, mod q.
    fn residue(&self, number: f64) -> u64 {
        (number.round() as i128).rem_euclid(i128::from(self.q)) as u64
    }

    fn add(&self, words: &mut [u64], residue: u64) {
        for word in words {
            let sum = *word + residue;
            *word = if sum >= self.q { sum - self.q } else { sum };
        }
    }

    /// `shift` times the sum of the inputs.
    fn shifted(&self, columns: &[Columns], shift: u64) -> Columns {
        let (low, high) = split_sums(columns, columns.iter().map(|_| [shift]));
        std::array::from_fn(|t| self.join(low[0][t], high[0][t]))
    }

    /// The sums of one pair of outputs; `shifted` is what the shift of the weights adds to each.
    fn small_sums(&self, columns: &[Columns], weights: &[[u64; OUTPUTS]], shifted: &Columns) -> [Columns; OUTPUTS] {
        if self.q >> 32 == 0 {
            let low = sums::<OUTPUTS>(columns, weights);
            return std::array::from_fn(|o| {
                std::array::from_fn(|t| self.difference(self.reduce(low[o][t]), shifted[t]))
            });
        }
        let (low, high) = split_sums(columns, weights.iter().copied());
        std::array::from_fn(|o| std::array::from_fn(|t| self.difference(self.join(low[o][t], high[o][t]), shifted[t])))
    }

    /// As [`Prime::small_sums`] for any weights.
    fn sums(&self, columns: &[Columns], weights: &[[i64; OUTPUTS]]) -> [Columns; OUTPUTS] {
        let q = u128::from(self.q);
        let mut sums = [[0u128; TILE]; OUTPUTS];
        for (columns, weights) in columns.chunks(WIDE_TERMS).zip(weights.chunks(WIDE_TERMS)) {
            for (x, w) in columns.iter().zip(weights) {
                for (sums, w) in sums.iter_mut().zip(w) {
                    let w = u128::from(w.rem_euclid(self.q as i64) as u64);
                    sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += u128::from(x) * w);
                }
            }
            sums.iter_mut().flatten().for_each(|sum| *sum %= q);
        }
        sums.map(|sums| sums.map(|sum| sum as u64))
    }
}

/// Sums of inputs below 2^32.
fn sums<const O: usize>(columns: &[Columns], weights: &[[u64; O]]) -> [Columns; O] {
    let mut sums = [Columns::default(); O];
    for (x, w) in columns.iter().zip(weights) {
        for (sums, &w) in sums.iter_mut().zip(w) {
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += (x & 0xffff_ffff) * (w & 0xffff_ffff));
        }
    }
    sums
}

/// Sums of the low halves of the inputs, and of the high ones.
fn split_sums<const O: usize>(
    columns: &[Columns],
    weights: impl Iterator<Item = [u64; O]>,
) -> ([Columns; O], [Columns; O]) {
    let (mut low, mut high) = ([Columns::default(); O], [Columns::default(); O]);
    for (x, w) in columns.iter().zip(weights) {
        for ((low, high), &w) in low.iter_mut().zip(&mut high).zip(&w) {
            for t in 0..TILE {
                low[t] += (x[t] & 0xffff_ffff) * (w & 0xffff_ffff);
                high[t] += (x[t] >> 32) * (w & 0xffff_ffff);
            }
        }
    }
    (low, high)
}

/// Adds a number to every slot: to every evaluation of the first component.
pub(super) fn add_constant(x: &mut Ciphertext, value: f64, scale: Scale, n: usize, primes: &[u64]) {
    let limbs = x.words().len() / x.component_count() / n;
    for (words, &q) in x.words_mut().chunks_mut(n).zip(&primes[..limbs]) {
        let prime = Prime::new(q);
        prime.add(words, prime.residue(value * scale.get()));
    }
}
