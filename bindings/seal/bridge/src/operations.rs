//! What computes: encoder, encryptor, decryptor, evaluator. All of them may be shared by threads.
//!
//! The verbs are Henge's. `_assign` writes into its first operand; when it fails, that operand is still a ciphertext, but what it
//! holds is not said. SEAL refuses a result that anybody could read (a *transparent* one, whose second polynomial is zero), such
//! as `x - x`.

use cxx::UniquePtr;
use he_params::{GaloisElement, Level, Rotation, Scale};
use num_complex::Complex64;

use crate::bridge;
use crate::error::During;
use crate::{Ciphertext, Compression, Context, GaloisKeys, Plaintext, PublicKey, RelinKeys, SealError, SecretKey};

/// Numbers to plaintexts and back: `seal::CKKSEncoder`.
pub struct Encoder {
    inner: UniquePtr<bridge::CKKSEncoder>,
    context: Context,
}

impl Encoder {
    /// An encoder for a context.
    ///
    /// # Errors
    /// None that is expected.
    pub fn new(context: &Context) -> Result<Self, SealError> {
        let inner = bridge::make_encoder(context.ffi()).during("make an encoder")?;
        Ok(Self { inner, context: context.clone() })
    }

    /// Real numbers, zeros after the last.
    ///
    /// # Errors
    /// More numbers than slots, numbers that are not finite or too large, a scale or level out of bounds.
    pub fn encode(&self, values: &[f64], level: Level, scale: Scale) -> Result<Plaintext, SealError> {
        let primes = self.context.check(level)?;
        let inner =
            bridge::encode_real(&self.inner, self.context.ffi(), values, scale.get(), primes).during("encode")?;
        Ok(Plaintext { inner })
    }

    /// Complex numbers, zeros after the last.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_complex(&self, values: &[Complex64], level: Level, scale: Scale) -> Result<Plaintext, SealError> {
        let primes = self.context.check(level)?;
        let parts: Vec<f64> = values.iter().flat_map(|value| [value.re, value.im]).collect();
        let inner = bridge::encode_complex(&self.inner, self.context.ffi(), &parts, scale.get(), primes)
            .during("encode complex numbers")?;
        Ok(Plaintext { inner })
    }

    /// One number for every slot, which needs no transform.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_scalar(&self, value: f64, level: Level, scale: Scale) -> Result<Plaintext, SealError> {
        let primes = self.context.check(level)?;
        let inner = bridge::encode_scalar(&self.inner, self.context.ffi(), value, scale.get(), primes)
            .during("encode a scalar")?;
        Ok(Plaintext { inner })
    }

    /// The real part of every slot.
    ///
    /// # Errors
    /// A plaintext of another context.
    pub fn decode(&self, plain: &Plaintext) -> Result<Vec<f64>, SealError> {
        let mut values = vec![0.0; self.context.slots()];
        bridge::decode_real(&self.inner, &plain.inner, &mut values).during("decode")?;
        Ok(values)
    }

    /// Every slot.
    ///
    /// # Errors
    /// A plaintext of another context.
    pub fn decode_complex(&self, plain: &Plaintext) -> Result<Vec<Complex64>, SealError> {
        let mut parts = vec![0.0; 2 * self.context.slots()];
        bridge::decode_complex(&self.inner, &plain.inner, &mut parts).during("decode complex numbers")?;
        Ok(parts.chunks_exact(2).map(|part| Complex64::new(part[0], part[1])).collect())
    }
}

/// Plaintexts to ciphertexts, with a public key: `seal::Encryptor`.
pub struct PublicEncryptor {
    inner: UniquePtr<bridge::Encryptor>,
}

impl PublicEncryptor {
    /// An encryptor with a key.
    ///
    /// # Errors
    /// A key of other parameters.
    pub fn new(context: &Context, key: &PublicKey) -> Result<Self, SealError> {
        let inner = bridge::make_public_encryptor(context.ffi(), &key.inner).during("make an encryptor")?;
        Ok(Self { inner })
    }

    /// A fresh ciphertext at the plaintext's level.
    ///
    /// # Errors
    /// A plaintext of another context.
    pub fn encrypt(&self, plain: &Plaintext) -> Result<Ciphertext, SealError> {
        Ok(Ciphertext { inner: bridge::encrypt(&self.inner, &plain.inner).during("encrypt")? })
    }
}

