//! Two parties in two processes over TLS: what the experiments with a client share.
//!
//! The program of an experiment is started twice. The first process is the client: it has the images and the key. It starts the
//! second one, the server, which reads the same model, compiles it, and serves it on a loopback address ([`serve`], [`Child`]). What crosses
//! between them crosses a TLS connection, which a [`Relay`] may slow down to a network's rate and delay. Memory is told apart
//! because processes are.
//!
//! [`classify`] runs batches and counts bytes, rounds and seconds; [`Comparison`] holds the outputs against the clear model's.

#![forbid(unsafe_code)]

mod child;
mod classify;
mod compare;
mod record;
mod relay;
mod serve;

pub use child::Child;
pub use classify::{Classified, classify};
pub use compare::{Comparison, Disagreement, LARGEST_ERROR_SHARE, prediction};
pub use record::{Gate, Network, Record};
pub use relay::{Link, Relay};
pub use serve::{Layer, Ready, Served, Task, serve};
