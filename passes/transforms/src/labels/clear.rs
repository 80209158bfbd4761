//! A program in `f64`: weights are its integers over their scale, and there is no noise.

use he_ir::{HeIrError, HeProgram, Op};

use crate::lowering::ClientGate;
use crate::ranges::Sample;

/// One image through a program; outputs in order. An input that the sample has not is empty.
pub(crate) fn evaluate(program: &HeProgram, inputs: &Sample) -> Result<Vec<Vec<f64>>, HeIrError> {
    let mut values: Vec<Vec<f64>> = Vec::with_capacity(program.nodes().len());
    for node in program.nodes() {
        let operand = |i: usize| node.operands().get(i).and_then(|id| values.get(id.index())).map(Vec::as_slice);
        let x = operand(0).unwrap_or_default();
        let y = operand(1).unwrap_or(x);
        let zip = |f: fn(f64, f64) -> f64| x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect();
        let value = match node.op() {
            Op::Input { name } => inputs.get(name).cloned().unwrap_or_default(),
            Op::Linear { map } => map.apply(x)?,
            Op::Add => zip(|x, y| x + y),
            Op::Sub => zip(|x, y| x - y),
            Op::Mul | Op::Square => zip(|x, y| x * y),
            Op::Negate => x.iter().map(|x| -x).collect(),
            Op::AddConstant { values } => x.iter().zip(values.iter()).map(|(x, c)| x + c).collect(),
            Op::Gather { indices, .. } => indices.iter().filter_map(|&i| x.get(i as usize).copied()).collect(),
            Op::Refresh { refresh } => {
                let all = node.operands().iter().filter_map(|id| values.get(id.index())).flatten().copied();
                let gate = ClientGate { function: refresh.function, groups: refresh.groups.clone() };
                gate.evaluate(&all.collect::<Vec<f64>>(), refresh.results())
            }
            _ => x.to_vec(),
        };
        values.push(value);
    }
    Ok(program.outputs().iter().map(|(_, id)| values.get(id.index()).cloned().unwrap_or_default()).collect())
}
