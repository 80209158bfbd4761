//! Arithmetic in `Z_Q[X]/(X^N + 1)`, Q a product of primes: moduli, transforms, RNS bases, kernels, sampling.
//!
//! A [`Ring`] holds the plans of all primes; an [`RnsTensor`] holds polynomials over some of them, as coefficients
//! ([`Coeff`]) or evaluations ([`Eval`]). Residues of a prime below 2^30 are `u32`, others `u64`; the choice is made per
//! prime and does not show above this crate. Operations on tensors run on all threads of the current rayon pool, and
//! give the same words on any number of them and on any instruction set ([`Isa`]).
//!
//! ```
//! use he_ring::{Isa, Ring};
//!
//! // (1 + X)^2 modulo two primes, of 30 and of 31 bits.
//! let ring = Ring::new(3, &[1073741441, 1073741857], Isa::best()?)?;
//! let x = ring.forward(ring.from_signed(&[1i64, 1, 0, 0, 0, 0, 0, 0], &[0, 1])?)?;
//! let mut square = x.clone();
//! ring.mul_assign(&mut square, &x)?;
//! let square = ring.inverse(square)?;
//! assert_eq!(ring.compose_centered_i128(&square, 0)?, [1, 2, 1, 0, 0, 0, 0, 0]);
//! # Ok::<(), he_ring::RingError>(())
//! ```

mod aligned;
mod arithmetic;
mod automorphism;
mod base_conversion;
pub mod bits;
mod compose;
mod error;
mod fft;
mod hoisting;
mod integers;
mod isa;
mod kept;
mod kernels;
mod key_switch;
mod linear_weights;
mod matrix_product;
mod mod_switch;
mod modulus;
mod ntt;
mod numbers;
mod pages;
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
pub use fft::{FftPlan, RealPoly};
pub use integers::{IntegerPoly, MAX_INTEGER, Mask};
#[cfg(target_arch = "x86_64")]
pub use isa::Avx2;
pub use isa::{ISA_VARIABLE, Isa};
pub use linear_weights::{LinearWeights, PackedBlock, WeightBlock};
pub use matrix_product::Factor;
pub use modulus::{Modulus, ShoupFactor};
pub use ntt::{MAX_LOG_N, NttPlan};
pub use ring::Ring;
pub use scalars::{Bias, RnsScalars};
pub use tensor::{Coeff, Domain, Eval, ROW_PAD, Residues, ResiduesMut, RnsTensor};
pub use view::{RnsView, RnsViewMut};
pub use word::Word;

/// No prime has more bits than this.
pub const MAX_MODULUS_BITS: u32 = 61;
