//! Vectors of numbers to integer polynomials and back.
//!
//! Formula: slot `j` of a polynomial a is `a(zeta^(3^j)) / scale`, `zeta = exp(i pi / N)`; encoding rounds the real
//! coefficients to nearest, halves away from zero. A single number is the constant polynomial: one integer per prime, no
//! transform.
//! Layout: up to N/2 numbers, missing ones are zero.
//! Source: \[CKKS17\].

use std::sync::Arc;

use he_params::{Level, Scale};
use he_ring::RnsScalars;
use num_complex::Complex64;
use rayon::prelude::*;

use crate::integers::{IntegerPolys, Store};
use crate::{CkksContext, CkksError, Plaintext};

/// Magnitudes below this fit 64 bits with room for errors.
const NARROW: f64 = (1u64 << 62) as f64;
/// Magnitudes below this fit 128 bits with room for errors.
const WIDE: f64 = (1u128 << 126) as f64;

/// Encodes and decodes for one context.
#[derive(Clone, Debug)]
pub struct Encoder {
    context: Arc<CkksContext>,
}

/// The numbers of one message: parts apart, imaginary parts absent for real messages.
struct Slots<'a> {
    re: std::borrow::Cow<'a, [f64]>,
    im: Vec<f64>,
}

impl Encoder {
    /// An encoder for a context.
    pub fn new(context: &Arc<CkksContext>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Number of slots, N/2.
    pub fn slots(&self) -> usize {
        self.context.slots()
    }

    /// Encodes up to N/2 real numbers.
    ///
    /// # Errors
    /// [`CkksError::TooManySlots`], [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`], [`CkksError::Rlwe`] for a
    /// level that does not exist.
    pub fn encode(&self, numbers: &[f64], level: Level, scale: Scale) -> Result<Plaintext, CkksError> {
        self.encode_tensor(&[numbers], level, scale)
    }

    /// Encodes up to N/2 complex numbers.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_complex(&self, numbers: &[Complex64], level: Level, scale: Scale) -> Result<Plaintext, CkksError> {
        self.encode_complex_tensor(&[numbers], level, scale)
    }

    /// Encodes one message of real numbers per row.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_tensor<R>(&self, rows: &[R], level: Level, scale: Scale) -> Result<Plaintext, CkksError>
    where
        R: AsRef<[f64]> + Sync,
    {
        self.to_plaintext(self.integers(rows, level, scale)?, level, scale)
    }

    /// Encodes one message of complex numbers per row.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_complex_tensor<R>(&self, rows: &[R], level: Level, scale: Scale) -> Result<Plaintext, CkksError>
    where
        R: AsRef<[Complex64]> + Sync,
    {
        self.to_plaintext(self.complex_integers(rows, level, scale)?, level, scale)
    }

    /// The integer coefficients of one real message per row.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn integers<R>(&self, rows: &[R], level: Level, scale: Scale) -> Result<IntegerPolys, CkksError>
    where
        R: AsRef<[f64]> + Sync,
    {
        let row = |i: usize| rows.get(i).map_or(&[][..], AsRef::as_ref);
        self.round(rows.len(), level, scale, |i| Slots { re: row(i).into(), im: Vec::new() })
    }

    /// The integer coefficients of one complex message per row.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn complex_integers<R>(&self, rows: &[R], level: Level, scale: Scale) -> Result<IntegerPolys, CkksError>
    where
        R: AsRef<[Complex64]> + Sync,
    {
        let row = |i: usize| rows.get(i).map_or(&[][..], AsRef::as_ref);
        self.round(rows.len(), level, scale, |i| Slots {
            re: row(i).iter().map(|z| z.re).collect::<Vec<_>>().into(),
            im: row(i).iter().map(|z| z.im).collect(),
        })
    }

    /// Real numbers as constants of the ring, one integer per prime each: what an operation with a scalar multiplies by.
    ///
    /// # Errors
    /// [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`], [`CkksError::Rlwe`].
    pub fn encode_scalars(&self, numbers: &[f64], level: Level, scale: Scale) -> Result<RnsScalars, CkksError> {
        let limbs = self.context.rlwe().limbs_at(level)?;
        let round = |x: &f64| {
            let scaled = x * scale.get();
            self.check(level, scaled.abs())?;
            Ok(scaled.round() as i128)
        };
        let integers = numbers.iter().map(round).collect::<Result<Vec<_>, CkksError>>()?;
        Ok(self.context.ring().scalars(&integers, limbs)?)
    }

