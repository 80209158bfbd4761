//! Public, relinearization and Galois keys from a secret key.
//!
//! Formula: row j of a key from t to s is `b_j = -a_j s + e_j + P t 1_j` over all primes, where P is the product of the special
//! primes and `1_j` is 1 modulo the primes of digit j and 0 modulo all others; a public key is one such row without t.
//! Randomness: every key has its own public seed (of the `a_j`) and its own secret seed (of the `e_j`), both derived from
//! the generator's master seed by the number of the key: 0 public, 1 relinearization, `2 + g` Galois element g.

use std::sync::Arc;

use he_ckks::CkksContext;
use he_params::{GaloisElement, Rotation};
use he_ring::sampling::{Seed, Stream};
use he_ring::{Eval, Mask, RnsTensor};
use he_rlwe::{GaloisKeys, KeySwitchKey, PublicKey, RelinearizationKey, purpose as public_purpose};
use zeroize::Zeroize;

use crate::{SecretError, SecretKey, purpose};

const PUBLIC_KEY: u64 = 0;
const RELINEARIZATION_KEY: u64 = 1;
const FIRST_GALOIS_KEY: u64 = 2;

/// Makes the keys that go with a secret key.
#[derive(Debug)]
pub struct KeyGenerator<'a> {
    context: Arc<CkksContext>,
    secret: &'a SecretKey,
    seed: Seed,
}

impl<'a> KeyGenerator<'a> {
    /// A generator that draws from `seed`, which must be random and secret. The same seed gives the same keys, so it must
    /// not be used with another secret key.
    pub fn new(context: &Arc<CkksContext>, secret: &'a SecretKey, seed: Seed) -> Self {
        Self { context: Arc::clone(context), secret, seed }
    }

    /// The public key.
    ///
    /// # Errors
    /// [`SecretError::Ring`] for a secret key of other parameters.
    pub fn public_key(&self) -> Result<PublicKey, SecretError> {
        let public = self.seed.derive(purpose::PUBLIC_SEED_OF_KEY, PUBLIC_KEY);
        let uniform = Stream::new(&public, public_purpose::PUBLIC_KEY_UNIFORM);
        let b = self.encryptions_of_zero(1, PUBLIC_KEY, &uniform)?;
        Ok(PublicKey::from_parts(self.context.rlwe(), public, &b)?)
    }

    /// The key from s^2 to s.
    ///
    /// # Errors
    /// [`SecretError::NoSpecialPrimes`]; [`SecretError::Ring`] for a secret key of other parameters.
    pub fn relinearization_key(&self) -> Result<RelinearizationKey, SecretError> {
        let mut square = self.secret.expose_rows().clone();
        self.context.ring().mul_assign(&mut square, self.secret.expose_rows())?;
        let key = self.switch_key(&square, RELINEARIZATION_KEY);
        square.zeroize();
        Ok(RelinearizationKey::new(key?))
    }

    /// Keys for rotations, and for conjugation when asked.
    ///
    /// # Errors
    /// As [`KeyGenerator::relinearization_key`].
    pub fn galois_keys(&self, rotations: &[Rotation], conjugation: bool) -> Result<GaloisKeys, SecretError> {
        let (ring, shape) = (self.context.ring(), self.context.params().shape());
        let rotated = rotations.iter().map(|by| GaloisElement::rotation(*by, shape));
        let conjugated = conjugation.then(|| GaloisElement::conjugation(shape));
        let mut keys = GaloisKeys::new();
        for element in rotated.chain(conjugated).filter(|element| element.get() != 1) {
            if keys.get(element).is_ok() {
                continue;
            }
            let g = u64::from(element.get());
            let mut image = ring.automorphism(&ring.galois(g)?, self.secret.expose_rows())?;
            let key = self.switch_key(&image, FIRST_GALOIS_KEY + g);
            image.zeroize();
            keys.insert(element, key?);
        }
        Ok(keys)
    }

    /// The key from `target` (over all primes) to s.
    fn switch_key(&self, target: &RnsTensor<Eval>, number: u64) -> Result<KeySwitchKey, SecretError> {
        let (rlwe, ring, params) = (self.context.rlwe(), self.context.ring(), self.context.params());
        if params.p().is_empty() {
            return Err(SecretError::NoSpecialPrimes);
        }
        let (digits, per_digit) = (rlwe.digit_count(), params.primes_per_digit());
        let public = self.seed.derive(purpose::PUBLIC_SEED_OF_KEY, number);
        let mut b = self.encryptions_of_zero(digits, number, &Stream::new(&public, public_purpose::KEY_UNIFORM))?;
        // P modulo each ciphertext prime in the row of its digit, 0 elsewhere.
        let limbs: Vec<usize> = (0..params.q().len()).collect();
        let gadget: Vec<Vec<u64>> = (0..)
            .zip(params.q())
            .map(|(index, q)| {
                let product = params.p().iter().fold(1u128, |product, p| product * u128::from(*p) % u128::from(*q));
                (0..digits).map(|digit| if index / per_digit == digit { product as u64 } else { 0 }).collect()
            })
            .collect();
        let mut targets = target.view().with_limbs(&limbs)?.view().gather(&vec![0; digits])?;
        ring.mul_scalar_assign(&mut targets, &ring.scalars_from_residues(&limbs, &gadget)?)?;
        let special = b.view().with_limbs(&rlwe.special_limbs())?;
        let mut data = b.into_limbs(&limbs)?;
        ring.add_assign(&mut data, &targets)?;
        targets.zeroize();
        b = data.join_limbs(special)?;
        Ok(KeySwitchKey::from_parts(rlwe, public, &b)?)
    }

    /// `count` rows `-a_j s + e_j` over all primes.
    fn encryptions_of_zero(&self, count: usize, number: u64, uniform: &Stream) -> Result<RnsTensor<Eval>, SecretError> {
        let (ring, limbs) = (self.context.ring(), self.context.rlwe().all_limbs());
        let secret = self.seed.derive(purpose::SECRET_SEED_OF_KEY, number);
        let errors = Stream::new(&secret, purpose::KEY_ERROR);
        let distribution = self.context.params().error();
        let mut b = ring.unwritten(count, &limbs)?;
        let mask = Mask { stream: uniform, first_object: 0, key: self.secret.negated_rows() };
        ring.transform_integers(&mut b, Some(mask), |row, poly| {
            let mut sampler = errors.sampler(ring.isa(), row as u64, 0);
            poly.draw_error(ring.n(), &mut sampler, distribution);
            Ok::<(), SecretError>(())
        })?;
        Ok(b)
    }
}
