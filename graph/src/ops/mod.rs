//! The operations, one file each: attributes, shape rule, reference evaluation.
//!
//! To add one: a file with a type that implements `Operation`, a line in the `operations!` list below, a reader
//! in `import::onnx::operators`, and, if it is linear, an arm in the affine pass.
//!
//! A shape rule sees operand shapes, symbolic batch included, and checks everything; the evaluation behind it then
//! cannot fail. Both hold with the batch bound to a number too, which is how the interpreter calls them.

mod activation;
mod affine;
mod attributes;
mod average_pool;
mod batch_norm;
mod concat;
mod conv;
mod elementwise;
mod flatten;
mod gemm;
mod matmul;
mod max_pool;
mod negate;
mod pad;
mod range;
mod reduce;
mod reshape;
mod transpose;
pub mod window;

pub use activation::{BoundedRelu, Clip, Exp, LeakyRelu, Relu, Sigmoid, Tanh};
pub use affine::Affine;
pub use attributes::{Attribute, AttributeError, Attributes};
pub use average_pool::AveragePool;
pub use batch_norm::BatchNorm;
pub use concat::Concat;
pub use conv::Conv;
pub use elementwise::{Add, Div, Max, Min, Mul, Pow, Sub, broadcast};
pub use flatten::Flatten;
pub use gemm::Gemm;
pub use matmul::MatMul;
pub use max_pool::MaxPool;
pub use negate::Negate;
pub use pad::Pad;
pub use range::Bounds;
pub use reduce::{ArgMax, ReduceMax, ReduceMean, ReduceSum, Softmax};
pub use reshape::{Reshape, ReshapeTarget};
pub use transpose::Transpose;

use crate::{Shape, ShapeError, Tensor};

/// What every operation knows about itself.
trait Operation: Sized {
    /// Verb in the text form.
    const NAME: &'static str;

    /// Shape of the output.
    fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError>;

    /// Fills `out` (extents `dims`, as [`Operation::infer`] gave them). Shapes have been checked.
    fn evaluate(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]);

    /// What the text form shows.
    fn attributes(&self) -> Attributes;

    /// Reads back what [`Operation::attributes`] gave.
    fn from_attributes(attributes: &mut Attributes) -> Result<Self, AttributeError>;
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An operation with its attributes.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Op {
            $($(#[$doc])* $name($name),)*
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Op {
                Op::$name(op)
            }
        })*

        impl Op {
            /// Verb in the text form and in messages.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Op::$name(_) => $name::NAME,)*
                }
            }

            /// Shape of the output.
            ///
            /// # Errors
            /// Operands that do not fit, both sides named.
            pub fn infer(&self, inputs: &[&Shape]) -> Result<Shape, ShapeError> {
                match self {
                    $(Op::$name(op) => op.infer(inputs),)*
                }
            }

            fn evaluate_into(&self, inputs: &[&Tensor], dims: &[usize], out: &mut [f64]) {
                match self {
                    $(Op::$name(op) => op.evaluate(inputs, dims, out),)*
                }
            }

            /// What the text form shows between braces.
            pub fn attributes(&self) -> Attributes {
                match self {
                    $(Op::$name(op) => op.attributes(),)*
                }
            }

            /// The operation of that name and those attributes.
            ///
            /// # Errors
            /// An unknown operation, or an unknown, missing or ill-formed attribute.
            pub fn from_attributes(name: &str, mut attributes: Attributes) -> Result<Op, AttributeError> {
                let op = match name {
                    $($name::NAME => Op::$name($name::from_attributes(&mut attributes)?),)*
                    _ => return Err(AttributeError::UnknownOperation(name.to_owned())),
                };
                match attributes.0.into_iter().next() {
                    Some((attribute, _)) => Err(AttributeError::Unknown { op: op.name(), attribute }),
                    None => Ok(op),
                }
            }
        }
    };
}

operations! {
    /// Sum, with broadcasting.
    Add,
    /// Any affine map over the elements of an image.
    Affine,
    /// Position of the largest along one axis.
    ArgMax,
    /// Mean over windows.
    AveragePool,
    /// Normalisation by constants, per channel.
    BatchNorm,
    /// Nothing below 0, nothing above a bound.
    BoundedRelu,
    /// Nothing below one bound, nothing above another.
    Clip,
    /// Operands one behind the other along one axis.
    Concat,
    /// Convolution over any number of spatial axes.
    Conv,
    /// Quotient, with broadcasting.
    Div,
    /// Exponential.
    Exp,
    /// One row per image.
    Flatten,
    /// Scaled matrix product plus scaled bias.
    Gemm,
    /// Another slope below 0.
    LeakyRelu,
    /// Matrix product.
    MatMul,
    /// The larger of two, with broadcasting.
    Max,
    /// Largest over windows.
    MaxPool,
    /// The smaller of two, with broadcasting.
    Min,
    /// Product, with broadcasting.
    Mul,
    /// Sign change.
    Negate,
    /// A constant border.
    Pad,
    /// Power, with broadcasting.
    Pow,
    /// Largest over axes.
    ReduceMax,
    /// Mean over axes.
    ReduceMean,
    /// Sum over axes.
    ReduceSum,
    /// Nothing below 0.
    Relu,
    /// The same elements under other extents.
    Reshape,
    /// Logistic function.
    Sigmoid,
    /// Exponentials that sum to 1 over axes.
    Softmax,
    /// Difference, with broadcasting.
    Sub,
    /// Hyperbolic tangent.
    Tanh,
    /// Axes in another order.
    Transpose,
}

impl Op {
    /// Applies the operation in `f64`.
    ///
    /// # Errors
    /// Operands that do not fit, as [`Op::infer`].
    pub fn evaluate(&self, inputs: &[&Tensor]) -> Result<Tensor, ShapeError> {
        let shapes = inputs.iter().map(|tensor| tensor.shape()).collect::<Result<Vec<_>, _>>()?;
        let shape = self.infer(&shapes.iter().collect::<Vec<_>>())?;
        let dims = shape.with_batch(1);
        let mut out = vec![0.0; shape.elements_per_image()];
        self.evaluate_into(inputs, &dims, &mut out);
        Tensor::new(dims, out)
    }
}

/// Distance between neighbours along each axis of a row-major tensor.
fn row_major_strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// Walks all positions of a row-major tensor in order, calling `visit` with the sum of `steps[axis] * position[axis]`
/// for each.
fn for_each_offset(dims: &[usize], steps: &[usize], mut visit: impl FnMut(usize)) {
    if dims.contains(&0) {
        return;
    }
    let mut position = vec![0usize; dims.len()];
    let mut offset = 0;
    loop {
        visit(offset);
        let mut axis = dims.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            position[axis] += 1;
            offset += steps[axis];
            if position[axis] < dims[axis] {
                break;
            }
            offset -= steps[axis] * dims[axis];
            position[axis] = 0;
        }
    }
}

/// Exactly `N` operands.
fn operands<'a, const N: usize>(inputs: &[&'a Shape], expected: &'static str) -> Result<[&'a Shape; N], ShapeError> {
    inputs.try_into().map_err(|_| ShapeError::OperandCount { expected, found: inputs.len() })
}

/// Refuses an operand that varies with the image where a parameter is meant.
fn parameter(what: &'static str, shape: &Shape) -> Result<Vec<usize>, ShapeError> {
    if shape.is_batched() {
        return Err(ShapeError::mismatch(what, "one tensor for all images", shape));
    }
    Ok(shape.per_image())
}

#[cfg(test)]
mod tests;
