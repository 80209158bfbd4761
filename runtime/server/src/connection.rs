//! One stream of one client: requests out, answers in, until one of them ends it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::v1::from_client::What as In;
use protocol::v1::from_server::What as Out;
use protocol::{Assembly, ProtocolError, Welcome, expect_sequence, is_cut, parts, v1};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};
use tracing::info;

use crate::arrived::Arrived;
use crate::auth::Principal;
use crate::handshake::{Opened, Wanted};
use crate::key_cache::ClientKeys;
use crate::run;
use crate::service::{Shared, refuse};
use crate::session::{Next, Session, cancelled};

/// How long after the last output a client may take to close the stream.
const FAREWELL: Duration = Duration::from_secs(10);

pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) principal: Principal,
    pub(crate) arrived: Arrived,
    pub(crate) inbound: Streaming<v1::FromClient>,
    pub(crate) outbound: Sender<Result<v1::FromServer, Status>>,
}

/// How a connection ends.
enum End {
    /// The client has everything.
    Complete,
    /// The session is over; the client is told why.
    Over(Status),
    /// The client is gone, perhaps to come back.
    Gone(&'static str),
    /// The client is told, and may come back.
    Cut(Status),
}

/// A refusal on the way in.
struct Broken(Status);

impl From<ProtocolError> for Broken {
    fn from(error: ProtocolError) -> Self {
        Self(refuse(&error))
    }
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl Connection {
    /// Serves a session for as long as this connection lasts.
    pub(crate) async fn serve(mut self, Opened { session, resumed }: Opened) {
        let number = session.number;
        info!(session = number, client = %self.principal, model = session.model.name(), images_declared = session.images, resumed, "connected");
        self.shared.metrics.started(resumed);
        let connection = match session.attach() {
            Ok(connection) => connection,
            Err(status) => return self.last(Err(status)).await,
        };
        let served = async {
            match self.begin(&session, resumed).await {
                Ok(()) => self.exchange(&session, connection).await,
                Err(end) => end,
            }
        };
        // Whatever the connection waits for, a session that is over ends it: keys that trickle in, outputs that nobody reads.
        let end = tokio::select! {
            end = served => end,
            status = session.over(connection) => End::Over(status),
        };
        // Messages that nobody waited for, and the beginning of one that broke off: what they exceed refuses the next Hello.
        let _ = self.shared.received(&self.principal, &self.arrived);
        // Whatever it has come to, it is not the session's end once another connection has taken that up.
        let end = session.superseded(connection).map_or(end, End::Cut);
        match end {
            End::Complete => {
                self.shared.sessions.remove(&session);
                info!(session = number, "complete");
            }
            End::Over(status) => {
                info!(session = number, code = ?status.code(), reason = status.message(), "over");
                session.end(status.clone());
                self.shared.sessions.remove(&session);
                // Its place is free before the client has read why.
                drop(session);
                self.last(Err(status)).await;
            }
            End::Gone(how) => {
                session.detach(connection);
                info!(session = number, how, "connection lost");
            }
            End::Cut(status) => {
                session.detach(connection);
                drop(session);
                info!(session = number, reason = status.message(), "connection cut");
                self.last(Err(status)).await;
            }
        }
    }

    /// Sends the last message, to a client that may not read.
    async fn last(&self, message: Result<v1::FromServer, Status>) {
        let _ = timeout(FAREWELL, self.outbound.send(message)).await;
    }

    /// Welcome, keys, and the run begins, where no connection before has come so far.
    async fn begin(&mut self, session: &Arc<Session>, resumed: bool) -> Result<(), End> {
        let wanted = &session.wanted;
        let begun = session.begun();
        let known = if begun { None } else { wanted.known(&self.shared) };
        let missing = (!begun && known.is_none() && (wanted.evaluation() || wanted.public())).then_some(wanted);
        send(&self.outbound, Out::Welcome(welcome(session, resumed, missing).into())).await?;
        let keys = match missing {
            Some(wanted) => Some(self.read_keys(session, wanted).await?),
            None => known,
        };
        match session.begin() {
            true => run::start(Arc::clone(session), keys, Arc::clone(&self.shared.metrics)).map_err(End::Over),
            false => Ok(()),
        }
    }

    async fn read_keys(&mut self, session: &Arc<Session>, wanted: &Wanted) -> Result<Arc<ClientKeys>, End> {
        let (mut evaluation, mut public) = (None, None);
        let patience = self.shared.admission.limits().answer_timeout;
        let mut assembly = Assembly::default();
        while evaluation.is_some() != wanted.evaluation() || public.is_some() != wanted.public() {
            let late = |_| End::Cut(Status::unavailable(format!("no sign of the keys for {patience:?}")));
            let (part, slot, max) = match timeout(patience, hear(&mut self.inbound)).await.map_err(late)?? {
                Some(In::EvaluationKeys(part)) if wanted.evaluation() && evaluation.is_none() => {
                    (part, &mut evaluation, Wanted::max_evaluation(&session.model))
                }
                Some(In::PublicKey(part)) if wanted.public() && public.is_none() => {
                    (part, &mut public, Wanted::max_public(&session.model))
                }
                _ => {
                    return Err(End::Over(Status::invalid_argument("a message that is none of the keys wanted")));
                }
            };
            self.shared.received(&self.principal, &self.arrived).map_err(End::Over)?;
            let whole = assembly.take::<Broken>(part, |sequence| {
                expect_sequence(sequence, 0)?;
                Ok(max?)
            });
            let whole = whole.map_err(|broken| End::Over(broken.0))?;
            if let Some((_, bytes)) = whole {
                *slot = Some(bytes);
            }
        }
        let (shared, session, wanted) = (Arc::clone(&self.shared), Arc::clone(session), wanted.clone());
        let read = move || wanted.read(&shared, &session.model, evaluation.as_ref(), public.as_ref());
        let read = tokio::task::spawn_blocking(read).await;
        read.map_err(|_| End::Over(Status::internal("reading the keys failed (defect)")))?.map_err(End::Over)
    }

    /// Both directions at once; whichever ends first ends both.
    async fn exchange(&mut self, session: &Arc<Session>, connection: u64) -> End {
        let Self { shared, arrived, inbound, outbound, .. } = self;
        let written = tokio::select! {
            end = read(shared, session, connection, arrived, inbound) => return end,
            end = write(shared, session, connection, outbound) => end,
        };
        if let Err(end) = written {
            return end;
        }
        // Everything is sent. The client closes when it has everything; until then it may come back for it.
        let farewell = async {
            loop {
                match inbound.message().await {
                    Ok(None) => return End::Complete,
                    Ok(Some(_)) => {}
                    Err(_) => return End::Gone("cut after the outputs"),
                }
            }
        };
        timeout(FAREWELL, farewell).await.unwrap_or(End::Gone("no farewell"))
    }
}

fn welcome(session: &Session, resumed: bool, wanted: Option<&Wanted>) -> Welcome {
    Welcome {
        session: session.id,
        resumed,
        evaluation_keys_wanted: wanted.is_some_and(Wanted::evaluation),
        public_key_wanted: wanted.is_some_and(Wanted::public),
    }
}

async fn send(outbound: &Sender<Result<v1::FromServer, Status>>, what: Out) -> Result<(), End> {
    let message = v1::FromServer { what: Some(what) };
    outbound.send(Ok(message)).await.map_err(|_| End::Gone("nobody reads"))
}

/// What the client says next, where it does not end the connection.
async fn hear(inbound: &mut Streaming<v1::FromClient>) -> Result<Option<In>, End> {
    match inbound.message().await {
        Ok(Some(v1::FromClient { what: Some(In::Cancel(_)) })) => Err(End::Over(cancelled())),
        Ok(Some(message)) => Ok(message.what),
        Ok(None) => Err(End::Gone("closed before the end")),
        Err(status) if is_cut(&status) => Err(End::Gone("cut")),
        // A message longer than allowed, or one that cannot be read: the rest of the stream is lost.
        Err(status) if status.code() == Code::OutOfRange => Err(End::Over(status)),
        Err(status) => Err(End::Over(Status::invalid_argument(status.message()))),
    }
}

/// Answers, until something ends the connection.
async fn read(
    shared: &Shared,
    session: &Session,
    connection: u64,
    arrived: &Arrived,
    inbound: &mut Streaming<v1::FromClient>,
) -> End {
    let patience = shared.admission.limits().answer_timeout;
    let mut assembly = Assembly::default();
    loop {
        let heard = match timeout(patience, hear(inbound)).await {
            Ok(heard) => heard,
            Err(_) if session.silence().is_some_and(|silence| silence >= patience) => {
                return End::Cut(Status::unavailable(format!("no sign of an answer for {patience:?}")));
            }
            Err(_) => continue,
        };
        let part = match heard {
            Ok(Some(In::Answer(part))) => part,
            Ok(_) => return End::Over(Status::invalid_argument("a message that is no answer")),
            Err(end) => return end,
        };
        if let Err(status) = shared.received(&session.principal, arrived) {
            return End::Over(status);
        }
        session.sign();
        let taken = assembly.take::<Broken>(part, |sequence| Ok(session.max_answer(sequence)?));
        let put = taken.and_then(|whole| match whole {
            Some((sequence, answer)) => Ok(session.put_answer(connection, sequence, answer)?),
            None => Ok(()),
        });
        if let Err(Broken(status)) = put {
            return End::Over(status);
        }
    }
}

/// Requests and outputs, in order.
async fn write(
    shared: &Shared,
    session: &Session,
    connection: u64,
    outbound: &Sender<Result<v1::FromServer, Status>>,
) -> Result<(), End> {
    let mut wake = session.subscribe();
    let mut sent = None;
    loop {
        wake.borrow_and_update();
        match session.next(connection, sent) {
            Next::Request(request) => {
                sent = Some(request.ask.sequence);
                shared.metrics.asked();
                send(outbound, Out::Ask(request.ask.clone())).await?;
                if matches!(request.ask.what, Some(v1::ask::What::Refresh(_))) {
                    send_parts(shared, session, outbound, request.ask.sequence, &request.tile, Out::Tile).await?;
                }
            }
            Next::Outputs(outputs) => {
                for (sequence, output) in (0..).zip(outputs.iter()) {
                    send_parts(shared, session, outbound, sequence, output, Out::Output).await?;
                }
                return send(outbound, Out::Done(v1::Done {})).await;
            }
            Next::Ended(status) => return Err(End::Over(status)),
            Next::Nothing => {
                tokio::select! {
                    _ = wake.changed() => {}
                    () = outbound.closed() => return Err(End::Gone("nobody reads")),
                }
            }
        }
    }
}

async fn send_parts(
    shared: &Shared,
    session: &Session,
    outbound: &Sender<Result<v1::FromServer, Status>>,
    sequence: u64,
    object: &Bytes,
    what: fn(v1::Part) -> Out,
) -> Result<(), End> {
    for part in parts(sequence, object) {
        shared.metrics.sent(part.data.len() as u64);
        send(outbound, what(part)).await?;
        // There is room for it because the client has read on.
        session.sign();
    }
    Ok(())
}
