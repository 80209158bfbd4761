//! Every message, there and back, and mangled.

fn main() {}
