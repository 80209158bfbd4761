//! Keeps the times of a run, and passes events on.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::{Finished, NodeInfo, Progress};

/// One node that ran.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeTime {
    /// Position in the program.
    pub index: usize,
    /// Its operation.
    pub verb: &'static str,
    /// The layer of the model it comes from.
    pub layer: String,
    /// Ciphertexts of its result.
    pub elements: usize,
    /// Wall time.
    pub duration: Duration,
    /// Bytes of live tensors after it.
    pub bytes_held: usize,
}

/// A [`Progress`] that keeps every node's time and asks another one whether to go on.
#[derive(Debug, Default)]
pub struct Recorder<P = ()> {
    times: Vec<NodeTime>,
    inner: P,
}

impl<P: Progress> Recorder<P> {
    /// Records, and passes everything on to `inner`.
    pub fn new(inner: P) -> Self {
        Self { times: Vec::new(), inner }
    }

    /// All nodes that ran, in order.
    pub fn times(&self) -> &[NodeTime] {
        &self.times
    }

    /// Times by layer of the model, in order of first appearance.
    pub fn layers(&self) -> Vec<(String, Duration)> {
        let mut layers: Vec<(String, Duration)> = Vec::new();
        for node in &self.times {
            match layers.iter_mut().find(|(name, _)| *name == node.layer) {
                Some((_, sum)) => *sum += node.duration,
                None => layers.push((node.layer.clone(), node.duration)),
            }
        }
        layers
    }

    /// Sum over all nodes.
    pub fn total(&self) -> Duration {
        self.times.iter().map(|node| node.duration).sum()
    }

    /// Ends the recording.
    pub fn into_parts(self) -> (Vec<NodeTime>, P) {
        (self.times, self.inner)
    }
}

impl<P: Progress> Progress for Recorder<P> {
    fn started(&mut self, node: NodeInfo<'_>) -> ControlFlow<()> {
        self.inner.started(node)
    }

    fn finished(&mut self, node: NodeInfo<'_>, what: Finished) {
        let NodeInfo { index, verb, layer, elements, .. } = node;
        let Finished { duration, bytes_held } = what;
        self.times.push(NodeTime { index, verb, layer: layer.to_owned(), elements, duration, bytes_held });
        self.inner.finished(node, what);
    }
}
