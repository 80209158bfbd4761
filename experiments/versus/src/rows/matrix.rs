//! The residue matrix product of the fully connected layer of CryptoNets: one prime, both components.

use anyhow::ensure;
use he_params::primes::ntt_primes;
use he_params::{Group, LogN};
use he_ring::{Eval, Isa, LinearWeights, Ring, RnsTensor, WeightBlock};

use super::{Contest, Setting, beside_speed, contest, explain, mix, residues};
use crate::bars;
use crate::contest::Contender;
use crate::limit::{Work, multiplies_per_cycle, word_bytes};
use crate::parts::{Part, Profile, time};
use crate::record::Row;

const NAME: &str = bars::MATRIX_PRODUCT;
const LOG_N: u8 = 13;
const COMPONENTS: usize = 2;

pub(super) fn measure(setting: &Setting, take: &mut dyn FnMut(Vec<Row>)) -> anyhow::Result<()> {
    if !setting.wants(NAME) {
        return Ok(());
    }
    let (inputs, outputs) = if setting.quick { (85, 10) } else { (845, 100) };
    let q = ntt_primes(30, LogN::new(LOG_N)?, 1)?[0];
    let weights: Vec<i64> = (0..(inputs * outputs) as u64).map(|i| (mix(i) % (1 << 16)) as i64 - (1 << 15)).collect();
    let packed = pack(inputs, outputs, &weights)?;
    let operands: Vec<(Isa, Ring, RnsTensor<Eval>)> = setting
        .isas
        .iter()
        .map(|isa| {
            let ring = Ring::new(u32::from(LOG_N), &[q], *isa)?;
            let mut x = ring.zero(inputs * COMPONENTS, &[0])?;
            for row in 0..inputs * COMPONENTS {
                x.set_row_from_u64(0, row, residues(row as u64, q, ring.n()).into_iter())?;
            }
            check(&ring, &packed, &weights, &x, q)?;
            Ok((*isa, ring, x))
        })
        .collect::<anyhow::Result<_>>()?;

    let products = (inputs * outputs * COMPONENTS) as f64 * f64::from(1u32 << LOG_N);
    // Weights stand once for both components; sixteen bits each.
    let bytes = ((inputs + outputs) * COMPONENTS) as f64 * f64::from(1u32 << LOG_N) * word_bytes(q)
        + 2.0 * (inputs * outputs) as f64;
    let make = || {
        let mut contest = Contest::new(NAME, move |_| Work { multiplies: products, bytes });
        for (isa, ring, x) in &operands {
            let packed = &packed;
            let turn = move |()| Ok(ring.matrix_product(packed, COMPONENTS, x)?);
            contest.henge(*isa, Contender::prepared(format!("Henge, {}", isa.name()), || Ok(()), turn));
        }
        #[cfg(feature = "seal")]
        if let Some((_, ring, x)) = operands.last() {
            seal::join(&ring.matrix_product(&packed, COMPONENTS, x)?, &weights, inputs, q, &mut contest)?;
        }
        Ok(contest)
    };
    let mut rows = contest(setting, make)?;
    for row in &mut rows {
        row.mac_per_second = row.henge_us.map(|us| products / (us * row.threads as f64) * 1e6);
    }
    for (isa, ring, x) in &operands {
        explain(&mut rows, *isa, |us| profile(setting, ring, &weights, x, products, us))?;
    }
    // Beside the first peer of each instruction set, on one thread and on all.
    let mut all: Vec<Row> = Vec::with_capacity(2 * rows.len());
    for row in rows {
        let is_first = all.last().is_none_or(|before| (&before.isa, before.threads) != (&row.isa, row.threads));
        if is_first {
            let mut asked = beside_speed(&row, bars::MULTIPLY_ACCUMULATES, products / row.threads as f64);
            if row.together {
                // Bars are asked of one thread.
                asked.target = None;
            }
            if setting.quick || row.together {
                asked.met = None;
            }
            all.push(asked);
        }
        all.push(row);
    }
    take(all);
    Ok(())
}

/// Outputs that share one pass over the inputs, in the kernels on vectors.
const TILE: usize = 6;

