//! SEAL's objects to Henge's and back: exact, copies and a change of word size. Nothing is transformed, for both libraries hold
//! evaluations in the same order; the secret key alone is also inverted once, to see that it is ternary.
//!
//! | SEAL | Henge |
//! |---|---|
//! | encryption parameters | parameter literal, judged by the standard of 2018 |
//! | level with l primes | level l - 1; the key level, all k primes, is that of keys alone |
//! | plaintext, ciphertext | one value of a tensor; a seed of SEAL is expanded, for Henge's seeds stand for other polynomials |
//! | secret key | the same ternary polynomial |
//! | public key | public key without a seed |
//! | relinearization keys | the key for the square of the secret |
//! | Galois keys | the keys by Galois element |
//!
//! Component j of a key for switching is digit j: `(b_j, a_j)` with the target in limb j alone, in both libraries.

mod error;
mod keys;
mod messages;
mod parameters;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use he_ckks::CkksContext;
use he_params::Level;

pub use error::ConvertError;
pub use parameters::{encryption_parameters, literal};

use crate::{Context, ParmsId};

/// Converts objects under one set of parameters.
#[derive(Clone, Debug)]
pub struct Converter {
    context: Arc<CkksContext>,
    seal: Context,
}

impl Converter {
    /// A converter between a context and SEAL's with the same primes.
    ///
    /// # Errors
    /// As [`encryption_parameters`].
    pub fn new(context: &Arc<CkksContext>) -> Result<Self, ConvertError> {
        let seal = Context::new(encryption_parameters(context.params())?)?;
        Ok(Self { context: Arc::clone(context), seal })
    }

    /// Henge's side.
    pub fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    /// SEAL's side: what objects are loaded under.
    pub fn seal(&self) -> &Context {
        &self.seal
    }

    /// The name that SEAL has for a level.
    fn parms_id(&self, level: Level) -> ParmsId {
        self.seal.parms_id(level.prime_count()).unwrap_or_default()
    }

    /// The ring indices of the level that SEAL calls `parms_id`.
    fn limbs(&self, object: &'static str, parms_id: ParmsId) -> Result<Vec<usize>, ConvertError> {
        let count = self.seal.prime_count(parms_id);
        Ok((0..count.ok_or(ConvertError::OtherParms { object, found: parms_id })?).collect())
    }
}
