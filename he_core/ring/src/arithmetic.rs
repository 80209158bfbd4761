//! Pointwise operations on tensors: sums, products, products with constants.
//!
//! The right-hand side has as many rows as the left, or one that serves all; it has every limb of the left (found by
//! ring index) and perhaps more. Errors of all: [`RingError::ForeignTensor`], [`RingError::MissingLimb`],
//! [`RingError::RowMismatch`].

use crate::kernels;
use crate::ring::{Ring, each_width};
use crate::scalars::{Bias, RnsScalars};
use crate::tensor::{Domain, Eval, RnsTensor};
use crate::view::{RnsView, RnsViewMut};
use crate::{RingError, Word};

impl Ring {
    /// `x = y`.
    ///
    /// # Errors
    /// See the module.
    pub fn copy<'x, 'y, D: Domain>(
        &self,
        x: impl Into<RnsViewMut<'x, D>>,
        y: impl Into<RnsView<'y, D>>,
    ) -> Result<(), RingError> {
        let (x, y) = (x.into(), y.into());
        self.check(x.tensor)?;
        let y = self.operand(&x.tensor.limb_indices(), x.rows(), y)?;
        self.par_rows(x, |l, r, row| each_width!(row, |_plan, x| x.copy_from_slice(y.words(l, r))));
        Ok(())
    }

