//! Degrees, levels, scales and automorphisms.

use crate::*;
use proptest::prelude::*;

#[test]
fn levels_count_primes() {
    let level = Level::with_prime_count(3).unwrap();
    assert_eq!((level.get(), level.prime_count(), level.last_prime()), (2, 3, 2));
    assert_eq!(level.below().and_then(Level::below), Some(Level::BOTTOM));
    assert_eq!(Level::BOTTOM.below(), None);
    assert_eq!(Level::with_prime_count(0), None);
    assert_eq!(Level::with_prime_count(257), None);
}

#[test]
fn rotations_are_powers_of_three() {
    let log_n = LogN::new(4).unwrap();
    assert_eq!(GaloisElement::rotation(Rotation(1), log_n).get(), 3);
    assert_eq!(GaloisElement::rotation(Rotation(3), log_n).get(), 27);
    assert_eq!(GaloisElement::rotation(Rotation(8), log_n).get(), 1);
    assert_eq!(GaloisElement::rotation(Rotation(-1), log_n).get(), 11);
    assert_eq!(GaloisElement::conjugation(log_n).get(), 31);
}

#[test]
fn a_ring_has_slots_and_roots_of_its_own() {
    let log_n = LogN::new(4).unwrap();
    let cyclotomic = RingShape::new(RingType::Cyclotomic, log_n).unwrap();
    assert_eq!(cyclotomic, RingShape::from(log_n));
    assert_eq!((cyclotomic.n(), cyclotomic.slots(), cyclotomic.cyclotomic()), (16, 8, log_n));
    let real = RingShape::new(RingType::ConjugateInvariant, log_n).unwrap();
    assert_eq!((real.n(), real.slots(), real.cyclotomic().get()), (16, 16, 5));
    // 3^k modulo 4N, k modulo N; slots that are real are their own conjugates.
    assert_eq!(GaloisElement::rotation(Rotation(8), real).get(), 33);
    assert_eq!(GaloisElement::rotation(Rotation(16), real).get(), 1);
    assert_eq!(GaloisElement::conjugation(real).get(), 1);
    assert!(GaloisElement::new(63, real).is_ok() && GaloisElement::new(63, cyclotomic).is_err());
    let refused = RingShape::new(RingType::ConjugateInvariant, LogN::new(16).unwrap());
    assert_eq!(refused, Err(ParamsError::LogN { found: 16, min: 1, max: 15 }));
    for ring in [RingType::Cyclotomic, RingType::ConjugateInvariant] {
        assert_eq!(ring.to_string().parse(), Ok(ring));
    }
    let error = "real".parse::<RingType>().unwrap_err().to_string();
    assert_eq!(error, "unknown ring \"real\", expected cyclotomic or conjugate-invariant");
}

#[test]
fn scales_stay_positive_and_finite() {
    let scale = Scale::from_log2(600.0).unwrap();
    assert!(scale.times(scale).is_err());
    let s = Scale::from_log2(40.0).unwrap();
    assert_eq!(s.over(1_073_643_521).unwrap().get(), s.get() / 1_073_643_521.0);
    assert!(s.is_close(Scale::new(s.get() * (1.0 + 1e-14)).unwrap()));
    assert!(!s.is_close(Scale::new(s.get() * (1.0 + 1e-9)).unwrap()));
}

proptest! {
    #[test]
    fn a_rotation_and_its_inverse_cancel(k in any::<i32>(), n in 2u8..=16) {
        let log_n = LogN::new(n).unwrap();
        let (a, b) = (GaloisElement::rotation(Rotation(k), log_n), GaloisElement::rotation(Rotation(k.wrapping_neg()), log_n));
        prop_assume!(k != i32::MIN);
        prop_assert_eq!(u64::from(a.get()) * u64::from(b.get()) % (2 << n), 1);
        prop_assert_eq!(GaloisElement::new(a.get(), log_n), Ok(a));
    }
}
