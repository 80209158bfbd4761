//! Digests that stand for numbers too many to print: the first 8 bytes of SHA-256 over sizes and values.

use sha2::{Digest as _, Sha256};

use crate::Tensor;

/// A running digest.
#[derive(Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn sizes(&mut self, sizes: &[usize]) {
        self.0.update((sizes.len() as u64).to_le_bytes());
        for &size in sizes {
            self.0.update((size as u64).to_le_bytes());
        }
    }

    pub(crate) fn numbers(&mut self, numbers: &[f64]) {
        for number in numbers {
            self.0.update(number.to_bits().to_le_bytes());
        }
    }

    /// `sha256:` and sixteen hexadecimal digits.
    pub(crate) fn finish(self) -> String {
        let bytes = self.0.finalize();
        let digits: String = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits}")
    }
}

/// Digest of a tensor: its extents, then its elements as little-endian `f64`.
pub(super) fn of_tensor(tensor: &Tensor) -> String {
    let mut digest = Digest::default();
    digest.sizes(tensor.dims());
    digest.numbers(tensor.data());
    digest.finish()
}
