//! Names of things by their digest: of keys that belong together, of a program.

use std::fmt;

use anyhow::Context;
use he_ir::{HeProgram, portable};
use he_params::CkksParams;
use sha2::{Digest, Sha256};

/// Which key pair a file belongs to: the first bytes of the SHA-256 of its public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(pub(crate) [u8; 16]);

impl KeyId {
    /// The name of the pair with this public key.
    pub(crate) fn of(public_key: &[u8]) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(public_key).into();
        let mut id = [0; 16];
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        KeyId(id)
    }
}

impl KeyId {
    /// A new name, for a secret key whose public one is not there to name the pair.
    pub(crate) fn fresh() -> anyhow::Result<KeyId> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)
            .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
        Ok(KeyId(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which program a file belongs to: SHA-256 of its portable form, parameters and weights included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProgramId(pub(crate) [u8; 32]);

impl ProgramId {
    /// What files of keys carry: keys serve every program on their parameters.
    pub(crate) const NONE: ProgramId = ProgramId([0; 32]);

    pub(crate) fn of(program: &HeProgram, params: &CkksParams) -> anyhow::Result<ProgramId> {
        let bytes = portable::to_bytes(program, params.literal()).context("program cannot be written")?;
        Ok(ProgramId(Sha256::digest(bytes).into()))
    }

    /// All 64 digits.
    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// 64 hexadecimal digits as 32 bytes.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_comes_back() {
        let id = ProgramId(std::array::from_fn(|i| 7 * i as u8));
        assert_eq!(from_hex(&id.hex()), Some(id.0));
        assert_eq!(id.to_string(), "00070e151c232a31");
        for wrong in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64)] {
            assert_eq!(from_hex(wrong), None, "{wrong:?}");
        }
    }
}
