//! Binding, serving, stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::map_request;
use protocol::limits;
use protocol::v1::inference_server::InferenceServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, interval, sleep, timeout};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use tracing::info;

use crate::admission::Admission;
use crate::key_cache::KeyCache;
use crate::metrics::{self, Metrics};
use crate::service::{Service, Shared};
use crate::sessions::Sessions;
use crate::{Model, ServerConfig, ServerError, Transport, arrived, model};

/// How often sessions are held against their deadlines.
const SWEEP: Duration = Duration::from_millis(200);
/// Most streams of one connection at one time.
const STREAMS: u32 = 64;
/// Bytes in flight, on one stream and on one connection.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// A connection that does not answer a ping for this long is dead.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// A server that has its sockets and does not serve yet.
pub struct Server {
    shared: Arc<Shared>,
    transport: tonic::transport::Server,
    incoming: TcpIncoming,
    address: SocketAddr,
    metrics: Option<(TcpListener, SocketAddr)>,
    stop: watch::Sender<bool>,
}

/// Tells a server to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Stop {
    /// No new inferences; those that run may end, within the grace that was configured.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Server {
    /// Checks the configuration and binds the sockets. To be called on a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`]: a configuration that would be unsafe, certificates that cannot be read, addresses that are taken.
    pub async fn bind(config: ServerConfig, models: Vec<Model>) -> Result<Self, ServerError> {
        config.check()?;
        let models: Vec<Arc<Model>> = models.into_iter().map(Arc::new).collect();
        model::check_names(&models)?;
        let limit = config.limits.memory_bytes;
        if let Some(large) = models.iter().find(|model| model.planned_bytes() > limit) {
            let (model, needed) = (large.name().to_owned(), large.planned_bytes());
            return Err(ServerError::Memory { model, needed, limit });
        }
        let budget = config.limits.images_per_client;
        let carries = |model: &Model| model.description().capacity() as u64;
        if let Some(large) = models.iter().find(|model| carries(model) > budget) {
            return Err(ServerError::Budget { model: large.name().to_owned(), carries: carries(large), budget });
        }
        let mut transport = tonic::transport::Server::builder()
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(limits::PART_BYTES as u32)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .tcp_nodelay(true);
        if let Transport::Tls { certificate, key, client_authority } = &config.transport {
            let identity = Identity::from_pem(certificate, key);
            let mut tls = ServerTlsConfig::new().identity(identity).timeout(config.limits.handshake_timeout);
            if let Some(authority) = client_authority {
                let tokens_too = !config.access.tokens.is_empty();
                tls = tls.client_ca_root(Certificate::from_pem(authority)).client_auth_optional(tokens_too);
            }
            transport = transport.tls_config(tls)?;
        }
        let (listener, address) = bind(config.listen).await?;
        let metrics = match config.metrics {
            Some(metrics) => Some(bind(metrics).await?),
            None => None,
        };
        let shared = Shared {
            models,
            access: config.access,
            admission: Admission::new(config.limits),
            sessions: Sessions::default(),
            keys: KeyCache::new(config.limits.key_cache_bytes),
            metrics: Arc::new(Metrics::default()),
        };
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let stop = watch::Sender::new(false);
        Ok(Self { shared: Arc::new(shared), transport, incoming, address, metrics, stop })
    }

    /// Where clients come.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// The way to stop it.
    pub fn stopper(&self) -> Stop {
        Stop(self.stop.clone())
    }

    /// Serves until it is told to stop and has drained.
    ///
    /// # Errors
    /// [`ServerError::Transport`]; [`ServerError::Serving`] when a part of the server ends by itself.
    pub async fn serve(self) -> Result<(), ServerError> {
        let Self { shared, mut transport, incoming, address, metrics, stop } = self;
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<InferenceServer<Service>>().await;
        // Neither ends before it is dropped.
        let mut beside = JoinSet::new();
        beside.spawn(sweep(Arc::clone(&shared)));
        if let Some((listener, _)) = metrics {
            let router = metrics::router(&shared);
            beside.spawn(async move { axum::serve(listener, router).await.err().map(|error| error.to_string()) });
        }
        let service = InferenceServer::new(Service(Arc::clone(&shared)))
            .max_decoding_message_size(limits::MESSAGE_BYTES)
            .max_encoding_message_size(limits::MESSAGE_BYTES);
        let counted = Routes::new(service).into_axum_router().layer(map_request(arrived::count));
        let router = transport.add_routes(counted.into()).add_service(health_service);
        shared.models.iter().for_each(|model| model.log());
        info!(%address, models = shared.models.len(), "serving");
        let mut told = stop.subscribe();
        let (drained, done) = tokio::sync::oneshot::channel::<()>();
        let mut serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, async {
            let _ = done.await;
        }));
        tokio::select! {
            ended = &mut serving => return Err(unasked(flat(ended))),
            Some(ended) = beside.join_next() => return Err(ended_beside(ended)),
            _ = told.wait_for(|stop| *stop) => {}
        }
        let grace = shared.admission.limits().shutdown_grace;
        info!(sessions = shared.sessions.len(), ?grace, "stopping");
        health.set_not_serving::<InferenceServer<Service>>().await;
        shared.sessions.drain();
        let deadline = Instant::now() + grace;
        while shared.sessions.len() > 0 && Instant::now() < deadline {
            sleep(SWEEP).await;
        }
        shared.sessions.end_all(&Status::unavailable("the server has stopped"));
        // Connections say their last word and go.
        sleep(SWEEP).await;
        let _ = drained.send(());
        let ended = timeout(Duration::from_secs(5), &mut serving).await;
        serving.abort();
        info!(connections_left = ended.is_err(), "stopped");
        // Connections that do not close in time are closed: that is no failure of the server.
        ended.map_or(Ok(()), flat)
    }
}

