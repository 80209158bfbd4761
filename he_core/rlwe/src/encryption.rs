//! Encryptions of zero under a public key.
//!
//! Formula: `(b u + e_0, a u + e_1)` over all primes, u ternary, then `round(. / P)`: the noise of `e u + e_0 + e_1 s` is
//! divided by P and little more than rounding remains. Without special primes nothing is divided. With them errors are added
//! while the division has coefficients in hand, so L primes and k special ones take `3 (L + k)` transforms, not `5 L + 5 k`.
//! Layout: one ciphertext of two rows per value, over the primes of a level, evaluations.

use he_params::{Level, SecretDistribution};
use he_ring::sampling::{Seed, SmallPolys, Stream};
use he_ring::{Eval, RnsTensor};
use zeroize::Zeroize;

use crate::{PublicKey, RlweContext, RlweError, purpose};

impl RlweContext {
    /// `values` encryptions of zero at `level`; value v is object `first + v` of the secret `seed`, which must never be used
    /// again for the same objects.
    ///
    /// # Errors
    /// [`RlweError::LevelOutOfRange`], [`RlweError::Ring`].
    pub fn encrypt_zero(
        &self,
        key: &PublicKey,
        level: Level,
        values: usize,
        seed: &Seed,
        first: u64,
    ) -> Result<RnsTensor<Eval>, RlweError> {
        let (ring, plan) = (self.ring(), self.plan(level)?);
        let limbs: Vec<usize> = plan.q.iter().copied().chain(self.special_limbs()).collect();
        let ternary = Stream::new(seed, purpose::ENCRYPTION_TERNARY);
        let errors = Stream::new(seed, purpose::ENCRYPTION_ERROR);
        let (isa, n, distribution) = (ring.isa(), ring.n(), self.params().error());
        let (mut u, mut out) = (ring.unwritten(values, &limbs)?, ring.zero(2 * values, &limbs)?);
        ring.transform_integers(&mut u, None, |row, poly| {
            let mut sampler = ternary.sampler(isa, first.wrapping_add(row as u64), 0);
            poly.draw_secret(n, &mut sampler, SecretDistribution::UniformTernary);
            Ok::<(), RlweError>(())
        })?;
        let first_error = first.wrapping_mul(2);
        if plan.divide.is_none() {
            ring.transform_integers(&mut out, None, |row, poly| {
                let mut sampler = errors.sampler(isa, first_error.wrapping_add(row as u64), 0);
                poly.draw_error(n, &mut sampler, distribution);
                Ok::<(), RlweError>(())
            })?;
        }
        for component in 0..2 {
            let key = key.rows().view().range(component, 1)?;
            ring.mul_add_assign(out.view_mut().select(component, values, 2)?, &u, key)?;
        }
        u.zeroize();
        match &plan.divide {
            Some(divide) => {
                let errors = SmallPolys::errors(isa, &errors, first_error, 2 * values, n, distribution);
                Ok(ring.mod_down_sum(divide, out, &errors)?)
            }
            None => Ok(out),
        }
    }
}
