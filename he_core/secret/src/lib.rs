//! What a server must never be able to name: secret key, key generation, symmetric encryption, decryption.
//!
//! - [`SecretKey`]: drawn from a 32-byte seed, wiped on drop;
//! - [`KeyGenerator`]: public, relinearization and Galois keys;
//! - [`SymmetricEncryptor`]: seeded ciphertexts, the same bytes on any processor and any number of threads;
//! - [`Decryptor`].
//!
//! ```
//! use he_ckks::{CkksContext, Encoder, Evaluator, Seed};
//! use he_params::presets::preset;
//! use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
//!
//! let context = CkksContext::from_literal(preset("N13_L7")?)?;
//! // Three seeds from the operating system; never the same one twice.
//! let (key_seed, generator_seed, encryption_seed) = (Seed::new([1; 32]), Seed::new([2; 32]), Seed::new([3; 32]));
//! let secret = SecretKey::generate(&context, &key_seed)?;
//! let relinearization = KeyGenerator::new(&context, &secret, generator_seed).relinearization_key()?;
//!
//! let (level, scale) = (context.params().max_level(), context.params().scale());
//! let x = SymmetricEncryptor::new(&context, &secret, &encryption_seed).encrypt(&[0.5, -1.5], level, scale)?;
//!
//! // What follows needs no secret.
//! let evaluator = Evaluator::new(&context);
//! let square = evaluator.square(&x.expand(&context)?)?;
//! let square = evaluator.rescale(evaluator.relinearize(&square, &relinearization)?)?;
//!
//! let plain = Decryptor::new(&context, &secret).decrypt(&square)?;
//! let numbers = Encoder::new(&context).decode(&plain, 0)?;
//! assert!((numbers[0] - 0.25).abs() < 1e-2 && (numbers[1] - 2.25).abs() < 1e-2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
