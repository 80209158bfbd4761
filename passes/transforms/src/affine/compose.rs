//! Two affine maps as one.
//!
//! Formula: `second(first(x)) = B (A x + a) + b = (B A) x + (B a + b)`, group by group: a group of `B` reads elements
//! that `A` computes, each a short row over inputs of `A`; the new group reads the union of those. Groups that end up
//! reading the same inputs become one, and blocks are computed once per distinct arrangement: the composition of two
//! convolutions is a handful of products again, not one per position.

use std::collections::HashMap;

use graph::ShapeError;
use graph::affine::{AffineBlock, AffineGroup, AffineMap};

/// `second` after `first`.
///
/// # Errors
/// When `second` does not take as many elements as `first` gives.
pub fn compose(first: &AffineMap, second: &AffineMap) -> Result<AffineMap, ShapeError> {
    let rows = Rows::new(first, second)?;
    let mut bias = second.bias().to_vec();
    let mut blocks: Vec<AffineBlock> = Vec::new();
    let mut groups: Vec<AffineGroup> = Vec::new();
    let mut known: HashMap<Arrangement, usize> = HashMap::new();
    let mut union = Union::new(first.inputs());
    for group in second.groups() {
        let block = second.block(group);
        for (row, &output) in group.outputs.iter().enumerate() {
            let carried = block.row(row).iter().zip(&group.inputs).map(|(w, &i)| w * first.bias()[i as usize]);
            bias[output as usize] += carried.sum::<f64>();
        }
        let inputs = union.of(&rows, group);
        if inputs.is_empty() {
            continue;
        }
        let arrangement = Arrangement {
            block: group.block,
            rows: group.inputs.iter().map(|&i| rows.source(i).map(|(g, row)| (first.groups()[g].block, row))).collect(),
            places: rows.inputs_of(group).map(|input| union.place(input)).collect(),
        };
        let block = match known.get(&arrangement) {
            Some(&block) => block,
            None => {
                blocks.push(product(&rows, block, group, &union, inputs.len())?);
                known.insert(arrangement, blocks.len() - 1);
                blocks.len() - 1
            }
        };
        groups.push(AffineGroup { inputs, outputs: group.outputs.clone(), block });
    }
    let (blocks, groups) = merge_equal_inputs(blocks, groups)?;
    AffineMap::new(first.inputs(), blocks, groups, bias)
}

/// What determines the block of a composed group.
#[derive(PartialEq, Eq, Hash)]
struct Arrangement {
    /// Block of the second map.
    block: usize,
    /// For each element read, the block and row of the first map that computes it.
    rows: Vec<Option<(usize, usize)>>,
    /// For each input of each of those rows, its place in the union.
    places: Vec<u32>,
}

/// Looks up which row of the first map computes an element.
struct Rows<'m> {
    first: &'m AffineMap,
    /// By element: group and row; none for an element that is only a bias.
    sources: Vec<Option<(u32, u32)>>,
}

impl<'m> Rows<'m> {
    fn new(first: &'m AffineMap, second: &AffineMap) -> Result<Self, ShapeError> {
        if first.outputs() != second.inputs() {
            return Err(ShapeError::Mismatch {
                what: "outputs of the first map and inputs of the second",
                left: first.outputs().to_string(),
                right: second.inputs().to_string(),
            });
        }
        let mut sources = vec![None; first.outputs()];
        for (g, group) in first.groups().iter().enumerate() {
            for (row, &output) in group.outputs.iter().enumerate() {
                // Each group computes at least one of at most 2^32 elements, so both fit.
                sources[output as usize] = Some((g as u32, row as u32));
            }
        }
        Ok(Self { first, sources })
    }

    fn source(&self, element: u32) -> Option<(usize, usize)> {
        self.sources[element as usize].map(|(group, row)| (group as usize, row as usize))
    }

