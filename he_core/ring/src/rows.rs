//! Copies and regroupings of rows and limbs: no arithmetic, so no ring.

use rayon::prelude::*;

use crate::tensor::{Domain, Limb, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

impl<D: Domain> RnsView<'_, D> {
    /// A copy of the rows in view.
    pub fn to_tensor(&self) -> RnsTensor<D> {
        self.copy(self.rows(), self.tensor.limbs.iter().collect(), |row| row)
    }

    /// A copy of the listed rows, in that order; a row may be listed often.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`].
    pub fn gather(&self, rows: &[usize]) -> Result<RnsTensor<D>, RingError> {
        if let Some(row) = rows.iter().find(|row| **row >= self.rows()) {
            return Err(RingError::RowOutOfRange { end: row + 1, rows: self.rows() });
        }
        Ok(self.copy(rows.len(), self.tensor.limbs.iter().collect(), |row| rows[row]))
    }

    /// A copy over some of the limbs, by ring index, in that order.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`], [`RingError::DuplicateLimb`].
    pub fn with_limbs(&self, indices: &[usize]) -> Result<RnsTensor<D>, RingError> {
        if let Some((_, index)) = indices.iter().enumerate().find(|(i, index)| indices[..*i].contains(index)) {
            return Err(RingError::DuplicateLimb { index: *index });
        }
        Ok(self.copy(self.rows(), self.limbs_for(indices)?, |row| row))
    }

    fn copy(&self, rows: usize, limbs: Vec<&Limb>, source: impl Fn(usize) -> usize + Sync) -> RnsTensor<D> {
        let shape = limbs.iter().map(|limb| (limb.index, limb.q));
        let mut out = RnsTensor::unwritten(self.tensor.log_n, rows, shape);
        let stride = out.stride();
        out.limbs.par_iter_mut().zip(limbs).for_each(|(out, limb)| match &mut out.words {
            Words::U32(words) => copy_rows(words.as_mut_slice(), stride, |row| self.words(limb, source(row))),
            Words::U64(words) => copy_rows(words.as_mut_slice(), stride, |row| self.words(limb, source(row))),
        });
        out
    }
}

fn copy_rows<'a, W: Word>(out: &mut [W], stride: usize, source: impl Fn(usize) -> &'a [W] + Sync) {
    out.par_chunks_exact_mut(stride).enumerate().for_each(|(row, out)| {
        let source = source(row);
        out[..source.len()].copy_from_slice(source);
    });
}

