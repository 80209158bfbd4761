//! A buffer of words whose first word starts a cache line, in safe Rust.
//!
//! Small buffers are [`Heap`] blocks with a little slack and an offset into it. Large ones are [`Pages`] of their own.

use std::marker::PhantomData;

use bytemuck::Pod;
use rayon::prelude::*;
use zeroize::{DefaultIsZeroes, Zeroize};

use crate::heap::Heap;
use crate::pages::Pages;

/// Bytes of a cache line, and of the widest vector.
pub(crate) const ALIGNMENT: usize = 64;

/// Buffers of this many bytes, one huge page on x86-64, or more are pages of their own.
const PAGES_FROM: usize = 2 << 20;

/// Bytes that one thread zeroes at a time.
const SWEEP_BYTES: usize = 1 << 20;

/// Words aligned to [`ALIGNMENT`].
#[derive(Debug)]
pub struct AlignedWords<W> {
    store: Store,
    len: usize,
    word: PhantomData<W>,
}

#[derive(Debug)]
enum Store {
    /// The heap block never moves, so the offset, in bytes, stays true.
    Heap { block: Heap, offset: usize },
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
                let (block, is_zero) = Heap::lend(bytes + ALIGNMENT);
                let offset = block.as_slice().as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
                (Store::Heap { block, offset }, is_zero)
            }
        };
        (Self { store, len, word: PhantomData }, is_zero)
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[W] {
        let bytes = self.len * size_of::<W>();
        bytemuck::cast_slice(match &self.store {
            Store::Heap { block, offset } => &block.as_slice()[*offset..*offset + bytes],
            Store::Pages(pages) => &pages.as_slice()[..bytes],
        })
    }

    #[inline]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [W] {
        let bytes = self.len * size_of::<W>();
        bytemuck::cast_slice_mut(match &mut self.store {
            Store::Heap { block, offset } => &mut block.as_mut_slice()[*offset..*offset + bytes],
            Store::Pages(pages) => &mut pages.as_mut_slice()[..bytes],
        })
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
