//! One inference, across connections.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use he_ckks::CiphertextTensor;
use he_rlwe::wire::WireObject;
use prost::Message;
use protocol::v1::from_client::What as Out;
use protocol::v1::from_server::What as In;
use protocol::{
    Ask, Asked, Assembly, Description, Hello, ProtocolError, SessionId, Welcome, expect_sequence, is_cut, parts, v1,
};
use rayon::prelude::*;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tracing::debug;

use crate::decode::Decoder;
use crate::memory::Memory;
use crate::traffic::{PREFIX, minimum};
use crate::worker::{Answer, Task, Worker};
use crate::{Client, ClientError, Images, Input, Keys, Traffic, connect, worker};

/// Messages that wait to be sent, and answers that wait to be cut into messages.
const QUEUE: usize = 4;
/// First wait before a new connection, doubled each time.
const BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
/// How long a stream may take to end, once it is cancelled or takes no more messages.
const FAREWELL: Duration = Duration::from_secs(2);

/// Results, and what travelled for them.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// In the order of the model's outputs.
    pub outputs: Vec<Images>,
    /// Bytes, requests, connections.
    pub traffic: Traffic,
}

/// How a connection ended, when not with the results.
enum Broken {
    /// Try again.
    Connection(String),
    /// The server does not know the session.
    Session(String),
    /// No use.
    Fatal(ClientError),
}

impl<E: Into<ClientError>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Fatal(error.into())
    }
}

impl Broken {
    /// A status from the server, or from the transport under it.
    fn from_status(status: &Status, resuming: bool) -> Self {
        match status.code() {
            Code::NotFound if resuming => Self::Session(status.message().to_owned()),
            Code::Unavailable => Self::Connection(connect::causes(status)),
            _ if is_cut(status) => Self::Connection(connect::causes(status)),
            _ => Self::Fatal(ClientError::refused(status)),
        }
    }
}

impl Client {
    /// Has a batch classified: `inputs` in the order of the model's.
    ///
    /// # Errors
    /// [`ClientError`]: inputs or keys that do not fit the model, a server that refused, a connection that broke too often.
    pub async fn infer(
        &self,
        model: &Description,
        keys: &Arc<Keys>,
        inputs: Vec<impl Into<Input>>,
    ) -> Result<Inference, ClientError> {
        self.infer_until(model, keys, inputs, pending()).await
    }

    /// As [`Client::infer`], given up when `cancel` completes: the server is told, and stops.
    ///
    /// # Errors
    /// As [`Client::infer`]; [`ClientError::Cancelled`].
    pub async fn infer_until(
        &self,
        model: &Description,
        keys: &Arc<Keys>,
        inputs: Vec<impl Into<Input>>,
        cancel: impl Future<Output = ()>,
    ) -> Result<Inference, ClientError> {
        let inputs: Vec<Input> = inputs.into_iter().map(Into::into).collect();
        let model = Arc::new(model.clone());
        let (of, with) = (Arc::clone(&model), Arc::clone(keys));
        let check = move || check(&of, &with, &inputs).map(|images| (images, inputs));
        let (images, inputs) = tokio::task::spawn_blocking(check).await.map_err(|_| ClientError::Worker)??;
        let worker = Worker::start(Arc::clone(&model), Arc::clone(keys), inputs, images)?;
        let mut run = Run {
            client: self,
            model: &model,
            keys,
            worker: &worker,
            images,
            session: None,
            traffic: Traffic::default(),
            progress: false,
        };
        let deadline = async {
            match self.options.deadline {
                Some(deadline) => sleep(deadline).await,
                None => pending().await,
            }
        };
        let stopped = tokio::select! {
            outputs = run.outputs() => {
                let outputs = outputs?;
                let traffic = run.traffic;
                return finish(&model, keys, worker, images, outputs, traffic).await;
            }
            () = cancel => ClientError::Cancelled,
            () = deadline => ClientError::Deadline,
        };
        // The stream is dropped already; a connection of its own tells the server.
        run.cancel().await;
        Err(stopped)
    }
}

