//! Operations on encrypted messages; no secret is needed for any of them.
//!
//! Levels and scales are never aligned behind the caller's back: operands that differ are refused. `_assign` writes into
//! its first operand; methods that take a ciphertext by value reuse its memory. A right-hand side has as many values as the
//! left, or one value that serves all.

mod linear;
mod plain;
mod product;
mod rotation;
mod sum;

use std::sync::Arc;

use he_params::{Level, Packing, RingType, Scale};
use he_ring::{Bias, RnsScalars};
pub use linear::LinearOperand;

use crate::{CiphertextTensor, CkksContext, CkksError, Encoder};

/// Evaluates on ciphertexts of one context.
#[derive(Clone, Debug)]
pub struct Evaluator {
    context: Arc<CkksContext>,
    encoder: Encoder,
    packing: Packing,
}

impl Evaluator {
    /// An evaluator for a context.
    pub fn new(context: &Arc<CkksContext>) -> Self {
        Self { context: Arc::clone(context), encoder: Encoder::new(context), packing: Packing::Batch }
    }

    /// The same for ciphertexts whose slots are packed so: numbers are then added to both parts of every slot.
    ///
    /// # Errors
    /// [`CkksError::RealSlots`] for complex packing in the conjugate-invariant ring.
    pub fn with_packing(self, packing: Packing) -> Result<Self, CkksError> {
        if packing == Packing::Complex && self.context.params().shape().ring_type() == RingType::ConjugateInvariant {
            return Err(CkksError::RealSlots);
        }
        Ok(Self { packing, ..self })
    }

    /// How slots are packed.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    fn bias<'a>(&self, numbers: &'a RnsScalars) -> Bias<'a> {
        match self.packing {
            Packing::Complex => Bias::BothParts(numbers),
            _ => Bias::Real(numbers),
        }
    }

    /// The context.
    pub fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    /// Divides by the last prime, rounding to nearest, and goes one level down; the scale is divided by that prime.
    ///
    /// # Errors
    /// [`CkksError::NoPrimeToDrop`] at level 0; [`CkksError::Ring`] for a tensor of other parameters.
    pub fn rescale(&self, x: CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        let (components, (below, scale)) = (x.component_count(), self.rescaled(&x)?);
        let rows = self.context.ring().divide_round_by_last(x.into_rows())?;
        Ok(CiphertextTensor::new_unchecked(rows, components, below, scale))
    }

    /// The level and the scale after a rescale.
    fn rescaled(&self, x: &CiphertextTensor) -> Result<(Level, Scale), CkksError> {
        let level = x.level();
        let below = level.below().ok_or(CkksError::NoPrimeToDrop(level))?;
        let prime = self.context.params().q().get(level.last_prime()).copied().unwrap_or(1);
        Ok((below, x.scale().over(prime)?))
    }

    /// Forgets primes down to `level`; the scale stays.
    ///
    /// # Errors
    /// [`CkksError::LevelRaised`] when `level` is above the present one.
    pub fn drop_level(&self, x: CiphertextTensor, level: Level) -> Result<CiphertextTensor, CkksError> {
        let (from, components, scale) = (x.level(), x.component_count(), x.scale());
        if level > from {
            return Err(CkksError::LevelRaised { from, to: level });
        }
        self.context.check_scale(level, scale)?;
        let mut rows = x.into_rows();
        for _ in level.get()..from.get() {
            rows.drop_last_limb()?;
        }
        Ok(CiphertextTensor::new_unchecked(rows, components, level, scale))
    }
}
