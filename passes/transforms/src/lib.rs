//! From a network to an encrypted program.
#![forbid(unsafe_code)]

pub mod affine;
pub mod cost;
pub mod lowering;
mod pass;
pub mod placement;

pub use pass::{Pass, PassError, PassReport, Property, Site};
