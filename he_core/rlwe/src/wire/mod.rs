//! The binary format of everything Henge stores or sends: keys, ciphertexts, plaintexts, parameters.
//!
//! An object is one envelope around one body. It says what it is, under which parameters it was made, how long it is, and
//! whether it is whole. Equal objects have equal bytes, and no other bytes are accepted for them. Integers are
//! little-endian; offsets and lengths are bytes.
//!
//! # Envelope, version 1
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 4 | magic: `48 4e 47 45` ("HNGE") |
//! | 4 | 2 | format version: 1 |
//! | 6 | 2 | kind: see [`Kind`] |
//! | 8 | 8 | flags: zero; none is defined |
//! | 16 | 32 | parameter digest: SHA-256 of [`he_params::CkksParams::canonical_bytes`] |
//! | 48 | 8 | body length B |
//! | 56 | B | body |
//! | 56+B | 32 | checksum |
//!
//! | kind | object | kind | object | kind | object |
//! |---|---|---|---|---|---|
//! | 1 | parameters | 4 | Galois keys | 7 | seeded ciphertext tensor |
//! | 2 | public key | 5 | evaluation keys | 8 | plaintext |
//! | 3 | relinearization key | 6 | ciphertext tensor | 9 | secret key |
//!
//! **Checksum.** Cut the body into chunks of 2^20 bytes, the last one shorter (an empty body has none):
//! `checksum = SHA-256(header (56 bytes) || SHA-256(chunk 0) || SHA-256(chunk 1) || ..)`. SHA-256 rather than a CRC, because
//! its answer is final at any length of file, because the digest needs it anyway, and because processors have instructions
//! for it; in chunks, so that all cores share the work. It finds damage. It is no signature: whoever can change an object
//! can also change its checksum.
//!
//! Refusals come in this order: shorter than a header, magic, version, kind, flags, parameter digest, length, checksum, and
//! only then the body.
//!
//! # Fields of bodies
//!
//! A body is a sequence of fields without tags or padding; which ones is said where the object is defined. Nothing may
//! follow the last.
//!
//! | field | bytes |
//! |---|---|
//! | `u8`, `u16`, `u32`, `u64` | 1, 2, 4, 8 |
//! | count | u32, within bounds that the parameters give |
//! | level | u8, not above the top level |
//! | scale | u64: the bits of an IEEE 754 double, finite and positive |
//! | Galois element | u32: odd, below 2N |
//! | seed | 32 |
//! | text | u16 length, then UTF-8; bounded by the reader |
//!
//! **Tensor**: `rows` polynomials of N residues modulo each of some primes of the ring (ring index: ciphertext primes
//! q_0..q_L first, then special primes).
//!
//! | bytes | what |
//! |---|---|
//! | 1 | domain: 0 coefficients, 1 evaluations |
//! | 1 | log2 N |
//! | 2 | number of limbs |
//! | 4 | rows |
//! | 2 each | ring index of each limb |
//! | see below | limb after limb, in each limb row after row: one packed row |
//!
//! A *packed row* modulo q has b = ceil(log2 q) bits to a residue: residue i stands at bits `i*b .. (i+1)*b`, bit k being bit
//! `k mod 8`, from the least significant, of byte `floor(k / 8)`. A row takes `ceil(N*b / 8)` bytes; residues are below q and
//! bits left over are zero. (In other words: the little-endian bytes of `sum_i residue_i * 2^(i*b)`.)
//! Components of a ciphertext can be separate tensors, so that one that a seed makes again need not be stored.
//!
//! **Parameters** (the body of kind 1):
//!
//! | bytes | what |
//! |---|---|
//! | 1 | log2 N |
//! | 1 | ciphertext primes to one key switching digit |
//! | 1 | errors: 0 centred binomial, 1 rounded Gaussian |
//! | 1 | secret: 0 uniform ternary, 1 fixed Hamming weight |
//! | 4 | that weight, otherwise 0 |
//! | 1 | security table: 0 guidelines of 2024, 1 standard of 2018 |
//! | 2 | bits of security demanded: 128, 192, 256, or 0 for insecure |
//! | 8 | log2 of the default scale, as a double |
//! | 2, 2 | number of ciphertext primes, of special primes |
//! | 8 each | ciphertext primes, then special primes |
//!
//! Primes are always written out, even where the literal named bit sizes. Whoever reads runs every check of
//! [`he_params::CkksParams`], so a file cannot smuggle in parameters that a person could not have written.
//!
//! # Reading what a stranger sent
//!
//! [`Reader`] and [`Envelope`] return a [`WireError`] for any bytes whatever, and take memory only for bytes that have
//! arrived or for a tensor whose exact length is known to be there. [`Envelope::read_from`] asks the caller for the greatest
//! legal body, which follows from the parameters ([`tensor_len`]).
//!
//! ```
//! use he_params::CkksParams;
//! use he_rlwe::wire::{Kind, ParamsDigest, Reader, WireError, Writer};
//!
//! let params = CkksParams::try_from(he_params::presets::preset("N13_L7")?)?;
//! let mut writer = Writer::new(Kind::Plaintext, &params);
//! writer.scale(params.scale());
//! let bytes = writer.finish();
//!
//! let mut reader = Reader::open(&bytes, Kind::Plaintext, &ParamsDigest::of(&params))?;
//! assert_eq!(reader.scale("scale")?, params.scale());
//! reader.finish()?;
//!
//! let cut = Reader::open(&bytes[..70], Kind::Plaintext, &ParamsDigest::of(&params));
//! assert_eq!(cut.err(), Some(WireError::Truncated { field: "checksum", needed: 32, found: 6 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod envelope;
mod error;
mod kind;
mod object;
mod params;
mod reader;
mod tensor;
mod writer;

pub use digest::ParamsDigest;
pub use envelope::{CHECKSUM_LEN, Envelope, HEADER_LEN, Header, MAGIC, VERSION, expect_end_of_stream};
pub use error::WireError;
pub use kind::Kind;
pub use object::WireObject;
pub use params::{MAX_PARAMS_BODY, params_from_bytes, params_to_bytes, read_params, write_params};
pub use reader::Reader;
pub use tensor::tensor_len;
pub use writer::Writer;

#[cfg(test)]
mod tests;
