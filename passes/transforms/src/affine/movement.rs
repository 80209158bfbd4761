//! Pad, reshape, transpose, flatten: elements move, nothing is multiplied.

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use graph::ops::{Pad, Transpose};

use super::{NotLinear, Site, index, offsets, row_major_strides};

/// Output `out` is input `input`, for each pair; all other outputs are their bias.
fn moved(site: &Site<'_>, pairs: impl Iterator<Item = (usize, usize)>, bias: Vec<f64>) -> Result<AffineMap, NotLinear> {
    let groups =
        pairs.map(|(input, output)| AffineGroup { inputs: vec![index(input)], outputs: vec![index(output)], block: 0 });
    let one = AffineBlock::new(1, 1, vec![1.0])?;
    Ok(AffineMap::new(site.inputs(), vec![one], groups.collect(), bias)?)
}

pub(super) fn identity(site: &Site<'_>) -> Result<AffineMap, NotLinear> {
    moved(site, (0..site.inputs()).map(|i| (i, i)), vec![0.0; site.outputs()])
}

pub(super) fn transpose(site: &Site<'_>, op: &Transpose) -> Result<AffineMap, NotLinear> {
    // Axis 0 is the batch and stays.
    let strides = row_major_strides(&site.input);
    let steps: Vec<usize> = op.order.iter().skip(1).map(|&axis| strides[axis - 1]).collect();
    let sources = offsets(&site.output, &steps).into_iter().enumerate();
    moved(site, sources.map(|(output, input)| (input, output)), vec![0.0; site.outputs()])
}

pub(super) fn pad(site: &Site<'_>, op: &Pad) -> Result<AffineMap, NotLinear> {
    let strides = row_major_strides(&site.output);
    let origin: usize = op.pads.iter().skip(1).zip(&strides).map(|([before, _], stride)| before * stride).sum();
    let mut bias = vec![op.value; site.outputs()];
    let targets: Vec<usize> = offsets(&site.input, &strides).into_iter().map(|offset| origin + offset).collect();
    for &target in &targets {
        bias[target] = 0.0;
    }
    moved(site, targets.into_iter().enumerate(), bias)
}
