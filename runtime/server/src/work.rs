//! What an inference takes of the server: wall time, without what it waits for its client.

use std::ops::ControlFlow;
use std::time::Duration;

use execute::{Finished, NodeInfo, Progress};
use tracing::debug;

use crate::session::Session;

/// Wall time of one inference that was computed to its end, without what it waited for its client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// From the first request to the encoded outputs.
    pub total: Duration,
    /// Of it, each node of the program over all its tiles, what goes to the client encoded and what comes back decoded.
    pub nodes: Vec<Duration>,
}

/// Stops a run that nobody waits for, pauses one whose client is away, and keeps the time of each node.
pub(crate) struct Watch<'a> {
    session: &'a Session,
    /// What the session had waited when the step began.
    waited: Duration,
    nodes: Vec<Duration>,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        let nodes = session.model.streamed().program().nodes().len();
        Self { session, waited: Duration::ZERO, nodes: vec![Duration::ZERO; nodes] }
    }

    pub(crate) fn into_nodes(self) -> Vec<Duration> {
        self.nodes
    }
}

impl Progress for Watch<'_> {
    fn started(&mut self, _: NodeInfo<'_>) -> ControlFlow<()> {
        let goes_on = self.session.checkpoint();
        self.waited = self.session.waited();
        match goes_on {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn finished(&mut self, node: NodeInfo<'_>, what: Finished) {
        let waited = self.session.waited().saturating_sub(self.waited);
        if let Some(sum) = self.nodes.get_mut(node.index) {
            *sum += what.duration.saturating_sub(waited);
        }
    }
}

/// Tells an operator who looks closely where the time of an inference went: one line for each layer of the model.
pub(crate) fn log(session: &Session, work: &Work) {
    let nodes = session.model.streamed().program().nodes().iter();
    let times: Vec<_> = nodes.map(|node| node.source()).zip(&work.nodes).collect();
    for layer in times.chunk_by(|(a, _), (b, _)| a == b) {
        let seconds = layer.iter().map(|(_, time)| time.as_secs_f64()).sum::<f64>();
        debug!(session = session.number, layer = layer.first().map_or("", |(name, _)| name), seconds, "layer");
    }
}
