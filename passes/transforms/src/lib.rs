//! From a network to an encrypted program.
//!
//! [`compile`] is the whole way: the graph passes of a [`Pipeline`], [`lowering`] to an arithmetic circuit, [`ranges`] of every value, the choice of
//! [`parameters`] with [`placement`] of ciphertext management under a [`cost`] model and the [`precision`] it leaves, and [`explain`]. Nothing here
//! computes on ciphertexts: the result is a program and parameters.
//!
//! ```
//! use graph::{GraphBuilder, Tensor};
//! use transforms::{CompileOptions, compile, ranges::Interval};
//!
//! let g = GraphBuilder::new("norm");
//! let x = g.input("x", &[2]);
//! let w = g.constant("w", Tensor::new(vec![2, 1], vec![0.5, -0.25])?);
//! let graph = g.finish(&[(x * x).matmul(w)])?;
//!
//! let mut options = CompileOptions::new(1024);
//! options.input_ranges.insert("x".into(), Interval::new(-1.0, 1.0));
//! let compiled = compile(&graph, &options)?;
//! assert!(compiled.params.security_report().bits >= 128);
//! assert!(compiled.explain.precision_bits >= transforms::DEFAULT_PRECISION_BITS);
//! println!("{}\n{}", compiled.explain, compiled.program);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod activation_fusion;
pub mod affine;
pub mod batch_norm_folding;
mod choices;
pub mod client_forms;
mod compile;
pub mod complex_packing;
pub mod constant_folding;
pub mod cost;
pub mod dead_code;
pub mod explain;
pub mod labels;
pub mod linear_squashing;
pub mod lowering;
pub mod masking;
pub mod parameters;
mod pass;
mod pipeline;
pub mod placement;
pub mod polynomial_activations;
pub mod precision;
pub mod ranges;
pub mod segments;
pub mod sensitivity;
#[cfg(test)]
mod testing;

pub use choices::{Activation, ActivationError, Activations, Choices};
pub use compile::{
    CompileError, CompileOptions, Compiled, DEFAULT_PRECISION_BITS, compile, compile_with, replay, replay_masked,
    replay_with,
};
pub use pass::{Pass, PassError, PassReport, Property, Site};
pub use pipeline::{Pipeline, default_pipeline};
