//! Runs a [`he_ir::HeProgram`], node by node, on a backend.
//!
//! ```text
//! prepare(&backend, &program) -> Prepared      packs the weights of every linear layer, once
//! run(&backend, &prepared, inputs, progress)   one batch of images; as often as wanted
//! ```
//!
//! - [`stream`]: the same in tiles, with the key owner at the other end of a [`RefreshPort`];
//! - [`Backend`]: what an operation means; [`clear`] computes in `f64` and is the oracle, [`ckks`] computes on ciphertexts;
//! - [`MemoryPlan`]: bytes of live tensors before anything runs; a tensor is freed, or its memory taken over, at its last use;
//! - [`Progress`]: what is running, how long it took, what is held; it may stop the run between two nodes. [`Recorder`] keeps the times;
//! - [`Batch`]: images as people hold them and as slots want them.
//!
//! Tensor operations are parallel inside, on the caller's rayon pool. Nothing here can name a secret key.

#![forbid(unsafe_code)]

mod backend;
mod batch;
pub mod ckks;
pub mod clear;
mod error;
mod memory;
mod port;
mod prepare;
mod progress;
mod recorder;
mod run;
mod schedule;
pub mod stream;

pub use backend::{Backend, Operand, TensorState};
pub use batch::{Batch, BatchError};
pub use error::{ExecuteError, InputMismatch};
pub use memory::MemoryPlan;
pub use port::{Asked, PortError, RefreshPort, Request};
pub use prepare::{Prepared, prepare};
pub use progress::{Finished, NodeInfo, Progress};
pub use recorder::{NodeTime, Recorder};
pub use run::run;
pub use stream::{StreamMemory, StreamOptions, Streamed, TiledBackend, prepare_streamed, run_streamed};