/// Inputs and keys against the model; the number of images.
fn check(model: &Description, keys: &Keys, inputs: &[Input]) -> Result<usize, ClientError> {
    if keys.context().params().canonical_bytes() != model.params.canonical_bytes() {
        return Err(ClientError::OtherKeys);
    }
    if model.relinearizes && keys.evaluation().is_none() {
        return Err(ClientError::NoKey("evaluation keys"));
    }
    if model.wants_public_key && keys.public().is_none() {
        return Err(ClientError::NoKey("a public key"));
    }
    let (expected, found) = (model.inputs.len(), inputs.len());
    if expected != found {
        return Err(ClientError::Inputs { expected, found });
    }
    let images = inputs.first().map_or(0, Input::images);
    for (port, input) in model.inputs.iter().zip(inputs) {
        let name = || port.name.clone();
        let (found, expected) = (input.elements(), port.elements());
        if found != expected {
            return Err(ClientError::Input { name: name(), what: "numbers to an image", found, expected });
        }
        let (found, expected) = (input.images(), images.min(model.capacity()));
        if found != expected {
            return Err(ClientError::Input { name: name(), what: "images", found, expected });
        }
        let rows = (0..port.elements()).into_par_iter().filter_map(|element| Some((element, input.row(element)?)));
        if let Some((low, high)) = port.range {
            let outside = rows.find_map_first(|(element, row)| {
                let (image, &found) = row.iter().enumerate().find(|(_, x)| !(low..=high).contains(*x))?;
                Some(ClientError::Range { name: name(), element, image, found, low, high })
            });
            outside.map_or(Ok(()), Err)?;
        } else {
            let most = worker::most(model, port.level, port.scale);
            let outside = |row: &[f64]| row.iter().filter(|x| x.is_nan() || x.abs() > most).count() as u64;
            match rows.map(|(_, row)| outside(&row)).sum() {
                0 => {}
                outside => return Err(ClientError::Saturated(outside)),
            }
        }
    }
    Ok(images)
}

/// Decrypts the results.
async fn finish(
    model: &Arc<Description>,
    keys: &Arc<Keys>,
    worker: Worker,
    images: usize,
    outputs: Vec<Bytes>,
    traffic: Traffic,
) -> Result<Inference, ClientError> {
    let (model, keys) = (Arc::clone(model), Arc::clone(keys));
    let decrypt = move || {
        worker.end()?;
        let (context, decoder) = (keys.context(), Decoder::new(&keys, model.packing, images));
        let mut numbers = Vec::with_capacity(outputs.len());
        for (port, body) in model.outputs.iter().zip(outputs) {
            let x = CiphertextTensor::from_body(context, &body)?;
            let found = (x.values(), x.level(), x.scale());
            if found != (port.elements(), port.level, port.scale) {
                let what = format!("output {:?} is not what the model was described to give", port.name);
                return Err(ClientError::Asked(what));
            }
            let decoded = decoder.decode(&x)?;
            if decoded.garbled > 0 {
                return Err(ClientError::Garbled(decoded.garbled));
            }
            numbers.push(Images::from_rows(decoded.numbers, images));
        }
        Ok(Inference { outputs: numbers, traffic })
    };
    tokio::task::spawn_blocking(decrypt).await.map_err(|_| ClientError::Worker)?
}

/// An inference on its way.
struct Run<'a> {
    client: &'a Client,
    model: &'a Description,
    keys: &'a Keys,
    worker: &'a Worker,
    images: usize,
    session: Option<SessionId>,
    traffic: Traffic,
    /// Whether this connection brought anything.
    progress: bool,
}

