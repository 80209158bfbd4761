//! Batch normalisation becomes part of the layer before it.
//!
//! Formula: `y = factor * x + shift` per channel, with `factor = scale / sqrt(variance + epsilon)` and
//! `shift = bias - mean * factor`. When `x` is the output of a convolution or a matrix product with constant weights and
//! nobody else reads it, the factor goes into the weights of each output channel and the shift into the bias.
//! Otherwise the node becomes a product and a sum with constants.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use graph::ops::{Add, BatchNorm, Conv, Gemm, Mul, Op};
use graph::{EditError, Graph, NodeId, ShapeError, Tensor, ValueId};

use crate::{Pass, PassError, PassReport, Property};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchNormFolding;

impl Pass<Graph> for BatchNormFolding {
    fn name(&self) -> &'static str {
        "batch_norm_folding"
    }

    fn requires(&self) -> &'static [Property] {
        &[Property::ConstantsFolded]
    }

    fn ensures(&self) -> &'static [Property] {
        &[Property::NoBatchNorm]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let mut report = PassReport::default();
        let nodes: Vec<(NodeId, BatchNorm)> = graph
            .nodes()
            .filter_map(|(id, node)| match node.op() {
                Op::BatchNorm(op) => Some((id, *op)),
                _ => None,
            })
            .collect();
        for (id, op) in nodes {
            let site = graph.node(id).name().to_owned();
            let unsupported = |reason: &str| PassError::Unsupported {
                pass: self.name(),
                site: site.clone(),
                op: "batch_norm".to_owned(),
                reason: reason.to_owned(),
            };
            let scaling = Scaling::of(graph, id, op).map_err(unsupported)?;
            let failed = |source| PassError::Edit { pass: self.name(), source: Box::new(source) };
            let shape = |source| PassError::Shape { pass: self.name(), site: site.clone(), source };
            match fold_target(graph, id) {
                Ok(layer) => {
                    let name = graph.node(layer).name().to_owned();
                    let folded = Folded::new(graph, layer, &scaling).map_err(shape)?;
                    folded.put(graph, layer, id).map_err(failed)?;
                    report.rewrote(site, format!("folded into {name}"));
                }
                Err(reason) => {
                    scaling.put(graph, id).map_err(failed)?;
                    report.rewrote(site, format!("became a product and a sum: {reason}"));
                }
            }
        }
        Ok(report)
    }
}

/// Factor and shift per channel.
struct Scaling {
    factors: Vec<f64>,
    shifts: Vec<f64>,
}

impl Scaling {
    fn of(graph: &Graph, id: NodeId, op: BatchNorm) -> Result<Self, &'static str> {
        let parameters = graph.node(id).inputs().iter().skip(1).map(|&input| graph.constant(input));
        let parameters = parameters.collect::<Option<Vec<_>>>().ok_or("its parameters are not constant")?;
        let [scale, shift, mean, variance] = parameters.as_slice() else { return Err("it takes four parameters") };
        let (factors, shifts): (Vec<f64>, Vec<f64>) =
            op.factor_and_shift(scale.data(), shift.data(), mean.data(), variance.data()).into_iter().unzip();
        if factors.iter().chain(&shifts).any(|x| !x.is_finite()) {
            return Err("variance + epsilon is not positive for every channel");
        }
        Ok(Self { factors, shifts })
    }

    /// The node becomes `x * factors + shifts`.
    fn put(self, graph: &mut Graph, id: NodeId) -> Result<(), EditError> {
        let node = graph.node(id);
        let (x, name) = (node.inputs()[0], node.name().to_owned());
        // One entry per channel, repeated along the axes behind it.
        let mut dims = vec![1; graph.shape(x).rank() - 1];
        dims[0] = self.factors.len();
        let refused = |source| EditError::ValueShape { value: name.clone(), source };
        let factors = Tensor::new(dims.clone(), self.factors).map_err(refused)?;
        let shifts = Tensor::new(dims, self.shifts).map_err(refused)?;
        let mut edit = graph.edit();
        let factors = edit.add_constant(&format!("{name}/factor"), factors)?;
        let shifts = edit.add_constant(&format!("{name}/shift"), shifts)?;
        let product = edit.insert_before(id, &format!("{name}/product"), Mul.into(), &[x, factors])?;
        edit.rewrite(id, Add.into(), &[product, shifts])
    }
}

