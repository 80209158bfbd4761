//! Decryption.
//!
//! Formula: `c_0 + c_1 s (+ c_2 s^2)`, over the primes that the ciphertext still has. What comes out still carries the noise of
//! the computation: publishing decrypted numbers to somebody who does not have the key can reveal the key, bit by bit.
//! Source of the warning: \[LM21\].

use std::sync::Arc;

use he_ckks::{CiphertextTensor, CkksContext, Plaintext};
use he_ring::RingError;

use crate::{SecretError, SecretKey};

/// Decrypts with a secret key.
#[derive(Debug)]
pub struct Decryptor<'a> {
    context: Arc<CkksContext>,
    key: &'a SecretKey,
}

impl<'a> Decryptor<'a> {
    /// A decryptor for one key.
    pub fn new(context: &Arc<CkksContext>, key: &'a SecretKey) -> Self {
        Self { context: Arc::clone(context), key }
    }

    /// The messages of a ciphertext tensor (2 or 3 components), encoded, noise included.
    ///
    /// # Errors
    /// [`SecretError::Ring`] for a ciphertext or key of other parameters.
    pub fn decrypt(&self, x: &CiphertextTensor) -> Result<Plaintext, SecretError> {
        let (ring, values, components) = (self.context.ring(), x.values(), x.component_count());
        let component = |k| x.rows().view().select(k, values, components);
        let below = components.checked_sub(2).ok_or(RingError::RowMismatch { left: 2, right: components })?;
        // Horner's rule in s, from the last component down.
        let mut sum = component(below)?.to_tensor();
        ring.mul_add_assign(&mut sum, component(below + 1)?, self.key.expose_rows())?;
        for k in (0..below).rev() {
            let mut next = component(k)?.to_tensor();
            ring.mul_add_assign(&mut next, &sum, self.key.expose_rows())?;
            sum = next;
        }
        Ok(Plaintext::from_rows(&self.context, sum, x.scale())?)
    }
}
