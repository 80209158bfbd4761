use num_bigint::BigUint;

use super::*;
use crate::Isa;
use crate::testing::{big_coefficients, mixed_ring, random_tensor};

const SPLITS: [(&[usize], &[usize]); 6] = [
    (&[0], &[1, 2, 3, 4]),
    (&[1], &[0, 2]),
    (&[2, 0], &[1, 3, 4]),
    (&[1, 3], &[0, 2, 4]),
    (&[4, 1, 0], &[3, 2]),
    (&[3, 2, 1, 0], &[4]),
];

#[test]
fn conversions_agree_with_big_integers() {
    for isa in Isa::available() {
        let ring = mixed_ring(5, isa);
        for (from, to) in SPLITS {
            let conversion = BaseConversion::new(&ring, from, to).unwrap();
            // An operand with more limbs than needed, in another order.
            let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &[4, 3, 2, 1, 0]);
            let source = x.view().with_limbs(from).unwrap();
            let converted = ring.convert(&conversion, &x).unwrap();
            for row in 0..2 {
                for (i, value) in big_coefficients(&source, row).iter().enumerate() {
                    for (limb, t) in converted.primes().into_iter().enumerate() {
                        assert_eq!(BigUint::from(converted.row(limb, row).get(i)), value % t);
                    }
                }
            }
        }
    }
}

#[test]
fn overlapping_and_empty_bases_are_refused() {
    let ring = mixed_ring(2, Isa::Scalar);
    let refusal = |from: &[usize], to: &[usize]| BaseConversion::new(&ring, from, to).err();
    assert_eq!(refusal(&[0, 1], &[1]), Some(RingError::DuplicateLimb { index: 1 }));
    assert_eq!(refusal(&[0, 9], &[1]), Some(RingError::LimbOutOfRange { index: 9, count: 5 }));
    assert_eq!(refusal(&[], &[1]), Some(RingError::LengthMismatch { what: "source limbs", expected: 1, found: 0 }));
}
