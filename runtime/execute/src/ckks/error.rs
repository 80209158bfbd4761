//! Why ciphertexts cannot run a program.

use he_ckks::{CkksError, RingError};

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
    /// The program relinearizes, and there is no key for it.
    #[error("the program relinearizes, the evaluation keys have no relinearization key")]
    NoRelinearizationKey,
    /// Weights that the residue matrix product refuses.
    #[error("weights: {0}")]
    Weights(#[from] RingError),
    /// The scheme refused.
    #[error(transparent)]
    Ckks(#[from] CkksError),
}
