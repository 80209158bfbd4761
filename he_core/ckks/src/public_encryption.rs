//! Encryption under a public key: anybody can, nobody needs the secret.

use std::sync::Arc;

use he_ring::sampling::Seed;
use he_rlwe::PublicKey;

use crate::{CiphertextTensor, CkksContext, CkksError, Plaintext};

/// Encrypts plaintexts under a public key.
#[derive(Debug)]
pub struct PublicEncryptor {
    context: Arc<CkksContext>,
    key: PublicKey,
    seed: Seed,
    /// Object number of the next value: no randomness is used twice.
    next: u64,
}

impl PublicEncryptor {
    /// An encryptor that draws from `seed`, which must be secret, random, and given to no other encryptor.
    pub fn new(context: &Arc<CkksContext>, key: PublicKey, seed: Seed) -> Self {
        Self { context: Arc::clone(context), key, seed, next: 0 }
    }

    /// Encrypts every message of a plaintext.
    ///
    /// # Errors
    /// [`CkksError::Ring`] for a plaintext or key of other parameters.
    pub fn encrypt(&mut self, plain: &Plaintext) -> Result<CiphertextTensor, CkksError> {
        let values = plain.values();
        let first = self.next;
        self.next = self.next.wrapping_add(values as u64);
        let mut rows = self.context.rlwe().encrypt_zero(&self.key, plain.level(), values, &self.seed, first)?;
        self.context.ring().add_assign(rows.view_mut().select(0, values, 2)?, plain.rows())?;
        CiphertextTensor::from_rows(&self.context, rows, 2, plain.scale())
    }
}
