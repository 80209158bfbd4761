//! Every way this crate refuses an input.

use he_params::{Level, ParamsError, Scale};
use he_ring::RingError;
use he_rlwe::RlweError;

/// A refusal of `he_ckks`; both sides of the contradiction are shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CkksError {
    /// The ring refused.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// Keys or key switching refused.
    #[error(transparent)]
    Rlwe(#[from] RlweError),
    /// The parameters refused.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Operands stand at different levels.
    #[error("operands at different levels: left {left}, right {right}")]
    LevelMismatch {
        /// Level of the left operand.
        left: Level,
        /// Level of the right operand.
        right: Level,
    },
    /// Operands have different scales.
    #[error("operands at different scales: left {left}, right {right}")]
    ScaleMismatch {
        /// Scale of the left operand.
        left: Scale,
        /// Scale of the right operand.
        right: Scale,
    },
    /// The right operand has neither one value nor as many as the left.
    #[error("operands of different lengths: left {left} values, right {right}")]
    ValueMismatch {
        /// Values of the left operand.
        left: usize,
        /// Values of the right operand.
        right: usize,
    },
    /// An operation on a ciphertext of the wrong size.
    #[error("ciphertext of {found} components where {expected} are needed")]
    ComponentCount {
        /// Components needed.
        expected: usize,
        /// Components found.
        found: usize,
    },
    /// Rescaling or dropping at the bottom.
    #[error("no prime left to drop at level {0}")]
    NoPrimeToDrop(Level),
    /// A level can only be lowered.
    #[error("cannot go from level {from} up to level {to}")]
    LevelRaised {
        /// Present level.
        from: Level,
        /// Level asked for.
        to: Level,
    },
    /// The scale alone is as large as the modulus.
    #[error("scale {scale} does not fit a modulus of 2^{log_q:.3}")]
    ScaleTooLarge {
        /// The scale that would result.
        scale: Scale,
        /// log2 of the modulus at the level.
        log_q: f64,
    },
    /// A message has more numbers than there are slots.
    #[error("{found} numbers do not fit {slots} slots")]
    TooManySlots {
        /// Numbers given.
        found: usize,
        /// Slots of the parameters.
        slots: usize,
    },
    /// Imaginary parts where slots hold none.
    #[error("slots of the conjugate-invariant ring hold real numbers only: neither complex ones nor complex packing")]
    RealSlots,
    /// A message holds a NaN or an infinity.
    #[error("a message holds a number that is not finite")]
    NotFinite,
    /// A coefficient of the encoded message is not below half the modulus.
    #[error("an encoded coefficient of 2^{log_coefficient:.3} does not fit a modulus of 2^{log_q:.3}")]
    EncodingOverflow {
        /// log2 of the largest magnitude.
        log_coefficient: f64,
        /// log2 of the modulus at the level.
        log_q: f64,
    },
    /// A value that a tensor does not have.
    #[error("value {value} of a tensor of {values}")]
    ValueOutOfRange {
        /// The value asked for.
        value: usize,
        /// Values of the tensor.
        values: usize,
    },
}
