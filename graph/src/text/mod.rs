//! The text form of a graph: one line per value, readable, printed the same way every time, parsed back.
//!
//! ```text
//! graph tiny
//! input %x [batch, 4]
//! const %w [4, 2] = [1.0, 0.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.5]
//! %y = matmul(%x, %w) -> [batch, 2]
//! %z = reshape(%y) {to=[batch, 1, 2]} -> [batch, 1, 2] @"name in the file"
//! output %z
//! ```
//!
//! A constant of more than [`FULL_CONSTANT`] elements is shown by digest and first elements,
//! `const %w [100, 845] = sha256:5f0c... [0.25, -1.0, 0.5, ..]`; to parse it back, [`parse_with`] takes the tensor by
//! name and checks the digest. `#` begins a comment.

mod digest;
mod lex;
mod parse;
mod print;

pub(crate) use digest::Digest;
pub use parse::{ParseError, parse, parse_with};

/// Constants of at most this many elements are printed in full.
pub const FULL_CONSTANT: usize = 64;

#[cfg(test)]
pub(crate) use parse::parse_unverified;

#[cfg(test)]
mod tests;
