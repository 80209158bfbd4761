//! HeProgram: SSA over *tensors of ciphertexts*.
//!
//! A program is what the compiler ends in and what `execute` runs. Value `%i` is a tensor with one ciphertext per element of
//! one image; the images of the batch lie in the slots. Level, scale and component count stand on every value and
//! `relinearize`, `rescale` and `drop_level` are operations: nothing is aligned behind anybody's back.
//!
//! - [`HeProgram`] and [`HeProgramBuilder`]: the only way to make one is to append checked operations;
//! - [`Op`], [`LinearMap`]: what can be computed; [`Refresh`], [`ClientFunction`]: what the key owner computes;
//! - [`HeProgram::verify`]: every error at once;
//! - [`portable`]: program and parameters as a file for another machine, bounded and checked;
//! - `Display`: the text form that golden tests and `explain` show.

#![forbid(unsafe_code)]

mod builder;
mod error;
mod linear_map;
mod op;
pub mod portable;
mod program;
mod refresh;
mod text;
mod value;
mod verify;

pub use builder::HeProgramBuilder;
pub use error::{HeIrError, TypeError};
pub use he_params::{Group, GroupRef, Groups, Packing};
pub use linear_map::{LinearMap, WeightBlock};
pub use op::Op;
pub use program::{HeProgram, Node};
pub use refresh::{ClientFunction, Refresh, RefreshGroup};
pub use value::{CipherType, ValueId};

#[cfg(test)]
mod tests;
