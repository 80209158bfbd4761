//! Why there is no result.

use he_ckks::CkksError;
use he_rlwe::wire::WireError;
use he_secret::SecretError;
use protocol::ProtocolError;
use tonic::{Code, Status};

use crate::ImagesError;

/// What can go wrong on the client's side or on its way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Plaintext is spoken on a loopback address only, and only when asked for.
    #[error("{0} is no https address; plaintext needs a loopback address and `insecure_no_tls`")]
    Plaintext(String),
    /// No connection, or certificates that do not hold.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The server refused.
    #[error("the server refused ({code:?}): {reason}")]
    Refused {
        /// The gRPC status.
        code: Code,
        /// In the server's words.
        reason: String,
    },
    /// The connection broke too often.
    #[error("the connection broke {attempts} times, last: {reason}")]
    Broken {
        /// Connections that were tried.
        attempts: usize,
        /// What broke the last one.
        reason: String,
    },
    /// The server does not know the session any more, and starting anew was not allowed.
    #[error("the server has lost the session: {0}")]
    SessionLost(String),
    /// The caller gave up.
    #[error("cancelled")]
    Cancelled,
    /// It took too long.
    #[error("the deadline has passed")]
    Deadline,
    /// The server breaks the protocol.
    #[error("the server breaks the protocol: {0}")]
    Protocol(#[from] ProtocolError),
    /// The server asks for what the model has no place for.
    #[error("the server breaks the protocol: {0}")]
    Asked(String),
    /// Another number of inputs than the model has.
    #[error("{found} inputs, the model takes {expected}")]
    Inputs {
        /// Inputs of the model.
        expected: usize,
        /// Inputs given.
        found: usize,
    },
    /// An input of another shape, too many images, or of another number of them.
    #[error("input {name:?} has {found} {what}, expected {expected}")]
    Input {
        /// Name of the input.
        name: String,
        /// Elements, or images.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be, at the most for images.
        expected: usize,
    },
    /// A number that the model was not compiled for.
    #[error(
        "input {name:?}: element {element} of image {image} is {found}, the model was compiled for {low} to {high}"
    )]
    Range {
        /// Name of the input.
        name: String,
        /// Which element.
        element: usize,
        /// Which image.
        image: usize,
        /// The number.
        found: f64,
        /// Lowest that is accepted.
        low: f64,
        /// Highest that is accepted.
        high: f64,
    },
    /// More memory than the client allows: see [`ClientOptions::memory`](crate::ClientOptions::memory).
    #[error("{what} would take {needed} bytes of memory here, at most {limit} are allowed")]
    Memory {
        /// A request of the server, or the outputs.
        what: &'static str,
        /// Bytes that it would take.
        needed: u64,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// Numbers outgrew their ciphertexts on the way: the results would be wrong.
    #[error("{0} numbers outgrew their ciphertexts or were no numbers: the results would be wrong")]
    Saturated(u64),
    /// Ciphertexts that hold no message under this key.
    #[error(
        "{0} decrypted slots lie beyond their modulus: made under another key or with other evaluation keys, or damaged; the results would be wrong"
    )]
    Garbled(u64),
    /// Keys of other parameters than the model's.
    #[error("the keys were made for other parameters than the model's")]
    OtherKeys,
    /// A key that the model needs.
    #[error("the model needs {0}, the keys have none")]
    NoKey(&'static str),
    /// Parameters below 128 bits, not asked for.
    #[error("the model's parameters have {bits} bits of security, expected at least 128")]
    Insecure {
        /// What they have.
        bits: u32,
    },
    /// Numbers that are no batch.
    #[error(transparent)]
    Images(#[from] ImagesError),
    /// Encryption, decryption, keys.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Encoding, parameters.
    #[error(transparent)]
    Ckks(#[from] CkksError),
    /// Bytes of a key or a ciphertext.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// A thread that is gone.
    #[error("the thread that encrypts is gone (defect)")]
    Worker,
}

impl ClientError {
    pub(crate) fn refused(status: &Status) -> Self {
        match status.code() {
            Code::DeadlineExceeded => Self::Deadline,
            code => Self::Refused { code, reason: printable(status.message()) },
        }
    }
}

/// Words of a server that are safe to print: no control characters, and not too many.
fn printable(words: &str) -> String {
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_REASON).collect()
}

/// Longest reason of a server that is passed on, in characters.
const MAX_REASON: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_safe_to_print() {
        let status = Status::internal(format!("\u{1b}[2Jno\nmodel {}", "x".repeat(5000)));
        let ClientError::Refused { reason, .. } = ClientError::refused(&status) else { panic!("{status}") };
        assert!(reason.starts_with(" [2Jno model xx"), "{reason}");
        assert_eq!(reason.chars().count(), MAX_REASON);
    }
}
