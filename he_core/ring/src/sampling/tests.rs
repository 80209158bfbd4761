use he_params::{ErrorDistribution, SecretDistribution};

use super::small::gaussian_table;
use super::*;
use crate::testing::mixed_ring;
use crate::{Eval, RnsTensor};

const PURPOSE: Purpose = Purpose::new(*b"test.smp");

fn seed(byte: u8) -> Seed {
    Seed::new([byte; 32])
}

fn draw_error(distribution: ErrorDistribution, n: usize) -> Vec<i8> {
    let mut row = vec![0; n];
    Stream::new(&seed(7), PURPOSE).sampler(Isa::Scalar, 0, 0).fill_error(distribution, &mut row);
    row
}

fn mean_and_variance(row: &[i8]) -> (f64, f64) {
    let n = row.len() as f64;
    let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
    (mean, row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n)
}

/// Pearson's statistic against expected probabilities, as a multiple of its standard deviation above its mean.
fn chi_square_excess(counts: &[f64], probabilities: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    let statistic: f64 = counts.iter().zip(probabilities).map(|(c, p)| (c - total * p).powi(2) / (total * p)).sum();
    let freedom = counts.len() as f64 - 1.0;
    (statistic - freedom) / (2.0 * freedom).sqrt()
}

/// Counts of -bound..=bound, everything further out in the outermost cells.
fn histogram(row: &[i8], bound: i8) -> Vec<f64> {
    let mut counts = vec![0.0; 2 * bound as usize + 1];
    row.iter().for_each(|x| counts[(x.clamp(&-bound, &bound) + bound) as usize] += 1.0);
    counts
}

fn folded(probability: impl Fn(i32) -> f64, bound: i32, end: i32) -> Vec<f64> {
    let tail: f64 = (bound + 1..=end).map(&probability).sum();
    (-bound..=bound).map(|k| probability(k) + if k.abs() == bound { tail } else { 0.0 }).collect()
}

#[test]
fn centred_binomial_has_its_moments_and_shape() {
    let row = draw_error(ErrorDistribution::CentredBinomial, 1 << 18);
    let (mean, variance) = mean_and_variance(&row);
    assert!(mean.abs() < 5.0 * (10.5f64 / row.len() as f64).sqrt(), "mean {mean}");
    assert!((variance - ErrorDistribution::CentredBinomial.variance()).abs() < 0.15, "variance {variance}");
    // P(X = k) = C(42, 21 + k) / 2^42.
    let choose = |k: i32| (1..=21 + k).fold(1.0, |c, i| c * f64::from(42 - i + 1) / f64::from(i));
    let probability = |k: i32| choose(k) / 42f64.exp2();
    let excess = chi_square_excess(&histogram(&row, 12), &folded(probability, 12, 21));
    assert!(excess.abs() < 4.0, "chi-square off by {excess} standard deviations");
}

#[test]
fn gaussian_has_its_moments_and_shape() {
    let row = draw_error(ErrorDistribution::RoundedGaussian, 1 << 18);
    let (mean, variance) = mean_and_variance(&row);
    assert!(mean.abs() < 5.0 * (10.3f64 / row.len() as f64).sqrt(), "mean {mean}");
    assert!((variance - ErrorDistribution::RoundedGaussian.variance()).abs() < 0.15, "variance {variance}");
    let excess = chi_square_excess(&histogram(&row, 12), &folded(gaussian_probability, 12, 29));
    assert!(excess.abs() < 4.0, "chi-square off by {excess} standard deviations");
}

