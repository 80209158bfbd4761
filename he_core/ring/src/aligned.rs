//! A buffer of words whose first word starts a cache line, in safe Rust.
//!
//! Small buffers are heap blocks with a little slack and an offset into it. Larger ones are [`Pages`] of their own.

use bytemuck::Pod;
use rayon::prelude::*;
use zeroize::{DefaultIsZeroes, Zeroize};

use crate::pages::Pages;

/// Bytes of a cache line, and of the widest vector.
pub(crate) const ALIGNMENT: usize = 64;

/// Buffers of this many bytes or more are pages of their own.
const PAGES_FROM: usize = 16 << 10;

/// Bytes that one thread zeroes at a time.
const SWEEP_BYTES: usize = 1 << 20;

/// Words aligned to [`ALIGNMENT`].
#[derive(Debug)]
pub struct AlignedWords<W> {
    store: Store<W>,
    len: usize,
}

#[derive(Debug)]
enum Store<W> {
    /// The heap block never moves, so the offset stays true.
    Heap { words: Vec<W>, offset: usize },
    /// The words, from the start of a page; more may follow.
    Pages(Pages),
}

impl<W: Pod + Send> AlignedWords<W> {
    /// `len` zeros.
    pub(crate) fn zero(len: usize) -> Self {
        let (mut words, is_zero) = Self::lend(len);
        if !is_zero {
            words.as_mut_slice().par_chunks_mut(SWEEP_BYTES / size_of::<W>()).for_each(|chunk| chunk.fill(W::zeroed()));
        }
        words
    }

    /// `len` words that hold whatever they held before, for who writes all of them; with debug assertions a pattern that is no
    /// residue, so that one that was forgotten shows.
    pub(crate) fn unwritten(len: usize) -> Self {
        let (mut words, _) = Self::lend(len);
        if cfg!(debug_assertions) {
            bytemuck::cast_slice_mut::<W, u8>(words.as_mut_slice()).fill(0xf5);
        }
        words
    }

    fn lend(len: usize) -> (Self, bool) {
        let bytes = len * size_of::<W>();
        let pages = if bytes >= PAGES_FROM { Pages::lend(bytes) } else { None };
        let (store, is_zero) = match pages {
            Some((pages, is_zero)) => (Store::Pages(pages), is_zero),
            None => {
                let slack = ALIGNMENT / size_of::<W>();
                let words = vec![W::zeroed(); len + slack];
                let offset = words.as_ptr().align_offset(ALIGNMENT).min(slack);
                (Store::Heap { words, offset }, true)
            }
        };
        (Self { store, len }, is_zero)
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[W] {
        match &self.store {
            Store::Heap { words, offset } => &words[*offset..*offset + self.len],
            Store::Pages(pages) => bytemuck::cast_slice(&pages.as_slice()[..self.len * size_of::<W>()]),
        }
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [W] {
        match &mut self.store {
            Store::Heap { words, offset } => &mut words[*offset..*offset + self.len],
            Store::Pages(pages) => bytemuck::cast_slice_mut(&mut pages.as_mut_slice()[..self.len * size_of::<W>()]),
        }
    }
}

impl<W: Pod + Send> Clone for AlignedWords<W> {
    fn clone(&self) -> Self {
        let mut copy = Self::unwritten(self.len);
        copy.as_mut_slice().copy_from_slice(self.as_slice());
        copy
    }
}

impl<W: Pod + Send + DefaultIsZeroes> Zeroize for AlignedWords<W> {
    fn zeroize(&mut self) {
        self.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_line_and_copies() {
        for len in [0, 1, 15, 16, 17, 1000, PAGES_FROM / 4 - 1, PAGES_FROM / 4, PAGES_FROM / 4 + 5] {
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
