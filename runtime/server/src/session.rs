//! One inference, from the Hello to the last output, across connections.
//!
//! Two sides meet here: the thread that runs the program asks, waits for answers and ends; the connection of the moment, if there is one, carries requests out
//! and answers in. A request stays until its answer is there, so a new connection can repeat it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::{SessionId, v1};
use tokio::sync::watch;
use tonic::{Code, Status};

use crate::Model;
use crate::admission::Place;
use crate::auth::Principal;
use crate::handshake::Wanted;

/// Most requests without an answer: a run that asks for more is refused.
pub(crate) const MAX_OPEN: usize = 256;

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) ask: v1::Ask,
    /// The ciphertexts, for a refresh.
    pub(crate) tile: Bytes,
    /// Longest answer, in bytes.
    pub(crate) max_answer: u64,
}

/// What a connection sends next.
#[derive(Debug)]
pub(crate) enum Next {
    Request(Arc<Request>),
    Outputs(Arc<[Bytes]>),
    /// The session is over, for this reason.
    Ended(Status),
    Nothing,
}

/// One inference.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// What logs call it.
    pub(crate) number: u64,
    pub(crate) principal: Principal,
    pub(crate) model: Arc<Model>,
    /// Images in the batch, as the client declared them.
    pub(crate) images: usize,
    /// The keys without which the run does not begin.
    pub(crate) wanted: Wanted,
    deadline: Instant,
    state: Mutex<State>,
    changed: Condvar,
    wake: watch::Sender<u64>,
    _place: Place,
}

#[derive(Debug)]
struct State {
    /// Whether the run has its keys.
    begun: bool,
    open: BTreeMap<u64, Arc<Request>>,
    answers: BTreeMap<u64, Bytes>,
    outputs: Option<Arc<[Bytes]>>,
    ended: Option<Status>,
    /// The connection of the moment.
    attached: Option<u64>,
    connections: u64,
    /// When the last connection went, or the last answer came.
    last_sign: Instant,
    /// How long the run has waited for the client.
    waited: Duration,
}