    /// `x += y`.
    ///
    /// # Errors
    /// See the module.
    pub fn add_assign<'x, 'y, D: Domain>(
        &self,
        x: impl Into<RnsViewMut<'x, D>>,
        y: impl Into<RnsView<'y, D>>,
    ) -> Result<(), RingError> {
        let (x, y) = (x.into(), y.into());
        self.check(x.tensor)?;
        let y = self.operand(&x.tensor.limb_indices(), x.rows(), y)?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| kernels::add_assign(plan.isa(), plan.modulus(), x, y.words(l, r)))
        });
        Ok(())
    }

    /// `x -= y`.
    ///
    /// # Errors
    /// See the module.
    pub fn sub_assign<'x, 'y, D: Domain>(
        &self,
        x: impl Into<RnsViewMut<'x, D>>,
        y: impl Into<RnsView<'y, D>>,
    ) -> Result<(), RingError> {
        let (x, y) = (x.into(), y.into());
        self.check(x.tensor)?;
        let y = self.operand(&x.tensor.limb_indices(), x.rows(), y)?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| kernels::sub_assign(plan.isa(), plan.modulus(), x, y.words(l, r)))
        });
        Ok(())
    }

    /// `x = -x`.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`].
    pub fn negate_assign<'x, D: Domain>(&self, x: impl Into<RnsViewMut<'x, D>>) -> Result<(), RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        self.par_rows(x, |_, _, row| each_width!(row, |plan, x| kernels::negate_assign(plan.isa(), plan.modulus(), x)));
        Ok(())
    }

    /// `x *= y`.
    ///
    /// # Errors
    /// See the module.
    pub fn mul_assign<'x, 'y>(
        &self,
        x: impl Into<RnsViewMut<'x, Eval>>,
        y: impl Into<RnsView<'y, Eval>>,
    ) -> Result<(), RingError> {
        let (x, y) = (x.into(), y.into());
        self.check(x.tensor)?;
        let y = self.operand(&x.tensor.limb_indices(), x.rows(), y)?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| kernels::mul_assign(plan.isa(), plan.modulus(), x, y.words(l, r)))
        });
        Ok(())
    }

    /// `out = x * y`; the limbs and rows of `out` lead.
    ///
    /// # Errors
    /// See the module.
    pub fn mul_into<'o, 'x, 'y>(
        &self,
        out: impl Into<RnsViewMut<'o, Eval>>,
        x: impl Into<RnsView<'x, Eval>>,
        y: impl Into<RnsView<'y, Eval>>,
    ) -> Result<(), RingError> {
        let (out, x, y) = (out.into(), x.into(), y.into());
        self.check(out.tensor)?;
        let limbs = out.tensor.limb_indices();
        let (x, y) = (self.operand(&limbs, out.rows(), x)?, self.operand(&limbs, out.rows(), y)?);
        self.par_rows(out, |l, r, row| {
            each_width!(row, |plan, out| {
                kernels::mul_into(plan.isa(), plan.modulus(), out, x.words(l, r), y.words(l, r))
            })
        });
        Ok(())
    }

    /// `acc += x * y`.
    ///
    /// # Errors
    /// See the module.
    pub fn mul_add_assign<'o, 'x, 'y>(
        &self,
        acc: impl Into<RnsViewMut<'o, Eval>>,
        x: impl Into<RnsView<'x, Eval>>,
        y: impl Into<RnsView<'y, Eval>>,
    ) -> Result<(), RingError> {
        let (acc, x, y) = (acc.into(), x.into(), y.into());
        self.check(acc.tensor)?;
        let limbs = acc.tensor.limb_indices();
        let (x, y) = (self.operand(&limbs, acc.rows(), x)?, self.operand(&limbs, acc.rows(), y)?);
        self.par_rows(acc, |l, r, row| {
            each_width!(row, |plan, acc| {
                kernels::mul_add_assign(plan.isa(), plan.modulus(), acc, x.words(l, r), y.words(l, r))
            })
        });
        Ok(())
    }

    /// Products of ciphertexts before relinearization: rows of `x` are values of `cx` components, rows of `y` of `cy`,
    /// rows of the result of `cx + cy - 1`; component `k` of a product is `sum_(i+j=k) x_i * y_j`. `y` may be one value
    /// for all. The limbs of `x` lead.
    ///
    /// # Errors
    /// See the module; [`RingError::RowMismatch`] also when rows do not split into values.
    pub fn mul_components<'x, 'y>(
        &self,
        x: impl Into<RnsView<'x, Eval>>,
        cx: usize,
        y: impl Into<RnsView<'y, Eval>>,
        cy: usize,
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (x, y) = (x.into(), y.into());
        let values = split_rows(x.rows(), cx)?;
        let y_values = split_rows(y.rows(), cy)?;
        if y_values != values && y_values != 1 {
            return Err(RingError::RowMismatch { left: x.rows(), right: y.rows() });
        }
        let limbs = x.limb_indices();
        let mut out = self.unwritten(values * (cx + cy - 1), &limbs)?;
        let x = self.operand(&limbs, x.rows(), x)?;
        let y = self.operand(&limbs, y.rows(), y)?;
        let y_value = |value: usize| if y_values == 1 { 0 } else { value };
        self.par_rows(out.view_mut(), |l, r, row| {
            let (value, k) = (r / (cx + cy - 1), r % (cx + cy - 1));
            let pairs = (0..cx).filter(|i| (*i..*i + cy).contains(&k));
            each_width!(row, |plan, out| {
                for (nth, i) in pairs.enumerate() {
                    let (a, b) = (x.words(l, value * cx + i), y.words(l, y_value(value) * cy + k - i));
                    if nth == 0 {
                        kernels::mul_into(plan.isa(), plan.modulus(), out, a, b);
                    } else {
                        kernels::mul_add_assign(plan.isa(), plan.modulus(), out, a, b);
                    }
                }
            });
        });
        Ok(out)
    }

    /// Sums of products, the inside of a key switch: `digits[d]` has V rows, `keys[d]` has C, and row `v*C + c` of the
    /// result is `sum_d digits[d][v] * keys[d][c]`, accumulated unreduced. The limbs of the first digit lead.
    ///
    /// # Errors
    /// See the module; [`RingError::LengthMismatch`] unless there are as many keys as digits, at least one.
    pub fn inner_product(
        &self,
        digits: &[RnsView<'_, Eval>],
        keys: &[RnsView<'_, Eval>],
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (Some(first), Some(first_key), true) = (digits.first(), keys.first(), digits.len() == keys.len()) else {
            return Err(RingError::LengthMismatch { what: "keys", expected: digits.len().max(1), found: keys.len() });
        };
        let (limbs, values, components) = (first.limb_indices(), first.rows(), first_key.rows());
        let exact = |rows: usize, view: &RnsView<'_, Eval>| match view.rows() == rows {
            true => Ok(()),
            false => Err(RingError::RowMismatch { left: rows, right: view.rows() }),
        };
        digits.iter().try_for_each(|digit| exact(values, digit))?;
        keys.iter().try_for_each(|key| exact(components, key))?;
        let digits = digits.iter().map(|d| self.operand(&limbs, values, *d)).collect::<Result<Vec<_>, _>>()?;
        let keys = keys.iter().map(|k| self.operand(&limbs, components, *k)).collect::<Result<Vec<_>, _>>()?;
        let mut out = self.unwritten(values * components, &limbs)?;
        self.par_rows(out.view_mut(), |l, r, row| {
            each_width!(row, |plan, out| {
                let xs: Vec<_> = digits.iter().map(|digit| digit.words(l, r / components)).collect();
                let ys: Vec<_> = keys.iter().map(|key| key.words(l, r % components)).collect();
                kernels::inner_product(plan.isa(), plan.modulus(), out, &xs, &ys);
            })
        });
        Ok(out)
    }

    /// `x *= c`, one constant per row or one for all.
    ///
    /// # Errors
    /// See the module.
    pub fn mul_scalar_assign<'x, D: Domain>(
        &self,
        x: impl Into<RnsViewMut<'x, D>>,
        scalars: &RnsScalars,
    ) -> Result<(), RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        let scalars = scalars.for_limbs(self, &x.tensor.limb_indices(), x.rows())?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| {
                let w = plan.modulus().shoup(Word::from_u64(scalars.get(l, r)));
                kernels::mul_shoup_assign(plan.isa(), plan.modulus(), x, w);
            })
        });
        Ok(())
    }

    /// `x += c`, one constant per row or one for all: to the constant coefficient, which is every evaluation.
    ///
    /// # Errors
    /// See the module.
    pub fn add_scalar_assign<'x, D: Domain>(
        &self,
        x: impl Into<RnsViewMut<'x, D>>,
        scalars: &RnsScalars,
    ) -> Result<(), RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        let scalars = scalars.for_limbs(self, &x.tensor.limb_indices(), x.rows())?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| {
                let words = if D::IS_EVAL { x } else { &mut x[..1] };
                let c = Word::from_u64(scalars.get(l, r));
                kernels::add_constant_assign(plan.isa(), plan.modulus(), words, c);
            })
        });
        Ok(())
    }
}

impl Ring {
    /// As [`Ring::add_scalar_assign`] in the evaluation domain, for numbers in either part of the slots.
    ///
    /// # Errors
    /// See the module.
    pub fn add_bias_assign<'x>(&self, x: impl Into<RnsViewMut<'x, Eval>>, bias: Bias<'_>) -> Result<(), RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        let scalars = bias.scalars().for_limbs(self, &x.tensor.limb_indices(), x.rows())?;
        self.par_rows(x, |l, r, row| {
            each_width!(row, |plan, x| {
                let (first, second) = x.split_at_mut(x.len() / 2);
                let halves = bias.halves(plan)(Word::from_u64(scalars.get(l, r)));
                for (half, c) in [first, second].into_iter().zip(halves) {
                    kernels::add_constant_assign(plan.isa(), plan.modulus(), half, c);
                }
            })
        });
        Ok(())
    }
}

/// How many values of `components` rows there are.
fn split_rows(rows: usize, components: usize) -> Result<usize, RingError> {
    if components == 0 || !rows.is_multiple_of(components) {
        return Err(RingError::RowMismatch { left: rows, right: components });
    }
    Ok(rows / components)
}

#[cfg(test)]
mod tests;