/// `P(k - 1/2 <= X < k + 1/2)` by Simpson's rule.
fn gaussian_probability(k: i32) -> f64 {
    const STEPS: i32 = 200;
    let sigma = ErrorDistribution::GAUSSIAN_STD;
    let density = |x: f64| (-x * x / (2.0 * sigma * sigma)).exp() / (sigma * (2.0 * std::f64::consts::PI).sqrt());
    let h = 1.0 / f64::from(STEPS);
    let weight = |i: i32| if i == 0 || i == STEPS { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    (0..=STEPS).map(|i| weight(i) * density(f64::from(k) - 0.5 + f64::from(i) * h)).sum::<f64>() * h / 3.0
}

/// The frozen table against numerical integration: differences of neighbours are twice a probability.
#[test]
fn gaussian_table_is_the_tail_of_the_gaussian() {
    let table = gaussian_table();
    assert!(table.is_sorted_by(|a, b| a > b));
    for (k, pair) in (1i32..).zip(table.windows(2)) {
        let found = (pair[0] - pair[1]) as f64 / 62f64.exp2() / 2.0 / 2.0;
        let expected = gaussian_probability(k);
        assert!((found - expected).abs() < expected * 1e-9 + 64f64.exp2().recip(), "{k}: {found} {expected}");
    }
    let zero = 1.0 - table[0] as f64 / 63f64.exp2();
    assert!((zero - gaussian_probability(0)).abs() < 1e-12);
}

#[test]
fn ternary_is_uniform_and_weights_are_exact() {
    let n = 3 << 14;
    let mut row = vec![9; n];
    let stream = Stream::new(&seed(1), PURPOSE);
    stream.sampler(Isa::Scalar, 0, 0).fill_secret(SecretDistribution::UniformTernary, &mut row);
    let excess = chi_square_excess(&histogram(&row, 1), &[1.0 / 3.0; 3]);
    assert!(excess.abs() < 4.0, "{excess}");

    let (n, weight, rounds) = (64usize, 16u32, 4000u64);
    let mut places = vec![0.0; n];
    let mut sum = 0i64;
    for object in 0..rounds {
        let mut row = vec![9; n];
        stream.sampler(Isa::Scalar, object, 0).fill_secret(SecretDistribution::HammingWeight(weight), &mut row);
        assert_eq!(row.iter().filter(|x| x.abs() == 1).count(), weight as usize);
        assert_eq!(row.iter().filter(|x| **x == 0).count(), n - weight as usize);
        row.iter().zip(&mut places).for_each(|(x, p)| *p += f64::from(x.abs()));
        sum += row.iter().map(|x| i64::from(*x)).sum::<i64>();
    }
    // Places without replacement vary less than independent ones: the statistic shrinks by (n - weight)/(n - 1).
    let excess = chi_square_excess(&places, &vec![1.0 / n as f64; n]);
    assert!(excess < 4.0 && excess > -6.0, "{excess}");
    assert!((sum as f64).abs() < 5.0 * (rounds as f64 * f64::from(weight)).sqrt(), "{sum}");
    for weight in [0u32, 64, 1000] {
        let mut row = vec![9; n];
        stream.sampler(Isa::Scalar, 1, 0).fill_hamming_weight(weight, &mut row);
        assert_eq!(row.iter().filter(|x| **x != 0).count(), (weight as usize).min(n));
    }
}

#[test]
fn below_stays_below_and_is_uniform() {
    let mut sampler = Stream::new(&seed(3), PURPOSE).sampler(Isa::Scalar, 0, 0);
    for bound in [1u32, 2, 3, 7, 8, 9, 1 << 31, u32::MAX] {
        assert!((0..1000).all(|_| sampler.below(bound) < bound));
    }
    let mut counts = [0.0; 5];
    (0..50_000).for_each(|_| counts[sampler.below(5) as usize] += 1.0);
    assert!(chi_square_excess(&counts, &[0.2; 5]).abs() < 4.0);
}

/// The documented rule, written again over single draws.
#[test]
fn uniform_rows_follow_the_documented_rule() {
    let stream = Stream::new(&seed(5), PURPOSE);
    for isa in Isa::available() {
        let ring = mixed_ring(9, isa);
        let mut x: RnsTensor<Eval> = ring.zero(3, &[2, 0, 1]).unwrap();
        ring.fill_uniform(&stream, 40, &mut x).unwrap();
        for (limb, (index, q)) in x.limb_indices().into_iter().zip(x.primes()).enumerate() {
            for row in 0..3 {
                let mut draws = stream.sampler(Isa::Scalar, 40 + row as u64, index as u32);
                let bits = u64::BITS - q.leading_zeros();
                let mut next = || loop {
                    let word = if q < 1 << 30 { u64::from(draws.next_u32()) } else { draws.next_u64() };
                    let masked = word % (1u64 << bits);
                    if masked < q {
                        return masked;
                    }
                };
                assert!(x.row(limb, row).iter().all(|found| found == next()), "{} {q}", isa.name());
            }
        }
    }
}

#[test]
fn uniform_residues_fill_their_range_evenly() {
    let ring = mixed_ring(13, Isa::Scalar);
    let mut x: RnsTensor<Eval> = ring.zero(4, &[0, 1, 2]).unwrap();
    ring.fill_uniform(&Stream::new(&seed(9), PURPOSE), 0, &mut x).unwrap();
    for (limb, q) in x.primes().into_iter().enumerate() {
        let mut counts = [0.0; 64];
        for row in 0..4 {
            x.row(limb, row).iter().for_each(|r| counts[(u128::from(r) * 64 / u128::from(q)) as usize] += 1.0);
        }
        assert!(chi_square_excess(&counts, &[1.0 / 64.0; 64]).abs() < 4.0, "{q}");
    }
}

#[test]
fn bytes_do_not_depend_on_threads_or_instruction_set() {
    let stream = Stream::new(&seed(11), PURPOSE);
    let draw = |isa, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let ring = mixed_ring(8, isa);
            let mut x: RnsTensor<Eval> = ring.zero(5, &[0, 1, 2]).unwrap();
            ring.fill_uniform(&stream, 0, &mut x).unwrap();
            let error = |row| {
                let mut e = vec![0i8; 256];
                stream.sampler(isa, row, 0).fill_error(ErrorDistribution::CentredBinomial, &mut e);
                e
            };
            let s = SmallPolys::secrets(isa, &stream, 0, 5, 256, SecretDistribution::UniformTernary);
            (x, (0..5).flat_map(|r| [error(r as u64), s.row(r).to_vec()]).collect::<Vec<_>>())
        })
    };
    let expected = draw(Isa::Scalar, 1);
    for isa in Isa::available() {
        for threads in [1, 2, 3] {
            assert!(draw(isa, threads) == expected, "{} {threads}", isa.name());
        }
    }
}

