//! The gRPC service: who asks, and for which model.

use std::sync::Arc;
use std::time::Duration;

use protocol::v1::inference_server::Inference;
use protocol::{Hello, check_protocol, v1};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::info;

use crate::admission::Admission;
use crate::arrived::Arrived;
use crate::auth::Principal;
use crate::connection::Connection;
use crate::key_cache::KeyCache;
use crate::metrics::Metrics;
use crate::sessions::Sessions;
use crate::{Access, Model};

/// Messages that wait to be sent on one connection, of at most [`protocol::limits::PART_BYTES`] each.
const QUEUE: usize = 4;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) models: Vec<Arc<Model>>,
    pub(crate) access: Access,
    pub(crate) admission: Arc<Admission>,
    pub(crate) sessions: Sessions,
    pub(crate) keys: KeyCache,
    pub(crate) metrics: Arc<Metrics>,
}

impl Shared {
    pub(crate) fn model(&self, name: &str) -> Result<&Arc<Model>, Status> {
        let found = self.models.iter().find(|model| model.name() == name);
        found.ok_or_else(|| Status::not_found("no model of that name"))
    }

    /// Counts what has arrived of a stream since it was last counted.
    pub(crate) fn received(&self, principal: &Principal, arrived: &Arrived) -> Result<(), Status> {
        let bytes = arrived.take();
        self.metrics.received(bytes);
        self.admission.received(principal, bytes)
    }

    /// Tells the operator of a client that was refused.
    fn refused(&self, principal: &Principal, status: &Status) {
        self.metrics.refused();
        info!(client = %principal, code = ?status.code(), reason = status.message(), "refused");
    }
}

/// The service as tonic calls it.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Shared>);

/// A refusal of the protocol as a status.
pub(crate) fn refuse(error: &protocol::ProtocolError) -> Status {
    match error {
        protocol::ProtocolError::Version { .. } => Status::failed_precondition(error.to_string()),
        _ => Status::invalid_argument(error.to_string()),
    }
}

impl Service {
    /// Who asks; what has arrived of the request by now is counted.
    fn authenticate<T>(&self, request: &Request<T>) -> Result<(Principal, Arrived), Status> {
        let certificates = request.peer_certs();
        let certificate = certificates.as_ref().and_then(|chain| chain.first()).map(AsRef::as_ref);
        let who = self.0.access.authenticate(request.metadata(), certificate);
        let who = who.inspect_err(|_| {
            self.0.metrics.refused();
            info!(peer = ?request.remote_addr(), "refused: not authenticated");
        })?;
        let arrived = request.extensions().get::<Arrived>().cloned().unwrap_or_default();
        self.0.received(&who, &arrived).inspect_err(|status| self.0.refused(&who, status))?;
        Ok((who, arrived))
    }
}

#[tonic::async_trait]
impl Inference for Service {
    type InferStream = ReceiverStream<Result<v1::FromServer, Status>>;

    async fn models(&self, request: Request<v1::ModelsRequest>) -> Result<Response<v1::ModelsReply>, Status> {
        self.authenticate(&request)?;
        check_protocol(request.get_ref().protocol).map_err(|e| refuse(&e))?;
        let names = self.0.models.iter().map(|model| model.name().to_owned()).collect();
        Ok(Response::new(v1::ModelsReply { names }))
    }

    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Result<Response<v1::Description>, Status> {
        self.authenticate(&request)?;
        check_protocol(request.get_ref().protocol).map_err(|e| refuse(&e))?;
        let model = self.0.model(&request.get_ref().model)?;
        Ok(Response::new(model.description().into()))
    }

    async fn infer(&self, request: Request<Streaming<v1::FromClient>>) -> Result<Response<Self::InferStream>, Status> {
        let (principal, arrived) = self.authenticate(&request)?;
        let mut inbound = request.into_inner();
        let shared = Arc::clone(&self.0);
        let hello = async {
            let hello = first(&mut inbound, shared.admission.limits().handshake_timeout).await;
            shared.received(&principal, &arrived)?;
            shared.open(&principal, &hello?)
        };
        let opened = hello.await.inspect_err(|status| shared.refused(&principal, status))?;
        let (outbound, queue) = mpsc::channel(QUEUE);
        let connection = Connection { shared, principal, arrived, inbound, outbound };
        tokio::spawn(connection.serve(opened));
        Ok(Response::new(ReceiverStream::new(queue)))
    }
}

/// The Hello that a stream begins with.
async fn first(inbound: &mut Streaming<v1::FromClient>, patience: Duration) -> Result<Hello, Status> {
    let message = timeout(patience, inbound.message());
    let message = message.await.map_err(|_| Status::deadline_exceeded("no first message in time"))??;
    match message.and_then(|message| message.what) {
        Some(v1::from_client::What::Hello(hello)) => Hello::try_from(hello).map_err(|e| refuse(&e)),
        _ => Err(Status::invalid_argument("the first message is no Hello")),
    }
}
