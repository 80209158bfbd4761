//! What a whole program costs: work per operation, live bytes, bytes on the wire.

use he_ir::{CipherType, HeProgram, Node, Op};

use super::{Words, Work, planes};

/// Bytes of a program's ciphertexts and keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bytes {
    /// Encrypted inputs on the wire, seed in place of the uniform half.
    pub inputs: u64,
    /// Encrypted outputs on the wire.
    pub outputs: u64,
    /// Relinearization key in memory, Shoup or Montgomery companions not counted; 0 when none is needed.
    pub keys: u64,
    /// Largest sum of ciphertext tensors that are held at one time, keys and packed weights included; of whole tensors, unless
    /// [`crate::explain::Explain::in_tiles`] said otherwise.
    pub peak: u64,
}

/// Work of one operation.
pub fn node_work(program: &HeProgram, node: &Node, words: &Words) -> Work {
    let value = node.value();
    let operand = node.operands().first().and_then(|&id| program.node(id)).map_or(value, Node::value);
    let (elements, primes) = (value.elements() as u64, operand.level.prime_count());
    let components = operand.component_count as u64;
    match node.op() {
        Op::Input { .. } => words.expand(primes, elements),
        Op::Refresh { .. } => words.expand(value.level.prime_count(), elements),
        Op::Linear { map } => {
            let rows = map.groups().iter().map(|g| (g.inputs.len() + g.outputs.len()) as u64).sum();
            let passes = planes((map.largest_weight() as f64).log2());
            words.linear(primes, operand.component_count, passes * map.multiply_accumulates(), rows)
        }
        Op::Square => words.element_wise(primes, 5 * elements),
        Op::Mul => words.element_wise(primes, 7 * elements),
        Op::Add | Op::Sub => words.element_wise(primes, 3 * components * elements),
        Op::Negate => words.element_wise(primes, 2 * components * elements),
        Op::AddConstant { .. } => words.element_wise(primes, 2 * elements),
        Op::Relinearize => words.relinearize(primes, elements),
        Op::Rescale => words.rescale(primes, operand.component_count, elements),
        Op::RelinearizeRescale => words.relinearize_rescale(primes, elements),
        Op::DropLevel { .. } | Op::Gather { .. } => {
            words.element_wise(value.level.prime_count(), 2 * components * elements)
        }
        _ => Work::default(),
    }
}

/// Bytes of a program at ring degree `n`; `q_all` ciphertext primes stand in keys.
pub fn program_bytes(program: &HeProgram, words: &Words, n: usize, q_all: usize) -> Bytes {
    let size = |value: &CipherType| bytes_over(value, value.level.prime_count(), words, n);
    let needs_key = program.nodes().iter().any(|node| node.op().relinearizes());
    // One digit per ciphertext prime, two polynomials each, over all primes.
    let keys = if needs_key { 2 * q_all as u64 * words.key_row_bytes(q_all, n) } else { 0 };
    let weights: u64 = program.nodes().iter().map(|node| weight_bytes(node.op())).sum();
    let outputs = program.outputs().iter().filter_map(|(_, id)| program.node(*id));
    Bytes {
        inputs: program.inputs().map(|(_, _, value)| size(value) / 2).sum(),
        outputs: outputs.map(|node| size(node.value())).sum(),
        keys,
        peak: tensor_peak(program, words, n) + keys + weights,
    }
}

/// Bytes of a value over its first `primes` primes.
fn bytes_over(value: &CipherType, primes: usize, words: &Words, n: usize) -> u64 {
    words.row_bytes(primes, n) * (value.elements() * value.component_count) as u64
}

