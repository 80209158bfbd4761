//! A list of polynomials over the same primes, limb-major, with the width of each limb erased.
//!
//! Layout: per limb one arena of rows, each row `N` words and [`ROW_PAD`] words of padding, so that the same column of
//! many rows does not fall on one cache set; arenas start on a cache line. A limb whose prime is below 2^30 holds `u32`,
//! any other `u64`. A ciphertext tensor of V values with C components has V*C rows, row = value*C + component.
//! Residues are in `[0, q)` outside this crate's kernels.

use std::fmt;
use std::marker::PhantomData;

use zeroize::Zeroize;

use crate::aligned::AlignedWords;
use crate::view::{RnsView, RnsViewMut};
use crate::{RingError, Word};

/// Words between the end of a row and the start of the next.
pub const ROW_PAD: usize = 16;

mod sealed {
    pub trait Sealed {}
}

/// What the words of a row are: coefficients or evaluations.
pub trait Domain: sealed::Sealed + Copy + Send + Sync + fmt::Debug + 'static {
    /// True for [`Eval`].
    const IS_EVAL: bool;
    /// `coeff` or `eval`.
    const NAME: &'static str;
}

/// Word `i` is the coefficient of `X^i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coeff {}

/// Word `i` is the value at `psi^(2*bitrev(i)+1)`, psi the minimal primitive 2N-th root of unity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eval {}

impl sealed::Sealed for Coeff {}
impl sealed::Sealed for Eval {}
impl Domain for Coeff {
    const IS_EVAL: bool = false;
    const NAME: &'static str = "coeff";
}
impl Domain for Eval {
    const IS_EVAL: bool = true;
    const NAME: &'static str = "eval";
}

/// The arena of one limb.
#[derive(Clone)]
pub enum Words {
    /// Residues of a prime below 2^30.
    U32(AlignedWords<u32>),
    /// Residues of a larger prime.
    U64(AlignedWords<u64>),
}

/// Number of rows of words that stand for one prime.
#[derive(Clone)]
pub(crate) struct Limb {
    /// Position of the prime in the ring.
    pub(crate) index: usize,
    pub(crate) q: u64,
    pub(crate) words: Words,
}

impl Limb {
    /// A limb of zeros.
    fn zero(index: usize, q: u64, words: usize) -> Self {
        let words =
            if q >> 30 == 0 { Words::U32(AlignedWords::zero(words)) } else { Words::U64(AlignedWords::zero(words)) };
        Self { index, q, words }
    }

    /// A limb of unspecified words.
    fn unwritten(index: usize, q: u64, words: usize) -> Self {
        let words = if q >> 30 == 0 {
            Words::U32(AlignedWords::unwritten(words))
        } else {
            Words::U64(AlignedWords::unwritten(words))
        };
        Self { index, q, words }
    }

    /// All words of all rows, padding included.
    #[inline]
    pub(crate) fn typed<W: Word>(&self) -> &[W] {
        W::words(&self.words).as_slice()
    }
}

