//! How large errors are: one variance per source of noise, and how operations combine them.
//!
//! What is tracked: the variance of one coefficient of the error polynomial e in `c_0 + c_1 s (+ c_2 s^2) = m + e`, in integer units
//! (a message x is stored as x times the scale). Errors of different operations are taken as independent and centred.
//!
//! Slots: slot values are `e(zeta^k)`, sums of N coefficients times numbers of magnitude one, so the mean of `|e(zeta^k)|^2` is N times the
//! coefficient variance: slot std = coefficient std * sqrt(N). It counts real and imaginary part; a real message sees half of that variance.
//! In the conjugate-invariant ring a slot is `e_0 + sum 2 e_k cos(..)`, real, of variance 2N times that of a coefficient, and a coefficient of a product
//! is a sum of 2N products: every formula below holds with the degree of the cyclotomic ring that it lies in, which N stands for from here on.
//!
//! Tails: an error that was multiplied by the secret is, in one slot, a product of two nearly Gaussian numbers; its real part follows a Laplace
//! law, `P(|Re| > t std) = exp(-2 t)` with std as above. [`SLOT_BOUND_STDS`] standard deviations are passed with probability `exp(-24)`, about 4e-11
//! per slot; a plainly Gaussian part stays far below. Real slots are products of two real Gaussians, `P(|x| > t std) < exp(-t)`, so they take twice as
//! many for the same probability: [`slot_bound_stds`].
//!
//! Notation: h = N Var(s) is the expected squared norm of the secret (all 2N coefficients of X^-N+1..X^N counted in the conjugate-invariant ring), sigma^2 the variance of errors.
//! Source: the heuristics of \[GHS12\] (variances of evaluated ring elements), applied to \[CKKS17\] and to its RNS form \[CHKKS18\]; each formula is
//! derived at its function.

use crate::{CkksParams, ErrorDistribution, RingShape, RingType, SecretDistribution};

/// Standard deviations of a complex slot that stand for "with high probability": see the module documentation.
pub const SLOT_BOUND_STDS: f64 = 12.0;

/// [`SLOT_BOUND_STDS`] for the slots of a ring: twice as many where they are real.
pub fn slot_bound_stds(ring_type: RingType) -> f64 {
    match ring_type {
        RingType::Cyclotomic => SLOT_BOUND_STDS,
        RingType::ConjugateInvariant => 2.0 * SLOT_BOUND_STDS,
    }
}

/// Standard deviations of a coefficient that stand for "with high probability": a Gaussian passes them with probability 2e-9.
pub const COEFFICIENT_BOUND_STDS: f64 = 6.0;

/// Variance of rounding to the nearest integer.
const ROUNDING: f64 = 1.0 / 12.0;

/// Variance of one coefficient of an error polynomial, in integer units.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Noise {
    variance: f64,
}

impl Noise {
    /// No error.
    pub const NONE: Noise = Noise { variance: 0.0 };

    /// An error with this variance per coefficient.
    pub fn from_variance(variance: f64) -> Noise {
        Noise { variance }
    }

    /// Variance of one coefficient.
    pub fn variance(self) -> f64 {
        self.variance
    }

    /// Standard deviation of one coefficient.
    pub fn std(self) -> f64 {
        self.variance.sqrt()
    }

    /// Root mean square magnitude of the error in one slot, real and imaginary part together: std * sqrt(N).
    pub fn slot_std(self, shape: impl Into<RingShape>) -> f64 {
        (self.variance * terms(shape.into())).sqrt()
    }

    /// What one slot's error stays below with high probability: [`slot_bound_stds`] times [`Noise::slot_std`].
    pub fn slot_bound(self, shape: impl Into<RingShape>) -> f64 {
        let shape = shape.into();
        slot_bound_stds(shape.ring_type()) * self.slot_std(shape)
    }

    /// The error of a sum or difference: variances add.
    #[must_use]
    pub fn plus(self, other: Noise) -> Noise {
        Noise { variance: self.variance + other.variance }
    }

    /// The error of a weighted sum of values that all have this error: `sum of squared integer weights` times the variance.
    #[must_use]
    pub fn weighted(self, sum_of_squared_weights: f64) -> Noise {
        Noise { variance: self.variance * sum_of_squared_weights }
    }