/// Plaintexts to ciphertexts, with the secret key: `seal::Encryptor`.
pub struct SymmetricEncryptor {
    inner: UniquePtr<bridge::Encryptor>,
}

impl SymmetricEncryptor {
    /// An encryptor with a key.
    ///
    /// # Errors
    /// A key of other parameters.
    pub fn new(context: &Context, key: &SecretKey) -> Result<Self, SealError> {
        let inner = bridge::make_symmetric_encryptor(context.ffi(), &key.inner).during("make an encryptor")?;
        Ok(Self { inner })
    }

    /// A fresh ciphertext at the plaintext's level.
    ///
    /// # Errors
    /// A plaintext of another context.
    pub fn encrypt(&self, plain: &Plaintext) -> Result<Ciphertext, SealError> {
        Ok(Ciphertext { inner: bridge::encrypt_symmetric(&self.inner, &plain.inner).during("encrypt")? })
    }

    /// A fresh ciphertext with a seed in the place of its second polynomial, half as long, which SEAL can only save.
    ///
    /// # Errors
    /// As [`SymmetricEncryptor::encrypt`].
    pub fn save_seeded(&self, plain: &Plaintext, compression: Compression) -> Result<Vec<u8>, SealError> {
        let bytes = bridge::save_seeded_ciphertext(&self.inner, &plain.inner, compression.mode());
        Ok(bytes.during("save a seeded ciphertext")?.as_slice().to_vec())
    }
}

/// Ciphertexts to plaintexts: `seal::Decryptor`.
pub struct Decryptor {
    inner: UniquePtr<bridge::Decryptor>,
}

impl Decryptor {
    /// A decryptor with a key.
    ///
    /// # Errors
    /// A key of other parameters.
    pub fn new(context: &Context, key: &SecretKey) -> Result<Self, SealError> {
        Ok(Self { inner: bridge::make_decryptor(context.ffi(), &key.inner).during("make a decryptor")? })
    }

    /// The message, with its noise.
    ///
    /// # Errors
    /// A ciphertext of another context.
    pub fn decrypt(&self, x: &Ciphertext) -> Result<Plaintext, SealError> {
        Ok(Plaintext { inner: bridge::decrypt(&self.inner, &x.inner).during("decrypt")? })
    }
}

/// Computes on ciphertexts: `seal::Evaluator`.
pub struct Evaluator {
    inner: UniquePtr<bridge::Evaluator>,
    context: Context,
}

impl Evaluator {
    /// An evaluator for a context.
    ///
    /// # Errors
    /// None that is expected.
    pub fn new(context: &Context) -> Result<Self, SealError> {
        let inner = bridge::make_evaluator(context.ffi()).during("make an evaluator")?;
        Ok(Self { inner, context: context.clone() })
    }

    /// The context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The negative.
    ///
    /// # Errors
    /// A ciphertext of another context; so for all that follow.
    pub fn negate_assign(&self, x: &mut Ciphertext) -> Result<(), SealError> {
        bridge::negate(&self.inner, x.inner.pin_mut()).during("negate")
    }

    /// The sum; levels and scales are the same.
    ///
    /// # Errors
    /// Levels or scales that differ.
    pub fn add_assign(&self, x: &mut Ciphertext, y: &Ciphertext) -> Result<(), SealError> {
        bridge::add(&self.inner, x.inner.pin_mut(), &y.inner).during("add")
    }

    /// The difference; levels and scales are the same.
    ///
    /// # Errors
    /// As [`Evaluator::add_assign`].
    pub fn sub_assign(&self, x: &mut Ciphertext, y: &Ciphertext) -> Result<(), SealError> {
        bridge::sub(&self.inner, x.inner.pin_mut(), &y.inner).during("sub")
    }

    /// The sum with a plaintext at the same level and scale.
    ///
    /// # Errors
    /// Levels or scales that differ.
    pub fn add_plain_assign(&self, x: &mut Ciphertext, y: &Plaintext) -> Result<(), SealError> {
        bridge::add_plain(&self.inner, x.inner.pin_mut(), &y.inner).during("add_plain")
    }

    /// The difference from a plaintext at the same level and scale.
    ///
    /// # Errors
    /// Levels or scales that differ.
    pub fn sub_plain_assign(&self, x: &mut Ciphertext, y: &Plaintext) -> Result<(), SealError> {
        bridge::sub_plain(&self.inner, x.inner.pin_mut(), &y.inner).during("sub_plain")
    }

