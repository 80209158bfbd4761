//! What is RLWE but not yet CKKS: public, relinearization and Galois keys, key switching, wire format.
//!
//! - [`RlweContext`]: a ring with a plan for every level;
//! - [`KeySwitchKey`], [`RelinearizationKey`], [`GaloisKeys`], [`PublicKey`]: what a server may hold;
//! - [`RlweContext::key_switch`], with a rescale in it [`RlweContext::key_switch_rescale`], and its halves [`RlweContext::raise_digits`], [`RlweContext::rotate_digits_into`];
//! - [`RlweContext::encrypt_zero`]: public-key encryption.

#![forbid(unsafe_code)]

mod context;
mod encryption;
mod error;
mod key_format;
mod key_switch;
mod keys;
pub mod purpose;
pub mod wire;

pub use context::RlweContext;
pub use error::RlweError;
pub use key_switch::{KeySwitchKey, RaisedDigits};
pub use keys::{EvaluationKeys, GaloisKeys, PublicKey, RelinearizationKey};
