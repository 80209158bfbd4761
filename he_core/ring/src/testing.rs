//! Primes, rings, tensors and the big-integer oracle of the tests.

use he_params::RingType;
use num_bigint::{BigInt, BigUint};

use crate::ntt::log_order;
use crate::roots::is_prime_vartime;
use crate::{Coeff, Domain, Isa, Ring, RnsTensor};

/// The `count` largest primes `1 mod 2^(log_n+1)` below `bound`, largest first.
pub(crate) fn primes_below(bound: u64, log_n: u32, count: usize) -> Vec<u64> {
    let step = 2u64 << log_n;
    let top = (bound - 2) / step * step + 1;
    let walk = (0..top / step).map(|i| top - i * step);
    walk.filter(|q| is_prime_vartime(*q)).take(count).collect()
}

/// The largest degree of suites that walk through all: `most`, or less where `HENGE_TEST_LOG_N` says so, which the log then
/// tells (an emulated processor is a hundred times slower).
pub(crate) fn largest_log_n(most: u32) -> u32 {
    let Ok(text) = std::env::var("HENGE_TEST_LOG_N") else { return most };
    let largest = text.parse().unwrap();
    println!("degrees up to 2^{largest} of 2^{most}");
    most.min(largest)
}

/// A ring over one 30-bit, one 61-bit, one 24-bit, one 40-bit and one 29-bit prime.
pub(crate) fn mixed_ring(log_n: u32, isa: Isa) -> Ring {
    mixed_ring_of_type(RingType::Cyclotomic, log_n, isa)
}

/// As [`mixed_ring`], of either type.
pub(crate) fn mixed_ring_of_type(ring_type: RingType, log_n: u32, isa: Isa) -> Ring {
    let cyclotomic = log_order(ring_type, log_n) - 1;
    let primes: Vec<u64> = [30, 61, 24, 40, 29].iter().map(|b| primes_below(1 << b, cyclotomic, 1)[0]).collect();
    Ring::of_type(ring_type, log_n, &primes, isa).unwrap()
}

/// Residues without structure, the same on every run.
pub(crate) fn random_tensor<D: Domain>(ring: &Ring, rows: usize, limbs: &[usize]) -> RnsTensor<D> {
    let mut x = ring.zero::<D>(rows, limbs).unwrap();
    let mut state = 0x1234_5678_9abc_def1u64 ^ (rows as u64) << 32 ^ ring.n() as u64;
    for (limb, index) in limbs.iter().enumerate() {
        let q = ring.primes()[*index];
        for row in 0..rows {
            let words: Vec<u64> = (0..ring.n())
                .map(|i| {
                    // xorshift64*, with the extreme residues at the end of each row.
                    state ^= state >> 12;
                    state ^= state << 25;
                    state ^= state >> 27;
                    match ring.n() - i {
                        1 => q - 1,
                        2 => q / 2,
                        _ => state.wrapping_mul(0x2545_f491_4f6c_dd1d) % q,
                    }
                })
                .collect();
            x.set_row_from_u64(limb, row, words.into_iter()).unwrap();
        }
    }
    x
}

/// The product of the primes of a tensor.
pub(crate) fn modulus_of<D: Domain>(x: &RnsTensor<D>) -> BigUint {
    x.primes().into_iter().map(BigUint::from).product()
}

/// The coefficients of a row in `[0, Q)`, by the Chinese remainder theorem as textbooks state it.
pub(crate) fn big_coefficients(x: &RnsTensor<Coeff>, row: usize) -> Vec<BigUint> {
    let q = modulus_of(x);
    let mut sums = vec![BigUint::ZERO; x.n()];
    for (limb, prime) in x.primes().into_iter().enumerate() {
        let prime = BigUint::from(prime);
        let cofactor = &q / &prime;
        let inverse = (&cofactor % &prime).modpow(&(&prime - 2u32), &prime);
        let weight = cofactor * inverse;
        sums.iter_mut().zip(x.row(limb, row).iter()).for_each(|(sum, word)| *sum += &weight * word);
    }
    sums.into_iter().map(|sum| sum % &q).collect()
}

/// The representative of `x mod q` around zero, q odd.
pub(crate) fn centered(x: &BigUint, q: &BigUint) -> BigInt {
    let x = x % q;
    if &x * 2u32 > *q { BigInt::from(x) - BigInt::from(q.clone()) } else { BigInt::from(x) }
}

/// `round(x / d)` to nearest for odd d: no ties.
pub(crate) fn divide_round(x: &BigUint, d: &BigUint) -> BigUint {
    (x + d / 2u32) / d
}
