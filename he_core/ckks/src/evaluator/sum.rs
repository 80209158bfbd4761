//! Sums, differences, negation.

use crate::{CiphertextTensor, CkksError, Evaluator};

impl Evaluator {
    /// `x + y`.
    ///
    /// # Errors
    /// [`CkksError::LevelMismatch`], [`CkksError::ScaleMismatch`], [`CkksError::ValueMismatch`]; [`CkksError::Ring`] for
    /// tensors of other parameters.
    pub fn add(&self, x: &CiphertextTensor, y: &CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        let mut sum = x.clone();
        self.add_assign(&mut sum, y)?;
        Ok(sum)
    }

    /// `x += y`; x gains a third component when y has one.
    ///
    /// # Errors
    /// As [`Evaluator::add`].
    pub fn add_assign(&self, x: &mut CiphertextTensor, y: &CiphertextTensor) -> Result<(), CkksError> {
        self.check_operands(x, y)?;
        self.widen(x, y.component_count())?;
        for k in 0..y.component_count() {
            self.context.ring().add_assign(x.component_mut(k)?, y.component(k)?)?;
        }
        Ok(())
    }

    /// `x - y`.
    ///
    /// # Errors
    /// As [`Evaluator::add`].
    pub fn sub(&self, x: &CiphertextTensor, y: &CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        let mut difference = x.clone();
        self.sub_assign(&mut difference, y)?;
        Ok(difference)
    }

    /// `x -= y`; x gains a third component when y has one.
    ///
    /// # Errors
    /// As [`Evaluator::add`].
    pub fn sub_assign(&self, x: &mut CiphertextTensor, y: &CiphertextTensor) -> Result<(), CkksError> {
        self.check_operands(x, y)?;
        self.widen(x, y.component_count())?;
        for k in 0..y.component_count() {
            self.context.ring().sub_assign(x.component_mut(k)?, y.component(k)?)?;
        }
        Ok(())
    }

    /// `-x`.
    ///
    /// # Errors
    /// [`CkksError::Ring`] for a tensor of other parameters.
    pub fn negate(&self, mut x: CiphertextTensor) -> Result<CiphertextTensor, CkksError> {
        self.context.ring().negate_assign(x.rows_mut())?;
        Ok(x)
    }

    fn check_operands(&self, x: &CiphertextTensor, y: &CiphertextTensor) -> Result<(), CkksError> {
        x.check_same_level(y.level())?;
        x.check_same_scale(y.scale())?;
        x.check_values(y.values())
    }

    /// Gives every value of x at least `components` components, the new ones zero.
    fn widen(&self, x: &mut CiphertextTensor, components: usize) -> Result<(), CkksError> {
        if x.component_count() >= components {
            return Ok(());
        }
        let (ring, values) = (self.context.ring(), x.values());
        let mut rows = ring.zero(values * components, &x.rows().limb_indices())?;
        for k in 0..x.component_count() {
            ring.add_assign(rows.view_mut().select(k, values, components)?, x.component(k)?)?;
        }
        *x = CiphertextTensor::new_unchecked(rows, components, x.level(), x.scale());
        Ok(())
    }
}
