//! Every way this crate refuses an input.

use he_params::{Level, ParamsError};
use he_ring::RingError;

/// A refusal of `he_rlwe`; both sides of the contradiction are shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RlweError {
    /// The ring refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The parameters refused.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A level that the parameters do not have.
    #[error("level {level} is above the top level {max}")]
    LevelOutOfRange {
        /// The level asked for.
        level: Level,
        /// The top level.
        max: Level,
    },
    /// A polynomial over primes that are no level.
    #[error("primes with ring indices {limbs:?} are not those of a level")]
    NoSuchLevel {
        /// Ring indices of the primes found.
        limbs: Vec<usize>,
    },
    /// Keys can only be switched through special primes.
    #[error("the parameters have no special primes, so no key can be switched")]
    NoSpecialPrimes,
    /// A key of other parameters.
    #[error("key of {found} rows where these parameters need {expected}")]
    KeyShape {
        /// Rows needed.
        expected: usize,
        /// Rows found.
        found: usize,
    },
    /// No key was made for an automorphism.
    #[error("no galois key for element {element}; present: {present:?}")]
    MissingGaloisKey {
        /// The element needed.
        element: u32,
        /// The elements there are keys for.
        present: Vec<u32>,
    },
}
