//! What a value is: how many elements, and the state of its ciphertexts.

use std::fmt;

use he_params::{Level, Scale};

/// A value of the program, defined by the node of the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(u32);

impl ValueId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Position of the defining node in [`crate::HeProgram::nodes`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// Type of a tensor of ciphertexts: one ciphertext per element, all in the same state.
#[derive(Clone, Debug, PartialEq)]
pub struct CipherType {
    /// Shape of one image's tensor, without the batch axis; row-major.
    pub shape: Vec<usize>,
    /// `level + 1` primes are active.
    pub level: Level,
    /// The message m is stored as about m times this.
    pub scale: Scale,
    /// Polynomials of each ciphertext: 2, or 3 after a product that was not relinearized.
    pub component_count: usize,
}

impl CipherType {
    /// Number of ciphertexts.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}
