//! The memory that reading takes at most, as README.md states it, and an allocator that ends the process at one byte more.
//!
//! A module of the tests here and of `bindings/seal/bridge`, each of them alone in its process: the allocator counts for all threads.
//! Rust's memory is counted, where all that a file can ask for is reserved, and zlib's; libzstd and SEAL take theirs elsewhere.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use cap::Cap;
use seal_format::{Compression, Context, Header, Reader};

#[global_allocator]
static MEMORY: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// The state of zlib: its window is 32 KiB.
const ZLIB: usize = 40 << 10;
/// The text of an error, and a queue of worker threads.
const SLACK: usize = 6 << 10;
/// What is kept of a component of a key beside its residues.
const RECORD: usize = 1 << 10;
/// Greatest number of places in a set of keys whose parameters are not known.
const MAX_PLACES: usize = 131_072;

/// Bytes that an object may take when it is read from so many.
pub(crate) type Bound = fn(&Context, usize) -> usize;

/// Runs `load` on `bytes` with no more than `bound` beside what is in use.
///
/// What is made once, such as worker threads, has to be there before.
pub(crate) fn within<T>(bound: usize, bytes: &[u8], load: impl FnOnce(&[u8]) -> T) -> T {
    let header = Header::read(bytes, Reader::Known);
    let zlib = if header.is_ok_and(|header| header.compression == Compression::Zlib) { ZLIB } else { 0 };
    MEMORY.set_limit(MEMORY.allocated() + bound + zlib + SLACK).expect("a limit above what is in use");
    let result = load(bytes);
    MEMORY.set_limit(usize::MAX).expect("no limit");
    result
}

pub(crate) fn parameters(_: &Context, _: usize) -> usize {
    2 << 10
}

pub(crate) fn plaintext(context: &Context, _: usize) -> usize {
    8 * context.degree() * context.data_prime_count()
}

pub(crate) fn ciphertext(context: &Context, _: usize) -> usize {
    16 * plaintext(context, 0)
}

pub(crate) fn secret_key(context: &Context, _: usize) -> usize {
    8 * context.degree() * context.key_prime_count()
}

/// Also one component of a key for switching.
pub(crate) fn public_key(context: &Context, _: usize) -> usize {
    2 * secret_key(context, 0)
}

/// As much as uniform residues of so many bytes, and one component.
pub(crate) fn relin_keys(context: &Context, input: usize) -> usize {
    let (bits, component) = (context.primes().iter().map(|q| q.ilog2() as usize).min(), public_key(context, 0));
    let residues = input * 128 / bits.expect("primes") + component;
    residues + residues / component * RECORD
}

pub(crate) fn galois_keys(context: &Context, input: usize) -> usize {
    relin_keys(context, input) + 24 * context.degree()
}

/// Of every place that holds a key eight bytes.
pub(crate) fn outline(_: &Context, _: usize) -> usize {
    (64 << 10) + 8 * MAX_PLACES
}
