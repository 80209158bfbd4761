//! Writes the program that a plan describes.

use std::sync::Arc;

use graph::affine::AffineMap;
use he_ir::{Group, HeIrError, HeProgramBuilder, LinearMap, Op, TypeError, ValueId, WeightBlock};
use he_params::{Level, Scale};

use super::search::Choice;
use super::{Chain, Placed, PlacementError};
use crate::PassReport;
use crate::lowering::{Circuit, CircuitNode, Gate};

pub(super) fn emit(
    circuit: &Circuit,
    chain: &Chain,
    plan: &[Choice],
    free_outputs: &[bool],
) -> Result<Placed, PlacementError> {
    let required = circuit.required_levels();
    let mut emitter = Emitter {
        builder: HeProgramBuilder::new(circuit.name.clone(), chain.q.clone()),
        chain,
        scales: chain.level_scales()?,
        report: PassReport::default(),
        origins: Vec::new(),
    };
    let mut values: Vec<ValueId> = Vec::with_capacity(circuit.nodes.len());
    for (index, node) in circuit.nodes.iter().enumerate() {
        let nominal = required[index];
        let operand_level = nominal + node.gate.levels();
        let mut operands = Vec::with_capacity(node.operands.len());
        for &operand in &node.operands {
            // A value that owes something has one reader, so it already stands where that one wants it.
            operands.push(emitter.bring_down(values[operand], required[operand], operand_level, &node.source)?);
            emitter.origins.resize(emitter.builder.len(), operand);
        }
        let raw = emitter.operation(node, nominal, &operands, free_outputs[index])?;
        values.push(emitter.settle(raw, &plan[index], node)?);
        emitter.origins.resize(emitter.builder.len(), index);
    }
    for (name, index) in &circuit.outputs {
        emitter.builder.output(name.clone(), values[*index]);
    }
    let program = emitter.builder.finish().map_err(PlacementError::Program)?;
    Ok(Placed { program, origins: emitter.origins, report: emitter.report })
}

struct Emitter<'a> {
    builder: HeProgramBuilder,
    chain: &'a Chain,
    /// S_0 first.
    scales: Vec<Scale>,
    report: PassReport,
    /// Circuit node of each value so far.
    origins: Vec<usize>,
}

impl Emitter<'_> {
    fn operation(
        &mut self,
        node: &CircuitNode,
        nominal: usize,
        operands: &[ValueId],
        is_free_output: bool,
    ) -> Result<ValueId, PlacementError> {
        let source = node.source.clone();
        let op = match (&node.gate, operands) {
            (Gate::Input { name }, _) => {
                return Ok(self.builder.input(
                    name.clone(),
                    node.shape.clone(),
                    level(nominal),
                    self.scales[nominal],
                )?);
            }
            (Gate::Linear(map), _) => {
                let &[operand] = operands else {
                    let error = TypeError::Arity { expected: 1, found: operands.len() };
                    return Err(HeIrError::Op { verb: "linear", node: source, error }.into());
                };
                let weight_scale = match self.chain.output_weight_scale {
                    Some(scale) if is_free_output => scale,
                    _ => self.chain.own_weight_scale(nominal + 1).unwrap_or(self.scales[nominal + 1]),
                };
                let map = Arc::new(quantise(map, weight_scale, &source)?);
                return Ok(self.builder.linear(map, operand, node.shape.clone(), source)?);
            }
            (Gate::Add, _) => Op::Add,
            (Gate::Sub, _) => Op::Sub,
            (Gate::Negate, _) => Op::Negate,
            (Gate::AddConstant(values), _) => Op::AddConstant { values: Arc::clone(values) },
            (Gate::Mul, _) => Op::Mul,
            (Gate::Square, _) => Op::Square,
            (Gate::Gather(indices), _) => Op::Gather { indices: Arc::clone(indices), shape: node.shape.clone() },
        };
        Ok(self.builder.push(op, operands, source)?)
    }

    /// Relinearizes, then rescales, as the plan says.
    fn settle(&mut self, mut value: ValueId, choice: &Choice, node: &CircuitNode) -> Result<ValueId, PlacementError> {
        let source = &node.source;
        if choice.handed.components < choice.raw.components {
            value = self.builder.push(Op::Relinearize, &[value], source)?;
            self.report.rewrote(source, format!("{} ciphertexts relinearized here", node.elements()));
        }
        for _ in choice.handed.owed..choice.raw.owed {
            value = self.builder.push(Op::Rescale, &[value], source)?;
        }
        if choice.handed.components == 3 {
            self.report.decline(source, "its product stays at three components through the map that follows");
        }
        Ok(value)
    }

    /// A settled value at level `from`, at level `to` and that level's scale.
    fn bring_down(&mut self, value: ValueId, from: usize, to: usize, source: &str) -> Result<ValueId, PlacementError> {
        if from == to {
            return Ok(value);
        }
        let mut value = value;
        if from > to + 1 {
            value = self.builder.push(Op::DropLevel { to: level(to + 1) }, &[value], source)?;
        }
        let weight_scale = Scale::new(self.scales[to].get() * self.chain.q[to + 1] as f64 / self.scales[from].get())?;
        let shape = self.builder.value(value).map(|v| v.shape.clone()).unwrap_or_default();
        let elements: usize = shape.iter().product();
        let weight = WeightBlock::new(1, 1, vec![integer(1.0, weight_scale, source)?])?;
        let groups = (0..elements as u32).map(|i| Group { inputs: vec![i], outputs: vec![i], block: 0 }).collect();
        let map = LinearMap::new(elements, vec![weight], groups, vec![0.0; elements], weight_scale)?;
        value = self.builder.linear(Arc::new(map), value, shape, source)?;
        Ok(self.builder.push(Op::Rescale, &[value], source)?)
    }
}

fn level(index: usize) -> Level {
    Level::new(u8::try_from(index).unwrap_or(u8::MAX))
}

/// `weight` times its scale, rounded to nearest.
fn integer(weight: f64, scale: Scale, node: &str) -> Result<i64, PlacementError> {
    let scaled = (weight * scale.get()).round();
    if scaled.abs() < 53f64.exp2() {
        Ok(scaled as i64)
    } else {
        Err(PlacementError::Weight { node: node.to_owned(), weight, scale })
    }
}

fn quantise(map: &AffineMap, weight_scale: Scale, node: &str) -> Result<LinearMap, PlacementError> {
    let mut blocks = Vec::with_capacity(map.blocks().len());
    for block in map.blocks() {
        let weights =
            block.weights().iter().map(|&w| integer(w, weight_scale, node)).collect::<Result<Vec<i64>, _>>()?;
        blocks.push(WeightBlock::new(block.rows(), block.columns(), weights)?);
    }
    let groups = map.groups().iter().map(|group| Group {
        inputs: group.inputs.clone(),
        outputs: group.outputs.clone(),
        block: group.block,
    });
    Ok(LinearMap::new(map.inputs(), blocks, groups.collect(), map.bias().to_vec(), weight_scale)?)
}
