//! What an operator decides.

use std::net::SocketAddr;
use std::time::Duration;

use crate::{Access, ServerError};

/// How bytes travel.
#[derive(Clone)]
pub enum Transport {
    /// TLS 1.2 or 1.3.
    Tls {
        /// Certificate chain, PEM.
        certificate: Vec<u8>,
        /// Private key, PEM.
        key: Vec<u8>,
        /// Whoever signs certificates of clients, PEM.
        client_authority: Option<Vec<u8>>,
    },
    /// Plaintext, on a loopback address only.
    InsecureLoopback,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tls { client_authority, .. } => {
                f.debug_struct("Tls").field("client_authority", &client_authority.is_some()).finish_non_exhaustive()
            }
            Self::InsecureLoopback => f.write_str("InsecureLoopback"),
        }
    }
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions at one time, those that wait to be taken up among them.
    pub sessions: usize,
    /// Sessions of one client at one time.
    pub sessions_per_client: usize,
    /// Bytes of live tensors and of keys that all sessions together may plan with.
    pub memory_bytes: u64,
    /// Bytes of evaluation keys that are kept for the next session.
    pub key_cache_bytes: u64,
    /// Bytes that one client may send in a quota window: of gRPC messages as they arrive, with what they hold beside their fields.
    pub bytes_per_client: u64,
    /// Images that one client may have classified in a quota window; an inference is charged with all that its ciphertexts have room for.
    pub images_per_client: u64,
    /// Inferences that one client may begin in a quota window; one that is taken up after a cut does not count again.
    pub inferences_per_client: u64,
    /// Length of a quota window.
    pub quota_window: Duration,
    /// Longest that one inference may take.
    pub deadline: Duration,
    /// Longest silence of a client that owes an answer.
    pub answer_timeout: Duration,
    /// Longest TLS handshake, and longest wait for the first message.
    pub handshake_timeout: Duration,
    /// How long a session without a connection is kept.
    pub resume_window: Duration,
    /// How long running inferences may go on after the server was told to stop.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 64,
            sessions_per_client: 8,
            memory_bytes: 8 << 30,
            key_cache_bytes: 2 << 30,
            bytes_per_client: 1 << 40,
            images_per_client: u64::MAX,
            inferences_per_client: u64::MAX,
            quota_window: Duration::from_secs(24 * 3600),
            deadline: Duration::from_secs(3600),
            answer_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(10),
            resume_window: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// Everything but the models.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where clients come; port 0 lets the operating system choose.
    pub listen: SocketAddr,
    /// Where `/metrics` and `/healthz` are, over plain HTTP on a loopback address.
    pub metrics: Option<SocketAddr>,
    /// How bytes travel.
    pub transport: Transport,
    /// Who may come.
    pub access: Access,
    /// How much of everything.
    pub limits: Limits,
}

impl ServerConfig {
    /// Refuses what would be unsafe.
    ///
    /// # Errors
    /// [`ServerError::PlaintextBeyondLoopback`], [`ServerError::MetricsBeyondLoopback`], [`ServerError::NoAccess`].
    pub(crate) fn check(&self) -> Result<(), ServerError> {
        let plaintext = matches!(self.transport, Transport::InsecureLoopback);
        if plaintext && !self.listen.ip().is_loopback() {
            return Err(ServerError::PlaintextBeyondLoopback(self.listen));
        }
        if let Some(metrics) = self.metrics.filter(|address| !address.ip().is_loopback()) {
            return Err(ServerError::MetricsBeyondLoopback(metrics));
        }
        let certificates = matches!(self.transport, Transport::Tls { client_authority: Some(_), .. });
        let told_apart = !self.access.tokens.is_empty() || (self.access.certificates && certificates);
        if told_apart || (self.access.anybody && self.listen.ip().is_loopback()) {
            Ok(())
        } else {
            Err(ServerError::NoAccess)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(listen: &str) -> ServerConfig {
        ServerConfig {
            listen: listen.parse().unwrap(),
            metrics: None,
            transport: Transport::InsecureLoopback,
            access: Access { anybody: true, ..Access::default() },
            limits: Limits::default(),
        }
    }

    #[test]
    fn plaintext_stays_on_loopback() {
        assert!(config("127.0.0.1:0").check().is_ok());
        assert!(config("[::1]:0").check().is_ok());
        for open in ["0.0.0.0:0", "192.0.2.1:443", "[::]:0"] {
            assert!(matches!(config(open).check(), Err(ServerError::PlaintextBeyondLoopback(_))), "{open}");
        }
    }

    #[test]
    fn metrics_stay_on_loopback() {
        let metrics = Some("0.0.0.0:9090".parse().unwrap());
        let open = ServerConfig { metrics, ..config("127.0.0.1:0") };
        assert!(matches!(open.check(), Err(ServerError::MetricsBeyondLoopback(_))));
    }

    #[test]
    fn clients_are_told_apart() {
        let tls = |client_authority| Transport::Tls { certificate: vec![], key: vec![], client_authority };
        let nobody = ServerConfig { access: Access::default(), ..config("127.0.0.1:0") };
        assert!(matches!(nobody.check(), Err(ServerError::NoAccess)));
        let anybody = ServerConfig { transport: tls(None), ..config("0.0.0.0:443") };
        assert!(matches!(anybody.check(), Err(ServerError::NoAccess)));
        let access = Access { certificates: true, ..Access::default() };
        let unsigned = ServerConfig { transport: tls(None), access: access.clone(), ..config("0.0.0.0:443") };
        assert!(matches!(unsigned.check(), Err(ServerError::NoAccess)));
        let signed = ServerConfig { transport: tls(Some(vec![])), access, ..config("0.0.0.0:443") };
        assert!(signed.check().is_ok());
    }
}
