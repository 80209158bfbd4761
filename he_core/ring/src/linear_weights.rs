//! The integer weights of a linear layer, packed once for the residue matrix product.
//!
//! Layout: a layer is a list of groups; a group names its input values, its output values and a block of weights
//! `[outputs x inputs]` that many groups may share (the positions of a convolution share one block). A block is cut into
//! strips of up to [`STRIP`] outputs, weights `[input][output of the strip]`, so that one pass over the inputs feeds a
//! strip that stays in registers. Along the inputs a strip is cut into segments: within one, the magnitudes of each
//! output's weights sum to at most [`MAX_SEGMENT_SUM`], and 64-bit sums cannot overflow.

use std::sync::Arc;

use crate::RingError;

/// Outputs that one pass over the inputs computes.
pub(crate) const STRIP: usize = 6;

/// Magnitudes of weights that may be summed up against 31-bit residues (or digits) in 64 bits:
/// `2^31 * (2^31 - 1) < 2^62`, which leaves room for the offset that makes a sum positive.
pub(crate) const MAX_SEGMENT_SUM: u64 = 1 << 31;

/// Magnitudes of the weights of one output may sum to this.
pub const MAX_WEIGHT_SUM: u128 = 1 << 62;

/// A block of integer weights, row-major `[outputs][inputs]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightBlock {
    /// Rows.
    pub outputs: usize,
    /// Columns.
    pub inputs: usize,
    /// `outputs * inputs` weights; any `i64` whose rows sum to at most [`MAX_WEIGHT_SUM`] in magnitude. Weights that fit
    /// `i32` are fastest, others cost a reduction modulo each prime per product.
    pub weights: Vec<i64>,
}

/// Which values a block connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearGroup {
    /// Input values, one per column of the block; a value may be listed twice.
    pub inputs: Vec<u32>,
    /// Output values, one per row of the block.
    pub outputs: Vec<u32>,
    /// Index of the block.
    pub block: usize,
}

/// Up to [`STRIP`] outputs of a block.
#[derive(Clone, Debug)]
pub(crate) struct Strip {
    /// First row of the block.
    pub(crate) first: usize,
    /// Rows, at most [`STRIP`].
    pub(crate) rows: usize,
    /// `[input][row]`.
    pub(crate) weights: Vec<i32>,
    /// Ends of the segments, the last one is the number of inputs.
    pub(crate) segments: Vec<usize>,
}

/// A block ready for the kernels.
#[derive(Clone, Debug)]
pub(crate) enum PackedBlock {
    /// All weights fit `i32`.
    Narrow(Vec<Strip>),
    /// They do not: packed again for each prime, modulo it and centred (32-bit primes), or used as they are.
    Wide(Arc<WeightBlock>),
}

/// The weights of one linear layer, checked and packed.
#[derive(Clone, Debug)]
pub struct LinearWeights {
    pub(crate) input_count: usize,
    pub(crate) output_count: usize,
    pub(crate) blocks: Vec<PackedBlock>,
    pub(crate) groups: Vec<LinearGroup>,
    /// Input values that some group reads.
    pub(crate) used: Vec<u32>,
}

impl LinearWeights {
    /// Packs a layer of `input_count` values in and `output_count` values out. An output of no group is zero.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`], [`RingError::WeightShape`], [`RingError::WeightIndex`],
    /// [`RingError::OutputWrittenTwice`], [`RingError::WeightsTooLarge`].
    pub fn new(
        input_count: usize,
        output_count: usize,
        blocks: Vec<WeightBlock>,
        groups: Vec<LinearGroup>,
    ) -> Result<Self, RingError> {
        let mut written = vec![false; output_count];
        let mut read = vec![false; input_count];
        for (group, g) in groups.iter().enumerate() {
            let index = |what, index, count| RingError::WeightIndex { group, what, index, count };
            let block = blocks.get(g.block).ok_or_else(|| index("block", g.block, blocks.len()))?;
            if block.outputs != g.outputs.len() || block.inputs != g.inputs.len() {
                return Err(RingError::WeightShape {
                    group,
                    block: g.block,
                    outputs: block.outputs,
                    inputs: block.inputs,
                    group_outputs: g.outputs.len(),
                    group_inputs: g.inputs.len(),
                });
            }
            for input in g.inputs.iter().map(|i| *i as usize) {
                *read.get_mut(input).ok_or_else(|| index("input", input, input_count))? = true;
            }
            for output in g.outputs.iter().map(|o| *o as usize) {
                let seen = written.get_mut(output).ok_or_else(|| index("output", output, output_count))?;
                if std::mem::replace(seen, true) {
                    return Err(RingError::OutputWrittenTwice { group, output });
                }
            }
        }
        let blocks = blocks.into_iter().enumerate().map(|(i, b)| pack(i, b)).collect::<Result<_, _>>()?;
        let used = (0..).zip(&read).filter(|(_, read)| **read).map(|(i, _)| i).collect();
        Ok(Self { input_count, output_count, blocks, groups, used })
    }

