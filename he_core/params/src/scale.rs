//! The scale of a plaintext or ciphertext.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::ParamsError;

/// The scale: a message m is stored as round(m * scale). Finite and positive.
///
/// Arithmetic is plain `f64`, one rounding per operation, exactly as SEAL keeps its scales: a product multiplies scales, a
/// rescale divides by the dropped prime.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Scale(f64);

impl Scale {
    /// Scale one: the message is the integer itself.
    pub const ONE: Scale = Scale(1.0);

    /// Checks that `scale` is finite and positive.
    pub fn new(scale: f64) -> Result<Scale, ParamsError> {
        if scale.is_finite() && scale > 0.0 { Ok(Scale(scale)) } else { Err(ParamsError::Scale { found: scale }) }
    }

    /// The scale 2^`log_scale`.
    pub fn from_log2(log_scale: f64) -> Result<Scale, ParamsError> {
        Scale::new(log_scale.exp2())
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// log2 of the scale.
    pub fn log2(self) -> f64 {
        self.0.log2()
    }

    /// The scale of a product; an error only when the product leaves the range of `f64`.
    pub fn times(self, other: Scale) -> Result<Scale, ParamsError> {
        Scale::new(self.0 * other.0)
    }

    /// The scale after dividing by a prime: `self / prime`, one `f64` division.
    pub fn over(self, prime: u64) -> Result<Scale, ParamsError> {
        Scale::new(self.0 / prime as f64)
    }

    /// Whether two scales are the same to `f64` rounding errors of a few operations (relative 2^-40), so that adding the two
    /// messages makes no error anybody could measure.
    pub fn is_close(self, other: Scale) -> bool {
        (self.0 - other.0).abs() <= self.0.max(other.0) * (-40f64).exp2()
    }
}

impl TryFrom<f64> for Scale {
    type Error = ParamsError;
    fn try_from(scale: f64) -> Result<Scale, ParamsError> {
        Scale::new(scale)
    }
}

impl From<Scale> for f64 {
    fn from(scale: Scale) -> f64 {
        scale.0
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2^{:.3}", self.log2())
    }
}
