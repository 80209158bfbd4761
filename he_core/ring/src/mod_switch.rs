//! The two halves of hybrid key switching: raise a digit to all primes, and divide by the special primes.
//!
//! Formulas: `mod_up` takes the residues of x modulo a group of primes (a digit) to all primes, as the integer in `[0, D)`, D
//! the product of the group (for one prime what Microsoft SEAL does); `mod_down` is `round(x / P)`,
//! `(x - ([x + h]_P - h)) * P^-1 mod q_j` with `h = (P-1)/2` and an exact conversion of `[x + h]_P`. A small polynomial e
//! that comes to x before that, `round((x + e) / P)`, is added to coefficients that are there anyway: `[x + e + h]_P` and
//! `[x + e + h]_P - h - e`; its own transforms, one a prime, are saved.
//! Layout: evaluations in and out; limbs of raised digits stand in ascending order of ring index.
//! Source: \[HK20\], for the groups.

use crate::base_conversion::BaseConversion;
use crate::kernels;
use crate::ring::{Ring, each_width};
use crate::sampling::SmallPolys;
use crate::tensor::{Coeff, Domain, Eval, RnsTensor};
use crate::view::RnsView;
use crate::{RingError, Word};

impl Ring {
    /// Raises the digit over `conversion.from_limbs()` to those and `conversion.to_limbs()`: `coeff` and `eval` are the
    /// same polynomials in both domains and have (at least) the limbs of the digit.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`], [`RingError::RowMismatch`], [`RingError::ForeignTensor`].
    pub fn mod_up<'x, 'y>(
        &self,
        conversion: &BaseConversion,
        coeff: impl Into<RnsView<'x, Coeff>>,
        eval: impl Into<RnsView<'y, Eval>>,
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (coeff, eval) = (coeff.into(), eval.into());
        self.check(coeff.tensor)?;
        let from = conversion.from_limbs();
        if coeff.rows() != eval.rows() {
            return Err(RingError::RowMismatch { left: coeff.rows(), right: eval.rows() });
        }
        let kept = self.operand(&from, eval.rows(), eval)?;
        let digits = self.digits(conversion, coeff.with_limbs(&from)?);
        let mut limbs: Vec<usize> = from.iter().copied().chain(conversion.to_limbs()).collect();
        limbs.sort_unstable();
        let mut out = self.unwritten(coeff.rows(), &limbs)?;
        self.par_rows(out.view_mut(), |limb, row, out| {
            each_width!(out, |plan, out| {
                if let Some(position) = from.iter().position(|index| *index == limbs[limb]) {
                    out.copy_from_slice(kept.words(position, row));
                } else if let Some(target) = conversion.target(limbs[limb]) {
                    digits.combine_forward(plan, out, target, row, Word::from_u64(0));
                }
            })
        });
        Ok(out)
    }

    /// `round(x / P)` over `conversion.to_limbs()`, P the product of `conversion.from_limbs()`; x is over both, and the
    /// memory of the special limbs is freed. With one special prime this is [`Ring::divide_round_by_last`].
    ///
    /// # Errors
    /// [`RingError::MissingLimb`], [`RingError::ForeignTensor`].
    pub fn mod_down<D: Domain>(&self, conversion: &BaseConversion, x: RnsTensor<D>) -> Result<RnsTensor<D>, RingError> {
        self.divide(conversion, x, None)
    }

    /// `round((x + e) / P)`, as [`Ring::mod_down`], with coefficients e, a row for each of x.
    ///
    /// # Errors
    /// As [`Ring::mod_down`]; [`RingError::RowMismatch`], [`RingError::LengthMismatch`] for an e of another shape.
    pub fn mod_down_sum<D: Domain>(
        &self,
        conversion: &BaseConversion,
        x: RnsTensor<D>,
        e: &SmallPolys,
    ) -> Result<RnsTensor<D>, RingError> {
        if e.rows() != x.rows() {
            return Err(RingError::RowMismatch { left: x.rows(), right: e.rows() });
        }
        if e.coefficients().len() != x.rows() * self.n() {
            let found = e.coefficients().len() / x.rows().max(1);
            return Err(RingError::LengthMismatch { what: "coefficients", expected: self.n(), found });
        }
        self.divide(conversion, x, Some(e))
    }

    fn divide<D: Domain>(
        &self,
        conversion: &BaseConversion,
        x: RnsTensor<D>,
        small: Option<&SmallPolys>,
    ) -> Result<RnsTensor<D>, RingError> {
        self.check(&x)?;
        let (special, kept) = (conversion.from_limbs(), conversion.to_limbs());
        let all: Vec<usize> = kept.iter().chain(&special).copied().collect();
        let mut x = x.into_limbs(&all)?;
        let high = x.limbs.split_off(kept.len());
        let mut high = RnsTensor::<Coeff> { log_n: x.log_n, rows: x.rows, limbs: high, domain: Default::default() };
        self.par_rows(high.view_mut(), |_, row, words| {
            each_width!(words, |plan, x| {
                if D::IS_EVAL {
                    plan.inverse(x);
                }
                if let Some(small) = small {
                    kernels::add_small_assign(plan.isa(), plan.modulus(), x, small.row(row));
                }
            })
        });
        self.add_half(conversion, &mut high);
        let digits = self.digits(conversion, high);
        self.par_rows(x.view_mut(), |limb, row, out| {
            each_width!(out, |plan, out| {
                let (m, isa) = (plan.modulus(), plan.isa());
                let minus_half = m.neg(Word::from_u64(conversion.half_to(limb)));
                let inverse = m.shoup(Word::from_u64(conversion.inverse_to(limb)));
                with_row(out, |out, t| {
                    match small {
                        Some(small) => {
                            // x + e less its remainder is x less the remainder less e.
                            digits.combine(plan, t, limb, row, minus_half);
                            kernels::sub_small_assign(isa, m, t, small.row(row));
                            if D::IS_EVAL {
                                plan.forward(t);
                            }
                        }
                        None if D::IS_EVAL => digits.combine_forward(plan, t, limb, row, minus_half),
                        None => digits.combine(plan, t, limb, row, minus_half),
                    }
                    kernels::sub_mul_shoup_assign(isa, m, out, t, inverse);
                });
            })
        });
        Ok(x)
    }
}

/// Lends a row of scratch beside `out`.
fn with_row<W: Word>(out: &mut [W], f: impl FnOnce(&mut [W], &mut [W])) {
    W::with_scratch(out.len(), |t| f(out, t));
}

#[cfg(test)]
mod tests;
