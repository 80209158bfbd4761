//! Wire forms of the keys a server may hold; see [`crate::wire`] for envelope and fields.
//!
//! | object | body |
//! |---|---|
//! | key switching key | seed of the uniform rows, tensor of the rows `b_j`: one per digit, over all primes, evaluations |
//! | public key | seed of the uniform row, tensor of one row b over all primes, evaluations |
//! | either, when its uniform rows have no seed of ours | 32 zero bytes, tensor of the rows `b_0, a_0, b_1, a_1, ..` |
//! | relinearization key | key switching key |
//! | Galois keys | count; for each, by ascending element: Galois element, key switching key |
//! | evaluation keys | u8 0 or 1; when 1 a key switching key (from s^2); Galois keys as above |
//!
//! A key switching key has no envelope of its own.

use he_ring::sampling::Seed;
use he_ring::{Eval, RnsTensor};

use crate::wire::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer, tensor_len};
use crate::{EvaluationKeys, GaloisKeys, KeySwitchKey, PublicKey, RelinearizationKey, RlweContext, RlweError};

const SEED_LEN: usize = 32;
/// Stands where a seed would: the uniform rows follow whole.
const NO_SEED: [u8; SEED_LEN] = [0; SEED_LEN];

/// What the constructors of keys may refuse in bytes that were read.
fn invalid(field: &'static str) -> impl Fn(RlweError) -> WireError {
    move |error| match error {
        RlweError::Ring(error) => WireError::Ring(error),
        error => WireError::Invalid { field, reason: error.to_string() },
    }
}

/// Writes a key of pairs of rows `b, a`: with its seed the rows b alone, without one all of them.
fn write_pairs(
    context: &RlweContext,
    seed: Option<&Seed>,
    rows: &RnsTensor<Eval>,
    body: &mut Writer,
) -> Result<(), WireError> {
    let Some(seed) = seed else {
        body.bytes(&NO_SEED);
        return body.tensor(context.ring(), rows);
    };
    if *seed.expose_bytes() == NO_SEED {
        return Err(WireError::Invalid { field: "seed", reason: "zero stands for no seed".into() });
    }
    body.seed(seed);
    body.tensor(context.ring(), rows.view().select(0, rows.rows() / 2, 2)?)
}

/// What [`write_pairs`] wrote: a seed and rows b, or all rows.
fn read_pairs(
    context: &RlweContext,
    pairs: usize,
    body: &mut Reader<'_>,
) -> Result<(Option<Seed>, RnsTensor<Eval>), WireError> {
    let bytes: [u8; SEED_LEN] = body.array("seed")?;
    let (seed, rows) = if bytes == NO_SEED { (None, 2 * pairs) } else { (Some(Seed::new(bytes)), pairs) };
    Ok((seed, body.tensor(context.ring(), rows, &context.all_limbs())?))
}

impl KeySwitchKey {
    /// Bytes of the longest wire form: without a seed.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_wire_len(context: &RlweContext) -> Result<u64, WireError> {
        Self::wire_len(context, 2)
    }

    /// Bytes of the wire form with so many rows to a digit.
    fn wire_len(context: &RlweContext, rows: usize) -> Result<u64, WireError> {
        Ok(SEED_LEN as u64 + tensor_len(context.ring(), rows * context.digit_count(), &context.all_limbs())?)
    }

    fn write(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        write_pairs(context, self.seed(), self.rows(), body)
    }

    fn read(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let (seed, rows) = read_pairs(context, context.digit_count(), body)?;
        match seed {
            Some(seed) => KeySwitchKey::from_parts(context, seed, &rows),
            None => KeySwitchKey::from_rows(context, rows),
        }
        .map_err(invalid("key"))
    }
}

impl PublicKey {
    /// The longest body: without a seed.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &RlweContext) -> Result<u64, WireError> {
        Ok(SEED_LEN as u64 + tensor_len(context.ring(), 2, &context.all_limbs())?)
    }
}

impl WireObject for PublicKey {
    const KIND: Kind = Kind::PublicKey;
    type Context = RlweContext;

    fn params_digest(context: &RlweContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &RlweContext, body: &mut Writer) -> Result<(), WireError> {
        write_pairs(context, self.seed(), self.rows(), body)
    }

    fn read_body(context: &RlweContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let (seed, rows) = read_pairs(context, 1, body)?;
        match seed {
            Some(seed) => PublicKey::from_parts(context, seed, &rows),
            None => PublicKey::from_rows(context, rows),
        }
        .map_err(invalid("public key"))
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
        let each = KeySwitchKey::wire_len(context, 1)?.saturating_add(4);
        body.expect("galois keys", each.saturating_mul(count as u64))?;
        let mut keys = GaloisKeys::new();
        let mut last = 0;
        for _ in 0..count {
            let element = body.galois_element("galois element", context.params().shape())?;
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
    /// The longest body: a relinearization key and `galois_keys` others, all without seeds.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &RlweContext, galois_keys: usize) -> Result<u64, WireError> {
        let each = KeySwitchKey::max_wire_len(context)?.saturating_add(4);
        Ok(each.saturating_mul(galois_keys as u64 + 1).saturating_add(5))
    }
}