    /// The error after multiplying every slot by numbers of magnitude up to `slot`, in integer units: slots are independent factors, so
    /// variances grow by at most slot^2.
    #[must_use]
    pub fn times_slots(self, slot: f64) -> Noise {
        Noise { variance: self.variance * slot * slot }
    }

    /// The error after an exact division by `divisor`; the rounding of that division comes on top.
    #[must_use]
    pub fn over(self, divisor: f64) -> Noise {
        Noise { variance: self.variance / (divisor * divisor) }
    }
}

/// A key switching digit: a residue modulo the product D of its primes, raised to the full modulus as the integer in
/// `[0, D)`: uniform, of mean D/2 and variance D^2 / 12.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Digit {
    /// log2 of D.
    pub log_modulus: f64,
}

impl Digit {
    /// The digits of a ciphertext over the primes `q`, so many primes each.
    pub fn of(q: &[u64], primes_per_digit: usize) -> Vec<Digit> {
        let log = |group: &[u64]| group.iter().map(|&q| (q as f64).log2()).sum();
        q.chunks(primes_per_digit.max(1)).map(|group| Digit { log_modulus: log(group) }).collect()
    }

    fn mean_over(self, log_p: f64) -> f64 {
        (self.log_modulus - log_p).exp2() / 2.0
    }

    fn variance_over(self, log_p: f64) -> f64 {
        (2.0 * (self.log_modulus - log_p)).exp2() / 12.0
    }
}

/// With which key inputs are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// With the secret one: the error of one draw.
    #[default]
    Symmetric,
    /// With the public one: little more than the rounding of a division by the special primes, some three bits more than one draw.
    Public,
}

/// The N of the formulas: how many coefficients, at roots of unity, a slot is a sum of.
fn terms(shape: RingShape) -> f64 {
    shape.cyclotomic().n() as f64
}

/// Variances for one ring, secret and error distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseModel {
    shape: RingShape,
    /// h = N Var(s).
    secret_norm: f64,
    error_variance: f64,
}

impl NoiseModel {
    /// The model of these distributions.
    pub fn new(shape: impl Into<RingShape>, secret: SecretDistribution, error: ErrorDistribution) -> NoiseModel {
        let shape = shape.into();
        let secret_norm = secret.variance(shape.log_n()) * terms(shape);
        NoiseModel { shape, secret_norm, error_variance: error.variance() }
    }

    /// The model of checked parameters.
    pub fn of(params: &CkksParams) -> NoiseModel {
        NoiseModel::new(params.shape(), params.secret(), params.error())
    }

    /// The ring.
    pub fn shape(&self) -> RingShape {
        self.shape
    }

    /// The coefficient error whose slots have this root mean square: [`Noise::slot_std`] backwards.
    pub fn of_slot_std(&self, slot_std: f64) -> Noise {
        Noise { variance: slot_std * slot_std / terms(self.shape) }
    }

    /// Rounding a message's coefficients to integers: 1/12.
    pub fn encoding(&self) -> Noise {
        Noise { variance: ROUNDING }
    }

    /// Symmetric encryption `(-a s + e + m, a)`: the error is e, variance sigma^2; encoding comes on top.
    pub fn symmetric_encryption(&self) -> Noise {
        Noise { variance: self.error_variance }
    }

    /// Public-key encryption at the full modulus QP, then division by P: with the key `(-a s + e, a)` and a ternary v (variance 2/3) the error
    /// is `v e + e_0 + e_1 s`, variance sigma^2 (2N/3 + 1 + h), divided by P^2; the division rounds two components. Without special
    /// primes (`log_p` zero) nothing is divided or rounded.
    pub fn public_encryption(&self, log_p: f64) -> Noise {
        let n = terms(self.shape);
        let variance = self.error_variance * (n * 2.0 / 3.0 + 1.0 + self.secret_norm);
        if log_p > 0.0 { Noise { variance }.over(log_p.exp2()).plus(self.rounding(2)) } else { Noise { variance } }
    }

    /// An encoded and encrypted message.
    pub fn fresh(&self, encryption: Encryption, log_p: f64) -> Noise {
        self.encoding().plus(match encryption {
            Encryption::Symmetric => self.symmetric_encryption(),
            Encryption::Public => self.public_encryption(log_p),
        })
    }

