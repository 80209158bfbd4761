//! The inside of a key switch in one pass: raise every digit, transform it, multiply by the key, sum.
//!
//! Formula: `y_c = sum_j d_j * key[2j + c]` for c = 0, 1, `d_j` digit j of x raised to all limbs as [`Ring::mod_up`] does;
//! the residues of mod_up and [`Ring::inner_product`], without raised digits ever standing in memory: a task holds the
//! digits of one value modulo one prime, which fit the second-level cache.

use rayon::prelude::*;

use crate::base_conversion::{BaseConversion, Digits};
use crate::kernels;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

/// What every task reads.
struct Inputs<'a> {
    /// x, found by position among `x_limbs`.
    x: Operand<'a, Eval>,
    x_limbs: Vec<usize>,
    digits: Vec<Digits<'a>>,
    raise: &'a [BaseConversion],
    /// The key, limbs in the order of the output.
    key: Operand<'a, Eval>,
}

impl Ring {
    /// Rows `2v` and `2v + 1` of the result are the two sums for row v of x, over the limbs of `raise` in ascending order;
    /// `raise[j]` is the conversion of digit j, and the key has two rows per digit (more digits may follow, unused).
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`] without digits, [`RingError::RowMismatch`] when the key has fewer rows than needed,
    /// [`RingError::MissingLimb`], [`RingError::ForeignTensor`].
    pub fn raised_inner_product<'x, 'k>(
        &self,
        raise: &[BaseConversion],
        x: impl Into<RnsView<'x, Eval>>,
        key: impl Into<RnsView<'k, Eval>>,
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (x, key) = (x.into(), key.into());
        let Some(first) = raise.first() else {
            return Err(RingError::LengthMismatch { what: "digits", expected: 1, found: 0 });
        };
        if key.rows() < 2 * raise.len() {
            return Err(RingError::RowMismatch { left: 2 * raise.len(), right: key.rows() });
        }
        let mut limbs: Vec<usize> = first.from_limbs().into_iter().chain(first.to_limbs()).collect();
        limbs.sort_unstable();
        let coeff = self.inverse(x.to_tensor())?;
        let digit =
            |conversion| Ok(self.approximate_digits(conversion, coeff.view().with_limbs(&conversion.from_limbs())?));
        let inputs = Inputs {
            x: self.operand(&x.limb_indices(), x.rows(), x)?,
            x_limbs: x.limb_indices(),
            digits: raise.iter().map(digit).collect::<Result<_, RingError>>()?,
            raise,
            key: self.operand(&limbs, key.rows(), key)?,
        };
        drop(coeff);
        let mut out = self.zero::<Eval>(2 * x.rows(), &limbs)?;
        let stride = out.stride();
        out.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            let index = store.index;
            match (&self.plans[index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => inputs.limb(plan, words.as_mut_slice(), stride, limb, index),
                (Plan::U64(plan), Words::U64(words)) => inputs.limb(plan, words.as_mut_slice(), stride, limb, index),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(out)
    }
}

impl Inputs<'_> {
    /// Both sums of every value modulo one prime.
    fn limb<W: Word>(&self, plan: &NttPlan<W>, out: &mut [W], stride: usize, limb: usize, index: usize) {
        let n = 1usize << plan.log_n();
        let key = |c: usize| (0..self.raise.len()).map(|j| self.key.words::<W>(limb, 2 * j + c)).collect::<Vec<_>>();
        let keys = [key(0), key(1)];
        out.par_chunks_exact_mut(2 * stride).enumerate().for_each(|(value, out)| {
            W::with_scratch(self.raise.len() * stride, |scratch| {
                let mut digits: Vec<&[W]> = Vec::with_capacity(self.raise.len());
                for ((conversion, digit), row) in
                    self.raise.iter().zip(&self.digits).zip(scratch.chunks_exact_mut(stride))
                {
                    match conversion.target(index) {
                        Some(target) => {
                            let row = &mut row[..n];
                            digit.combine(plan, row, target, value);
                            plan.forward(row);
                            digits.push(row);
                        }
                        // The prime is one of the digit's own: x itself, as it came.
                        None => match self.x_limbs.iter().position(|limb| *limb == index) {
                            Some(position) => digits.push(self.x.words(position, value)),
                            None => unreachable!("every limb is of the digit or of its conversion"),
                        },
                    }
                }
                let (out0, out1) = out.split_at_mut(stride);
                let (out0, out1) = (&mut out0[..n], &mut out1[..n]);
                kernels::inner_product_pair(plan.isa(), plan.modulus(), out0, out1, &digits, &keys[0], &keys[1]);
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::testing::{mixed_ring, random_tensor};

    /// The same residues as raising, then multiplying.
    #[test]
    fn agrees_with_mod_up_and_inner_product() {
        for isa in Isa::available() {
            for log_n in [1, 3, 7] {
                let ring = mixed_ring(log_n, isa);
                for groups in
                    [vec![vec![0], vec![1], vec![2], vec![3]], vec![vec![0, 1], vec![2, 3]], vec![vec![0, 1, 2]]]
                {
                    let active: Vec<usize> = groups.concat();
                    let raise: Vec<BaseConversion> = groups
                        .iter()
                        .map(|from| {
                            let to: Vec<usize> =
                                active.iter().copied().chain([4]).filter(|i| !from.contains(i)).collect();
                            BaseConversion::new(&ring, from, &to).unwrap()
                        })
                        .collect();
                    let x: RnsTensor<Eval> = random_tensor(&ring, 3, &active);
                    let key: RnsTensor<Eval> = random_tensor(&ring, 2 * groups.len() + 2, &[0, 1, 2, 3, 4]);
                    let coeff = ring.inverse(x.clone()).unwrap();
                    let raised: Vec<_> = raise.iter().map(|c| ring.mod_up(c, &coeff, &x).unwrap()).collect();
                    let views: Vec<_> = raised.iter().map(RnsTensor::view).collect();
                    let keys: Vec<_> = (0..groups.len()).map(|j| key.view().range(2 * j, 2).unwrap()).collect();
                    let expected = ring.inner_product(&views, &keys).unwrap();
                    let found = ring.raised_inner_product(&raise, &x, &key).unwrap();
                    assert_eq!(found, expected, "{} log_n {log_n} {groups:?}", isa.name());
                }
            }
        }
    }

    #[test]
    fn refusals() {
        let ring = mixed_ring(3, Isa::Scalar);
        let x: RnsTensor<Eval> = random_tensor(&ring, 1, &[0]);
        let none = ring.raised_inner_product(&[], &x, &x).err();
        assert_eq!(none, Some(RingError::LengthMismatch { what: "digits", expected: 1, found: 0 }));
        let raise = [BaseConversion::new(&ring, &[0], &[1]).unwrap()];
        let short = ring.raised_inner_product(&raise, &x, &x).err();
        assert_eq!(short, Some(RingError::RowMismatch { left: 2, right: 1 }));
        let key: RnsTensor<Eval> = random_tensor(&ring, 2, &[0]);
        let missing = ring.raised_inner_product(&raise, &x, &key).err();
        assert_eq!(missing, Some(RingError::MissingLimb { index: 1, found: vec![0] }));
    }
}
