//! Hybrid key switching: from a polynomial under one secret to two polynomials under another.
//!
//! Formula: digit `d_j` of x is x modulo the primes of group j, raised to all active and the special primes, unsigned.
//! With keys `(b_j, a_j)`, `b_j = -a_j s + e_j + P t 1_j` (`1_j` is 1 modulo the primes of group j, 0 modulo all others),
//! `y = sum_j d_j (b_j, a_j)` satisfies `y_0 + y_1 s = P x t + sum_j d_j e_j`; the result is `round(y / P)`.
//! Layout: evaluations; x over the primes of a level; a key over all primes, rows `b_0, a_0, b_1, a_1, ..`. With one prime
//! to a digit these are the digits and keys of Microsoft SEAL.
//! Source: \[HK20\].

use he_params::Level;
use he_ring::sampling::{Seed, Stream};
use he_ring::{Eval, Galois, RnsTensor, RnsView, RnsViewMut};

use crate::context::LevelPlan;
use crate::keys::check_key_rows;
use crate::{RlweContext, RlweError, purpose};

/// Bytes of raised digits that one pass over a tensor may hold.
const DIGIT_BYTES: usize = 16 << 20;

/// The key from one secret to another.
#[derive(Clone, Debug, PartialEq)]
pub struct KeySwitchKey {
    /// What all `a_j` were drawn from; `None` when somebody else drew them.
    seed: Option<Seed>,
    /// Rows `b_j, a_j` for every digit, over all primes.
    rows: RnsTensor<Eval>,
}

/// A polynomial (or one per value) in digits, raised to all active and the special primes: computed once, used for many
/// automorphisms.
#[derive(Clone, Debug)]
pub struct RaisedDigits {
    digits: Vec<RnsTensor<Eval>>,
    level: usize,
}

impl KeySwitchKey {
    /// Puts a key together: `b` has one row per digit, over all primes; `a_j` is drawn as object j of the seed.
    ///
    /// # Errors
    /// [`RlweError::KeyShape`], [`RlweError::Ring`].
    pub fn from_parts(context: &RlweContext, seed: Seed, b: &RnsTensor<Eval>) -> Result<Self, RlweError> {
        let digits = context.digit_count();
        if b.rows() != digits {
            return Err(RlweError::KeyShape { expected: digits, found: b.rows() });
        }
        let ring = context.ring();
        let mut rows = ring.zero(2 * digits, &context.all_limbs())?;
        ring.fill_uniform(&Stream::new(&seed, purpose::KEY_UNIFORM), 0, rows.view_mut().select(1, digits, 2)?)?;
        ring.add_assign(rows.view_mut().select(0, digits, 2)?, b)?;
        Ok(Self { seed: Some(seed), rows })
    }

    /// Takes rows `b_0, a_0, b_1, a_1, ..`, two per digit, over all primes, the `a_j` drawn by whatever made the key: another
    /// library, say.
    ///
    /// # Errors
    /// [`RlweError::KeyShape`]; [`RlweError::Ring`] for rows of other parameters.
    pub fn from_rows(context: &RlweContext, rows: RnsTensor<Eval>) -> Result<Self, RlweError> {
        check_key_rows(context, &rows, 2 * context.digit_count())?;
        Ok(Self { seed: None, rows })
    }

    /// The public seed of all `a_j`; `None` for a key that was taken whole.
    pub fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// Rows `b_0, a_0, b_1, a_1, ..` over all primes.
    pub fn rows(&self) -> &RnsTensor<Eval> {
        &self.rows
    }

    /// The rows `b_j`.
    ///
    /// # Errors
    /// None.
    pub fn b(&self) -> Result<RnsView<'_, Eval>, RlweError> {
        Ok(self.rows.view().select(0, self.rows.rows() / 2, 2)?)
    }

    /// The rows `a_j`.
    ///
    /// # Errors
    /// None.
    pub fn a(&self) -> Result<RnsView<'_, Eval>, RlweError> {
        Ok(self.rows.view().select(1, self.rows.rows() / 2, 2)?)
    }

    /// Refuses a key with another number of digits than the context's.
    fn check(&self, context: &RlweContext) -> Result<(), RlweError> {
        let (expected, found) = (2 * context.digit_count(), self.rows.rows());
        if expected == found { Ok(()) } else { Err(RlweError::KeyShape { expected, found }) }
    }

    /// Bytes held on the heap.
    pub fn byte_len(&self) -> usize {
        self.rows.byte_len()
    }
}

