//! Keys, and the generator that makes them.

use std::fmt;

use cxx::UniquePtr;
use he_params::GaloisElement;

use crate::bridge;
use crate::error::During;
use crate::objects::object;
use crate::{Compression, Context, SealError};

/// The secret key over all primes: `seal::SecretKey`. SEAL wipes it when it is dropped; it is not printed and cannot be cloned.
/// Bytes that it is saved to, and what SEAL's compressors held on the way, are not wiped.
pub struct SecretKey {
    pub(crate) inner: UniquePtr<bridge::SecretKey>,
}

/// An encryption of zero over all primes: `seal::PublicKey`.
pub struct PublicKey {
    pub(crate) inner: UniquePtr<bridge::PublicKey>,
}

/// Keys from powers of the secret to the secret, from the square on: `seal::RelinKeys`.
pub struct RelinKeys {
    pub(crate) inner: UniquePtr<bridge::RelinKeys>,
}

/// Keys of automorphisms: `seal::GaloisKeys`.
pub struct GaloisKeys {
    pub(crate) inner: UniquePtr<bridge::GaloisKeys>,
}

object!(SecretKey, "a secret key", secret_key_id, save_secret_key, load_secret_key);
object!(PublicKey, "a public key", public_key_id, save_public_key, load_public_key);
object!(RelinKeys, "relinearization keys", relin_keys_id, save_relin_keys, load_relin_keys);
object!(GaloisKeys, "Galois keys", galois_keys_id, save_galois_keys, load_galois_keys);

impl SecretKey {
    /// From residues `[prime][N]` over all primes, in evaluation form.
    ///
    /// # Errors
    /// Another number of words, or words that are not below their primes.
    pub fn from_words(context: &Context, words: &[u64]) -> Result<Self, SealError> {
        let inner = bridge::secret_key_from_words(context.ffi(), words).during("take a secret key")?;
        Ok(Self { inner })
    }

    /// Residues `[prime][N]`: the secret itself.
    pub fn expose_words(&self) -> &[u64] {
        bridge::secret_key_words(&self.inner)
    }
}

impl PublicKey {
    /// From residues `[component][prime][N]` over all primes, in evaluation form.
    ///
    /// # Errors
    /// Another number of words, or words that are not below their primes.
    pub fn from_words(context: &Context, words: &[u64]) -> Result<Self, SealError> {
        let inner = bridge::public_key_from_words(context.ffi(), words).during("take a public key")?;
        Ok(Self { inner })
    }

    /// Residues `[component][prime][N]`.
    pub fn words(&self) -> &[u64] {
        bridge::public_key_words(&self.inner)
    }
}

impl RelinKeys {
    /// The key from s^2 to s, from residues `[digit][component][prime][N]` over all primes: one digit per prime of ciphertexts.
    ///
    /// # Errors
    /// Another number of words, words that are not below their primes, or a context without a special prime.
    pub fn from_words(context: &Context, words: &[u64]) -> Result<Self, SealError> {
        let inner = bridge::relin_keys_from_words(context.ffi(), words).during("take relinearization keys")?;
        Ok(Self { inner })
    }

    /// Residues `[digit][component][prime][N]` of the key from s^(index + 2) to s; nothing where there is none.
    pub fn words(&self, index: usize) -> Vec<u64> {
        bridge::relin_key_words(&self.inner, index)
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        bridge::relin_key_count(&self.inner)
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl GaloisKeys {
    /// No keys.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn empty(context: &Context) -> Result<Self, SealError> {
        Ok(Self { inner: bridge::empty_galois_keys(context.ffi()).during("make Galois keys")? })
    }

    /// Adds a key from residues `[digit][component][prime][N]` over all primes, or replaces it.
    ///
    /// # Errors
    /// An element of another ring, keys of other parameters, another number of words, words that are not below their primes.
    pub fn insert(&mut self, context: &Context, element: GaloisElement, words: &[u64]) -> Result<(), SealError> {
        let keys = self.inner.pin_mut();
        bridge::insert_galois_key(context.ffi(), keys, element.get(), words).during("take a Galois key")
    }

    /// Residues `[digit][component][prime][N]` of the key of an element; nothing where there is none.
    pub fn words(&self, element: GaloisElement) -> Vec<u64> {
        bridge::galois_key_words(&self.inner, (element.get() as usize - 1) / 2)
    }

    /// The elements that there are keys for, ascending.
    pub fn elements(&self, context: &Context) -> Vec<GaloisElement> {
        let elements = bridge::galois_elements(&self.inner).into_iter();
        elements.filter_map(|g| GaloisElement::new(g, context.log_n()).ok()).collect()
    }
}

impl Clone for PublicKey {
    fn clone(&self) -> Self {
        Self { inner: bridge::copy_public_key(&self.inner) }
    }
}

impl Clone for RelinKeys {
    fn clone(&self) -> Self {
        Self { inner: bridge::copy_relin_keys(&self.inner) }
    }
}

impl Clone for GaloisKeys {
    fn clone(&self) -> Self {
        Self { inner: bridge::copy_galois_keys(&self.inner) }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for RelinKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelinKeys").field("keys", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for GaloisKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GaloisKeys").field("elements", &bridge::galois_elements(&self.inner)).finish_non_exhaustive()
    }
}