/// One row of one limb, its width erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residues<'a> {
    /// Residues of a prime below 2^30.
    U32(&'a [u32]),
    /// Residues of a larger prime.
    U64(&'a [u64]),
}

/// One row of one limb to write; whoever writes keeps every word below the prime.
#[derive(Debug)]
pub enum ResiduesMut<'a> {
    /// Residues of a prime below 2^30.
    U32(&'a mut [u32]),
    /// Residues of a larger prime.
    U64(&'a mut [u64]),
}

impl<'a> Residues<'a> {
    /// Number of residues.
    pub fn len(self) -> usize {
        match self {
            Residues::U32(x) => x.len(),
            Residues::U64(x) => x.len(),
        }
    }

    /// True without residues.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Residue `i`.
    ///
    /// # Panics
    /// When `i` is not below [`Residues::len`].
    pub fn get(self, i: usize) -> u64 {
        match self {
            Residues::U32(x) => u64::from(x[i]),
            Residues::U64(x) => x[i],
        }
    }

    /// All residues, widened.
    pub fn iter(self) -> impl ExactSizeIterator<Item = u64> + 'a {
        (0..self.len()).map(move |i| self.get(i))
    }
}

/// Polynomials of one ring, over some of its primes, in domain `D`.
#[derive(Clone)]
pub struct RnsTensor<D: Domain> {
    pub(crate) log_n: u32,
    pub(crate) rows: usize,
    pub(crate) limbs: Vec<Limb>,
    pub(crate) domain: PhantomData<D>,
}

impl<D: Domain> RnsTensor<D> {
    /// Zeros; `limbs` are pairs of ring index and prime.
    pub(crate) fn zero(log_n: u32, rows: usize, limbs: impl Iterator<Item = (usize, u64)>) -> Self {
        let words = rows * ((1usize << log_n) + ROW_PAD);
        let limbs = limbs.map(|(index, q)| Limb::zero(index, q, words)).collect();
        Self { log_n, rows, limbs, domain: PhantomData }
    }

    /// The same shape with unspecified words, for who writes every row.
    pub(crate) fn unwritten(log_n: u32, rows: usize, limbs: impl Iterator<Item = (usize, u64)>) -> Self {
        let words = rows * ((1usize << log_n) + ROW_PAD);
        let limbs = limbs.map(|(index, q)| Limb::unwritten(index, q, words)).collect();
        Self { log_n, rows, limbs, domain: PhantomData }
    }

    /// Base-2 logarithm of the ring degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// The ring degree N.
    pub fn n(&self) -> usize {
        1 << self.log_n
    }

    /// Number of polynomials.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of primes.
    pub fn limb_count(&self) -> usize {
        self.limbs.len()
    }

    /// The ring indices of the primes, in the order of the limbs.
    pub fn limb_indices(&self) -> Vec<usize> {
        self.limbs.iter().map(|limb| limb.index).collect()
    }

    /// The primes, in the order of the limbs.
    pub fn primes(&self) -> Vec<u64> {
        self.limbs.iter().map(|limb| limb.q).collect()
    }

    /// Bytes held on the heap, padding included.
    pub fn byte_len(&self) -> usize {
        let words = self.rows * self.stride();
        self.limbs.iter().map(|limb| words * if limb.q >> 30 == 0 { 4 } else { 8 }).sum()
    }

    /// Words from one row to the next.
    #[inline]
    pub(crate) fn stride(&self) -> usize {
        self.n() + ROW_PAD
    }

    /// All of it, to read.
    pub fn view(&self) -> RnsView<'_, D> {
        RnsView::new(self)
    }

    /// All of it, to write.
    pub fn view_mut(&mut self) -> RnsViewMut<'_, D> {
        RnsViewMut::new(self)
    }

    /// Row `row` at limb position `limb` (a position in [`RnsTensor::limb_indices`], not a ring index).
    ///
    /// # Panics
    /// When `limb` or `row` does not exist.
    pub fn row(&self, limb: usize, row: usize) -> Residues<'_> {
        let (start, n) = (row * self.stride(), self.n());
        match &self.limbs[limb].words {
            Words::U32(words) => Residues::U32(&words.as_slice()[start..start + n]),
            Words::U64(words) => Residues::U64(&words.as_slice()[start..start + n]),
        }
    }

    /// As [`RnsTensor::row`], to write: every word must stay below the prime of the limb.
    ///
    /// # Panics
    /// When `limb` or `row` does not exist.
    pub fn row_mut(&mut self, limb: usize, row: usize) -> ResiduesMut<'_> {
        let (start, n) = (row * self.stride(), self.n());
        match &mut self.limbs[limb].words {
            Words::U32(words) => ResiduesMut::U32(&mut words.as_mut_slice()[start..start + n]),
            Words::U64(words) => ResiduesMut::U64(&mut words.as_mut_slice()[start..start + n]),
        }
    }

    /// Writes a row from integers, each checked.
    ///
    /// # Errors
    /// [`RingError::RowOutOfRange`], [`RingError::LimbOutOfRange`], [`RingError::LengthMismatch`], and
    /// [`RingError::ResidueOutOfRange`] for a value that is not below the prime (the row is then partly written).
    pub fn set_row_from_u64(
        &mut self,
        limb: usize,
        row: usize,
        values: impl ExactSizeIterator<Item = u64>,
    ) -> Result<(), RingError> {
        if row >= self.rows {
            return Err(RingError::RowOutOfRange { end: row + 1, rows: self.rows });
        }
        if limb >= self.limbs.len() {
            return Err(RingError::LimbOutOfRange { index: limb, count: self.limbs.len() });
        }
        if values.len() != self.n() {
            return Err(RingError::LengthMismatch { what: "row", expected: self.n(), found: values.len() });
        }
        let q = self.limbs[limb].q;
        fn fill<W: Word>(out: &mut [W], q: u64, values: impl Iterator<Item = u64>) -> Result<(), RingError> {
            for (word, value) in out.iter_mut().zip(values) {
                if value >= q {
                    return Err(RingError::ResidueOutOfRange { value, q });
                }
                *word = W::from_u64(value);
            }
            Ok(())
        }
        match self.row_mut(limb, row) {
            ResiduesMut::U32(out) => fill(out, q, values),
            ResiduesMut::U64(out) => fill(out, q, values),
        }
    }

    /// Forgets the last limb and frees its memory: the value modulo the remaining primes.
    ///
    /// # Errors
    /// [`RingError::NoLimbToDrop`] when one limb or none is left.
    pub fn drop_last_limb(&mut self) -> Result<(), RingError> {
        if self.limbs.len() < 2 {
            return Err(RingError::NoLimbToDrop { limbs: self.limbs.len() });
        }
        self.limbs.pop();
        Ok(())
    }

    /// The sum of nothing: the shape of `self`, all zero.
    pub fn zero_like(&self) -> Self {
        Self::zero(self.log_n, self.rows, self.limbs.iter().map(|limb| (limb.index, limb.q)))
    }

    /// The shape of `self` as [`Ring::unwritten`](crate::Ring::unwritten) gives it.
    pub fn unwritten_like(&self) -> Self {
        Self::unwritten(self.log_n, self.rows, self.limbs.iter().map(|limb| (limb.index, limb.q)))
    }
}

impl<D: Domain> PartialEq for RnsTensor<D> {
    /// Same primes, same rows, same residues; not in constant time.
    fn eq(&self, other: &Self) -> bool {
        let shape = |t: &Self| (t.log_n, t.rows, t.limb_indices(), t.primes());
        shape(self) == shape(other)
            && (0..self.limbs.len()).all(|l| (0..self.rows).all(|r| self.row(l, r) == other.row(l, r)))
    }
}

impl<D: Domain> Zeroize for RnsTensor<D> {
    /// Overwrites every residue; shape and memory stay.
    fn zeroize(&mut self) {
        for limb in &mut self.limbs {
            match &mut limb.words {
                Words::U32(words) => words.zeroize(),
                Words::U64(words) => words.zeroize(),
            }
        }
    }
}

impl<D: Domain> fmt::Debug for RnsTensor<D> {
    /// Sizes only: a tensor may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RnsTensor")
            .field("domain", &D::NAME)
            .field("log_n", &self.log_n)
            .field("rows", &self.rows)
            .field("limbs", &self.limb_indices())
            .finish_non_exhaustive()
    }
}