impl<D: Domain> RnsTensor<D> {
    /// The rows of all parts, one after the other; the limbs of the first part lead.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`], [`RingError::ForeignTensor`]; [`RingError::LengthMismatch`] without parts.
    pub fn concat(parts: &[RnsView<'_, D>]) -> Result<Self, RingError> {
        let Some(first) = parts.first() else {
            return Err(RingError::LengthMismatch { what: "parts", expected: 1, found: 0 });
        };
        let places: Vec<_> = parts.iter().flat_map(|part| (0..part.rows()).map(move |row| (part, row))).collect();
        let limbs = first.tensor.limbs.iter().map(|limb| (limb.index, limb.q));
        let mut out = Self::unwritten(first.tensor.log_n, places.len(), limbs);
        let stride = out.stride();
        for part in parts {
            let same = |limb: &Limb| part.limb(limb.index).map(|theirs| theirs.q == limb.q);
            let fits = out.limbs.iter().map(same).collect::<Result<Vec<_>, _>>()?;
            if part.tensor.log_n != out.log_n || fits.contains(&false) {
                let (expected, found) = (out.log_n, part.tensor.log_n);
                return Err(RingError::ForeignTensor { expected, found, primes: part.tensor.primes() });
            }
        }
        for out in &mut out.limbs {
            let limbs: Vec<_> = parts.iter().map(|part| part.limb(out.index)).collect::<Result<_, _>>()?;
            let starts: Vec<usize> =
                parts.iter().enumerate().flat_map(|(i, part)| std::iter::repeat_n(i, part.rows())).collect();
            let (places, limbs, starts) = (&places, &limbs, &starts);
            match &mut out.words {
                Words::U32(words) => copy_rows(words.as_mut_slice(), stride, |row| {
                    places[row].0.words(limbs[starts[row]], places[row].1)
                }),
                Words::U64(words) => copy_rows(words.as_mut_slice(), stride, |row| {
                    places[row].0.words(limbs[starts[row]], places[row].1)
                }),
            }
        }
        Ok(out)
    }

    /// Keeps some of the limbs, by ring index, in that order, and frees the others; nothing is copied.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`].
    pub fn into_limbs(mut self, indices: &[usize]) -> Result<Self, RingError> {
        let mut limbs = Vec::with_capacity(indices.len());
        for index in indices {
            let found = self.limbs.iter().position(|limb| limb.index == *index);
            let Some(position) = found else {
                return Err(RingError::MissingLimb { index: *index, found: self.limb_indices() });
            };
            limbs.push(self.limbs.swap_remove(position));
        }
        self.limbs = limbs;
        Ok(self)
    }

    /// Frees the limb with that ring index.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`].
    pub fn drop_limb(&mut self, index: usize) -> Result<(), RingError> {
        let Some(position) = self.limbs.iter().position(|limb| limb.index == index) else {
            return Err(RingError::MissingLimb { index, found: self.limb_indices() });
        };
        self.limbs.remove(position);
        Ok(())
    }

    /// The limbs of `self`, then those of `other`; nothing is copied.
    ///
    /// # Errors
    /// [`RingError::RowMismatch`], [`RingError::ForeignTensor`] for another degree, [`RingError::DuplicateLimb`].
    pub fn join_limbs(mut self, other: Self) -> Result<Self, RingError> {
        if self.rows != other.rows {
            return Err(RingError::RowMismatch { left: self.rows, right: other.rows });
        }
        if self.log_n != other.log_n {
            let (expected, found) = (self.log_n, other.log_n);
            return Err(RingError::ForeignTensor { expected, found, primes: other.primes() });
        }
        let ours = self.limb_indices();
        if let Some(limb) = other.limbs.iter().find(|limb| ours.contains(&limb.index)) {
            return Err(RingError::DuplicateLimb { index: limb.index });
        }
        self.limbs.extend(other.limbs);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mixed_ring, random_tensor};
    use crate::{Eval, Isa};

    #[test]
    fn regrouping_moves_rows_and_limbs_unchanged() {
        let ring = mixed_ring(4, Isa::Scalar);
        let x: RnsTensor<Eval> = random_tensor(&ring, 6, &[0, 1, 2]);
        let odd = x.view().select(1, 3, 2).unwrap();
        let (copy, picked) = (odd.to_tensor(), x.view().gather(&[1, 3, 5]).unwrap());
        assert_eq!(copy, picked);
        for (limb, row) in [(0, 0), (1, 1), (2, 2)] {
            assert_eq!(copy.row(limb, row), x.row(limb, 2 * row + 1));
        }
        let both = RnsTensor::concat(&[odd, x.view().range(0, 2).unwrap()]).unwrap();
        assert_eq!(both, x.view().gather(&[1, 3, 5, 0, 1]).unwrap());
        let some = x.view().with_limbs(&[2, 0]).unwrap();
        assert_eq!(some.limb_indices(), [2, 0]);
        assert_eq!(some.row(0, 4), x.row(2, 4));
        assert_eq!(x.clone().into_limbs(&[2, 0]).unwrap(), some);
        let mut rest = x.clone();
        rest.drop_limb(0).unwrap();
        rest.drop_limb(2).unwrap();
        assert_eq!(rest, x.view().with_limbs(&[1]).unwrap());
        assert_eq!(some.join_limbs(rest).unwrap(), x.view().with_limbs(&[2, 0, 1]).unwrap());
    }

    #[test]
    fn what_is_not_there_is_refused() {
        let ring = mixed_ring(4, Isa::Scalar);
        let x: RnsTensor<Eval> = random_tensor(&ring, 2, &[0, 2]);
        assert_eq!(x.view().gather(&[2]).err(), Some(RingError::RowOutOfRange { end: 3, rows: 2 }));
        assert_eq!(x.view().range(1, 2).err(), Some(RingError::RowOutOfRange { end: 3, rows: 2 }));
        let missing = RingError::MissingLimb { index: 1, found: vec![0, 2] };
        assert_eq!(x.view().with_limbs(&[1]).err(), Some(missing));
        assert_eq!(x.clone().join_limbs(x.clone()).err(), Some(RingError::DuplicateLimb { index: 0 }));
        assert_eq!(x.clone().drop_limb(1), Err(RingError::MissingLimb { index: 1, found: vec![0, 2] }));
        assert!(RnsTensor::<Eval>::concat(&[]).is_err());
    }
}
