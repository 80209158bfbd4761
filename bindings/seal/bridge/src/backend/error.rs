//! Why SEAL cannot run a program.

use he_ckks::{CkksError, RingError};
use he_params::{Level, ParamsError};
use he_rlwe::RlweError;

use crate::SealError;

/// What can go wrong on SEAL.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealBackendError {
    /// The program was made for other primes.
    #[error("the program is over the primes {program:?}, ciphertexts of the context over {context:?}")]
    Primes {
        /// The program's.
        program: Vec<u64>,
        /// All primes of the context but the special one.
        context: Vec<u64>,
    },
    /// SEAL keeps one prime for key switching, no more and no less.
    #[error(
        "the parameters have {found} special primes and {primes_per_digit} primes to a digit; SEAL has one of each"
    )]
    SpecialPrimes {
        /// How many there are.
        found: usize,
        /// Ciphertext primes in one digit.
        primes_per_digit: usize,
    },
    /// The program relinearizes, and there is no key for it.
    #[error("the program relinearizes, and there is no relinearization key")]
    NoRelinearizationKey,
    /// The program needs what this backend does not have.
    #[error("the backend on SEAL has no {0}")]
    Unsupported(&'static str),
    /// Two tensors that do not go together, or a tensor and weights.
    #[error("{found} elements, expected {expected}")]
    Elements {
        /// What is expected.
        expected: usize,
        /// What there is.
        found: usize,
    },
    /// An element that is not there.
    #[error("element {index} of {elements}")]
    NoSuchElement {
        /// What was asked for.
        index: usize,
        /// How many there are.
        elements: usize,
    },
    /// A tensor of ciphertexts in different states, or none at all.
    #[error("ciphertexts in different states, or none: the first is at level {level:?}")]
    MixedTensor {
        /// Level of the first.
        level: Option<Level>,
    },
    /// SEAL refused.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Henge's side of a conversion refused.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// Henge's side of a conversion refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Henge's side of a conversion refused.
    #[error(transparent)]
    Rlwe(#[from] RlweError),
    /// A scale out of range.
    #[error(transparent)]
    Params(#[from] ParamsError),
}
