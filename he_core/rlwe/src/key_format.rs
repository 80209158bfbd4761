//! Wire forms of the keys a server may hold; see [`crate::wire`] for envelope and fields.
//!
//! | object | body |
//! |---|---|
//! | key switching key | seed of the uniform rows, tensor of the rows `b_j`: one per digit, over all primes, evaluations |
//! | public key | seed of the uniform row, tensor of one row b over all primes, evaluations |
//! | relinearization key | key switching key |
//! | Galois keys | count; for each, by ascending element: Galois element, key switching key |
//! | evaluation keys | u8 0 or 1; when 1 a key switching key (from s^2); Galois keys as above |
//!
//! A key switching key has no envelope of its own.

use he_ring::RnsTensor;

use crate::wire::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer, tensor_len};
use crate::{EvaluationKeys, GaloisKeys, KeySwitchKey, PublicKey, RelinearizationKey, RlweContext, RlweError};

const SEED_LEN: u64 = 32;

/// What the constructors of keys may refuse in bytes that were read.
fn invalid(field: &'static str) -> impl Fn(RlweError) -> WireError {
    move |error| match error {
        RlweError::Ring(error) => WireError::Ring(error),
        error => WireError::Invalid { field, reason: error.to_string() },
    }
}

impl KeySwitchKey {
    /// Bytes of its wire form, the same for every key of a context.
    ///
    /// # Errors
    /// None for a context.
    pub fn wire_len(context: &RlweContext) -> Result<u64, WireError> {
        Ok(SEED_LEN + tensor_len(context.ring(), context.digit_count(), &context.all_limbs())?)
    }

    fn write(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        body.seed(self.seed());
        body.tensor(context.ring(), self.b().map_err(invalid("key"))?)
    }

    fn read(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let seed = body.seed("seed")?;
        let b: RnsTensor<_> = body.tensor(context.ring(), context.digit_count(), &context.all_limbs())?;
        KeySwitchKey::from_parts(context, seed, &b).map_err(invalid("key"))
    }
}

impl WireObject for PublicKey {
    const KIND: Kind = Kind::PublicKey;
    type Context = RlweContext;

    fn params_digest(context: &RlweContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        body.seed(self.seed());
        body.tensor(context.ring(), self.rows().view().range(0, 1)?)
    }

    fn read_body(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let seed = body.seed("seed")?;
        let b: RnsTensor<_> = body.tensor(context.ring(), 1, &context.all_limbs())?;
        PublicKey::from_parts(context, seed, &b).map_err(invalid("public key"))
    }
}

impl WireObject for RelinearizationKey {
    const KIND: Kind = Kind::RelinearizationKey;
    type Context = RlweContext;

    fn params_digest(context: &RlweContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        self.key().write(context, body)
    }

    fn read_body(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        KeySwitchKey::read(context, body).map(RelinearizationKey::new)
    }
}

impl WireObject for GaloisKeys {
    const KIND: Kind = Kind::GaloisKeys;
    type Context = RlweContext;

    fn params_digest(context: &RlweContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        body.count("galois keys", self.len())?;
        for (element, key) in self.iter() {
            body.galois_element(element);
            key.write(context, body)?;
        }
        Ok(())
    }

    fn read_body(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let count = body.count("galois keys", 0..=context.ring().n())?;
        let each = KeySwitchKey::wire_len(context)?.saturating_add(4);
        body.expect("galois keys", each.saturating_mul(count as u64))?;
        let mut keys = GaloisKeys::new();
        let mut last = 0;
        for _ in 0..count {
            let element = body.galois_element("galois element", context.params().log_n())?;
            if element.get() <= last {
                return Err(WireError::Invalid { field: "galois element", reason: "not above the one before".into() });
            }
            last = element.get();
            keys.insert(element, KeySwitchKey::read(context, body)?);
        }
        Ok(keys)
    }
}

impl WireObject for EvaluationKeys {
    const KIND: Kind = Kind::EvaluationKeys;
    type Context = RlweContext;

    fn params_digest(context: &RlweContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        body.u8(u8::from(self.relinearization.is_some()));
        if let Some(key) = &self.relinearization {
            key.write_body(context, body)?;
        }
        self.galois.write_body(context, body)
    }

    fn read_body(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let relinearization = match body.u8("relinearization key present")? {
            0 => None,
            1 => Some(RelinearizationKey::read_body(context, body)?),
            _ => {
                return Err(WireError::Invalid {
                    field: "relinearization key present",
                    reason: "neither 0 nor 1".into(),
                });
            }
        };
        Ok(Self { relinearization, galois: GaloisKeys::read_body(context, body)? })
    }
}

impl EvaluationKeys {
    /// The longest body: a relinearization key and `galois_keys` others.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &RlweContext, galois_keys: usize) -> Result<u64, WireError> {
        let each = KeySwitchKey::wire_len(context)?.saturating_add(4);
        Ok(each.saturating_mul(galois_keys as u64 + 1).saturating_add(5))
    }
}
