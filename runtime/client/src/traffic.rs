//! What travelled, beside what had to.

use he_params::{CkksParams, Level};

/// Bytes of one inference, in messages of the protocol: their encoded lengths and the five bytes before each; TLS and TCP not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// From the client, keys not counted.
    pub bytes_up: u64,
    /// From the server.
    pub bytes_down: u64,
    /// Keys, when they travelled.
    pub key_bytes: u64,
    /// Requests that the client answered.
    pub requests: u64,
    /// Connections, the first among them.
    pub connections: u64,
    /// What fresh ciphertexts that went up must take at least: one polynomial each, log2 of the modulus to a coefficient.
    pub minimum_up: f64,
    /// What ciphertexts that came down must take at least: two polynomials each.
    pub minimum_down: f64,
}

impl std::ops::AddAssign for Traffic {
    /// Of several inferences together.
    fn add_assign(&mut self, other: Self) {
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
        self.key_bytes += other.key_bytes;
        self.requests += other.requests;
        self.connections += other.connections;
        self.minimum_up += other.minimum_up;
        self.minimum_down += other.minimum_down;
    }
}

/// The five bytes before a gRPC message.
pub(crate) const PREFIX: u64 = 5;

/// Bytes of `polynomials` polynomials at a level, without any rounding up.
pub(crate) fn minimum(params: &CkksParams, polynomials: usize, level: Level) -> f64 {
    polynomials as f64 * params.n() as f64 * params.log_q_at(level) / 8.0
}
