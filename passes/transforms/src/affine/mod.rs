//! Linear layers as affine maps: [`linearise`] one node, [`compose`] two maps.
//!
//! A linear node has one operand that varies with the image; everything else it reads is constant. Its meaning is an
//! [`AffineMap`] over the flattened elements of that operand:
//!
//! | node | groups | blocks |
//! |---|---|---|
//! | convolution | one per position (and channel group) | one per clipping of the window: inside, and along each border |
//! | average pool | one per position and channel | one per number of elements seen |
//! | matmul, gemm | one per row of an image | one |
//! | reduce mean, reduce sum | one per result | one |
//! | batch norm, add, sub, mul with a constant, div by one | one per element | one per distinct factor |
//! | pad, reshape, transpose, flatten | one per element | the number 1 |

mod compose;
mod dense;
mod elementwise;
mod movement;
mod pattern;
mod windows;

use std::sync::Arc;

use graph::affine::AffineMap;
use graph::ops::Op;
use graph::{Graph, NodeId, ShapeError, Tensor, ValueId};

pub use compose::compose;
pub use pattern::Pattern;

/// A linear node: what it reads and what it does to it.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The operand that varies with the image.
    pub data: ValueId,
    /// From its flattened elements to those of the node's output.
    pub map: Arc<AffineMap>,
}

/// Why a node is not an affine map of one value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLinear {
    /// The operation is not linear.
    #[error("{op} is not linear here")]
    Operation {
        /// Its name.
        op: &'static str,
    },
    /// More than one operand varies.
    #[error("two operands vary: {first} and {second}")]
    TwoVary {
        /// Name of one value.
        first: String,
        /// Name of another.
        second: String,
    },
    /// No operand varies with the image.
    #[error("no operand varies with the image")]
    NoneVaries,
    /// The output is not a batch of images.
    #[error("the output {shape} is not a batch of images")]
    NotBatched {
        /// Its shape.
        shape: graph::Shape,
    },
    /// More elements than an affine map can index.
    #[error("{found} elements, at most {limit} can be indexed")]
    TooLarge {
        /// How many.
        found: usize,
        /// How many an index can name.
        limit: usize,
    },
    /// The shape rule refuses the node.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// The affine map of a node.
///
/// # Errors
/// Why it has none.
pub fn linearise(graph: &Graph, node: NodeId) -> Result<Linear, NotLinear> {
    let node = graph.node(node);
    let site = Site::new(graph, node)?;
    let data = site.data;
    let map = match node.op() {
        Op::Affine(op) => return Ok(Linear { data, map: Arc::clone(&op.map) }),
        Op::Conv(op) => windows::conv(&site, op)?,
        Op::AveragePool(op) => windows::average_pool(&site, op)?,
        Op::MatMul(_) => dense::matmul(&site)?,
        Op::Gemm(op) => dense::gemm(&site, op)?,
        Op::Add(_) => elementwise::add(&site, 1.0)?,
        Op::Sub(_) => elementwise::add(&site, -1.0)?,
        Op::Mul(_) => elementwise::mul(&site)?,
        Op::Div(_) => elementwise::div(&site)?,
        Op::Negate(_) => elementwise::negate(&site)?,
        Op::BatchNorm(op) => elementwise::batch_norm(&site, op)?,
        Op::ReduceSum(op) => dense::reduced(&site, &op.axes, false)?,
        Op::ReduceMean(op) => dense::reduced(&site, &op.axes, true)?,
        Op::Pad(op) => movement::pad(&site, op)?,
        Op::Transpose(op) => movement::transpose(&site, op)?,
        Op::Reshape(_) | Op::Flatten(_) => movement::identity(&site)?,
        other => return Err(NotLinear::Operation { op: other.name() }),
    };
    Ok(Linear { data, map: Arc::new(map) })
}

/// Whether a map only moves elements: every output is one input or a constant, nothing is multiplied.
pub fn is_movement(map: &AffineMap) -> bool {
    map.blocks().iter().all(|block| block.weights() == [1.0])
}

/// A node with one varying operand, seen one image at a time.
struct Site<'g> {
    data: ValueId,
    /// Which operand varies.
    position: usize,
    /// Extents of one image of that operand.
    input: Vec<usize>,
    /// Extents of one image of the output.
    output: Vec<usize>,
    /// Constants, by operand; none where the operand varies.
    constants: Vec<Option<&'g Tensor>>,
    op: &'static str,
}

