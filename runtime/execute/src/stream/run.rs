//! One run of the fixed order: every tile freed at its last use.

use std::time::Instant;

use he_ir::{Node, Op};

use super::memory::last_reads;
use super::order::Step;
use super::task::{Places, Source, Task, Work};
use super::{Streamed, TiledBackend, tile_type};
use crate::prepare::node_error;
use crate::run::{WrongResult, mismatch};
use crate::{Asked, ExecuteError, Finished, InputMismatch, NodeInfo, Operand, Progress, RefreshPort, Request};

/// Runs a program on one batch: inputs are asked for through `port`, results come in the order of [`he_ir::HeProgram::outputs`]. `backend` must be
/// the one that prepared it. Progress is told of every tile, by the node it belongs to.
///
/// # Errors
/// A port that failed or an answer that is not what was asked for ([`ExecuteError::Port`], [`ExecuteError::Node`]), a node that failed, and
/// [`ExecuteError::Stopped`].
pub fn run_streamed<B: TiledBackend>(
    backend: &B,
    streamed: &Streamed<B>,
    port: &mut dyn RefreshPort<B::Tensor>,
    progress: &mut dyn Progress,
) -> Result<Vec<B::Tensor>, ExecuteError> {
    let program = streamed.program();
    let nodes = program.nodes().len();
    let mut run = Run { backend, streamed, live: (0..streamed.tilings.count()).map(|_| None).collect(), held: 0 };
    let ends = last_reads(program, &streamed.tilings, &streamed.tasks, &streamed.steps);
    for (step, ends) in streamed.steps.iter().zip(&ends) {
        let (Step::Compute { task: index } | Step::Request { task: index, .. } | Step::Receive { task: index, .. }) =
            *step;
        let task = streamed.tasks.get(index).ok_or(ExecuteError::Missing { index })?;
        let node = program.nodes().get(task.node).ok_or(ExecuteError::Missing { index: task.node })?;
        let elements = streamed.tilings.of(task.node).and_then(|t| t.tiles.get(task.tile)).map_or(0, |t| t.len());
        let info = NodeInfo { index: task.node, nodes, verb: node.op().verb(), layer: node.source(), elements };
        if progress.started(info).is_break() {
            return Err(ExecuteError::Stopped { index: task.node, nodes });
        }
        let start = Instant::now();
        match *step {
            Step::Compute { .. } => {
                let made = run.compute(task, node, elements, ends)?;
                run.put(index, made);
            }
            Step::Request { sequence, .. } => {
                let request = run.request(task, node, elements, sequence, ends)?;
                port.send(request).map_err(|source| ExecuteError::Port { index: task.node, sequence, source })?;
            }
            Step::Receive { sequence, .. } => {
                let answer = port.receive(sequence).map_err(|source| ExecuteError::Port {
                    index: task.node,
                    sequence,
                    source,
                })?;
                if let Some(mismatch) = mismatch(&tile_type(node.value(), elements), &backend.state(&answer)) {
                    let source = WrongAnswer { mismatch }.into();
                    return Err(ExecuteError::Port { index: task.node, sequence, source });
                }
                let answer = backend.settle(answer).map_err(|source| node_error(task.node, node, source))?;
                run.put(index, answer);
            }
        }
        for &tile in ends {
            run.take(tile);
        }
        progress.finished(info, Finished { duration: start.elapsed(), bytes_held: run.held });
    }
    run.outputs()
}

/// A key owner that answered with something else than was asked for.
#[derive(Debug, thiserror::Error)]
#[error("the answer has {mismatch}")]
struct WrongAnswer {
    mismatch: InputMismatch,
}

/// Whether a source reads that tile, as it is or for some values.
fn reads(source: &Source, tile: u32) -> bool {
    match source {
        Source::Tile(read) => *read == tile,
        Source::Values(places) => places.iter().any(|(read, _)| *read == tile),
    }
}

struct Run<'a, B: TiledBackend> {
    backend: &'a B,
    streamed: &'a Streamed<B>,
    live: Vec<Option<B::Tensor>>,
    held: usize,
}

