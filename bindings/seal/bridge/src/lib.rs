//! Microsoft SEAL 4.1.2, called from Rust.
//!
//! ```text
//! Context, Encoder, KeyGenerator, PublicEncryptor, SymmetricEncryptor, Decryptor, Evaluator      SEAL's classes
//! Plaintext, Ciphertext, SecretKey, PublicKey, RelinKeys, GaloisKeys                            SEAL's objects
//! ```
//!
//! Thin: each method is one call into the library, or a few. Safe: what SEAL throws arrives as [`SealError`] with SEAL's own words;
//! sizes, ranges and what SEAL's code takes for granted are checked before the call; residues go in and out as slices. Each type
//! says which threads may use it by being [`Send`] and [`Sync`] where SEAL's documentation allows it. Only CKKS.
//!
//! Levels, scales, rotations and verbs are Henge's: level l has l + 1 primes, the special one not counted.
//!
//! **Files that somebody else made** are not for the `load` of these types: SEAL 4.1.2 decompresses a whole file before it looks at it, without a cap on how much that
//! becomes, so a few kilobytes can ask for all the memory there is. `seal_format` reads the same files within stated bounds and checks what SEAL checks, and
//! more; what it accepts goes on to SEAL, saved again without compression.
//!
//! [`SealBackend`] runs a compiled program on this library.
//!
//! **Linking.** Bazel builds SEAL and the C++ side (`//bindings/seal/bridge`). Cargo compiles this crate and links neither: what
//! uses it is behind a feature, such as `henge/seal`.

mod backend;
#[expect(
    unsafe_code,
    reason = "what the cxx bridge generates, and which classes threads may share; nothing else stands in that file"
)]
mod bridge;
mod context;
mod error;
mod keys;
mod objects;
mod operations;

pub use backend::{SealBackend, SealBackendError, SealTensor, SealWeights};
pub use context::{Context, ParmsId, Security, describe, max_bit_count, pick_primes};
pub use error::SealError;
pub use keys::{GaloisKeys, KeyGenerator, PublicKey, RelinKeys, SecretKey};
pub use objects::{Ciphertext, Compression, Plaintext};
pub use operations::{Decryptor, Encoder, Evaluator, PublicEncryptor, SymmetricEncryptor};
