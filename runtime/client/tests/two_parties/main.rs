//! Two parties in two processes: the server is a child of the test, this same program started again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

mod compiled;
mod faults;
mod large;
mod liar;
mod logs;
mod networks;
mod party;
mod proxy;
mod refusals;
mod results;
mod shuffle;
mod stress;
mod watcher;
mod wrong_keys;