impl RlweContext {
    /// Splits x (over the primes of a level) into raised digits.
    ///
    /// # Errors
    /// [`RlweError::NoSpecialPrimes`], [`RlweError::NoSuchLevel`], [`RlweError::Ring`].
    pub fn raise_digits<'x>(&self, x: impl Into<RnsView<'x, Eval>>) -> Result<RaisedDigits, RlweError> {
        let eval = x.into();
        let plan = self.level_of(&eval.limb_indices())?;
        if plan.raise.is_empty() {
            return Err(RlweError::NoSpecialPrimes);
        }
        let coeff = self.ring().inverse(eval.to_tensor())?;
        let raise = |conversion| self.ring().mod_up(conversion, &coeff, eval);
        let digits = plan.raise.iter().map(raise).collect::<Result<_, _>>()?;
        Ok(RaisedDigits { digits, level: plan.q.len() - 1 })
    }

    /// The image of V polynomials under an automorphism, from their raised digits, switched: rows `2v` and `2v + 1` of `out`
    /// stand for that of polynomial v under the new secret, plus the image of row v of `addend` in the first.
    ///
    /// Images of digits are congruent to, but not the same integers as, the digits that would be made from an image.
    ///
    /// # Errors
    /// [`RlweError::NoSpecialPrimes`], [`RlweError::KeyShape`], [`RlweError::Ring`].
    pub fn rotate_digits_into(
        &self,
        out: RnsViewMut<'_, Eval>,
        galois: &Galois<Eval>,
        digits: &RaisedDigits,
        key: &KeySwitchKey,
        addend: RnsView<'_, Eval>,
    ) -> Result<(), RlweError> {
        let plan = self.levels_plan(digits.level)?;
        key.check(self)?;
        let divide = plan.divide.as_ref().ok_or(RlweError::NoSpecialPrimes)?;
        let digits: Vec<_> = digits.digits.iter().map(RnsTensor::view).collect();
        Ok(self.ring().rotate_raised(out, galois, &digits, &key.rows, divide, addend)?)
    }

    /// Switches V polynomials: rows `2v` and `2v + 1` of the result are those of polynomial v plus row v of the addends,
    /// an absent one being 0. Memory beyond the result is bounded, however many polynomials there are.
    ///
    /// # Errors
    /// [`RlweError::NoSpecialPrimes`], [`RlweError::NoSuchLevel`], [`RlweError::KeyShape`], [`RlweError::Ring`].
    pub fn key_switch<'x>(
        &self,
        x: impl Into<RnsView<'x, Eval>>,
        key: &KeySwitchKey,
        addends: [Option<RnsView<'_, Eval>>; 2],
    ) -> Result<RnsTensor<Eval>, RlweError> {
        let x = x.into();
        let plan = self.level_of(&x.limb_indices())?;
        key.check(self)?;
        let divide = plan.divide.as_ref().ok_or(RlweError::NoSpecialPrimes)?;
        Ok(self.ring().key_switch(&plan.raise, divide, x, &key.rows, addends)?)
    }

    /// As [`RlweContext::key_switch`], then divided by the last prime of the level: one division by `P q_l`, so one rounding
    /// where two steps have two. The result is one level down and differs from theirs by at most 1 in a coefficient.
    ///
    /// # Errors
    /// As [`RlweContext::key_switch`], and [`RlweError::Ring`] at level 0.
    pub fn key_switch_rescale<'x>(
        &self,
        x: impl Into<RnsView<'x, Eval>>,
        key: &KeySwitchKey,
        addends: [Option<RnsView<'_, Eval>>; 2],
    ) -> Result<RnsTensor<Eval>, RlweError> {
        let x = x.into();
        let plan = self.level_of(&x.limb_indices())?;
        key.check(self)?;
        if plan.divide.is_none() {
            return Err(RlweError::NoSpecialPrimes);
        }
        let limbs = plan.q.len();
        let divide = plan.divide_rescale.as_ref().ok_or(he_ring::RingError::NoLimbToDrop { limbs })?;
        Ok(self.ring().key_switch(&plan.raise, divide, x, &key.rows, addends)?)
    }

    /// How many polynomials of a level may be raised at once so that their digits stay within a bounded memory.
    ///
    /// # Errors
    /// [`RlweError::LevelOutOfRange`].
    pub fn polynomials_per_pass(&self, level: Level) -> Result<usize, RlweError> {
        let plan = self.plan(level)?;
        let raised_limbs = plan.q.len() + self.params().p().len();
        let bytes = plan.raise.len() * raised_limbs * self.ring().n() * size_of::<u64>();
        Ok((DIGIT_BYTES / bytes.max(1)).max(1))
    }

    fn levels_plan(&self, level: usize) -> Result<&LevelPlan, RlweError> {
        let limbs: Vec<usize> = (0..=level).collect();
        self.level_of(&limbs)
    }
}
