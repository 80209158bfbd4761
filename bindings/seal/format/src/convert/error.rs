//! What is exact in one of the two libraries and has no counterpart in the other.

use he_ckks::{CkksError, RingError};
use he_params::{ParamsError, RingType};
use he_rlwe::RlweError;
use he_secret::SecretError;

use crate::{FormatError, ParmsId};

/// A refusal to convert; both sides are shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// SEAL's side refused.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The parameters refused.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The ring refused: a tensor or a key of other parameters.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Keys refused.
    #[error(transparent)]
    Rlwe(#[from] RlweError),
    /// Messages or ciphertexts refused.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// The secret key refused.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A ring degree that is no power of two, or below 2.
    #[error("poly_modulus_degree is {found}, expected a power of two")]
    Degree {
        /// What stands there.
        found: u64,
    },
    /// SEAL keeps the last prime for key switching whenever there are several.
    #[error(
        "{ciphertext} ciphertext and {special} special primes; SEAL's parameters have one special prime, or one prime in all"
    )]
    SpecialPrimes {
        /// Ciphertext primes.
        ciphertext: usize,
        /// Special primes.
        special: usize,
    },
    /// SEAL has one ring.
    #[error("parameters of the {0} ring, SEAL has the cyclotomic one")]
    RingType(RingType),
    /// SEAL switches keys prime by prime.
    #[error("{found} primes to a key switching digit, SEAL has 1")]
    PrimesPerDigit {
        /// Primes to a digit.
        found: usize,
    },
    /// A prime that SEAL makes no context with.
    #[error("prime {found} has more bits than the {max_bits} that SEAL accepts")]
    PrimeTooLong {
        /// The prime.
        found: u64,
        /// The longest.
        max_bits: u32,
    },
    /// An object under other parameters.
    #[error("{object} has parms_id {found}, which no level of these parameters has")]
    OtherParms {
        /// What object.
        object: &'static str,
        /// Its parms_id.
        found: ParmsId,
    },
    /// Ciphertexts of so many components exist in SEAL alone.
    #[error("ciphertext of {found} components, expected 2 or 3")]
    ComponentCount {
        /// Components found.
        found: usize,
    },
    /// A ciphertext that its owner took out of NTT form.
    #[error("ciphertext of coefficients (is_ntt_form is 0), expected evaluations, as CKKS has them")]
    Coefficients,
    /// Relinearization keys for other powers of the secret than its square.
    #[error("relinearization keys for {found} powers of the secret, expected one, for its square")]
    RelinearizationKeys {
        /// Powers found.
        found: usize,
    },
}
