//! The handshake.

use std::fmt;
use std::time::Duration;

use crate::error::at_most;
use crate::{Digest, PROTOCOL, ProtocolError, limits, v1};

/// Refuses another version of the protocol.
///
/// # Errors
/// [`ProtocolError::Version`].
pub fn check_protocol(found: u32) -> Result<(), ProtocolError> {
    if found == PROTOCOL { Ok(()) } else { Err(ProtocolError::Version { found }) }
}

/// The name of a session: random, known to its client only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Debug for SessionId {
    /// Who knows it can take the session up: not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

impl SessionId {
    fn required(bytes: &[u8]) -> Result<Self, ProtocolError> {
        let found = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ProtocolError::Length { field: "session", found, expected: 16 })
    }
}

/// What a client begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The model.
    pub model: String,
    /// The program that the client was told about.
    pub program: Digest,
    /// Images in the batch, as the client declares them.
    pub images: usize,
    /// The evaluation keys, where the program needs some.
    pub evaluation_keys: Option<Digest>,
    /// The public key, where results are made fresh.
    pub public_key: Option<Digest>,
    /// How long the inference may take; `None` for as long as the server allows.
    pub deadline: Option<Duration>,
    /// A session to take up.
    pub resume: Option<SessionId>,
}

impl TryFrom<v1::Hello> for Hello {
    type Error = ProtocolError;

    fn try_from(hello: v1::Hello) -> Result<Self, ProtocolError> {
        check_protocol(hello.protocol)?;
        at_most("bytes of the model's name", hello.model.len(), limits::NAME_BYTES)?;
        let max = limits::DEADLINE_MS;
        if hello.deadline_ms > max {
            return Err(ProtocolError::TooMuch { field: "deadline in milliseconds", found: hello.deadline_ms, max });
        }
        let images = hello.images as usize;
        if images == 0 {
            return Err(ProtocolError::Missing { field: "number of images" });
        }
        Ok(Self {
            model: hello.model,
            program: Digest::required("program", &hello.program)?,
            images,
            evaluation_keys: Digest::optional("evaluation keys", &hello.evaluation_keys)?,
            public_key: Digest::optional("public key", &hello.public_key)?,
            deadline: (hello.deadline_ms != 0).then(|| Duration::from_millis(hello.deadline_ms)),
            resume: if hello.resume.is_empty() { None } else { Some(SessionId::required(&hello.resume)?) },
        })
    }
}

impl From<Hello> for v1::Hello {
    fn from(hello: Hello) -> Self {
        let digest = |digest: Option<Digest>| digest.map(|d| d.0.to_vec()).unwrap_or_default();
        let milliseconds = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX).clamp(1, limits::DEADLINE_MS);
        Self {
            protocol: PROTOCOL,
            model: hello.model,
            program: hello.program.0.to_vec(),
            images: u32::try_from(hello.images).unwrap_or(u32::MAX),
            evaluation_keys: digest(hello.evaluation_keys),
            public_key: digest(hello.public_key),
            deadline_ms: hello.deadline.map(milliseconds).unwrap_or(0),
            resume: hello.resume.map(|id| id.0.to_vec()).unwrap_or_default(),
        }
    }
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welcome {
    /// The session, to take it up after a cut.
    pub session: SessionId,
    /// Whether this is a session taken up.
    pub resumed: bool,
    /// Whether the evaluation keys must travel.
    pub evaluation_keys_wanted: bool,
    /// Whether the public key must travel.
    pub public_key_wanted: bool,
}

impl TryFrom<v1::Welcome> for Welcome {
    type Error = ProtocolError;

    fn try_from(welcome: v1::Welcome) -> Result<Self, ProtocolError> {
        Ok(Self {
            session: SessionId::required(&welcome.session)?,
            resumed: welcome.resumed,
            evaluation_keys_wanted: welcome.evaluation_keys_wanted,
            public_key_wanted: welcome.public_key_wanted,
        })
    }
}

impl From<Welcome> for v1::Welcome {
    fn from(welcome: Welcome) -> Self {
        Self {
            session: welcome.session.0.to_vec(),
            resumed: welcome.resumed,
            evaluation_keys_wanted: welcome.evaluation_keys_wanted,
            public_key_wanted: welcome.public_key_wanted,
        }
    }
}
