//! The keys a server may hold: public, relinearization and Galois keys.

use std::collections::BTreeMap;

use he_params::GaloisElement;
use he_ring::sampling::{Seed, Stream};
use he_ring::{Eval, RingError, RnsTensor};

use crate::{KeySwitchKey, RlweContext, RlweError, purpose};

/// The key from s^2 to s.
#[derive(Clone, Debug, PartialEq)]
pub struct RelinearizationKey(KeySwitchKey);

impl RelinearizationKey {
    /// Takes a key whose source is s^2.
    pub fn new(key: KeySwitchKey) -> Self {
        Self(key)
    }

    /// The key inside.
    pub fn key(&self) -> &KeySwitchKey {
        &self.0
    }
}

/// For each Galois element g, the key from `s(X^g)` to s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaloisKeys {
    keys: BTreeMap<GaloisElement, KeySwitchKey>,
}

impl GaloisKeys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key of an element, or replaces it.
    pub fn insert(&mut self, element: GaloisElement, key: KeySwitchKey) {
        self.keys.insert(element, key);
    }

    /// The key of an element.
    ///
    /// # Errors
    /// [`RlweError::MissingGaloisKey`].
    pub fn get(&self, element: GaloisElement) -> Result<&KeySwitchKey, RlweError> {
        self.keys.get(&element).ok_or_else(|| RlweError::MissingGaloisKey {
            element: element.get(),
            present: self.keys.keys().map(|element| element.get()).collect(),
        })
    }

    /// All keys, by ascending element.
    pub fn iter(&self) -> impl Iterator<Item = (GaloisElement, &KeySwitchKey)> {
        self.keys.iter().map(|(element, key)| (*element, key))
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// Everything a server needs to evaluate: keys that only ever travel together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvaluationKeys {
    /// The key from s^2 to s; absent when nothing is multiplied.
    pub relinearization: Option<RelinearizationKey>,
    /// The keys of automorphisms; empty when nothing is rotated.
    pub galois: GaloisKeys,
}

/// An encryption of zero over all primes: rows `b = -a s + e` and a.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey {
    /// What a was drawn from; `None` when somebody else drew it.
    seed: Option<Seed>,
    rows: RnsTensor<Eval>,
}

impl PublicKey {
    /// Puts a key together: `b` has one row over all primes; a is drawn as object 0 of the seed.
    ///
    /// # Errors
    /// [`RlweError::KeyShape`], [`RlweError::Ring`].
    pub fn from_parts(context: &RlweContext, seed: Seed, b: &RnsTensor<Eval>) -> Result<Self, RlweError> {
        if b.rows() != 1 {
            return Err(RlweError::KeyShape { expected: 1, found: b.rows() });
        }
        let ring = context.ring();
        let mut rows = ring.zero(2, &context.all_limbs())?;
        ring.fill_uniform(&Stream::new(&seed, purpose::PUBLIC_KEY_UNIFORM), 0, rows.view_mut().range(1, 1)?)?;
        ring.add_assign(rows.view_mut().range(0, 1)?, b)?;
        Ok(Self { seed: Some(seed), rows })
    }

    /// Takes rows b and a over all primes, a drawn by whatever made the key: another library, say.
    ///
    /// # Errors
    /// [`RlweError::KeyShape`]; [`RlweError::Ring`] for rows of other parameters.
    pub fn from_rows(context: &RlweContext, rows: RnsTensor<Eval>) -> Result<Self, RlweError> {
        check_key_rows(context, &rows, 2)?;
        Ok(Self { seed: None, rows })
    }

    /// The public seed of a; `None` for a key that was taken whole.
    pub fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// Rows b and a over all primes.
    pub fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }
}

/// Refuses rows that are not `expected` over all primes of the context.
pub(crate) fn check_key_rows(context: &RlweContext, rows: &RnsTensor<Eval>, expected: usize) -> Result<(), RlweError> {
    let ring = context.ring();
    if rows.log_n() != ring.log_n() || rows.primes() != ring.primes() {
        let (expected, found) = (ring.log_n(), rows.log_n());
        return Err(RingError::ForeignTensor { expected, found, primes: rows.primes() }.into());
    }
    let found = rows.rows();
    if found == expected { Ok(()) } else { Err(RlweError::KeyShape { expected, found }) }
}
