//! Writes a program whose steps are given: every operation reads the one before it, at the scale and level that it has.

use std::sync::Arc;

use he_ir::{HeProgramBuilder, Op, ValueId};
use he_params::Level;

use super::quantise::quantise;
use super::{Chain, Placed, PlacementError, Step};
use crate::PassReport;
use crate::lowering::{Circuit, CircuitNode, Gate};

pub(super) fn emit(circuit: &Circuit, chain: &Chain, steps: &[Step]) -> Result<Placed, PlacementError> {
    let mut builder = HeProgramBuilder::new(circuit.name.clone(), chain.q.clone());
    let (mut origins, mut real_weights, mut report) = (Vec::new(), Vec::new(), PassReport::default());
    let mut last: Option<ValueId> = None;
    for (index, node) in circuit.nodes.iter().enumerate() {
        let refuse = |reason| PlacementError::Plan { node: node.source.clone(), op: node.gate.verb(), reason };
        let step = steps.get(index).ok_or_else(|| refuse("the plan ends before it"))?;
        let mut value = match (&node.gate, last) {
            (Gate::Input { name }, None) => {
                let level =
                    Level::with_prime_count(chain.q.len()).ok_or_else(|| refuse("the chain has no such level"))?;
                builder.input(name.clone(), node.shape.clone(), level, chain.input_scale)?
            }
            (_, Some(operand)) if node.operands.iter().all(|&x| x + 1 == index) => {
                operation(&mut builder, &mut real_weights, node, step, operand)?
            }
            _ => return Err(refuse("it does not read the operation before it and nothing else")),
        };
        let fuses = step.relinearize && step.rescales > 0 && chain.fused;
        if step.relinearize {
            let op = if fuses { Op::RelinearizeRescale } else { Op::Relinearize };
            value = builder.push(op, &[value], &node.source)?;
            report.rewrote(&node.source, format!("{} ciphertexts relinearized here", node.elements()));
        } else if builder.value(value).is_some_and(|v| v.component_count == 3) {
            report.decline(&node.source, "its product stays at three components through the operation that follows");
        }
        for _ in u8::from(fuses)..step.rescales {
            value = builder.push(Op::Rescale, &[value], &node.source)?;
        }
        origins.resize(builder.len(), index);
        real_weights.resize(builder.len(), None);
        last = Some(value);
    }
    for (name, index) in &circuit.outputs {
        let is_last = Some(index + 1) == Some(circuit.nodes.len());
        let node = || PlacementError::Plan { node: name.clone(), op: "output", reason: "it is not the last operation" };
        builder.output(name.clone(), last.filter(|_| is_last).ok_or_else(node)?);
    }
    let program = builder.finish().map_err(PlacementError::Program)?;
    Ok(Placed { program, origins, real_weights, handed: Vec::new(), report })
}

fn operation(
    builder: &mut HeProgramBuilder,
    real_weights: &mut Vec<Option<Arc<graph::affine::AffineMap>>>,
    node: &CircuitNode,
    step: &Step,
    operand: ValueId,
) -> Result<ValueId, PlacementError> {
    let source = node.source.clone();
    let op = match (&node.gate, step.weight_scale) {
        (Gate::Linear(map), Some(weight_scale)) => {
            real_weights.push(Some(Arc::clone(map)));
            let map = Arc::new(quantise(map, weight_scale, &source)?);
            return Ok(builder.linear(map, operand, node.shape.clone(), source)?);
        }
        (Gate::Negate, None) => Op::Negate,
        (Gate::AddConstant(values), None) => Op::AddConstant { values: Arc::clone(values) },
        (Gate::Mul | Gate::Square, None) => Op::Square,
        (Gate::Gather(indices), None) => Op::Gather { indices: Arc::clone(indices), shape: node.shape.clone() },
        (gate, _) => {
            let reason = "weights have a scale, and nothing else has one";
            return Err(PlacementError::Plan { node: source, op: gate.verb(), reason });
        }
    };
    Ok(builder.push(op, &[operand], source)?)
}
