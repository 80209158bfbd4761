//! Every refusal provoked once.

use he_ckks::{
    CiphertextTensor, CkksContext, CkksError, Complex64, Encoder, LinearWeights, Plaintext, PublicEncryptor, RingError,
};
use he_params::{CkksParams, Level, ParamsError, Rotation, Scale, SecretDistribution};
use he_rlwe::{GaloisKeys, KeySwitchKey, PublicKey, RlweError};
use he_secret::{KeyGenerator, SecretError, SecretKey, SymmetricEncryptor};

use crate::support::{Setup, literal, seed};

fn setup() -> Setup {
    Setup::new(literal(5, &[40, 30, 30], &[40], 25.0, 1))
}

fn scale(log: f64) -> Scale {
    Scale::from_log2(log).unwrap()
}

#[test]
fn operands_must_agree() {
    let setup = setup();
    let e = &setup.evaluator;
    let x = setup.encrypt(&setup.messages(3, 1), 1);
    let low = e.drop_level(x.clone(), Level::new(1)).unwrap();
    let levels = CkksError::LevelMismatch { left: Level::new(2), right: Level::new(1) };
    assert_eq!(e.add(&x, &low).unwrap_err(), levels);
    assert_eq!(e.sub(&x, &low).unwrap_err(), levels);
    assert_eq!(e.mul(&x, &low).unwrap_err(), levels);
    let plain = setup.encoder.encode(&[1.0], Level::new(1), setup.scale()).unwrap();
    assert_eq!(e.add_plain(&x, &plain).unwrap_err(), levels);
    assert_eq!(e.sub_plain(&x, &plain).unwrap_err(), levels);
    assert_eq!(e.mul_plain(&x, &plain).unwrap_err(), levels);
    assert_eq!(
        CiphertextTensor::concat(&[&x, &low]).unwrap_err(),
        CkksError::Ring(RingError::MissingLimb { index: 2, found: vec![0, 1] })
    );
    assert_eq!(
        CiphertextTensor::concat(&[&low, &x]).unwrap_err(),
        CkksError::LevelMismatch { left: Level::new(1), right: Level::new(2) }
    );

    let mut larger = x.clone();
    e.mul_scalar_assign(&mut larger, &[1.0], scale(10.0)).unwrap();
    let scales = CkksError::ScaleMismatch { left: scale(25.0), right: scale(35.0) };
    assert_eq!(e.add(&x, &larger).unwrap_err(), scales);
    assert_eq!(e.sub(&x, &larger).unwrap_err(), scales);
    assert_eq!(CiphertextTensor::concat(&[&x, &larger]).unwrap_err(), scales);
    let plain = setup.encoder.encode(&[1.0], setup.top(), scale(35.0)).unwrap();
    assert_eq!(e.add_plain(&x, &plain).unwrap_err(), scales);
    assert_eq!(e.sub_plain(&x, &plain).unwrap_err(), scales);

    let two = x.gather(&[0, 1]).unwrap();
    let values = CkksError::ValueMismatch { left: 3, right: 2 };
    assert_eq!(e.add(&x, &two).unwrap_err(), values);
    assert_eq!(e.sub(&x, &two).unwrap_err(), values);
    assert_eq!(e.mul(&x, &two).unwrap_err(), values);
    let plain = setup.encoder.encode_tensor(&[[1.0], [2.0]], setup.top(), setup.scale()).unwrap();
    assert_eq!(e.add_plain(&x, &plain).unwrap_err(), values);
    assert_eq!(e.mul_plain(&x, &plain).unwrap_err(), values);
    assert_eq!(e.add_scalar_assign(&mut x.clone(), &[1.0, 2.0]).unwrap_err(), values);
    assert_eq!(e.sub_scalar_assign(&mut x.clone(), &[1.0, 2.0]).unwrap_err(), values);
    assert_eq!(
        e.mul_scalar_assign(&mut x.clone(), &[], scale(1.0)).unwrap_err(),
        CkksError::ValueMismatch { left: 3, right: 0 }
    );
    let weights = LinearWeights::new(2, 1, vec![], vec![]).unwrap();
    assert_eq!(e.linear(&x, &weights, scale(4.0), &[]).unwrap_err(), values);
    assert_eq!(x.gather(&[0, 3]).unwrap_err(), CkksError::ValueOutOfRange { value: 3, values: 3 });
}

