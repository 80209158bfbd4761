//! Formulas against direct simulation in small rings.

use crate::noise::*;
use crate::{ErrorDistribution, LogN, SecretDistribution};

/// Deterministic draws; splitmix64.
struct Draws(u64);

impl Draws {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn ternary(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| (self.word() % 3) as f64 - 1.0).collect()
    }

    fn rounding(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.unit() - 0.5).collect()
    }

    fn binomial(&mut self, n: usize) -> Vec<f64> {
        let mut bits = || (self.word() & 0x1F_FFFF).count_ones() as f64;
        (0..n).map(|_| bits() - bits()).collect()
    }
}

/// Product modulo X^N + 1, schoolbook.
fn negacyclic(a: &[f64], b: &[f64]) -> Vec<f64> {
    let n = a.len();
    let mut c = vec![0.0; n];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            let k = i + j;
            if k < n { c[k] += x * y } else { c[k - n] -= x * y }
        }
    }
    c
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

fn mean_square(samples: &[Vec<f64>]) -> f64 {
    let flat = samples.iter().flatten();
    flat.clone().map(|x| x * x).sum::<f64>() / flat.count() as f64
}

fn model(log_n: LogN) -> NoiseModel {
    NoiseModel::new(log_n, SecretDistribution::UniformTernary, ErrorDistribution::CentredBinomial)
}

/// The measured variance is that of the formula within 10 %.
fn assert_near(what: &str, measured: f64, formula: f64) {
    println!("{what}: measured {measured:.4}, formula {formula:.4}");
    assert!((measured / formula - 1.0).abs() < 0.1, "{what}: measured {measured}, formula {formula}");
}

#[test]
fn rounding_of_two_and_three_components() {
    let log_n = LogN::new(7).unwrap();
    let mut draws = Draws(1);
    let (mut two, mut three) = (vec![], vec![]);
    for _ in 0..200 {
        let s = draws.ternary(log_n.n());
        let s2 = negacyclic(&s, &s);
        let r = [0; 3].map(|_| draws.rounding(log_n.n()));
        let e = add(&r[0], &negacyclic(&r[1], &s));
        three.push(add(&e, &negacyclic(&r[2], &s2)));
        two.push(e);
    }
    assert_near("two components", mean_square(&two), model(log_n).rounding(2).variance());
    assert_near("three components", mean_square(&three), model(log_n).rounding(3).variance());
}

#[test]
fn public_encryption_without_special_primes() {
    let log_n = LogN::new(7).unwrap();
    let mut draws = Draws(2);
    let samples: Vec<Vec<f64>> = (0..100)
        .map(|_| {
            let n = log_n.n();
            let (s, v) = (draws.ternary(n), draws.ternary(n));
            let [e, e0, e1] = [0; 3].map(|_| draws.binomial(n));
            add(&add(&negacyclic(&v, &e), &e0), &negacyclic(&e1, &s))
        })
        .collect();
    assert_near("public encryption", mean_square(&samples), model(log_n).public_encryption(0.0).variance());
    let with_p = model(log_n).public_encryption(30.0).variance();
    assert!((with_p / model(log_n).rounding(2).variance() - 1.0).abs() < 1e-6);
    let fresh = |encryption| model(log_n).fresh(encryption, 30.0).variance();
    assert_eq!(fresh(Encryption::Symmetric), 10.5 + 1.0 / 12.0);
    assert_eq!(fresh(Encryption::Public), with_p + 1.0 / 12.0);
}

#[test]
fn key_switching_digits_average_and_worst_slot() {
    let log_n = LogN::new(7).unwrap();
    let n = log_n.n();
    let mut draws = Draws(3);
    // However many primes a digit has, raised it is a uniform integer below their product.
    let size = 1024.0;
    let samples: Vec<Vec<f64>> = (0..400)
        .map(|_| {
            let d: Vec<f64> = (0..n).map(|_| (draws.unit() * size).floor()).collect();
            negacyclic(&d, &draws.binomial(n)).iter().map(|x| x / size).collect()
        })
        .collect();
    let digits = [Digit { log_modulus: 10.0 }];
    let rounding = model(log_n).rounding(2).variance();
    let formula = model(log_n).key_switch(&digits, 10.0).variance() - rounding;
    assert_near("key switch", mean_square(&samples), formula);
    // The slot next to 1: e(zeta) with zeta = exp(i pi / N).
    let slot = |e: &Vec<f64>| {
        let angle = |k: usize| std::f64::consts::PI * k as f64 / n as f64;
        let re: f64 = e.iter().enumerate().map(|(k, x)| x * angle(k).cos()).sum();
        let im: f64 = e.iter().enumerate().map(|(k, x)| x * angle(k).sin()).sum();
        re * re + im * im
    };
    let measured = samples.iter().map(slot).sum::<f64>() / samples.len() as f64;
    let worst = model(log_n).key_switch_worst_slot_std(&digits, 10.0).powi(2) - n as f64 * rounding;
    assert!((measured / worst - 1.0).abs() < 0.25, "worst slot: measured {measured}, formula {worst}");
}

#[test]
fn squares_and_products_in_slots() {
    // Slots as independent complex numbers: a real message of size m and a complex Gaussian error of mean square N v.
    let log_n = LogN::new(7).unwrap();
    let n = log_n.n() as f64;
    let (variance, slot) = (4.0, 50.0);
    let mut draws = Draws(4);
    let mut gauss = || {
        let radius = (-2.0 * (1.0 - draws.unit()).ln()).sqrt() * (variance * n / 2.0).sqrt();
        let angle = std::f64::consts::TAU * draws.unit();
        (radius * angle.cos(), radius * angle.sin())
    };
    let (mut square, mut product) = (0.0, 0.0);
    let count = 20_000;
    for _ in 0..count {
        let (a, b) = (gauss(), gauss());
        let (sq_re, sq_im) = (2.0 * slot * a.0 + a.0 * a.0 - a.1 * a.1, 2.0 * slot * a.1 + 2.0 * a.0 * a.1);
        square += (sq_re * sq_re + sq_im * sq_im) / f64::from(count);
        let re = slot * (a.0 + b.0) + a.0 * b.0 - a.1 * b.1;
        let im = slot * (a.1 + b.1) + a.0 * b.1 + a.1 * b.0;
        product += (re * re + im * im) / f64::from(count);
    }
    let noise = Noise::from_variance(variance);
    assert_near("square", square, model(log_n).square(noise, slot).slot_std(log_n).powi(2));
    assert_near("product", product, model(log_n).product(noise, slot, noise, slot).slot_std(log_n).powi(2));
}

#[test]
fn combinations() {
    let noise = Noise::from_variance(4.0);
    assert_eq!(noise.plus(noise).variance(), 8.0);
    assert_eq!(noise.weighted(9.0).std(), 6.0);
    assert_eq!(noise.over(2.0).variance(), 1.0);
    let log_n = LogN::new(4).unwrap();
    assert_eq!(noise.slot_std(log_n), 8.0);
    assert_eq!(noise.slot_bound(log_n), 96.0);
}
