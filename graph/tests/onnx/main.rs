//! ONNX import: frozen models, the conformance tests of ONNX itself, HE-Transformer's model, damaged bytes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, their helper functions too")]

mod conformance;
mod frozen;
mod he_transformer;
mod robustness;

use std::path::PathBuf;

use graph::Tensor;

/// Frozen files of this crate: cargo runs tests in the crate's folder, Bazel in the workspace's.
fn testdata() -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("graph"), PathBuf::from);
    root.join("testdata/onnx")
}

fn read(path: impl AsRef<std::path::Path>) -> Vec<u8> {
    let path = path.as_ref();
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Same extents, and every element within `tolerance` of the larger of 1 and the expected magnitude.
fn assert_close(what: &str, found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    for (i, (f, e)) in found.data().iter().zip(expected.data()).enumerate() {
        assert!((f - e).abs() <= tolerance * e.abs().max(1.0), "{what}: element {i} is {f}, expected {e}");
    }
}