impl Run<'_> {
    /// Connections, one after the other, until one brings the outputs.
    async fn outputs(&mut self) -> Result<Vec<Bytes>, ClientError> {
        let (mut attempts, mut backoff) = (0, BACKOFF);
        loop {
            self.progress = false;
            let reason = match self.connection().await {
                Ok(outputs) => return Ok(outputs),
                Err(Broken::Fatal(error)) => return Err(error),
                Err(Broken::Session(reason)) if !self.client.options.restart => {
                    return Err(ClientError::SessionLost(reason));
                }
                Err(Broken::Session(reason)) => {
                    self.session = None;
                    reason
                }
                Err(Broken::Connection(reason)) => reason,
            };
            if self.progress {
                (attempts, backoff) = (0, BACKOFF);
            }
            attempts += 1;
            if attempts >= self.client.options.attempts {
                return Err(ClientError::Broken { attempts, reason });
            }
            debug!(attempts, reason, "connecting again");
            sleep(backoff).await;
            backoff = (2 * backoff).min(MAX_BACKOFF);
        }
    }

    /// One connection, from Hello to Done.
    async fn connection(&mut self) -> Result<Vec<Bytes>, Broken> {
        self.traffic.connections += 1;
        let number = self.traffic.connections;
        self.worker.connection.store(number, Ordering::SeqCst);
        let (outbound, queue) = channel(QUEUE);
        let resuming = self.session.is_some();
        let hello = v1::Hello::from(Hello {
            model: self.model.model.clone(),
            program: self.model.program,
            images: self.images,
            evaluation_keys: self.keys.evaluation().filter(|_| self.model.relinearizes).map(|(digest, _)| *digest),
            public_key: self.keys.public().filter(|_| self.model.wants_public_key).map(|(digest, _)| *digest),
            deadline: self.client.options.deadline,
            resume: self.session,
        });
        self.traffic.bytes_up += send(&outbound, Out::Hello(hello)).await?;
        let request = self.client.request(ReceiverStream::new(queue));
        let mut inbound = match self.client.channel.clone().infer(request).await {
            Ok(response) => response.into_inner(),
            Err(status) => return Err(Broken::from_status(&status, resuming)),
        };
        let welcome = match self.next(&mut inbound, resuming).await? {
            In::Welcome(welcome) => Welcome::try_from(welcome)?,
            other => return Err(unexpected(&other, "a Welcome").into()),
        };
        if welcome.resumed != resuming {
            return Err(ProtocolError::Unexpected { found: "a session taken up", expected: "a new one" }.into());
        }
        self.session = Some(welcome.session);
        let keys = self.wanted_keys(&welcome)?;
        self.exchange(number, &mut inbound, &outbound, keys, resuming).await
    }

    async fn next(&mut self, inbound: &mut Streaming<v1::FromServer>, resuming: bool) -> Result<In, Broken> {
        match inbound.message().await {
            Ok(Some(message)) => {
                self.traffic.bytes_down += PREFIX + message.encoded_len() as u64;
                message.what.ok_or(Broken::Fatal(ProtocolError::Missing { field: "what the message is" }.into()))
            }
            Ok(None) => Err(Broken::Connection("the server closed the stream".into())),
            Err(status) => Err(Broken::from_status(&status, resuming)),
        }
    }

    /// Messages with the keys that the server lacks.
    fn wanted_keys(&self, welcome: &Welcome) -> Result<Vec<Out>, Broken> {
        let wanted = |wanted: bool, what| {
            let missing = ClientError::NoKey(what);
            move |key: Option<Bytes>| if wanted { key.map(Some).ok_or(missing) } else { Ok(None) }
        };
        let body = |key: Option<&(protocol::Digest, Bytes)>| key.map(|(_, body)| body.clone());
        let evaluation = wanted(welcome.evaluation_keys_wanted, "evaluation keys")(body(self.keys.evaluation()))?;
        let public = wanted(welcome.public_key_wanted, "a public key")(body(self.keys.public()))?;
        let evaluation = evaluation.iter().flat_map(|key| parts(0, key)).map(Out::EvaluationKeys);
        let public = public.iter().flat_map(|key| parts(0, key)).map(Out::PublicKey);
        Ok(evaluation.chain(public).collect())
    }

    /// Requests in, keys and answers out, until the outputs are there.
    async fn exchange(
        &mut self,
        number: u64,
        inbound: &mut Streaming<v1::FromServer>,
        outbound: &Sender<v1::FromClient>,
        keys: Vec<Out>,
        resuming: bool,
    ) -> Result<Vec<Bytes>, Broken> {
        let (answers, mut made) = channel(QUEUE);
        let mut sent = Traffic::default();
        // Keys and answers leave while the server is listened to: it may have something to say before it has all of them.
        let leave = async {
            for part in keys {
                sent.key_bytes += send(outbound, part).await?;
            }
            while let Some(Answer { sequence, made }) = made.recv().await {
                let made = made?;
                for part in parts(sequence, &made.body) {
                    sent.bytes_up += send(outbound, Out::Answer(part)).await?;
                }
                sent.minimum_down += made.minimum_down;
                sent.requests += 1;
            }
            pending::<Result<Vec<Bytes>, Broken>>().await
        };
        let result = tokio::select! {
            result = self.come(number, inbound, answers, resuming) => result,
            result = leave => match result {
                Err(Broken::Connection(reason)) => Err(self.last_word(inbound, resuming, reason).await),
                result => result,
            },
        };
        self.traffic += sent;
        self.progress |= sent.requests > 0;
        result
    }

    /// Why a connection that takes no more messages ended, where the server says so.
    async fn last_word(&mut self, inbound: &mut Streaming<v1::FromServer>, resuming: bool, reason: String) -> Broken {
        let listen = async {
            loop {
                if let Err(broken) = self.next(inbound, resuming).await {
                    break broken;
                }
            }
        };
        timeout(FAREWELL, listen).await.unwrap_or(Broken::Connection(reason))
    }

    async fn come(
        &mut self,
        number: u64,
        inbound: &mut Streaming<v1::FromServer>,
        answers: Sender<Answer>,
        resuming: bool,
    ) -> Result<Vec<Bytes>, Broken> {
        let params = &self.model.params;
        let context = self.keys.context();
        let memory = Memory { limit: self.client.options.memory, model: self.model, images: self.images };
        let longest_tile = CiphertextTensor::max_body_len(context, self.model.tile_values)?;
        let (mut waiting, mut tile, mut output) = (None::<Ask>, Assembly::default(), Assembly::default());
        let (mut outputs, mut output_bytes, mut before) = (Vec::new(), 0, None);
        loop {
            let ready = match self.next(inbound, resuming).await? {
                In::Ask(ask) if waiting.is_none() => {
                    let ask = Ask::check(ask, self.model)?;
                    memory.check_request(&ask, longest_tile)?;
                    if before.replace(ask.sequence).is_some_and(|before| ask.sequence <= before) {
                        let found = format!("{} once more", ask.sequence);
                        return Err(ProtocolError::Value { field: "sequence of a request", found }.into());
                    }
                    match &ask.what {
                        Asked::Input { .. } => Some((ask, Bytes::new())),
                        Asked::Refresh { .. } => {
                            waiting = Some(ask);
                            None
                        }
                    }
                }
                In::Tile(part) => {
                    let Some(ask) = &waiting else { return Err(unexpected(&In::Tile(part), "a request").into()) };
                    let stated = match &ask.what {
                        Asked::Refresh { bytes, .. } => *bytes,
                        Asked::Input { .. } => 0,
                    };
                    let whole = tile.take::<ClientError>(part, |sequence| {
                        expect_sequence(sequence, ask.sequence)?;
                        Ok(stated.min(longest_tile))
                    })?;
                    match (whole, waiting.take()) {
                        (Some((_, body)), Some(ask)) => Some((ask, body)),
                        (_, ask) => {
                            waiting = ask;
                            None
                        }
                    }
                }
                In::Output(part) => {
                    let index = outputs.len();
                    let port = self
                        .model
                        .outputs
                        .get(index)
                        .ok_or_else(|| ClientError::Asked("one output too many".into()))?;
                    let most = CiphertextTensor::max_body_len(context, port.elements())?;
                    let total = part.total.min(most);
                    let whole = output.take::<ClientError>(part, |sequence| {
                        expect_sequence(sequence, index as u64)?;
                        output_bytes += total;
                        memory.check_outputs(output_bytes)?;
                        Ok(most)
                    })?;
                    if let Some((_, body)) = whole {
                        self.traffic.minimum_down += minimum(params, 2 * port.elements(), port.level);
                        outputs.push(body);
                    }
                    None
                }
                In::Done(_) if outputs.len() == self.model.outputs.len() => return Ok(outputs),
                other => return Err(unexpected(&other, "a request, a tile or an output").into()),
            };
            let Some((ask, tile)) = ready else { continue };
            self.traffic.minimum_up += minimum(params, ask.results, ask.level);
            self.worker.put(Task { connection: number, ask, tile, answers: answers.clone() }).await?;
        }
    }

    /// Tells the server that nobody waits any more.
    async fn cancel(&mut self) {
        let Some(session) = self.session else { return };
        let told = async {
            let (outbound, queue) = channel(QUEUE);
            let hello = v1::Hello::from(Hello {
                model: self.model.model.clone(),
                program: self.model.program,
                images: self.images,
                evaluation_keys: None,
                public_key: None,
                deadline: None,
                resume: Some(session),
            });
            for what in [Out::Hello(hello), Out::Cancel(v1::Cancel {})] {
                send(&outbound, what).await.ok()?;
            }
            let request = self.client.request(ReceiverStream::new(queue));
            let mut inbound = self.client.channel.clone().infer(request).await.ok()?.into_inner();
            while let Ok(Some(_)) = inbound.message().await {}
            Some(())
        };
        let _ = timeout(FAREWELL, told).await;
    }
}

/// Sends a message; its length on the way. A stream that has ended takes none.
async fn send(outbound: &Sender<v1::FromClient>, what: Out) -> Result<u64, Broken> {
    let message = v1::FromClient { what: Some(what) };
    let bytes = PREFIX + message.encoded_len() as u64;
    let ended = |_| Broken::Connection("the stream takes no more messages".into());
    outbound.send(message).await.map(|()| bytes).map_err(ended)
}

fn unexpected(found: &In, expected: &'static str) -> ClientError {
    let found = match found {
        In::Welcome(_) => "a Welcome",
        In::Ask(_) => "a request",
        In::Tile(_) => "a part of a tile",
        In::Output(_) => "a part of an output",
        In::Done(_) => "Done",
    };
    ProtocolError::Unexpected { found, expected }.into()
}
