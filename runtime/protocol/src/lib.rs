//! What travels between a client, which holds the key, and a server, which never sees the data: messages, versioned and bounded.
//!
//! One inference is one gRPC stream (`proto/henge/v1/inference.proto`):
//!
//! ```text
//! client                                     server
//! Hello: protocol, model, program, keys  ->
//!                                        <-  Welcome: session, which keys are wanted
//! keys, in parts, when wanted            ->
//!                                        <-  Ask 0: elements of an input, encrypted
//!                                        <-  Ask 1: a function of a tile; the tile in parts
//! answer 0, in parts                     ->                                                 both sides work at the same time
//!                                        <-  Ask 2 ..
//!                                        <-  outputs, in parts; Done
//! end of stream                          ->
//! ```
//!
//! A stream that breaks is taken up again by a Hello that names the session: the server asks again for keys that did not arrive, or repeats every
//! request without an answer, and the client answers it with new randomness.
//!
//! - [`v1`]: the messages as they are encoded, generated from the `.proto` file;
//! - [`Hello`], [`Welcome`], [`Ask`], [`Description`]: the same, checked; what a stranger sent goes through `TryFrom` before anybody reads it;
//! - [`parts`] and [`Assembly`]: objects cut into messages of bounded length and put together again;
//! - [`limits`]: every bound.
//!
//! Objects travel as bodies of the wire format ([`he_rlwe::wire`]) without its envelope: TLS keeps the bytes whole, and the handshake says which parameters
//! they have.

#![forbid(unsafe_code)]

mod ask;
mod assembly;
mod cut;
mod description;
mod digest;
mod error;
mod hello;
pub mod limits;
mod models;
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
pub mod v1;

pub use ask::{Ask, Asked};
pub use assembly::{Assembly, expect_sequence, parts};
pub use cut::is_cut;
pub use description::{Description, Port};
pub use digest::{Digest, program_digest};
pub use error::ProtocolError;
pub use hello::{Hello, SessionId, Welcome, check_protocol};
pub use models::model_names;

/// The version of the protocol; both sides must speak the same.
pub const PROTOCOL: u32 = 1;
