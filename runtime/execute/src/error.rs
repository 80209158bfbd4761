//! Why a program was not prepared or did not run.

use std::error::Error;

use he_params::{Level, Scale};

/// What a backend said.
type Source = Box<dyn Error + Send + Sync>;

/// Why an input is not what the program takes.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InputMismatch {
    /// Another number of ciphertexts.
    #[error("{found} elements, the program takes {expected}")]
    Elements {
        /// Elements of the program's input.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// Another level.
    #[error("level {found}, the program takes level {expected}")]
    Level {
        /// The program's.
        expected: Level,
        /// The tensor's.
        found: Level,
    },
    /// Another scale.
    #[error("scale 2^{:.3}, the program takes 2^{:.3}", .found.log2(), .expected.log2())]
    Scale {
        /// The program's.
        expected: Scale,
        /// The tensor's.
        found: Scale,
    },
    /// Another number of components.
    #[error("{found} components, the program takes {expected}")]
    Components {
        /// The program's.
        expected: usize,
        /// The tensor's.
        found: usize,
    },
    /// More images than slots.
    #[error("a batch of {found} images, there are {slots} slots")]
    TooManyImages {
        /// Slots of a ciphertext.
        slots: usize,
        /// Images given.
        found: usize,
    },
    /// Inputs of one run hold different numbers of images.
    #[error("{found} images or slots, the first input has {first}")]
    Images {
        /// Of the first input.
        first: usize,
        /// Of this one.
        found: usize,
    },
}

/// Why a program was not prepared or did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The backend cannot run this program.
    #[error("backend {backend} cannot run program {program:?}: {source}")]
    Program {
        /// Name of the backend.
        backend: &'static str,
        /// Name of the program.
        program: String,
        /// The reason.
        source: Source,
    },
    /// Another number of inputs than the program has.
    #[error("{found} inputs, the program takes {expected}")]
    InputCount {
        /// Inputs of the program.
        expected: usize,
        /// Inputs given.
        found: usize,
    },
    /// An input that is not what the program takes.
    #[error("input {name:?} has {mismatch}")]
    Input {
        /// Name of the input.
        name: String,
        /// What differs.
        mismatch: InputMismatch,
    },
    /// A node failed.
    #[error("node %{index} ({verb}, layer {layer:?}): {source}")]
    Node {
        /// Position in the program.
        index: usize,
        /// The operation.
        verb: &'static str,
        /// The layer of the model it comes from.
        layer: String,
        /// The reason.
        source: Source,
    },
    /// A program that the verifier refuses.
    #[error("program {program:?} is not sound: {errors}")]
    Unsound {
        /// Name of the program.
        program: String,
        /// Every broken rule.
        errors: String,
    },
    /// A program that asks the key owner for functions, run as if it did not.
    #[error("node %{index} is computed by the key owner: the program runs through a port, streamed")]
    KeyOwner {
        /// The first such node.
        index: usize,
    },
    /// The way to the key owner failed.
    #[error("request {sequence} to the key owner, node %{index}: {source}")]
    Port {
        /// Position in the program.
        index: usize,
        /// Number of the request.
        sequence: u64,
        /// The reason.
        source: Source,
    },
    /// Progress asked to stop.
    #[error("stopped before node %{index} of {nodes}")]
    Stopped {
        /// The node that did not run any more.
        index: usize,
        /// Nodes of the program.
        nodes: usize,
    },
    /// A program and packed weights that do not belong together, or a value that is gone: a defect of this crate.
    #[error("node %{index} reads a value that is not there (defect)")]
    Missing {
        /// Position in the program.
        index: usize,
    },
}
