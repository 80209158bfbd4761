//! What a run tells while it runs.

use std::ops::ControlFlow;
use std::time::Duration;

/// The node that is about to run.
#[derive(Clone, Copy, Debug)]
pub struct NodeInfo<'a> {
    /// Position in the program.
    pub index: usize,
    /// Nodes of the program.
    pub nodes: usize,
    /// Its operation.
    pub verb: &'static str,
    /// The layer of the model it comes from.
    pub layer: &'a str,
    /// Ciphertexts of its result.
    pub elements: usize,
}

/// What a node did.
#[derive(Clone, Copy, Debug)]
pub struct Finished {
    /// Wall time of the node.
    pub duration: Duration,
    /// Bytes of all live tensors after it, what it consumed already freed.
    pub bytes_held: usize,
}

/// Listens to a run. `()` does not.
pub trait Progress {
    /// Before a node; `Break` stops the run here, and everything it holds is freed.
    fn started(&mut self, _node: NodeInfo<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// After a node.
    fn finished(&mut self, _node: NodeInfo<'_>, _what: Finished) {}
}

impl Progress for () {}
