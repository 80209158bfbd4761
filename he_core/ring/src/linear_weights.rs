//! The integer weights of a linear layer, packed once for the residue matrix product.
//!
//! Layout: a layer is a list of groups; a group names its input values, its output values and a block of weights
//! `[outputs x inputs]` that many groups may share (the positions of a convolution share one block). A block is cut into
//! strips of up to [`STRIP`] outputs, so that one pass over the inputs feeds sums that stay in registers; inputs whose
//! weights are all zero in a strip are left out of it. Weights beyond [`PLANE_BITS`] bits are split into planes, balanced
//! digits in base `2^PLANE_BITS`, highest first. The weights of a plane lie `[input][output of the strip]` as `f64`.
//! Along the inputs a plane is cut into segments, within which sums of products are exact.

use std::sync::Arc;

use he_params::Groups;

use crate::RingError;

/// Outputs that one pass over the inputs computes.
pub(crate) const STRIP: usize = 6;

/// Weights of at most this magnitude, `2^PLANE_BITS`, need one plane.
pub(crate) const PLANE_BITS: u32 = 19;

/// Inputs that one segment covers: their weights and eight columns of their residues fit a first-level cache of 32 KiB.
pub(crate) const SEGMENT_INPUTS: usize = 256;

/// Magnitudes of the weights of one output that a segment may sum up, for residues below 2^30 that enter whole:
/// `(2^23 - 1) * 2^30 < 2^53`, the integers that `f64` holds.
pub(crate) const SEGMENT_SUM_U32: u64 = (1 << 23) - 1;

/// The same for larger residues, which enter as two digits of at most 2^30 in magnitude: both sums, and what is left when
/// the multiple of the prime nearest to the whole is taken off, stay within 2^51.
pub(crate) const SEGMENT_SUM_U64: u64 = (1 << 20) - 1;

/// A block of integer weights, row-major `[outputs][inputs]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightBlock {
    /// Rows.
    pub outputs: usize,
    /// Columns.
    pub inputs: usize,
    /// `outputs * inputs` weights. Magnitudes up to 2^19 are fastest; every further 19 bits cost another pass.
    pub weights: Vec<i64>,
}

/// A block of weights cut into strips, shared by the layers (or tiles of one layer) that multiply with it.
#[derive(Clone, Debug)]
pub struct PackedBlock {
    outputs: usize,
    inputs: usize,
    strips: Arc<Vec<Strip>>,
}

impl PackedBlock {
    /// Packs a block.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`].
    pub fn new(block: &WeightBlock) -> Result<Self, RingError> {
        Ok(Self { outputs: block.outputs, inputs: block.inputs, strips: Arc::new(pack(block)?) })
    }

    pub(crate) fn strips(&self) -> &[Strip] {
        &self.strips
    }

    /// Bytes held on the heap.
    pub fn byte_len(&self) -> usize {
        let plane = |plane: &Plane| {
            size_of_val(&plane.weights[..])
                + size_of_val(&plane.columns[..])
                + (plane.whole.len() + plane.digits.len()) * size_of::<usize>()
        };
        self.strips.iter().flat_map(|strip| &strip.planes).map(plane).sum()
    }
}

/// Up to [`STRIP`] outputs of a block.
#[derive(Clone, Debug)]
pub(crate) struct Strip {
    /// First row of the block.
    pub(crate) first: usize,
    /// Rows, at most [`STRIP`].
    pub(crate) rows: usize,
    /// Digits of the weights, highest first, at least one.
    pub(crate) planes: Vec<Plane>,
}

/// One digit of the weights of a strip.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    /// Columns of the block that have a weight, ascending.
    pub(crate) columns: Vec<u32>,
    /// `[column][row]`, integers of at most `2^PLANE_BITS`.
    pub(crate) weights: Vec<f64>,
    /// Ends of the segments for residues that enter whole, and for residues in two digits; the last is the number of columns.
    pub(crate) whole: Vec<usize>,
    pub(crate) digits: Vec<usize>,
}

/// The weights of one linear layer, checked and packed.
#[derive(Clone, Debug)]
pub struct LinearWeights {
    pub(crate) input_count: usize,
    pub(crate) output_count: usize,
    pub(crate) blocks: Vec<PackedBlock>,
    pub(crate) groups: Groups,
    /// Input values that some group reads.
    pub(crate) used: Vec<u32>,
    /// Output values that no group writes.
    pub(crate) alone: Vec<u32>,
}

impl LinearWeights {
    /// Packs a layer of `input_count` values in and `output_count` values out. An output of no group is zero.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`], [`RingError::WeightShape`], [`RingError::WeightIndex`],
    /// [`RingError::OutputWrittenTwice`].
    pub fn new(
        input_count: usize,
        output_count: usize,
        blocks: Vec<WeightBlock>,
        groups: impl Into<Groups>,
    ) -> Result<Self, RingError> {
        let blocks = blocks.iter().map(PackedBlock::new).collect::<Result<_, _>>()?;
        Self::from_packed(input_count, output_count, blocks, groups)
    }

