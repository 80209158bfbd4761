//! Vectors of numbers to integer polynomials and back.
//!
//! Formula: slot `j` of a polynomial a is `a(zeta^(3^j)) / scale`, `zeta = exp(i pi / N)`; encoding rounds the real
//! coefficients to nearest, halves away from zero. A single number is the constant polynomial: one integer per prime, no
//! transform. A polynomial of the conjugate-invariant ring is one of the cyclotomic ring of degree 2N whose slots are real:
//! its coefficients are `a_0..a_(N-1), 0, -a_(N-1)..-a_1`.
//! Layout: up to N/2 numbers (N real ones in the conjugate-invariant ring), missing ones are zero.
//! Source: \[CKKS17\], \[KS18\].

use std::sync::Arc;

use he_params::{Level, Packing, RingType, Scale};
use he_ring::{IntegerPoly, MAX_INTEGER, RnsScalars};
use num_complex::Complex64;

use crate::{CkksContext, CkksError, Plaintext};

/// Encodes and decodes for one context.
#[derive(Clone, Debug)]
pub struct Encoder {
    context: Arc<CkksContext>,
}

impl Encoder {
    /// An encoder for a context.
    pub fn new(context: &Arc<CkksContext>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Number of slots: N/2 complex ones, or N real ones.
    pub fn slots(&self) -> usize {
        self.context.slots()
    }

    /// Encodes real numbers, as many as there are slots at most.
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
    /// As [`Encoder::encode`]; [`CkksError::RealSlots`] in the conjugate-invariant ring, as wherever numbers are complex.
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
        self.encode_rows(rows.len(), level, scale, |i, poly| self.integers(rows[i].as_ref(), level, scale, poly))
    }

    /// Encodes one message of complex numbers per row.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_complex_tensor<R>(&self, rows: &[R], level: Level, scale: Scale) -> Result<Plaintext, CkksError>
    where
        R: AsRef<[Complex64]> + Sync,
    {
        self.encode_rows(rows.len(), level, scale, |i, poly| {
            self.complex_integers(rows[i].as_ref(), level, scale, poly)
        })
    }

