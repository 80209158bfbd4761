//! The program on ciphertexts.
//!
//! Holds what a server holds: parameters made ready and evaluation keys. Encrypting and decrypting are the key owner's; what both
//! sides need to turn a [`crate::Batch`] into slots and back is here: its rows are what an encryptor takes, [`decode()`] gives them back.

mod backend;
mod decode;
mod error;
mod tensor;

pub use backend::{CkksBackend, CkksWeights};
pub use decode::decode;
pub use error::CkksBackendError;
pub use tensor::CkksTensor;