#[test]
fn objects_parts_and_purposes_differ_and_seeds_do_not_print() {
    let first =
        |seed: &Seed, purpose, object, part| Stream::new(seed, purpose).sampler(Isa::Scalar, object, part).next_u64();
    let other = Purpose::new(*b"test.two");
    let s = seed(1);
    let all = [
        first(&s, PURPOSE, 0, 0),
        first(&s, PURPOSE, 1, 0),
        first(&s, PURPOSE, 0, 1),
        first(&s, other, 0, 0),
        first(&s.derive(PURPOSE, 0), PURPOSE, 0, 0),
        first(&s.derive(PURPOSE, 1), PURPOSE, 0, 0),
        first(&seed(2), PURPOSE, 0, 0),
    ];
    for (i, a) in all.iter().enumerate() {
        assert!(!all[..i].contains(a));
    }
    assert_eq!(format!("{s:?} {:?}", Stream::new(&s, PURPOSE)), "Seed(..) Stream(..)");
}

/// The derivation is part of the wire format: key 00..1f, stream "test.smp", block 5.
#[test]
fn derivation_is_one_chacha_block() {
    use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
    let key: [u8; 32] = std::array::from_fn(|i| i as u8);
    let mut expected = [0u8; 32];
    let mut oracle = chacha20::ChaCha20Legacy::new(&key.into(), b"test.smp".into());
    oracle.seek(5u64 * 64);
    oracle.apply_keystream(&mut expected);
    assert_eq!(Seed::new(key).derive(PURPOSE, 5).expose_bytes(), &expected);
}
