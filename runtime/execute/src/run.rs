//! One run: node after node, each tensor freed at its last use. A node that is fused into its reader takes no time of its own.

use std::time::Instant;

use he_ir::{CipherType, Node, Op, ValueId};

use crate::prepare::node_error;
use crate::{Backend, ExecuteError, Finished, InputMismatch, NodeInfo, Operand, Prepared, Progress, TensorState};

/// Runs a prepared program on one batch: `inputs` in the order of [`he_ir::HeProgram::inputs`], results in the order of
/// [`he_ir::HeProgram::outputs`]. `backend` must be the one that prepared it.
///
/// # Errors
/// Inputs that are not what the program takes, a node that failed, and [`ExecuteError::Stopped`].
pub fn run<B: Backend>(
    backend: &B,
    prepared: &Prepared<B>,
    inputs: Vec<B::Tensor>,
    progress: &mut dyn Progress,
) -> Result<Vec<B::Tensor>, ExecuteError> {
    let program = prepared.program();
    let mut live = Live::<B>::new(program.nodes().len());
    check_inputs(backend, prepared, &inputs)?;
    for ((_, id, _), tensor) in program.inputs().zip(inputs) {
        live.put(id, tensor);
    }
    for (index, (id, node)) in program.values().enumerate() {
        let info = NodeInfo {
            index,
            nodes: program.nodes().len(),
            verb: node.op().verb(),
            layer: node.source(),
            elements: node.value().elements(),
        };
        if progress.started(info).is_break() {
            return Err(ExecuteError::Stopped { index, nodes: program.nodes().len() });
        }
        let start = Instant::now();
        if !matches!(node.op(), Op::Input { .. }) && !prepared.schedule().is_fused(index) {
            let result = step(backend, prepared, &mut live, index, node)?;
            live.put(id, result);
        }
        if prepared.schedule().last_use(index) == index {
            live.take(id);
        }
        progress.finished(info, Finished { duration: start.elapsed(), bytes_held: live.bytes(backend) });
    }
    let outputs = program.outputs();
    let take = |(position, (_, id)): (usize, &(String, ValueId))| {
        let again = outputs.iter().skip(position + 1).any(|(_, other)| other == id);
        let tensor = if again { live.get(*id).cloned() } else { live.take(*id) };
        tensor.ok_or(ExecuteError::Missing { index: id.index() })
    };
    outputs.iter().enumerate().map(take).collect()
}

/// The tensors that somebody still reads.
struct Live<B: Backend>(Vec<Option<B::Tensor>>);

impl<B: Backend> Live<B> {
    fn new(values: usize) -> Self {
        Self((0..values).map(|_| None).collect())
    }

    fn put(&mut self, id: ValueId, tensor: B::Tensor) {
        if let Some(slot) = self.0.get_mut(id.index()) {
            *slot = Some(tensor);
        }
    }

    fn get(&self, id: ValueId) -> Option<&B::Tensor> {
        self.0.get(id.index())?.as_ref()
    }

    fn take(&mut self, id: ValueId) -> Option<B::Tensor> {
        self.0.get_mut(id.index())?.take()
    }

    fn bytes(&self, backend: &B) -> usize {
        self.0.iter().flatten().map(|tensor| backend.bytes(tensor)).sum()
    }
}

/// Runs one node; operands at their last use leave `live`.
fn step<B: Backend>(
    backend: &B,
    prepared: &Prepared<B>,
    live: &mut Live<B>,
    index: usize,
    node: &Node,
) -> Result<B::Tensor, ExecuteError> {
    let missing = || ExecuteError::Missing { index };
    let schedule = prepared.schedule();
    let ends = |id: ValueId| schedule.last_use(id.index()) == index;
    let (first, second) = match *schedule.operands(prepared.program(), node) {
        [x] => (x, None),
        [x, y] => (x, Some(y)),
        _ => return Err(missing()),
    };
    if second == Some(first) {
        let x = live.get(first).ok_or_else(missing)?;
        let result = apply(backend, prepared, index, node, Operand::Kept(x), Some(Operand::Kept(x)))?;
        if ends(first) {
            live.take(first);
        }
        return Ok(result);
    }
    let mine = if ends(first) { live.take(first) } else { None };
    let other = second.filter(|&id| ends(id)).and_then(|id| live.take(id));
    let operand = |id: ValueId, owned: Option<B::Tensor>| match owned {
        Some(tensor) => Ok(Operand::Last(tensor)),
        None => live.get(id).map(Operand::Kept).ok_or_else(missing),
    };
    let y = second.map(|id| operand(id, other)).transpose()?;
    apply(backend, prepared, index, node, operand(first, mine)?, y)
}

