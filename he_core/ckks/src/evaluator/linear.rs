//! The weighted sum of many ciphertexts: every linear layer of a network under batch packing.

use he_params::Scale;
use he_ring::LinearWeights;

use crate::{CiphertextTensor, CkksError, Evaluator};

impl Evaluator {
    /// `out_o = sum_k w[o][k] x_k + bias_o`, with integer weights that stand for numbers times `weight_scale`: the result has
    /// scale `x.scale * weight_scale`, the level and the component count (2 or 3) of x. `bias` has one number per output, or
    /// one for all, or none; it is rounded at the resulting scale.
    ///
    /// # Errors
    /// [`CkksError::ValueMismatch`] unless x has as many values as the weights have inputs and `bias` fits the outputs;
    /// [`CkksError::ScaleTooLarge`], [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`]; [`CkksError::Ring`] for a
    /// tensor of other parameters.
    pub fn linear(
        &self,
        x: &CiphertextTensor,
        weights: &LinearWeights,
        weight_scale: Scale,
        bias: &[f64],
    ) -> Result<CiphertextTensor, CkksError> {
        if x.values() != weights.input_count() {
            return Err(CkksError::ValueMismatch { left: x.values(), right: weights.input_count() });
        }
        let scale = self.context.check_scale(x.level(), x.scale().times(weight_scale)?)?;
        let rows = self.context.ring().matrix_product(weights, x.component_count(), x.rows())?;
        let mut out = CiphertextTensor::new_unchecked(rows, x.component_count(), x.level(), scale);
        if !bias.is_empty() {
            self.add_scalar_assign(&mut out, bias)?;
        }
        Ok(out)
    }
}
