//! Writes a program of one scale per level.

use std::sync::Arc;

use graph::affine::AffineMap;
use he_ir::{Groups, HeIrError, HeProgramBuilder, LinearMap, Op, Refresh, TypeError, ValueId, WeightBlock};
use he_params::{Level, ParamsError, Scale};

use super::quantise::{integer, quantise};
use super::search::Choice;
use super::{Chain, Levels, Placed, PlacementError};
use crate::PassReport;
use crate::lowering::{Circuit, CircuitNode, Gate};

pub(super) fn emit(
    circuit: &Circuit,
    chain: &Chain,
    levels: &Levels,
    plan: &[Choice],
    free_outputs: &[bool],
) -> Result<Placed, PlacementError> {
    let required = circuit.required_levels();
    let mut emitter = Emitter {
        builder: HeProgramBuilder::new(circuit.name.clone(), chain.q.clone()),
        chain,
        levels,
        scales: levels.scales(chain)?,
        report: PassReport::default(),
        origins: Vec::new(),
        real_weights: Vec::new(),
    };
    emitter.builder.packing(circuit.packing);
    let mut values: Vec<ValueId> = Vec::with_capacity(circuit.nodes.len());
    for (index, node) in circuit.nodes.iter().enumerate() {
        let nominal = required[index];
        let operand_level = node.gate.operand_level(nominal);
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
    let Emitter { builder, report, origins, mut real_weights, .. } = emitter;
    real_weights.resize(origins.len(), None);
    let handed = plan.iter().map(|choice| choice.handed).collect();
    Ok(Placed { program: builder.finish().map_err(PlacementError::Program)?, origins, real_weights, handed, report })
}

impl Levels {
    /// The scale of each level, S_0 first.
    ///
    /// # Errors
    /// When a scale leaves the range of `f64`: scales that are far from their primes square themselves away.
    pub(crate) fn scales(&self, chain: &Chain) -> Result<Vec<Scale>, ParamsError> {
        let mut scale = chain.input_scale;
        let mut scales = vec![scale];
        for (level, &prime) in chain.q.iter().enumerate().skip(1).rev() {
            scale = scale.times(self.weight_scale(level).unwrap_or(scale))?.over(prime)?;
            scales.push(scale);
        }
        scales.reverse();
        Ok(scales)
    }

    /// The scale of the weights of a map whose result belongs to level `nominal`; `scales` are those of all levels.
    pub(super) fn scale_of_weights(&self, scales: &[Scale], nominal: usize, is_free_output: bool) -> Scale {
        match self.output_weight_scale {
            Some(scale) if is_free_output => scale,
            _ => self.weight_scale(nominal + 1).unwrap_or(scales[nominal + 1]),
        }
    }

    fn weight_scale(&self, level: usize) -> Option<Scale> {
        self.weight_scales.get(level).copied().flatten()
    }
}

struct Emitter<'a> {
    builder: HeProgramBuilder,
    chain: &'a Chain,
    levels: &'a Levels,
    /// S_0 first.
    scales: Vec<Scale>,
    report: PassReport,
    /// Circuit node of each value so far.
    origins: Vec<usize>,
    /// Real weights of each linear map so far.
    real_weights: Vec<Option<Arc<AffineMap>>>,
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
                let weight_scale = self.levels.scale_of_weights(&self.scales, nominal, is_free_output);
                self.real_weights.resize(self.builder.len(), None);
                self.real_weights.push(Some(Arc::clone(map)));
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
            (Gate::Client(client), _) => Op::Refresh {
                refresh: Arc::new(Refresh {
                    function: client.function,
                    groups: client.groups.clone(),
                    shape: node.shape.clone(),
                    level: level(nominal),
                    scale: self.scales[nominal],
                }),
            },
        };
        Ok(self.builder.push(op, operands, source)?)
    }

    /// Relinearizes, then rescales, as the plan says.
    fn settle(&mut self, mut value: ValueId, choice: &Choice, node: &CircuitNode) -> Result<ValueId, PlacementError> {
        let source = &node.source;
        let relinearizes = choice.handed.components < choice.raw.components;
        let fuses = relinearizes && choice.handed.owed < choice.raw.owed && self.chain.fused;
        if relinearizes {
            let op = if fuses { Op::RelinearizeRescale } else { Op::Relinearize };
            value = self.builder.push(op, &[value], source)?;
            self.report.rewrote(source, format!("{} ciphertexts relinearized here", node.elements()));
        }
        for _ in choice.handed.owed + usize::from(fuses)..choice.raw.owed {
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
        let mut groups = Groups::default();
        (0..elements as u32).for_each(|i| groups.push([i], [i], 0));
        groups.shrink_to_fit();
        let map = LinearMap::new(elements, vec![weight], groups, vec![0.0; elements], weight_scale)?;
        value = self.builder.linear(Arc::new(map), value, shape, source)?;
        Ok(self.builder.push(Op::Rescale, &[value], source)?)
    }
}

fn level(index: usize) -> Level {
    Level::new(u8::try_from(index).unwrap_or(u8::MAX))
}
