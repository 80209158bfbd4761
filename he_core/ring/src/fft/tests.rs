use super::*;
use crate::testing::largest_log_n;

/// Values without structure in [-1, 1).
fn noise(len: usize, mut state: u64) -> Vec<f64> {
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / 52f64.exp2() - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// The definition, in O(N^2), with the library's sine and cosine.
fn evaluate(a: &[f64]) -> Vec<(f64, f64)> {
    let n = a.len();
    let mut m = 1;
    (0..n / 2)
        .map(|_| {
            let term = |(k, a): (usize, &f64)| {
                let angle = std::f64::consts::PI * ((m * k) % (2 * n)) as f64 / n as f64;
                (a * angle.cos(), a * angle.sin())
            };
            let value = a.iter().enumerate().map(term).fold((0.0, 0.0), |s, t| (s.0 + t.0, s.1 + t.1));
            m = m * 3 % (2 * n);
            value
        })
        .collect()
}

#[test]
fn slots_are_the_values_at_powers_of_three() {
    for log_n in 1..=10 {
        let plan = FftPlan::new(log_n, Isa::Scalar).unwrap();
        let n = 1 << log_n;
        let a = noise(n, 3);
        let expected = evaluate(&a);
        let (mut re, mut im) = (vec![0.0; n / 2], vec![0.0; n / 2]);
        plan.coefficients_to_slots(&mut a.clone(), &mut re, &mut im).unwrap();
        for (j, (r, i)) in expected.iter().enumerate() {
            assert!((re[j] - r).abs() < 1e-11 && (im[j] - i).abs() < 1e-11, "log_n {log_n} slot {j}");
        }
        let mut back = vec![9.0; n];
        let back: Vec<f64> = plan.slots_to_coefficients(&re, &im, 8.0, &mut back).unwrap().coefficients().collect();
        assert!(a.iter().zip(&back).all(|(a, b)| (8.0 * a - b).abs() < 1e-13), "log_n {log_n}");
    }
}

/// Error after both directions stays at a few units in the last place.
#[test]
fn round_trip_is_accurate() {
    for log_n in [12, 13, 15] {
        let plan = FftPlan::new(log_n, Isa::Scalar).unwrap();
        let slots = plan.slots();
        let (re, im) = (noise(slots, 1), noise(slots, 2));
        let mut a = vec![0.0; 2 * slots];
        let mut a: Vec<f64> = plan.slots_to_coefficients(&re, &im, 1.0, &mut a).unwrap().coefficients().collect();
        let (mut re2, mut im2) = (vec![0.0; slots], vec![0.0; slots]);
        plan.coefficients_to_slots(&mut a, &mut re2, &mut im2).unwrap();
        let worst = re.iter().zip(&re2).chain(im.iter().zip(&im2)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 2e-15, "log_n {log_n}: {worst}");
    }
}

#[test]
fn short_and_real_inputs_are_padded_with_zeros() {
    let plan = FftPlan::new(6, Isa::Scalar).unwrap();
    let re = noise(5, 4);
    let mut short = vec![7.0; 64];
    let short: Vec<f64> = plan.slots_to_coefficients(&re, &[], 1.0, &mut short).unwrap().coefficients().collect();
    let mut padded = re.clone();
    padded.resize(32, 0.0);
    let mut full = vec![7.0; 64];
    let full: Vec<f64> =
        plan.slots_to_coefficients(&padded, &[0.0; 32], 1.0, &mut full).unwrap().coefficients().collect();
    assert_eq!(short, full);
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for log_n in 1..=14 {
        let scalar = FftPlan::new(log_n, Isa::Scalar).unwrap();
        let slots = scalar.slots();
        let (re, im) = (noise(slots, 5), noise(slots, 6));
        let mut a = vec![0.0; 2 * slots];
        let a = scalar.slots_to_coefficients(&re, &im, 1e6 / 3.0, &mut a).unwrap();
        let (largest, a): (f64, Vec<f64>) = (a.largest(), a.coefficients().collect());
        assert_eq!(largest, a.iter().fold(0.0, |m, x| f64::max(m, x.abs())));
        let (mut r, mut i) = (vec![0.0; slots], vec![0.0; slots]);
        scalar.coefficients_to_slots(&mut a.clone(), &mut r, &mut i).unwrap();
        for isa in Isa::available() {
            let plan = FftPlan::new(log_n, isa).unwrap();
            let mut b = vec![0.0; 2 * slots];
            let b = plan.slots_to_coefficients(&re, &im, 1e6 / 3.0, &mut b).unwrap();
            assert_eq!(largest, b.largest());
            let mut b: Vec<f64> = b.coefficients().collect();
            assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()), "{} {log_n}", isa.name());
            let (mut r2, mut i2) = (vec![0.0; slots], vec![0.0; slots]);
            plan.coefficients_to_slots(&mut b, &mut r2, &mut i2).unwrap();
            assert!(r.iter().chain(&i).zip(r2.iter().chain(&i2)).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let plan = FftPlan::new(4, Isa::Scalar).unwrap();
    let mut out = [0.0; 16];
    let refused = |what, expected, found| Err(RingError::LengthMismatch { what, expected, found });
    let mut interpolate = |re, im, start: usize| plan.slots_to_coefficients(re, im, 1.0, &mut out[start..]).map(|_| ());
    assert_eq!(interpolate(&[0.0; 9], &[], 0), refused("slots", 8, 9));
    assert_eq!(interpolate(&[0.0; 4], &[0.0; 3], 0), refused("imaginary parts", 4, 3));
    assert_eq!(interpolate(&[0.0; 4], &[], 1), refused("coefficients", 16, 15));
    assert_eq!(plan.coefficients_to_slots(&mut out, &mut [0.0; 7], &mut [0.0; 8]), refused("slots", 8, 7));
    assert!(matches!(FftPlan::new(0, Isa::Scalar), Err(RingError::LogNOutOfRange { log_n: 0 })));
}

/// The half-size way to real parts against the whole one, and the same bits everywhere.
#[test]
fn real_parts_alone_are_real_parts() {
    for log_n in 1..=largest_log_n(14) {
        let n = 1usize << log_n;
        let a = noise(n, 9);
        let scalar = FftPlan::new(log_n, Isa::Scalar).unwrap();
        let (mut re, mut im) = (vec![0.0; n / 2], vec![0.0; n / 2]);
        scalar.coefficients_to_slots(&mut a.clone(), &mut re, &mut im).unwrap();
        let mut alone = vec![0.0; n / 2];
        scalar.coefficients_to_slots(&mut a.clone(), &mut alone, &mut []).unwrap();
        let bound = 1e-15 * f64::from(log_n) * (n as f64).sqrt();
        assert!(re.iter().zip(&alone).all(|(a, b)| (a - b).abs() < bound), "log_n {log_n}");
        for isa in Isa::available() {
            let plan = FftPlan::new(log_n, isa).unwrap();
            let mut found = vec![0.0; n / 2];
            plan.coefficients_to_slots(&mut a.clone(), &mut found, &mut []).unwrap();
            assert!(alone.iter().zip(&found).all(|(a, b)| a.to_bits() == b.to_bits()), "{} {log_n}", isa.name());
        }
    }
}
