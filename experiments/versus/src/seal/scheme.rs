//! SEAL's operations, on operands and keys that are handed to it.

use std::pin::Pin;

use anyhow::Context;
use cxx::UniquePtr;

use super::bridge;

/// One set of parameters with keys. The work ciphertext and the plaintext live on the other side.
pub(crate) struct Scheme(UniquePtr<bridge::Scheme>);

impl Scheme {
    /// SEAL over these primes, the special one last; SEAL checks its own bound for 128 bits.
    pub(crate) fn new(log_n: u32, primes: &[u64]) -> anyhow::Result<Scheme> {
        Ok(Scheme(bridge::make_scheme(log_n, primes).context("SEAL refuses the parameters")?))
    }

    /// The object on the other side.
    pub(crate) fn inner(&mut self) -> Pin<&mut bridge::Scheme> {
        self.0.pin_mut()
    }

    /// One transform of the first prime, in place.
    pub(crate) fn transform(&self, forward: bool, words: &mut [u64]) -> anyhow::Result<()> {
        let scheme = self.0.as_ref().context("no scheme")?;
        Ok(if forward { scheme.ntt_forward(0, words) } else { scheme.ntt_inverse(0, words) }?)
    }
}