#[test]
fn component_counts_are_checked() {
    let setup = setup();
    let e = &setup.evaluator;
    let x = setup.encrypt(&setup.messages(1, 1), 1);
    let square = e.square(&x).unwrap();
    let keys = setup.keys();
    let (relinearization, galois) =
        (keys.relinearization_key().unwrap(), keys.galois_keys(&[Rotation(1)], false).unwrap());
    let two = CkksError::ComponentCount { expected: 2, found: 3 };
    assert_eq!(e.square(&square).unwrap_err(), two);
    assert_eq!(e.mul(&x, &square).unwrap_err(), two);
    assert_eq!(e.mul(&square, &x).unwrap_err(), two);
    assert_eq!(e.rotate(&square, Rotation(1), &galois).unwrap_err(), two);
    assert_eq!(e.rotate_hoisted(&square, &[Rotation(1)], &galois).unwrap_err(), two);
    assert_eq!(e.relinearize(&x, &relinearization).unwrap_err(), CkksError::ComponentCount { expected: 3, found: 2 });
    let rows = x.rows().clone();
    let refused =
        |components| CiphertextTensor::from_rows(&setup.context, rows.clone(), components, setup.scale()).unwrap_err();
    assert_eq!(refused(1), CkksError::ComponentCount { expected: 2, found: 1 });
    assert_eq!(refused(3), CkksError::ComponentCount { expected: 3, found: 2 });
}

#[test]
fn levels_end() {
    let setup = setup();
    let e = &setup.evaluator;
    let x = setup.encrypt(&setup.messages(1, 1), 1);
    let bottom = e.drop_level(x.clone(), Level::BOTTOM).unwrap();
    assert_eq!(e.rescale(bottom.clone()).unwrap_err(), CkksError::NoPrimeToDrop(Level::BOTTOM));
    let raised = CkksError::LevelRaised { from: Level::BOTTOM, to: Level::new(1) };
    assert_eq!(e.drop_level(bottom, Level::new(1)).unwrap_err(), raised);
    let none = RlweError::LevelOutOfRange { level: Level::new(3), max: Level::new(2) };
    assert_eq!(setup.encoder.encode(&[1.0], Level::new(3), setup.scale()).unwrap_err(), none.into());
    let refused = setup.encryptor(1).encrypt(&[1.0], Level::new(3), setup.scale()).unwrap_err();
    assert!(matches!(refused, SecretError::Rlwe(RlweError::LevelOutOfRange { .. })), "{refused}");
}

