//! A buffer of words whose first word starts a cache line, in safe Rust: a little slack and an offset into it.

use zeroize::{DefaultIsZeroes, Zeroize};

/// Bytes of a cache line, and of the widest vector.
pub(crate) const ALIGNMENT: usize = 64;

/// Words aligned to [`ALIGNMENT`]; the heap block never moves, so the offset stays true.
#[derive(Debug)]
pub struct AlignedWords<W> {
    store: Vec<W>,
    offset: usize,
    len: usize,
}

impl<W: Copy + Default> AlignedWords<W> {
    /// `len` zeros.
    pub(crate) fn zero(len: usize) -> Self {
        let slack = ALIGNMENT / size_of::<W>();
        let store = vec![W::default(); len + slack];
        let offset = store.as_ptr().align_offset(ALIGNMENT).min(slack);
        Self { store, offset, len }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[W] {
        &self.store[self.offset..self.offset + self.len]
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [W] {
        &mut self.store[self.offset..self.offset + self.len]
    }
}

impl<W: Copy + Default> Clone for AlignedWords<W> {
    fn clone(&self) -> Self {
        let mut copy = Self::zero(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

impl<W: DefaultIsZeroes> Zeroize for AlignedWords<W> {
    fn zeroize(&mut self) {
        self.store.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_line_and_copies() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let mut a = AlignedWords::<u32>::zero(len);
            a.as_mut_slice().iter_mut().zip(1..).for_each(|(w, i)| *w = i);
            let b = a.clone();
            assert_eq!(a.as_slice(), b.as_slice());
            assert_eq!(b.as_slice().len(), len);
            assert_eq!(b.as_slice().as_ptr() as usize % ALIGNMENT, 0);
            a.zeroize();
            assert!(a.as_slice().iter().all(|w| *w == 0));
        }
    }
}
