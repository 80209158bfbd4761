//! Symmetric encryption: half of every ciphertext is a seed.
//!
//! Formula: `(m + e - a s, a)`, a uniform (drawn directly as evaluations), e an error, m the encoded message. Message and
//! error are added as integers, so one transform per prime serves both.
//! Randomness: value i of an encryptor draws a as object i of a public seed and e as object i of a secret seed; both seeds
//! are derived from the encryptor's master seed, which is not recoverable from the public one.

use std::sync::Arc;

use he_ckks::{CkksContext, CkksError, Complex64, Encoder, SeededCiphertextTensor};
use he_params::{Level, Packing, Scale};
use he_ring::sampling::{Seed, Stream};
use he_ring::{IntegerPoly, Mask};
use he_rlwe::purpose as public_purpose;

use crate::{SecretError, SecretKey, purpose};

/// Encrypts under a secret key.
#[derive(Debug)]
pub struct SymmetricEncryptor<'a> {
    context: Arc<CkksContext>,
    encoder: Encoder,
    key: &'a SecretKey,
    public: Seed,
    uniform: Stream,
    errors: Stream,
    /// Object number of the next value: no randomness is used twice.
    next: u64,
}

impl<'a> SymmetricEncryptor<'a> {
    /// An encryptor that draws from `seed`, which must be random, secret, and given to no other encryptor: two messages
    /// encrypted with the same randomness reveal their difference.
    pub fn new(context: &Arc<CkksContext>, key: &'a SecretKey, seed: &Seed) -> Self {
        let public = seed.derive(purpose::PUBLIC_SEED_OF_CIPHERTEXTS, 0);
        let secret = seed.derive(purpose::SECRET_SEED_OF_CIPHERTEXTS, 0);
        Self {
            context: Arc::clone(context),
            encoder: Encoder::new(context),
            key,
            uniform: Stream::new(&public, public_purpose::CIPHERTEXT_UNIFORM),
            errors: Stream::new(&secret, purpose::CIPHERTEXT_ERROR),
            public,
            next: 0,
        }
    }

    /// Encrypts up to N/2 real numbers.
    ///
    /// # Errors
    /// [`SecretError::Ckks`] for a message that cannot be encoded; [`SecretError::Ring`] for a key of other parameters.
    pub fn encrypt(
        &mut self,
        numbers: &[f64],
        level: Level,
        scale: Scale,
    ) -> Result<SeededCiphertextTensor, SecretError> {
        self.encrypt_tensor(&[numbers], level, scale)
    }

    /// Encrypts one message of up to N/2 real numbers per row.
    ///
    /// # Errors
    /// As [`SymmetricEncryptor::encrypt`].
    pub fn encrypt_tensor<R>(
        &mut self,
        rows: &[R],
        level: Level,
        scale: Scale,
    ) -> Result<SeededCiphertextTensor, SecretError>
    where
        R: AsRef<[f64]> + Sync,
    {
        self.encrypt_rows(rows.len(), level, scale, |encoder, i, poly| {
            encoder.integers(rows[i].as_ref(), level, scale, poly)
        })
    }

    /// Encrypts one message of up to N/2 complex numbers per row.
    ///
    /// # Errors
    /// As [`SymmetricEncryptor::encrypt`].
    pub fn encrypt_complex_tensor<R>(
        &mut self,
        rows: &[R],
        level: Level,
        scale: Scale,
    ) -> Result<SeededCiphertextTensor, SecretError>
    where
        R: AsRef<[Complex64]> + Sync,
    {
        self.encrypt_rows(rows.len(), level, scale, |encoder, i, poly| {
            encoder.complex_integers(rows[i].as_ref(), level, scale, poly)
        })
    }

    /// Encrypts one message per row, of one number per image: up to [`Packing::images`] of them.
    ///
    /// # Errors
    /// As [`SymmetricEncryptor::encrypt`].
    pub fn encrypt_packed_tensor<R>(
        &mut self,
        rows: &[R],
        packing: Packing,
        level: Level,
        scale: Scale,
    ) -> Result<SeededCiphertextTensor, SecretError>
    where
        R: AsRef<[f64]> + Sync,
    {
        self.encrypt_rows(rows.len(), level, scale, |encoder, i, poly| {
            encoder.packed_integers(rows[i].as_ref(), packing, level, scale, poly)
        })
    }

    fn encrypt_rows(
        &mut self,
        values: usize,
        level: Level,
        scale: Scale,
        integers: impl Fn(&Encoder, usize, &mut IntegerPoly) -> Result<(), CkksError> + Sync,
    ) -> Result<SeededCiphertextTensor, SecretError> {
        let (ring, first) = (self.context.ring(), self.next);
        let mut rows = ring.unwritten(values, self.context.rlwe().limbs_at(level)?)?;
        let mask = Mask { stream: &self.uniform, first_object: first, key: self.key.negated_rows() };
        ring.transform_integers(&mut rows, Some(mask), |row, poly| {
            integers(&self.encoder, row, poly)?;
            let mut sampler = self.errors.sampler(ring.isa(), first.wrapping_add(row as u64), 0);
            poly.add_error(&mut sampler, self.context.params().error());
            Ok::<(), SecretError>(())
        })?;
        // Only now: a refused message must not leave a gap, and what was drawn for it was never shown.
        self.next = first.wrapping_add(values as u64);
        Ok(SeededCiphertextTensor::from_parts(&self.context, rows, self.public.clone(), first, scale)?)
    }
}
