//! The level of a ciphertext.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The level of a ciphertext: at level l the primes q_0..q_l are active, l + 1 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Level(u8);

impl Level {
    /// One prime left: nothing can be rescaled any more.
    pub const BOTTOM: Level = Level(0);

    /// The level with `level + 1` active primes.
    pub const fn new(level: u8) -> Level {
        Level(level)
    }

    /// The level at which `count` primes are active; `None` for zero primes or more than 256.
    pub fn with_prime_count(count: usize) -> Option<Level> {
        u8::try_from(count.checked_sub(1)?).ok().map(Level)
    }

    /// The number l.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Number of active ciphertext primes, l + 1.
    pub const fn prime_count(self) -> usize {
        self.0 as usize + 1
    }

    /// Index of the last active prime, the one a rescale divides by.
    pub const fn last_prime(self) -> usize {
        self.0 as usize
    }

    /// The level below, or `None` at the bottom.
    pub fn below(self) -> Option<Level> {
        self.0.checked_sub(1).map(Level)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
