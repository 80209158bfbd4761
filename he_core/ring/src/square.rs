//! Squares of two-component ciphertexts, three components written in one pass.

use rayon::prelude::*;

use crate::kernels;
use crate::ntt::NttPlan;
use crate::ring::{Operand, Plan, Ring};
use crate::tensor::{Eval, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

impl Ring {
    /// Rows `3v .. 3v+3` of the result are `x_0^2, 2 x_0 x_1, x_1^2` for rows `x_0 = 2v`, `x_1 = 2v + 1`: the same residues as
    /// [`Ring::mul_components`] with itself.
    ///
    /// # Errors
    /// [`RingError::RowMismatch`] for an odd number of rows; [`RingError::ForeignTensor`].
    pub fn square_components<'x>(&self, x: impl Into<RnsView<'x, Eval>>) -> Result<RnsTensor<Eval>, RingError> {
        let x = x.into();
        if !x.rows().is_multiple_of(2) {
            return Err(RingError::RowMismatch { left: x.rows(), right: 2 });
        }
        let limbs = x.limb_indices();
        let mut out = self.unwritten::<Eval>(x.rows() / 2 * 3, &limbs)?;
        let x = self.operand(&limbs, x.rows(), x)?;
        let stride = out.stride();
        out.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => square_limb(plan, words.as_mut_slice(), stride, &x, limb),
                (Plan::U64(plan), Words::U64(words)) => square_limb(plan, words.as_mut_slice(), stride, &x, limb),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
        Ok(out)
    }
}

fn square_limb<W: Word>(plan: &NttPlan<W>, out: &mut [W], stride: usize, x: &Operand<'_, Eval>, limb: usize) {
    let n = 1usize << plan.log_n();
    out.par_chunks_exact_mut(3 * stride).enumerate().for_each(|(value, out)| {
        let (out0, rest) = out.split_at_mut(stride);
        let (out1, out2) = rest.split_at_mut(stride);
        let (x0, x1) = (x.words::<W>(limb, 2 * value), x.words::<W>(limb, 2 * value + 1));
        kernels::square_into(plan.isa(), plan.modulus(), &mut out0[..n], &mut out1[..n], &mut out2[..n], x0, x1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::testing::{mixed_ring, random_tensor};

    #[test]
    fn a_square_is_the_product_with_itself() {
        for isa in Isa::available() {
            for log_n in [1, 3, 8] {
                let ring = mixed_ring(log_n, isa);
                for rows in [0, 2, 6] {
                    let x: RnsTensor<Eval> = random_tensor(&ring, rows, &[0, 1, 2, 3, 4]);
                    let square = ring.square_components(&x).unwrap();
                    assert_eq!(square, ring.mul_components(&x, 2, &x, 2).unwrap(), "{}", isa.name());
                }
            }
        }
    }

    #[test]
    fn half_a_ciphertext_is_refused() {
        let ring = mixed_ring(3, Isa::Scalar);
        let x: RnsTensor<Eval> = random_tensor(&ring, 3, &[0]);
        assert_eq!(ring.square_components(&x).err(), Some(RingError::RowMismatch { left: 3, right: 2 }));
    }
}
