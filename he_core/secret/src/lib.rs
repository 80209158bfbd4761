//! What a server must never be able to name: secret key, key generation, symmetric encryption, decryption.
//!
//! - [`SecretKey`]: drawn from a 32-byte seed, wiped on drop;
//! - [`KeyGenerator`]: public, relinearization and Galois keys;
//! - [`SymmetricEncryptor`]: seeded ciphertexts, the same bytes on any processor and any number of threads;
//! - [`Decryptor`].

#![forbid(unsafe_code)]

mod decryption;
mod encryption;
mod error;
mod format;
mod key_generation;
mod purpose;
mod secret_key;

pub use decryption::Decryptor;
pub use encryption::SymmetricEncryptor;
pub use error::SecretError;
pub use key_generation::KeyGenerator;
pub use secret_key::SecretKey;
