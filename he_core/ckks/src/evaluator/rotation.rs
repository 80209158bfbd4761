//! Rotations of the slots and conjugation: an automorphism, then a change of key.
//!
//! Slot `j` of the rotation by k is slot `j + k` of the input, counted modulo the number of slots.

use he_params::{GaloisElement, Rotation};
use he_rlwe::GaloisKeys;

use crate::{CiphertextTensor, CkksError, Evaluator};

impl Evaluator {
    /// The slots rotated; a rotation by a multiple of their number is a copy.
    ///
    /// # Errors
    /// [`CkksError::ComponentCount`] unless x has two components; [`CkksError::Rlwe`] without the key.
    pub fn rotate(&self, x: &CiphertextTensor, by: Rotation, keys: &GaloisKeys) -> Result<CiphertextTensor, CkksError> {
        self.apply_galois(x, GaloisElement::rotation(by, self.context.params().shape()), keys)
    }

    /// Every slot conjugated; a copy where slots are real.
    ///
    /// # Errors
    /// As [`Evaluator::rotate`].
    pub fn conjugate(&self, x: &CiphertextTensor, keys: &GaloisKeys) -> Result<CiphertextTensor, CkksError> {
        self.apply_galois(x, GaloisElement::conjugation(self.context.params().shape()), keys)
    }

    /// The ring automorphism `X -> X^g`, under the same secret.
    ///
    /// # Errors
    /// As [`Evaluator::rotate`].
    pub fn apply_galois(
        &self,
        x: &CiphertextTensor,
        element: GaloisElement,
        keys: &GaloisKeys,
    ) -> Result<CiphertextTensor, CkksError> {
        x.check_components(2)?;
        if element.get() == 1 {
            return Ok(x.clone());
        }
        let (ring, key) = (self.context.ring(), keys.get(element)?);
        let image = x.with_rows(ring.automorphism(&ring.galois(u64::from(element.get()))?, x.rows())?);
        let addends = [Some(image.component(0)?), None];
        Ok(x.with_rows(self.context.rlwe().key_switch(image.component(1)?, key, addends)?))
    }

    /// Many rotations of one input: it is split into digits once, which is most of the work of a rotation; each rotation then
    /// permutes them as it multiplies them with its key.
    ///
    /// Digits are rotated after they were made, so residues differ from those of [`Evaluator::rotate`] by rounding noise.
    ///
    /// # Errors
    /// As [`Evaluator::rotate`].
    pub fn rotate_hoisted(
        &self,
        x: &CiphertextTensor,
        by: &[Rotation],
        keys: &GaloisKeys,
    ) -> Result<Vec<CiphertextTensor>, CkksError> {
        x.check_components(2)?;
        let (ring, rlwe, shape) = (self.context.ring(), self.context.rlwe(), self.context.params().shape());
        let elements: Vec<GaloisElement> = by.iter().map(|by| GaloisElement::rotation(*by, shape)).collect();
        let mut outputs = Vec::with_capacity(elements.len());
        let mut tables = Vec::with_capacity(elements.len());
        for element in &elements {
            if element.get() == 1 {
                outputs.push(x.rows().clone());
                tables.push(None);
                continue;
            }
            outputs.push(x.rows().unwritten_like());
            tables.push(Some((ring.galois(u64::from(element.get()))?, keys.get(*element)?)));
        }
        let chunk = rlwe.polynomials_per_pass(x.level())?;
        for first in (0..x.values()).step_by(chunk) {
            let count = chunk.min(x.values() - first);
            let digits = rlwe.raise_digits(x.component(1)?.range(first, count)?)?;
            for (rows, table) in outputs.iter_mut().zip(&tables) {
                if let Some((galois, key)) = table {
                    let rows = rows.view_mut().range(2 * first, 2 * count)?;
                    rlwe.rotate_digits_into(rows, galois, &digits, key, x.component(0)?.range(first, count)?)?;
                }
            }
        }
        Ok(outputs.into_iter().map(|rows| x.with_rows(rows)).collect())
    }
}
