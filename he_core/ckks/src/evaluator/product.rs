//! Products of ciphertexts and what brings them back to two components.

use he_rlwe::RelinearizationKey;

use crate::{CiphertextTensor, CkksError, Evaluator};

impl Evaluator {
    /// `x * y`, three components; scales multiply.
    ///
    /// # Errors
    /// [`CkksError::ComponentCount`] unless both have two components; [`CkksError::LevelMismatch`],
    /// [`CkksError::ValueMismatch`], [`CkksError::ScaleTooLarge`]; [`CkksError::Ring`] for tensors of other parameters.
    pub fn mul(&self, x: &CiphertextTensor, y: &CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        x.check_components(2)?;
        y.check_components(2)?;
        x.check_same_level(y.level())?;
        x.check_values(y.values())?;
        let scale = self.context.check_scale(x.level(), x.scale().times(y.scale())?)?;
        let rows = self.context.ring().mul_components(x.rows(), 2, y.rows(), 2)?;
        Ok(CiphertextTensor::new_unchecked(rows, 3, x.level(), scale))
    }

    /// `x * x`, three components; cheaper than [`Evaluator::mul`], the same residues.
    ///
    /// # Errors
    /// [`CkksError::ComponentCount`] unless x has two components; [`CkksError::ScaleTooLarge`]; [`CkksError::Ring`] for a
    /// tensor of other parameters.
    pub fn square(&self, x: &CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        x.check_components(2)?;
        let scale = self.context.check_scale(x.level(), x.scale().times(x.scale())?)?;
        let rows = self.context.ring().square_components(x.rows())?;
        Ok(CiphertextTensor::new_unchecked(rows, 3, x.level(), scale))
    }

    /// Three components to two, with the key from s^2 to s.
    ///
    /// # Errors
    /// [`CkksError::ComponentCount`] unless x has three components; [`CkksError::Rlwe`] without special primes or with a
    /// key of other parameters.
    pub fn relinearize(&self, x: &CiphertextTensor, key: &RelinearizationKey) -> Result<CiphertextTensor, CkksError> {
        x.check_components(3)?;
        let addends = [Some(x.component(0)?), Some(x.component(1)?)];
        let rows = self.context.rlwe().key_switch(x.component(2)?, key.key(), addends)?;
        Ok(CiphertextTensor::new_unchecked(rows, 2, x.level(), x.scale()))
    }

    /// [`Evaluator::relinearize`] and [`Evaluator::rescale`] with one division: fewer transforms, and one rounding instead
    /// of two, so the residues differ from those of the two steps while the noise is that of a rescale alone.
    ///
    /// # Errors
    /// As [`Evaluator::relinearize`]; [`CkksError::NoPrimeToDrop`] at level 0.
    pub fn relinearize_rescale(
        &self,
        x: &CiphertextTensor,
        key: &RelinearizationKey,
    ) -> Result<CiphertextTensor, CkksError> {
        x.check_components(3)?;
        let (below, scale) = self.rescaled(x)?;
        let addends = [Some(x.component(0)?), Some(x.component(1)?)];
        let rows = self.context.rlwe().key_switch_rescale(x.component(2)?, key.key(), addends)?;
        Ok(CiphertextTensor::new_unchecked(rows, 2, below, scale))
    }
}
