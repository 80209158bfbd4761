//! Parameters of leveled CKKS as plain values: what a caller writes, what the scheme accepts, and what both say about security and noise.
//!
//! Nothing here encrypts anything; the compiler and the scheme meet in this crate and nowhere else.
//!
//! - [`CkksParamsLiteral`] is what anybody may write (also as JSON), [`CkksParams`] is what passed every check.
//! - [`RingShape`] is a ring type and a degree;
//! - [`LogN`], [`Level`], [`Scale`], [`GaloisElement`], [`Rotation`] are the numbers with a meaning; [`Packing`] says how images lie in slots.
//! - [`Groups`] is which elements a linear layer connects.
//! - [`security`] bounds log2(QP), [`primes`] finds the moduli, [`presets`] names published choices, [`noise`] predicts errors.

#![forbid(unsafe_code)]

mod degree;
mod distribution;
mod error;
mod galois;
mod groups;
mod level;
mod literal;
pub mod noise;
mod packing;
mod params;
pub mod presets;
pub mod primes;
mod ring_shape;
mod scale;
pub mod security;

pub use degree::LogN;
pub use distribution::{ErrorDistribution, SecretDistribution};
pub use error::ParamsError;
pub use galois::{GaloisElement, Rotation};
pub use groups::{Group, GroupRef, Groups};
pub use level::Level;
pub use literal::{CkksParamsLiteral, ModulusChain};
pub use packing::Packing;
pub use params::CkksParams;
pub use ring_shape::{RingShape, RingType};
pub use scale::Scale;
pub use security::{RequiredSecurity, SecurityBits, SecurityReport, SecurityTable};

#[cfg(test)]
mod tests;