/// The most that tensors hold at one time. Inputs arrive as seeds and half a ciphertext; a linear map frees an operand that nobody reads again prime by
/// prime as it goes; a square that one linear map reads, and nobody else, is made on the way and never held.
fn tensor_peak(program: &HeProgram, words: &Words, n: usize) -> u64 {
    let nodes = program.nodes();
    let mut last = program.last_uses();
    let readers = |id: usize| nodes.iter().filter(move |node| node.operands().iter().any(|x| x.index() == id));
    let is_output = |id: usize| program.outputs().iter().any(|(_, x)| x.index() == id);
    let made_on_the_way: Vec<bool> = (0..nodes.len())
        .map(|id| {
            let only_linear =
                readers(id).all(|node| matches!(node.op(), Op::Linear { .. })) && readers(id).count() == 1;
            matches!(nodes[id].op(), Op::Square) && only_linear && !is_output(id)
        })
        .collect();
    // Whoever reads such a square reads what is squared.
    for id in (0..nodes.len()).filter(|&id| made_on_the_way[id]) {
        if let Some(operand) = nodes[id].operands().first() {
            let reader = last[id];
            last[operand.index()] = last[operand.index()].max(reader);
        }
    }
    let over = |id: usize, primes: usize| match nodes[id].op() {
        _ if made_on_the_way[id] => 0,
        Op::Input { .. } => bytes_over(nodes[id].value(), primes, words, n) / 2,
        _ => bytes_over(nodes[id].value(), primes, words, n),
    };
    let whole = |id: usize| over(id, nodes[id].value().level.prime_count());
    let inputs: u64 = program.inputs().map(|(_, id, _)| whole(id.index())).sum();
    let (mut held, mut peak) = (inputs, inputs);
    for (index, node) in nodes.iter().enumerate() {
        let read = node.operands().first().map(|x| x.index());
        let read = read.map(|x| if made_on_the_way[x] { nodes[x].operands()[0].index() } else { x });
        let result = if matches!(node.op(), Op::Input { .. }) { 0 } else { whole(index) };
        let freed: u64 = (0..index).filter(|&x| last[x] == index).map(whole).sum();
        let growth = match (node.op(), read) {
            (Op::Linear { .. }, Some(x)) if last[x] == index => {
                let primes = 1..=node.value().level.prime_count();
                primes.map(|k| over(index, k).saturating_sub(over(x, k - 1))).max().unwrap_or(result)
            }
            (Op::Add | Op::Sub | Op::Negate | Op::AddConstant { .. } | Op::Rescale | Op::DropLevel { .. }, Some(x))
                if last[x] == index =>
            {
                result.saturating_sub(whole(x))
            }
            _ => result,
        };
        peak = peak.max(held + growth);
        held = (held + result).saturating_sub(freed);
    }
    peak
}

fn weight_bytes(op: &Op) -> u64 {
    match op {
        Op::Linear { map } => map.blocks().iter().map(|b| b.weights().len() as u64 * 8).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use he_ir::{Group, HeProgramBuilder, LinearMap, WeightBlock};
    use he_params::{Level, Scale};

    use super::*;

    /// Four values summed to one, squared, relinearized; three 30-bit primes and a special one.
    fn program() -> (HeProgram, Words) {
        let q = [1073643521, 1073479681, 1073430529];
        let mut b = HeProgramBuilder::new("p", q.to_vec());
        let x = b.input("x", vec![4], Level::new(2), Scale::from_log2(28.0).unwrap()).unwrap();
        let block = WeightBlock::new(1, 4, vec![1; 4]).unwrap();
        let groups = vec![Group { inputs: vec![0, 1, 2, 3], outputs: vec![0], block: 0 }];
        let map = LinearMap::new(4, vec![block], groups, vec![0.0], Scale::ONE).unwrap();
        let y = b.linear(Arc::new(map), x, vec![1], "sum").unwrap();
        let y = b.push(Op::Square, &[y], "square").unwrap();
        let y = b.push(Op::Relinearize, &[y], "square").unwrap();
        let y = b.push(Op::Rescale, &[y], "square").unwrap();
        b.output("y", y);
        (b.finish().unwrap(), Words::new(&q, &[1073692673]))
    }

    #[test]
    fn work_is_that_of_each_operation_at_its_operands_level() {
        let (program, words) = program();
        let work: Vec<Work> = program.nodes().iter().map(|node| node_work(&program, node, &words)).collect();
        assert_eq!((work[0].row_samples, work[0].row_passes), ([4 * 3, 0, 0], [2 * 4 * 3, 0, 0]));
        assert_eq!(work[1].row_multiply_accumulates, [4 * 2 * 3, 0, 0]);
        assert_eq!(work[2], words.element_wise(3, 5));
        assert_eq!(work[3], words.relinearize(3, 1));
        assert_eq!(work[4].transforms, [2 * 3, 0, 0]);
    }

    #[test]
    fn bytes_count_what_lives_at_once() {
        let (program, words) = program();
        let row = 4 * 8192;
        let bytes = program_bytes(&program, &words, 8192, 3);
        assert_eq!(bytes.inputs, 4 * 3 * row);
        assert_eq!(bytes.outputs, 2 * 2 * row);
        assert_eq!(bytes.keys, 3 * 2 * 4 * row);
        // The square (3 rows) and what it is relinearized to (2 rows), three primes each: more than the input as seeds (4 rows) with one prime of
        // the sum (2 rows). Keys and four weights always.
        assert_eq!(bytes.peak, 15 * row + bytes.keys + 4 * 8);
    }
}