/// How the task that serves has ended; one that panicked or was aborted has not served.
fn flat(ended: Result<Result<(), tonic::transport::Error>, JoinError>) -> Result<(), ServerError> {
    match ended {
        Ok(served) => Ok(served?),
        Err(error) => Err(ServerError::Serving(error.to_string())),
    }
}

/// The end of serving when nobody has told the server to stop.
fn unasked(ended: Result<(), ServerError>) -> ServerError {
    ended.err().unwrap_or_else(|| ServerError::Serving("it ended without having been told to stop".into()))
}

/// The end of what goes on beside serving, and has no end of its own.
fn ended_beside(ended: Result<Option<String>, JoinError>) -> ServerError {
    let why = match ended {
        Ok(why) => why.unwrap_or_else(|| "it ended without having been told to stop".into()),
        Err(error) => error.to_string(),
    };
    ServerError::Serving(format!("deadlines or metrics: {why}"))
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn sweep(shared: Arc<Shared>) -> Option<String> {
    let mut tick = interval(SWEEP);
    loop {
        tick.tick().await;
        shared.sessions.sweep(shared.admission.limits().resume_window);
    }
}

#[cfg(test)]
mod tests {
    use tonic::transport::Endpoint;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn health_says_whether_inferences_may_begin() {
        let server = Server::bind(testing::config(), vec![testing::model()]).await.unwrap();
        let (address, stop) = (server.address(), server.stopper());
        let serving = tokio::spawn(server.serve());
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        let mut client = HealthClient::new(channel);
        let request = HealthCheckRequest { service: "henge.v1.Inference".to_owned() };
        let mut health = client.watch(request).await.unwrap().into_inner();
        assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        stop.stop();
        assert_eq!(health.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        drop((health, client));
        serving.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_serving_task_that_panicked_or_was_aborted_is_an_error() {
        let panicked = tokio::spawn(async { panic!("a defect") }).await;
        assert!(matches!(flat(panicked), Err(ServerError::Serving(why)) if why.contains("a defect")));
        let aborted = tokio::spawn(std::future::pending());
        aborted.abort();
        assert!(matches!(flat(aborted.await), Err(ServerError::Serving(why)) if why.contains("cancelled")));
        assert!(flat(tokio::spawn(async { Ok(()) }).await).is_ok());
        // Even a good end is an error when nobody asked for it.
        assert!(unasked(Ok(())).to_string().contains("told to stop"));
        let sweeper = tokio::spawn(async { panic!("another") }).await;
        assert!(ended_beside(sweeper).to_string().contains("another"));
    }
}