impl Session {
    #[expect(clippy::too_many_arguments, reason = "one for each field that is given")]
    pub(crate) fn new(
        id: SessionId,
        number: u64,
        principal: Principal,
        model: Arc<Model>,
        images: usize,
        wanted: Wanted,
        deadline: Duration,
        place: Place,
    ) -> Self {
        let now = Instant::now();
        let state = State {
            begun: false,
            open: BTreeMap::new(),
            answers: BTreeMap::new(),
            outputs: None,
            ended: None,
            attached: None,
            connections: 0,
            last_sign: now,
            waited: Duration::ZERO,
        };
        Self {
            id,
            number,
            principal,
            model,
            images,
            wanted,
            deadline: now + deadline,
            state: Mutex::new(state),
            changed: Condvar::new(),
            wake: watch::Sender::new(0),
            _place: place,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        self.changed.notify_all();
        self.wake.send_modify(|version| *version += 1);
    }

    // What the run calls.

    /// Hands a request over.
    pub(crate) fn ask(&self, sequence: u64, request: Request) -> Result<(), Status> {
        let mut state = self.state();
        self.check(&state)?;
        if state.open.len() + state.answers.len() >= MAX_OPEN {
            return Err(Status::internal(format!("more than {MAX_OPEN} requests without an answer")));
        }
        state.open.insert(sequence, Arc::new(request));
        drop(state);
        self.notify();
        Ok(())
    }

    /// Waits for an answer.
    pub(crate) fn answer(&self, sequence: u64) -> Result<Bytes, Status> {
        let mut state = self.state();
        loop {
            self.check(&state)?;
            if let Some(answer) = state.answers.remove(&sequence) {
                return Ok(answer);
            }
            if !state.open.contains_key(&sequence) {
                return Err(Status::internal(format!("request {sequence} was never made")));
            }
            state = self.wait(state);
        }
    }

    /// Between two pieces of work: goes on at once while a client is there, waits while nobody is.
    pub(crate) fn checkpoint(&self) -> Result<(), Status> {
        let mut state = self.state();
        loop {
            self.check(&state)?;
            if state.attached.is_some() {
                return Ok(());
            }
            state = self.wait(state);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        // The limit guards against a notice missed.
        let start = Instant::now();
        let left = self.deadline.saturating_duration_since(start).min(Duration::from_secs(1));
        let mut state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        state.waited += start.elapsed();
        state
    }

    /// How long the run has waited: for answers, and for a client that was away.
    pub(crate) fn waited(&self) -> Duration {
        self.state().waited
    }

    fn check(&self, state: &State) -> Result<(), Status> {
        match &state.ended {
            Some(status) => Err(status.clone()),
            None if Instant::now() >= self.deadline => Err(late()),
            None => Ok(()),
        }
    }

    /// The results are there.
    pub(crate) fn finish(&self, outputs: Vec<Bytes>) {
        let mut state = self.state();
        state.outputs = Some(outputs.into());
        drop(state);
        self.notify();
    }

    /// Ends the session; the first reason stays.
    pub(crate) fn end(&self, status: Status) {
        let mut state = self.state();
        if state.ended.is_none() {
            state.ended = Some(status);
        }
        state.open.clear();
        state.answers.clear();
        state.outputs = None;
        drop(state);
        self.notify();
    }

    // What a connection calls.

    /// Takes the session up; the connection before, if there is one, is told to go.
    pub(crate) fn attach(&self) -> Result<u64, Status> {
        let mut state = self.state();
        self.check(&state)?;
        state.connections += 1;
        state.attached = Some(state.connections);
        state.last_sign = Instant::now();
        let connection = state.connections;
        drop(state);
        self.notify();
        Ok(connection)
    }

    /// The connection is gone.
    pub(crate) fn detach(&self, connection: u64) {
        let mut state = self.state();
        if state.attached == Some(connection) {
            state.attached = None;
            state.last_sign = Instant::now();
        }
    }

    /// Why a connection has no say any more, when another has taken the session up.
    pub(crate) fn superseded(&self, connection: u64) -> Option<Status> {
        let superseded = self.state().connections != connection;
        superseded.then(|| Status::aborted("another connection has taken the session up"))
    }

    /// Completes when the session has ended, its time is over, or another connection has taken it up, with the reason.
    pub(crate) async fn over(&self, connection: u64) -> Status {
        let mut wake = self.wake.subscribe();
        loop {
            wake.borrow_and_update();
            if let Some(status) = self.superseded(connection) {
                return status;
            }
            if let Err(status) = self.check(&self.state()) {
                return status;
            }
            // Either way it is looked at again.
            let _ = tokio::time::timeout_at(self.deadline.into(), wake.changed()).await;
        }
    }

    pub(crate) fn begun(&self) -> bool {
        self.state().begun
    }

    /// Whether the run is to begin now: once.
    pub(crate) fn begin(&self) -> bool {
        !std::mem::replace(&mut self.state().begun, true)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    /// What to send after request `sent`.
    pub(crate) fn next(&self, connection: u64, sent: Option<u64>) -> Next {
        let mut state = self.state();
        if let Some(status) = &state.ended {
            return Next::Ended(status.clone());
        }
        if state.attached != Some(connection) {
            return Next::Nothing;
        }
        if let Some(outputs) = &state.outputs {
            return Next::Outputs(Arc::clone(outputs));
        }
        let from = sent.map_or(0, |sent| sent + 1);
        match state.open.range(from..).next().map(|(_, request)| Arc::clone(request)) {
            Some(request) => {
                state.last_sign = Instant::now();
                Next::Request(request)
            }
            None => Next::Nothing,
        }
    }

    /// Longest answer to a request that is open.
    pub(crate) fn max_answer(&self, sequence: u64) -> Result<u64, Status> {
        let state = self.state();
        let request = state.open.get(&sequence);
        let max = request.map(|request| request.max_answer);
        max.ok_or_else(|| Status::invalid_argument(format!("answer {sequence}, which was not asked for")))
    }

    /// An answer has arrived. One that a connection brings after another has taken the session up is asked for again on that other, and dropped.
    pub(crate) fn put_answer(&self, connection: u64, sequence: u64, answer: Bytes) -> Result<(), Status> {
        let mut state = self.state();
        if state.attached != Some(connection) {
            return Ok(());
        }
        if state.open.remove(&sequence).is_none() {
            return Err(Status::invalid_argument(format!("answer {sequence}, which was not asked for")));
        }
        state.last_sign = Instant::now();
        state.answers.insert(sequence, answer);
        drop(state);
        self.notify();
        Ok(())
    }

    /// A part has arrived or has left: the client is alive.
    pub(crate) fn sign(&self) {
        self.state().last_sign = Instant::now();
    }

    /// How long the client has owed an answer without a sign.
    pub(crate) fn silence(&self) -> Option<Duration> {
        let state = self.state();
        (!state.open.is_empty()).then(|| state.last_sign.elapsed())
    }

    /// Ends the session when its time is over; whether it is to be forgotten.
    pub(crate) fn sweep(&self, resume_window: Duration) -> bool {
        let state = self.state();
        let (ended, attached) = (state.ended.is_some(), state.attached.is_some());
        let gone = !attached && state.last_sign.elapsed() >= resume_window;
        drop(state);
        if Instant::now() >= self.deadline {
            self.end(late());
        }
        if gone {
            self.end(Status::not_found("the session has expired"));
        }
        gone || (ended && !attached)
    }
}

fn late() -> Status {
    Status::deadline_exceeded("the inference took longer than its deadline")
}

/// The client gave up.
pub(crate) fn cancelled() -> Status {
    Status::new(Code::Cancelled, "the client cancelled the inference")
}

#[cfg(test)]
mod tests {
    use protocol::Hello;

    use super::*;
    use crate::admission::Admission;
    use crate::key_cache::KeyCache;
    use crate::service::Shared;
    use crate::testing::{config, model, principal};

    fn session() -> Arc<Session> {
        let (model, config) = (model(), config());
        let hello = Hello {
            model: model.name().to_owned(),
            program: model.description().program,
            images: 1,
            evaluation_keys: None,
            public_key: None,
            deadline: None,
            resume: None,
        };
        let shared = Shared {
            models: vec![Arc::new(model)],
            access: config.access,
            admission: Admission::new(config.limits),
            sessions: crate::sessions::Sessions::default(),
            keys: KeyCache::new(0),
            metrics: Arc::default(),
        };
        shared.open(&principal(), &hello).unwrap().session
    }

    #[test]
    fn a_connection_has_no_say_once_another_has_taken_the_session_up() {
        let session = session();
        let old = session.attach().unwrap();
        let request = Request { ask: v1::Ask::default(), tile: Bytes::new(), max_answer: 3 };
        session.ask(0, request).unwrap();
        assert!(matches!(session.next(old, None), Next::Request(_)));
        let new = session.attach().unwrap();
        assert!(session.superseded(old).is_some() && session.superseded(new).is_none());
        // Its answer was still on its way: the request is repeated, and answered once.
        session.put_answer(old, 0, Bytes::from("old")).unwrap();
        assert!(matches!(session.next(old, None), Next::Nothing));
        assert!(matches!(session.next(new, None), Next::Request(_)));
        session.put_answer(new, 0, Bytes::from("new")).unwrap();
        assert_eq!(session.answer(0).unwrap(), "new");
        assert_eq!(session.put_answer(new, 0, Bytes::from("new")).unwrap_err().code(), Code::InvalidArgument);
        // Nor does its end leave the session without a connection.
        session.detach(old);
        session.checkpoint().unwrap();
        assert!(session.superseded(new).is_none());
    }

    #[test]
    fn the_run_begins_once() {
        let session = session();
        assert!(!session.begun());
        assert!(session.begin() && !session.begin());
        assert!(session.begun());
    }
}
