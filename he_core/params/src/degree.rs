//! The ring degree, kept as its logarithm.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::ParamsError;

/// log2 of the ring degree N; between 1 and 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct LogN(u8);

impl LogN {
    /// The smallest degree that exists here is 2.
    pub const MIN: u8 = 1;
    /// The largest degree is 2^16, the last one with a published security bound in both tables' range of use.
    pub const MAX: u8 = 16;

    /// Checks that `log_n` lies in `1..=16`.
    pub fn new(log_n: u8) -> Result<LogN, ParamsError> {
        if (Self::MIN..=Self::MAX).contains(&log_n) {
            Ok(LogN(log_n))
        } else {
            Err(ParamsError::LogN { found: log_n, min: Self::MIN, max: Self::MAX })
        }
    }

    /// The logarithm.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The ring degree N.
    pub const fn n(self) -> usize {
        1 << self.0
    }

    /// Complex numbers in one plaintext: N/2.
    pub const fn slots(self) -> usize {
        self.n() / 2
    }
}

impl TryFrom<u8> for LogN {
    type Error = ParamsError;
    fn try_from(log_n: u8) -> Result<LogN, ParamsError> {
        LogN::new(log_n)
    }
}

impl From<LogN> for u8 {
    fn from(log_n: LogN) -> u8 {
        log_n.0
    }
}

impl fmt::Display for LogN {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{}", self.0)
    }
}
