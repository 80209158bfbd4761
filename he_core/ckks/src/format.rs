//! Wire forms of messages; see [`he_rlwe::wire`] for envelope and fields.
//!
//! | object | body |
//! |---|---|
//! | plaintext | level, scale, count of values, tensor `[value]` |
//! | ciphertext tensor | level, scale, u8 components (2 or 3), count of values, tensor `[value][component]` |
//! | seeded ciphertext tensor | level, scale, count of values, seed, u64 object of value 0, tensor `[value]` of first components |
//!
//! Tensors are evaluations over the primes q_0..q_l of the level. The second component of value v of a seeded ciphertext
//! is drawn from the seed as object `first + v`, purpose "ct.unifm": see [`he_ring::sampling`].

use he_params::{Level, Scale};
use he_ring::RnsTensor;
use he_rlwe::wire::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer, tensor_len};

use crate::{CiphertextTensor, CkksContext, CkksError, Plaintext, SeededCiphertextTensor};

/// Bytes of everything but the tensor, at most.
const FIELDS: u64 = 64;

/// What the constructors may refuse in bytes that were read.
fn invalid(field: &'static str) -> impl Fn(CkksError) -> WireError {
    move |error| match error {
        CkksError::Ring(error) => WireError::Ring(error),
        error => WireError::Invalid { field, reason: error.to_string() },
    }
}

/// Ring indices of the primes of a level that the reader has checked.
fn limbs(level: Level) -> Vec<usize> {
    (0..level.prime_count()).collect()
}

/// Level and scale.
fn read_place(context: &CkksContext, body: &mut Reader<'_>) -> Result<(Level, Scale), WireError> {
    Ok((body.level("level", context.params())?, body.scale("scale")?))
}

/// A count of values, each of which takes at least `rows` rows of the bytes that are left.
fn read_values(context: &CkksContext, body: &mut Reader<'_>, level: Level, rows: usize) -> Result<usize, WireError> {
    let values = body.count("values", 0..=u32::MAX as usize)?;
    let limbs = limbs(level);
    let (none, one) = (tensor_len(context.ring(), 0, &limbs)?, tensor_len(context.ring(), rows, &limbs)?);
    body.expect("values", one.saturating_sub(none).saturating_mul(values as u64))?;
    Ok(values)
}

fn max_body(context: &CkksContext, rows: usize) -> Result<u64, WireError> {
    Ok(FIELDS + tensor_len(context.ring(), rows, &limbs(context.params().max_level()))?)
}

impl Plaintext {
    /// The longest body of so many values.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &CkksContext, values: usize) -> Result<u64, WireError> {
        max_body(context, values)
    }
}

impl WireObject for Plaintext {
    const KIND: Kind = Kind::Plaintext;
    type Context = CkksContext;

    fn params_digest(context: &CkksContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &CkksContext, body: &mut Writer) -> Result<(), WireError> {
        body.level(self.level());
        body.scale(self.scale());
        body.count("values", self.values())?;
        body.tensor(context.ring(), self.rows())
    }

    fn read_body(context: &CkksContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let (level, scale) = read_place(context, body)?;
        let values = read_values(context, body, level, 1)?;
        let rows: RnsTensor<_> = body.tensor(context.ring(), values, &limbs(level))?;
        Plaintext::from_rows(context, rows, scale).map_err(invalid("plaintext"))
    }
}

impl CiphertextTensor {
    /// The longest body of so many values.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &CkksContext, values: usize) -> Result<u64, WireError> {
        max_body(context, values.saturating_mul(3))
    }
}

impl WireObject for CiphertextTensor {
    const KIND: Kind = Kind::CiphertextTensor;
    type Context = CkksContext;

    fn params_digest(context: &CkksContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &CkksContext, body: &mut Writer) -> Result<(), WireError> {
        body.level(self.level());
        body.scale(self.scale());
        body.u8(self.component_count() as u8);
        body.count("values", self.values())?;
        body.tensor(context.ring(), self.rows())
    }

    fn read_body(context: &CkksContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let (level, scale) = read_place(context, body)?;
        let components = usize::from(body.u8("components")?);
        if !(2..=3).contains(&components) {
            return Err(WireError::OutOfRange { field: "components", found: components as u64, min: 2, max: 3 });
        }
        let values = read_values(context, body, level, components)?;
        let rows: RnsTensor<_> = body.tensor(context.ring(), values * components, &limbs(level))?;
        CiphertextTensor::from_rows(context, rows, components, scale).map_err(invalid("ciphertext tensor"))
    }
}

impl SeededCiphertextTensor {
    /// The longest body of so many values.
    ///
    /// # Errors
    /// None for a context.
    pub fn max_body_len(context: &CkksContext, values: usize) -> Result<u64, WireError> {
        max_body(context, values)
    }
}

impl WireObject for SeededCiphertextTensor {
    const KIND: Kind = Kind::SeededCiphertextTensor;
    type Context = CkksContext;

    fn params_digest(context: &CkksContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &CkksContext, body: &mut Writer) -> Result<(), WireError> {
        body.level(self.level());
        body.scale(self.scale());
        body.count("values", self.values())?;
        body.seed(self.seed());
        body.u64(self.first_object());
        body.tensor(context.ring(), self.rows())
    }

    fn read_body(context: &CkksContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let (level, scale) = read_place(context, body)?;
        let values = read_values(context, body, level, 1)?;
        let (seed, first) = (body.seed("seed")?, body.u64("first object")?);
        let rows: RnsTensor<_> = body.tensor(context.ring(), values, &limbs(level))?;
        SeededCiphertextTensor::from_parts(context, rows, seed, first, scale)
            .map_err(invalid("seeded ciphertext tensor"))
    }
}
