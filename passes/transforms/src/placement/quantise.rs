//! Real weights as integers at a scale.

use graph::affine::AffineMap;
use he_ir::{Group, LinearMap, WeightBlock};
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
    let groups = map.groups().iter().map(|group| Group {
        inputs: group.inputs.clone(),
        outputs: group.outputs.clone(),
        block: group.block,
    });
    Ok(LinearMap::new(map.inputs(), blocks, groups.collect(), map.bias().to_vec(), weight_scale)?)
}
