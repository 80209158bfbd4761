//! From residues back to integers: the centred value behind a coefficient, for decoding and for tests.
//!
//! Formula: the representative in `[-(Q-1)/2, (Q-1)/2]`, from mixed-radix digits `x = v_0 + v_1 q_0 + v_2 q_0 q_1 + ..`;
//! x is above (Q-1)/2 exactly when its digits, compared from the top, exceed `(q_i - 1)/2` each, because
//! `(Q-1)/2 = sum_i (q_i - 1)/2 * q_0 .. q_(i-1)`; and `Q - 1 - x` has the digits `q_i - 1 - v_i`.
//! Source: D. E. Knuth, The Art of Computer Programming 2, section 4.3.2.

use rayon::prelude::*;

use crate::kernels::{self, COLUMNS, DigitRow};
use crate::ring::{Plan, Ring};
use crate::tensor::{Coeff, Residues};
use crate::view::RnsView;
use crate::{NttPlan, RingError, Word};

/// Coefficients per task.
const TASK: usize = 1 << 14;

/// Centred mixed-radix digits of some columns, reused for the next ones.
struct Digits {
    primes: Vec<u64>,
    rows: Vec<DigitRow>,
    /// 1 where the value is `-(digits + 1)`.
    negative: DigitRow,
}

impl Digits {
    fn new(primes: &[u64]) -> Self {
        Self { primes: primes.to_vec(), rows: vec![[0; COLUMNS]; primes.len()], negative: [0; COLUMNS] }
    }

    /// The digits of the columns from `start` on of one row, up to [`COLUMNS`].
    fn of_columns(&mut self, ring: &Ring, x: RnsView<'_, Coeff>, row: usize, start: usize) {
        let columns = (ring.n() - start).min(COLUMNS);
        for (i, limb) in x.tensor.limbs.iter().enumerate() {
            let (below, rest) = self.rows.split_at_mut(i);
            let inverse = |j: usize| ring.inverse_of_prime(x.tensor.limbs[j].index, limb.index);
            let digit = &mut rest[0][..columns];
            match (&ring.plans[limb.index], x.row(i, row)) {
                (Plan::U32(plan), Residues::U32(x)) => {
                    next_digit(plan, &x[start..start + columns], below, inverse, digit)
                }
                (Plan::U64(plan), Residues::U64(x)) => {
                    next_digit(plan, &x[start..start + columns], below, inverse, digit)
                }
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        }
        kernels::center(ring.isa(), &self.primes, &mut self.rows, &mut self.negative);
    }

    /// The value of a column, unless it overflows.
    fn exact(&self, column: usize) -> Option<i128> {
        let step =
            |acc: i128, (v, q): (&DigitRow, &u64)| acc.checked_mul(i128::from(*q))?.checked_add(i128::from(v[column]));
        let size = self.rows.iter().zip(&self.primes).rev().try_fold(0, step)?;
        Some(if self.negative[column] == 0 { size } else { -size - 1 })
    }
}

/// `digit = ((x - v_0) / q_0 - v_1) / q_1 ..` modulo the prime of the plan, for the digits v below.
fn next_digit<W: Word>(
    plan: &NttPlan<W>,
    x: &[W],
    below: &[DigitRow],
    inverse: impl Fn(usize) -> u64,
    digit: &mut [u64],
) {
    let (m, isa) = (plan.modulus(), plan.isa());
    let (mut words, mut reduced) = ([W::default(); COLUMNS], [W::default(); COLUMNS]);
    let (words, reduced) = (&mut words[..x.len()], &mut reduced[..x.len()]);
    words.copy_from_slice(x);
    for (j, v) in below.iter().enumerate() {
        kernels::reduce_add_into(isa, m, reduced, &v[..x.len()], W::default());
        kernels::sub_mul_shoup_assign(isa, m, words, reduced, m.shoup(W::from_u64(inverse(j))));
    }
    digit.iter_mut().zip(words).for_each(|(digit, word)| *digit = word.to_u64());
}

impl Ring {
    /// Row `row` as centred integers times `factor`, in f64: two primes or fewer round once, more round twice per prime.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`], [`RingError::RowOutOfRange`].
    pub fn compose_centered<'x>(
        &self,
        x: impl Into<RnsView<'x, Coeff>>,
        row: usize,
        factor: f64,
    ) -> Result<Vec<f64>, RingError> {
        let mut out = vec![0.0; self.n()];
        self.compose_centered_into(x, row, factor, &mut out)?;
        Ok(out)
    }

    /// As [`Ring::compose_centered`], into `out`, N numbers.
    ///
    /// # Errors
    /// As [`Ring::compose_centered`]; [`RingError::LengthMismatch`].
    pub fn compose_centered_into<'x>(
        &self,
        x: impl Into<RnsView<'x, Coeff>>,
        row: usize,
        factor: f64,
        out: &mut [f64],
    ) -> Result<(), RingError> {
        let numbers = |digits: &Digits, out: &mut [f64]| {
            kernels::numbers(self.isa(), &digits.primes, &digits.rows, &digits.negative, factor, out);
        };
        self.compose(x.into(), row, out, numbers)
    }

    /// Row `row` as centred integers, exact.
    ///
    /// # Errors
    /// [`RingError::ComposeTooWide`] when the product of the primes has more than 126 bits;
    /// [`RingError::ForeignTensor`], [`RingError::RowOutOfRange`].
    pub fn compose_centered_i128<'x>(
        &self,
        x: impl Into<RnsView<'x, Coeff>>,
        row: usize,
    ) -> Result<Vec<i128>, RingError> {
        let x = x.into();
        let bits = x.tensor.primes().iter().map(|q| u64::from(u64::BITS - q.leading_zeros())).sum();
        if bits > 126 {
            return Err(RingError::ComposeTooWide { bits, target: "i128" });
        }
        let mut out = vec![0; self.n()];
        self.compose(x, row, &mut out, |digits, out| {
            out.iter_mut().enumerate().for_each(|(column, out)| *out = digits.exact(column).unwrap_or(0));
        })?;
        Ok(out)
    }

    /// Gives the digits of all columns to `f`, some at a time.
    fn compose<T: Send>(
        &self,
        x: RnsView<'_, Coeff>,
        row: usize,
        out: &mut [T],
        f: impl Fn(&Digits, &mut [T]) + Sync,
    ) -> Result<(), RingError> {
        self.check(x.tensor)?;
        if row >= x.rows() {
            return Err(RingError::RowOutOfRange { end: row + 1, rows: x.rows() });
        }
        if out.len() != self.n() {
            return Err(RingError::LengthMismatch { what: "coefficients", expected: self.n(), found: out.len() });
        }
        let primes = x.tensor.primes();
        out.par_chunks_mut(TASK).enumerate().for_each(|(task, out)| {
            let mut digits = Digits::new(&primes);
            for (i, out) in out.chunks_mut(COLUMNS).enumerate() {
                digits.of_columns(self, x, row, task * TASK + i * COLUMNS);
                f(&digits, out);
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
