//! Empty: cargo wants a target in every package, and Cargo.toml here is only a list.
