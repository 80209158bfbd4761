//! Plaintexts and ciphertexts, and how every object is saved and loaded.

use std::fmt;

use cxx::UniquePtr;
use he_params::{Level, Scale};

use crate::bridge;
use crate::error::During;
use crate::{Context, SealError};

/// How the body of a saved object is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// A zlib stream.
    Zlib,
    /// A zstd frame; what SEAL does unless told.
    #[default]
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Compression; 3] = [Compression::None, Compression::Zlib, Compression::Zstd];

    pub(crate) fn mode(self) -> u8 {
        match self {
            Compression::None => 0,
            Compression::Zlib => 1,
            Compression::Zstd => 2,
        }
    }
}

/// What every object has: a name for its parameters, `save` and `load`.
macro_rules! object {
    ($name:ident, $what:literal, $id:ident, $save:ident, $load:ident) => {
        impl $name {
            #[doc = concat!("Reads ", $what, " that SEAL or Henge saved, from the beginning of the bytes; what follows it is not looked at.")]
            ///
            /// **Untrusted bytes** go through `seal_format` first: SEAL decompresses them without a cap on what they become.
            ///
            /// # Errors
            /// What SEAL finds wrong: not its format, another version, other parameters, residues that are not below their primes.
            /// Beyond that, what its operations would trip over: no polynomials, a scale that is not a positive number.
            pub fn load(context: &crate::Context, bytes: &[u8]) -> Result<Self, crate::SealError> {
                let inner = crate::bridge::$load(context.ffi(), bytes).during(concat!("load ", $what))?;
                Ok(Self { inner })
            }

            /// The object in SEAL's format.
            ///
            /// # Errors
            /// When the memory for it cannot be had.
            pub fn save(&self, compression: crate::Compression) -> Result<Vec<u8>, crate::SealError> {
                let bytes = crate::bridge::$save(&self.inner, compression.mode()).during(concat!("save ", $what))?;
                Ok(bytes.as_slice().to_vec())
            }

            /// SEAL's name of the parameters and the level.
            pub fn parms_id(&self) -> crate::ParmsId {
                crate::ParmsId(crate::bridge::$id(&self.inner))
            }
        }
    };
}
pub(crate) use object;

/// A message as a polynomial, in evaluation form: `seal::Plaintext`.
pub struct Plaintext {
    pub(crate) inner: UniquePtr<bridge::Plaintext>,
}

object!(Plaintext, "a plaintext", plaintext_id, save_plaintext, load_plaintext);

impl Plaintext {
    /// From residues `[prime][N]` in the order of SEAL's transform.
    ///
    /// # Errors
    /// Another number of words, words that are not below their primes, a level that does not exist.
    pub fn from_words(context: &Context, words: &[u64], level: Level, scale: Scale) -> Result<Self, SealError> {
        let primes = context.check(level)?;
        let inner =
            bridge::plaintext_from_words(context.ffi(), words, primes, scale.get()).during("take a plaintext")?;
        Ok(Self { inner })
    }

    /// Residues `[prime][N]`.
    pub fn words(&self) -> &[u64] {
        bridge::plaintext_words(&self.inner)
    }

    /// The scale.
    ///
    /// # Errors
    /// None that is expected: scales of a context's size are finite.
    pub fn scale(&self) -> Result<Scale, SealError> {
        scale(bridge::plaintext_scale(&self.inner))
    }

    /// Says that the message is scaled by another number, and leaves the residues.
    pub fn set_scale(&mut self, scale: Scale) {
        bridge::set_plaintext_scale(self.inner.pin_mut(), scale.get());
    }

    /// The level.
    ///
    /// # Errors
    /// For a plaintext of another context.
    pub fn level(&self, context: &Context) -> Result<Level, SealError> {
        level(bridge::plaintext_primes(context.ffi(), &self.inner).during("ask for a level")?)
    }
}

