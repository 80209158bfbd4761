use proptest::prelude::*;

use super::*;
use crate::roots::is_prime_vartime;
use crate::testing::{largest_log_n, primes_below};

/// `a(psi^(2*bitrev(i)+1))` by Horner's rule in u128.
fn evaluate<W: Word>(plan: &NttPlan<W>, a: &[W]) -> Vec<u64> {
    let q = u128::from(plan.modulus().to_u64());
    let n = a.len();
    let psi = u128::from(plan.root().to_u64());
    let mut powers = vec![1u128; 2 * n];
    for i in 1..2 * n {
        powers[i] = powers[i - 1] * psi % q;
    }
    (0..n)
        .map(|i| {
            let point = powers[2 * bit_reverse(i, plan.log_n()) + 1];
            a.iter().rev().fold(0, |acc, c| (acc * point + u128::from(c.to_u64())) % q) as u64
        })
        .collect()
}

fn ramp<W: Word>(m: Modulus<W>, n: usize, seed: u64) -> Vec<W> {
    let word = |i: usize| (i as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    (0..n).map(|i| m.reduce_u64(word(i))).collect()
}

/// The smallest prime of a degree, those just below each threshold of a kernel, and the first one above each.
fn moduli<W: Word>(log_n: u32) -> Vec<u64> {
    let below: &[u32] = if W::BITS == 64 { &[31, 49, 50, 51, 52, 60, 61] } else { &[24, 28, 29, 30] };
    let above: &[u32] = if W::BITS == 64 { &[50, 52, 60] } else { &[28, 29] };
    let step = 2u64 << log_n;
    let first_from = |bound: u64| (bound / step..).map(|i| i * step + 1).find(|q| *q > 4 && is_prime_vartime(*q));
    let mut primes: Vec<u64> = below.iter().map(|bits| primes_below(1 << bits, log_n, 1)[0]).collect();
    primes.extend(above.iter().filter_map(|bits| first_from(1 << bits)));
    primes.extend(first_from(0));
    primes
}

/// Nothing, the largest residue everywhere, both in turn, and words without structure.
fn inputs<W: Word>(m: Modulus<W>, n: usize) -> [Vec<W>; 4] {
    let (zero, most) = (W::default(), m.neg(W::from_u64(1)));
    let alternating = (0..n).map(|i| if i % 2 == 0 { zero } else { most }).collect();
    [vec![zero; n], vec![most; n], alternating, ramp(m, n, 7 * m.to_u64())]
}

fn order_is_the_documented_one<W: Word>() {
    for log_n in 1..=9 {
        for q in moduli::<W>(log_n) {
            for isa in Isa::available() {
                let plan = NttPlan::<W>::new(log_n, q, isa).unwrap();
                let a = ramp(plan.modulus(), 1 << log_n, q);
                let mut x = a.clone();
                plan.forward(&mut x);
                let got: Vec<u64> = x.iter().map(|w| w.to_u64()).collect();
                assert_eq!(got, evaluate(&plan, &a), "{} log_n={log_n} q={q}", isa.name());
                plan.inverse(&mut x);
                assert_eq!(x, a, "{} log_n={log_n} q={q}", isa.name());
            }
        }
    }
}

#[test]
fn word_i_is_the_value_at_an_odd_power_of_psi() {
    order_is_the_documented_one::<u32>();
    order_is_the_documented_one::<u64>();
}

fn all_isas_agree_at_every_degree<W: Word>() {
    for log_n in 1..=largest_log_n(MAX_LOG_N) {
        for q in moduli::<W>(log_n) {
            let oracle = NttPlan::<W>::new(log_n, q, Isa::Scalar).unwrap();
            let plans = Isa::available().into_iter().map(|isa| NttPlan::<W>::new(log_n, q, isa).unwrap());
            let plans: Vec<NttPlan<W>> = plans.filter(|plan| plan.isa() != Isa::Scalar).collect();
            for (number, a) in inputs(oracle.modulus(), 1 << log_n).into_iter().enumerate() {
                let (mut forward, mut inverse) = (a.clone(), a.clone());
                oracle.forward(&mut forward);
                oracle.inverse(&mut inverse);
                for plan in &plans {
                    let name = plan.isa().name();
                    let mut x = a.clone();
                    plan.forward(&mut x);
                    assert!(x == forward, "forward {name} log_n={log_n} q={q} input {number}");
                    plan.inverse(&mut x);
                    assert!(x == a, "back {name} log_n={log_n} q={q} input {number}");
                    x.clone_from(&a);
                    plan.inverse(&mut x);
                    assert!(x == inverse, "inverse {name} log_n={log_n} q={q} input {number}");
                }
            }
        }
    }
}

#[test]
fn every_instruction_set_gives_the_scalar_words() {
    all_isas_agree_at_every_degree::<u32>();
    all_isas_agree_at_every_degree::<u64>();
}

/// The transforms of another project: its own root and order, so that values are compared as sets and products as such.
trait Oracle: Word {
    /// Sorted values of `a` at the odd powers of a root, and `a*b mod X^N + 1`; none below the degrees that it knows.
    fn evaluate_and_multiply(q: u64, a: &[Self], b: &[Self]) -> Option<(Vec<Self>, Vec<Self>)>;
}

macro_rules! oracle {
    ($word:ty, $module:ident) => {
        impl Oracle for $word {
            fn evaluate_and_multiply(q: u64, a: &[Self], b: &[Self]) -> Option<(Vec<Self>, Vec<Self>)> {
                let plan = concrete_ntt::$module::Plan::try_new(a.len(), q as $word)?;
                let (mut x, mut y) = (a.to_vec(), b.to_vec());
                plan.fwd(&mut x);
                plan.fwd(&mut y);
                let mut values = x.clone();
                values.sort_unstable();
                plan.mul_assign_normalize(&mut x, &y);
                plan.inv(&mut x);
                Some((values, x))
            }
        }
    };
}

oracle!(u32, prime32);
oracle!(u64, prime64);

fn another_implementation_agrees<W: Oracle>() {
    let mut compared = 0;
    for log_n in 4..=largest_log_n(16) {
        for q in moduli::<W>(log_n) {
            let m = Modulus::<W>::new(q).unwrap();
            let [_, _, b, a] = inputs(m, 1 << log_n);
            let Some((values, product)) = W::evaluate_and_multiply(q, &a, &b) else { continue };
            for isa in Isa::available() {
                let plan = NttPlan::<W>::new(log_n, q, isa).unwrap();
                let (mut x, mut y) = (a.clone(), b.clone());
                plan.forward(&mut x);
                plan.forward(&mut y);
                let mut sorted = x.clone();
                sorted.sort_unstable();
                assert!(sorted == values, "values {} log_n={log_n} q={q}", isa.name());
                x.iter_mut().zip(&y).for_each(|(x, y)| *x = m.mul(*x, *y));
                plan.inverse(&mut x);
                assert!(x == product, "product {} log_n={log_n} q={q}", isa.name());
                compared += 1;
            }
        }
    }
    println!("u{}: {compared} plans compared with concrete-ntt", W::BITS);
    assert!(compared > 0);
}

#[test]
fn concrete_ntt_has_the_same_values_and_products() {
    another_implementation_agrees::<u32>();
    another_implementation_agrees::<u64>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pointwise_products_are_negacyclic_products(log_n in 1u32..8, bits in 20u32..=30, seed: u64) {
        let q = primes_below(1 << bits, log_n, 1)[0];
        for isa in Isa::available() {
            let plan = NttPlan::<u32>::new(log_n, q, isa).unwrap();
            let m = plan.modulus();
            let n = 1usize << log_n;
            let (a, b) = (ramp(m, n, seed), ramp(m, n, !seed));
            let mut want = vec![0i128; n];
            for i in 0..n {
                for j in 0..n {
                    let p = i128::from(a[i]) * i128::from(b[j]);
                    if i + j < n { want[i + j] += p } else { want[i + j - n] -= p }
                }
            }
            let want: Vec<u32> = want.iter().map(|w| w.rem_euclid(i128::from(q)) as u32).collect();
            let (mut x, mut y) = (a, b);
            plan.forward(&mut x);
            plan.forward(&mut y);
            x.iter_mut().zip(&y).for_each(|(x, y)| *x = m.mul(*x, *y));
            plan.inverse(&mut x);
            prop_assert_eq!(x, want);
        }
    }
}

/// Frozen: q = 257, N = 8; powers of the minimal root 15 worked out by hand-sized arithmetic (15^8 = -1 mod 257).
#[test]
fn a_small_transform_is_known() {
    let plan = NttPlan::<u32>::new(3, 257, Isa::Scalar).unwrap();
    let root = plan.root();
    assert_eq!((2..257u32).find(|x| (0..8).fold(1, |p, _| p * x % 257) == 256), Some(root));
    // X has the values psi^1, psi^9, psi^5, psi^13, psi^3, psi^11, psi^7, psi^15 in bit-reversed order.
    let mut x = [0, 1, 0, 0, 0, 0, 0, 0];
    plan.forward(&mut x);
    let power = |e: u32| (0..e).fold(1, |p, _| p * root % 257);
    assert_eq!(x, [1, 9, 5, 13, 3, 11, 7, 15].map(power));
}

#[test]
fn bad_parameters_are_refused() {
    let new = |log_n, q| NttPlan::<u64>::new(log_n, q, Isa::Scalar).map(|_| ());
    assert_eq!(new(0, 257), Err(RingError::LogNOutOfRange { log_n: 0 }));
    assert_eq!(new(18, 257), Err(RingError::LogNOutOfRange { log_n: 18 }));
    assert_eq!(new(3, 259), Err(RingError::NotPrime { q: 259 }));
    assert_eq!(new(9, 257), Err(RingError::NotNttFriendly { q: 257, two_n: 1024 }));
}

/// On both sides of the bound below which sums leave `(-2q, 2q)`, words of any prime and the extreme ones.
#[test]
fn a_sum_and_its_reduction_may_be_part_of_the_first_pass() {
    for log_n in [1, 6, 7, 8, 9, 12, 13, 14] {
        let bounds = [1 << 30, (1 << 31) / 3 + (1 << 20), (1 << 31) / 3, 1 << 24];
        for q in bounds.map(|bound| primes_below(bound, log_n, 1)[0]) {
            for isa in Isa::available() {
                let plan = NttPlan::<u32>::new(log_n, q, isa).unwrap();
                let (m, n) = (plan.modulus(), 1usize << log_n);
                let random = (0..n as u32).map(|i| i.wrapping_mul(0x9e37_79b9).rotate_left(7) >> 2);
                for x in [random.collect::<Vec<_>>(), vec![(1 << 30) - 1; n], vec![0; n]] {
                    for c in [0, 1, m.value() / 2, m.value() / 2 + 1, m.value() - 1] {
                        let mut expected: Vec<u32> = x.iter().map(|x| m.add(m.reduce(*x), c)).collect();
                        plan.forward(&mut expected);
                        let mut found = vec![0; n];
                        plan.forward_of(&mut found, &x, c);
                        assert_eq!(found, expected, "{} log_n={log_n} q={q} c={c}", isa.name());
                    }
                }
            }
        }
    }
}
