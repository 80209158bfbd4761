//! Every way this crate refuses an input.

use crate::{Compression, ParmsId, Reader, Version};

/// A refusal of `seal_format`: the field, what stands there, and what should.
///
/// Field names are SEAL's own.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes end inside a field.
    #[error("{field} needs {expected} bytes, {found} are left")]
    Truncated {
        /// Where.
        field: &'static str,
        /// Bytes needed.
        expected: u64,
        /// Bytes left.
        found: u64,
    },
    /// Not a SEAL object.
    #[error("magic number is {found:#06x}, expected 0xa15e")]
    Magic {
        /// What stands there.
        found: u16,
    },
    /// A header of another length.
    #[error("header size is {found}, expected 16")]
    HeaderSize {
        /// What stands there.
        found: u8,
    },
    /// A version whose format the reader does not know.
    #[error("written by version {found}, expected {reader}")]
    Version {
        /// The version in the header.
        found: Version,
        /// What is read.
        reader: Reader,
    },
    /// A compression mode that SEAL does not have.
    #[error("compression mode is {found}, expected 0 (none), 1 (zlib) or 2 (zstd)")]
    CompressionMode {
        /// What stands there.
        found: u8,
    },
    /// An object inside another one is compressed.
    #[error("{field} inside another object has compression {found}, expected none")]
    NestedCompression {
        /// Which object.
        field: &'static str,
        /// Its mode.
        found: Compression,
    },
    /// The size in a header is not that of its object.
    #[error("size in the header of {field} is {found}, the object takes {expected} bytes")]
    ObjectSize {
        /// Which object.
        field: &'static str,
        /// The size in the header.
        found: u64,
        /// What the fields add up to.
        expected: u64,
    },
    /// The decompressor refused, or the stream does not end with the object.
    #[error("{compression} stream at {field}: {reason}")]
    Decompression {
        /// What was being read.
        field: &'static str,
        /// Its mode.
        compression: Compression,
        /// In the words of the decompressor; where the object's fields say what should be there, that as well.
        reason: String,
    },
    /// The compressor failed; only a lack of memory makes it.
    #[error("{compression}: {reason}")]
    Compressor {
        /// The mode asked for.
        compression: Compression,
        /// In the words of the compressor.
        reason: String,
    },
    /// Another scheme than CKKS.
    #[error("scheme is {found} ({}), expected 2 (ckks)", scheme_name(*found))]
    Scheme {
        /// What stands there.
        found: u8,
    },
    /// A number that has to be another one.
    #[error("{field} is {found}, expected {expected}")]
    Count {
        /// Where.
        field: &'static str,
        /// What stands there.
        found: u64,
        /// What has to.
        expected: u64,
    },
    /// A number outside its range.
    #[error("{field} is {found}, expected {min} to {max}")]
    Range {
        /// Where.
        field: &'static str,
        /// What stands there.
        found: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A ring degree that is no power of two.
    #[error("poly_modulus_degree is {found}, expected a power of two")]
    Degree {
        /// What stands there.
        found: u64,
    },
    /// A modulus with which SEAL makes no context.
    #[error("coeff_modulus[{index}] is {found}, expected {expected}")]
    Modulus {
        /// Which.
        index: usize,
        /// What stands there.
        found: u64,
        /// What has to.
        expected: &'static str,
    },
    /// Parameters that no level of the chain has.
    #[error(
        "parms_id of {field} is {found}, which no level of these parameters has, expected {first} or that of a lower level"
    )]
    UnknownParmsId {
        /// Which object.
        field: &'static str,
        /// What stands there.
        found: ParmsId,
        /// That of the first data level.
        first: ParmsId,
    },
    /// Parameters of another level than the object must have.
    #[error("parms_id of {field} is {found}, expected {expected}, the one of all primes")]
    NotKeyLevel {
        /// Which object.
        field: &'static str,
        /// What stands there.
        found: ParmsId,
        /// That of the key level.
        expected: ParmsId,
    },
    /// A plaintext or a ciphertext that lives under the special prime.
    #[error("parms_id of {field} is {found}, which is for keys alone, expected {first} or that of a lower level")]
    KeyLevel {
        /// Which object.
        field: &'static str,
        /// What stands there.
        found: ParmsId,
        /// That of the first data level.
        first: ParmsId,
    },
    /// A scale that is no positive number.
    #[error("scale of {field} is {found}, expected a positive number")]
    Scale {
        /// Which object.
        field: &'static str,
        /// What stands there.
        found: f64,
    },
    /// A residue that is not reduced.
    #[error(
        "{field}: residue {position} of polynomial {polynomial} modulo prime {limb} is {found}, expected below {prime}"
    )]
    Residue {
        /// Which object.
        field: &'static str,
        /// Number of the polynomial.
        polynomial: usize,
        /// Number of the prime.
        limb: usize,
        /// Number of the word, 0 to N-1.
        position: usize,
        /// What stands there.
        found: u64,
        /// The prime.
        prime: u64,
    },
    /// A residue of a secret that is not reduced; it is not shown.
    #[error("{field}: a residue modulo prime {limb} is not below {prime}")]
    SecretResidue {
        /// Which object.
        field: &'static str,
        /// Number of the prime.
        limb: usize,
        /// The prime.
        prime: u64,
    },
    /// A generator that SEAL does not have.
    #[error("prng_type is {found}, expected 1 (blake2xb) or 2 (shake256)")]
    Generator {
        /// What stands there.
        found: u8,
    },
    /// More keys than so short an input can hold.
    #[error("keys of {found} bytes out of an input of {input}, expected at most {bound}")]
    Inflated {
        /// Bytes in memory that the keys would take.
        found: u64,
        /// Bytes of input.
        input: u64,
        /// The most that uniform residues of these primes can stand for.
        bound: u64,
    },
    /// A key of a set is refused.
    #[error("keys[{index}][{component}]: {source}")]
    Key {
        /// First index.
        index: usize,
        /// Second index.
        component: usize,
        /// Why.
        source: Box<FormatError>,
    },
}

fn scheme_name(scheme: u8) -> &'static str {
    match scheme {
        0 => "none",
        1 => "bfv",
        2 => "ckks",
        3 => "bgv",
        _ => "unknown",
    }
}
