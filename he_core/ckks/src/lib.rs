//! What a message is: encoder, plaintext, ciphertext tensor, evaluator, precision.
//!
//! - [`CkksContext`]: parameters made ready, shared by everything else;
//! - [`Encoder`] and [`Plaintext`]: numbers to polynomials and back;
//! - [`CiphertextTensor`], [`SeededCiphertextTensor`]: many ciphertexts at one level and scale;
//! - [`Evaluator`]: sums, products, linear layers, rotations, rescaling;
//! - [`PublicEncryptor`]: encryption without a secret;
//! - [`Precision`]: how close two vectors are, in bits.

#![forbid(unsafe_code)]

mod ciphertext;
mod context;
mod encoder;
mod error;
mod evaluator;
mod format;
mod plaintext;
mod precision;
mod public_encryption;

pub use ciphertext::{CiphertextTensor, SeededCiphertextTensor};
pub use context::CkksContext;
pub use encoder::Encoder;
pub use error::CkksError;
pub use evaluator::{Evaluator, LinearOperand};
pub use he_params::{Group, Groups};
pub use he_ring::sampling::Seed;
pub use he_ring::{Isa, LinearWeights, PackedBlock, RingError, WeightBlock};
pub use num_complex::Complex64;
pub use plaintext::Plaintext;
pub use precision::Precision;
pub use public_encryption::PublicEncryptor;
