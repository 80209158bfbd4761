//! What a run shows: lines while it goes on, a page at the end, the table of a README.

pub(crate) mod html;
pub(crate) mod markdown;
mod missed;
mod style;
pub(crate) mod text;
