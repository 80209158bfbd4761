//! Rows of a tensor by start, count and step, to read or to write: one component of every ciphertext is
//! `view().select(component, values, components)`.
//!
//! Limbs are looked up by ring index, so an operand with more limbs (a key at the top level) serves a shorter one.

use crate::tensor::{Domain, Limb, Residues, ResiduesMut, RnsTensor, Words};
use crate::{RingError, Word};

/// Which rows: `first + i*step` for `i < count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) step: usize,
}

impl Rows {
    fn all(rows: usize) -> Self {
        Self { first: 0, count: rows, step: 1 }
    }

    /// Rows `first + i*step` of these rows.
    fn select(self, first: usize, count: usize, step: usize) -> Result<Self, RingError> {
        let step = step.max(1);
        let end = if count == 0 { first } else { first + (count - 1) * step + 1 };
        if end > self.count {
            return Err(RingError::RowOutOfRange { end, rows: self.count });
        }
        Ok(Self { first: self.first + first * self.step, count, step: self.step * step })
    }
}

/// Rows of a tensor to read.
#[derive(Debug)]
pub struct RnsView<'a, D: Domain> {
    pub(crate) tensor: &'a RnsTensor<D>,
    pub(crate) rows: Rows,
}

impl<D: Domain> Clone for RnsView<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: Domain> Copy for RnsView<'_, D> {}

impl<'a, D: Domain> RnsView<'a, D> {
    pub(crate) fn new(tensor: &'a RnsTensor<D>) -> Self {
        Self { tensor, rows: Rows::all(tensor.rows) }
    }

    /// Number of rows in view.
    pub fn rows(&self) -> usize {
        self.rows.count
    }

    /// Base-2 logarithm of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.tensor.log_n
    }

    /// Ring indices of the limbs.
    pub fn limb_indices(&self) -> Vec<usize> {
        self.tensor.limb_indices()
    }

    /// The primes, in the order of the limbs.
    pub fn primes(&self) -> Vec<u64> {
        self.tensor.primes()
    }

    /// Rows `first..first + count`.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`].
    pub fn range(self, first: usize, count: usize) -> Result<Self, RingError> {
        self.select(first, count, 1)
    }

    /// Rows `first, first + step, ..`, `count` of them.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`].
    pub fn select(self, first: usize, count: usize, step: usize) -> Result<Self, RingError> {
        Ok(Self { rows: self.rows.select(first, count, step)?, ..self })
    }

    /// Row `row` of the view at limb position `limb`.
    ///
    /// # Panics
    /// When `limb` or `row` does not exist.
    pub fn row(self, limb: usize, row: usize) -> Residues<'a> {
        assert!(row < self.rows.count, "row {row} of a view of {} rows", self.rows.count);
        self.tensor.row(limb, self.rows.first + row * self.rows.step)
    }

    /// Row `row` of the view in the words of `limb`, a limb of this tensor.
    #[inline]
    pub(crate) fn words<W: Word>(&self, limb: &'a Limb, row: usize) -> &'a [W] {
        debug_assert!(row < self.rows.count);
        let start = (self.rows.first + row * self.rows.step) * self.tensor.stride();
        &limb.typed::<W>()[start..start + self.tensor.n()]
    }

    /// The limb with that ring index.
    pub(crate) fn limb(&self, index: usize) -> Result<&'a Limb, RingError> {
        let limbs = &self.tensor.limbs;
        limbs
            .iter()
            .find(|limb| limb.index == index)
            .ok_or_else(|| RingError::MissingLimb { index, found: self.tensor.limb_indices() })
    }

    /// The limbs that stand for those of `indices`, in that order.
    pub(crate) fn limbs_for(&self, indices: &[usize]) -> Result<Vec<&'a Limb>, RingError> {
        indices.iter().map(|index| self.limb(*index)).collect()
    }
}

impl<'a, D: Domain> From<&'a RnsTensor<D>> for RnsView<'a, D> {
    fn from(tensor: &'a RnsTensor<D>) -> Self {
        tensor.view()
    }
}

impl<'a, D: Domain> From<&RnsView<'a, D>> for RnsView<'a, D> {
    fn from(view: &RnsView<'a, D>) -> Self {
        *view
    }
}

/// Rows of a tensor to write.
#[derive(Debug)]
pub struct RnsViewMut<'a, D: Domain> {
    pub(crate) tensor: &'a mut RnsTensor<D>,
    pub(crate) rows: Rows,
}

impl<'a, D: Domain> RnsViewMut<'a, D> {
    pub(crate) fn new(tensor: &'a mut RnsTensor<D>) -> Self {
        let rows = Rows::all(tensor.rows);
        Self { tensor, rows }
    }

    /// Number of rows in view.
    pub fn rows(&self) -> usize {
        self.rows.count
    }

    /// Rows `first..first + count`.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`].
    pub fn range(self, first: usize, count: usize) -> Result<Self, RingError> {
        self.select(first, count, 1)
    }

    /// Rows `first, first + step, ..`, `count` of them.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`].
    pub fn select(self, first: usize, count: usize, step: usize) -> Result<Self, RingError> {
        Ok(Self { rows: self.rows.select(first, count, step)?, tensor: self.tensor })
    }

    /// Every row, limb after limb, each to be written on its own by any thread; words must stay below the prime of their limb.
    pub fn into_rows(self) -> Vec<ResiduesMut<'a>> {
        let (Rows { first, count, step }, n, stride) = (self.rows, self.tensor.n(), self.tensor.stride());
        if count == 0 {
            return Vec::new();
        }
        let (start, step) = (first * stride, step * stride);
        let mut rows = Vec::with_capacity(count * self.tensor.limbs.len());
        for limb in &mut self.tensor.limbs {
            match &mut limb.words {
                Words::U32(words) => {
                    let chunks = words.as_mut_slice()[start..].chunks_mut(step).take(count);
                    rows.extend(chunks.map(|chunk| ResiduesMut::U32(&mut chunk[..n])));
                }
                Words::U64(words) => {
                    let chunks = words.as_mut_slice()[start..].chunks_mut(step).take(count);
                    rows.extend(chunks.map(|chunk| ResiduesMut::U64(&mut chunk[..n])));
                }
            }
        }
        rows
    }

    /// The same rows, to read.
    pub fn as_view(&self) -> RnsView<'_, D> {
        RnsView { tensor: self.tensor, rows: self.rows }
    }
}

impl<'a, D: Domain> From<&'a mut RnsTensor<D>> for RnsViewMut<'a, D> {
    fn from(tensor: &'a mut RnsTensor<D>) -> Self {
        tensor.view_mut()
    }
}
