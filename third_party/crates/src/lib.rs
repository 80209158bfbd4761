//! Names the outside crates, nothing else.
