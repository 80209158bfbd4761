//! Uniform residues by rejection, exactly as the wire format counts on them.
//!
//! Formula: let `b` be the bit length of the prime `q`. A prime below 2^30 reads 32-bit words, any other 64-bit words
//! (two 32-bit words, low first); each is masked to its low `b` bits and accepted when below `q`, in stream order, until
//! the row is full. One row of one limb is one sub-stream: object = row's object number, part = ring index of the prime,
//! so a polynomial over fewer primes is a prefix of the same polynomial over more.

use super::{Sampler, Stream};
use crate::kernels::draws::{keep_below_u32, keep_below_u64};
use crate::modulus::Modulus;
use crate::ring::{Ring, each_width};
use crate::{Domain, RingError, RnsViewMut, Word};

impl Sampler {
    /// Fills a row with uniform residues.
    pub(crate) fn fill_uniform<W: Word>(&mut self, m: Modulus<W>, row: &mut [W]) {
        let (isa, q) = (self.isa(), m.to_u64());
        let mut filled = 0;
        while filled < row.len() {
            // Never draws more than can be stored.
            let open = &mut row[filled..];
            filled += if W::BITS == u32::BITS {
                keep_below_u32(isa, q as u32, self.take(open.len()), bytemuck::cast_slice_mut(open))
            } else {
                let open = bytemuck::cast_slice_mut(open);
                match self.take_u64(open.len()) {
                    [] => keep_below_u64(isa, q, &[[self.next_u32(), self.next_u32()]], open),
                    draws => keep_below_u64(isa, q, draws, open),
                }
            };
        }
    }
}

impl Ring {
    /// Fills every row in view with uniform residues: row `r` is object `first_object + r` of `stream`.
    ///
    /// Uniform residues are uniform in either domain; what travels as a seed is meant in the evaluation domain.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`].
    pub fn fill_uniform<'x, D: Domain>(
        &self,
        stream: &Stream,
        first_object: u64,
        x: impl Into<RnsViewMut<'x, D>>,
    ) -> Result<(), RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        let limbs = x.tensor.limb_indices();
        self.par_rows(x, |limb, row, out| {
            let object = first_object.wrapping_add(row as u64);
            let mut sampler = stream.sampler(self.isa(), object, limbs[limb] as u32);
            each_width!(out, |plan, out| sampler.fill_uniform(plan.modulus(), out));
        });
        Ok(())
    }
}
