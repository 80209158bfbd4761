//! Symmetric encryption: half of every ciphertext is a seed.
//!
//! Formula: `(m + e - a s, a)`, a uniform (drawn directly as evaluations), e an error, m the encoded message. Message and
//! error are added as integers, so one transform per prime serves both.
//! Randomness: value i of an encryptor draws a as object i of a public seed and e as object i of a secret seed; both seeds
//! are derived from the encryptor's master seed, which is not recoverable from the public one.

use std::sync::Arc;

use he_ckks::{CkksContext, Complex64, Encoder, IntegerPolys, SeededCiphertextTensor};
use he_params::{Level, Scale};
use he_ring::RnsTensor;
use he_ring::sampling::{Seed, SmallPolys, Stream};
use he_rlwe::purpose as public_purpose;
use zeroize::Zeroize;

use crate::{SecretError, SecretKey, purpose};

/// Bytes of intermediate residues that one pass over a tensor may hold.
const PASS_BYTES: usize = 16 << 20;

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
        let encoder = self.encoder.clone();
        self.encrypt_passes(rows, level, scale, |rows| encoder.integers(rows, level, scale))
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
        let encoder = self.encoder.clone();
        self.encrypt_passes(rows, level, scale, |rows| encoder.complex_integers(rows, level, scale))
    }

    fn encrypt_passes<R>(
        &mut self,
        messages: &[R],
        level: Level,
        scale: Scale,
        encode: impl Fn(&[R]) -> Result<IntegerPolys, he_ckks::CkksError>,
    ) -> Result<SeededCiphertextTensor, SecretError> {
        let ring = self.context.ring();
        let limbs = self.context.rlwe().limbs_at(level)?;
        let (n, first) = (ring.n(), self.next);
        let mut rows = ring.zero(messages.len(), limbs)?;
        let pass = (PASS_BYTES / (n * limbs.len() * size_of::<u64>())).max(1);
        for (i, messages) in messages.chunks(pass).enumerate() {
            let (start, object) = (i * pass, first.wrapping_add((i * pass) as u64));
            let mut integers = encode(messages)?;
            let distribution = self.context.params().error();
            let errors = SmallPolys::errors(ring.isa(), &self.errors, object, messages.len(), n, distribution);
            integers.add_errors_assign(&errors)?;
            let mut sum = ring.forward(integers.to_tensor(ring, limbs)?)?;
            let mut product: RnsTensor<_> = ring.zero(messages.len(), limbs)?;
            ring.fill_uniform(&self.uniform, object, &mut product)?;
            ring.mul_assign(&mut product, self.key.rows())?;
            ring.sub_assign(&mut sum, &product)?;
            product.zeroize();
            ring.add_assign(rows.view_mut().range(start, messages.len())?, &sum)?;
        }
        // Only now: a refused message must not leave a gap, and what was drawn for it was never shown.
        self.next = first.wrapping_add(messages.len() as u64);
        Ok(SeededCiphertextTensor::from_parts(&self.context, rows, self.public.clone(), first, scale)?)
    }
}
