//! Why a server does not start.

use std::net::SocketAddr;

use execute::ExecuteError;
use he_ckks::CkksError;
use protocol::ProtocolError;

/// What can go wrong before the first client comes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Without TLS the server listens on the loopback interface only.
    #[error("without TLS the server listens on a loopback address only, not on {0}")]
    PlaintextBeyondLoopback(SocketAddr),
    /// Metrics are for the operator.
    #[error("metrics are served on a loopback address only, not on {0}")]
    MetricsBeyondLoopback(SocketAddr),
    /// Neither tokens nor certificates.
    #[error("nobody could be told from anybody else: neither tokens nor a client certificate authority is configured")]
    NoAccess,
    /// A line of a token file.
    #[error("line {line} of the tokens: {reason}")]
    Token {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two models of one name.
    #[error("two models are named {0:?}")]
    SameName(String),
    /// No model, or more than a server may have.
    #[error("{found} models, expected 1 to {max}")]
    Models {
        /// How many.
        found: usize,
        /// How many are allowed.
        max: usize,
    },
    /// A model that needs more memory than the server may take.
    #[error("model {model:?} needs {needed} bytes for one inference, the limit is {limit}")]
    Memory {
        /// Its name.
        model: String,
        /// Bytes of live tensors and keys at the most.
        needed: u64,
        /// Bytes configured.
        limit: u64,
    },
    /// A model of which no client could have one inference.
    #[error("model {model:?}: one inference carries {carries} images, a client's budget is {budget}")]
    Budget {
        /// Its name.
        model: String,
        /// Images that its ciphertexts have room for.
        carries: u64,
        /// Images configured.
        budget: u64,
    },
    /// A model that does not fit the protocol.
    #[error("model {model:?}: {source}")]
    Model {
        /// Its name.
        model: String,
        /// The bound it breaks.
        source: ProtocolError,
    },
    /// Outputs of three components cannot be made fresh.
    #[error("model {0:?}: an output is not relinearized, noise flooding needs two components")]
    NotRelinearized(String),
    /// A standard deviation that is no positive number.
    #[error("a flooding noise of standard deviation {0}")]
    Flooding(f64),
    /// A masked program that is another program.
    #[error("model {0:?}: the masked program differs from the program in more than weights, constants and indices")]
    Mask(String),
    /// A program that cannot be prepared.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// Parameters that cannot be made ready.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// TLS, HTTP/2.
    #[error("transport: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// A part of the server has panicked, or ended by itself.
    #[error("serving failed: {0}")]
    Serving(String),
    /// Sockets.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(getrandom::Error),
}
