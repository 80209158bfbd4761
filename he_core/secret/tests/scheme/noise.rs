//! Measured variances against the formulas of `he_params::noise`.

use he_ckks::{CiphertextTensor, Plaintext};
use he_params::noise::NoiseModel;
use he_params::{CkksParamsLiteral, ErrorDistribution, GaloisElement, Level, Rotation, Scale};
use he_ring::{Coeff, RnsTensor};
use he_secret::Decryptor;

use crate::support::{Setup, conjugate_invariant, literal, seed};

fn raw(setup: &Setup, x: &CiphertextTensor) -> Plaintext {
    Decryptor::new(&setup.context, &setup.secret).decrypt(x).unwrap()
}

/// Coefficients of every value, centred.
fn coefficients(setup: &Setup, plain: &Plaintext) -> Vec<i128> {
    let ring = setup.context.ring();
    let coeff: RnsTensor<Coeff> = ring.inverse(plain.rows().clone()).unwrap();
    (0..plain.values()).flat_map(|value| ring.compose_centered_i128(&coeff, value).unwrap()).collect()
}

fn variance(errors: impl Iterator<Item = f64>) -> (f64, usize) {
    let (sum, count) = errors.fold((0.0, 0usize), |(sum, count), e| (sum + e * e, count + 1));
    (sum / count as f64, count)
}

/// Fails unless `found` is within `tolerance` (relative) of `expected`.
fn close(what: &str, (found, count): (f64, usize), expected: f64, tolerance: f64) {
    println!("{what}: measured variance {found:.4} over {count} coefficients, formula {expected:.4}");
    assert!((found / expected - 1.0).abs() < tolerance, "{what}: measured {found}, formula {expected}");
}

fn zeros(values: usize) -> Vec<Vec<f64>> {
    vec![vec![]; values]
}

/// In either ring.
fn both(literal: CkksParamsLiteral) -> [CkksParamsLiteral; 2] {
    [literal.clone(), conjugate_invariant(literal)]
}

#[test]
fn fresh_ciphertexts_carry_exactly_the_error() {
    let errors = [ErrorDistribution::CentredBinomial, ErrorDistribution::RoundedGaussian];
    for (error, mut literal) in
        errors.into_iter().flat_map(|e| both(literal(12, &[40, 40], &[40], 30.0, 1)).map(|l| (e, l)))
    {
        literal.error = error;
        let setup = Setup::new(literal);
        let fresh = setup.encryptor(1).encrypt_tensor(&zeros(4), setup.top(), setup.scale()).unwrap();
        let errors = coefficients(&setup, &raw(&setup, &fresh.expand(&setup.context).unwrap()));
        let found = variance(errors.iter().map(|e| *e as f64));
        close(
            "symmetric encryption",
            found,
            NoiseModel::of(setup.context.params()).symmetric_encryption().variance(),
            0.04,
        );
        let mean = errors.iter().sum::<i128>() as f64 / errors.len() as f64;
        assert!(mean.abs() < 5.0 * (found.0 / errors.len() as f64).sqrt(), "mean {mean}");
    }
}

#[test]
fn encoding_rounds_uniformly() {
    let setup = Setup::new(literal(12, &[40, 40], &[40], 30.0, 1));
    let numbers: Vec<Vec<f64>> = (0..4).map(|i| crate::support::numbers(setup.slots(), setup.seed, i)).collect();
    // The same message at a scale 2^30 times larger has 30 more bits: what the smaller one rounded away.
    let fine = Scale::new(60f64.exp2()).unwrap();
    let (coarse, fine) = (
        setup.encoder.encode_tensor(&numbers, setup.top(), setup.scale()).unwrap(),
        setup.encoder.encode_tensor(&numbers, setup.top(), fine).unwrap(),
    );
    let ratio = 30f64.exp2();
    let pairs = coefficients(&setup, &coarse).into_iter().zip(coefficients(&setup, &fine));
    let found = variance(pairs.map(|(c, f)| c as f64 - f as f64 / ratio));
    close("encoding", found, NoiseModel::of(setup.context.params()).encoding().variance(), 0.05);
}

#[test]
fn rescaling_rounds_every_component() {
    both(literal(12, &[40, 30, 30], &[40], 25.0, 1)).into_iter().for_each(rescaling_rounds);
}

