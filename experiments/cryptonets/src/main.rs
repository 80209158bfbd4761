//! CryptoNets reproduced.
fn main() {}
