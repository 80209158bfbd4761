//! Uniform residues by rejection, exactly as the wire format counts on them.
//!
//! Formula: let `b` be the bit length of the prime `q`. A prime below 2^30 reads 32-bit words, any other 64-bit words
//! (two 32-bit words, low first); each is masked to its low `b` bits and accepted when below `q`, in stream order, until
//! the row is full. One row of one limb is one sub-stream: object = row's object number, part = ring index of the prime,
//! so a polynomial over fewer primes is a prefix of the same polynomial over more.

use super::{Sampler, Stream};
use crate::ring::{PlannedRow, Ring};
use crate::{Domain, ResiduesMut, RingError, RnsViewMut};

impl Sampler {
    /// Fills a row with uniform residues modulo `q`, the prime of the row's limb.
    pub fn fill_uniform(&mut self, q: u64, row: ResiduesMut<'_>) {
        match row {
            ResiduesMut::U32(row) => self.fill_uniform_u32(q as u32, row),
            ResiduesMut::U64(row) => self.fill_uniform_u64(q, row),
        }
    }

    fn fill_uniform_u32(&mut self, q: u32, row: &mut [u32]) {
        debug_assert!(q > 1);
        let mask = u32::MAX >> q.leading_zeros();
        let mut filled = 0;
        while filled < row.len() {
            // Never draws more words than can be stored, so `filled` stays inside the row until the last word.
            let words = self.take(row.len() - filled);
            for &word in words {
                let x = word & mask;
                row[filled] = x;
                filled += usize::from(x < q);
            }
        }
    }

    fn fill_uniform_u64(&mut self, q: u64, row: &mut [u64]) {
        debug_assert!(q > 1);
        let mask = u64::MAX >> q.leading_zeros();
        let mut filled = 0;
        while filled < row.len() {
            let x = self.next_u64() & mask;
            row[filled] = x;
            filled += usize::from(x < q);
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
            match out {
                PlannedRow::U32(plan, out) => sampler.fill_uniform_u32(plan.modulus().value(), out),
                PlannedRow::U64(plan, out) => sampler.fill_uniform_u64(plan.modulus().value(), out),
            }
        });
        Ok(())
    }
}
