//! Divides by the last prime of a tensor, rounding to nearest.
//!
//! Formula: `round(x / q_l) = (x + h - [x + h]_(q_l)) / q_l` with `h = floor(q_l / 2)`; per remaining prime
//! `(x - ([x + h]_(q_l) - h)) * q_l^-1 mod q_j`. Exact, and the residues that Microsoft SEAL computes.
//! Layout: in the evaluation domain only the last limb is transformed back and one row per remaining limb forward.
//! Source: K. Han, M. Song, A. Kim, Y. Song, J. H. Cheon, A full RNS variant of approximate homomorphic encryption
//! (SAC 2018), the rescaling of its RNS form; the rounding offset h is SEAL's.

use crate::kernels;
use crate::ntt::NttPlan;
use crate::ring::{Ring, each_width};
use crate::tensor::{Domain, Limb, RnsTensor, Words};
use crate::{RingError, Word};

impl Ring {
    /// `round(x / q)`, q the prime of the last limb, over the other limbs; the memory of the last limb is freed.
    ///
    /// # Errors
    /// [`RingError::NoLimbToDrop`] with fewer than two limbs, [`RingError::ForeignTensor`].
    pub fn divide_round_by_last<D: Domain>(&self, mut x: RnsTensor<D>) -> Result<RnsTensor<D>, RingError> {
        self.check(&x)?;
        if x.limbs.len() < 2 {
            return Err(RingError::NoLimbToDrop { limbs: x.limbs.len() });
        }
        let Some(last) = x.limbs.pop() else {
            return Err(RingError::NoLimbToDrop { limbs: 0 });
        };
        // The last limb as a tensor of its own: back to coefficients, h added.
        let mut last = RnsTensor::<D> { log_n: x.log_n, rows: x.rows, limbs: vec![last], domain: x.domain };
        self.par_rows(last.view_mut(), |_, _, row| {
            each_width!(row, |plan, x| {
                if D::IS_EVAL {
                    plan.inverse(x);
                }
                let half = Word::from_u64(plan.modulus().to_u64() / 2);
                kernels::add_constant_assign(plan.isa(), plan.modulus(), x, half);
            })
        });
        let (last, stride) = (&last.limbs[0], x.stride());
        let inverses: Vec<u64> = x.limbs.iter().map(|limb| self.inverse_of_prime(last.index, limb.index)).collect();
        self.par_rows(x.view_mut(), |limb, row, out| {
            each_width!(out, |plan, out| divide_row::<D, _>(plan, out, last, row * stride, inverses[limb]))
        });
        Ok(x)
    }
}

/// One row of one remaining limb; `start` is where the row begins in the arena of the last limb, `inverse` that of its
/// prime.
fn divide_row<D: Domain, W: Word>(plan: &NttPlan<W>, out: &mut [W], last: &Limb, start: usize, inverse: u64) {
    let (m, isa) = (plan.modulus(), plan.isa());
    let minus_half = m.neg(m.reduce_u64(last.q / 2));
    let inverse = m.shoup(W::from_u64(inverse));
    W::with_scratch(out.len(), |t| {
        match &last.words {
            Words::U32(words) if D::IS_EVAL => {
                plan.forward_of(t, &words.as_slice()[start..start + out.len()], minus_half);
            }
            Words::U32(words) => {
                kernels::reduce_add_into(isa, m, t, &words.as_slice()[start..start + out.len()], minus_half);
            }
            Words::U64(words) => {
                kernels::reduce_add_into(isa, m, t, &words.as_slice()[start..start + out.len()], minus_half);
                if D::IS_EVAL {
                    plan.forward(t);
                }
            }
        }
        kernels::sub_mul_shoup_assign(isa, m, out, t, inverse);
    });
}

#[cfg(test)]
mod tests;
