//! Primality and roots of unity, for plan construction only (variable time, public inputs).
//!
//! Source: the first twelve primes as bases make Miller-Rabin deterministic below 2^64
//! (J. Sorenson, J. Webster, Strong pseudoprimes to twelve prime bases, Math. Comp. 86 (2017)).

use crate::{Modulus, Word};

const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

fn mul_mod(a: u64, b: u64, q: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(q)) as u64
}

fn pow_mod(mut a: u64, mut e: u64, q: u64) -> u64 {
    let mut r = 1;
    while e > 0 {
        if e & 1 == 1 {
            r = mul_mod(r, a, q);
        }
        a = mul_mod(a, a, q);
        e >>= 1;
    }
    r
}

/// Deterministic for every `u64`.
pub(crate) fn is_prime_vartime(q: u64) -> bool {
    if q < 2 {
        return false;
    }
    if let Some(base) = BASES.iter().find(|base| q.is_multiple_of(**base)) {
        return q == *base;
    }
    let (twos, odd) = ((q - 1).trailing_zeros(), (q - 1) >> (q - 1).trailing_zeros());
    BASES.iter().all(|base| {
        let mut x = pow_mod(*base, odd, q);
        if x == 1 || x == q - 1 {
            return true;
        }
        (1..twos).any(|_| {
            x = mul_mod(x, x, q);
            x == q - 1
        })
    })
}

/// The smallest primitive 2N-th root of unity modulo a prime `q = 1 mod 2N`, N = 2^log_n.
///
/// Every odd power of one primitive root is one; the smallest of them does not depend on the first found.
pub(crate) fn minimal_root_vartime<W: Word>(m: Modulus<W>, log_n: u32) -> W {
    let order = 2u64 << log_n;
    let one = W::from_u64(1);
    let minus_one = m.neg(one);
    let exponent = (m.to_u64() - 1) / order;
    let mut root = one;
    for candidate in 2.. {
        root = m.pow_vartime(m.reduce_u64(candidate), exponent);
        if m.pow_vartime(root, order / 2) == minus_one {
            break;
        }
    }
    let step = m.shoup(m.mul(root, root));
    let mut least = root;
    for _ in 1..order / 2 {
        root = m.mul_shoup(root, step);
        least = least.min(root);
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_and_impostors() {
        let sieve: Vec<u64> =
            (2..2000u64).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| n % d != 0)).collect();
        assert_eq!((0..2000).filter(|n| is_prime_vartime(*n)).collect::<Vec<_>>(), sieve);
        assert!(is_prime_vartime((1 << 61) - 1));
        assert!(is_prime_vartime(18446744073709551557)); // the largest prime below 2^64
        assert!(!is_prime_vartime(3825123056546413051)); // strong pseudoprime to the bases 2..23
        assert!(!is_prime_vartime(1073741789 * 1073741783));
    }

    #[test]
    fn the_root_is_primitive_and_minimal() {
        for (q, log_n) in [(97, 4), (257, 7), (12289, 11), (786433, 10)] {
            let m = Modulus::<u64>::new(q).unwrap();
            let least = (2..q).find(|x| pow_mod(*x, 1 << log_n, q) == q - 1).unwrap();
            assert_eq!(minimal_root_vartime(m, log_n), least);
        }
    }
}
