//! Two parties: what the experiments with a client share.
//!
//! The program of an experiment is started twice. The first process is the client: it has the images and the key. It starts the
//! second one, the server, which reads the same model, compiles it, and serves it ([`serve`]). What crosses between them crosses a TLS connection: on a
//! loopback address, through a relay that slows it down to a network's rate and delay, or between two network namespaces ([`Way`]). Memory is
//! told apart because processes are. Asked to, both parties share one process instead.
//!
//! [`run`] does all of that and counts bytes, requests and seconds; [`Record`] holds the outputs against the clear model's, the figures against the
//! bars, and says so in text, JSON and a page.

#![forbid(unsafe_code)]

mod child;
mod classify;
mod layers;
mod namespaces;
mod options;
mod page;
mod record;
mod relay;
mod run;
mod serve;
mod words;

use child::Child;
pub use layers::Layer;
pub use options::{Options, Party, Way};
pub use page::Show;
pub use record::{Network, Record, Seconds, command};
pub use relay::{Link, Relay};
pub use run::{Run, begin, run};
use serve::{Ready, Served};
pub use serve::{Task, serve};
