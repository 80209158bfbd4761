//! Microsoft SEAL's files, read and written without Microsoft SEAL: encryption parameters, plaintexts, ciphertexts and keys of CKKS.
//!
//! Read: SEAL 4.0 to 4.4 and 3.4 and later, uncompressed, zlib and zstd, whole and seeded. Written: SEAL 4.x.
//!
//! - [`EncryptionParameters`] come first, [`Context`] checks them; every other object is read under a context ([`Load`]).
//! - [`Plaintext`], [`Ciphertext`], [`SecretKey`], [`PublicKey`], [`RelinKeys`], [`GaloisKeys`] mirror SEAL's objects word for word.
//! - [`Save`] writes the bytes that SEAL writes.
//! - [`Outline`] says what a file is when its parameters are not at hand.
//! - [`Context::security`] judges parameters by the standard that SEAL enforces, that of 2018.
//! - [`convert`] turns the objects into those of `he_core` and back.
//!
//! Nothing in a file tells what kind of object it is: the caller has to know, and a wrong guess is an error of the first field that does not fit.
//!
//! ```
//! use seal_format::{Compression, Context, EncryptionParameters, Reader, Save};
//!
//! let parameters = EncryptionParameters::new(8, vec![97, 113])?;
//! let file = parameters.save(Compression::None)?;
//! let (back, taken) = EncryptionParameters::load(&file, Reader::Known)?;
//! assert_eq!((&back, taken), (&parameters, file.len()));
//! let context = Context::new(back)?;
//! assert_eq!(context.prime_count(context.first_parms_id()), Some(1));
//! assert!(context.security().bits < 128);
//! # Ok::<(), seal_format::FormatError>(())
//! ```

#![forbid(unsafe_code)]

mod blake2;
mod ciphertext;
mod compress;
mod context;
pub mod convert;
mod error;
mod header;
mod object;
mod outline;
mod parameters;
mod parms_id;
mod plaintext;
mod rows;
mod seed;
mod sink;
mod source;
mod switching_keys;

pub use ciphertext::{Ciphertext, CiphertextMetadata, PublicKey};
pub use context::Context;
pub use error::FormatError;
pub use header::{Compression, Header, Reader, Version};
pub use object::{Load, Save};
pub use outline::Outline;
pub use parameters::EncryptionParameters;
pub use parms_id::ParmsId;
pub use plaintext::{Plaintext, SecretKey};
pub use seed::{Generator, Seed};
pub use switching_keys::{GaloisKeys, RelinKeys};