    /// As [`LinearWeights::new`], of blocks that were packed before.
    ///
    /// # Errors
    /// As [`LinearWeights::new`].
    pub fn from_packed(
        input_count: usize,
        output_count: usize,
        blocks: Vec<PackedBlock>,
        groups: impl Into<Groups>,
    ) -> Result<Self, RingError> {
        let groups = groups.into();
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
        let used = numbers(&read, true);
        let alone = numbers(&written, false);
        Ok(Self { input_count, output_count, blocks, groups, used, alone })
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
        self.blocks.iter().map(PackedBlock::byte_len).sum::<usize>() + self.lists_byte_len()
    }

    /// Bytes of the lists of groups alone, where blocks are shared.
    pub fn lists_byte_len(&self) -> usize {
        self.groups.byte_len() + (self.used.len() + self.alone.len()) * size_of::<u32>()
    }

    /// Strips of all groups.
    pub(crate) fn strip_count(&self) -> usize {
        self.groups.iter().map(|g| self.blocks[g.block].strips.len()).sum()
    }

    /// Multiplications of a weight with a value.
    pub fn multiply_count(&self) -> usize {
        self.groups.iter().map(|g| g.inputs.len() * g.outputs.len()).sum()
    }
}

/// The numbers of the flags that are `wanted`.
fn numbers(flags: &[bool], wanted: bool) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(flags.iter().filter(|flag| **flag == wanted).count());
    numbers.extend((0..).zip(flags).filter(|(_, flag)| **flag == wanted).map(|(number, _)| number));
    numbers
}

/// Cuts one block into strips of nearly equal height.
fn pack(block: &WeightBlock) -> Result<Vec<Strip>, RingError> {
    let (expected, found) = (block.outputs * block.inputs, block.weights.len());
    if expected != found {
        return Err(RingError::LengthMismatch { what: "weights of a block", expected, found });
    }
    let count = block.outputs.div_ceil(STRIP);
    let bounds = (0..count).map(|i| (i * block.outputs / count, (i + 1) * block.outputs / count));
    Ok(bounds.map(|(first, end)| strip(block, first, end - first)).collect())
}

fn strip(block: &WeightBlock, first: usize, rows: usize) -> Strip {
    // What the lower planes have not taken yet, `[column][row]`.
    let at = |column: usize, row: usize| i128::from(block.weights[(first + row) * block.inputs + column]);
    let mut rest: Vec<i128> = (0..block.inputs).flat_map(|column| (0..rows).map(move |row| at(column, row))).collect();
    let mut planes = Vec::new();
    while planes.is_empty() || rest.iter().any(|w| *w != 0) {
        let digits = rest.iter_mut().map(take_digit).collect();
        planes.push(plane(digits, rows));
    }
    planes.reverse();
    Strip { first, rows, planes }
}

/// Takes the lowest digit off a weight: all of it, if it is at most `2^PLANE_BITS` in magnitude.
fn take_digit(w: &mut i128) -> i32 {
    let half = 1 << (PLANE_BITS - 1);
    let digit = if w.unsigned_abs() <= 1 << PLANE_BITS { *w } else { ((*w + half) & (2 * half - 1)) - half };
    *w = (*w - digit) >> PLANE_BITS;
    digit as i32
}

fn plane(digits: Vec<i32>, rows: usize) -> Plane {
    let used = |column: &&[i32]| column.iter().any(|digit| *digit != 0);
    let (columns, kept): (Vec<u32>, Vec<&[i32]>) =
        (0..).zip(digits.chunks_exact(rows)).filter(|(_, column)| used(column)).unzip();
    Plane {
        columns,
        weights: kept.iter().flat_map(|column| column.iter().map(|digit| f64::from(*digit))).collect(),
        whole: segments(&kept, SEGMENT_SUM_U32),
        digits: segments(&kept, SEGMENT_SUM_U64),
    }
}

/// Ends of segments of nearly equal length, at most [`SEGMENT_INPUTS`], whose magnitudes sum to at most `bound` in every row.
fn segments(columns: &[&[i32]], bound: u64) -> Vec<usize> {
    let longest = columns.len().div_ceil(columns.len().div_ceil(SEGMENT_INPUTS).max(1));
    let (mut ends, mut start, mut sums) = (Vec::new(), 0, [0u64; STRIP]);
    for (k, column) in columns.iter().enumerate() {
        let full = sums.iter().zip(*column).any(|(sum, w)| sum + u64::from(w.unsigned_abs()) > bound);
        if full || k - start == longest {
            ends.push(k);
            (start, sums) = (k, [0; STRIP]);
        }
        sums.iter_mut().zip(*column).for_each(|(sum, w)| *sum += u64::from(w.unsigned_abs()));
    }
    ends.push(columns.len());
    ends
}