/// What every output adds follows from the time of one tile of outputs; what that leaves is the inputs' way into panels.
fn profile(
    setting: &Setting,
    ring: &Ring,
    weights: &[i64],
    x: &RnsTensor<Eval>,
    products: f64,
    us: f64,
) -> anyhow::Result<Vec<Part>> {
    let inputs = x.rows() / COMPONENTS;
    let outputs = weights.len() / inputs;
    let few = TILE.min(outputs - 1);
    let tile = pack(inputs, few, &weights[..few * inputs])?;
    let tile_us = time(&setting.plan, || Ok(()), |()| Ok(ring.matrix_product(&tile, COMPONENTS, x)?))?;
    let each = ((us - tile_us) / (outputs - few) as f64).max(0.0);
    let panels = (tile_us - few as f64 * each).clamp(0.0, us);
    let multiplying = products / multiplies_per_cycle(ring.isa()) / setting.processor.clock_hz * 1e6;
    let mut profile = Profile::default();
    profile.add("residues into panels of numbers", panels);
    profile.add("fused multiply-adds, 2 vectors a cycle", multiplying);
    Ok(profile.of(us, "the rest (loads, broadcasts of weights, sums reduced to residues)"))
}

fn pack(inputs: usize, outputs: usize, weights: &[i64]) -> anyhow::Result<LinearWeights> {
    let group = Group { inputs: (0..inputs as u32).collect(), outputs: (0..outputs as u32).collect(), block: 0 };
    let block = WeightBlock { outputs, inputs, weights: weights.to_vec() };
    Ok(LinearWeights::new(inputs, outputs, vec![block], vec![group])?)
}

/// One column of one output against 128-bit sums.
fn check(ring: &Ring, packed: &LinearWeights, weights: &[i64], x: &RnsTensor<Eval>, q: u64) -> anyhow::Result<()> {
    let product = ring.matrix_product(packed, COMPONENTS, x)?;
    let inputs = packed.input_count();
    for (output, component, column) in [(0, 0, 0), (packed.output_count() - 1, 1, ring.n() - 1), (3, 1, 4097)] {
        let sum: i128 = (0..inputs)
            .map(|k| {
                i128::from(weights[output * inputs + k]) * i128::from(x.row(0, k * COMPONENTS + component).get(column))
            })
            .sum();
        let expected = sum.rem_euclid(i128::from(q)) as u64;
        let found = product.row(0, output * COMPONENTS + component).get(column);
        ensure!(found == expected, "{NAME}: {found}, expected {expected}");
    }
    Ok(())
}

#[cfg(feature = "seal")]
mod seal {
    use super::*;
    use crate::seal::Matrix;

    /// The same product on 64-bit residues: by hand-written AVX2, and by SEAL's kernels one scalar at a time.
    pub(super) fn join(
        expected: &RnsTensor<Eval>,
        weights: &[i64],
        inputs: usize,
        q: u64,
        contest: &mut Contest<'_>,
    ) -> anyhow::Result<()> {
        let outputs = expected.rows() / COMPONENTS;
        for (name, hand_tuned) in [(bars::SEAL_HAND_TUNED, true), (bars::SEAL_OWN_KERNELS, false)] {
            // SEAL's kernels take seconds for all of it: a few outputs tell.
            let outputs_measured = if hand_tuned { outputs } else { outputs.min(4) };
            let weights = &weights[..outputs_measured * inputs];
            let mut matrix = Matrix::new(u32::from(LOG_N), q, inputs, outputs_measured, COMPONENTS, weights)?;
            for row in 0..inputs * COMPONENTS {
                matrix.set_row(row, &residues(row as u64, q, 1 << LOG_N))?;
            }
            matrix.run(hand_tuned)?;
            for row in 0..outputs_measured * COMPONENTS {
                ensure!(expected.row(0, row).iter().eq(matrix.result(row)?), "{NAME}: {name} has other residues");
            }
            let contender = Contender::new(name, move || matrix.run(hand_tuned));
            contest.peer(contender.one_part_of(outputs as f64 / outputs_measured as f64), Some("same residues"));
        }
        Ok(())
    }
}
