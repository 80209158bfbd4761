//! Real weights as integers at a scale.

use graph::affine::AffineMap;
use he_ir::{Groups, LinearMap, WeightBlock};
use he_params::Scale;

use super::PlacementError;

/// `weight` times its scale, rounded to nearest.
pub(super) fn integer(weight: f64, scale: Scale, node: &str) -> Result<i64, PlacementError> {
    let scaled = (weight * scale.get()).round();
    if scaled.abs() < 53f64.exp2() {
        Ok(scaled as i64)
    } else {
        Err(PlacementError::Weight { node: node.to_owned(), weight, scale })
    }
}

pub(super) fn quantise(map: &AffineMap, weight_scale: Scale, node: &str) -> Result<LinearMap, PlacementError> {
    let mut blocks = Vec::with_capacity(map.blocks().len());
    for block in map.blocks() {
        let weights =
            block.weights().iter().map(|&w| integer(w, weight_scale, node)).collect::<Result<Vec<i64>, _>>()?;
        blocks.push(WeightBlock::new(block.rows(), block.columns(), weights)?);
    }
    let mut groups = Groups::default();
    for group in map.groups() {
        groups.push(group.inputs.iter().copied(), group.outputs.iter().copied(), group.block);
    }
    groups.shrink_to_fit();
    Ok(LinearMap::new(map.inputs(), blocks, groups, map.bias().to_vec(), weight_scale)?)
}
