//! A key switch from end to end: raise every digit, transform it, multiply by the key, sum, divide.
//!
//! Formula: `y_i = round((P c_i + sum_j d_j key[2j + i]) / D)` for i = 0, 1: `d_j` is digit j of x, raised to all limbs as
//! [`Ring::mod_up`] does, D the product of the primes divided out, P that of those among them that x does not have. With
//! `D = P` it is `c_i + round(sum / P)`, the residues of mod_up, [`Ring::inner_product`], [`Ring::mod_down`] and a sum; with
//! the last prime of x in D as well a rescale is part of it: `P c_i` is exact, so one rounding stands where there were two.
//! Transforms for L limbs of x, one prime to a digit, k special primes and d primes divided out: `L` inverse and
//! `L (L + k - 1)` forward for the digits, `2 d` inverse and `2 (L + k - d)` forward for the division. At L = 6, k = 1 these
//! are 56, with the rescale 56 too (a rescale alone takes 12).
//! Layout: a task holds the digits of one polynomial modulo one prime, which fit the second-level cache; sums of limbs
//! that stay are divided where they were made, so no raised digit and no sum ever stands in memory.
//! Source: \[HK20\].

use rayon::prelude::*;

use crate::base_conversion::{BaseConversion, Digits};
use crate::kernels;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::tensor::{Coeff, Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

/// Polynomials that one pass switches: few enough for their digits to stay in the cache, with the key in use.
const PASS_POLYNOMIALS: usize = 4;

/// What every task reads.
struct Inputs<'a> {
    /// x, found by position among `x_limbs`.
    x: Operand<'a, Eval>,
    x_limbs: Vec<usize>,
    raise: &'a [BaseConversion],
    divide: &'a BaseConversion,
    /// The key and the addends, limbs as in `limbs`.
    key: Operand<'a, Eval>,
    addends: [Option<Operand<'a, Eval>>; 2],
    /// Ring indices: the limbs that stay, then those divided out that x has.
    limbs: Vec<usize>,
    /// Primes divided out that x does not have.
    special: Vec<u64>,
    stride: usize,
}

impl Ring {
    /// Rows `2v` and `2v + 1` of the result are `y_0` and `y_1` for row v of x, over `divide.to_limbs()`; `raise[j]` is the
    /// conversion of digit j to all other limbs of `divide`, the key has two rows per digit (more may follow, unused), and
    /// an absent addend is 0.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`] without digits; [`RingError::RowMismatch`] when the key has fewer rows than needed or
    /// an addend another number of rows than x; [`RingError::MissingLimb`], [`RingError::ForeignTensor`].
    pub fn key_switch<'x, 'k, 'c>(
        &self,
        raise: &[BaseConversion],
        divide: &BaseConversion,
        x: impl Into<RnsView<'x, Eval>>,
        key: impl Into<RnsView<'k, Eval>>,
        addends: [Option<RnsView<'c, Eval>>; 2],
    ) -> Result<RnsTensor<Eval>, RingError> {
        let (x, key) = (x.into(), key.into());
        if raise.is_empty() {
            return Err(RingError::LengthMismatch { what: "digits", expected: 1, found: 0 });
        }
        if key.rows() < 2 * raise.len() {
            return Err(RingError::RowMismatch { left: 2 * raise.len(), right: key.rows() });
        }
        let (kept, x_limbs) = (divide.to_limbs(), x.limb_indices());
        let (shared, special): (Vec<usize>, Vec<usize>) =
            divide.from_limbs().into_iter().partition(|index| x_limbs.contains(index));
        let limbs: Vec<usize> = kept.iter().chain(&shared).copied().collect();
        let all: Vec<usize> = limbs.iter().chain(&special).copied().collect();
        for conversion in raise {
            let from = conversion.from_limbs();
            if let Some(index) = all.iter().find(|i| conversion.target(**i).is_none() && !from.contains(i)) {
                return Err(RingError::MissingLimb { index: *index, found: conversion.to_limbs() });
            }
        }
        let addend = |view: Option<RnsView<'c, Eval>>| match view {
            Some(view) if view.rows() != x.rows() => Err(RingError::RowMismatch { left: x.rows(), right: view.rows() }),
            Some(view) => Ok(Some(self.operand(&limbs, x.rows(), view)?)),
            None => Ok(None),
        };
        let [first, second] = addends;
        let inputs = Inputs {
            x: self.operand(&x_limbs, x.rows(), x)?,
            raise,
            divide,
            key: self.operand(&all, key.rows(), key)?,
            addends: [addend(first)?, addend(second)?],
            special: special.iter().map(|index| self.primes()[*index]).collect(),
            stride: x.tensor.stride(),
            x_limbs,
            limbs,
        };
        let mut out = self.unwritten::<Eval>(2 * x.rows(), &kept)?;
        // With work for every thread: a pass has a task per polynomial and prime.
        let pass = PASS_POLYNOMIALS.max(2 * rayon::current_num_threads().div_ceil(kept.len().max(1)));
        for first in (0..x.rows()).step_by(pass) {
            let count = pass.min(x.rows() - first);
            let digits = self.raw_digits(raise, x.range(first, count)?)?;
            let high = self.high_digits(&inputs, &digits, &all, first, count)?;
            inputs.each_value(self, &mut out, 2 * first, count, |limb, index, row| match row {
                ValueRows::U32(plan, out) => inputs.divided(plan, &digits, &high, out, limb, index, first),
                ValueRows::U64(plan, out) => inputs.divided(plan, &digits, &high, out, limb, index, first),
            });
        }
        Ok(out)
    }

    /// The digits of x before they are raised, as coefficients.
    fn raw_digits<'c>(&self, raise: &'c [BaseConversion], x: RnsView<'_, Eval>) -> Result<Vec<Digits<'c>>, RingError> {
        let mut coeff = self.inverse(x.to_tensor())?;
        let digit = |conversion: &'c BaseConversion| {
            let from = conversion.from_limbs();
            let missing = from.iter().find(|index| !coeff.limbs.iter().any(|limb| limb.index == **index));
            if let Some(index) = missing {
                return Err(RingError::MissingLimb { index: *index, found: coeff.limb_indices() });
            }
            let (taken, rest) = coeff.limbs.drain(..).partition(|limb| from.contains(&limb.index));
            coeff.limbs = rest;
            let digit = RnsTensor { log_n: coeff.log_n, rows: coeff.rows, limbs: taken, domain: coeff.domain };
            Ok(self.digits(conversion, digit.into_limbs(&from)?))
        };
        raise.iter().map(digit).collect()
    }

    /// The sums over the primes divided out, as the digits from which the rest follows.
    fn high_digits<'a>(
        &self,
        inputs: &Inputs<'a>,
        digits: &[Digits<'_>],
        all: &[usize],
        first: usize,
        count: usize,
    ) -> Result<Digits<'a>, RingError> {
        let mut high = self.unwritten::<Coeff>(2 * count, &inputs.divide.from_limbs())?;
        inputs.each_value(self, &mut high, 0, count, |_, index, row| {
            let position = all.iter().position(|limb| *limb == index).unwrap_or_default();
            match row {
                ValueRows::U32(plan, out) => inputs.high(plan, digits, out, position, index, first),
                ValueRows::U64(plan, out) => inputs.high(plan, digits, out, position, index, first),
            }
        });
        self.add_half(inputs.divide, &mut high);
        Ok(self.digits(inputs.divide, high))
    }
}

