//! Every way this crate refuses an input.

use he_ckks::CkksError;
use he_ring::RingError;
use he_rlwe::RlweError;

/// A refusal of `he_secret`. No message ever shows a secret.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The ring refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Keys refused.
    #[error(transparent)]
    Rlwe(#[from] RlweError),
    /// Messages or ciphertexts refused.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// A secret key of another ring degree.
    #[error("secret key of {found} coefficients where the parameters need {expected}")]
    KeyLength {
        /// Coefficients needed.
        expected: usize,
        /// Coefficients found.
        found: usize,
    },
    /// A secret key with a coefficient that is not -1, 0 or 1.
    #[error("secret key has a coefficient outside -1, 0, 1")]
    NotTernary,
    /// Keys can only be switched through special primes.
    #[error("the parameters have no special primes, so there are no relinearization or galois keys")]
    NoSpecialPrimes,
}
