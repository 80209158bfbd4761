//! The whole scheme: encoder, encryption, evaluation, decryption, files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod determinism;
mod files;
mod homomorphism;
mod noise;
mod packing;
mod refusals;
mod support;
