//! A tensor as a run holds it: ciphertexts, or what a client sent in their place.

use std::borrow::Cow;

use he_ckks::{CiphertextTensor, CkksContext, CkksError, LinearOperand, SeededCiphertextTensor};
use he_params::{Level, Scale};

use crate::Operand;

/// Ciphertexts whose second components are there, or still a seed.
///
/// Seeded inputs that only linear maps read never stand in memory as a whole: the map draws the second components of one
/// prime at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum CkksTensor {
    /// All components.
    Whole(CiphertextTensor),
    /// As it came from a client.
    Seeded(SeededCiphertextTensor),
}

impl From<CiphertextTensor> for CkksTensor {
    fn from(x: CiphertextTensor) -> Self {
        Self::Whole(x)
    }
}

impl From<SeededCiphertextTensor> for CkksTensor {
    fn from(x: SeededCiphertextTensor) -> Self {
        Self::Seeded(x)
    }
}

impl CkksTensor {
    /// Number of ciphertexts.
    pub fn values(&self) -> usize {
        match self {
            Self::Whole(x) => x.values(),
            Self::Seeded(x) => x.values(),
        }
    }

    /// Polynomials per ciphertext, those that a seed stands for among them.
    pub fn component_count(&self) -> usize {
        match self {
            Self::Whole(x) => x.component_count(),
            Self::Seeded(_) => 2,
        }
    }

    /// The level.
    pub fn level(&self) -> Level {
        match self {
            Self::Whole(x) => x.level(),
            Self::Seeded(x) => x.level(),
        }
    }

    /// The scale.
    pub fn scale(&self) -> Scale {
        match self {
            Self::Whole(x) => x.scale(),
            Self::Seeded(x) => x.scale(),
        }
    }

    /// Bytes held on the heap.
    pub fn byte_len(&self) -> usize {
        match self {
            Self::Whole(x) => x.byte_len(),
            Self::Seeded(x) => x.byte_len(),
        }
    }

    /// The ciphertexts themselves, a seed expanded.
    ///
    /// # Errors
    /// [`CkksError::Ring`] for a tensor of other parameters.
    pub fn into_ciphertexts(self, context: &CkksContext) -> Result<CiphertextTensor, CkksError> {
        match self {
            Self::Whole(x) => Ok(x),
            Self::Seeded(x) => x.into_expanded(context),
        }
    }
}

impl<'a> Operand<'a, CkksTensor> {
    /// The ciphertexts, expanded where they are a seed, copied nowhere.
    pub(super) fn ciphertexts(self, context: &CkksContext) -> Result<Cow<'a, CiphertextTensor>, CkksError> {
        Ok(match self {
            Operand::Last(x) => Cow::Owned(x.into_ciphertexts(context)?),
            Operand::Kept(CkksTensor::Whole(x)) => Cow::Borrowed(x),
            Operand::Kept(CkksTensor::Seeded(x)) => Cow::Owned(x.expand(context)?),
        })
    }

    /// As a linear map reads it.
    pub(super) fn linear(self) -> LinearOperand<'a> {
        match self {
            Operand::Last(CkksTensor::Whole(x)) => x.into(),
            Operand::Last(CkksTensor::Seeded(x)) => x.into(),
            Operand::Kept(CkksTensor::Whole(x)) => x.into(),
            Operand::Kept(CkksTensor::Seeded(x)) => x.into(),
        }
    }
}