/// The verb, and nothing else.
fn apply<B: Backend>(
    backend: &B,
    prepared: &Prepared<B>,
    index: usize,
    node: &Node,
    x: Operand<'_, B::Tensor>,
    y: Option<Operand<'_, B::Tensor>>,
) -> Result<B::Tensor, ExecuteError> {
    let missing = || ExecuteError::Missing { index };
    let result = match (node.op(), y) {
        (Op::Linear { .. }, _) if prepared.schedule().begins_fused(node) => {
            backend.linear_of_square(x, prepared.weights(index).ok_or_else(missing)?)
        }
        (Op::Linear { .. }, _) => backend.linear(x, prepared.weights(index).ok_or_else(missing)?),
        (Op::Add, Some(y)) => backend.add(x, y),
        (Op::Sub, Some(y)) => backend.sub(x, y),
        (Op::Mul, Some(y)) => backend.mul(x, y),
        (Op::Negate, _) => backend.negate(x),
        (Op::AddConstant { values }, _) => backend.add_constant(x, values),
        (Op::Square, _) => backend.square(x),
        (Op::Relinearize, _) => backend.relinearize(x),
        (Op::Rescale, _) => backend.rescale(x),
        (Op::RelinearizeRescale, _) => backend.relinearize_rescale(x),
        (Op::DropLevel { to }, _) => backend.drop_level(x, *to),
        (Op::Gather { indices, .. }, _) => backend.gather(x, indices),
        _ => return Err(missing()),
    };
    let result = result.map_err(|source| node_error(index, node, source))?;
    match mismatch(node.value(), &backend.state(&result)) {
        Some(mismatch) => Err(node_error(index, node, WrongResult { mismatch })),
        None => Ok(result),
    }
}

/// A backend that computed another type than the program says.
#[derive(Debug, thiserror::Error)]
#[error("the result has {mismatch} (defect of the backend)")]
pub(crate) struct WrongResult {
    pub(crate) mismatch: InputMismatch,
}

fn check_inputs<B: Backend>(backend: &B, prepared: &Prepared<B>, inputs: &[B::Tensor]) -> Result<(), ExecuteError> {
    let program = prepared.program();
    let expected = program.inputs().count();
    if expected != inputs.len() {
        return Err(ExecuteError::InputCount { expected, found: inputs.len() });
    }
    let first = inputs.first().map(|tensor| backend.state(tensor).slots).unwrap_or_default();
    for ((name, _, value), tensor) in program.inputs().zip(inputs) {
        let state = backend.state(tensor);
        let (slots, found) = (backend.slots(), state.slots);
        let mismatch = mismatch(value, &state)
            .or((found > slots).then_some(InputMismatch::TooManyImages { slots, found }))
            .or((found != first).then_some(InputMismatch::Images { first, found }));
        if let Some(mismatch) = mismatch {
            return Err(ExecuteError::Input { name: name.to_owned(), mismatch });
        }
    }
    Ok(())
}

/// What of `found` is not as the program says.
pub(crate) fn mismatch(expected: &CipherType, found: &TensorState) -> Option<InputMismatch> {
    if expected.elements() != found.elements {
        return Some(InputMismatch::Elements { expected: expected.elements(), found: found.elements });
    }
    if expected.level != found.level {
        return Some(InputMismatch::Level { expected: expected.level, found: found.level });
    }
    if !expected.scale.is_close(found.scale) {
        return Some(InputMismatch::Scale { expected: expected.scale, found: found.scale });
    }
    if expected.component_count != found.component_count {
        return Some(InputMismatch::Components { expected: expected.component_count, found: found.component_count });
    }
    None
}
