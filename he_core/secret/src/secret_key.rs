//! The secret key.

use std::fmt;

use he_ckks::CkksContext;
use he_params::SecretDistribution;
use he_ring::sampling::{Seed, SmallPolys, Stream};
use he_ring::{Eval, RingError, RnsTensor};
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

    /// Takes a key as one row of evaluations over all primes, which is how other libraries store it.
    ///
    /// # Errors
    /// [`SecretError::Ring`] for rows of other parameters, [`SecretError::NotTernary`] also for residues that are not those of
    /// one ternary polynomial.
    pub fn from_rows(context: &CkksContext, mut rows: RnsTensor<Eval>) -> Result<Self, SecretError> {
        let (ring, limbs) = (context.ring(), context.rlwe().all_limbs());
        if rows.rows() != 1 {
            return Err(RingError::RowMismatch { left: 1, right: rows.rows() }.into());
        }
        let (first, q) = (rows.view().with_limbs(&limbs[..1])?, context.params().q()[0]);
        let mut first = ring.inverse(first)?;
        // Anything else becomes 2, which is refused with the rest; no branch depends on a coefficient.
        let small = |x: u64| i8::from(x == 1) - i8::from(x == q - 1) + 2 * i8::from(x > 1 && x < q - 1);
        let coefficients = first.row(0, 0).iter().map(small).collect();
        first.zeroize();
        let key = Self::from_coefficients(context, coefficients);
        // One prime told the coefficients; the others have to agree. Where they do not, there is no key whose secret time could tell.
        let agrees = key.as_ref().is_ok_and(|key| key.rows == rows);
        rows.zeroize();
        key.and_then(|key| if agrees { Ok(key) } else { Err(SecretError::NotTernary) })
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

    /// s over all primes, one row, to write it where it is safe.
    pub fn expose_rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// -s over all primes, one row.
    pub(crate) fn negated_rows(&self) -> &RnsTensor<Eval> {
        &self.negated
    }
}
