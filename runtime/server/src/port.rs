//! The run's way to its client: requests become messages, answers become ciphertexts. Tiles leave as they were computed, both components.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use execute::ckks::CkksTensor;
use execute::{Asked, PortError, RefreshPort, Request};
use he_ckks::{CiphertextTensor, CkksContext, SeededCiphertextTensor};
use he_params::{Level, Scale};
use he_rlwe::wire::WireObject;
use tonic::Status;

use crate::session::{self, Session};
use crate::shuffle;

/// What an answer must be, and the order in which its elements travel.
struct Expected {
    results: usize,
    level: Level,
    scale: Scale,
    order: Option<Vec<usize>>,
}

/// A port over a session.
pub(crate) struct SessionPort {
    session: Arc<Session>,
    context: Arc<CkksContext>,
    shuffle: bool,
    expected: BTreeMap<u64, Expected>,
}

impl SessionPort {
    pub(crate) fn new(session: &Arc<Session>) -> Self {
        let model = &session.model;
        Self {
            session: Arc::clone(session),
            context: Arc::clone(model.context()),
            shuffle: model.options().shuffle,
            expected: BTreeMap::new(),
        }
    }

    fn encode(&self, request: Request<CkksTensor>) -> Result<(session::Request, Expected), PortError> {
        let Request { sequence, results, level, scale, what } = request;
        let (mut order, mut bytes) = (None, Bytes::new());
        let asked = match what {
            Asked::Input { input, elements } => protocol::Asked::Input { input, elements: elements.to_vec() },
            Asked::Refresh { node, function, groups, tile } => {
                let mut tile = tile.into_ciphertexts(&self.context)?;
                if self.shuffle && groups.is_none() {
                    let random = shuffle::order(tile.values())?;
                    tile = tile.gather(&random)?;
                    order = Some(random);
                }
                bytes = CiphertextTensor::to_body(&tile, &self.context)?.into();
                let groups = groups.map(|groups| groups.to_vec());
                protocol::Asked::Refresh { node, function, groups, bytes: bytes.len() as u64 }
            }
        };
        let ask = protocol::Ask { sequence, results, level, scale, what: asked };
        let max_answer = SeededCiphertextTensor::max_body_len(&self.context, results)?;
        let request = session::Request { ask: ask.try_into()?, tile: bytes, max_answer };
        Ok((request, Expected { results, level, scale, order }))
    }

    fn decode(&self, answer: &[u8], expected: Expected) -> Result<CkksTensor, PortError> {
        let refuse = |error: String| Box::new(Status::invalid_argument(format!("answer refused: {error}")));
        let tensor = SeededCiphertextTensor::from_body(&self.context, answer).map_err(|e| refuse(e.to_string()))?;
        let Expected { results, level, scale, order } = expected;
        let found = (tensor.values(), tensor.level(), tensor.scale());
        if found != (results, level, scale) {
            let (values, l, s) = found;
            return Err(refuse(format!(
                "{values} ciphertexts at level {l} and scale {s}, asked for {results} at level {level} and scale {scale}"
            )));
        }
        Ok(match order {
            None => tensor.into(),
            Some(order) => tensor.into_expanded(&self.context)?.gather(&shuffle::inverse(&order))?.into(),
        })
    }
}

impl RefreshPort<CkksTensor> for SessionPort {
    fn send(&mut self, request: Request<CkksTensor>) -> Result<(), PortError> {
        self.session.checkpoint()?;
        let sequence = request.sequence;
        let (request, expected) = self.encode(request)?;
        self.expected.insert(sequence, expected);
        Ok(self.session.ask(sequence, request)?)
    }

    fn receive(&mut self, sequence: u64) -> Result<CkksTensor, PortError> {
        let answer = self.session.answer(sequence)?;
        let never = || Status::internal(format!("request {sequence} was never made"));
        let expected = self.expected.remove(&sequence).ok_or_else(never)?;
        self.decode(&answer, expected)
    }
}
