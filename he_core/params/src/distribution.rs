//! What secrets and errors are drawn from.

use serde::{Deserialize, Serialize};

use crate::LogN;

/// Distribution of the secret key's coefficients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretDistribution {
    /// Each coefficient -1, 0 or 1 with equal probability: what both security tables assume.
    #[default]
    UniformTernary,
    /// Exactly this many coefficients are -1 or 1. No table here covers it: it needs [`crate::RequiredSecurity::Insecure`].
    HammingWeight(u32),
}

impl SecretDistribution {
    /// Variance of one coefficient.
    pub fn variance(self, log_n: LogN) -> f64 {
        match self {
            SecretDistribution::UniformTernary => 2.0 / 3.0,
            SecretDistribution::HammingWeight(h) => f64::from(h) / log_n.n() as f64,
        }
    }
}

/// Distribution of encryption errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorDistribution {
    /// Difference of two sums of 21 bits: variance 21/2, standard deviation 3.24.
    #[default]
    CentredBinomial,
    /// A Gaussian of standard deviation 3.2, rounded to nearest, cut at 29.
    RoundedGaussian,
}

impl ErrorDistribution {
    /// Bits in each of the two sums of the centred binomial distribution.
    pub const BINOMIAL_BITS: u32 = 21;
    /// Standard deviation of the Gaussian before rounding.
    pub const GAUSSIAN_STD: f64 = 3.2;
    /// Largest magnitude of a rounded Gaussian error; the untruncated one passes it with probability below 2^-64.
    pub const GAUSSIAN_MAX: i32 = 29;

    /// Variance of one coefficient: 21/2, or 3.2^2 + 1/12 (rounding adds the variance of a uniform unit interval).
    pub fn variance(self) -> f64 {
        match self {
            ErrorDistribution::CentredBinomial => f64::from(Self::BINOMIAL_BITS) / 2.0,
            ErrorDistribution::RoundedGaussian => Self::GAUSSIAN_STD * Self::GAUSSIAN_STD + 1.0 / 12.0,
        }
    }
}