    /// The product with a plaintext at the same level; scales multiply.
    ///
    /// # Errors
    /// Levels that differ, or a scale that the primes cannot hold.
    pub fn mul_plain_assign(&self, x: &mut Ciphertext, y: &Plaintext) -> Result<(), SealError> {
        bridge::mul_plain(&self.inner, x.inner.pin_mut(), &y.inner).during("mul_plain")
    }

    /// The product, of as many components as both have less one; scales multiply.
    ///
    /// # Errors
    /// Levels that differ, or a scale that the primes cannot hold.
    pub fn mul(&self, x: &Ciphertext, y: &Ciphertext) -> Result<Ciphertext, SealError> {
        let inner = bridge::mul(&self.inner, self.context.ffi(), &x.inner, &y.inner).during("mul")?;
        Ok(Ciphertext { inner })
    }

    /// The square; the scale too.
    ///
    /// # Errors
    /// A scale that the primes cannot hold.
    pub fn square(&self, x: &Ciphertext) -> Result<Ciphertext, SealError> {
        let inner = bridge::square(&self.inner, self.context.ffi(), &x.inner).during("square")?;
        Ok(Ciphertext { inner })
    }

    /// Down to 2 components.
    ///
    /// # Errors
    /// Keys of other parameters, or too few.
    pub fn relinearize_assign(&self, x: &mut Ciphertext, keys: &RelinKeys) -> Result<(), SealError> {
        bridge::relinearize(&self.inner, x.inner.pin_mut(), &keys.inner).during("relinearize")
    }

    /// Divides by the last prime, and the scale with it.
    ///
    /// # Errors
    /// At level 0.
    pub fn rescale(&self, x: &Ciphertext) -> Result<Ciphertext, SealError> {
        Ok(Ciphertext { inner: bridge::rescale(&self.inner, &x.inner).during("rescale")? })
    }

    /// Drops primes down to a level; the scale stays. SEAL calls it a switch of the modulus.
    ///
    /// # Errors
    /// When the level is above the present one, or too low for the scale.
    pub fn drop_level(&self, x: &Ciphertext, to: Level) -> Result<Ciphertext, SealError> {
        let primes = self.context.check(to)?;
        let inner = bridge::drop_level(&self.inner, self.context.ffi(), &x.inner, primes).during("drop_level")?;
        Ok(Ciphertext { inner })
    }

    /// As [`Evaluator::drop_level`].
    ///
    /// # Errors
    /// As [`Evaluator::drop_level`].
    pub fn drop_plain_level_assign(&self, x: &mut Plaintext, to: Level) -> Result<(), SealError> {
        let primes = self.context.check(to)?;
        bridge::drop_plain_level(&self.inner, self.context.ffi(), x.inner.pin_mut(), primes).during("drop_level")
    }

    /// Slot j receives what was in slot j + k; |k| is below the number of slots. With the key of that rotation, or with those of
    /// powers of two one after the other.
    ///
    /// # Errors
    /// Keys that are not there, 3 components, a rotation by as many slots as there are or more.
    pub fn rotate_assign(&self, x: &mut Ciphertext, by: Rotation, keys: &GaloisKeys) -> Result<(), SealError> {
        let slots = self.context.slots();
        if by.0.unsigned_abs() as usize >= slots {
            return Err(SealError::new("rotate", format!("by {} of {slots} slots", by.0)));
        }
        bridge::rotate(&self.inner, x.inner.pin_mut(), by.0, &keys.inner).during("rotate")
    }

    /// The conjugate of every slot.
    ///
    /// # Errors
    /// A key that is not there, 3 components.
    pub fn conjugate_assign(&self, x: &mut Ciphertext, keys: &GaloisKeys) -> Result<(), SealError> {
        bridge::conjugate(&self.inner, x.inner.pin_mut(), &keys.inner).during("conjugate")
    }

    /// The automorphism X -> X^g, with its own key.
    ///
    /// # Errors
    /// A key that is not there, 3 components.
    pub fn apply_galois_assign(
        &self,
        x: &mut Ciphertext,
        element: GaloisElement,
        keys: &GaloisKeys,
    ) -> Result<(), SealError> {
        bridge::apply_galois(&self.inner, x.inner.pin_mut(), element.get(), &keys.inner).during("apply_galois")
    }
}

/// What each of these prints: its name.
macro_rules! prints_its_name {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

prints_its_name!(Encoder PublicEncryptor SymmetricEncryptor Decryptor Evaluator);
