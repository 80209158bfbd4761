use num_bigint::BigInt;
use proptest::prelude::*;

use super::*;
use crate::testing::{big_coefficients, centered, mixed_ring, modulus_of, random_tensor};
use crate::{Isa, RnsTensor};

#[test]
fn integers_are_the_centred_ones_of_the_chinese_remainder_theorem() {
    let ring = mixed_ring(5, Isa::Scalar);
    for limbs in [vec![0], vec![1], vec![2, 0], vec![0, 1], vec![4, 2, 3], vec![1, 3], vec![0, 1, 2, 3, 4]] {
        let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &limbs);
        let q = modulus_of(&x);
        let want: Vec<BigInt> = big_coefficients(&x, 1).iter().map(|v| centered(v, &q)).collect();
        match ring.compose_centered_i128(&x, 1) {
            Ok(got) => assert_eq!(got.into_iter().map(BigInt::from).collect::<Vec<_>>(), want),
            Err(error) => assert_eq!(error, RingError::ComposeTooWide { bits: q.bits(), target: "i128" }),
        }
        for (got, want) in ring.compose_centered(&x, 1, 0.25).unwrap().iter().zip(&want) {
            let want: f64 = want.to_string().parse::<f64>().unwrap() * 0.25;
            assert!((got - want).abs() <= want.abs() * 1e-15, "limbs {limbs:?}: {got} {want}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn small_integers_come_back(values in prop::collection::vec(any::<i64>(), 8)) {
        let ring = mixed_ring(3, Isa::Scalar);
        for limbs in [vec![1, 3], vec![0, 1, 2], vec![0, 1, 2, 3, 4]] {
            let x = ring.from_signed(&values, &limbs).unwrap();
            let exact: Vec<f64> = values.iter().map(|v| *v as f64).collect();
            for (got, want) in ring.compose_centered(&x, 0, 1.0).unwrap().iter().zip(&exact) {
                prop_assert!((got - want).abs() <= want.abs() * 1e-15);
            }
            if limbs.len() < 5 {
                let wide: Vec<i128> = values.iter().map(|v| i128::from(*v)).collect();
                prop_assert_eq!(ring.compose_centered_i128(&x, 0).unwrap(), wide.clone());
                prop_assert_eq!(ring.from_signed_i128(&wide, &limbs).unwrap(), x);
            }
        }
    }
}

/// One and two primes round once, on every instruction set; more give the same bits on all of them.
#[test]
fn numbers_do_not_depend_on_the_instruction_set() {
    for log_n in [1, 4, 10] {
        let scalar = mixed_ring(log_n, Isa::Scalar);
        for limbs in [
            vec![0],
            vec![1],
            vec![3],
            vec![0, 2],
            vec![0, 1],
            vec![1, 0],
            vec![0, 3],
            vec![4, 2, 3],
            vec![0, 1, 2, 3, 4],
        ] {
            let x: RnsTensor<Coeff> = random_tensor(&scalar, 1, &limbs);
            let want = scalar.compose_centered(&x, 0, 1.0 / 3.0).unwrap();
            if limbs.len() <= 2 {
                let exact = scalar.compose_centered_i128(&x, 0).unwrap();
                assert_eq!(want, exact.iter().map(|v| *v as f64 * (1.0 / 3.0)).collect::<Vec<_>>(), "limbs {limbs:?}");
            }
            for isa in Isa::available() {
                let ring = mixed_ring(log_n, isa);
                assert_eq!(ring.compose_centered(&x, 0, 1.0 / 3.0).unwrap(), want, "{} limbs {limbs:?}", isa.name());
            }
        }
    }
}

#[test]
fn rows_that_are_not_there_are_refused() {
    let ring = mixed_ring(2, Isa::Scalar);
    let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &[0]);
    let refusal = ring.compose_centered(&x, 2, 1.0).err();
    assert_eq!(refusal, Some(RingError::RowOutOfRange { end: 3, rows: 2 }));
    let refusal = ring.compose_centered_into(&x, 0, 1.0, &mut [0.0; 3]).err();
    assert_eq!(refusal, Some(RingError::LengthMismatch { what: "coefficients", expected: 4, found: 3 }));
}
