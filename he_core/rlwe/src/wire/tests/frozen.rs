//! The format does not move: files that `testdata/wire/recipe.py` made from the specification alone, byte for byte.

use std::path::PathBuf;

use super::*;
use crate::wire::{params_from_bytes, params_to_bytes};

/// Cargo runs tests in the crate's folder, Bazel in the workspace.
fn frozen(name: &str) -> Vec<u8> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("he_core/rlwe"), PathBuf::from);
    std::fs::read(root.join("testdata/wire").join(name)).unwrap()
}

#[test]
fn an_object_has_the_bytes_of_the_specification() {
    let context = context();
    let sample = Sample::new(&context);
    let bytes = frozen("sample.hnge");
    assert_eq!(sample.to_bytes(&context).unwrap(), bytes);
    assert_eq!(Sample::from_bytes(&context, &bytes).unwrap(), sample);
}

#[test]
fn parameters_have_the_bytes_of_the_specification() {
    let params = context().params;
    let bytes = frozen("params.hnge");
    assert_eq!(params_to_bytes(&params), bytes);
    assert_eq!(params_from_bytes(&bytes).unwrap(), params);
}

#[test]
fn a_body_of_several_chunks_has_the_checksum_of_the_specification() {
    let params = context().params;
    let mut writer = Writer::new(Kind::Plaintext, &params);
    let body: Vec<u8> = (0..(2u32 << 20) + 5).map(|i| (i % 251) as u8).collect();
    writer.bytes(&body);
    let bytes = writer.finish();
    assert_eq!(bytes[bytes.len() - 32..], frozen("chunks.sha256"));
}
