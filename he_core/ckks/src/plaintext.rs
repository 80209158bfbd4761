//! Encoded messages.

use he_params::{Level, Scale};
use he_ring::{Eval, RnsTensor};

use crate::{CkksContext, CkksError};

/// One encoded message, or several at the same level and scale (a tensor of plaintexts). In the evaluation domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Plaintext {
    rows: RnsTensor<Eval>,
    level: Level,
    scale: Scale,
}

impl Plaintext {
    /// Takes one polynomial per value, over the primes of a level.
    ///
    /// # Errors
    /// [`CkksError::Rlwe`] when the primes are not those of a level.
    pub fn from_rows(context: &CkksContext, rows: RnsTensor<Eval>, scale: Scale) -> Result<Self, CkksError> {
        let level = context.rlwe().level_of_limbs(&rows.limb_indices())?;
        Ok(Self { rows, level, scale })
    }

    /// One polynomial per value.
    pub fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// Number of messages.
    pub fn values(&self) -> usize {
        self.rows.rows()
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }
}