    /// Values in.
    pub fn input_count(&self) -> usize {
        self.input_count
    }

    /// Values out.
    pub fn output_count(&self) -> usize {
        self.output_count
    }

    /// Bytes held on the heap: weights and the lists of groups.
    pub fn byte_len(&self) -> usize {
        let block = |block: &PackedBlock| match block {
            PackedBlock::Narrow(narrow) => narrow.iter().map(|s| size_of_val(&s.weights[..])).sum(),
            PackedBlock::Wide(block) => size_of_val(&block.weights[..]),
        };
        let weights: usize = self.blocks.iter().map(block).sum();
        let elements: usize = self.groups.iter().map(|g| g.inputs.len() + g.outputs.len()).sum();
        weights + (elements + self.used.len()) * size_of::<u32>()
    }

    /// Multiplications of a weight with a value.
    pub fn multiply_count(&self) -> usize {
        self.groups.iter().map(|g| g.inputs.len() * g.outputs.len()).sum()
    }
}

/// Checks one block and packs it.
fn pack(index: usize, block: WeightBlock) -> Result<PackedBlock, RingError> {
    let (expected, found) = (block.outputs * block.inputs, block.weights.len());
    if expected != found {
        return Err(RingError::LengthMismatch { what: "weights of a block", expected, found });
    }
    for (output, row) in block.weights.chunks_exact(block.inputs.max(1)).enumerate() {
        let sum: u128 = row.iter().map(|w| u128::from(w.unsigned_abs())).sum();
        if sum > MAX_WEIGHT_SUM {
            return Err(RingError::WeightsTooLarge { block: index, output, sum, max: MAX_WEIGHT_SUM });
        }
    }
    let narrow: Result<Vec<i32>, _> = block.weights.iter().map(|w| i32::try_from(*w)).collect();
    Ok(match narrow {
        Ok(weights) => PackedBlock::Narrow(strips(block.outputs, block.inputs, &weights)),
        Err(_) => PackedBlock::Wide(Arc::new(block)),
    })
}

/// Cuts row-major weights into strips of nearly equal height.
pub(crate) fn strips(outputs: usize, inputs: usize, weights: &[i32]) -> Vec<Strip> {
    let count = outputs.div_ceil(STRIP);
    let bounds = (0..count).map(|i| (i * outputs / count, (i + 1) * outputs / count));
    let strip = |(first, end): (usize, usize)| {
        let rows = end - first;
        let at = |row: usize, k: usize| weights[(first + row) * inputs + k];
        let packed = (0..inputs).flat_map(|k| (0..rows).map(move |row| at(row, k))).collect();
        Strip { first, rows, weights: packed, segments: segments(inputs, rows, &at) }
    };
    bounds.map(strip).collect()
}

/// Ends of the longest segments whose sums stay within [`MAX_SEGMENT_SUM`] in every row.
fn segments(inputs: usize, rows: usize, at: &impl Fn(usize, usize) -> i32) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut sums = [0u64; STRIP];
    for k in 0..inputs {
        let magnitude = |row: usize| u64::from(at(row, k).unsigned_abs());
        if (0..rows).any(|row| sums[row] + magnitude(row) > MAX_SEGMENT_SUM) {
            ends.push(k);
            sums = [0; STRIP];
        }
        (0..rows).for_each(|row| sums[row] += magnitude(row));
    }
    ends.push(inputs);
    ends
}