/// The two rows of polynomial `.1.0` with the plan of their prime.
enum ValueRows<'a> {
    U32(&'a NttPlan<u32>, (usize, &'a mut [u32])),
    U64(&'a NttPlan<u64>, (usize, &'a mut [u64])),
}

impl Inputs<'_> {
    /// Runs `f(limb position, ring index, rows)` for `count` pairs of rows from row `start` on, in parallel.
    fn each_value<D: crate::Domain>(
        &self,
        ring: &Ring,
        out: &mut RnsTensor<D>,
        start: usize,
        count: usize,
        f: impl Fn(usize, usize, ValueRows<'_>) + Send + Sync,
    ) {
        let words = start * self.stride..(start + 2 * count) * self.stride;
        out.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            let index = store.index;
            match (&ring.plans[index], &mut store.words) {
                (Plan::U32(plan), Words::U32(store)) => store.as_mut_slice()[words.clone()]
                    .par_chunks_exact_mut(2 * self.stride)
                    .enumerate()
                    .for_each(|(value, out)| f(limb, index, ValueRows::U32(plan, (value, out)))),
                (Plan::U64(plan), Words::U64(store)) => store.as_mut_slice()[words.clone()]
                    .par_chunks_exact_mut(2 * self.stride)
                    .enumerate()
                    .for_each(|(value, out)| f(limb, index, ValueRows::U64(plan, (value, out)))),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
    }

    /// Both sums of one polynomial modulo one prime; `limb` is its position in the key.
    #[expect(clippy::too_many_arguments, reason = "one polynomial, one prime, and where they stand")]
    fn sums<W: Word>(
        &self,
        plan: &NttPlan<W>,
        digits: &[Digits<'_>],
        [out0, out1]: [&mut [W]; 2],
        scratch: &mut [W],
        limb: usize,
        index: usize,
        first: usize,
        value: usize,
    ) {
        let n = out0.len();
        let mut raised: Vec<&[W]> = Vec::with_capacity(self.raise.len());
        for ((conversion, digit), row) in self.raise.iter().zip(digits).zip(scratch.chunks_exact_mut(self.stride)) {
            if let Some(target) = conversion.target(index) {
                let row = &mut row[..n];
                digit.combine_forward(plan, row, target, value, W::default());
                raised.push(row);
            } else if let Some(position) = self.x_limbs.iter().position(|limb| *limb == index) {
                // The prime is one of the digit's own: x itself, as it came.
                raised.push(self.x.words(position, first + value));
            }
        }
        let key = |i: usize| (0..raised.len()).map(|j| self.key.words::<W>(limb, 2 * j + i)).collect::<Vec<_>>();
        kernels::inner_product_pair(plan.isa(), plan.modulus(), out0, out1, &raised, &key(0), &key(1));
    }

    /// `P` modulo the prime of the plan.
    fn special<W: Word>(&self, plan: &NttPlan<W>) -> W {
        let m = plan.modulus();
        self.special.iter().fold(W::from_u64(1), |product, q| m.mul(product, m.reduce_u64(*q)))
    }

    /// `P c + sum` modulo a prime divided out, back as coefficients.
    fn high<W: Word>(
        &self,
        plan: &NttPlan<W>,
        digits: &[Digits<'_>],
        (value, out): (usize, &mut [W]),
        limb: usize,
        index: usize,
        first: usize,
    ) {
        let n = 1usize << plan.log_n();
        let (out0, out1) = out.split_at_mut(self.stride);
        let (out0, out1) = (&mut out0[..n], &mut out1[..n]);
        W::with_scratch(self.raise.len() * self.stride, |scratch| {
            self.sums(plan, digits, [&mut *out0, &mut *out1], scratch, limb, index, first, value);
        });
        for (out, addend) in [out0, out1].into_iter().zip(&self.addends) {
            if let (Some(addend), true) = (addend, limb < self.limbs.len()) {
                let w = plan.modulus().shoup(self.special(plan));
                kernels::mul_shoup_add_assign(
                    plan.isa(),
                    plan.modulus(),
                    out,
                    addend.words::<W>(limb, first + value),
                    w,
                );
            }
            plan.inverse(out);
        }
    }

    /// `(P c + sum - high) / D` modulo a prime that stays.
    #[expect(clippy::too_many_arguments, reason = "one polynomial, one prime, and where they stand")]
    fn divided<W: Word>(
        &self,
        plan: &NttPlan<W>,
        digits: &[Digits<'_>],
        high: &Digits<'_>,
        (value, out): (usize, &mut [W]),
        limb: usize,
        index: usize,
        first: usize,
    ) {
        let (n, m, isa) = (1usize << plan.log_n(), plan.modulus(), plan.isa());
        let minus_half = m.neg(W::from_u64(self.divide.half_to(limb)));
        let inverse = W::from_u64(self.divide.inverse_to(limb));
        let weight = m.mul(self.special(plan), inverse);
        let inverse = m.shoup(inverse);
        let (out0, out1) = out.split_at_mut(self.stride);
        let (out0, out1) = (&mut out0[..n], &mut out1[..n]);
        W::with_scratch(self.raise.len() * self.stride, |scratch| {
            self.sums(plan, digits, [&mut *out0, &mut *out1], scratch, limb, index, first, value);
            let t = &mut scratch[..n];
            for (i, out) in [out0, out1].into_iter().enumerate() {
                high.combine_forward(plan, t, limb, 2 * value + i, minus_half);
                kernels::sub_mul_shoup_assign(isa, m, out, t, inverse);
                if let Some(addend) = &self.addends[i] {
                    let addend = addend.words::<W>(limb, first + value);
                    if weight == W::from_u64(1) {
                        kernels::add_assign(isa, m, out, addend);
                    } else {
                        kernels::mul_shoup_add_assign(isa, m, out, addend, m.shoup(weight));
                    }
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::testing::{mixed_ring, random_tensor};

    /// Raising, multiplying, adding `P c` and dividing, one after the other.
    fn in_steps(
        ring: &Ring,
        raise: &[BaseConversion],
        divide: &BaseConversion,
        x: &RnsTensor<Eval>,
        key: &RnsTensor<Eval>,
        c: &RnsTensor<Eval>,
    ) -> RnsTensor<Eval> {
        let coeff = ring.inverse(x.clone()).unwrap();
        let raised: Vec<_> = raise.iter().map(|d| ring.mod_up(d, &coeff, x).unwrap()).collect();
        let views: Vec<_> = raised.iter().map(RnsTensor::view).collect();
        let keys: Vec<_> = (0..raise.len()).map(|j| key.view().range(2 * j, 2).unwrap()).collect();
        let mut sums = ring.inner_product(&views, &keys).unwrap();
        let special: Vec<u64> = sums.primes().into_iter().filter(|q| !x.primes().contains(q)).collect();
        // P is 0 modulo its own primes, so c need not be there.
        let mut scaled = ring.zero::<Eval>(sums.rows(), &sums.limb_indices()).unwrap();
        for (limb, (index, q)) in sums.limb_indices().into_iter().zip(sums.primes()).enumerate() {
            if let Some(from) = c.limb_indices().iter().position(|i| *i == index) {
                let times_p = |word: u64| {
                    let product = special.iter().fold(u128::from(word), |x, p| x * u128::from(*p) % u128::from(q));
                    product as u64
                };
                for row in 0..sums.rows() {
                    scaled.set_row_from_u64(limb, row, c.row(from, row).iter().map(times_p)).unwrap();
                }
            }
        }
        ring.add_assign(&mut sums, &scaled).unwrap();
        ring.mod_down(divide, sums).unwrap()
    }

    #[test]
    fn agrees_with_the_steps_and_with_a_rescale_in_it() {
        for isa in Isa::available() {
            for log_n in [1, 3, 7] {
                let ring = mixed_ring(log_n, isa);
                for groups in
                    [vec![vec![0], vec![1], vec![2], vec![3]], vec![vec![0, 1], vec![2, 3]], vec![vec![0, 1, 2]]]
                {
                    let active: Vec<usize> = groups.concat();
                    let others = |from: &[usize]| -> Vec<usize> {
                        active.iter().copied().chain([4]).filter(|i| !from.contains(i)).collect()
                    };
                    let raise: Vec<BaseConversion> =
                        groups.iter().map(|from| BaseConversion::new(&ring, from, &others(from)).unwrap()).collect();
                    let values = PASS_POLYNOMIALS + 1;
                    let x: RnsTensor<Eval> = random_tensor(&ring, values, &active);
                    let c: RnsTensor<Eval> = random_tensor(&ring, 2 * values, &active);
                    let key: RnsTensor<Eval> = random_tensor(&ring, 2 * groups.len() + 2, &[0, 1, 2, 3, 4]);
                    for from in [vec![4], vec![4, active.len() - 1]] {
                        let divide = BaseConversion::new(&ring, &from, &others(&from)).unwrap();
                        let addends = [0, 1].map(|i| Some(c.view().select(i, values, 2).unwrap()));
                        let found = ring.key_switch(&raise, &divide, &x, &key, addends).unwrap();
                        let expected = in_steps(&ring, &raise, &divide, &x, &key, &c);
                        assert_eq!(found, expected, "{} log_n {log_n} {groups:?} {from:?}", isa.name());
                    }
                }
            }
        }
    }

    #[test]
    fn refusals() {
        let ring = mixed_ring(3, Isa::Scalar);
        let x: RnsTensor<Eval> = random_tensor(&ring, 1, &[0]);
        let divide = BaseConversion::new(&ring, &[1], &[0]).unwrap();
        let none = ring.key_switch(&[], &divide, &x, &x, [None, None]).err();
        assert_eq!(none, Some(RingError::LengthMismatch { what: "digits", expected: 1, found: 0 }));
        let raise = [BaseConversion::new(&ring, &[0], &[1]).unwrap()];
        let short = ring.key_switch(&raise, &divide, &x, &x, [None, None]).err();
        assert_eq!(short, Some(RingError::RowMismatch { left: 2, right: 1 }));
        let key: RnsTensor<Eval> = random_tensor(&ring, 2, &[0]);
        let missing = ring.key_switch(&raise, &divide, &x, &key, [None, None]).err();
        assert_eq!(missing, Some(RingError::MissingLimb { index: 1, found: vec![0] }));
        let key: RnsTensor<Eval> = random_tensor(&ring, 2, &[0, 1]);
        let addends = [Some(key.view()), None];
        let rows = ring.key_switch(&raise, &divide, &x, &key, addends).err();
        assert_eq!(rows, Some(RingError::RowMismatch { left: 1, right: 2 }));
        let far = BaseConversion::new(&ring, &[1], &[0, 2]).unwrap();
        let missing = ring.key_switch(&raise, &far, &x, &key, [None, None]).err();
        assert_eq!(missing, Some(RingError::MissingLimb { index: 2, found: vec![1] }));
    }
}
