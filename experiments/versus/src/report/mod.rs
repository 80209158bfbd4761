//! What a run shows: lines while it goes on, a page at the end.

pub(crate) mod html;
mod style;
pub(crate) mod text;
