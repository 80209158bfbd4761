//! Plaintexts and ciphertexts.

use he_ckks::{CiphertextTensor, Plaintext};
use he_params::Scale;

use super::{ConvertError, Converter, rows};
use crate::{Ciphertext, CiphertextMetadata};

impl Converter {
    /// An encoded message.
    ///
    /// # Errors
    /// [`ConvertError::OtherParms`], [`ConvertError::Ring`] for a plaintext of another ring; [`ConvertError::Rlwe`] for SEAL's
    /// empty plaintext.
    pub fn plaintext_from_seal(&self, plain: &crate::Plaintext) -> Result<Plaintext, ConvertError> {
        let limbs = self.limbs("Plaintext", plain.parms_id())?;
        let words = rows::from_words(self.context.ring(), &limbs, [plain.words()])?;
        Ok(Plaintext::from_rows(&self.context, words, Scale::new(plain.scale())?)?)
    }

    /// Message number `value` of a tensor of plaintexts.
    ///
    /// # Errors
    /// [`ConvertError::Ring`] for a value that is not there, [`ConvertError::Format`] for a plaintext of other parameters.
    pub fn plaintext_to_seal(&self, plain: &Plaintext, value: usize) -> Result<crate::Plaintext, ConvertError> {
        let words = rows::to_words(plain.rows().view().range(value, 1)?);
        Ok(crate::Plaintext::new(&self.seal, self.parms_id(plain.level()), plain.scale().get(), words)?)
    }

    /// A ciphertext, whole or seeded, as a tensor of one value.
    ///
    /// # Errors
    /// [`ConvertError::ComponentCount`] unless it has 2 or 3 polynomials, [`ConvertError::Coefficients`],
    /// [`ConvertError::OtherParms`], [`ConvertError::Ring`] for a ciphertext of another ring.
    pub fn ciphertext_from_seal(&self, x: &Ciphertext) -> Result<CiphertextTensor, ConvertError> {
        let CiphertextMetadata { parms_id, is_ntt_form, size, scale } = x.metadata();
        if !(2..=3).contains(&size) {
            return Err(ConvertError::ComponentCount { found: size });
        }
        if !is_ntt_form {
            return Err(ConvertError::Coefficients);
        }
        let limbs = self.limbs("Ciphertext", parms_id)?;
        let polynomials: Vec<&[u64]> = (0..size).map(|i| x.polynomial(i)).collect();
        let words = rows::from_words(self.context.ring(), &limbs, polynomials)?;
        Ok(CiphertextTensor::from_rows(&self.context, words, size, Scale::new(scale)?)?)
    }

    /// Ciphertext number `value` of a tensor.
    ///
    /// # Errors
    /// [`ConvertError::Ring`] for a value that is not there, [`ConvertError::Format`] for a ciphertext of other parameters.
    pub fn ciphertext_to_seal(&self, x: &CiphertextTensor, value: usize) -> Result<Ciphertext, ConvertError> {
        let size = x.component_count();
        let words = rows::to_words(x.rows().view().range(value.saturating_mul(size), size)?);
        let (parms_id, scale) = (self.parms_id(x.level()), x.scale().get());
        let metadata = CiphertextMetadata { parms_id, is_ntt_form: true, size, scale };
        Ok(Ciphertext::new(&self.seal, metadata, words)?)
    }
}