#[test]
fn scales_and_messages_must_fit() {
    let setup = setup();
    let (e, top) = (&setup.evaluator, setup.top());
    let x = setup.encrypt(&setup.messages(1, 1), 1);
    let log_q = setup.context.params().log_q_at(top);
    let plain = setup.encoder.encode(&[1e-9], top, scale(76.0)).unwrap();
    assert_eq!(e.mul_plain(&x, &plain).unwrap_err(), CkksError::ScaleTooLarge { scale: scale(101.0), log_q });
    let refused = e.mul_scalar_assign(&mut x.clone(), &[1e-9], scale(76.0)).unwrap_err();
    assert_eq!(refused, CkksError::ScaleTooLarge { scale: scale(101.0), log_q });
    let mut wide = x.clone();
    e.mul_scalar_assign(&mut wide, &[1.0], scale(30.0)).unwrap();
    assert!(matches!(e.square(&wide).unwrap_err(), CkksError::ScaleTooLarge { .. }));
    assert!(matches!(e.mul(&wide, &wide).unwrap_err(), CkksError::ScaleTooLarge { .. }));
    assert!(matches!(e.drop_level(wide, Level::BOTTOM).unwrap_err(), CkksError::ScaleTooLarge { .. }));

    let overflow = |refused| assert!(matches!(refused, CkksError::EncodingOverflow { .. }), "{refused}");
    overflow(setup.encoder.encode(&[1.0; 16], Level::BOTTOM, scale(39.1)).unwrap_err());
    assert!(setup.encoder.encode(&[1.0; 16], Level::BOTTOM, scale(38.9)).is_ok());
    overflow(setup.encoder.encode(&[1e300], top, scale(25.0)).unwrap_err());
    overflow(e.add_scalar_assign(&mut x.clone(), &[1e30]).unwrap_err());
    for bad in [f64::NAN, f64::INFINITY] {
        assert_eq!(setup.encoder.encode(&[0.0, bad], top, scale(25.0)).unwrap_err(), CkksError::NotFinite);
        let complex = [Complex64::new(0.0, bad)];
        assert_eq!(setup.encoder.encode_complex(&complex, top, scale(25.0)).unwrap_err(), CkksError::NotFinite);
        assert_eq!(e.add_scalar_assign(&mut x.clone(), &[bad]).unwrap_err(), CkksError::NotFinite);
        assert_eq!(e.mul_scalar_assign(&mut x.clone(), &[bad], scale(4.0)).unwrap_err(), CkksError::NotFinite);
    }
    let many = CkksError::TooManySlots { found: 17, slots: 16 };
    assert_eq!(setup.encoder.encode(&[0.0; 17], top, scale(25.0)).unwrap_err(), many);
    assert_eq!(setup.encryptor(1).encrypt(&[0.0; 17], top, scale(25.0)).unwrap_err(), SecretError::Ckks(many));
    let plain = setup.encoder.encode(&[1.0], top, scale(25.0)).unwrap();
    assert_eq!(setup.encoder.decode(&plain, 1).unwrap_err(), CkksError::ValueOutOfRange { value: 1, values: 1 });
}

/// Coefficients beyond 64 bits go through 128; beyond those is refused even when the modulus is larger.
#[test]
fn large_scales_are_exact_until_128_bits() {
    let setup = Setup::new(literal(5, &[60, 60, 60], &[60], 40.0, 1));
    let numbers = crate::support::numbers(16, setup.seed, 3);
    for log in [61.0, 62.0, 80.0, 120.0] {
        let plain = setup.encoder.encode(&numbers, setup.top(), scale(log)).unwrap();
        let back = setup.encoder.decode(&plain, 0).unwrap();
        assert!(numbers.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-14), "2^{log}");
        let fresh = setup.encryptor(1).encrypt(&numbers, setup.top(), scale(log)).unwrap();
        let back = setup.decrypt(&fresh.expand(&setup.context).unwrap());
        assert!(numbers.iter().zip(&back[0]).all(|(a, b)| (a - b.re).abs() < 1e-14), "2^{log}");
    }
    let refused = setup.encoder.encode(&[1.0], setup.top(), scale(133.0)).unwrap_err();
    assert!(matches!(refused, CkksError::EncodingOverflow { log_q, .. } if log_q == 126.0), "{refused}");
}

