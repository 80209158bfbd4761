//! The way to a server.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use he_params::SecurityBits;
use protocol::v1::inference_client::InferenceClient;
use protocol::{Description, PROTOCOL, limits, model_names, v1};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request};

use crate::ClientError;
use crate::memory::Memory;

/// Bytes in flight, on one stream and on one connection.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// A connection that does not answer a ping for this long is dead.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// Where the server is, and how to come in.
#[derive(Clone)]
pub struct ClientOptions {
    address: String,
    authority: Option<Vec<u8>>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    server_name: Option<String>,
    token: Option<String>,
    insecure_no_tls: bool,
    accept_insecure_parameters: bool,
    pub(crate) attempts: usize,
    pub(crate) restart: bool,
    pub(crate) deadline: Option<Duration>,
    pub(crate) memory: u64,
    connect_timeout: Duration,
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions").field("address", &self.address).finish_non_exhaustive()
    }
}

impl ClientOptions {
    /// For `https://host:port`.
    pub fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            authority: None,
            identity: None,
            server_name: None,
            token: None,
            insecure_no_tls: false,
            accept_insecure_parameters: false,
            attempts: 8,
            restart: true,
            deadline: None,
            memory: 8 << 30,
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// Whoever signed the server's certificate, PEM. There is no other way to trust one: the system's list is not asked.
    pub fn authority(self, pem: &[u8]) -> Self {
        Self { authority: Some(pem.to_vec()), ..self }
    }

    /// The client's certificate and its private key, PEM.
    pub fn identity(self, certificate: &[u8], key: &[u8]) -> Self {
        Self { identity: Some((certificate.to_vec(), key.to_vec())), ..self }
    }

    /// The name in the server's certificate, where it is not the one in the address.
    pub fn server_name(self, name: &str) -> Self {
        Self { server_name: Some(name.to_owned()), ..self }
    }

    /// A bearer token.
    pub fn token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Speak plaintext, with a server on this machine.
    pub fn insecure_no_tls(self) -> Self {
        Self { insecure_no_tls: true, ..self }
    }

    /// Accept models whose parameters have less than 128 bits of security.
    pub fn accept_insecure_parameters(self) -> Self {
        Self { accept_insecure_parameters: true, ..self }
    }

    /// Connections in a row that may break without progress before the inference fails.
    pub fn attempts(self, attempts: usize) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// Whether an inference begins anew when the server has lost its session.
    pub fn restart(self, restart: bool) -> Self {
        Self { restart, ..self }
    }

    /// How long one inference may take.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Bytes that one request of the server may take here, and all outputs together: 8 GiB unless told otherwise. What would take more is refused before
    /// memory is taken for it.
    pub fn memory(self, bytes: u64) -> Self {
        Self { memory: bytes, ..self }
    }

    fn endpoint(&self) -> Result<Endpoint, ClientError> {
        let connect = |error: tonic::transport::Error| ClientError::Connect(causes(&error));
        let endpoint = Endpoint::from_shared(self.address.clone()).map_err(connect)?;
        let endpoint = endpoint
            .connect_timeout(self.connect_timeout)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(limits::PART_BYTES as u32)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .tcp_nodelay(true);
        match endpoint.uri().scheme_str() {
            Some("https") => {
                let mut tls = ClientTlsConfig::new().timeout(self.connect_timeout);
                if let Some(pem) = &self.authority {
                    tls = tls.ca_certificate(Certificate::from_pem(pem));
                }
                if let Some((certificate, key)) = &self.identity {
                    tls = tls.identity(Identity::from_pem(certificate, key));
                }
                if let Some(name) = &self.server_name {
                    tls = tls.domain_name(name.clone());
                }
                endpoint.tls_config(tls).map_err(connect)
            }
            Some("http") if self.insecure_no_tls && endpoint.uri().host().is_some_and(is_loopback) => Ok(endpoint),
            _ => Err(ClientError::Plaintext(self.address.clone())),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An error with its causes, on one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A connection to a server; cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) channel: InferenceClient<Channel>,
    pub(crate) options: Arc<ClientOptions>,
    token: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::Plaintext`], [`ClientError::Connect`].
    pub async fn connect(options: ClientOptions) -> Result<Self, ClientError> {
        let endpoint = options.endpoint()?;
        let token = options.token.as_ref().map(|token| format!("Bearer {token}").parse()).transpose();
        let mut token: Option<MetadataValue<Ascii>> =
            token.map_err(|_| ClientError::Connect("the token has characters that no header may have".into()))?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        let channel = endpoint.connect().await.map_err(|error| ClientError::Connect(causes(&error)))?;
        let channel = InferenceClient::new(channel)
            .max_decoding_message_size(limits::MESSAGE_BYTES)
            .max_encoding_message_size(limits::MESSAGE_BYTES);
        Ok(Self { channel, options: Arc::new(options), token })
    }

    /// A request that says who asks.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request
    }

    /// Names of the server's models.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::Protocol`].
    pub async fn models(&self) -> Result<Vec<String>, ClientError> {
        let request = self.request(v1::ModelsRequest { protocol: PROTOCOL });
        let reply = self.channel.clone().models(request).await.map_err(|status| ClientError::refused(&status))?;
        Ok(model_names(reply.into_inner())?)
    }

    /// What a model takes, gives, and is computed under.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::Protocol`], [`ClientError::Insecure`]; [`ClientError::Memory`] for a model that takes more on a full batch.
    pub async fn describe(&self, model: &str) -> Result<Description, ClientError> {
        let request = self.request(v1::DescribeRequest { protocol: PROTOCOL, model: model.to_owned() });
        // Ports of nothing take two bytes on the way and a hundred in memory.
        let mut channel = self.channel.clone().max_decoding_message_size(limits::DESCRIPTION_BYTES);
        let reply = channel.describe(request).await.map_err(|status| ClientError::refused(&status))?;
        let description = Description::try_from(reply.into_inner())?;
        if description.model != model {
            return Err(ClientError::Refused { code: Code::Internal, reason: "another model was described".into() });
        }
        let bits = description.params.security_report().bits;
        if bits < SecurityBits::Bits128.get() && !self.options.accept_insecure_parameters {
            return Err(ClientError::Insecure { bits });
        }
        let limit = self.options.memory;
        Memory { limit, model: &description, images: description.capacity() }.check_model()?;
        Ok(description)
    }
}
