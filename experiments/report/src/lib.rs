//! What an experiment says of its run: encrypted outputs held against clear ones, and a self-contained HTML page.
//!
//! [`Comparison`] is the gate. [`Page`] is one file, no outside resource, light and dark; one module per figure, each of which returns a
//! fragment of HTML. Whatever comes from outside (model names, layer names, file names) goes through [`escape`].

#![forbid(unsafe_code)]

mod bars;
mod compare;
pub mod confusion;
pub mod gallery;
mod layer;
pub mod layers;
pub mod logits;
mod page;
pub mod png;
pub mod program;
mod sizes;
mod style;
pub mod tables;
mod words;

pub use bars::{Bar, Bound};
pub use compare::{Comparison, Disagreement, Gate, LARGEST_ERROR_SHARE, Logits, prediction};
pub use layer::{Layer, gather};
pub use page::Page;
pub use program::Step;
pub use sizes::Bytes;
pub use words::{bytes, escape, grouped, median, power_of_ten, seconds};
