//! Tensors of ciphertexts; a single ciphertext is a tensor of length one.

use he_params::{Level, Scale};
use he_ring::sampling::{Seed, Stream};
use he_ring::{Eval, RnsTensor, RnsView, RnsViewMut};
use he_rlwe::purpose;

use crate::{CkksContext, CkksError};

/// Ciphertexts at one level and scale with the same number of components: value v encrypts
/// `c_0 + c_1 s (+ c_2 s^2)`, `c_k` row `v * components + k`, in the evaluation domain.
#[derive(Clone, Debug, PartialEq)]
pub struct CiphertextTensor {
    rows: RnsTensor<Eval>,
    components: usize,
    level: Level,
    scale: Scale,
}

impl CiphertextTensor {
    /// Takes `components` (2 or 3) polynomials per value, over the primes of a level.
    ///
    /// # Errors
    /// [`CkksError::ComponentCount`] when there are neither 2 nor 3 components or the rows do not split into values;
    /// [`CkksError::Rlwe`] when the primes are not those of a level.
    pub fn from_rows(
        context: &CkksContext,
        rows: RnsTensor<Eval>,
        components: usize,
        scale: Scale,
    ) -> Result<Self, CkksError> {
        if !(2..=3).contains(&components) {
            return Err(CkksError::ComponentCount { expected: 2, found: components });
        }
        if !rows.rows().is_multiple_of(components) {
            return Err(CkksError::ComponentCount { expected: components, found: rows.rows() % components });
        }
        let level = context.rlwe().level_of_limbs(&rows.limb_indices())?;
        Ok(Self { rows, components, level, scale })
    }

    /// Number of ciphertexts.
    pub fn values(&self) -> usize {
        self.rows.rows() / self.components
    }

    /// Polynomials per ciphertext: 2, or 3 after a product.
    pub fn component_count(&self) -> usize {
        self.components
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// All polynomials, `[value][component]`.
    pub fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// Bytes held on the heap.
    pub fn byte_len(&self) -> usize {
        self.rows.byte_len()
    }

    /// Bytes that a tensor of so many values would hold.
    ///
    /// # Errors
    /// [`CkksError::Rlwe`] for a level that does not exist.
    pub fn planned_byte_len(
        context: &CkksContext,
        values: usize,
        components: usize,
        level: Level,
    ) -> Result<usize, CkksError> {
        let row: RnsTensor<Eval> = context.ring().zero(1, context.rlwe().limbs_at(level)?)?;
        Ok(row.byte_len() * values * components)
    }

    /// Copies the listed values, in that order; a value may be listed often.
    ///
    /// # Errors
    /// [`CkksError::ValueOutOfRange`].
    pub fn gather(&self, values: &[usize]) -> Result<Self, CkksError> {
        if let Some(value) = values.iter().find(|value| **value >= self.values()) {
            return Err(CkksError::ValueOutOfRange { value: *value, values: self.values() });
        }
        let c = self.components;
        let rows: Vec<usize> = values.iter().flat_map(|value| value * c..(value + 1) * c).collect();
        Ok(self.with_rows(self.rows.view().gather(&rows)?))
    }

    /// Copies values of several tensors of one level, scale and component count: value k is value `.1` of tensor `.0`.
    ///
    /// # Errors
    /// As [`CiphertextTensor::concat`]; [`CkksError::ValueOutOfRange`].
    pub fn gather_of(values: &[(&Self, usize)]) -> Result<Self, CkksError> {
        let Some((first, _)) = values.first() else { return Err(CkksError::ValueMismatch { left: 1, right: 0 }) };
        let mut rows = Vec::with_capacity(values.len());
        for (part, value) in values {
            first.check_same_level(part.level)?;
            first.check_same_scale(part.scale)?;
            part.check_components(first.components)?;
            if *value >= part.values() {
                return Err(CkksError::ValueOutOfRange { value: *value, values: part.values() });
            }
            rows.push(part.rows.view().range(value * part.components, part.components)?);
        }
        Ok(first.with_rows(RnsTensor::concat(&rows)?))
    }

    /// The values of all parts, one part after the other; they agree in level, scale and component count.
    ///
    /// # Errors
    /// [`CkksError::LevelMismatch`], [`CkksError::ScaleMismatch`], [`CkksError::ComponentCount`];
    /// [`CkksError::Ring`] without parts.
    pub fn concat(parts: &[&Self]) -> Result<Self, CkksError> {
        let views: Vec<_> = parts.iter().map(|part| part.rows.view()).collect();
        let rows = RnsTensor::concat(&views)?;
        let [first, rest @ ..] = parts else { return Err(CkksError::ValueMismatch { left: 1, right: 0 }) };
        for part in rest {
            first.check_same_level(part.level)?;
            first.check_same_scale(part.scale)?;
            if part.components != first.components {
                return Err(CkksError::ComponentCount { expected: first.components, found: part.components });
            }
        }
        Ok(first.with_rows(rows))
    }

    pub(crate) fn new_unchecked(rows: RnsTensor<Eval>, components: usize, level: Level, scale: Scale) -> Self {
        debug_assert!(rows.rows().is_multiple_of(components) && rows.limb_count() == level.prime_count());
        Self { rows, components, level, scale }
    }

    /// The same level, scale and component count around other rows.
    pub(crate) fn with_rows(&self, rows: RnsTensor<Eval>) -> Self {
        Self::new_unchecked(rows, self.components, self.level, self.scale)
    }

    pub(crate) fn into_rows(self) -> RnsTensor<Eval> {
        self.rows
    }

    pub(crate) fn rows_mut(&mut self) -> &mut RnsTensor<Eval> {
        &mut self.rows
    }

    pub(crate) fn set_scale(&mut self, scale: Scale) {
        self.scale = scale;
    }

    /// Component `k` of every value.
    pub(crate) fn component(&self, k: usize) -> Result<RnsView<'_, Eval>, CkksError> {
        Ok(self.rows.view().select(k, self.values(), self.components)?)
    }

