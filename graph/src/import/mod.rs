//! Model files into graphs. Bytes are untrusted: bounded, checked, never a panic.

pub mod onnx;
