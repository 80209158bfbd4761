//! A batch of CryptoNets in parts: where its time goes, and the work that the processor's limits are held against.

use anyhow::Context;
use he_ckks::CkksContext;
use he_ir::{CipherType, Op};
use he_ring::Isa;

use super::Setting;
use super::anatomy::{Anatomy, REST, UNIFORM_HALF};
use super::cryptonets::{Part, Result};
use super::scheme::Operation;
use crate::cryptonets::Task;
use crate::limit::{Work, bits, product_multiplies, word_bytes};
use crate::parts::Profile;

/// Where the time of a batch goes: the server's as its nodes took it in the last round, the client's by what one encryption
/// and one decryption are made of.
pub(super) fn parts(
    setting: &Setting,
    task: &Task,
    henge: &Result,
    part: Part,
    us: f64,
) -> anyhow::Result<Vec<crate::parts::Part>> {
    let program = &task.compiled.program;
    let elements = |values: &mut dyn Iterator<Item = usize>| values.sum::<usize>() as f64 / setting.threads as f64;
    let inputs = elements(&mut program.inputs().map(|(_, _, value)| value.elements()));
    let outputs = program.outputs().iter().filter_map(|(_, id)| program.node(*id));
    let outputs = elements(&mut outputs.map(|node| node.value().elements()));
    let Some(client) = &henge.client else { return Ok(Vec::new()) };
    let mut profile = Profile::default();
    if part == Part::Client {
        for (of_one, count) in client.iter().zip([inputs, outputs]) {
            profile.extend(of_one.clone().times(count));
        }
        return Ok(profile.of(us, REST));
    }
    // The first node of all draws the halves of the inputs that came as seeds: as long as the client took for it.
    let mut drawing = inputs * client.first().map_or(0.0, |of_one| of_one.us(UNIFORM_HALF));
    let all: f64 = henge.nodes.iter().map(|node| node.duration.as_secs_f64()).sum();
    for node in henge.nodes.iter().filter(|node| node.duration.as_secs_f64() > 0.005 * all) {
        let mut node_us = node.duration.as_secs_f64() / all * us;
        let layer = if node.layer.is_empty() { String::new() } else { format!(" ({})", node.layer) };
        if node.verb == "linear" && drawing > 0.0 {
            profile.add(format!("drawing the seeds' halves{layer}"), drawing.min(node_us));
            node_us -= drawing.min(node_us);
            drawing = 0.0;
        }
        profile.add(format!("{}{layer}, {} ciphertexts", node.verb, node.elements), node_us);
    }
    Ok(profile.of(us, REST))
}

/// The parts of encrypting one input, and of decrypting one output, on one thread.
pub(super) fn client(setting: &Setting, task: &Task, context: &CkksContext) -> anyhow::Result<[Profile; 2]> {
    let program = &task.compiled.program;
    let (_, _, input) = program.inputs().next().context("the program has no input")?;
    let output =
        program.outputs().first().and_then(|(_, id)| program.node(*id)).context("the program has no output")?;
    let at = |level, operation| Anatomy::new(context, level, &setting.plan)?.of(operation);
    Ok([
        at(input.level, Operation::EncodeEncryptSymmetric)?,
        at(output.value().level, Operation::DecryptDecode)?.named("decryption, "),
    ])
}

/// The work of a whole batch.
pub(super) fn work(task: &Task, part: Part, isa: Isa) -> Work {
    let (params, program) = (&task.compiled.params, &task.compiled.program);
    let one = |operation: Operation, value: &CipherType| operation.work(params.q_at(value.level), params, isa);
    if part == Part::Client {
        let inputs = program.inputs().map(|(_, _, value)| (Operation::EncodeEncryptSymmetric, value));
        let outputs = program.outputs().iter().filter_map(|(_, id)| program.node(*id));
        let outputs = outputs.map(|node| (Operation::DecryptDecode, node.value()));
        return inputs.chain(outputs).map(|(does, value)| one(does, value).times(value.elements() as f64)).sum();
    }
    let bytes = |value: &CipherType| {
        let row: f64 = params.q_at(value.level).iter().map(|q| params.n() as f64 * word_bytes(*q)).sum();
        row * (value.component_count * value.elements()) as f64
    };
    let of = |node: &he_ir::Node| {
        let result = node.value();
        let Some(operand) = node.operands().first().and_then(|id| program.node(*id)) else {
            return Work { multiplies: 0.0, bytes: bytes(result) };
        };
        let (operand, count) = (operand.value(), operand.value().elements() as f64);
        match node.op() {
            Op::Linear { map } => {
                let weights: usize = map.groups().iter().map(|group| map.blocks()[group.block].weights().len()).sum();
                let each = |q: &u64| product_multiplies(isa, params.n(), bits(*q));
                let each: f64 = params.q_at(result.level).iter().map(each).sum();
                let multiplies = (weights * result.component_count) as f64 * each;
                Work { multiplies, bytes: bytes(operand) + bytes(result) }
            }
            Op::Square => one(Operation::Square, operand).times(count),
            Op::Relinearize => one(Operation::Relinearize, operand).times(count),
            Op::RelinearizeRescale => one(Operation::RelinearizeRescale, operand).times(count),
            Op::Rescale => one(Operation::Rescale, operand).times(count * operand.component_count as f64 / 2.0),
            _ => Work { multiplies: 0.0, bytes: bytes(operand) + bytes(result) },
        }
    };
    program.nodes().iter().map(of).sum()
}
