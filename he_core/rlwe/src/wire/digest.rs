//! The fingerprint of a parameter set.

use std::fmt;

use he_params::CkksParams;
use sha2::{Digest, Sha256};

/// SHA-256 of [`CkksParams::canonical_bytes`]: equal exactly for parameters whose keys and ciphertexts belong together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParamsDigest([u8; ParamsDigest::LEN]);

impl ParamsDigest {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The digest of `params`.
    pub fn of(params: &CkksParams) -> Self {
        Self(Sha256::digest(params.canonical_bytes()).into())
    }

    /// A digest that was stored somewhere.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for ParamsDigest {
    /// The first eight bytes in hexadecimal: enough to tell two files apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ParamsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParamsDigest({self})")
    }
}
