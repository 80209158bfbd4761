//! What an operation means: the trait that every way of computing implements.

use std::error::Error;
use std::fmt;

use he_ir::{CipherType, HeProgram, LinearMap, Op};
use he_params::{Level, Scale};

/// An operand of an operation: handed over at its last use, lent before.
#[derive(Debug)]
pub enum Operand<'a, T> {
    /// Nobody reads it again: its memory may become the result's.
    Last(T),
    /// Read again later.
    Kept(&'a T),
}

impl<T: Clone> Operand<'_, T> {
    /// The tensor itself, copied only when it is still needed elsewhere.
    pub fn into_owned(self) -> T {
        match self {
            Operand::Last(tensor) => tensor,
            Operand::Kept(tensor) => tensor.clone(),
        }
    }
}

impl<T> AsRef<T> for Operand<'_, T> {
    fn as_ref(&self) -> &T {
        match self {
            Operand::Last(tensor) => tensor,
            Operand::Kept(tensor) => tensor,
        }
    }
}

/// What a tensor really is, to be held against what the program says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorState {
    /// Ciphertexts, one per element of an image.
    pub elements: usize,
    /// `level + 1` primes are active.
    pub level: Level,
    /// Messages are stored times this.
    pub scale: Scale,
    /// Polynomials of each ciphertext.
    pub component_count: usize,
    /// Slots of each ciphertext, or images of a clear tensor.
    pub slots: usize,
}

impl fmt::Display for TensorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { elements, level, scale, component_count, slots } = self;
        let log = scale.log2();
        write!(f, "{elements} elements, level {level}, scale 2^{log:.3}, {component_count} components, {slots} slots")
    }
}

/// One way of computing: a tensor type, packed weights, and one method per verb of [`Op`].
///
/// Operations are parallel inside. They may trust that the program was verified and its inputs checked; they return an
/// error for what only they can know.
pub trait Backend: Send + Sync {
    /// A tensor with one ciphertext (or row of numbers) per element of an image.
    type Tensor: Clone + Send + Sync;
    /// The weights of one linear layer, in the form the backend multiplies with.
    type Weights: Send + Sync;
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// `clear`, `ckks`.
    fn name(&self) -> &'static str;

    /// Whether this backend can run the program at all: its primes, its packing, the keys it needs.
    ///
    /// # Errors
    /// The reason why not.
    fn accept(&self, program: &HeProgram) -> Result<(), Self::Error>;

    /// Packs a linear map for operands of type `operand`.
    ///
    /// # Errors
    /// Weights that the backend cannot hold.
    fn pack(&self, map: &LinearMap, operand: &CipherType) -> Result<Self::Weights, Self::Error>;

    /// Bytes of packed weights.
    fn weights_bytes(&self, weights: &Self::Weights) -> usize;

    /// What a tensor is.
    fn state(&self, tensor: &Self::Tensor) -> TensorState;

    /// Most slots (images) that a tensor may have.
    fn slots(&self) -> usize;

    /// Bytes that a tensor holds on the heap.
    fn bytes(&self, tensor: &Self::Tensor) -> usize;

    /// Bytes that a tensor of this type will hold, at the most.
    fn planned_bytes(&self, value: &CipherType) -> usize;

    /// Bytes that an operation takes at its worst moment beyond what is held before it, when its first operand is at its last
    /// use: those of the result, less what of the operand is taken over or freed on the way.
    fn planned_growth(&self, op: &Op, operand: &CipherType, result: &CipherType) -> usize;

    /// Weighted sums and a bias.
    ///
    /// # Errors
    /// As the backend says; so for all that follow.
    fn linear(&self, x: Operand<'_, Self::Tensor>, weights: &Self::Weights) -> Result<Self::Tensor, Self::Error>;

    /// Whether [`Backend::linear_of_square`] takes the place of a square and the linear map that alone reads it.
    fn fuses_squares(&self) -> bool {
        false
    }

    /// Weighted sums of squares and a bias: what [`Backend::linear`] of [`Backend::square`] computes, bit for bit.
    fn linear_of_square(
        &self,
        x: Operand<'_, Self::Tensor>,
        weights: &Self::Weights,
    ) -> Result<Self::Tensor, Self::Error> {
        self.linear(Operand::Last(self.square(x)?), weights)
    }

    /// Element-wise sum.
    fn add(&self, x: Operand<'_, Self::Tensor>, y: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// Element-wise difference.
    fn sub(&self, x: Operand<'_, Self::Tensor>, y: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// The negative.
    fn negate(&self, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// Adds `values[i]` to every slot of element i.
    fn add_constant(&self, x: Operand<'_, Self::Tensor>, values: &[f64]) -> Result<Self::Tensor, Self::Error>;

    /// Element-wise product, of 3 components.
    fn mul(&self, x: Operand<'_, Self::Tensor>, y: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// Element-wise square, of 3 components.
    fn square(&self, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// 3 components to 2.
    fn relinearize(&self, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// Divides by the last prime.
    fn rescale(&self, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// 3 components to 2 and divided by the last prime, in one division.
    fn relinearize_rescale(&self, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// Drops primes down to `to`.
    fn drop_level(&self, x: Operand<'_, Self::Tensor>, to: Level) -> Result<Self::Tensor, Self::Error>;

    /// Element i of the result is element `indices[i]` of `x`.
    fn gather(&self, x: Operand<'_, Self::Tensor>, indices: &[u32]) -> Result<Self::Tensor, Self::Error>;
}
