//! A batch of numbers that pretends to be a tensor of ciphertexts.

use he_params::{Level, ParamsError, Scale};

use crate::{Batch, TensorState};

/// What can go wrong in the clear.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ClearError {
    /// The program was made for other primes.
    #[error("the program is over the primes {program:?}, the backend over {backend:?}")]
    Primes {
        /// The program's.
        program: Vec<u64>,
        /// The backend's.
        backend: Vec<u64>,
    },
    /// Two operands with different numbers of numbers.
    #[error("operands of different sizes: left {left:?}, right {right:?} (elements, images)")]
    Shape {
        /// Elements and images of the left operand.
        left: (usize, usize),
        /// Elements and images of the right operand.
        right: (usize, usize),
    },
    /// A scale left the range of `f64`.
    #[error(transparent)]
    Scale(#[from] ParamsError),
    /// A rescale without a prime to divide by.
    #[error("no prime to divide by at level {level}")]
    NoPrime {
        /// Level of the operand.
        level: Level,
    },
    /// An element past the end.
    #[error("element {index} of {elements}")]
    Element {
        /// The element.
        index: usize,
        /// Elements of the operand.
        elements: usize,
    },
}

/// Numbers with the level, scale and component count that their ciphertexts would have.
#[derive(Clone, Debug, PartialEq)]
pub struct ClearTensor {
    pub(super) batch: Batch,
    pub(super) level: Level,
    pub(super) scale: Scale,
    pub(super) component_count: usize,
}

impl ClearTensor {
    /// Numbers as a fresh ciphertext would carry them.
    pub fn new(batch: Batch, level: Level, scale: Scale) -> Self {
        Self { batch, level, scale, component_count: 2 }
    }

    /// The numbers.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The listed values, all of one state.
    pub(super) fn gather_of(values: &[(&Self, usize)]) -> Result<Self, ClearError> {
        let Some((first, _)) = values.first() else { return Err(ClearError::Element { index: 0, elements: 0 }) };
        let mut batch = Batch::zero(values.len(), first.batch.images());
        for (row, (x, index)) in batch.values_mut().chunks_exact_mut(first.batch.images().max(1)).zip(values) {
            let from = x.batch.row(*index);
            if from.len() != row.len() {
                return Err(ClearError::Element { index: *index, elements: x.batch.elements() });
            }
            row.copy_from_slice(from);
        }
        Ok(Self { batch, ..**first })
    }

    pub(super) fn state(&self) -> TensorState {
        TensorState {
            elements: self.batch.elements(),
            level: self.level,
            scale: self.scale,
            component_count: self.component_count,
            slots: self.batch.images(),
        }
    }

    /// `self[i] = f(self[i], other[i])`.
    pub(super) fn zip(mut self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Result<Self, ClearError> {
        let size = |t: &Self| (t.batch.elements(), t.batch.images());
        if size(&self) != size(other) {
            return Err(ClearError::Shape { left: size(&self), right: size(other) });
        }
        for (x, y) in self.batch.values_mut().iter_mut().zip(other.batch.values()) {
            *x = f(*x, *y);
        }
        self.component_count = self.component_count.max(other.component_count);
        Ok(self)
    }

    /// `self[i] = f(self[i])`.
    pub(super) fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.batch.values_mut().iter_mut().for_each(|x| *x = f(*x));
        self
    }
}
