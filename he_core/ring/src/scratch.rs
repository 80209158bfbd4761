//! One row of scratch per thread and width, kept between tasks.

use std::cell::RefCell;

use crate::aligned::AlignedWords;

thread_local! {
    static SCRATCH_U32: RefCell<AlignedWords<u32>> = RefCell::new(AlignedWords::zero(0));
    static SCRATCH_U64: RefCell<AlignedWords<u64>> = RefCell::new(AlignedWords::zero(0));
    static SCRATCH_F64: RefCell<AlignedWords<f64>> = RefCell::new(AlignedWords::zero(0));
}

/// Scratch of a word.
pub trait Scratch: Sized {
    /// Lends `len` words of unspecified content to `f`; a nested loan gets fresh memory.
    #[doc(hidden)]
    fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [Self]) -> R) -> R;
}

macro_rules! scratch {
    ($word:ty, $store:ident) => {
        impl Scratch for $word {
            fn with_scratch<R>(len: usize, f: impl FnOnce(&mut [Self]) -> R) -> R {
                let mut words = $store.with(|store| store.replace(AlignedWords::zero(0)));
                if words.as_slice().len() < len {
                    words = AlignedWords::unwritten(len);
                }
                let result = f(&mut words.as_mut_slice()[..len]);
                $store.with(|store| store.replace(words));
                result
            }
        }
    };
}
scratch!(u32, SCRATCH_U32);
scratch!(u64, SCRATCH_U64);
scratch!(f64, SCRATCH_F64);
