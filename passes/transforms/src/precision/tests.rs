//! Predictions against hand-made sums.

use std::sync::Arc;

use he_ir::{Group, HeProgramBuilder, WeightBlock};
use he_params::{ErrorDistribution, Level, LogN, Scale, SecretDistribution, primes};

use super::*;
use crate::ranges::RangeSource;

fn range(magnitude: f64, elements: usize) -> ValueRange {
    ValueRange {
        magnitude,
        factor: 1.0,
        source: RangeSource::Interval,
        interval: magnitude,
        seen: None,
        squares: vec![magnitude * magnitude; elements],
    }
}

#[test]
fn a_small_program_by_hand() {
    let log_n = LogN::new(13).unwrap();
    let q = primes::ntt_primes(30, log_n, 3).unwrap();
    let scale = Scale::from_log2(30.0).unwrap();
    let weight_scale = Scale::from_log2(20.0).unwrap();
    let mut b = HeProgramBuilder::new("p", q.clone());
    let x = b.input("x", vec![2], Level::new(2), scale).unwrap();
    let block = WeightBlock::new(1, 2, vec![1 << 20, -(1 << 19)]).unwrap();
    let group = Group { inputs: vec![0, 1], outputs: vec![0], block: 0 };
    let map = he_ir::LinearMap::new(2, vec![block], vec![group], vec![0.0], weight_scale).unwrap();
    let y = b.linear(Arc::new(map), x, vec![1], "dense").unwrap();
    let y = b.push(Op::Rescale, &[y], "dense").unwrap();
    let z = b.push(Op::Square, &[y], "square").unwrap();
    let z = b.push(Op::Relinearize, &[z], "square").unwrap();
    b.output("z", z);
    let program = b.finish().unwrap();
    let (r1, r2, r3) = (range(1.0, 2), range(1.5, 1), range(2.25, 1));
    let model = NoiseModel::new(log_n, SecretDistribution::UniformTernary, ErrorDistribution::CentredBinomial);
    let setting = NoiseSetting { model, log_p: 30.0, q: &q, primes_per_digit: 1, encryption: Encryption::Symmetric };
    let errors = estimate(&program, &[&r1, &r2, &r2, &r3, &r3], &[], &setting);

    let n = 8192.0f64;
    let fresh = 10.5 + 1.0 / 12.0;
    let close = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    close(errors[0].std, (fresh * n).sqrt() / 30f64.exp2());
    close(errors[0].bound, 12.0 * errors[0].std);
    // Weights 2^20 and 2^19; their rounding: two inputs of magnitude 1 at scale 2^30.
    let after_linear = fresh * 1.25 * 40f64.exp2() + 2.0 * 60f64.exp2() / 12.0 / n;
    close(errors[1].std, (after_linear * n).sqrt() / 50f64.exp2());
    let rounding = (1.0 + n * 2.0 / 3.0) / 12.0;
    let q2 = q[2] as f64;
    let settled = after_linear / (q2 * q2) + rounding;
    let scale_after = 50f64.exp2() / q2;
    close(errors[2].std, (settled * n).sqrt() / scale_after);
    let squared = settled * (3.0 * scale_after).powi(2) + 2.0 * settled * settled * n;
    close(errors[3].std, (squared * n).sqrt() / (scale_after * scale_after));
    assert!(errors[4].std > errors[3].std);
    // 2^50 * 1.5 in three primes of 30 bits.
    assert!((errors[1].headroom_bits - (90.0 - 1.0 - 50.0 - 1.5f64.log2())).abs() < 0.01);
}

/// One rounding less than the two steps, and otherwise their error.
#[test]
fn relinearize_rescale_rounds_once() {
    let log_n = LogN::new(13).unwrap();
    // A large special prime: what the key switch adds is its rounding alone.
    let q = primes::ntt_primes(20, log_n, 2).unwrap();
    let scale = Scale::from_log2(18.0).unwrap();
    let model = NoiseModel::new(log_n, SecretDistribution::UniformTernary, ErrorDistribution::CentredBinomial);
    let setting = NoiseSetting { model, log_p: 61.0, q: &q, primes_per_digit: 1, encryption: Encryption::Symmetric };
    let variance = |ops: &[Op]| {
        let mut b = HeProgramBuilder::new("p", q.clone());
        let x = b.input("x", vec![1], Level::new(1), scale).unwrap();
        let x = b.push(Op::Square, &[x], "square").unwrap();
        let y = ops.iter().fold(x, |y, op| b.push(op.clone(), &[y], "square").unwrap());
        b.output("y", y);
        let program = b.finish().unwrap();
        let one = range(1e-9, 1);
        let ranges = vec![&one; program.nodes().len()];
        let scale = program.nodes().last().unwrap().value().scale.get();
        (estimate(&program, &ranges, &[], &setting).last().unwrap().std * scale).powi(2)
    };
    let (one, two) = (variance(&[Op::RelinearizeRescale]), variance(&[Op::Relinearize, Op::Rescale]));
    let n = 8192.0f64;
    let rounding = (1.0 + n * 2.0 / 3.0) / 12.0 * n / (q[1] as f64).powi(2);
    assert!(((two - one) / rounding - 1.0).abs() < 1e-2, "{one} {two} {rounding}");
}

#[test]
fn weights_that_round_to_zero_are_lost_not_exact() {
    let log_n = LogN::new(13).unwrap();
    let q = primes::ntt_primes(30, log_n, 2).unwrap();
    // A hundred weights of 1e-4 at scale 2^8 are a hundred zeros.
    let weight_scale = Scale::from_log2(8.0).unwrap();
    let mut b = HeProgramBuilder::new("p", q.clone());
    let x = b.input("x", vec![100], Level::new(1), Scale::from_log2(24.0).unwrap()).unwrap();
    let block = WeightBlock::new(1, 100, vec![0; 100]).unwrap();
    let group = Group { inputs: (0..100).collect(), outputs: vec![0], block: 0 };
    let map = he_ir::LinearMap::new(100, vec![block], vec![group], vec![0.0], weight_scale).unwrap();
    let y = b.linear(Arc::new(map), x, vec![1], "dense").unwrap();
    b.output("y", y);
    let program = b.finish().unwrap();
    let model = NoiseModel::new(log_n, SecretDistribution::UniformTernary, ErrorDistribution::CentredBinomial);
    let setting = NoiseSetting { model, log_p: 30.0, q: &q, primes_per_digit: 1, encryption: Encryption::Symmetric };
    let ranges = [&range(1.0, 100), &range(1.0, 1)];
    let errors = estimate(&program, &ranges, &[], &setting);
    let lost = 100.0 * 1e-4;
    assert!(errors[1].std >= lost, "{} predicted, {lost} lost", errors[1].std);

    // Weights that are zero by structure lose nothing.
    let real = |weight: f64| {
        let block = graph::affine::AffineBlock::new(1, 100, vec![weight; 100]).unwrap();
        let group = graph::affine::AffineGroup { inputs: (0..100).collect(), outputs: vec![0], block: 0 };
        Some(Arc::new(AffineMap::new(100, vec![block], vec![group], vec![0.0]).unwrap()))
    };
    assert_eq!(estimate(&program, &ranges, &[None, real(1e-4)], &setting), errors);
    assert_eq!(estimate(&program, &ranges, &[None, real(0.0)], &setting)[1].std, 0.0);
}
