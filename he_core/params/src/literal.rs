//! The parameter literal: what anybody may write.

use serde::{Deserialize, Serialize};

use crate::{ErrorDistribution, RequiredSecurity, RingType, SecretDistribution, SecurityTable};

/// Primes, or the bit sizes they are to be found for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModulusChain {
    /// Bit sizes; the primes are those of SEAL's walk over the ciphertext and special sizes as one list.
    Bits(Vec<u8>),
    /// The primes themselves.
    Primes(Vec<u64>),
}

impl ModulusChain {
    /// Number of primes.
    pub fn len(&self) -> usize {
        match self {
            ModulusChain::Bits(bits) => bits.len(),
            ModulusChain::Primes(primes) => primes.len(),
        }
    }

    /// Whether there is no prime.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for ModulusChain {
    fn default() -> ModulusChain {
        ModulusChain::Primes(Vec::new())
    }
}

/// Parameters as written by hand, read from JSON or chosen by the compiler; unchecked. Becomes a [`crate::CkksParams`] by `TryFrom`.
///
/// ```
/// use he_params::{CkksParams, CkksParamsLiteral};
/// let literal: CkksParamsLiteral =
///     serde_json::from_str(r#"{"log_n": 13, "q": {"bits": [30, 24, 24]}, "p": {"bits": [30]}, "log_scale": 24}"#)?;
/// let params = CkksParams::try_from(literal)?;
/// assert_eq!(params.q().len(), 3);
/// assert_eq!(params.security_report().bits, 256);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CkksParamsLiteral {
    /// The ring type; left out of the written form when it is the cyclotomic one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ring: RingType,
    /// log2 of the ring degree N.
    pub log_n: u8,
    /// Ciphertext primes q_0..q_L; q_L is the first one a rescale divides by.
    pub q: ModulusChain,
    /// Special primes, used inside key switching only; may be empty when no key is ever switched.
    #[serde(default)]
    pub p: ModulusChain,
    /// log2 of the scale fresh messages are encoded at.
    pub log_scale: f64,
    /// Ciphertext primes to one key switching digit.
    #[serde(default = "one")]
    pub primes_per_digit: u8,
    /// What the secret key is drawn from.
    #[serde(default)]
    pub secret: SecretDistribution,
    /// What errors are drawn from.
    #[serde(default)]
    pub error: ErrorDistribution,
    /// The table that security is judged by.
    #[serde(default)]
    pub table: SecurityTable,
    /// The level below which the literal is refused.
    #[serde(default)]
    pub security: RequiredSecurity,
}

fn one() -> u8 {
    1
}

fn is_default(ring: &RingType) -> bool {
    *ring == RingType::default()
}

impl CkksParamsLiteral {
    /// A literal of the cyclotomic ring, with the default distributions, the 2024 table and 128 bits.
    pub fn new(log_n: u8, q: ModulusChain, p: ModulusChain, log_scale: f64) -> CkksParamsLiteral {
        CkksParamsLiteral {
            ring: RingType::default(),
            log_n,
            q,
            p,
            log_scale,
            primes_per_digit: 1,
            secret: SecretDistribution::default(),
            error: ErrorDistribution::default(),
            table: SecurityTable::default(),
            security: RequiredSecurity::default(),
        }
    }
}
