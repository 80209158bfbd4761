//! Names of things by their digest: of keys that belong together, of a program.

use std::fmt;

use he_ir::HeProgram;
use he_params::CkksParams;
use protocol::program_digest;
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
        Ok(program_digest(program, params)?.into())
    }

    /// All 64 digits.
    pub(crate) fn hex(&self) -> String {
        protocol::Digest(self.0).to_hex()
    }
}

impl From<protocol::Digest> for ProgramId {
    fn from(digest: protocol::Digest) -> Self {
        Self(digest.0)
    }
}

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        protocol::Digest(self.0).fmt(f)
    }
}
