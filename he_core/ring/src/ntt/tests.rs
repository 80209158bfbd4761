use proptest::prelude::*;

use super::*;
use crate::roots::is_prime_vartime;
use crate::testing::{largest_log_n, primes_below};

const RING_TYPES: [RingType; 2] = [RingType::Cyclotomic, RingType::ConjugateInvariant];

/// The documented values, power by power in u128.
fn evaluate<W: Word>(plan: &NttPlan<W>, ring_type: RingType, a: &[W]) -> Vec<u64> {
    let q = u128::from(plan.modulus().to_u64());
    let (n, log_n) = (a.len(), plan.log_n());
    let order = 1usize << log_order(ring_type, log_n);
    let psi = u128::from(plan.root().to_u64());
    let mut powers = vec![1u128; order];
    for i in 1..order {
        powers[i] = powers[i - 1] * psi % q;
    }
    let value = |i: usize| {
        let term = |k: usize| match ring_type {
            RingType::Cyclotomic => powers[k * (2 * bit_reverse(i, log_n) + 1) % order],
            RingType::ConjugateInvariant if k == 0 => 1,
            RingType::ConjugateInvariant => {
                let exponent = k * (4 * bit_reverse(i, log_n) + 1) % order;
                powers[exponent] + powers[order - exponent]
            }
        };
        a.iter().enumerate().fold(0, |sum, (k, a)| (sum + u128::from(a.to_u64()) * term(k)) % q) as u64
    };
    (0..n).map(value).collect()
}

/// The product of two polynomials of the ring, term by term.
fn schoolbook(ring_type: RingType, q: u64, a: &[u32], b: &[u32]) -> Vec<u32> {
    let n = a.len() as i64;
    let mut sums = vec![0i128; a.len()];
    let mut add = |exponent: i64, x: i128| match (ring_type, exponent.abs()) {
        (RingType::Cyclotomic, e) if e < n => sums[e as usize] += x,
        (RingType::Cyclotomic, e) => sums[(e - n) as usize] -= x,
        // X^e stands for X^e + X^-e, of which both are met; X^N = -X^-N cancels.
        (RingType::ConjugateInvariant, e) if e == n => {}
        (RingType::ConjugateInvariant, e) if e < n => sums[e as usize] += x,
        (RingType::ConjugateInvariant, e) => sums[(2 * n - e) as usize] -= x,
    };
    for (i, a) in (0..n).zip(a) {
        for (j, b) in (0..n).zip(b) {
            let x = i128::from(*a) * i128::from(*b);
            match ring_type {
                RingType::Cyclotomic => add(i + j, x),
                RingType::ConjugateInvariant if i == 0 || j == 0 => add(i + j, x),
                RingType::ConjugateInvariant => {
                    // (X^i + X^-i)(X^j + X^-j) = (X^(i+j) + X^-(i+j)) + (X^(i-j) + X^(j-i)).
                    add(i + j, x);
                    add(i - j, if i == j { 2 * x } else { x });
                }
            }
        }
    }
    sums.iter().map(|sum| sum.rem_euclid(i128::from(q)) as u32).collect()
}

fn ramp<W: Word>(m: Modulus<W>, n: usize, seed: u64) -> Vec<W> {
    let word = |i: usize| (i as u64 + 1).wrapping_mul(seed | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
    (0..n).map(|i| m.reduce_u64(word(i))).collect()
}

/// The smallest prime of a degree, those just below each threshold of a kernel, and the first one above each.
fn moduli<W: Word>(ring_type: RingType, log_n: u32) -> Vec<u64> {
    let log_n = log_order(ring_type, log_n) - 1;
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
    for (ring_type, log_n) in RING_TYPES.into_iter().flat_map(|ring_type| (1..=9).map(move |log_n| (ring_type, log_n)))
    {
        for q in moduli::<W>(ring_type, log_n) {
            for isa in Isa::available() {
                let plan = NttPlan::<W>::of_type(ring_type, log_n, q, isa).unwrap();
                let a = ramp(plan.modulus(), 1 << log_n, q);
                let mut x = a.clone();
                plan.forward(&mut x);
                let got: Vec<u64> = x.iter().map(|w| w.to_u64()).collect();
                assert_eq!(got, evaluate(&plan, ring_type, &a), "{} {ring_type} log_n={log_n} q={q}", isa.name());
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

fn all_isas_agree_at_every_degree<W: Word>(ring_type: RingType) {
    for log_n in 1..=largest_log_n(MAX_LOG_N) {
        for q in moduli::<W>(ring_type, log_n) {
            let plan = |isa| NttPlan::<W>::of_type(ring_type, log_n, q, isa).unwrap();
            let oracle = plan(Isa::Scalar);
            let plans = Isa::available().into_iter().map(plan);
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
    for ring_type in RING_TYPES {
        all_isas_agree_at_every_degree::<u32>(ring_type);
        all_isas_agree_at_every_degree::<u64>(ring_type);
    }
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
        for q in moduli::<W>(RingType::Cyclotomic, log_n) {
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
    fn pointwise_products_are_products_of_the_ring(log_n in 1u32..8, bits in 20u32..=30, kind in 0usize..2, seed: u64) {
        let ring_type = RING_TYPES[kind];
        let q = primes_below(1 << bits, log_n + 1, 1)[0];
        for isa in Isa::available() {
            let plan = NttPlan::<u32>::of_type(ring_type, log_n, q, isa).unwrap();
            let m = plan.modulus();
            let n = 1usize << log_n;
            let (a, b) = (ramp(m, n, seed), ramp(m, n, !seed));
            let want = schoolbook(ring_type, q, &a, &b);
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
    assert_eq!(new(9, 257), Err(RingError::NotNttFriendly { q: 257, order: 1024 }));
    let new = |log_n| NttPlan::<u64>::of_type(RingType::ConjugateInvariant, log_n, 257, Isa::Scalar).map(|_| ());
    assert_eq!(new(6), Ok(()));
    assert_eq!(new(7), Err(RingError::NotNttFriendly { q: 257, order: 512 }));
}

/// On both sides of the bound below which sums leave `(-2q, 2q)`, words of any prime and the extreme ones.
#[test]
fn a_sum_and_its_reduction_may_be_part_of_the_first_pass() {
    for (log_n, ring_type) in
        [1, 6, 7, 8, 9, 12, 13, 14].into_iter().flat_map(|log_n| RING_TYPES.map(|kind| (log_n, kind)))
    {
        let bounds = [1 << 30, (1 << 31) / 3 + (1 << 20), (1 << 31) / 3, 1 << 24];
        for q in bounds.map(|bound| primes_below(bound, log_n + 1, 1)[0]) {
            for isa in Isa::available() {
                let plan = NttPlan::<u32>::of_type(ring_type, log_n, q, isa).unwrap();
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
