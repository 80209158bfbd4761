//! The reference interpreter: runs a graph in `f64`, one node after the other.
//!
//! It is the oracle for everything downstream, so it is plain: no reordering, every operation as its definition says.
//! Only convolutions use threads, one output map at a time, which changes no bit. Images are independent; a large batch
//! runs in chunks so that intermediate values stay in cache, which changes none either.

use crate::{Dim, Graph, GraphError, NodeId, Tensor, ValueId};

/// Elements of the largest intermediate value of one chunk, about: 512 KiB of `f64`.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// Runs the graph on `inputs` (in the graph's order, axis 0 of each batched input the images) and returns its outputs.
///
/// # Errors
/// Inputs that are not what the graph declares.
pub fn run(graph: &Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, GraphError> {
    run_observed(graph, inputs, |_, _| {})
}

/// As [`run`], showing every value (inputs, then node outputs in running order) to `observe`. A large batch runs in
/// chunks: `observe` then sees each value once per chunk.
///
/// # Errors
/// As [`run`].
pub fn run_observed(
    graph: &Graph,
    inputs: &[Tensor],
    mut observe: impl FnMut(ValueId, &Tensor),
) -> Result<Vec<Tensor>, GraphError> {
    let images = check_inputs(graph, inputs)?;
    let Some(images) = images else {
        return run_chunk(graph, inputs.iter().cloned().map(Some).collect(), &mut observe);
    };

    let batched = graph.values().map(|(_, value)| value.shape()).filter(|shape| shape.is_batched());
    let largest = batched.map(|shape| shape.elements_per_image()).max().unwrap_or(1);
    let chunk = (CHUNK_ELEMENTS / largest.max(1)).clamp(1, images);
    let mut outputs: Vec<Vec<f64>> = vec![Vec::new(); graph.outputs().len()];
    let mut fixed: Vec<Option<Tensor>> = vec![None; graph.outputs().len()];
    for first in (0..images).step_by(chunk) {
        let count = chunk.min(images - first);
        let slices = graph.inputs().iter().zip(inputs).map(|(&id, tensor)| {
            if graph.shape(id).is_batched() { images_of(tensor, first, count) } else { Ok(tensor.clone()) }
        });
        let slices = slices.map(|tensor| tensor.map(Some)).collect::<Result<_, _>>()?;
        for (i, tensor) in run_chunk(graph, slices, &mut observe)?.into_iter().enumerate() {
            if graph.shape(graph.outputs()[i]).is_batched() {
                outputs[i].extend_from_slice(tensor.data());
            } else {
                fixed[i] = Some(tensor);
            }
        }
    }
    let gathered = graph.outputs().iter().zip(outputs).zip(fixed).map(|((&id, data), fixed)| match fixed {
        Some(tensor) => Ok(tensor),
        None => Ok(Tensor::new(graph.shape(id).with_batch(images), data)?),
    });
    gathered.collect()
}

/// Number of images, none for a graph without a batch.
fn check_inputs(graph: &Graph, inputs: &[Tensor]) -> Result<Option<usize>, GraphError> {
    if inputs.len() != graph.inputs().len() {
        return Err(GraphError::InputCount { expected: graph.inputs().len(), found: inputs.len() });
    }
    let mut images = None;
    for (&id, tensor) in graph.inputs().iter().zip(inputs) {
        let expected = graph.shape(id);
        let fits = expected.rank() == tensor.dims().len()
            && expected.dims().iter().zip(tensor.dims()).all(|(dim, &extent)| match dim {
                Dim::Batch => extent > 0,
                Dim::Fixed(fixed) => *fixed == extent,
            });
        if !fits {
            return Err(GraphError::InputShape {
                input: graph.value(id).name().to_owned(),
                expected: expected.clone(),
                found: tensor.dims().to_vec(),
            });
        }
        if expected.is_batched() {
            let count = tensor.dims()[0];
            match images {
                Some(left) if left != count => {
                    return Err(GraphError::BatchMismatch { left, right: count });
                }
                _ => images = Some(count),
            }
        }
    }
    Ok(images)
}

fn images_of(tensor: &Tensor, first: usize, count: usize) -> Result<Tensor, GraphError> {
    let image: usize = tensor.dims()[1..].iter().product();
    let mut dims = tensor.dims().to_vec();
    dims[0] = count;
    Ok(Tensor::new(dims, tensor.data()[first * image..][..count * image].to_vec())?)
}

fn run_chunk(
    graph: &Graph,
    inputs: Vec<Option<Tensor>>,
    observe: &mut impl FnMut(ValueId, &Tensor),
) -> Result<Vec<Tensor>, GraphError> {
    let last_use = last_uses(graph);
    let mut values: Vec<Option<Tensor>> = vec![None; last_use.len()];
    for (&id, tensor) in graph.inputs().iter().zip(inputs) {
        if let Some(tensor) = &tensor {
            observe(id, tensor);
        }
        values[id.index()] = tensor;
    }
    for (id, node) in graph.nodes() {
        let result = {
            let operands: Vec<&Tensor> = node
                .inputs()
                .iter()
                .filter_map(|&input| match graph.constant(input) {
                    Some(tensor) => Some(tensor.as_ref()),
                    None => values.get(input.index())?.as_ref(),
                })
                .collect();
            node.op().evaluate(&operands).map_err(|source| GraphError::Shape {
                node: node.name().to_owned(),
                op: node.op().name(),
                source,
            })?
        };
        observe(node.output(), &result);
        values[node.output().index()] = Some(result);
        for &input in node.inputs() {
            if last_use[input.index()] == LastUse::Node(id) {
                values[input.index()] = None;
            }
        }
    }
    let outputs = graph.outputs().iter().map(|&id| match graph.constant(id) {
        Some(tensor) => Ok(tensor.as_ref().clone()),
        None => values.get(id.index()).cloned().flatten().ok_or_else(|| {
            crate::VerifyErrors(vec![crate::VerifyError::UnknownOutput { value: format!("{id:?}") }]).into()
        }),
    });
    outputs.collect()
}

#[derive(Clone, Copy, PartialEq)]
enum LastUse {
    Never,
    Node(NodeId),
    Output,
}

/// Which node is the last to read each value, indexed by value.
fn last_uses(graph: &Graph) -> Vec<LastUse> {
    let mut last = vec![LastUse::Never; graph.values().map(|(id, _)| id.index() + 1).max().unwrap_or(0)];
    for (id, node) in graph.nodes() {
        for input in node.inputs() {
            last[input.index()] = LastUse::Node(id);
        }
    }
    for output in graph.outputs() {
        last[output.index()] = LastUse::Output;
    }
    last
}

#[cfg(test)]
mod tests;
