use num_bigint::BigUint;

use super::*;
use crate::testing::{big_coefficients, divide_round, mixed_ring, random_tensor};
use crate::{Coeff, Eval, Isa};

/// Every limb of the ring is divided by in turn, so narrow and wide meet in both directions.
#[test]
fn the_quotient_is_the_nearest_integer() {
    for isa in Isa::available() {
        for log_n in [1, 3, 5] {
            let ring = mixed_ring(log_n, isa);
            for limbs in [vec![0, 1, 2, 3, 4], vec![4, 3, 2, 1], vec![0, 2], vec![2, 0, 3], vec![3, 1], vec![1, 3]] {
                let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &limbs);
                let divisor = BigUint::from(*x.primes().last().unwrap());
                let y = ring.divide_round_by_last(x.clone()).unwrap();
                assert_eq!(y.limb_indices(), limbs[..limbs.len() - 1]);
                for row in 0..2 {
                    let want: Vec<_> = big_coefficients(&x, row).iter().map(|x| divide_round(x, &divisor)).collect();
                    for (limb, q) in y.primes().into_iter().enumerate() {
                        for (got, want) in y.row(limb, row).iter().zip(&want) {
                            assert_eq!(BigUint::from(got), want % q, "{} limbs {limbs:?}", isa.name());
                        }
                    }
                }
                let eval = ring.divide_round_by_last(ring.forward(x).unwrap()).unwrap();
                assert_eq!(eval, ring.forward(y).unwrap(), "{} limbs {limbs:?}", isa.name());
            }
        }
    }
}

#[test]
fn one_limb_is_not_divided() {
    let ring = mixed_ring(2, Isa::Scalar);
    let x: RnsTensor<Eval> = random_tensor(&ring, 1, &[0]);
    assert_eq!(ring.divide_round_by_last(x).err(), Some(RingError::NoLimbToDrop { limbs: 1 }));
}

#[test]
fn threads_do_not_change_a_word() {
    let ring = mixed_ring(6, Isa::best().unwrap());
    let x: RnsTensor<Eval> = random_tensor(&ring, 37, &[0, 1, 2, 3, 4]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ring.divide_round_by_last(x.clone()).unwrap())
    };
    assert_eq!(run(1), run(3));
}
