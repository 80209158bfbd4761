//! From evaluations to real coefficients: what decoding starts from.

use crate::kernels::integers::{center_u32, center_u64};
use crate::ring::{Plan, Ring};
use crate::tensor::Residues;
use crate::view::RnsView;
use crate::{Eval, NttPlan, RingError, Word};

impl Ring {
    /// The coefficients of row `row` as centred integers times `factor`: what [`Ring::inverse`] and
    /// [`Ring::compose_centered`] give, into `out`, N numbers.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`], [`RingError::RowOutOfRange`], [`RingError::LengthMismatch`].
    pub fn evaluations_to_numbers<'x>(
        &self,
        x: impl Into<RnsView<'x, Eval>>,
        row: usize,
        factor: f64,
        out: &mut [f64],
    ) -> Result<(), RingError> {
        fn inverse<W: Word>(plan: &NttPlan<W>, row: &[W], f: impl FnOnce(&[W])) {
            W::with_scratch(row.len(), |words| {
                words.copy_from_slice(row);
                plan.inverse(words);
                f(words);
            });
        }
        let x = x.into();
        self.check(x.tensor)?;
        if out.len() != self.n() {
            return Err(RingError::LengthMismatch { what: "coefficients", expected: self.n(), found: out.len() });
        }
        let one = x.range(row, 1)?;
        if let [limb] = x.tensor.limbs.as_slice() {
            let (isa, q) = (self.isa(), limb.q);
            match (&self.plans[limb.index], one.row(0, 0)) {
                (Plan::U32(plan), Residues::U32(row)) => {
                    inverse(plan, row, |x| center_u32(isa, q as u32, factor, x, out))
                }
                (Plan::U64(plan), Residues::U64(row)) => inverse(plan, row, |x| center_u64(isa, q, factor, x, out)),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
            return Ok(());
        }
        let coefficients = self.inverse(one.to_tensor())?;
        self.compose_centered_into(&coefficients, 0, factor, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::testing::{mixed_ring, random_tensor};

    #[test]
    fn numbers_are_composed_coefficients() {
        for isa in Isa::available() {
            let ring = mixed_ring(5, isa);
            for limbs in [vec![0], vec![1], vec![3], vec![4, 2], vec![0, 1, 2]] {
                // Evaluations of coefficients at the edges of the centred range.
                let x = ring.forward(random_tensor(&ring, 3, &limbs)).unwrap();
                let coefficients = ring.inverse(x.clone()).unwrap();
                for row in 0..3 {
                    let mut out = vec![9.0; 32];
                    ring.evaluations_to_numbers(&x, row, 1.0 / 3.0, &mut out).unwrap();
                    assert_eq!(out, ring.compose_centered(&coefficients, row, 1.0 / 3.0).unwrap(), "{}", isa.name());
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let ring = mixed_ring(5, Isa::Scalar);
        let x = ring.zero::<Eval>(1, &[0]).unwrap();
        let short = RingError::LengthMismatch { what: "coefficients", expected: 32, found: 31 };
        assert_eq!(ring.evaluations_to_numbers(&x, 0, 1.0, &mut [0.0; 31]), Err(short));
        let row = RingError::RowOutOfRange { end: 2, rows: 1 };
        assert_eq!(ring.evaluations_to_numbers(&x, 1, 1.0, &mut [0.0; 32]), Err(row));
    }
}
