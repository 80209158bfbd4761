//! Security of a parameter set: published bounds on log2(QP).
//!
//! Formula: an RLWE instance of degree N with uniform ternary secret and error of standard deviation 3.2 reaches a level of
//! classical security when log2 of the largest modulus any key or ciphertext lives under, QP, is at most the bound.
//! What no source gives is absent, and refused as "no bound known". A conjugate-invariant ring is judged by its own degree, as its authors do (\[KS18\]).
//! Source: \[BCC+24\], classical, ternary secrets: the 128-bit column as the guidelines print it; the 192- and 256-bit columns as the
//! guidelines' own estimation script yields them, published by HomomorphicEncryption.org (repository `SparseLWEkit`, folder Security), which repeats the
//! printed 128-bit column. \[HES18\], classical, ternary secrets, N = 2^10..2^15.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{LogN, ParamsError};

/// A level of classical security.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityBits {
    /// 128 bits.
    #[default]
    Bits128,
    /// 192 bits.
    Bits192,
    /// 256 bits.
    Bits256,
}

impl SecurityBits {
    /// All levels, lowest first.
    pub const ALL: [SecurityBits; 3] = [SecurityBits::Bits128, SecurityBits::Bits192, SecurityBits::Bits256];

    /// The number of bits.
    pub const fn get(self) -> u32 {
        match self {
            SecurityBits::Bits128 => 128,
            SecurityBits::Bits192 => 192,
            SecurityBits::Bits256 => 256,
        }
    }
}

impl fmt::Display for SecurityBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// What a literal asks for. In JSON: `128`, `192`, `256` or `"insecure"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SecurityWord", into = "SecurityWord")]
pub enum RequiredSecurity {
    /// Refused unless the table grants this level.
    AtLeast(SecurityBits),
    /// Accepted whatever the table says; every report then begins by saying so.
    Insecure,
}

impl Default for RequiredSecurity {
    fn default() -> RequiredSecurity {
        RequiredSecurity::AtLeast(SecurityBits::Bits128)
    }
}

/// JSON form of [`RequiredSecurity`].
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SecurityWord {
    Bits(u32),
    Word(String),
}

impl TryFrom<SecurityWord> for RequiredSecurity {
    type Error = String;
    fn try_from(word: SecurityWord) -> Result<RequiredSecurity, String> {
        match word {
            SecurityWord::Bits(128) => Ok(RequiredSecurity::AtLeast(SecurityBits::Bits128)),
            SecurityWord::Bits(192) => Ok(RequiredSecurity::AtLeast(SecurityBits::Bits192)),
            SecurityWord::Bits(256) => Ok(RequiredSecurity::AtLeast(SecurityBits::Bits256)),
            SecurityWord::Word(w) if w == "insecure" => Ok(RequiredSecurity::Insecure),
            SecurityWord::Bits(n) => Err(format!("security is {n}, expected 128, 192, 256 or \"insecure\"")),
            SecurityWord::Word(w) => Err(format!("security is {w:?}, expected 128, 192, 256 or \"insecure\"")),
        }
    }
}

impl From<RequiredSecurity> for SecurityWord {
    fn from(required: RequiredSecurity) -> SecurityWord {
        match required {
            RequiredSecurity::AtLeast(bits) => SecurityWord::Bits(bits.get()),
            RequiredSecurity::Insecure => SecurityWord::Word("insecure".into()),
        }
    }
}

/// The table a literal is checked against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityTable {
    /// Security Guidelines for Implementing Homomorphic Encryption, 2024.
    #[default]
    #[serde(rename = "guidelines_2024")]
    Guidelines2024,
    /// Homomorphic Encryption Standard, 2018: slightly larger bounds, the ones SEAL enforces.
    #[serde(rename = "he_standard_2018")]
    HeStandard2018,
}

/// Bounds for 128, 192 and 256 bits, by log2 N; zero where no source gives one.
type Row = (u8, [u32; 3]);

