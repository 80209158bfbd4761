//! Everything that can be done before the first image: the program is verified and its weights are packed.

use he_ir::{HeProgram, Node, Op};

use crate::schedule::Schedule;
use crate::{Backend, ExecuteError, MemoryPlan};

/// A program ready to run, as often as wanted, on the backend that prepared it.
#[derive(Debug)]
pub struct Prepared<B: Backend> {
    program: HeProgram,
    weights: Vec<Option<B::Weights>>,
    schedule: Schedule,
    memory: MemoryPlan,
    weights_bytes: usize,
}

impl<B: Backend> Prepared<B> {
    /// The program.
    pub fn program(&self) -> &HeProgram {
        &self.program
    }

    /// Bytes of live tensors along a run.
    pub fn memory(&self) -> &MemoryPlan {
        &self.memory
    }

    /// Bytes of all packed weights.
    pub fn weights_bytes(&self) -> usize {
        self.weights_bytes
    }

    pub(crate) fn weights(&self, index: usize) -> Option<&B::Weights> {
        self.weights.get(index)?.as_ref()
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.schedule
    }
}

/// Verifies `program` and packs its weights.
///
/// # Errors
/// A program that is not sound, that this backend cannot run, or that asks the key owner for anything (which only
/// [`crate::run_streamed`] can do); weights that it cannot hold.
pub fn prepare<B: Backend>(backend: &B, program: &HeProgram) -> Result<Prepared<B>, ExecuteError> {
    check(backend, program)?;
    if let Some((id, _)) = program.refreshes().next() {
        return Err(ExecuteError::KeyOwner { index: id.index() });
    }
    let pack = |(index, node): (usize, &Node)| {
        let (Op::Linear { map }, Some(&operand)) = (node.op(), node.operands().first()) else { return Ok(None) };
        let operand = program.node(operand).ok_or(ExecuteError::Missing { index })?.value();
        backend.pack(map, operand).map(Some).map_err(|source| node_error(index, node, source))
    };
    let weights = program.nodes().iter().enumerate().map(pack).collect::<Result<Vec<_>, _>>()?;
    let schedule = Schedule::new(backend, program);
    Ok(Prepared {
        weights_bytes: weights.iter().flatten().map(|w| backend.weights_bytes(w)).sum(),
        weights,
        memory: MemoryPlan::new(backend, program, &schedule),
        schedule,
        program: program.clone(),
    })
}

/// Whether a program keeps its rules and this backend can run it.
pub(crate) fn check<B: Backend>(backend: &B, program: &HeProgram) -> Result<(), ExecuteError> {
    program.verify().map_err(|errors| ExecuteError::Unsound {
        program: program.name().to_owned(),
        errors: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    })?;
    backend.accept(program).map_err(|source| ExecuteError::Program {
        backend: backend.name(),
        program: program.name().to_owned(),
        source: source.into(),
    })
}

pub(crate) fn node_error<E: std::error::Error + Send + Sync + 'static>(
    index: usize,
    node: &Node,
    source: E,
) -> ExecuteError {
    let (verb, layer) = (node.op().verb(), node.source().to_owned());
    ExecuteError::Node { index, verb, layer, source: source.into() }
}
