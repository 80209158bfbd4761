//! Where tiles leave for the key owner, and fresh ones come back.
//!
//! A run that streams asks the key owner for two things: tiles of an input, encrypted, and tiles refreshed. Requests are numbered; answers
//! are fetched in the order of the requests, later than they were asked for, so that both sides work at the same time. How a request
//! travels (a network, a thread, a call) is the port's business. A run never has more than the plan's number of requests open.

use std::error::Error;
use std::sync::Arc;

use he_ir::{ClientFunction, RefreshGroup};
use he_params::{Level, Scale};

/// What a port says when it fails.
pub type PortError = Box<dyn Error + Send + Sync>;

/// What the key owner is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked<T> {
    /// Elements of an input, encrypted.
    Input {
        /// Position among [`he_ir::HeProgram::inputs`].
        input: usize,
        /// Which of its elements, in order.
        elements: Arc<[u32]>,
    },
    /// A function of a tile.
    Refresh {
        /// Node of the program.
        node: usize,
        /// What to compute.
        function: ClientFunction,
        /// Which values of the tile meet, and which results they give; without groups, result i comes from value i.
        groups: Option<Arc<[RefreshGroup]>>,
        /// The ciphertexts.
        tile: T,
    },
}

/// A numbered request, and what the answer must look like: fresh ciphertexts of two components, or their seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<T> {
    /// 0, 1, 2, ... in the order of a run: the same for every run of a plan.
    pub sequence: u64,
    /// Ciphertexts to come back.
    pub results: usize,
    /// Their level.
    pub level: Level,
    /// Their scale.
    pub scale: Scale,
    /// What is asked for.
    pub what: Asked<T>,
}

/// The way to the key owner.
pub trait RefreshPort<T>: Send {
    /// Hands a request over and returns, without waiting for the answer.
    ///
    /// # Errors
    /// A way that is cut; the run ends with it.
    fn send(&mut self, request: Request<T>) -> Result<(), PortError>;

    /// Waits for the answer to a request. Answers are fetched once each, in the order of the requests.
    ///
    /// # Errors
    /// A way that is cut, or a key owner that refused.
    fn receive(&mut self, sequence: u64) -> Result<T, PortError>;
}