const GUIDELINES_2024: [Row; 7] = [
    (10, [26, 0, 0]),
    (11, [53, 36, 27]),
    (12, [106, 73, 56]),
    (13, [214, 147, 114]),
    (14, [430, 297, 230]),
    (15, [868, 597, 462]),
    (16, [1747, 1199, 929]),
];

const HE_STANDARD_2018: [Row; 6] = [
    (10, [27, 19, 14]),
    (11, [54, 37, 29]),
    (12, [109, 75, 58]),
    (13, [218, 152, 118]),
    (14, [438, 305, 237]),
    (15, [881, 611, 476]),
];

impl SecurityTable {
    /// The largest log2(QP) this table grants at this level, or `None` where it has no entry.
    pub fn max_log_qp(self, log_n: LogN, bits: SecurityBits) -> Option<u32> {
        let rows: &[Row] = match self {
            SecurityTable::Guidelines2024 => &GUIDELINES_2024,
            SecurityTable::HeStandard2018 => &HE_STANDARD_2018,
        };
        let (_, bounds) = rows.iter().find(|(row, _)| *row == log_n.get())?;
        let [b128, b192, b256] = *bounds;
        let bound = match bits {
            SecurityBits::Bits128 => b128,
            SecurityBits::Bits192 => b192,
            SecurityBits::Bits256 => b256,
        };
        (bound > 0).then_some(bound)
    }

    /// The highest level this table grants to a modulus of `log_qp` bits, if any.
    pub fn granted(self, log_n: LogN, log_qp: f64) -> Option<SecurityBits> {
        SecurityBits::ALL
            .into_iter()
            .rev()
            .find(|&bits| self.max_log_qp(log_n, bits).is_some_and(|bound| log_qp <= f64::from(bound)))
    }

    /// The smallest degree whose bound holds `log_qp` bits, if the table has one.
    pub fn smallest_log_n(self, log_qp: f64, required: SecurityBits) -> Option<LogN> {
        (LogN::MIN..=LogN::MAX)
            .filter_map(|log_n| LogN::new(log_n).ok())
            .find(|&log_n| self.check(log_n, log_qp, required).is_ok())
    }

    /// Refuses a modulus that does not reach `required`.
    pub fn check(self, log_n: LogN, log_qp: f64, required: SecurityBits) -> Result<(), ParamsError> {
        match self.max_log_qp(log_n, required) {
            None => Err(ParamsError::NoBoundKnown { log_n, required, table: self }),
            Some(bound) if log_qp > f64::from(bound) => {
                Err(ParamsError::Insecure { log_n, found: log_qp, bound, required, table: self })
            }
            Some(_) => Ok(()),
        }
    }
}

impl fmt::Display for SecurityTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecurityTable::Guidelines2024 => "security guidelines of 2024",
            SecurityTable::HeStandard2018 => "homomorphic encryption standard of 2018",
        })
    }
}

/// What can be said about a checked parameter set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecurityReport {
    /// The level asked for.
    pub required: RequiredSecurity,
    /// Bits of classical security the table grants; 0 when it grants none (or the secret is sparse).
    pub bits: u32,
    /// log2 of the product of all primes, special ones included.
    pub log_qp: f64,
    /// The bound `log_qp` was held against: that of the granted level, else that of 128 bits; `None` where the table has no entry.
    pub bound: Option<u32>,
    /// The table used.
    pub table: SecurityTable,
}

impl fmt::Display for SecurityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.required == RequiredSecurity::Insecure {
            f.write_str("INSECURE parameters were allowed: ")?;
        }
        match (self.bits, self.bound) {
            (0, Some(bound)) => {
                write!(f, "no security claimed, log2(QP) = {:.1} against a bound of {bound}", self.log_qp)?
            }
            (0, None) => write!(f, "no security claimed, log2(QP) = {:.1}, no bound known", self.log_qp)?,
            (bits, Some(bound)) => write!(f, "{bits} bits, log2(QP) = {:.1} of at most {bound}", self.log_qp)?,
            (bits, None) => write!(f, "{bits} bits, log2(QP) = {:.1}", self.log_qp)?,
        }
        write!(f, " ({})", self.table)
    }
}
