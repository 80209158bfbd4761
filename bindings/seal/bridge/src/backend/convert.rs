//! Henge's ciphertexts and keys for SEAL, and back: the same residues in another layout.
//!
//! Layout: both sides keep evaluations at the same points in the same order. Henge has one row per polynomial within each prime;
//! SEAL one block `[component][prime][N]` per ciphertext and `[component][prime][N]` per digit of a key.

use execute::ckks::CkksTensor;
use he_ckks::{CiphertextTensor, CkksContext};
use he_rlwe::{EvaluationKeys, KeySwitchKey};
use rayon::prelude::*;

use super::{SealBackend, SealBackendError, SealTensor};
use crate::{Ciphertext, Context, RelinKeys, Security};

/// What of a key's rows SEAL wants as one digit: b, then a, each over all primes.
fn key_words(key: &KeySwitchKey) -> Result<Vec<u64>, SealBackendError> {
    let (b, a) = (key.b()?, key.a()?);
    let primes = b.limb_indices().len();
    let mut words = Vec::new();
    for digit in 0..b.rows() {
        for component in [&b, &a] {
            (0..primes).for_each(|prime| words.extend(component.row(prime, digit).iter()));
        }
    }
    Ok(words)
}

impl SealBackend {
    /// SEAL over the parameters of a Henge context, with its relinearization key. How secure the parameters are was judged when they
    /// were checked; SEAL is not asked again.
    ///
    /// # Errors
    /// [`SealBackendError::SpecialPrimes`] unless there is exactly one special prime and one prime to a digit; parameters that SEAL
    /// refuses, such as primes above 2^60.
    pub fn for_ckks(ckks: &CkksContext, keys: &EvaluationKeys) -> Result<Self, SealBackendError> {
        let params = ckks.params();
        let (found, primes_per_digit) = (params.p().len(), params.primes_per_digit());
        if (found, primes_per_digit) != (1, 1) {
            return Err(SealBackendError::SpecialPrimes { found, primes_per_digit });
        }
        let primes = [params.q(), params.p()].concat();
        let context = Context::new(params.log_n(), &primes, Security::None)?;
        let key = keys.relinearization.as_ref();
        let key = key.map(|key| Ok::<_, SealBackendError>(RelinKeys::from_words(&context, &key_words(key.key())?)?));
        Ok(Self::new(&context, key.transpose()?)?)
    }

    /// Henge's ciphertexts for SEAL; each is checked as SEAL would check one from a file.
    ///
    /// # Errors
    /// A tensor of other parameters.
    pub fn import(&self, ckks: &CkksContext, x: CkksTensor) -> Result<SealTensor, SealBackendError> {
        let x = x.into_ciphertexts(ckks)?;
        let (components, level, scale) = (x.component_count(), x.level(), x.scale());
        let one = |value: usize| {
            let mut words = Vec::with_capacity(components * level.prime_count() * ckks.ring().n());
            for row in value * components..(value + 1) * components {
                (0..level.prime_count()).for_each(|prime| words.extend(x.rows().row(prime, row).iter()));
            }
            Ok(Ciphertext::from_words(self.context(), &words, components, level, scale)?)
        };
        let made: Result<Vec<Ciphertext>, SealBackendError> = (0..x.values()).into_par_iter().map(one).collect();
        SealTensor::new(made?)
    }

    /// SEAL's ciphertexts for Henge.
    ///
    /// # Errors
    /// A tensor of other parameters, or of other than 2 or 3 components.
    pub fn export(&self, ckks: &CkksContext, x: &SealTensor) -> Result<CiphertextTensor, SealBackendError> {
        let (components, n) = (x.component_count(), ckks.ring().n());
        let limbs = ckks.rlwe().limbs_at(x.level())?;
        let mut rows = ckks.ring().zero(components * x.ciphertexts().len(), limbs)?;
        for (value, x) in x.ciphertexts().iter().enumerate() {
            for (row, words) in x.words().chunks(n * limbs.len()).enumerate() {
                for (limb, words) in words.chunks(n).enumerate() {
                    rows.set_row_from_u64(limb, value * components + row, words.iter().copied())?;
                }
            }
        }
        Ok(CiphertextTensor::from_rows(ckks, rows, components, x.scale())?)
    }
}
