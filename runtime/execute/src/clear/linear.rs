//! Weighted sums of rows of numbers.
//!
//! Formula: `out[o] = (sum_k w[o][k] * x[k]) / weight_scale + bias[o]`, the sum from the first column to the last: the same numbers as
//! [`LinearMap::apply`] image by image. Images are taken [`TILE`] at a time so that a tile of all elements stays in cache.

use std::sync::Arc;

use he_ir::{Groups, LinearMap};
use he_params::Scale;
use rayon::prelude::*;

use crate::Batch;

/// Images that one task computes.
const TILE: usize = 128;

/// A linear map with its integers as `f64`.
#[derive(Debug)]
pub struct ClearWeights {
    blocks: Vec<Arc<Vec<f64>>>,
    groups: Groups,
    bias: Vec<f64>,
    inputs: usize,
    pub(super) scale: Scale,
}

impl ClearWeights {
    pub(super) fn new(map: &LinearMap) -> Self {
        let floats = |block: &he_ir::WeightBlock| Arc::new(block.weights().iter().map(|&w| w as f64).collect());
        Self {
            blocks: map.blocks().iter().map(floats).collect(),
            groups: map.groups().clone(),
            bias: map.bias().to_vec(),
            inputs: map.inputs(),
            scale: map.weight_scale(),
        }
    }

    /// Weights of a tile, over blocks that other tiles share.
    pub(super) fn of_tile(
        inputs: usize,
        blocks: Vec<Arc<Vec<f64>>>,
        groups: Groups,
        bias: Vec<f64>,
        scale: Scale,
    ) -> Self {
        Self { blocks, groups, bias, inputs, scale }
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| size_of_val(&block[..])).sum::<usize>() + self.list_bytes()
    }

    /// Bytes beside those of blocks.
    pub(super) fn list_bytes(&self) -> usize {
        size_of_val(&self.bias[..]) + self.groups.byte_len()
    }

    /// Number of input elements.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    pub(super) fn apply(&self, x: &Batch) -> Batch {
        let images = x.images();
        let mut out = Batch::zero(self.bias.len(), images);
        let starts: Vec<usize> = (0..images).step_by(TILE).collect();
        let tiles: Vec<Vec<f64>> =
            starts.par_iter().map(|&start| self.tile(x, start, TILE.min(images - start))).collect();
        for (o, row) in out.values_mut().chunks_exact_mut(images.max(1)).enumerate() {
            for (part, tile) in row.chunks_mut(TILE).zip(&tiles) {
                let width = part.len();
                if let Some(from) = tile.get(o * width..(o + 1) * width) {
                    part.copy_from_slice(from);
                }
            }
        }
        out
    }

    /// Images `start..start + width` of every output, `[output][image]`.
    fn tile(&self, x: &Batch, start: usize, width: usize) -> Vec<f64> {
        let mut out = vec![0.0; self.bias.len() * width];
        for group in self.groups.iter() {
            let Some(block) = self.blocks.get(group.block) else { continue };
            for (&o, weights) in group.outputs.iter().zip(block.chunks(group.inputs.len().max(1))) {
                let Some(acc) = out.get_mut(o as usize * width..(o as usize + 1) * width) else { continue };
                for (&w, &k) in weights.iter().zip(group.inputs) {
                    let row = x.row(k as usize).get(start..start + width).unwrap_or_default();
                    acc.iter_mut().zip(row).for_each(|(a, v)| *a += w * v);
                }
            }
        }
        for (row, bias) in out.chunks_exact_mut(width).zip(&self.bias) {
            row.iter_mut().for_each(|v| *v = *v / self.scale.get() + bias);
        }
        out
    }
}
