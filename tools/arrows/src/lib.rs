//! Which crate may use which: the table in `docs/architecture.md`, held against every manifest.
//!
//! Reads each member's `Cargo.toml` and `BUILD.bazel` and answers with one line per thing that is wrong: an edge that the
//! table does not draw, manifests that disagree, a target that is visible too widely. `tests/house.rs` runs it on the
//! project itself.

#![forbid(unsafe_code)]

pub mod build_file;
pub mod house;
pub mod manifest;
pub mod rules;
pub mod table;
