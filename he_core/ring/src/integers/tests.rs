use proptest::prelude::*;

use super::*;
use crate::sampling::{Purpose, Seed};
use crate::testing::mixed_ring;
use crate::{Coeff, Isa};

const PURPOSE: Purpose = Purpose::new(*b"test.int");

/// The integers that `poly` holds.
fn integers(poly: &IntegerPoly) -> Vec<i128> {
    match poly.width {
        Width::Short => poly.short.iter().map(|x| i128::from(*x)).collect(),
        Width::Long => poly.long.iter().map(|x| i128::from(*x)).collect(),
        Width::Wide => poly.wide.clone(),
    }
}

fn rounded(isa: Isa, scale: f64, unscaled: &[f64]) -> IntegerPoly {
    let mut poly = IntegerPoly::default();
    poly.round(&RealPoly { isa, scale, unscaled });
    poly
}

fn check_round(scale: f64, x: &[f64]) {
    let expected: Vec<i128> = x.iter().map(|x| (x * scale).round() as i128).collect();
    for isa in Isa::available() {
        assert_eq!(integers(&rounded(isa, scale, x)), expected, "{}", isa.name());
    }
}

#[test]
fn rounds_halves_away_from_zero_in_every_width() {
    let below_half = 0.499_999_999_999_999_94;
    check_round(
        1.0,
        &[0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, below_half, -below_half, 1.0 - below_half, 1e15 + 0.5, 0.25],
    );
    check_round(
        1.0,
        &[0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, below_half, -below_half, 1.0 - below_half, 1e9 + 0.5, 0.25],
    );
    for limit in [SHORT, SHORT_LIMIT, 51f64.exp2(), 52f64.exp2(), LONG, MAX_INTEGER] {
        check_round(1.0, &[limit - 2.0, limit - 2.5, 0.5 - limit, 3.5]);
        check_round(0.5, &[limit, 2.0 * limit - 1.0, -limit, 1.0 - limit, limit.mul_add(0.5, 0.25)]);
        check_round(0.25, &[limit, 2.0 * limit - 1.0, -limit, 1.0 - limit, 2.0]);
    }
    check_round(3.0, &[]);
}

proptest! {
    #[test]
    fn rounds_as_the_library_does(x in proptest::collection::vec(-1.0..1.0f64, 0..40), log in 0.0..125.0f64, k in 0u32..52) {
        check_round(log.exp2(), &x);
        // Many exact halves.
        let halves: Vec<f64> = x.iter().map(|x| (x * f64::from(k).exp2()).trunc() / 2.0).collect();
        check_round(1.0, &halves);
    }
}

#[test]
fn what_is_not_finite_shows_in_the_largest() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for isa in Isa::available() {
            for at in 0..70 {
                let mut x = [1.0; 70];
                x[at] = bad;
                let largest = RealPoly { isa, scale: 0.5, unscaled: &x }.largest();
                assert!(!largest.is_finite(), "{} {at}", isa.name());
            }
        }
    }
}

/// Errors and masks in every width, written again with the operations of tensors.
#[test]
fn rows_are_transformed_integers_plus_errors_minus_masks() {
    let stream = Stream::new(&Seed::new([4; 32]), PURPOSE);
    let errors = Stream::new(&Seed::new([5; 32]), PURPOSE);
    for isa in Isa::available() {
        let ring = mixed_ring(6, isa);
        let mut key: RnsTensor<Eval> = ring.zero(1, &[0, 1, 2]).unwrap();
        ring.fill_uniform(&errors, 99, &mut key).unwrap();
        for (log, limbs) in
            [(20.0, vec![0, 1, 2]), (30.99, vec![2, 0]), (45.0, vec![1]), (61.0, vec![0, 1]), (80.0, vec![0, 2])]
        {
            for rows in [0usize, 1, 5] {
                let x: Vec<f64> = (0..64 * rows).map(|i| (i as f64 * 0.7).sin()).collect();
                let scale = f64::exp2(log);
                let distribution = ErrorDistribution::CentredBinomial;
                let make = |row: usize, poly: &mut IntegerPoly| {
                    poly.round(&RealPoly { isa, scale, unscaled: &x[64 * row..64 * row + 64] });
                    poly.add_error(&mut errors.sampler(isa, row as u64, 0), distribution);
                    Ok::<(), RingError>(())
                };
                let mask = Mask { stream: &stream, first_object: 7, key: &key };
                let mut found: RnsTensor<Eval> = ring.zero(2 * rows, &limbs).unwrap();
                let (mut plain, view) =
                    (ring.zero(rows, &limbs).unwrap(), found.view_mut().select(0, rows, 2).unwrap());
                ring.transform_integers(view, Some(mask), make).unwrap();
                ring.transform_integers(&mut plain, None, make).unwrap();

                let mut integers: Vec<i128> = x.iter().map(|x| (x * scale).round() as i128).collect();
                for (row, integers) in integers.chunks_exact_mut(64).enumerate() {
                    let mut error = [0i8; 64];
                    errors.sampler(Isa::Scalar, row as u64, 0).fill_error(distribution, &mut error);
                    integers.iter_mut().zip(error).for_each(|(x, e)| *x += i128::from(e));
                }
                let coefficients: RnsTensor<Coeff> = ring.from_signed_i128(&integers, &limbs).unwrap();
                let mut expected = ring.forward(coefficients).unwrap();
                assert!(plain == expected, "{} {log} {rows}", isa.name());
                let mut product: RnsTensor<Eval> = ring.zero(rows, &limbs).unwrap();
                ring.fill_uniform(&stream, 7, &mut product).unwrap();
                ring.mul_add_assign(&mut expected, &product, &key).unwrap();
                assert!(
                    found.view().select(0, rows, 2).unwrap().to_tensor() == expected,
                    "{} {log} {rows}",
                    isa.name()
                );
            }
        }
    }
}

#[test]
fn errors_of_the_maker_and_wrong_degrees_are_refused() {
    let ring = mixed_ring(4, Isa::Scalar);
    for rows in [1, 9] {
        let mut out: RnsTensor<Eval> = ring.zero(rows, &[0]).unwrap();
        let refuse = |_: usize, _: &mut IntegerPoly| Err(RingError::LimbOutOfRange { index: 1, count: 0 });
        assert_eq!(
            ring.transform_integers(&mut out, None, refuse),
            Err(RingError::LimbOutOfRange { index: 1, count: 0 })
        );
        let short = |_: usize, poly: &mut IntegerPoly| {
            poly.round(&RealPoly { isa: Isa::Scalar, scale: 1.0, unscaled: &[1.0; 8] });
            Ok::<(), RingError>(())
        };
        let refused = RingError::LengthMismatch { what: "coefficients", expected: 16, found: 8 };
        assert_eq!(ring.transform_integers(&mut out, None, short), Err(refused));
        let key: RnsTensor<Eval> = ring.zero(1, &[1]).unwrap();
        let stream = Stream::new(&Seed::new([4; 32]), PURPOSE);
        let mask = Mask { stream: &stream, first_object: 0, key: &key };
        let missing = RingError::MissingLimb { index: 0, found: vec![1] };
        assert_eq!(ring.transform_integers(&mut out, Some(mask), short), Err(missing));
    }
}

#[test]
fn coefficients_do_not_print() {
    assert_eq!(format!("{:?}", IntegerPoly::default()), "IntegerPoly(..)");
}
