//! What can be wrong with a program.

use he_params::{Level, Scale};

use crate::ValueId;

/// Why an operation cannot take its operands.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// Wrong number of operands.
    #[error("takes {expected} operands, has {found}")]
    Arity {
        /// Operands of the operation.
        expected: usize,
        /// Operands given.
        found: usize,
    },
    /// Two operands of different shapes.
    #[error("operands of different shapes: left {left:?}, right {right:?}")]
    Shape {
        /// Shape of the first.
        left: Vec<usize>,
        /// Shape of the second.
        right: Vec<usize>,
    },
    /// Two operands at different levels.
    #[error("operands at different levels: left {left}, right {right}")]
    Level {
        /// Level of the first.
        left: Level,
        /// Level of the second.
        right: Level,
    },
    /// Two operands at different scales.
    #[error("operands at different scales: left {left}, right {right}")]
    Scale {
        /// Scale of the first.
        left: Scale,
        /// Scale of the second.
        right: Scale,
    },
    /// An operand with the wrong number of polynomials.
    #[error("an operand has {found} components, {expected} needed")]
    Components {
        /// Components needed.
        expected: &'static str,
        /// Components of the operand.
        found: usize,
    },
    /// A map or list that does not fit the operand's number of elements.
    #[error("{what} has {found} elements, the operand {expected}")]
    Elements {
        /// What does not fit.
        what: &'static str,
        /// Its number of elements.
        found: usize,
        /// The operand's.
        expected: usize,
    },
    /// An element index past the end.
    #[error("index {index} past the operand's {elements} elements")]
    Index {
        /// The index.
        index: u32,
        /// Elements of the operand.
        elements: usize,
    },
    /// A rescale without a prime to divide by, or a drop upwards.
    #[error("cannot go down from level {from} to level {to}")]
    Descent {
        /// Level of the operand.
        from: Level,
        /// Level asked for.
        to: String,
    },
    /// A constant of a client's function that makes no sense.
    #[error("{function} with the constant {constant}")]
    FunctionConstant {
        /// The function.
        function: &'static str,
        /// Its constant.
        constant: f64,
    },
    /// A group that a client's function cannot take.
    #[error("{function} does not make {outputs} results of {inputs} numbers")]
    FunctionGroup {
        /// The function.
        function: &'static str,
        /// Numbers in the group.
        inputs: usize,
        /// Results of the group.
        outputs: usize,
    },
    /// A result that two groups write.
    #[error("two groups write result {index}")]
    ResultTwice {
        /// The result.
        index: u32,
    },
    /// A result that no group writes.
    #[error("no group writes result {index}")]
    ResultMissing {
        /// The result.
        index: usize,
    },
    /// A fresh ciphertext above the chain of primes.
    #[error("fresh ciphertexts at level {level}, the chain has {primes} primes")]
    FreshLevel {
        /// The level stated.
        level: Level,
        /// Primes of the program.
        primes: usize,
    },
    /// A product of two ciphertexts whose slots hold two images each.
    #[error("complex-packed ciphertexts cannot be multiplied with each other")]
    ComplexProduct,
    /// A scale that is not a positive finite number.
    #[error("scale {value} is not a positive finite number")]
    NotAScale {
        /// What was computed.
        value: f64,
    },
}

/// What is wrong with a program or a part of one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeIrError {
    /// An operation that does not fit its operands.
    #[error("{verb} ({node}): {error}")]
    Op {
        /// The operation's verb.
        verb: &'static str,
        /// Name of the layer.
        node: String,
        /// The reason.
        error: TypeError,
    },
    /// An operand that is not defined before its use.
    #[error("value {value} is used by node {node} before it is defined")]
    NotDefined {
        /// The operand.
        value: ValueId,
        /// Index of the node.
        node: usize,
    },
    /// A recorded type that is not what the operation computes.
    #[error("value {value}: recorded as {recorded}, computed as {computed}")]
    WrongType {
        /// The value.
        value: ValueId,
        /// Its type in the program.
        recorded: String,
        /// What the rules give.
        computed: String,
    },
    /// A level above the chain of primes.
    #[error("value {value} at level {level}, the chain has {primes} primes")]
    LevelTooHigh {
        /// The value.
        value: ValueId,
        /// Its level.
        level: Level,
        /// Primes of the program.
        primes: usize,
    },
    /// A program that computes nothing.
    #[error("the program has no output")]
    NoOutput,
    /// A block whose list of weights has another length.
    #[error("a block of {rows} x {columns} weights has {found}")]
    BlockSize {
        /// Outputs.
        rows: usize,
        /// Inputs.
        columns: usize,
        /// Weights given.
        found: usize,
    },
    /// A group that names a block that is not there.
    #[error("group {group} names block {block}, there are {blocks}")]
    NoSuchBlock {
        /// Index of the group.
        group: usize,
        /// The block named.
        block: usize,
        /// Number of blocks.
        blocks: usize,
    },
    /// A group of another shape than its block.
    #[error("group {group} is {found:?} (outputs, inputs), its block {block:?}")]
    GroupShape {
        /// Index of the group.
        group: usize,
        /// Outputs and inputs of the group.
        found: (usize, usize),
        /// Rows and columns of the block.
        block: (usize, usize),
    },
    /// An element past the end.
    #[error("group {group} names element {element} of {elements}")]
    ElementOutOfRange {
        /// Index of the group.
        group: usize,
        /// The element.
        element: u32,
        /// How many there are.
        elements: usize,
    },
    /// An output that two groups write.
    #[error("group {group} writes element {element}, another group does too")]
    WrittenTwice {
        /// Index of the second group.
        group: usize,
        /// The element.
        element: u32,
    },
    /// An image of the wrong length.
    #[error("an input of {found} elements, {expected} expected")]
    InputLength {
        /// Elements given.
        found: usize,
        /// Elements of the map.
        expected: usize,
    },
}