impl<'g> Site<'g> {
    fn new(graph: &'g Graph, node: &'g graph::Node) -> Result<Self, NotLinear> {
        let mut varying: Option<(usize, ValueId)> = None;
        let mut constants = Vec::new();
        for (position, &input) in node.inputs().iter().enumerate() {
            let constant = graph.constant(input).map(Arc::as_ref);
            constants.push(constant);
            if constant.is_none() {
                if let Some((_, first)) = varying {
                    let name = |id| graph.value(id).name().to_owned();
                    return Err(NotLinear::TwoVary { first: name(first), second: name(input) });
                }
                varying = Some((position, input));
            }
        }
        let (position, data) = varying.ok_or(NotLinear::NoneVaries)?;
        for shape in [graph.shape(data), graph.shape(node.output())] {
            if !shape.is_batched() {
                return Err(NotLinear::NotBatched { shape: shape.clone() });
            }
            let limit = u32::MAX as usize;
            if shape.elements_per_image() > limit {
                return Err(NotLinear::TooLarge { found: shape.elements_per_image(), limit });
            }
        }
        Ok(Self {
            data,
            position,
            input: graph.shape(data).per_image(),
            output: graph.shape(node.output()).per_image(),
            constants,
            op: node.op().name(),
        })
    }

    fn not_linear(&self) -> NotLinear {
        NotLinear::Operation { op: self.op }
    }

    /// A constant operand.
    fn constant(&self, position: usize) -> Result<&'g Tensor, NotLinear> {
        self.constants.get(position).copied().flatten().ok_or_else(|| self.not_linear())
    }

    /// An operand that need not be there, constant if it is.
    fn optional(&self, position: usize) -> Result<Option<&'g Tensor>, NotLinear> {
        if position < self.constants.len() { self.constant(position).map(Some) } else { Ok(None) }
    }

    /// Refuses a node whose varying operand is another than that.
    fn varies_at(&self, position: usize) -> Result<(), NotLinear> {
        if self.position == position { Ok(()) } else { Err(self.not_linear()) }
    }

    fn inputs(&self) -> usize {
        self.input.iter().product()
    }

    fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// For each element of an output image, in row-major order, the element of `constant` that broadcasting puts there.
    fn broadcast_constant(&self, constant: &Tensor) -> Vec<f64> {
        // The batch axis of a constant has extent 1 or is not there: the shape rule saw to that.
        let skip = constant.dims().len().saturating_sub(self.output.len());
        let offsets = broadcast_offsets(&constant.dims()[skip..], &self.output);
        offsets.into_iter().map(|offset| constant.data()[offset]).collect()
    }
}

/// For each position of `to`, row-major, the offset into a tensor of extents `from` that broadcasting puts there.
fn broadcast_offsets(from: &[usize], to: &[usize]) -> Vec<usize> {
    let missing = to.len() - from.len();
    let strides = row_major_strides(from);
    let steps: Vec<usize> = (0..to.len())
        .map(|axis| match axis.checked_sub(missing) {
            Some(own) if from[own] != 1 => strides[own],
            _ => 0,
        })
        .collect();
    offsets(to, &steps)
}

/// Distance between neighbours along each axis of a row-major tensor.
fn row_major_strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// Axes of a tensor as axes of one image of it.
pub(crate) fn per_image(axes: &[usize]) -> Vec<usize> {
    axes.iter().filter_map(|axis| axis.checked_sub(1)).collect()
}

/// The elements that fall together when axes are reduced, one list per result, results row-major.
pub(crate) fn along(dims: &[usize], axes: &[usize]) -> Vec<Vec<u32>> {
    let kept: Vec<usize> = dims.iter().enumerate().map(|(a, &d)| if axes.contains(&a) { 1 } else { d }).collect();
    let (strides, results) = (row_major_strides(dims), row_major_strides(&kept));
    let mut sets = vec![Vec::new(); kept.iter().product()];
    for element in 0..dims.iter().product::<usize>() {
        let position = |axis: usize| element / strides[axis] % dims[axis];
        let place = |axis: usize| if axes.contains(&axis) { 0 } else { position(axis) * results[axis] };
        let result: usize = (0..dims.len()).map(place).sum();
        sets[result].push(element as u32);
    }
    sets
}

/// For each position of `dims`, row-major, the sum of `steps[axis] * position[axis]`.
fn offsets(dims: &[usize], steps: &[usize]) -> Vec<usize> {
    let mut all = vec![0];
    for (&extent, &step) in dims.iter().zip(steps) {
        all = all.iter().flat_map(|&base| (0..extent).map(move |i| base + i * step)).collect();
    }
    all
}

/// An index as affine groups store it. Element counts were checked against `u32::MAX` at the door.
fn index(element: usize) -> u32 {
    debug_assert!(u32::try_from(element).is_ok());
    element as u32
}

#[cfg(test)]
mod tests;
