//! Neural networks before any cryptography.
//!
//! A [`Graph`] is a network in single-assignment form: named values with symbolic shapes (axis 0 is the batch),
//! nodes that apply one [`ops::Op`] each, constants in `f64`. Everything else in this crate makes, checks, prints or
//! runs one:
//!
//! - [`GraphBuilder`]: write a network down like algebra;
//! - [`GraphEditor`]: the only way to change a graph, which never removes a value still in use;
//! - [`Graph::verify`]: every broken rule at once;
//! - [`text`]: print and parse back;
//! - [`interpret`]: the `f64` reference interpreter, the oracle for everything downstream;
//! - [`import`]: model files.
//!
//! ```
//! use graph::{GraphBuilder, Tensor, interpret};
//!
//! let g = GraphBuilder::new("square_then_sum");
//! let x = g.input("x", &[2]);
//! let w = g.constant("w", Tensor::new(vec![2, 1], vec![1.0, 1.0])?);
//! let y = (x * x).matmul(w) + 1.0;
//! let graph = g.finish(&[y])?;
//!
//! let images = Tensor::new(vec![2, 2], vec![1.0, 2.0, 3.0, 4.0])?;
//! assert_eq!(interpret::run(&graph, &[images])?[0].data(), &[6.0, 26.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod affine;
mod error;
pub mod import;
pub mod interpret;
mod ir;
pub mod ops;
pub mod text;

pub use error::{EditError, GraphError, ShapeError, VerifyError, VerifyErrors};
pub use ir::{Dim, Expr, Graph, GraphBuilder, GraphEditor, Node, NodeId, Shape, Tensor, Value, ValueId, ValueSource};