fn rescaling_rounds(literal: CkksParamsLiteral) {
    let setup = Setup::new(literal);
    let x = setup.encryptor(2).encrypt_tensor(&zeros(8), setup.top(), setup.scale()).unwrap();
    let mut x = x.expand(&setup.context).unwrap();
    // Large uniform-looking contents, so that roundings are not those of small numbers.
    setup.evaluator.mul_scalar_assign(&mut x, &[1.0], Scale::new(27f64.exp2() + 12_345.0).unwrap()).unwrap();
    let model = NoiseModel::of(setup.context.params());
    let prime = *setup.context.params().q().last().unwrap();
    let before = coefficients(&setup, &raw(&setup, &x));
    let after = coefficients(&setup, &raw(&setup, &setup.evaluator.rescale(x).unwrap()));
    let found = variance(before.iter().zip(&after).map(|(b, a)| *a as f64 - *b as f64 / prime as f64));
    close("rescale", found, model.rounding(2).variance(), 0.06);
}

/// A rotation adds exactly the noise of one key switch. Unsigned digits have a mean, so one key gives one sample of what
/// that mean does; several keys and levels are averaged.
#[test]
fn key_switching_adds_what_the_formula_says() {
    for (literal, level) in [
        (conjugate_invariant(literal(11, &[30, 30, 30, 30], &[30], 25.0, 1)), 3),
        (conjugate_invariant(literal(11, &[40, 40, 40, 40], &[40, 40], 25.0, 2)), 2),
        (literal(11, &[30, 30, 30, 30], &[30], 25.0, 1), 3),
        (literal(11, &[30, 30, 30, 30], &[30], 25.0, 1), 1),
        (literal(11, &[40, 40, 40, 40], &[40, 40], 25.0, 2), 2),
        (literal(11, &[30, 30, 30], &[45], 25.0, 1), 2),
    ] {
        let setup = Setup::new(literal);
        let params = setup.context.params();
        let rotations: Vec<Rotation> = (1..=24).map(Rotation).collect();
        let keys = setup.keys().galois_keys(&rotations, false).unwrap();
        let ring = setup.context.ring();
        let fresh = setup.encryptor(3).encrypt_tensor(&zeros(2), Level::new(level), setup.scale()).unwrap();
        let x = fresh.expand(&setup.context).unwrap();
        let mut squares = (0.0, 0usize);
        for by in rotations {
            let rotated = raw(&setup, &setup.evaluator.rotate(&x, by, &keys).unwrap());
            let galois = ring.galois(u64::from(GaloisElement::rotation(by, params.shape()).get())).unwrap();
            let mut difference = rotated.rows().clone();
            ring.sub_assign(&mut difference, &ring.automorphism(&galois, raw(&setup, &x).rows()).unwrap()).unwrap();
            let difference = Plaintext::from_rows(&setup.context, difference, setup.scale()).unwrap();
            let (found, count) = variance(coefficients(&setup, &difference).into_iter().map(|e| e as f64));
            squares = (squares.0 + found * count as f64, squares.1 + count);
        }
        let digits = params.digits_at(Level::new(level));
        let expected = NoiseModel::of(params).key_switch(&digits, params.log_p()).variance();
        close("key switch", (squares.0 / squares.1 as f64, squares.1), expected, 0.25);
    }
}

#[test]
fn public_key_encryption_leaves_little_more_than_rounding() {
    let cases = [(literal(11, &[40, 40], &[40], 30.0, 1), 0.06), (literal(11, &[40, 40], &[], 30.0, 1), 0.15)];
    for (literal, tolerance) in cases.into_iter().flat_map(|(l, tolerance)| both(l).map(|l| (l, tolerance))) {
        let setup = Setup::new(literal);
        let params = setup.context.params();
        let key = setup.keys().public_key().unwrap();
        let mut encryptor = he_ckks::PublicEncryptor::new(&setup.context, key, seed(setup.seed, 50));
        let plain = setup.encoder.encode_tensor(&zeros(16), setup.top(), setup.scale()).unwrap();
        let errors = coefficients(&setup, &raw(&setup, &encryptor.encrypt(&plain).unwrap()));
        let log_p = params.p().iter().map(|p| (*p as f64).log2()).sum();
        let expected = NoiseModel::of(params).public_encryption(log_p).variance();
        close("public encryption", variance(errors.into_iter().map(|e| e as f64)), expected, tolerance);
    }
}
