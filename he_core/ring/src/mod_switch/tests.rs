use num_bigint::BigUint;

use super::*;
use crate::testing::{big_coefficients, divide_round, mixed_ring, modulus_of, random_tensor};
use crate::{Coeff, Isa, RnsTensor};

#[test]
fn mod_down_is_the_nearest_integer() {
    for isa in Isa::available() {
        let ring = mixed_ring(4, isa);
        for (special, kept) in [(vec![4], vec![0, 1, 2]), (vec![3, 4], vec![0, 1, 2]), (vec![1, 3, 2], vec![0, 4])] {
            let conversion = BaseConversion::new(&ring, &special, &kept).unwrap();
            let all: Vec<usize> = kept.iter().chain(&special).copied().collect();
            let x: RnsTensor<Coeff> = random_tensor(&ring, 3, &all);
            let p = modulus_of(&x.view().with_limbs(&special).unwrap());
            let y = ring.mod_down(&conversion, x.clone()).unwrap();
            assert_eq!(y.limb_indices(), kept);
            for row in 0..3 {
                for (i, value) in big_coefficients(&x, row).iter().enumerate() {
                    for (limb, q) in y.primes().into_iter().enumerate() {
                        assert_eq!(BigUint::from(y.row(limb, row).get(i)), divide_round(value, &p) % q);
                    }
                }
            }
            let eval = ring.mod_down(&conversion, ring.forward(x.clone()).unwrap()).unwrap();
            assert_eq!(eval, ring.forward(y.clone()).unwrap());
            if special.len() == 1 {
                assert_eq!(ring.divide_round_by_last(x.clone()).unwrap(), y);
            }
            // A small polynomial on the way is one that was added before.
            let small: Vec<i8> = (0..3 * ring.n()).map(|i| (i * 89) as i8).collect();
            let wide: Vec<i64> = small.iter().map(|e| i64::from(*e)).collect();
            let mut sum = x.clone();
            ring.add_assign(&mut sum, &ring.from_signed(&wide, &all).unwrap()).unwrap();
            let expected = ring.mod_down(&conversion, sum).unwrap();
            let small = SmallPolys::from_rows(ring.n(), small);
            assert_eq!(ring.mod_down_sum(&conversion, x.clone(), &small).unwrap(), expected);
            let eval = ring.mod_down_sum(&conversion, ring.forward(x).unwrap(), &small).unwrap();
            assert_eq!(eval, ring.forward(expected).unwrap());
        }
    }
}

#[test]
fn mod_up_keeps_the_digit_and_extends_it() {
    for isa in Isa::available() {
        let ring = mixed_ring(4, isa);
        let coeff: RnsTensor<Coeff> = random_tensor(&ring, 2, &[0, 1, 2, 3]);
        let eval = ring.forward(coeff.clone()).unwrap();
        for (digit, others) in [(vec![0], vec![1, 2, 3, 4]), (vec![2], vec![0, 1, 3, 4]), (vec![1, 3], vec![0, 2, 4])] {
            let conversion = BaseConversion::new(&ring, &digit, &others).unwrap();
            let raised = ring.mod_up(&conversion, &coeff, &eval).unwrap();
            assert_eq!(raised.limb_indices(), [0, 1, 2, 3, 4]);
            let part = coeff.view().with_limbs(&digit).unwrap();
            let back = ring.inverse(raised).unwrap();
            for row in 0..2 {
                let values = big_coefficients(&part, row);
                assert_eq!(big_coefficients(&back, row), values, "digit {digit:?}");
            }
        }
    }
}

#[test]
fn missing_limbs_and_rows_are_refused() {
    let ring = mixed_ring(3, Isa::Scalar);
    let conversion = BaseConversion::new(&ring, &[0], &[1]).unwrap();
    let coeff: RnsTensor<Coeff> = random_tensor(&ring, 2, &[1]);
    let eval = ring.forward(coeff.clone()).unwrap();
    let missing = RingError::MissingLimb { index: 0, found: vec![1] };
    assert_eq!(ring.mod_up(&conversion, &coeff, &eval).err(), Some(missing.clone()));
    assert!(matches!(ring.mod_down(&conversion, coeff), Err(RingError::MissingLimb { index: 0, .. })));
    let small = |n, rows| SmallPolys::from_rows(n, vec![0; n * rows]);
    let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &[0, 1]);
    let refusal = ring.mod_down_sum(&conversion, x.clone(), &small(8, 3)).err();
    assert_eq!(refusal, Some(RingError::RowMismatch { left: 2, right: 3 }));
    let refusal = ring.mod_down_sum(&conversion, x, &small(4, 2)).err();
    assert_eq!(refusal, Some(RingError::LengthMismatch { what: "coefficients", expected: 8, found: 4 }));
    let one_row: RnsTensor<Coeff> = random_tensor(&ring, 1, &[0]);
    let refusal = ring.mod_up(&conversion, &one_row, &eval).err();
    assert_eq!(refusal, Some(RingError::RowMismatch { left: 1, right: 2 }));
}
