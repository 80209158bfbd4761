//! Why a message is refused.

use he_rlwe::wire::WireError;

use crate::PROTOCOL;

/// A message that breaks a rule of the protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// Another version of the protocol.
    #[error("protocol {found}, this side speaks {PROTOCOL}")]
    Version {
        /// The other side's.
        found: u32,
    },
    /// A field that must be there.
    #[error("{field} is missing")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// More of something than the bound allows.
    #[error("{field}: {found}, at most {max}")]
    TooMuch {
        /// The field.
        field: &'static str,
        /// How much.
        found: u64,
        /// How much is allowed.
        max: u64,
    },
    /// A field of another length.
    #[error("{field} of {found} bytes, expected {expected}")]
    Length {
        /// The field.
        field: &'static str,
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A value that the field cannot have.
    #[error("{field} is {found}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it is, and what it should be.
        found: String,
    },
    /// A message that has no place here.
    #[error("{found}, expected {expected}")]
    Unexpected {
        /// What came.
        found: &'static str,
        /// What should have come.
        expected: &'static str,
    },
    /// A part that does not continue its object.
    #[error("part {field} {found}, expected {expected}")]
    Part {
        /// Sequence, offset, total or length.
        field: &'static str,
        /// What the part says.
        found: u64,
        /// What would continue the object.
        expected: u64,
    },
    /// An object whose bytes are refused.
    #[error(transparent)]
    Object(#[from] WireError),
}

/// Refuses more than `max`.
pub(crate) fn at_most(field: &'static str, found: usize, max: usize) -> Result<(), ProtocolError> {
    if found <= max { Ok(()) } else { Err(ProtocolError::TooMuch { field, found: found as u64, max: max as u64 }) }
}
