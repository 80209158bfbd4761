//! Which ring polynomials live in: the cyclotomic one of a power of two, or the subring of it that conjugation leaves alone.
//!
//! Formula: the conjugate-invariant ring of degree N is `Z[X + X^-1]` in `Z[X]/(X^2N + 1)`: polynomials
//! `a_0 + sum_(0<k<N) a_k (X^k + X^-k)`, kept as `a_0..a_(N-1)`. They are real at every root of unity, so all N slots hold a
//! real number where the cyclotomic ring of degree N has N/2 complex ones.
//! Source: \[KS18\].

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::{LogN, ParamsError};

/// The family of rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingType {
    /// `Z[X]/(X^N + 1)`: N/2 complex slots.
    #[default]
    Cyclotomic,
    /// `Z[X + X^-1]` in `Z[X]/(X^2N + 1)`: N real slots.
    ConjugateInvariant,
}

impl fmt::Display for RingType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RingType::Cyclotomic => "cyclotomic",
            RingType::ConjugateInvariant => "conjugate-invariant",
        })
    }
}

impl FromStr for RingType {
    type Err = ParamsError;

    /// What it prints.
    fn from_str(name: &str) -> Result<RingType, ParamsError> {
        let known = [RingType::Cyclotomic, RingType::ConjugateInvariant];
        known.into_iter().find(|ring| ring.to_string() == name).ok_or(ParamsError::UnknownRing { found: name.into() })
    }
}

/// A ring type with a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RingShape {
    ring_type: RingType,
    log_n: LogN,
    cyclotomic: LogN,
}

impl RingShape {
    /// # Errors
    /// [`ParamsError::LogN`] for a conjugate-invariant ring of degree 2^16, whose cyclotomic ring has twice that degree.
    pub fn new(ring_type: RingType, log_n: LogN) -> Result<RingShape, ParamsError> {
        let cyclotomic = match ring_type {
            RingType::Cyclotomic => log_n,
            RingType::ConjugateInvariant => LogN::new(log_n.get() + 1).map_err(|_| ParamsError::LogN {
                found: log_n.get(),
                min: LogN::MIN,
                max: LogN::MAX - 1,
            })?,
        };
        Ok(RingShape { ring_type, log_n, cyclotomic })
    }

    /// The family.
    pub const fn ring_type(self) -> RingType {
        self.ring_type
    }

    /// log2 of the degree N: coefficients of a polynomial, and the dimension that security is judged by.
    pub const fn log_n(self) -> LogN {
        self.log_n
    }

    /// The degree N.
    pub const fn n(self) -> usize {
        self.log_n.n()
    }

    /// log2 of the degree of the cyclotomic ring that this one is, or lies in. What goes by its roots of unity asks for it: the primes
    /// (1 modulo twice that degree), Galois elements, errors in slots.
    pub const fn cyclotomic(self) -> LogN {
        self.cyclotomic
    }

    /// Slots of one plaintext: N/2 complex ones, or N real ones.
    pub const fn slots(self) -> usize {
        self.cyclotomic.slots()
    }
}

impl From<LogN> for RingShape {
    fn from(log_n: LogN) -> RingShape {
        RingShape { ring_type: RingType::Cyclotomic, log_n, cyclotomic: log_n }
    }
}
