//! A rotation of polynomials whose digits are raised already, for many rotations of one input.
//!
//! Formula: `y_i = g(c_i) + round(sum_j g(d_j) key[2j + i] / P)` for i = 0, 1, `c_1 = 0`; g the automorphism, `d_j` digit j of
//! a polynomial over all primes, as [`Ring::mod_up`] gives it, P the product of the special primes. These are the residues
//! of [`Ring::automorphism`] of every digit, [`Ring::inner_product`], [`Ring::mod_down`] and a sum.
//! Layout: a task holds the images of the digits of one polynomial modulo one prime, which fit the second-level cache; no image
//! of a digit and no sum over primes that stay ever stands in memory.
//! Source: S. Halevi, V. Shoup, Algorithms in HElib (CRYPTO 2014), for rotating what was split already.

use crate::automorphism::Galois;
use crate::base_conversion::BaseConversion;
use crate::kernels;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Ring, each_width};
use crate::tensor::{Coeff, Eval};
use crate::view::{RnsView, RnsViewMut};
use crate::{RingError, Word};

impl Ring {
    /// Rows `2v` and `2v + 1` of `out` become `y_0` and `y_1` for row v of the digits, which are over all limbs of `divide`;
    /// `out` is over `divide.to_limbs()`, `c` has a row for each row of the digits, the key two for each digit (more may
    /// follow, unused).
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`] without digits, and for a table of another degree; [`RingError::RowMismatch`] when the
    /// key has fewer rows than needed or the others do not fit each other; [`RingError::MissingLimb`] where a limb is, or
    /// where `out` has others than `divide` gives, [`RingError::ForeignTensor`].
    pub fn rotate_raised<'o, 'k>(
        &self,
        out: impl Into<RnsViewMut<'o, Eval>>,
        galois: &Galois<Eval>,
        digits: &[RnsView<'_, Eval>],
        key: impl Into<RnsView<'k, Eval>>,
        divide: &BaseConversion,
        c: RnsView<'_, Eval>,
    ) -> Result<(), RingError> {
        let (out, key, values) = (out.into(), key.into(), c.rows());
        self.check(out.tensor)?;
        galois.check(self)?;
        let (kept, special) = (divide.to_limbs(), divide.from_limbs());
        let found = out.tensor.limb_indices();
        if let Some(index) = kept.iter().chain(&found).find(|index| !kept.contains(index) || !found.contains(index)) {
            return Err(RingError::MissingLimb { index: *index, found });
        }
        if digits.is_empty() {
            return Err(RingError::LengthMismatch { what: "digits", expected: 1, found: 0 });
        }
        for (left, right) in digits.iter().map(|digit| (values, digit.rows())).chain([(2 * values, out.rows())]) {
            if left != right {
                return Err(RingError::RowMismatch { left, right });
            }
        }
        if key.rows() < 2 * digits.len() {
            return Err(RingError::RowMismatch { left: 2 * digits.len(), right: key.rows() });
        }
        // The limbs of `out`, in its order, then the special ones.
        let all: Vec<usize> = found.iter().chain(&special).copied().collect();
        let inputs = Inputs {
            galois,
            digits: digits.iter().map(|digit| self.operand(&all, values, *digit)).collect::<Result<_, _>>()?,
            key: self.operand(&all, key.rows(), key)?,
            c: self.operand(&found, values, c)?,
            stride: out.tensor.stride(),
        };
        let scratch = digits.len() * inputs.stride;
        let step = out.rows.step * inputs.stride;
        let mut high = self.unwritten::<Coeff>(2 * values, &special)?;
        self.par_row_pairs(high.view_mut(), |limb, value, pair| {
            each_width!(pair, |plan, pair| {
                with_scratch(scratch, pair, |scratch, pair| {
                    let pair = pair.split_at_mut(inputs.stride);
                    for sum in inputs.sums(plan, pair, scratch, found.len() + limb, value) {
                        plan.inverse(sum);
                    }
                });
            })
        });
        self.add_half(divide, &mut high);
        let high = self.digits(divide, high);
        self.par_row_pairs(out, |limb, value, pair| {
            each_width!(pair, |plan, pair| {
                let (m, isa) = (plan.modulus(), plan.isa());
                let target = divide.target(found[limb]).unwrap_or_default();
                let minus_half = m.neg(Word::from_u64(divide.half_to(target)));
                let inverse = m.shoup(Word::from_u64(divide.inverse_to(target)));
                with_scratch(scratch, pair, |scratch, pair| {
                    let sums = inputs.sums(plan, pair.split_at_mut(step), scratch, limb, value);
                    for (i, sum) in sums.into_iter().enumerate() {
                        let t = &mut scratch[..sum.len()];
                        high.combine_forward(plan, t, target, 2 * value + i, minus_half);
                        kernels::sub_mul_shoup_assign(isa, m, sum, t, inverse);
                        if i == 0 {
                            galois.image_into(plan, t, inputs.c.words(limb, value));
                            kernels::add_assign(isa, m, sum, t);
                        }
                    }
                });
            })
        });
        Ok(())
    }
}

/// What every task reads.
struct Inputs<'a> {
    galois: &'a Galois<Eval>,
    /// Over the limbs that stay, then the special ones.
    digits: Vec<Operand<'a, Eval>>,
    key: Operand<'a, Eval>,
    c: Operand<'a, Eval>,
    stride: usize,
}

impl Inputs<'_> {
    /// Both sums of one polynomial modulo the prime at position `limb`, in the rows at the beginnings of a pair.
    fn sums<'p, W: Word>(
        &self,
        plan: &NttPlan<W>,
        (out0, out1): (&'p mut [W], &'p mut [W]),
        scratch: &mut [W],
        limb: usize,
        value: usize,
    ) -> [&'p mut [W]; 2] {
        let n = 1usize << plan.log_n();
        let (out0, out1) = (&mut out0[..n], &mut out1[..n]);
        let image = |(digit, row): (&Operand<'_, Eval>, &'_ mut [W])| {
            self.galois.image_into(plan, &mut row[..n], digit.words(limb, value));
        };
        self.digits.iter().zip(scratch.chunks_exact_mut(self.stride)).for_each(image);
        let images: Vec<&[W]> = scratch.chunks_exact(self.stride).map(|row| &row[..n]).collect();
        let key = |i: usize| (0..images.len()).map(|j| self.key.words::<W>(limb, 2 * j + i)).collect::<Vec<_>>();
        kernels::inner_product_pair(plan.isa(), plan.modulus(), out0, out1, &images, &key(0), &key(1));
        [out0, out1]
    }
}

/// Lends `len` words of scratch beside a pair of rows.
fn with_scratch<W: Word>(len: usize, pair: &mut [W], f: impl FnOnce(&mut [W], &mut [W])) {
    W::with_scratch(len, |scratch| f(scratch, pair));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mixed_ring, random_tensor};
    use crate::{Isa, RnsTensor};

    #[test]
    fn agrees_with_the_steps() {
        for isa in Isa::available() {
            for log_n in [1, 2, 3, 7] {
                let ring = mixed_ring(log_n, isa);
                for (kept, special) in [(vec![0, 1, 2, 3], vec![4]), (vec![3, 0], vec![4, 1]), (vec![2], vec![0])] {
                    let divide = BaseConversion::new(&ring, &special, &kept).unwrap();
                    let galois = ring.galois(5).unwrap();
                    let digits: Vec<RnsTensor<Eval>> = (1..4)
                        .map(|j| {
                            ring.forward(random_tensor(&ring, 3, &[0, 1, 2, 3, 4]))
                                .map(|mut x| {
                                    // Digits of their own.
                                    ring.mul_scalar_assign(&mut x, &ring.scalars(&[j], &[0, 1, 2, 3, 4]).unwrap())
                                        .unwrap();
                                    x
                                })
                                .unwrap()
                        })
                        .collect();
                    let views: Vec<_> = digits.iter().map(RnsTensor::view).collect();
                    let key: RnsTensor<Eval> = random_tensor(&ring, 8, &[0, 1, 2, 3, 4]);
                    let c: RnsTensor<Eval> = random_tensor(&ring, 3, &[0, 1, 2, 3, 4]);

                    let all: Vec<usize> = kept.iter().chain(&special).copied().collect();
                    let images: Vec<_> = views
                        .iter()
                        .map(|digit| ring.automorphism(&galois, digit.with_limbs(&all).unwrap().view()).unwrap())
                        .collect();
                    let images: Vec<_> = images.iter().map(RnsTensor::view).collect();
                    let keys: Vec<_> = (0..3).map(|j| key.view().range(2 * j, 2).unwrap()).collect();
                    let sums = ring.inner_product(&images, &keys).unwrap();
                    let mut want = ring.mod_down(&divide, sums).unwrap();
                    let image = ring.automorphism(&galois, c.view().with_limbs(&kept).unwrap().view()).unwrap();
                    ring.add_assign(want.view_mut().select(0, 3, 2).unwrap(), &image).unwrap();

                    // Every other row.
                    let mut apart: RnsTensor<Eval> = random_tensor(&ring, 12, &kept);
                    let rows = apart.view_mut().select(1, 6, 2).unwrap();
                    ring.rotate_raised(rows, &galois, &views, &key, &divide, c.view()).unwrap();
                    assert_eq!(apart.view().select(1, 6, 2).unwrap().to_tensor(), want);
                    // In the middle of a larger tensor, over what was there.
                    let mut found: RnsTensor<Eval> = random_tensor(&ring, 10, &kept);
                    let before = found.clone();
                    let rows = found.view_mut().range(2, 6).unwrap();
                    ring.rotate_raised(rows, &galois, &views, &key, &divide, c.view()).unwrap();
                    let rows = found.view().range(2, 6).unwrap().to_tensor();
                    assert_eq!(rows, want, "{} log_n {log_n} {kept:?}", isa.name());
                    for (first, count) in [(0, 2), (8, 2)] {
                        let rows = |x: &RnsTensor<Eval>| x.view().range(first, count).unwrap().to_tensor();
                        assert_eq!(rows(&found), rows(&before));
                    }
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let ring = mixed_ring(3, Isa::Scalar);
        let divide = BaseConversion::new(&ring, &[1], &[0]).unwrap();
        let galois = ring.galois(3).unwrap();
        let digit: RnsTensor<Eval> = random_tensor(&ring, 1, &[0, 1]);
        let key: RnsTensor<Eval> = random_tensor(&ring, 2, &[0, 1]);
        let refusal = |rows, limbs: &[usize], digits: &[RnsView<'_, Eval>], key: &RnsTensor<Eval>| {
            let mut out = ring.zero::<Eval>(rows, limbs).unwrap();
            ring.rotate_raised(&mut out, &galois, digits, key, &divide, digit.view()).err()
        };
        let row = |left, right| Some(RingError::RowMismatch { left, right });
        assert_eq!(refusal(2, &[0], &[digit.view()], &key), None);
        let none = RingError::LengthMismatch { what: "digits", expected: 1, found: 0 };
        assert_eq!(refusal(2, &[0], &[], &key), Some(none));
        assert_eq!(refusal(4, &[0], &[digit.view()], &key), row(2, 4));
        assert_eq!(refusal(2, &[0], &[key.view()], &key), row(1, 2));
        assert_eq!(refusal(2, &[0], &[digit.view(); 2], &key), row(4, 2));
        let missing = |index, found: &[usize]| Some(RingError::MissingLimb { index, found: found.to_vec() });
        assert_eq!(refusal(2, &[0, 2], &[digit.view()], &key), missing(2, &[0, 2]));
        assert_eq!(refusal(2, &[2], &[digit.view()], &key), missing(0, &[2]));
        let short: RnsTensor<Eval> = random_tensor(&ring, 1, &[0]);
        assert_eq!(refusal(2, &[0], &[short.view()], &key), missing(1, &[0]));
        let large = mixed_ring(4, Isa::Scalar).galois(3).unwrap();
        let mut out = ring.zero::<Eval>(2, &[0]).unwrap();
        let refused = ring.rotate_raised(&mut out, &large, &[digit.view()], &key, &divide, digit.view());
        let degree = RingError::LengthMismatch { what: "galois table", expected: 8, found: 16 };
        assert_eq!(refused, Err(degree));
    }
}