    /// Component `k` of one value.
    pub(crate) fn component_row(&self, value: usize, k: usize) -> Result<RnsView<'_, Eval>, CkksError> {
        Ok(self.rows.view().range(value * self.components + k, 1)?)
    }

    pub(crate) fn component_mut(&mut self, k: usize) -> Result<RnsViewMut<'_, Eval>, CkksError> {
        let (values, components) = (self.values(), self.components);
        Ok(self.rows.view_mut().select(k, values, components)?)
    }

    pub(crate) fn check_same_level(&self, right: Level) -> Result<(), CkksError> {
        let left = self.level;
        if left == right { Ok(()) } else { Err(CkksError::LevelMismatch { left, right }) }
    }

    pub(crate) fn check_same_scale(&self, right: Scale) -> Result<(), CkksError> {
        let left = self.scale;
        if left.is_close(right) { Ok(()) } else { Err(CkksError::ScaleMismatch { left, right }) }
    }

    pub(crate) fn check_values(&self, right: usize) -> Result<(), CkksError> {
        let left = self.values();
        if left == right || right == 1 { Ok(()) } else { Err(CkksError::ValueMismatch { left, right }) }
    }

    pub(crate) fn check_components(&self, expected: usize) -> Result<(), CkksError> {
        let found = self.components;
        if found == expected { Ok(()) } else { Err(CkksError::ComponentCount { expected, found }) }
    }
}

/// Fresh symmetric ciphertexts with their second components as a seed: half the bytes.
///
/// Component 1 of value v is the uniform polynomial that object `first_object + v` of the seed stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct SeededCiphertextTensor {
    rows: RnsTensor<Eval>,
    seed: Seed,
    first_object: u64,
    level: Level,
    scale: Scale,
}

impl SeededCiphertextTensor {
    /// Takes the first components, one row per value, over the primes of a level.
    ///
    /// # Errors
    /// [`CkksError::Rlwe`] when the primes are not those of a level.
    pub fn from_parts(
        context: &CkksContext,
        rows: RnsTensor<Eval>,
        seed: Seed,
        first_object: u64,
        scale: Scale,
    ) -> Result<Self, CkksError> {
        let level = context.rlwe().level_of_limbs(&rows.limb_indices())?;
        Ok(Self { rows, seed, first_object, level, scale })
    }

    /// Number of ciphertexts.
    pub fn values(&self) -> usize {
        self.rows.rows()
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The scale.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The first components.
    pub fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// Bytes held on the heap.
    pub fn byte_len(&self) -> usize {
        self.rows.byte_len()
    }

    pub(crate) fn rows_mut(&mut self) -> &mut RnsTensor<Eval> {
        &mut self.rows
    }

    /// The public seed of the second components.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Object number of value 0.
    pub fn first_object(&self) -> u64 {
        self.first_object
    }

    /// Draws the second components.
    ///
    /// # Errors
    /// [`CkksError::Ring`] for a tensor of other parameters.
    pub fn expand(&self, context: &CkksContext) -> Result<CiphertextTensor, CkksError> {
        let rows = self.expand_limbs(context, &self.rows.limb_indices())?;
        Ok(CiphertextTensor::new_unchecked(rows, 2, self.level, self.scale))
    }

    /// As [`SeededCiphertextTensor::expand`], one prime after the other, each freed here as soon as it stands there.
    ///
    /// # Errors
    /// As [`SeededCiphertextTensor::expand`].
    pub fn into_expanded(mut self, context: &CkksContext) -> Result<CiphertextTensor, CkksError> {
        let mut rows: Option<RnsTensor<Eval>> = None;
        for index in self.rows.limb_indices() {
            let limb = self.expand_limbs(context, &[index])?;
            self.rows.drop_limb(index)?;
            rows = Some(match rows {
                Some(rows) => rows.join_limbs(limb)?,
                None => limb,
            });
        }
        let rows = rows.ok_or(CkksError::NoPrimeToDrop(self.level))?;
        Ok(CiphertextTensor::new_unchecked(rows, 2, self.level, self.scale))
    }

    /// Both components over some of the primes.
    fn expand_limbs(&self, context: &CkksContext, limbs: &[usize]) -> Result<RnsTensor<Eval>, CkksError> {
        let (ring, values) = (context.ring(), self.values());
        let mut rows = ring.unwritten(2 * values, limbs)?;
        ring.copy(rows.view_mut().select(0, values, 2)?, &self.rows)?;
        self.draw_into(context, rows.view_mut().select(1, values, 2)?)?;
        Ok(rows)
    }

    /// Draws the second components over the primes of `rows`, one row per value.
    pub(crate) fn draw_into(&self, context: &CkksContext, rows: RnsViewMut<'_, Eval>) -> Result<(), CkksError> {
        let stream = Stream::new(&self.seed, purpose::CIPHERTEXT_UNIFORM);
        Ok(context.ring().fill_uniform(&stream, self.first_object, rows)?)
    }
}