/// A ciphertext in evaluation form: `seal::Ciphertext`. Its memory is its own and goes back when it is dropped.
pub struct Ciphertext {
    pub(crate) inner: UniquePtr<bridge::Ciphertext>,
}

object!(Ciphertext, "a ciphertext", ciphertext_id, save_ciphertext, load_ciphertext);

impl Ciphertext {
    /// From residues `[component][prime][N]` in the order of SEAL's transform.
    ///
    /// # Errors
    /// Another number of words, words that are not below their primes, a level that does not exist, fewer than 2 or more than
    /// 16 components.
    pub fn from_words(
        context: &Context,
        words: &[u64],
        components: usize,
        level: Level,
        scale: Scale,
    ) -> Result<Self, SealError> {
        let primes = context.check(level)?;
        let inner = bridge::ciphertext_from_words(context.ffi(), words, components, primes, scale.get())
            .during("take a ciphertext")?;
        Ok(Self { inner })
    }

    /// Residues that are all zero, to be written.
    pub(crate) fn zero(context: &Context, components: usize, level: Level, scale: Scale) -> Result<Self, SealError> {
        let primes = context.check(level)?;
        let inner =
            bridge::zero_ciphertext(context.ffi(), components, primes, scale.get()).during("make a ciphertext")?;
        Ok(Self { inner })
    }

    /// Residues `[component][prime][N]`.
    pub fn words(&self) -> &[u64] {
        bridge::ciphertext_words(&self.inner)
    }

    /// As [`Ciphertext::words`], to write residues below their primes.
    pub(crate) fn words_mut(&mut self) -> &mut [u64] {
        bridge::words_mut(self.inner.pin_mut())
    }

    /// Number of polynomials.
    pub fn component_count(&self) -> usize {
        bridge::component_count(&self.inner)
    }

    /// The level: one less than the number of primes.
    ///
    /// # Errors
    /// None that is expected.
    pub fn level(&self) -> Result<Level, SealError> {
        level(bridge::ciphertext_primes(&self.inner))
    }

    /// The scale.
    ///
    /// # Errors
    /// None that is expected: scales of a context's size are finite.
    pub fn scale(&self) -> Result<Scale, SealError> {
        scale(bridge::ciphertext_scale(&self.inner))
    }

    /// Says that the message is scaled by another number, and leaves the residues.
    pub fn set_scale(&mut self, scale: Scale) {
        bridge::set_ciphertext_scale(self.inner.pin_mut(), scale.get());
    }
}

impl Clone for Plaintext {
    fn clone(&self) -> Self {
        Self { inner: bridge::copy_plaintext(&self.inner) }
    }
}

impl Clone for Ciphertext {
    fn clone(&self) -> Self {
        Self { inner: bridge::copy_ciphertext(&self.inner) }
    }
}

fn scale(scale: f64) -> Result<Scale, SealError> {
    Scale::new(scale).map_err(|error| SealError::new("ask for a scale", error.to_string()))
}

fn level(primes: usize) -> Result<Level, SealError> {
    Level::with_prime_count(primes)
        .ok_or_else(|| SealError::new("ask for a level", format!("an object over {primes} primes")))
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext").field("words", &self.words().len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (components, words) = (self.component_count(), self.words().len());
        f.debug_struct("Ciphertext").field("components", &components).field("words", &words).finish_non_exhaustive()
    }
}

impl PartialEq for Ciphertext {
    /// The same parameters, level, scale and residues.
    fn eq(&self, other: &Self) -> bool {
        let scale = bridge::ciphertext_scale;
        self.parms_id() == other.parms_id()
            && scale(&self.inner) == scale(&other.inner)
            && self.words() == other.words()
    }
}

impl PartialEq for Plaintext {
    /// The same parameters, level, scale and residues.
    fn eq(&self, other: &Self) -> bool {
        let scale = bridge::plaintext_scale;
        self.parms_id() == other.parms_id()
            && scale(&self.inner) == scale(&other.inner)
            && self.words() == other.words()
    }
}