    /// All inputs of the first map that a group of the second one reads through it, row by row, with repetitions.
    fn inputs_of<'a>(&'a self, group: &'a AffineGroup) -> impl Iterator<Item = u32> + 'a {
        let groups = group.inputs.iter().filter_map(|&element| self.source(element));
        groups.flat_map(|(g, _)| self.first.groups()[g].inputs.iter().copied())
    }
}

/// The distinct inputs of one group, in ascending order, and the place of each.
struct Union {
    /// By input: the round in which it was last seen, and its place then.
    seen: Vec<(u32, u32)>,
    round: u32,
}

impl Union {
    fn new(inputs: usize) -> Self {
        Self { seen: vec![(0, 0); inputs], round: 0 }
    }

    fn of(&mut self, rows: &Rows<'_>, group: &AffineGroup) -> Vec<u32> {
        self.round += 1;
        let mut inputs = Vec::new();
        let mut last_group = None;
        for (g, _) in group.inputs.iter().filter_map(|&element| rows.source(element)) {
            if last_group.replace(g) == Some(g) {
                continue;
            }
            for &input in &rows.first.groups()[g].inputs {
                let seen = &mut self.seen[input as usize];
                if seen.0 != self.round {
                    seen.0 = self.round;
                    inputs.push(input);
                }
            }
        }
        inputs.sort_unstable();
        for (place, &input) in inputs.iter().enumerate() {
            self.seen[input as usize].1 = place as u32;
        }
        inputs
    }

    fn place(&self, input: u32) -> u32 {
        self.seen[input as usize].1
    }
}

/// Weights of a composed group.
fn product(
    rows: &Rows<'_>,
    block: &AffineBlock,
    group: &AffineGroup,
    union: &Union,
    columns: usize,
) -> Result<AffineBlock, ShapeError> {
    let mut weights = vec![0.0; block.rows() * columns];
    for (k, &element) in group.inputs.iter().enumerate() {
        let Some((g, row)) = rows.source(element) else { continue };
        let source = &rows.first.groups()[g];
        let source_row = rows.first.block(source).row(row);
        for (out, block_row) in weights.chunks_mut(columns).zip(block.weights().chunks(block.columns())) {
            let factor = block_row[k];
            for (&input, &w) in source.inputs.iter().zip(source_row) {
                out[union.place(input) as usize] += factor * w;
            }
        }
    }
    AffineBlock::new(block.rows(), columns, weights)
}

/// Groups that read the same inputs become one; its block is theirs, stacked.
fn merge_equal_inputs(
    blocks: Vec<AffineBlock>,
    groups: Vec<AffineGroup>,
) -> Result<(Vec<AffineBlock>, Vec<AffineGroup>), ShapeError> {
    let mut order: Vec<Vec<usize>> = Vec::new();
    let mut by_inputs: HashMap<&[u32], usize> = HashMap::new();
    for (g, group) in groups.iter().enumerate() {
        let slot = *by_inputs.entry(&group.inputs).or_insert_with(|| {
            order.push(Vec::new());
            order.len() - 1
        });
        order[slot].push(g);
    }
    let mut merged_blocks = Vec::new();
    let mut stacks: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut merged_groups = Vec::with_capacity(order.len());
    for members in order {
        let stack: Vec<usize> = members.iter().map(|&g| groups[g].block).collect();
        let block = match stacks.get(&stack) {
            Some(&block) => block,
            None => {
                let rows = stack.iter().map(|&b| blocks[b].rows()).sum();
                let weights = stack.iter().flat_map(|&b| blocks[b].weights().iter().copied()).collect();
                merged_blocks.push(AffineBlock::new(rows, groups[members[0]].inputs.len(), weights)?);
                stacks.insert(stack, merged_blocks.len() - 1);
                merged_blocks.len() - 1
            }
        };
        merged_groups.push(AffineGroup {
            inputs: groups[members[0]].inputs.clone(),
            outputs: members.iter().flat_map(|&g| groups[g].outputs.iter().copied()).collect(),
            block,
        });
    }
    Ok((merged_blocks, merged_groups))
}
