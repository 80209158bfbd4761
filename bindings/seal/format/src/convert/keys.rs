//! Secret, public, relinearization and Galois keys.

use he_params::GaloisElement;
use he_ring::{Eval, RingError, RnsTensor};
use he_rlwe::{GaloisKeys, KeySwitchKey, PublicKey, RelinearizationKey, RlweError};
use he_secret::{SecretError, SecretKey};

use super::{ConvertError, Converter, rows};
use crate::RelinKeys;

impl Converter {
    /// A secret key; residues that are not those of one ternary polynomial are refused, which SEAL does not look for.
    ///
    /// # Errors
    /// [`ConvertError::Secret`]; [`ConvertError::Ring`] for a key of another ring.
    pub fn secret_key_from_seal(&self, key: &crate::SecretKey) -> Result<SecretKey, ConvertError> {
        let rows = self.key_rows([key.expose_words()]).map_err(|error| match error {
            // It would show a residue.
            ConvertError::Ring(RingError::ResidueOutOfRange { .. }) => SecretError::NotTernary.into(),
            error => error,
        })?;
        Ok(SecretKey::from_rows(&self.context, rows)?)
    }

    /// A secret key.
    ///
    /// # Errors
    /// [`ConvertError::Format`] for a key of other parameters.
    pub fn secret_key_to_seal(&self, key: &SecretKey) -> Result<crate::SecretKey, ConvertError> {
        Ok(crate::SecretKey::new(&self.seal, rows::to_words(key.expose_rows().view()))?)
    }

    /// A public key, whole or seeded.
    ///
    /// # Errors
    /// [`ConvertError::Ring`] for a key of another ring.
    pub fn public_key_from_seal(&self, key: &crate::PublicKey) -> Result<PublicKey, ConvertError> {
        let rows = self.key_rows([0, 1].map(|i| key.as_ciphertext().polynomial(i)))?;
        Ok(PublicKey::from_rows(self.context.rlwe(), rows)?)
    }

    /// A public key.
    ///
    /// # Errors
    /// [`ConvertError::Format`] for a key of other parameters.
    pub fn public_key_to_seal(&self, key: &PublicKey) -> Result<crate::PublicKey, ConvertError> {
        Ok(crate::PublicKey::new(&self.seal, rows::to_words(key.rows().view()))?)
    }

    /// The key from s^2 to s, the only one that SEAL makes.
    ///
    /// # Errors
    /// [`ConvertError::RelinearizationKeys`]; [`ConvertError::Rlwe`] without a special prime; [`ConvertError::Ring`] for a key of another ring.
    pub fn relinearization_key_from_seal(&self, keys: &RelinKeys) -> Result<RelinearizationKey, ConvertError> {
        match keys.keys() {
            [key] if !key.is_empty() => Ok(RelinearizationKey::new(self.switch_key_from_seal(key)?)),
            other => {
                Err(ConvertError::RelinearizationKeys { found: other.iter().filter(|key| !key.is_empty()).count() })
            }
        }
    }

    /// The key from s^2 to s.
    ///
    /// # Errors
    /// [`ConvertError::Format`], [`ConvertError::Ring`] for a key of other parameters.
    pub fn relinearization_key_to_seal(&self, key: &RelinearizationKey) -> Result<RelinKeys, ConvertError> {
        Ok(RelinKeys::new(&self.seal, vec![self.switch_key_to_seal(key.key())?])?)
    }

    /// The keys of all automorphisms that there are keys for.
    ///
    /// # Errors
    /// [`ConvertError::Rlwe`] without a special prime; [`ConvertError::Ring`] for keys of another ring.
    pub fn galois_keys_from_seal(&self, keys: &crate::GaloisKeys) -> Result<GaloisKeys, ConvertError> {
        let mut out = GaloisKeys::new();
        for g in keys.elements() {
            let element = GaloisElement::new(g, self.context.params().log_n())?;
            out.insert(element, self.switch_key_from_seal(keys.key(g).unwrap_or_default())?);
        }
        Ok(out)
    }

    /// The keys in SEAL's places: that of element g is number `(g - 1) / 2` of N.
    ///
    /// # Errors
    /// [`ConvertError::Format`], [`ConvertError::Ring`] for keys of other parameters.
    pub fn galois_keys_to_seal(&self, keys: &GaloisKeys) -> Result<crate::GaloisKeys, ConvertError> {
        let mut places = vec![Vec::new(); self.context.params().n()];
        for (element, key) in keys.iter() {
            if let Some(place) = places.get_mut((element.get() / 2) as usize) {
                *place = self.switch_key_to_seal(key)?;
            }
        }
        Ok(crate::GaloisKeys::new(&self.seal, places)?)
    }

    /// Components to rows `b_0, a_0, b_1, a_1, ..`.
    fn switch_key_from_seal(&self, components: &[crate::PublicKey]) -> Result<KeySwitchKey, ConvertError> {
        if !self.seal.uses_key_switching() {
            return Err(RlweError::NoSpecialPrimes.into());
        }
        let polynomials: Vec<&[u64]> =
            components.iter().flat_map(|component| [0, 1].map(|i| component.as_ciphertext().polynomial(i))).collect();
        Ok(KeySwitchKey::from_rows(self.context.rlwe(), self.key_rows(polynomials)?)?)
    }

    /// A component for each pair of rows.
    fn switch_key_to_seal(&self, key: &KeySwitchKey) -> Result<Vec<crate::PublicKey>, ConvertError> {
        let rows = key.rows().view();
        let component = |digit: usize| {
            let words = rows::to_words(rows.range(2 * digit, 2)?);
            Ok(crate::PublicKey::new(&self.seal, words)?)
        };
        (0..rows.rows() / 2).map(component).collect()
    }

    /// Rows over all primes.
    fn key_rows<'w>(
        &self,
        polynomials: impl IntoIterator<Item = &'w [u64], IntoIter: ExactSizeIterator>,
    ) -> Result<RnsTensor<Eval>, ConvertError> {
        Ok(rows::from_words(self.context.ring(), &self.context.rlwe().all_limbs(), polynomials)?)
    }
}
