//! Operations with clear operands: plaintexts, and numbers that are the same in every slot.

use he_params::Scale;

use crate::{CiphertextTensor, CkksError, Evaluator, Plaintext};

impl Evaluator {
    /// `x += p`.
    ///
    /// # Errors
    /// [`CkksError::LevelMismatch`], [`CkksError::ScaleMismatch`], [`CkksError::ValueMismatch`]; [`CkksError::Ring`] for
    /// operands of other parameters.
    pub fn add_plain_assign(&self, x: &mut CiphertextTensor, p: &Plaintext) -> Result<(), CkksError> {
        self.check_sum(x, p)?;
        Ok(self.context.ring().add_assign(x.component_mut(0)?, p.rows())?)
    }

    /// `x + p`.
    ///
    /// # Errors
    /// As [`Evaluator::add_plain_assign`].
    pub fn add_plain(&self, x: &CiphertextTensor, p: &Plaintext) -> Result<CiphertextTensor, CkksError> {
        let mut sum = x.clone();
        self.add_plain_assign(&mut sum, p)?;
        Ok(sum)
    }

    /// `x -= p`.
    ///
    /// # Errors
    /// As [`Evaluator::add_plain_assign`].
    pub fn sub_plain_assign(&self, x: &mut CiphertextTensor, p: &Plaintext) -> Result<(), CkksError> {
        self.check_sum(x, p)?;
        Ok(self.context.ring().sub_assign(x.component_mut(0)?, p.rows())?)
    }

    /// `x - p`.
    ///
    /// # Errors
    /// As [`Evaluator::add_plain_assign`].
    pub fn sub_plain(&self, x: &CiphertextTensor, p: &Plaintext) -> Result<CiphertextTensor, CkksError> {
        let mut difference = x.clone();
        self.sub_plain_assign(&mut difference, p)?;
        Ok(difference)
    }

    /// `x *= p`; scales multiply.
    ///
    /// # Errors
    /// [`CkksError::LevelMismatch`], [`CkksError::ScaleTooLarge`], [`CkksError::ValueMismatch`]; [`CkksError::Ring`] for
    /// operands of other parameters.
    pub fn mul_plain_assign(&self, x: &mut CiphertextTensor, p: &Plaintext) -> Result<(), CkksError> {
        x.check_same_level(p.level())?;
        x.check_values(p.values())?;
        let scale = self.context.check_scale(x.level(), x.scale().times(p.scale())?)?;
        for k in 0..x.component_count() {
            self.context.ring().mul_assign(x.component_mut(k)?, p.rows())?;
        }
        x.set_scale(scale);
        Ok(())
    }

    /// `x * p`; scales multiply.
    ///
    /// # Errors
    /// As [`Evaluator::mul_plain_assign`].
    pub fn mul_plain(&self, x: &CiphertextTensor, p: &Plaintext) -> Result<CiphertextTensor, CkksError> {
        let mut product = x.clone();
        self.mul_plain_assign(&mut product, p)?;
        Ok(product)
    }

    /// `x += number` in every slot (in both parts of it under [`he_params::Packing::Complex`]): one number per value, or one for all.
    ///
    /// # Errors
    /// [`CkksError::ValueMismatch`], [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`].
    pub fn add_scalar_assign(&self, x: &mut CiphertextTensor, numbers: &[f64]) -> Result<(), CkksError> {
        x.check_values(numbers.len())?;
        let scalars = self.encoder.encode_scalars(numbers, x.level(), x.scale())?;
        Ok(self.context.ring().add_bias_assign(x.component_mut(0)?, self.bias(&scalars))?)
    }

    /// `x -= number` in every slot: one number per value, or one for all.
    ///
    /// # Errors
    /// As [`Evaluator::add_scalar_assign`].
    pub fn sub_scalar_assign(&self, x: &mut CiphertextTensor, numbers: &[f64]) -> Result<(), CkksError> {
        let negated: Vec<f64> = numbers.iter().map(|number| -number).collect();
        self.add_scalar_assign(x, &negated)
    }

    /// `x *= number` in every slot: one number per value, or one for all, each rounded at `scale`; scales multiply.
    ///
    /// # Errors
    /// [`CkksError::ValueMismatch`], [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`],
    /// [`CkksError::ScaleTooLarge`].
    pub fn mul_scalar_assign(&self, x: &mut CiphertextTensor, numbers: &[f64], scale: Scale) -> Result<(), CkksError> {
        x.check_values(numbers.len())?;
        let product = self.context.check_scale(x.level(), x.scale().times(scale)?)?;
        let scalars = self.encoder.encode_scalars(numbers, x.level(), scale)?;
        for k in 0..x.component_count() {
            self.context.ring().mul_scalar_assign(x.component_mut(k)?, &scalars)?;
        }
        x.set_scale(product);
        Ok(())
    }

    fn check_sum(&self, x: &CiphertextTensor, p: &Plaintext) -> Result<(), CkksError> {
        x.check_same_level(p.level())?;
        x.check_same_scale(p.scale())?;
        x.check_values(p.values())
    }
}
