//! Why ciphertexts cannot run a program.

use he_ckks::{CkksError, RingError};
use he_params::Packing;

/// What can go wrong on ciphertexts.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CkksBackendError {
    /// The program was made for other primes.
    #[error("the program is over the primes {program:?}, the parameters have {params:?}")]
    Primes {
        /// The program's.
        program: Vec<u64>,
        /// Ciphertext primes of the parameters.
        params: Vec<u64>,
    },
    /// The program packs images otherwise.
    #[error("the program's images are packed as {program:?}, the backend's as {backend:?}")]
    Packing {
        /// The program's.
        program: Packing,
        /// The backend's.
        backend: Packing,
    },
    /// The program relinearizes, and there is no key for it.
    #[error("the program relinearizes, the evaluation keys have no relinearization key")]
    NoRelinearizationKey,
    /// A tile whose second components are a seed, among values of several tiles.
    #[error("values of several tiles are read, and one of the tiles is a seed")]
    Seeded,
    /// Weights that the residue matrix product refuses.
    #[error("weights: {0}")]
    Weights(#[from] RingError),
    /// The scheme refused.
    #[error(transparent)]
    Ckks(#[from] CkksError),
}
