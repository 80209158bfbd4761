//! Messages as integer coefficients: what encoding ends in and encryption starts from.

use he_ring::sampling::SmallPolys;
use he_ring::{Coeff, Ring, RnsTensor};

use crate::CkksError;

/// Polynomials with integer coefficients, `[value][N]`; 64 bits each, 128 when a coefficient needs more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegerPolys {
    pub(crate) store: Store,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl IntegerPolys {
    /// Adds errors, coefficient by coefficient; both have the same number of polynomials.
    ///
    /// # Errors
    /// [`CkksError::ValueMismatch`].
    pub fn add_errors_assign(&mut self, errors: &SmallPolys) -> Result<(), CkksError> {
        let errors = errors.coefficients();
        let len = match &self.store {
            Store::Narrow(x) => x.len(),
            Store::Wide(x) => x.len(),
        };
        if len != errors.len() {
            return Err(CkksError::ValueMismatch { left: len, right: errors.len() });
        }
        // Narrow magnitudes are below 2^62 and wide ones below 2^126: no sum overflows.
        match &mut self.store {
            Store::Narrow(x) => x.iter_mut().zip(errors).for_each(|(x, e)| *x += i64::from(*e)),
            Store::Wide(x) => x.iter_mut().zip(errors).for_each(|(x, e)| *x += i128::from(*e)),
        }
        Ok(())
    }

    /// Residues modulo the primes with ring indices `limbs`.
    ///
    /// # Errors
    /// [`CkksError::Ring`].
    pub fn to_tensor(&self, ring: &Ring, limbs: &[usize]) -> Result<RnsTensor<Coeff>, CkksError> {
        Ok(match &self.store {
            Store::Narrow(x) => ring.from_signed(x, limbs)?,
            Store::Wide(x) => ring.from_signed_i128(x, limbs)?,
        })
    }
}
