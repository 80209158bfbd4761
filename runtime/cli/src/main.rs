//! The henge command.
fn main() {}
