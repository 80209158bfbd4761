//! Every way this crate refuses an input.

/// A refusal of `he_ring`; both sides of the contradiction are shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// The ring degree is outside the supported range.
    #[error("log_n {log_n} is outside 1..={max}", max = crate::MAX_LOG_N)]
    LogNOutOfRange {
        /// The value asked for.
        log_n: u32,
    },
    /// A modulus has more bits than a 64-bit residue can carry lazily.
    #[error("modulus {q} has {bits} bits, at most {max} are supported", max = crate::MAX_MODULUS_BITS)]
    ModulusTooLarge {
        /// The modulus.
        q: u64,
        /// Its length in bits.
        bits: u32,
    },
    /// A modulus is not a prime.
    #[error("modulus {q} is not a prime")]
    NotPrime {
        /// The modulus.
        q: u64,
    },
    /// A prime has no primitive 2N-th root of unity.
    #[error("prime {q} is not 1 modulo {order}: it has no root of unity of that order")]
    NotNttFriendly {
        /// The prime.
        q: u64,
        /// Twice the ring degree.
        order: u64,
    },
    /// The same prime was given twice.
    #[error("prime {q} is listed more than once")]
    DuplicatePrime {
        /// The prime.
        q: u64,
    },
    /// A limb index names no prime of the ring.
    #[error("limb index {index} is outside a ring of {count} primes")]
    LimbOutOfRange {
        /// The index asked for.
        index: usize,
        /// How many primes the ring has.
        count: usize,
    },
    /// A list of limbs names one prime twice.
    #[error("limb index {index} is listed more than once")]
    DuplicateLimb {
        /// The repeated index.
        index: usize,
    },
    /// An operand lacks a limb that the operation needs.
    #[error("operand over limbs {found:?} lacks limb {index}")]
    MissingLimb {
        /// The ring index of the limb.
        index: usize,
        /// The limbs the operand has.
        found: Vec<usize>,
    },
    /// A tensor was made by a ring of another degree or other primes.
    #[error("tensor of log_n {found} over primes {primes:?} is not of this ring of log_n {expected}")]
    ForeignTensor {
        /// log_n of the ring.
        expected: u32,
        /// log_n of the tensor.
        found: u32,
        /// Primes of the tensor.
        primes: Vec<u64>,
    },
    /// Row counts do not fit each other.
    #[error("row counts do not fit: left {left}, right {right}")]
    RowMismatch {
        /// Rows on the left.
        left: usize,
        /// Rows on the right.
        right: usize,
    },
    /// A row index or a row range is outside a tensor.
    #[error("rows up to {end} asked of a tensor of {rows} rows")]
    RowOutOfRange {
        /// One past the last row asked for.
        end: usize,
        /// Rows of the tensor.
        rows: usize,
    },
    /// A slice has the wrong length.
    #[error("{what}: expected length {expected}, found {found}")]
    LengthMismatch {
        /// What the slice holds.
        what: &'static str,
        /// Length needed.
        expected: usize,
        /// Length given.
        found: usize,
    },
    /// A residue is not below its prime.
    #[error("residue {value} is not below its prime {q}")]
    ResidueOutOfRange {
        /// The value given.
        value: u64,
        /// The prime of the limb.
        q: u64,
    },
    /// Dividing by the last prime, or dropping it, would leave no limb.
    #[error("the last of {limbs} limbs cannot be dropped")]
    NoLimbToDrop {
        /// Limbs of the tensor.
        limbs: usize,
    },
    /// A Galois element is even, so `X -> X^g` is not an automorphism.
    #[error("galois element {g} is not odd")]
    EvenGaloisElement {
        /// The element.
        g: u64,
    },
    /// A composed integer does not fit the type asked for.
    #[error("a modulus of {bits} bits does not compose into {target}")]
    ComposeTooWide {
        /// Bits of the product of the primes.
        bits: u64,
        /// The type that is too small.
        target: &'static str,
    },
    /// An instruction set is not known at all.
    #[error("unknown instruction set '{name}', known are scalar, avx2, avx512, avx512_ifma")]
    UnknownIsa {
        /// The name given.
        name: String,
    },
    /// An instruction set is known, but this processor does not have it.
    #[error("this processor does not have instruction set '{name}'; available here: {available}")]
    IsaAbsent {
        /// The name given.
        name: &'static str,
        /// Names that would be accepted.
        available: String,
    },
    /// A weight block has a shape other than its groups.
    #[error(
        "group {group}: block {block} is {outputs}x{inputs}, the group has {group_outputs} outputs and {group_inputs} inputs"
    )]
    WeightShape {
        /// Index of the group.
        group: usize,
        /// Index of the block.
        block: usize,
        /// Outputs of the block.
        outputs: usize,
        /// Inputs of the block.
        inputs: usize,
        /// Outputs of the group.
        group_outputs: usize,
        /// Inputs of the group.
        group_inputs: usize,
    },
    /// A group names something that does not exist.
    #[error("group {group}: {what} {index} is outside 0..{count}")]
    WeightIndex {
        /// Index of the group.
        group: usize,
        /// `input`, `output` or `block`.
        what: &'static str,
        /// The index given.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// Two groups write the same output.
    #[error("group {group}: output {output} is written twice")]
    OutputWrittenTwice {
        /// The later group.
        group: usize,
        /// The output value.
        output: usize,
    },
}