    /// The integer coefficients of one message of real numbers.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn integers(
        &self,
        numbers: &[f64],
        level: Level,
        scale: Scale,
        out: &mut IntegerPoly,
    ) -> Result<(), CkksError> {
        self.round(numbers, &[], level, scale, out)
    }

    /// The integer coefficients of one message of complex numbers.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn complex_integers(
        &self,
        numbers: &[Complex64],
        level: Level,
        scale: Scale,
        out: &mut IntegerPoly,
    ) -> Result<(), CkksError> {
        let (re, im): (Vec<f64>, Vec<f64>) = numbers.iter().map(|z| (z.re, z.im)).unzip();
        self.round(&re, &im, level, scale, out)
    }

    /// The integer coefficients of one message of real numbers, one per image: [`Packing::images`] of them at most.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn packed_integers(
        &self,
        numbers: &[f64],
        packing: Packing,
        level: Level,
        scale: Scale,
        out: &mut IntegerPoly,
    ) -> Result<(), CkksError> {
        let slots = self.slots();
        if packing != Packing::Complex || numbers.len() <= slots {
            return self.round(numbers, &[], level, scale, out);
        }
        let (re, upper) = numbers.split_at(slots);
        let mut im = vec![0.0; slots];
        if upper.len() > slots {
            return Err(CkksError::TooManySlots { found: numbers.len(), slots: packing.images(slots) });
        }
        im.iter_mut().zip(upper).for_each(|(im, x)| *im = *x);
        negate_odd(&mut im);
        self.round(re, &im, level, scale, out)
    }

    /// Decodes message `value` as real numbers, one per image, as many as `out` holds: [`Packing::images`] at most.
    ///
    /// # Errors
    /// As [`Encoder::decode_complex`]; [`CkksError::TooManySlots`], [`CkksError::RealSlots`].
    pub fn decode_packed(
        &self,
        plain: &Plaintext,
        value: usize,
        packing: Packing,
        out: &mut [f64],
    ) -> Result<(), CkksError> {
        let slots = self.slots();
        if out.len() > packing.images(slots) {
            return Err(CkksError::TooManySlots { found: out.len(), slots: packing.images(slots) });
        }
        let two = packing == Packing::Complex && out.len() > slots;
        self.check_parts(two)?;
        let (mut re, mut im) = (vec![0.0; slots], vec![0.0; if two { slots } else { 0 }]);
        self.decode_parts(plain, value, &mut re, &mut im)?;
        negate_odd(&mut im);
        out.iter_mut().zip(re.iter().chain(&im)).for_each(|(out, x)| *out = *x);
        Ok(())
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

    /// Decodes message `value` as complex numbers, one per slot.
    ///
    /// # Errors
    /// [`CkksError::ValueOutOfRange`], [`CkksError::Ring`].
    pub fn decode_complex(&self, plain: &Plaintext, value: usize) -> Result<Vec<Complex64>, CkksError> {
        let (mut re, mut im) = (vec![0.0; self.slots()], vec![0.0; self.slots()]);
        self.decode_parts(plain, value, &mut re, &mut im)?;
        Ok(re.into_iter().zip(im).map(|(re, im)| Complex64 { re, im }).collect())
    }

    /// Decodes message `value` as real numbers, one per slot; imaginary parts are noise and dropped.
    ///
    /// # Errors
    /// As [`Encoder::decode_complex`].
    pub fn decode(&self, plain: &Plaintext, value: usize) -> Result<Vec<f64>, CkksError> {
        let mut re = vec![0.0; self.slots()];
        self.decode_parts(plain, value, &mut re, &mut [])?;
        Ok(re)
    }

    /// Imaginary parts only when there is room for them.
    fn decode_parts(&self, plain: &Plaintext, value: usize, re: &mut [f64], im: &mut [f64]) -> Result<(), CkksError> {
        let values = plain.values();
        if value >= values {
            return Err(CkksError::ValueOutOfRange { value, values });
        }
        let (ring, fft) = (self.context.ring(), self.context.fft());
        fft.with_scratch(|coefficients| {
            let (own, rest) = coefficients.split_at_mut(ring.n());
            ring.evaluations_to_numbers(plain.rows(), value, 1.0 / plain.scale().get(), own)?;
            if let Some((middle, rest)) = rest.split_first_mut() {
                *middle = 0.0;
                rest.iter_mut().zip(own.iter().rev()).for_each(|(mirrored, x)| *mirrored = -x);
            }
            fft.coefficients_to_slots(coefficients, re, im)?;
            Ok(())
        })
    }

    fn encode_rows(
        &self,
        rows: usize,
        level: Level,
        scale: Scale,
        integers: impl Fn(usize, &mut IntegerPoly) -> Result<(), CkksError> + Sync,
    ) -> Result<Plaintext, CkksError> {
        let ring = self.context.ring();
        let mut out = ring.unwritten(rows, self.context.rlwe().limbs_at(level)?)?;
        ring.transform_integers(&mut out, None, integers)?;
        Plaintext::from_rows(&self.context, out, scale)
    }

    fn check(&self, level: Level, magnitude: f64) -> Result<(), CkksError> {
        self.context.check_magnitude(level, magnitude)?;
        if magnitude < MAX_INTEGER {
            return Ok(());
        }
        Err(CkksError::EncodingOverflow { log_coefficient: magnitude.log2(), log_q: MAX_INTEGER.log2() })
    }

    /// Refuses imaginary parts where slots are real.
    fn check_parts(&self, imaginary: bool) -> Result<(), CkksError> {
        let real = self.context.params().shape().ring_type() == RingType::ConjugateInvariant;
        if imaginary && real { Err(CkksError::RealSlots) } else { Ok(()) }
    }

    fn round(
        &self,
        re: &[f64],
        im: &[f64],
        level: Level,
        scale: Scale,
        out: &mut IntegerPoly,
    ) -> Result<(), CkksError> {
        if re.len() > self.slots() {
            return Err(CkksError::TooManySlots { found: re.len(), slots: self.slots() });
        }
        self.check_parts(!im.is_empty())?;
        self.context.rlwe().limbs_at(level)?;
        let fft = self.context.fft();
        fft.with_scratch(|scratch| {
            let coefficients = fft.slots_to_coefficients(re, im, scale.get(), scratch)?.first(self.context.ring().n());
            self.check(level, coefficients.largest())?;
            out.round(&coefficients);
            Ok(())
        })
    }
}

/// The sign that [`Packing::Complex`] gives to imaginary parts.
fn negate_odd(im: &mut [f64]) {
    im.iter_mut().skip(1).step_by(2).for_each(|x| *x = -*x);
}

#[cfg(test)]
mod tests;