/// Makes keys: `seal::KeyGenerator`. It may move between threads, but only one at a time may use it.
pub struct KeyGenerator {
    inner: UniquePtr<bridge::KeyGenerator>,
}

impl KeyGenerator {
    /// Draws a secret key.
    ///
    /// # Errors
    /// None that is expected.
    pub fn new(context: &Context) -> Result<Self, SealError> {
        Ok(Self { inner: bridge::make_key_generator(context.ffi()).during("generate a secret key")? })
    }

    /// Takes a secret key.
    ///
    /// # Errors
    /// A key of other parameters.
    pub fn with_secret_key(context: &Context, secret: &SecretKey) -> Result<Self, SealError> {
        let inner = bridge::make_key_generator_of(context.ffi(), &secret.inner).during("take a secret key")?;
        Ok(Self { inner })
    }

    /// The secret key.
    ///
    /// # Errors
    /// When the memory cannot be had.
    pub fn secret_key(&self) -> Result<SecretKey, SealError> {
        Ok(SecretKey { inner: bridge::secret_key(&self.inner).during("copy a secret key")? })
    }

    /// A public key.
    ///
    /// # Errors
    /// None that is expected.
    pub fn public_key(&mut self) -> Result<PublicKey, SealError> {
        Ok(PublicKey { inner: bridge::public_key(self.inner.pin_mut()).during("generate a public key")? })
    }

    /// The key from s^2 to s.
    ///
    /// # Errors
    /// A context without a special prime.
    pub fn relin_keys(&mut self) -> Result<RelinKeys, SealError> {
        Ok(RelinKeys { inner: bridge::relin_keys(self.inner.pin_mut()).during("generate relinearization keys")? })
    }

    /// The keys of some automorphisms.
    ///
    /// # Errors
    /// A context without a special prime, an element of another ring.
    pub fn galois_keys(&mut self, elements: &[GaloisElement]) -> Result<GaloisKeys, SealError> {
        let inner = bridge::galois_keys(self.inner.pin_mut(), &numbers(elements)).during("generate Galois keys")?;
        Ok(GaloisKeys { inner })
    }

    /// SEAL's own choice: rotations by all powers of two both ways, and conjugation.
    ///
    /// # Errors
    /// A context without a special prime.
    pub fn default_galois_keys(&mut self) -> Result<GaloisKeys, SealError> {
        Ok(GaloisKeys { inner: bridge::default_galois_keys(self.inner.pin_mut()).during("generate Galois keys")? })
    }

    /// A public key with a seed in the place of its uniform polynomial, which SEAL can only save.
    ///
    /// # Errors
    /// As [`KeyGenerator::public_key`].
    pub fn save_seeded_public_key(&mut self, compression: Compression) -> Result<Vec<u8>, SealError> {
        let bytes = bridge::save_seeded_public_key(self.inner.pin_mut(), compression.mode());
        Ok(bytes.during("save a seeded public key")?.as_slice().to_vec())
    }

    /// As [`KeyGenerator::relin_keys`], with seeds; SEAL can only save them.
    ///
    /// # Errors
    /// As [`KeyGenerator::relin_keys`].
    pub fn save_seeded_relin_keys(&mut self, compression: Compression) -> Result<Vec<u8>, SealError> {
        let bytes = bridge::save_seeded_relin_keys(self.inner.pin_mut(), compression.mode());
        Ok(bytes.during("save seeded relinearization keys")?.as_slice().to_vec())
    }

    /// As [`KeyGenerator::galois_keys`], with seeds; SEAL can only save them.
    ///
    /// # Errors
    /// As [`KeyGenerator::galois_keys`].
    pub fn save_seeded_galois_keys(
        &mut self,
        elements: &[GaloisElement],
        compression: Compression,
    ) -> Result<Vec<u8>, SealError> {
        let bytes = bridge::save_seeded_galois_keys(self.inner.pin_mut(), &numbers(elements), compression.mode());
        Ok(bytes.during("save seeded Galois keys")?.as_slice().to_vec())
    }
}

impl fmt::Debug for KeyGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyGenerator").finish_non_exhaustive()
    }
}

fn numbers(elements: &[GaloisElement]) -> Vec<u32> {
    elements.iter().map(|element| element.get()).collect()
}
