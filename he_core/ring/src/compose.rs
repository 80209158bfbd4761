//! From residues back to integers: the centred value behind a coefficient, for decoding and for tests.
//!
//! Formula: the representative in `[-(Q-1)/2, (Q-1)/2]`, from mixed-radix digits `x = v_0 + v_1 q_0 + v_2 q_0 q_1 + ..`;
//! x is above (Q-1)/2 exactly when its digits, compared from the top, exceed `(q_i - 1)/2` each, because
//! `(Q-1)/2 = sum_i (q_i - 1)/2 * q_0 .. q_(i-1)`; and `Q - 1 - x` has the digits `q_i - 1 - v_i`.
//! Source: D. E. Knuth, The Art of Computer Programming 2, section 4.3.2.

use rayon::prelude::*;

use crate::modulus::Modulus;
use crate::ring::Ring;
use crate::tensor::Coeff;
use crate::view::RnsView;
use crate::{RingError, ShoupFactor};

/// Coefficients per task.
const CHUNK: usize = 512;

/// Constants for the digits of one list of primes.
struct Composer {
    moduli: Vec<Modulus<u64>>,
    /// `[i][j] = q_j^-1 mod q_i`, j < i.
    inverses: Vec<Vec<ShoupFactor<u64>>>,
}

/// Sign and magnitude in digits.
struct Centered<'a> {
    negative: bool,
    digits: &'a [u64],
}

impl Composer {
    fn new(primes: &[u64]) -> Result<Self, RingError> {
        let moduli = primes.iter().map(|q| Modulus::new(*q)).collect::<Result<Vec<Modulus<u64>>, _>>()?;
        let inverse = |m: Modulus<u64>, q: u64| m.shoup(m.inverse_vartime(m.reduce_u64(q)));
        let inverses =
            (0..moduli.len()).map(|i| primes[..i].iter().map(|q| inverse(moduli[i], *q)).collect()).collect();
        Ok(Self { moduli, inverses })
    }

    /// Residues in `v` become the digits of the centred magnitude, except that a negative value is `-(digits + 1)`.
    fn digits<'a>(&self, v: &'a mut [u64]) -> Centered<'a> {
        for i in 1..v.len() {
            let m = self.moduli[i];
            for j in 0..i {
                v[i] = m.mul_shoup(m.sub(v[i], m.reduce_u64(v[j])), self.inverses[i][j]);
            }
        }
        let halves = self.moduli.iter().map(|m| m.to_u64() / 2);
        let negative = v.iter().zip(halves).rev().find(|(v, h)| **v != *h).is_some_and(|(v, h)| *v > h);
        if negative {
            v.iter_mut().zip(&self.moduli).for_each(|(v, m)| *v = m.to_u64() - 1 - *v);
        }
        Centered { negative, digits: v }
    }
}

impl Ring {
    /// Row `row` as centred integers times `factor`, in f64: two primes or fewer round once, more round once per prime.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`], [`RingError::RowOutOfRange`].
    pub fn compose_centered<'x>(
        &self,
        x: impl Into<RnsView<'x, Coeff>>,
        row: usize,
        factor: f64,
    ) -> Result<Vec<f64>, RingError> {
        let x = x.into();
        let moduli = x.tensor.primes();
        let magnitude = |digits: &[u64]| -> f64 {
            match digits {
                [v] => (*v as f64) + 0.0,
                _ => digits.iter().zip(&moduli).rev().fold(0.0, |acc, (v, q)| acc * (*q as f64) + *v as f64),
            }
        };
        self.compose(x, row, |centered| {
            if let ([_] | [_, _], Some(value)) = (centered.digits, exact_i128(&centered, &moduli)) {
                return value as f64 * factor;
            }
            let size = magnitude(centered.digits) + f64::from(u8::from(centered.negative));
            (if centered.negative { -size } else { size }) * factor
        })
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
        let moduli = x.tensor.primes();
        let bits = moduli.iter().map(|q| u64::from(u64::BITS - q.leading_zeros())).sum();
        if bits > 126 {
            return Err(RingError::ComposeTooWide { bits, target: "i128" });
        }
        self.compose(x, row, |centered| exact_i128(&centered, &moduli).unwrap_or(0))
    }

    fn compose<T: Send>(
        &self,
        x: RnsView<'_, Coeff>,
        row: usize,
        f: impl Fn(Centered<'_>) -> T + Sync,
    ) -> Result<Vec<T>, RingError> {
        self.check(x.tensor)?;
        if row >= x.rows() {
            return Err(RingError::RowOutOfRange { end: row + 1, rows: x.rows() });
        }
        let composer = Composer::new(&x.tensor.primes())?;
        let limbs: Vec<_> = (0..x.tensor.limb_count()).map(|limb| x.row(limb, row)).collect();
        let one = |digits: &mut Vec<u64>, i: usize| {
            digits.clear();
            digits.extend(limbs.iter().map(|limb| limb.get(i)));
            f(composer.digits(digits))
        };
        Ok((0..self.n()).into_par_iter().with_min_len(CHUNK).map_init(Vec::new, one).collect())
    }
}

/// The value, unless it overflows.
fn exact_i128(centered: &Centered<'_>, primes: &[u64]) -> Option<i128> {
    let step = |acc: i128, (v, q): (&u64, &u64)| acc.checked_mul(i128::from(*q))?.checked_add(i128::from(*v));
    let size = centered.digits.iter().zip(primes).rev().try_fold(0, step)?;
    Some(if centered.negative { -size - 1 } else { size })
}

#[cfg(test)]
mod tests;
