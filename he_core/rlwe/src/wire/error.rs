//! Every way bytes are refused.

use std::io;

use he_params::ParamsError;
use he_ring::RingError;

use super::{Kind, ParamsDigest};

/// Bytes that are not the object asked for: which field, what was found, what was expected.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end too early.
    #[error("{field}: {needed} bytes needed, {found} left")]
    Truncated {
        /// The field that does not fit.
        field: &'static str,
        /// Bytes it takes.
        needed: u64,
        /// Bytes that remain.
        found: u64,
    },
    /// Bytes follow where the object must end.
    #[error("{found} bytes follow the end of the {field}")]
    TrailingBytes {
        /// `object` or `body`.
        field: &'static str,
        /// Bytes too many (at least so many, when reading from a stream).
        found: u64,
    },
    /// Not a file of this format at all.
    #[error("not a henge object: it begins with bytes {found:02x?}, expected {expected:02x?}")]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
        /// Those of this format.
        expected: [u8; 4],
    },
    /// Written by another version of the format.
    #[error("format version {found}, this program reads version {expected}")]
    Version {
        /// Version of the bytes.
        found: u16,
        /// The version supported.
        expected: u16,
    },
    /// A kind of object this version does not know.
    #[error("unknown object kind {found}")]
    UnknownKind {
        /// The number of the kind.
        found: u16,
    },
    /// An object, but another one.
    #[error("this is a {found}, expected a {expected}")]
    Kind {
        /// The kind of the object.
        found: Kind,
        /// The kind asked for.
        expected: Kind,
    },
    /// Flags that this version does not know.
    #[error("unknown flags {found:#x}, expected none")]
    Flags {
        /// The flags.
        found: u64,
    },
    /// An object made under other parameters.
    #[error("made under other parameters: digest {found}, expected {expected}")]
    OtherParams {
        /// Digest in the object.
        found: ParamsDigest,
        /// Digest of the parameters in use.
        expected: ParamsDigest,
    },
    /// A length above what is legal or was allowed.
    #[error("{field}: {found} bytes, at most {max} allowed")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Its length in bytes.
        found: u64,
        /// The bound.
        max: u64,
    },
    /// Damaged: the checksum does not fit the bytes.
    #[error("checksum mismatch: the bytes are damaged")]
    Checksum,
    /// A number outside its legal range.
    #[error("{field}: {found}, expected {min} to {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The number.
        found: u64,
        /// Smallest legal value.
        min: u64,
        /// Largest legal value.
        max: u64,
    },
    /// A number that must be another one.
    #[error("{field}: {found}, expected {expected}")]
    Mismatch {
        /// The field.
        field: &'static str,
        /// The number.
        found: u64,
        /// The only legal value.
        expected: u64,
    },
    /// A residue is not below its prime. The text says where: what stands there is somebody's ciphertext, and texts are logged.
    #[error("limb {limb}, row {row}, word {word}: the residue is not below its prime {q}")]
    Residue {
        /// Position of the limb in the section.
        limb: usize,
        /// Row of the section.
        row: usize,
        /// Word of the row.
        word: usize,
        /// The residue.
        found: u64,
        /// The prime.
        q: u64,
    },
    /// Unused bits at the end of a packed row are not zero.
    #[error("limb {limb}, row {row}: padding bits are not zero")]
    Padding {
        /// Position of the limb in the section.
        limb: usize,
        /// Row of the section.
        row: usize,
        /// The padding bits.
        found: u64,
    },
    /// A scale that is not finite and positive.
    #[error("{field}: scale {found} is not finite and positive")]
    Scale {
        /// The field.
        field: &'static str,
        /// The scale.
        found: f64,
    },
    /// Text that is not UTF-8.
    #[error("{field}: not UTF-8 after {valid} bytes")]
    Utf8 {
        /// The field.
        field: &'static str,
        /// Length of the valid beginning in bytes.
        valid: u64,
    },
    /// Fields that are legal one by one, but not together.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What contradicts what.
        reason: String,
    },
    /// The parameters are refused.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The ring refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Reading or writing failed.
    #[error("{message}")]
    Io {
        /// What kind of failure.
        kind: io::ErrorKind,
        /// What the system said.
        message: String,
    },
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Io { kind: error.kind(), message: error.to_string() }
    }
}
