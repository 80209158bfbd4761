//! A server that runs networks on ciphertexts for clients it does not see the data of.
//!
//! - [`Model`]: a program, its parameters, its packed weights; a server has several;
//! - [`ServerConfig`]: where to listen, who may come ([`Access`]), how much of everything ([`Limits`]);
//! - [`Server`]: binds, serves, drains.
//!
//! One inference is one stream ([`protocol`]) and one *session*. A thread of the session runs the program and asks, through a port, for tiles of the
//! input and for tiles refreshed; the connection carries requests and answers. A session outlives its connection for a while: a client that
//! was cut off takes it up again, and nothing is computed twice. While nobody is connected, work stops at the next request or operation.
//!
//! Nothing here can name a secret key: the crate has no arrow to `he_secret`.

#![forbid(unsafe_code)]

mod admission;
mod arrived;
mod auth;
mod config;
mod connection;
mod error;
mod flooding;
mod handshake;
mod key_cache;
mod metrics;
mod model;
mod port;
mod run;
mod serve;
mod service;
mod session;
mod sessions;
mod shuffle;
#[cfg(test)]
mod testing;
mod work;

pub use auth::{Access, Token};
pub use config::{Limits, ServerConfig, Transport};
pub use error::ServerError;
pub use model::{Model, ModelOptions};
pub use protocol::Digest;
pub use serve::{Server, Stop};
pub use work::Work;