/// The layer that computes the operand, when it can take the normalisation in.
fn fold_target(graph: &Graph, id: NodeId) -> Result<NodeId, String> {
    let x = graph.node(id).inputs()[0];
    let layer = graph.producer(x).ok_or("it normalises an input")?;
    let node = graph.node(layer);
    let name = node.name();
    if graph.use_count(x) != 1 {
        return Err(format!("{name} is read elsewhere too"));
    }
    match node.op() {
        Op::Conv(_) | Op::Gemm(_) => {}
        // Channels are columns only where an image is one row.
        Op::MatMul(_) if graph.shape(x).rank() == 2 => {}
        other => return Err(format!("{name} is a {}", other.name())),
    }
    if node.inputs().iter().skip(1).any(|&input| graph.constant(input).is_none()) {
        return Err(format!("the weights of {name} are not constant"));
    }
    Ok(layer)
}

/// A layer with a normalisation in its weights and bias.
struct Folded {
    op: Op,
    data: ValueId,
    weights: Tensor,
    bias: Tensor,
}

impl Folded {
    /// `layer` has passed [`fold_target`].
    fn new(graph: &Graph, layer: NodeId, scaling: &Scaling) -> Result<Self, ShapeError> {
        let node = graph.node(layer);
        let channels = scaling.factors.len();
        let missing = |_| ShapeError::OperandCount { expected: "constant weights", found: node.inputs().len() };
        let weights = graph.constant(node.inputs()[1]).ok_or(()).map_err(missing)?;
        let bias = node.inputs().get(2).and_then(|&input| graph.constant(input));
        // Gemm's bias may have any extents that broadcast to one row; its last axis is the channels, or 1.
        let old_bias = |channel: usize| bias.map_or(0.0, |bias| bias.data()[channel % bias.data().len()]);
        let factor = |channel: usize| scaling.factors[channel];

        let elements = weights.data().iter().enumerate();
        let (op, scaled, beta): (Op, Vec<f64>, f64) = match node.op() {
            Op::Conv(op) => {
                let per_map = weights.data().len() / channels;
                (Op::Conv(Conv::clone(op)), elements.map(|(i, w)| w * factor(i / per_map)).collect(), 1.0)
            }
            Op::Gemm(op) => {
                let inner = weights.data().len() / channels;
                let channel = |i: usize| if op.transposed { i / inner } else { i % channels };
                let folded = Gemm { beta: 1.0, ..*op };
                (folded.into(), elements.map(|(i, w)| w * factor(channel(i))).collect(), op.beta)
            }
            _ => (Gemm::default().into(), elements.map(|(i, w)| w * factor(i % channels)).collect(), 1.0),
        };
        let bias = (0..channels).map(|c| beta * old_bias(c) * factor(c) + scaling.shifts[c]).collect();
        Ok(Self {
            op,
            data: node.inputs()[0],
            weights: Tensor::new(weights.dims().to_vec(), scaled)?,
            bias: Tensor::vector(bias),
        })
    }

    /// The normalisation becomes the layer, under the layer's name, and the old layer goes.
    fn put(self, graph: &mut Graph, layer: NodeId, normalisation: NodeId) -> Result<(), EditError> {
        let name = graph.node(layer).name().to_owned();
        let mut edit = graph.edit();
        let weights = edit.add_constant(&format!("{name}/weights"), self.weights)?;
        let bias = edit.add_constant(&format!("{name}/bias"), self.bias)?;
        edit.rewrite(normalisation, self.op, &[self.data, weights, bias])?;
        edit.rename_node(normalisation, name)?;
        edit.remove_node(layer)
    }
}

#[cfg(test)]
mod tests;
