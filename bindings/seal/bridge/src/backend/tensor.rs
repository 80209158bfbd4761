//! Many ciphertexts of SEAL in one state.

use he_params::{Level, Scale};

use super::SealBackendError;
use crate::Ciphertext;

/// Ciphertexts at one level and scale with the same number of components, one per element of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct SealTensor {
    ciphertexts: Vec<Ciphertext>,
    components: usize,
    level: Level,
    scale: Scale,
}

impl SealTensor {
    /// Takes ciphertexts, at least one.
    ///
    /// # Errors
    /// [`SealBackendError::MixedTensor`] when there is none, or they differ in level, scale or component count.
    pub fn new(ciphertexts: Vec<Ciphertext>) -> Result<Self, SealBackendError> {
        let first = ciphertexts.first().ok_or(SealBackendError::MixedTensor { level: None })?;
        let (components, level, scale) = (first.component_count(), first.level()?, first.scale()?);
        for x in &ciphertexts {
            if (x.component_count(), x.level()?, x.scale()?) != (components, level, scale) {
                return Err(SealBackendError::MixedTensor { level: Some(level) });
            }
        }
        Ok(Self { ciphertexts, components, level, scale })
    }

    /// The ciphertexts.
    pub fn ciphertexts(&self) -> &[Ciphertext] {
        &self.ciphertexts
    }

    /// The ciphertexts, given away.
    pub fn into_ciphertexts(self) -> Vec<Ciphertext> {
        self.ciphertexts
    }

    /// Polynomials of each.
    pub fn component_count(&self) -> usize {
        self.components
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
