//! From a network to an encrypted program.
#![forbid(unsafe_code)]

pub mod affine;
mod pass;

pub use pass::{Pass, PassError, PassReport, Property, Site};
