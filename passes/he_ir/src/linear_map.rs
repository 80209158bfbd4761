//! The one linear operation: groups of elements that meet a shared block of small integers.
//!
//! Formula: for every group and each of its rows r, `out[outputs[r]] = sum_k weights[r][k] * in[inputs[k]]`, then
//! `out[o] += bias[o]`; the integers stand for real weights times `weight_scale`.
//! Layout: a convolution has one group per output position and shares its block among them; a dense layer is one group; an
//! output that stands in no group is its bias alone.

use he_params::{Groups, Scale};

use crate::HeIrError;

/// Integer weights, row-major: one row per output, one column per input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightBlock {
    rows: usize,
    columns: usize,
    weights: Vec<i64>,
}

impl WeightBlock {
    /// A block of `rows * columns` weights.
    ///
    /// # Errors
    /// When the number of weights is another.
    pub fn new(rows: usize, columns: usize, weights: Vec<i64>) -> Result<Self, HeIrError> {
        if rows.checked_mul(columns) != Some(weights.len()) {
            return Err(HeIrError::BlockSize { rows, columns, found: weights.len() });
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
    pub fn weights(&self) -> &[i64] {
        &self.weights
    }
}

/// A linear map with integer weights and a real bias.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearMap {
    inputs: usize,
    groups: Groups,
    blocks: Vec<WeightBlock>,
    bias: Vec<f64>,
    weight_scale: Scale,
}

impl LinearMap {
    /// A checked map from `inputs` elements to `bias.len()` elements.
    ///
    /// # Errors
    /// A group that does not fit its block, an element out of range, or an output that two groups write.
    pub fn new(
        inputs: usize,
        blocks: Vec<WeightBlock>,
        groups: impl Into<Groups>,
        bias: Vec<f64>,
        weight_scale: Scale,
    ) -> Result<Self, HeIrError> {
        let groups = groups.into();
        let mut written = vec![false; bias.len()];
        for (index, group) in groups.iter().enumerate() {
            let block = blocks.get(group.block).ok_or(HeIrError::NoSuchBlock {
                group: index,
                block: group.block,
                blocks: blocks.len(),
            })?;
            if (group.outputs.len(), group.inputs.len()) != (block.rows, block.columns) {
                return Err(HeIrError::GroupShape {
                    group: index,
                    found: (group.outputs.len(), group.inputs.len()),
                    block: (block.rows, block.columns),
                });
            }
            if let Some(&element) = group.inputs.iter().find(|&&e| e as usize >= inputs) {
                return Err(HeIrError::ElementOutOfRange { group: index, element, elements: inputs });
            }
            for &element in group.outputs {
                match written.get_mut(element as usize) {
                    None => {
                        return Err(HeIrError::ElementOutOfRange { group: index, element, elements: bias.len() });
                    }
                    Some(true) => return Err(HeIrError::WrittenTwice { group: index, element }),
                    Some(flag) => *flag = true,
                }
            }
        }
        Ok(Self { inputs, groups, blocks, bias, weight_scale })
    }

    /// Number of input elements.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of output elements.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// The groups; no two write one output.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The shared blocks.
    pub fn blocks(&self) -> &[WeightBlock] {
        &self.blocks
    }

    /// What is added to each output, as a real number.
    pub fn bias(&self) -> &[f64] {
        &self.bias
    }

    /// Real weight times this, rounded, is the integer weight.
    pub fn weight_scale(&self) -> Scale {
        self.weight_scale
    }

    /// Bytes of weights, groups and bias.
    pub fn byte_len(&self) -> usize {
        let weights = self.blocks.iter().map(|block| size_of_val(&block.weights[..])).sum::<usize>();
        weights + self.groups.byte_len() + size_of_val(&self.bias[..])
    }

    /// Multiply-accumulates per slot: the sum of all groups' block sizes.
    pub fn multiply_accumulates(&self) -> u64 {
        self.groups.iter().map(|g| (g.inputs.len() * g.outputs.len()) as u64).sum()
    }

    /// Largest absolute integer weight.
    pub fn largest_weight(&self) -> u64 {
        self.blocks.iter().flat_map(|b| &b.weights).map(|w| w.unsigned_abs()).max().unwrap_or(0)
    }

    /// Largest sum of absolute integer weights over the rows: how much one output can grow.
    pub fn largest_row_sum(&self) -> u128 {
        let rows = self.blocks.iter().flat_map(|b| b.weights.chunks(b.columns.max(1)));
        rows.map(|row| row.iter().map(|w| u128::from(w.unsigned_abs())).sum()).max().unwrap_or(0)
    }

    /// Applies the map to the elements of one image, in f64: weights are the integers divided by the scale, so what comes out
    /// is what the ciphertexts carry but for noise.
    ///
    /// # Errors
    /// When `x` has another length than [`Self::inputs`].
    pub fn apply(&self, x: &[f64]) -> Result<Vec<f64>, HeIrError> {
        if x.len() != self.inputs {
            return Err(HeIrError::InputLength { found: x.len(), expected: self.inputs });
        }
        let mut out = self.bias.clone();
        for group in self.groups.iter() {
            let Some(block) = self.blocks.get(group.block) else { continue };
            let gathered: Vec<f64> = group.inputs.iter().filter_map(|&i| x.get(i as usize).copied()).collect();
            for (&o, row) in group.outputs.iter().zip(block.weights.chunks(block.columns.max(1))) {
                let sum: f64 = row.iter().zip(&gathered).map(|(&w, v)| w as f64 * v).sum();
                if let Some(slot) = out.get_mut(o as usize) {
                    *slot += sum / self.weight_scale.get();
                }
            }
        }
        Ok(out)
    }
}