    /// Rounding of each component to an integer, as every division (rescale, mod_down) does. Two components: `r_0 + r_1 s`, variance
    /// (1 + h)/12. A third adds `r_2 s^2`; a coefficient of s^2 is a sum of N/2 doubled products, variance 2 h^2 / N, so r_2 s^2 has 2 h^2 / 12.
    pub fn rounding(&self, component_count: usize) -> Noise {
        let h = self.secret_norm;
        let powers = match component_count {
            0 | 1 => 1.0,
            2 => 1.0 + h,
            _ => 1.0 + h + 2.0 * h * h,
        };
        Noise { variance: ROUNDING * powers }
    }

    /// Rescale: the error divided by the prime, plus the rounding of each component.
    pub fn rescale(&self, noise: Noise, prime: u64, component_count: usize) -> Noise {
        noise.over(prime as f64).plus(self.rounding(component_count))
    }

    /// Key switching by unsigned digits: a digit multiplies an error of the key, so N sigma^2 times its second moment per coefficient, summed over
    /// digits, divided by P^2, plus the rounding of two components. `log_p` is log2 of P.
    ///
    /// The mean of unsigned digits gathers in few slots: see [`NoiseModel::key_switch_worst_slot_std`].
    pub fn key_switch(&self, digits: &[Digit], log_p: f64) -> Noise {
        let n = terms(self.shape);
        let squares: f64 = digits.iter().map(|d| d.mean_over(log_p).powi(2) + d.variance_over(log_p)).sum();
        Noise { variance: n * self.error_variance * squares }.plus(self.rounding(2))
    }

    /// Root mean square error of the worst slot after key switching: a digit is its mean M in every coefficient plus a centred part of variance V. The
    /// constant part takes, at zeta^k, the value `2 M / (1 - zeta^k)`, of magnitude M / sin(pi k / 2N): about 2 M N / pi in the slots next to 1.
    /// Times the error of the key in that slot (mean square N sigma^2), over P.
    pub fn key_switch_worst_slot_std(&self, digits: &[Digit], log_p: f64) -> f64 {
        let n = terms(self.shape);
        let peak = 1.0 / (std::f64::consts::PI / (2.0 * n)).sin();
        let squares: f64 =
            digits.iter().map(|d| (d.mean_over(log_p) * peak).powi(2) + d.variance_over(log_p) * n).sum();
        (n * (self.error_variance * squares + self.rounding(2).variance)).sqrt()
    }

    /// Key switching and rescale by one division by P and the last prime, as [`NoiseModel::rescale`] of what
    /// [`NoiseModel::key_switch_worst_slot_std`] says of every slot, but rounded once: `noise` and the digits' part over the prime, plus the rounding of
    /// two components.
    pub fn key_switch_rescale(&self, noise: Noise, digits: &[Digit], log_p: f64, prime: u64) -> Noise {
        let worst = self.of_slot_std(self.key_switch_worst_slot_std(digits, log_p));
        let unrounded = Noise { variance: worst.variance - self.rounding(2).variance };
        noise.plus(unrounded).over(prime as f64).plus(self.rounding(2))
    }

    /// Product of two ciphertexts whose slots stay below `left_slot` and `right_slot` in integer units:
    /// `m_1 e_2 + m_2 e_1 + e_1 e_2`, the last term N times the product of the coefficient variances.
    pub fn product(&self, left: Noise, left_slot: f64, right: Noise, right_slot: f64) -> Noise {
        let both = Noise { variance: left.variance * right.variance * terms(self.shape) };
        left.times_slots(right_slot).plus(right.times_slots(left_slot)).plus(both)
    }

    /// Square of a ciphertext whose slots stay below `slot`: the two cross terms of a product are one and the same, `2 m e + e^2`. The mean
    /// fourth power of a Gaussian of variance one is 2 in the complex plane and 3 on the real line.
    pub fn square(&self, noise: Noise, slot: f64) -> Noise {
        let fourth_moment = match self.shape.ring_type() {
            RingType::Cyclotomic => 2.0,
            RingType::ConjugateInvariant => 3.0,
        };
        let both = Noise { variance: fourth_moment * noise.variance * noise.variance * terms(self.shape) };
        noise.times_slots(2.0 * slot).plus(both)
    }
}