#[test]
fn keys_must_be_there_and_fit() {
    let setup = setup();
    let e = &setup.evaluator;
    let x = setup.encrypt(&setup.messages(1, 1), 1);
    let keys = setup.keys();
    let galois = keys.galois_keys(&[Rotation(1)], false).unwrap();
    let missing = e.rotate(&x, Rotation(2), &galois).unwrap_err();
    assert_eq!(missing, RlweError::MissingGaloisKey { element: 9, present: vec![3] }.into());
    assert!(matches!(
        e.conjugate(&x, &GaloisKeys::new()).unwrap_err(),
        CkksError::Rlwe(RlweError::MissingGaloisKey { .. })
    ));

    // Without special primes there is nothing to switch through.
    let none = Setup::new(literal(5, &[40, 30], &[], 25.0, 1));
    assert_eq!(none.keys().relinearization_key().unwrap_err(), SecretError::NoSpecialPrimes);
    assert_eq!(none.keys().galois_keys(&[Rotation(1)], false).unwrap_err(), SecretError::NoSpecialPrimes);
    let y = none.encrypt(&none.messages(1, 1), 1);
    let refused = none.context.rlwe().raise_digits(y.rows()).unwrap_err();
    assert_eq!(refused, RlweError::NoSpecialPrimes);

    // Keys, ciphertexts and secrets of other parameters.
    let other = Setup::new(literal(6, &[40, 30, 30], &[40], 25.0, 1));
    let foreign = other.keys().relinearization_key().unwrap();
    let square = e.square(&x).unwrap();
    assert!(matches!(e.relinearize(&square, &foreign).unwrap_err(), CkksError::Rlwe(RlweError::Ring(_))));
    let z = other.encrypt(&other.messages(1, 1), 1);
    assert!(matches!(e.add(&x, &z).unwrap_err(), CkksError::Ring(_)));
    assert!(he_secret::Decryptor::new(&setup.context, &other.secret).decrypt(&x).is_err());
    let mut stranger = SymmetricEncryptor::new(&setup.context, &other.secret, &seed(1, 1));
    assert!(stranger.encrypt(&[1.0], setup.top(), setup.scale()).is_err());
    assert!(KeyGenerator::new(&setup.context, &other.secret, seed(1, 1)).public_key().is_err());
    let mut stranger = PublicEncryptor::new(&setup.context, other.keys().public_key().unwrap(), seed(1, 2));
    let plain = setup.encoder.encode(&[1.0], setup.top(), setup.scale()).unwrap();
    assert!(stranger.encrypt(&plain).is_err());

    let rlwe = setup.context.rlwe();
    let rows = keys.public_key().unwrap().rows().clone();
    let refused = KeySwitchKey::from_parts(rlwe, seed(1, 3), &rows).unwrap_err();
    assert_eq!(refused, RlweError::KeyShape { expected: 3, found: 2 });
    assert_eq!(
        PublicKey::from_parts(rlwe, seed(1, 3), &rows).unwrap_err(),
        RlweError::KeyShape { expected: 1, found: 2 }
    );
    // Special primes are no level.
    let refused = Plaintext::from_rows(&setup.context, rows, setup.scale()).unwrap_err();
    assert_eq!(refused, RlweError::NoSuchLevel { limbs: vec![0, 1, 2, 3] }.into());
}

#[test]
fn secret_keys_are_checked() {
    let setup = setup();
    let read = |s: Vec<i8>| SecretKey::from_coefficients(&setup.context, s).map(|_| ()).unwrap_err();
    assert_eq!(read(vec![0; 31]), SecretError::KeyLength { expected: 32, found: 31 });
    assert_eq!(read([vec![2], vec![0; 31]].concat()), SecretError::NotTernary);
    let mut sparse = literal(5, &[40, 30], &[40], 25.0, 1);
    sparse.secret = SecretDistribution::HammingWeight(8);
    let sparse = Setup::new(sparse);
    let weight: u32 = sparse.secret.expose_coefficients().iter().map(|s| u32::from(s.unsigned_abs())).sum();
    assert_eq!(weight, 8);
    let dense = SecretKey::from_coefficients(&sparse.context, vec![1; 32]).map(|_| ()).unwrap_err();
    assert_eq!(dense, SecretError::NotTernary);
}

#[test]
fn insecure_literals_are_refused_with_their_numbers() {
    let mut insecure = literal(12, &[40, 40], &[40], 30.0, 1);
    insecure.security = he_params::RequiredSecurity::default();
    let refused = CkksContext::from_literal(insecure.clone()).unwrap_err();
    assert!(matches!(refused, CkksError::Params(ParamsError::Insecure { .. })), "{refused}");
    assert!(refused.to_string().contains("106"), "{refused}");
    insecure.security = he_params::RequiredSecurity::Insecure;
    let context = CkksContext::with_isa(CkksParams::try_from(insecure).unwrap(), he_ckks::Isa::Scalar).unwrap();
    assert_eq!(Encoder::new(&context).slots(), 2048);
}
