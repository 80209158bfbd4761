//! The secret key.

use std::fmt;

use he_ckks::CkksContext;
use he_params::SecretDistribution;
use he_ring::sampling::{Seed, SmallPolys, Stream};
use he_ring::{Eval, RnsTensor};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{SecretError, purpose};

/// A ternary polynomial s. Whoever has it reads everything encrypted under it.
///
/// Wiped on drop; not printed, not copied, not serialized but by the format made for it.
pub struct SecretKey {
    coefficients: SmallPolys,
    /// s over all primes.
    rows: RnsTensor<Eval>,
    /// -s over all primes: what masks a message.
    negated: RnsTensor<Eval>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("log_n", &self.rows.log_n()).finish_non_exhaustive()
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.coefficients.zeroize();
        self.rows.zeroize();
        self.negated.zeroize();
    }
}

impl ZeroizeOnDrop for SecretKey {}

impl SecretKey {
    /// Draws a key from the distribution that the parameters name. `seed` must be random and stay secret: who knows it
    /// can draw the same key.
    ///
    /// # Errors
    /// None for a checked context.
    pub fn generate(context: &CkksContext, seed: &Seed) -> Result<Self, SecretError> {
        let stream = Stream::new(seed, purpose::SECRET_KEY);
        let (params, isa) = (context.params(), context.isa());
        Self::expand(context, SmallPolys::secrets(isa, &stream, 0, 1, params.n(), params.secret()))
    }

    /// Takes a key's N coefficients, each -1, 0 or 1.
    ///
    /// # Errors
    /// [`SecretError::KeyLength`], [`SecretError::NotTernary`] (also when a key of fixed Hamming weight has another one).
    pub fn from_coefficients(context: &CkksContext, coefficients: Vec<i8>) -> Result<Self, SecretError> {
        let coefficients = SmallPolys::from_coefficients(coefficients);
        let (expected, found) = (context.params().n(), coefficients.coefficients().len());
        if expected != found {
            return Err(SecretError::KeyLength { expected, found });
        }
        // One pass over all, so that the time does not tell where a bad one stands.
        let weight: u32 = coefficients.coefficients().iter().map(|s| u32::from(s.unsigned_abs())).sum();
        let fits = coefficients.coefficients().iter().fold(true, |fits, s| fits & (-1..=1).contains(s));
        let weight_fits = match context.params().secret() {
            SecretDistribution::UniformTernary => true,
            SecretDistribution::HammingWeight(h) => h == weight,
        };
        if !fits || !weight_fits {
            return Err(SecretError::NotTernary);
        }
        Self::expand(context, coefficients)
    }

    fn expand(context: &CkksContext, coefficients: SmallPolys) -> Result<Self, SecretError> {
        let (ring, limbs) = (context.ring(), context.rlwe().all_limbs());
        let rows = ring.forward(ring.from_signed(coefficients.coefficients(), &limbs)?)?;
        let mut negated = rows.clone();
        ring.negate_assign(&mut negated)?;
        Ok(Self { coefficients, rows, negated })
    }

    /// The coefficients, to write them where they are safe.
    pub fn expose_coefficients(&self) -> &[i8] {
        self.coefficients.coefficients()
    }

    /// s over all primes, one row.
    pub(crate) fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// -s over all primes, one row.
    pub(crate) fn negated_rows(&self) -> &RnsTensor<Eval> {
        &self.negated
    }
}