impl<B: TiledBackend> Run<'_, B> {
    fn put(&mut self, tile: usize, tensor: B::Tensor) {
        self.held += self.backend.bytes(&tensor);
        if let Some(slot) = self.live.get_mut(tile) {
            *slot = Some(tensor);
        }
    }

    fn take(&mut self, tile: usize) -> Option<B::Tensor> {
        let tensor = self.live.get_mut(tile)?.take()?;
        self.held = self.held.saturating_sub(self.backend.bytes(&tensor));
        Some(tensor)
    }

    /// The listed values of the tiles that a task reads.
    fn values(&self, task: &Task<B::Weights>, places: &Places) -> Option<Vec<(&B::Tensor, usize)>> {
        let tiles: Vec<&B::Tensor> =
            task.reads.iter().map(|&tile| self.live.get(tile)?.as_ref()).collect::<Option<_>>()?;
        places.iter().map(|&(read, position)| Some((*tiles.get(read as usize)?, position as usize))).collect()
    }

    fn compute(
        &mut self,
        task: &Task<B::Weights>,
        node: &Node,
        elements: usize,
        ends: &[usize],
    ) -> Result<B::Tensor, ExecuteError> {
        let missing = || ExecuteError::Missing { index: task.node };
        let failed = |source| node_error(task.node, node, source);
        let made = match &task.work {
            Work::Linear { places, weights } => {
                self.backend.linear_of(&self.values(task, places).ok_or_else(missing)?, weights).map_err(failed)?
            }
            Work::Operands(sources) => {
                let tile = |read: u32| task.reads.get(read as usize).copied().ok_or_else(missing);
                let mut owned = Vec::with_capacity(sources.len());
                for source in sources {
                    owned.push(match source {
                        Source::Values(places) => {
                            let values = self.values(task, places).ok_or_else(missing)?;
                            Some(self.backend.gather_of(&values).map_err(failed)?)
                        }
                        // A tile that is read once, and by nobody afterwards, may become the result.
                        Source::Tile(read) => {
                            let number = tile(*read)?;
                            let again = sources.iter().filter(|other| reads(other, *read)).count() > 1;
                            if ends.contains(&number) && !again { self.take(number) } else { None }
                        }
                    });
                }
                let mut operands = Vec::with_capacity(sources.len());
                for (source, owned) in sources.iter().zip(owned) {
                    operands.push(match (source, owned) {
                        (_, Some(tensor)) => Operand::Last(tensor),
                        (Source::Tile(read), None) => {
                            let kept = self.live.get(tile(*read)?).and_then(Option::as_ref);
                            Operand::Kept(kept.ok_or_else(missing)?)
                        }
                        (Source::Values(_), None) => return Err(missing()),
                    });
                }
                self.apply(task, node, operands)?
            }
            _ => return Err(missing()),
        };
        self.check(task, node, elements, &made)?;
        Ok(made)
    }

    fn apply(
        &self,
        task: &Task<B::Weights>,
        node: &Node,
        operands: Vec<Operand<'_, B::Tensor>>,
    ) -> Result<B::Tensor, ExecuteError> {
        let missing = || ExecuteError::Missing { index: task.node };
        let backend = self.backend;
        let mut operands = operands.into_iter();
        let x = operands.next().ok_or_else(missing)?;
        let result = match (node.op(), operands.next()) {
            (Op::Add, Some(y)) => backend.add(x, y),
            (Op::Sub, Some(y)) => backend.sub(x, y),
            (Op::Mul, Some(y)) => backend.mul(x, y),
            (Op::Negate, _) => backend.negate(x),
            (Op::AddConstant { values }, _) => {
                let elements =
                    self.streamed.tilings.of(task.node).and_then(|t| t.tiles.get(task.tile)).ok_or_else(missing)?;
                let constants: Vec<f64> = elements.iter().filter_map(|&e| values.get(e as usize).copied()).collect();
                backend.add_constant(x, &constants)
            }
            (Op::Square, _) => backend.square(x),
            (Op::Relinearize, _) => backend.relinearize(x),
            (Op::Rescale, _) => backend.rescale(x),
            (Op::RelinearizeRescale, _) => backend.relinearize_rescale(x),
            (Op::DropLevel { to }, _) => backend.drop_level(x, *to),
            // Its operand was gathered already.
            (Op::Gather { .. }, _) => Ok(x.into_owned()),
            _ => return Err(missing()),
        };
        result.map_err(|source| node_error(task.node, node, source))
    }

    fn request(
        &mut self,
        task: &Task<B::Weights>,
        node: &Node,
        results: usize,
        sequence: u64,
        ends: &[usize],
    ) -> Result<Request<B::Tensor>, ExecuteError> {
        let missing = || ExecuteError::Missing { index: task.node };
        let what = match (&task.work, node.op()) {
            (Work::Input { input, elements }, _) => Asked::Input { input: *input, elements: elements.clone() },
            (Work::Refresh { places, groups }, Op::Refresh { refresh }) => {
                let tile = match (places, task.reads.as_slice()) {
                    (Some(places), _) => {
                        let values = self.values(task, places).ok_or_else(missing)?;
                        self.backend.gather_of(&values).map_err(|source| node_error(task.node, node, source))?
                    }
                    (None, &[tile]) if ends.contains(&tile) => self.take(tile).ok_or_else(missing)?,
                    (None, &[tile]) => self.live.get(tile).cloned().flatten().ok_or_else(missing)?,
                    _ => return Err(missing()),
                };
                Asked::Refresh { node: task.node, function: refresh.function, groups: groups.clone(), tile }
            }
            _ => return Err(missing()),
        };
        let value = node.value();
        Ok(Request { sequence, results, level: value.level, scale: value.scale, what })
    }

    /// A tile is what the program says.
    fn check(
        &self,
        task: &Task<B::Weights>,
        node: &Node,
        elements: usize,
        made: &B::Tensor,
    ) -> Result<(), ExecuteError> {
        match mismatch(&tile_type(node.value(), elements), &self.backend.state(made)) {
            Some(mismatch) => Err(node_error(task.node, node, WrongResult { mismatch })),
            None => Ok(()),
        }
    }

    /// Whole tensors of the outputs, elements in their order.
    fn outputs(self) -> Result<Vec<B::Tensor>, ExecuteError> {
        let program = self.streamed.program();
        program
            .outputs()
            .iter()
            .map(|(_, id)| {
                let missing = || ExecuteError::Missing { index: id.index() };
                let tiling = self.streamed.tilings.of(id.index()).ok_or_else(missing)?;
                let value = |&(tile, position): &(u32, u32)| {
                    let number = self.streamed.tilings.number(id.index(), tile as usize);
                    Some((self.live.get(number)?.as_ref()?, position as usize))
                };
                let values = tiling.places.iter().map(value).collect::<Option<Vec<_>>>().ok_or_else(missing)?;
                let node = program.node(*id).ok_or_else(missing)?;
                self.backend.gather_of(&values).map_err(|source| node_error(id.index(), node, source))
            })
            .collect()
    }
}
