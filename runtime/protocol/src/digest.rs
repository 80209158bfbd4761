//! Names of things by their SHA-256.

use std::fmt;

use he_ir::{HeProgram, portable};
use he_params::CkksParams;
use sha2::{Digest as _, Sha256};

use crate::ProtocolError;

/// SHA-256 of a program, or of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// What 64 hexadecimal digits say.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let nibble = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
        let nibbles: Vec<u8> = digits.as_bytes().iter().map(nibble).collect::<Option<_>>()?;
        let (pairs, []) = nibbles.as_chunks::<2>() else { return None };
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        bytes.try_into().ok().map(Self)
    }

    /// All 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a message holds; nothing at all is `None`.
    pub(crate) fn optional(field: &'static str, bytes: &[u8]) -> Result<Option<Self>, ProtocolError> {
        if bytes.is_empty() { Ok(None) } else { Self::required(field, bytes).map(Some) }
    }

    pub(crate) fn required(field: &'static str, bytes: &[u8]) -> Result<Self, ProtocolError> {
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ProtocolError::Length { field, found, expected: 32 })
    }
}

impl fmt::Display for Digest {
    /// The first eight bytes, in hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// SHA-256 of the portable form of a program, parameters and weights included.
///
/// # Errors
/// [`ProtocolError::Value`] for a program that cannot be written.
pub fn program_digest(program: &HeProgram, params: &CkksParams) -> Result<Digest, ProtocolError> {
    let bytes = portable::to_bytes(program, params.literal())
        .map_err(|error| ProtocolError::Value { field: "program", found: error.to_string() })?;
    Ok(Digest::of(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_comes_back() {
        let digest = Digest(std::array::from_fn(|i| 7 * i as u8));
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex(&digest.to_hex().to_uppercase()), Some(digest));
        assert_eq!(digest.to_string(), "00070e151c232a31");
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong:?}");
        }
    }
}