    /// Decodes message `value` as complex numbers, N/2 of them.
    ///
    /// # Errors
    /// [`CkksError::ValueOutOfRange`], [`CkksError::Ring`].
    pub fn decode_complex(&self, plain: &Plaintext, value: usize) -> Result<Vec<Complex64>, CkksError> {
        let (re, im) = self.decode_parts(plain, value)?;
        Ok(re.into_iter().zip(im).map(|(re, im)| Complex64 { re, im }).collect())
    }

    /// Decodes message `value` as real numbers, N/2 of them; imaginary parts are noise and dropped.
    ///
    /// # Errors
    /// As [`Encoder::decode_complex`].
    pub fn decode(&self, plain: &Plaintext, value: usize) -> Result<Vec<f64>, CkksError> {
        Ok(self.decode_parts(plain, value)?.0)
    }

    fn decode_parts(&self, plain: &Plaintext, value: usize) -> Result<(Vec<f64>, Vec<f64>), CkksError> {
        let values = plain.values();
        if value >= values {
            return Err(CkksError::ValueOutOfRange { value, values });
        }
        let ring = self.context.ring();
        let coefficients = ring.inverse(plain.rows().view().range(value, 1)?.to_tensor())?;
        let mut coefficients = ring.compose_centered(&coefficients, 0, 1.0 / plain.scale().get())?;
        let (mut re, mut im) = (vec![0.0; self.slots()], vec![0.0; self.slots()]);
        self.context.fft().coefficients_to_slots(&mut coefficients, &mut re, &mut im)?;
        Ok((re, im))
    }

    fn to_plaintext(&self, integers: IntegerPolys, level: Level, scale: Scale) -> Result<Plaintext, CkksError> {
        let (ring, limbs) = (self.context.ring(), self.context.rlwe().limbs_at(level)?);
        Plaintext::from_rows(&self.context, ring.forward(integers.to_tensor(ring, limbs)?)?, scale)
    }

    fn check(&self, level: Level, magnitude: f64) -> Result<(), CkksError> {
        self.context.check_magnitude(level, magnitude)?;
        if magnitude < WIDE {
            return Ok(());
        }
        Err(CkksError::EncodingOverflow { log_coefficient: magnitude.log2(), log_q: WIDE.log2() })
    }

    fn round<'a>(
        &self,
        rows: usize,
        level: Level,
        scale: Scale,
        slots: impl Fn(usize) -> Slots<'a> + Sync,
    ) -> Result<IntegerPolys, CkksError> {
        self.context.rlwe().limbs_at(level)?;
        let (fft, n) = (self.context.fft(), self.context.params().n());
        let coefficients = |row: usize, scratch: &mut Vec<f64>| {
            let message = slots(row);
            if message.re.len() > self.slots() {
                return Err(CkksError::TooManySlots { found: message.re.len(), slots: self.slots() });
            }
            scratch.resize(n, 0.0);
            Ok(fft.slots_to_coefficients(&message.re, &message.im, scale.get(), scratch)?)
        };
        let mut narrow = vec![0i64; rows * n];
        let largest = narrow
            .par_chunks_exact_mut(n)
            .enumerate()
            .map_init(Vec::new, |scratch, (row, out)| {
                coefficients(row, scratch)?;
                let largest = fft.round(scratch, out)?;
                self.check(level, largest)?;
                Ok(largest)
            })
            .try_reduce(|| 0.0, |a, b| Ok::<_, CkksError>(f64::max(a, b)))?;
        if largest < NARROW {
            return Ok(IntegerPolys { store: Store::Narrow(narrow) });
        }
        drop(narrow);
        let mut wide = vec![0i128; rows * n];
        wide.par_chunks_exact_mut(n).enumerate().try_for_each_init(Vec::new, |scratch, (row, out)| {
            coefficients(row, scratch)?;
            out.iter_mut().zip(scratch.iter()).for_each(|(out, x)| *out = x.round() as i128);
            Ok::<_, CkksError>(())
        })?;
        Ok(IntegerPolys { store: Store::Wide(wide) })
    }
}

#[cfg(test)]
mod tests;
