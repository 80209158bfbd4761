//! The program in `f64`: what the ciphertexts carry but for noise.
//!
//! Weights are the integers of the program divided by their scale, so the rounding of the compiler is visible; levels, scales and
//! component counts are carried along and follow the same rules as those of ciphertexts. It is the oracle of encrypted runs, and it
//! shares no arithmetic with them.

mod backend;
mod linear;
mod port;
mod tensor;

pub use backend::ClearBackend;
pub use linear::ClearWeights;
pub use port::ClearPort;
pub use tensor::{ClearError, ClearTensor};
