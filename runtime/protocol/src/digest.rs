//! Names of things by their SHA-256.

use std::fmt;
use std::io::{self, BufWriter, Write};

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
    // The form of a large network takes more memory than the network.
    let mut hash = BufWriter::new(Hash(Sha256::new()));
    portable::write(program, params.literal(), &mut hash)
        .map_err(|error| ProtocolError::Value { field: "program", found: error.to_string() })?;
    let Hash(hash) =
        hash.into_inner().map_err(|error| ProtocolError::Value { field: "program", found: error.to_string() })?;
    Ok(Digest(hash.finalize().into()))
}

/// Takes in what is written.
struct Hash(Sha256);

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use he_ir::HeProgramBuilder;
    use he_params::{Level, presets};

    use super::*;

    #[test]
    fn a_program_is_named_by_its_file() {
        let params = CkksParams::try_from(presets::preset("N12_L4").unwrap()).unwrap();
        let mut builder = HeProgramBuilder::new("as it is", params.q().to_vec());
        let x = builder.input("x", vec![2], Level::new(2), params.scale()).unwrap();
        builder.output("y", x);
        let program = builder.finish().unwrap();
        let file = portable::to_bytes(&program, params.literal()).unwrap();
        assert_eq!(program_digest(&program, &params).unwrap(), Digest::of(&file));
    }

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
