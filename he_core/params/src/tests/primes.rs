//! Prime search against known answers, sieves and definitions.

use crate::LogN;
use crate::primes::*;
use proptest::prelude::*;

fn log_n(n: u8) -> LogN {
    LogN::new(n).unwrap()
}

#[test]
fn miller_rabin_agrees_with_a_sieve() {
    let mut composite = vec![false; 200_000];
    for i in 2..composite.len() {
        if !composite[i] {
            (2 * i..composite.len()).step_by(i).for_each(|j| composite[j] = true);
        }
    }
    for (n, &c) in composite.iter().enumerate() {
        assert_eq!(is_prime(n as u64), n >= 2 && !c, "{n}");
    }
}

#[test]
fn strong_pseudoprimes_are_refused() {
    // Smallest strong pseudoprimes to the first 1..=11 prime bases (OEIS A014233), and Carmichael numbers.
    for n in [2047, 1_373_653, 25_326_001, 3_215_031_751, 2_152_302_898_747, 3_474_749_660_383, 341_550_071_728_321] {
        assert!(!is_prime(n), "{n}");
    }
    assert!(!is_prime(3_825_123_056_546_413_051));
    assert!(!is_prime(561) && !is_prime(9_746_347_772_161));
    assert!(is_prime((1 << 61) - 1));
    assert!(is_prime(u64::MAX - 58));
    assert!(!is_prime(u64::MAX));
}

#[test]
fn the_walk_is_that_of_seal() {
    let seven = ntt_primes(30, log_n(13), 7).unwrap();
    let known = [1073184769, 1073233921, 1073299457, 1073430529, 1073479681, 1073643521, 1073692673];
    assert_eq!(seven, known);
    let chain = ntt_prime_chain(&[30, 24, 24, 30], log_n(13), &[]).unwrap();
    assert_eq!([chain[0], chain[3]], [1073643521, 1073692673]);
    assert!(chain[1] < chain[2] && chain[2] < 1 << 24);
}

#[test]
fn taken_primes_are_passed_over() {
    let all = ntt_primes(30, log_n(13), 3).unwrap();
    assert_eq!(ntt_primes_except(30, log_n(13), 2, &[all[2]]).unwrap(), all[..2]);
}

#[test]
fn nearest_looks_on_the_side_it_is_told() {
    let n = log_n(13);
    let target = 1 << 25;
    let below = nearest_ntt_prime(target, n, Side::Below, &[]).unwrap();
    let above = nearest_ntt_prime(target, n, Side::Above, &[]).unwrap();
    assert!(below < target && target < above);
    for q in (below + 1..above).filter(|q| q % (1 << 14) == 1) {
        assert!(!is_prime(q), "{q} is nearer");
    }
    let either = nearest_ntt_prime(target, n, Side::Either, &[]).unwrap();
    assert_eq!(either, if above - target < target - below { above } else { below });
    assert_eq!(nearest_ntt_prime(below, n, Side::Either, &[]), Some(below));
    assert_ne!(nearest_ntt_prime(below, n, Side::Either, &[below]), Some(below));
    assert_eq!(nearest_ntt_prime(100, n, Side::Below, &[]), None);
    assert_eq!(nearest_ntt_prime(u64::MAX, n, Side::Above, &[]), None);
}

proptest! {
    #[test]
    fn walks_give_ntt_primes_of_the_size(bits in 20u8..=61, n in 4u8..=13, count in 1usize..5) {
        let primes = ntt_primes(bits, log_n(n), count).unwrap();
        prop_assert!(primes.is_sorted());
        for q in primes {
            prop_assert!(is_prime(q) && q % (2 << n) == 1 && q >> (bits - 1) == 1);
        }
    }

    #[test]
    fn products_are_never_prime(a in 2u64..1 << 31, b in 2u64..1 << 31) {
        prop_assert!(!is_prime(a * b));
    }
}
