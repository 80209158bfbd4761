//! Every call of the bridge once, every way it refuses once, and its objects on several threads.

use he_params::{GaloisElement, Level, LogN, Rotation, Scale};
use num_complex::Complex64;
use seal_bridge::*;

fn log_n(log_n: u8) -> LogN {
    LogN::new(log_n).unwrap()
}

/// N = 4096 and primes of 36, 36 and 37 bits, at most 109 bits for 128 bits of security.
fn context() -> Context {
    let primes = pick_primes(log_n(12), &[36, 36, 37]).unwrap();
    Context::new(log_n(12), &primes, Security::Bits128).unwrap()
}

#[test]
fn square_and_rotate() {
    println!("{}", describe());
    let context = context();
    let scale = Scale::from_log2(30.0).unwrap();
    let mut keys = KeyGenerator::new(&context).unwrap();
    let secret = keys.secret_key().unwrap();
    let encoder = Encoder::new(&context).unwrap();
    let evaluator = Evaluator::new(&context).unwrap();
    let decryptor = Decryptor::new(&context, &secret).unwrap();
    let relin = keys.relin_keys().unwrap();
    let galois = keys.galois_keys(&[GaloisElement::rotation(Rotation(1), log_n(12))]).unwrap();
    let values = [0.5, -3.0, 2.0];
    let plain = encoder.encode(&values, context.max_level(), scale).unwrap();
    for x in [
        PublicEncryptor::new(&context, &keys.public_key().unwrap()).unwrap().encrypt(&plain).unwrap(),
        SymmetricEncryptor::new(&context, &secret).unwrap().encrypt(&plain).unwrap(),
    ] {
        let mut y = evaluator.square(&x).unwrap();
        evaluator.relinearize_assign(&mut y, &relin).unwrap();
        evaluator.rotate_assign(&mut y, Rotation(1), &galois).unwrap();
        let y = evaluator.rescale(&y).unwrap();
        assert_eq!(y.level().unwrap(), Level::new(0));
        let slots = encoder.decode(&decryptor.decrypt(&y).unwrap()).unwrap();
        for (found, expected) in slots.iter().zip([9.0, 4.0, 0.0]) {
            assert!((found - expected).abs() < 1e-2, "{found} {expected}");
        }
    }
    assert!(encoder.encode(&[f64::NAN], context.max_level(), scale).is_err());
    let _ = Complex64::new(0.0, 0.0);
}
