//! Sizes of what a server gets and gives for a batch.

use serde::Serialize;

/// Bytes of ciphertexts and keys. The keys are those of the records.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bytes {
    /// Encrypted input of one batch, a seed in place of its uniform half.
    pub input: u64,
    /// Encrypted output of one batch.
    pub output: u64,
    /// Evaluation keys, which go once.
    pub evaluation_keys: u64,
}
