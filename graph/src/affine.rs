//! Affine maps over the flattened elements of one image: `y = A x + b`, with `A` sparse and full of repetition.
//!
//! Layout: outputs fall into groups; all outputs of a group read the same inputs, and groups share weight blocks. A
//! convolution has one group per position, and a handful of blocks (one inside, some more along a clipped border); a
//! dense layer is one group with one block. This is the form in which a linear layer goes to execution: each group is
//! a small matrix product.

use crate::ShapeError;

/// `y = A x + b` over flattened elements, row-major.
///
/// Every output belongs to at most one group; one that belongs to none is its bias.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineMap {
    inputs: usize,
    groups: Vec<AffineGroup>,
    blocks: Vec<AffineBlock>,
    bias: Vec<f64>,
}

/// Outputs that read the same inputs through one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffineGroup {
    /// Elements read; as many as the block has columns, none twice.
    pub inputs: Vec<u32>,
    /// Elements computed; as many as the block has rows.
    pub outputs: Vec<u32>,
    /// Index into [`AffineMap::blocks`].
    pub block: usize,
}

/// Weights, row-major: one row per output, one column per input.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineBlock {
    rows: usize,
    columns: usize,
    weights: Vec<f64>,
}

impl AffineBlock {
    /// A block of `rows x columns` weights.
    ///
    /// # Errors
    /// When the number of weights is another.
    pub fn new(rows: usize, columns: usize, weights: Vec<f64>) -> Result<Self, ShapeError> {
        if rows.checked_mul(columns) != Some(weights.len()) {
            return Err(ShapeError::ElementCount { dims: vec![rows, columns], found: weights.len() });
        }
        Ok(Self { rows, columns, weights })
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All weights, row-major.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Weights of one output.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.weights[row * self.columns..][..self.columns]
    }
}

impl AffineMap {
    /// A checked map. `bias` has one entry per output.
    ///
    /// # Errors
    /// A group that does not fit its block, reads an element twice or out of range, or computes one that another
    /// group computes too.
    pub fn new(
        inputs: usize,
        blocks: Vec<AffineBlock>,
        groups: Vec<AffineGroup>,
        bias: Vec<f64>,
    ) -> Result<Self, ShapeError> {
        let mut written = vec![false; bias.len()];
        let mut last_reader = vec![0usize; inputs];
        for (g, group) in groups.iter().enumerate() {
            let Some(block) = blocks.get(group.block) else {
                return Err(ShapeError::mismatch("block of a group and number of blocks", group.block, blocks.len()));
            };
            if group.inputs.len() != block.columns {
                return Err(ShapeError::mismatch("inputs of a group and columns", group.inputs.len(), block.columns));
            }
            if group.outputs.len() != block.rows {
                return Err(ShapeError::mismatch("outputs of a group and rows", group.outputs.len(), block.rows));
            }
            for &input in &group.inputs {
                match last_reader.get_mut(input as usize) {
                    Some(reader) if *reader == g + 1 => {
                        return Err(ShapeError::mismatch("a group reads one element twice", g, input));
                    }
                    Some(reader) => *reader = g + 1,
                    None => {
                        return Err(ShapeError::mismatch("input read and number of inputs", input, inputs));
                    }
                }
            }
            for &output in &group.outputs {
                match written.get_mut(output as usize) {
                    Some(true) => {
                        return Err(ShapeError::mismatch("two groups compute one element", g, output));
                    }
                    Some(written) => *written = true,
                    None => {
                        return Err(ShapeError::mismatch("output computed and number of outputs", output, bias.len()));
                    }
                }
            }
        }
        Ok(Self { inputs, groups, blocks, bias })
    }

    /// Number of elements read from.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of elements computed.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// All groups.
    pub fn groups(&self) -> &[AffineGroup] {
        &self.groups
    }

    /// All blocks; groups name them by index.
    pub fn blocks(&self) -> &[AffineBlock] {
        &self.blocks
    }

    /// The block of a group of this map.
    pub fn block(&self, group: &AffineGroup) -> &AffineBlock {
        &self.blocks[group.block]
    }

    /// What is added to each output.
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// Multiplications for one image: the cost of the map.
    pub fn multiplications(&self) -> usize {
        self.groups.iter().map(|group| group.inputs.len() * group.outputs.len()).sum()
    }

    /// Applies the map to one image: `inputs()` elements in, `outputs()` elements out.
    ///
    /// # Errors
    /// When `x` or `y` has another length.
    pub fn apply_into(&self, x: &[f64], y: &mut [f64]) -> Result<(), ShapeError> {
        if x.len() != self.inputs {
            return Err(ShapeError::mismatch("elements given and inputs", x.len(), self.inputs));
        }
        if y.len() != self.bias.len() {
            return Err(ShapeError::mismatch("elements to fill and outputs", y.len(), self.bias.len()));
        }
        y.copy_from_slice(&self.bias);
        let mut seen = Vec::new();
        for group in &self.groups {
            let block = self.block(group);
            seen.clear();
            seen.extend(group.inputs.iter().map(|&input| x[input as usize]));
            for (row, &output) in group.outputs.iter().enumerate() {
                let sum: f64 = block.row(row).iter().zip(&seen).map(|(w, x)| w * x).sum();
                y[output as usize] += sum;
            }
        }
        Ok(())
    }

    /// Applies the map to one image.
    ///
    /// # Errors
    /// When `x` has another length than `inputs()`.
    pub fn apply(&self, x: &[f64]) -> Result<Vec<f64>, ShapeError> {
        let mut y = vec![0.0; self.outputs()];
        self.apply_into(x, &mut y)?;
        Ok(y)
    }
}
