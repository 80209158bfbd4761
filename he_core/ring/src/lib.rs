//! Arithmetic in Z_q[X]/(X^N+1): moduli, transforms, RNS bases, kernels, sampling.

mod aligned;
mod arithmetic;
mod automorphism;
mod base_conversion;
mod compose;
mod error;
mod fft;
mod isa;
mod kernels;
mod linear_weights;
mod matrix_product;
mod mod_switch;
mod modulus;
mod ntt;
mod rescale;
mod ring;
mod roots;
mod rows;
pub mod sampling;
mod scalars;
mod scratch;
mod square;
mod tensor;
#[cfg(test)]
mod testing;
mod view;
mod word;

pub use automorphism::Galois;
pub use base_conversion::BaseConversion;
pub use error::RingError;
pub use fft::FftPlan;
#[cfg(target_arch = "x86_64")]
pub use isa::Avx2;
pub use isa::{ISA_VARIABLE, Isa};
pub use linear_weights::{LinearGroup, LinearWeights, MAX_WEIGHT_SUM, WeightBlock};
pub use modulus::{Modulus, ShoupFactor};
pub use ntt::{MAX_LOG_N, NttPlan};
pub use ring::Ring;
pub use scalars::RnsScalars;
pub use tensor::{Coeff, Domain, Eval, ROW_PAD, Residues, ResiduesMut, RnsTensor};
pub use view::{RnsView, RnsViewMut};
pub use word::Word;

/// No prime has more bits than this.
pub const MAX_MODULUS_BITS: u32 = 61;
