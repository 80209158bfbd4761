//! Matrix products with a constant.

use graph::Tensor;
use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use graph::ops::Gemm;

use super::{NotLinear, Site, along, broadcast_offsets, index, per_image};

/// `[.., M, K] x [.., K, N]`, leading axes broadcast; either operand may be the one that varies.
pub(super) fn matmul(site: &Site<'_>) -> Result<AffineMap, NotLinear> {
    let constant = site.constant(1 - site.position)?;
    if site.position == 0 { rows_times_constant(site, constant) } else { constant_times_columns(site, constant) }
}

/// The varying operand on the left: every row of an image is multiplied by a constant matrix.
fn rows_times_constant(site: &Site<'_>, constant: &Tensor) -> Result<AffineMap, NotLinear> {
    let (constant_lead, matrix) = constant.dims().split_at(constant.dims().len() - 2);
    let (inner, columns) = (matrix[0], matrix[1]);
    let blocks = constant.data().chunks(inner * columns).map(|matrix| transposed(matrix, inner, columns, 1.0));
    let blocks = blocks.collect::<Result<Vec<_>, _>>()?;

    // One entry per row of an output image; for `[batch, K]` the only row is the image itself.
    let lead = &site.output[..site.output.len() - 1];
    let input_lead = &site.input[..site.input.len() - 1];
    let rows = broadcast_offsets(input_lead, lead);
    // Which constant matrix a row meets: the constant has no axis for rows, so put one of extent 1 there.
    let mut matrices: Vec<usize> = constant_lead.to_vec();
    if !lead.is_empty() {
        matrices.push(1);
    }
    let skip = matrices.len().saturating_sub(lead.len());
    let which = broadcast_offsets(&matrices[skip..], lead);
    let groups = rows.into_iter().zip(which).enumerate().map(|(row, (input, block))| AffineGroup {
        inputs: (0..inner).map(|k| index(input * inner + k)).collect(),
        outputs: (0..columns).map(|n| index(row * columns + n)).collect(),
        block,
    });
    Ok(AffineMap::new(site.inputs(), blocks, groups.collect(), vec![0.0; site.outputs()])?)
}

/// The varying operand on the right: a constant matrix is multiplied by every column of an image.
fn constant_times_columns(site: &Site<'_>, constant: &Tensor) -> Result<AffineMap, NotLinear> {
    let (constant_lead, matrix) = constant.dims().split_at(constant.dims().len() - 2);
    let (rows, inner) = (matrix[0], matrix[1]);
    // `[batch, .., K, N]`: the batch is a leading axis, so an image still has two axes.
    let [.., _, columns] = *site.output.as_slice() else { return Err(site.not_linear()) };
    if site.output.len() < 2 || site.input.len() < 2 {
        return Err(site.not_linear());
    }
    let blocks = constant.data().chunks(rows * inner).map(|matrix| AffineBlock::new(rows, inner, matrix.to_vec()));
    let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
    let lead = &site.output[..site.output.len() - 2];
    let skip = constant_lead.len().saturating_sub(lead.len());
    let which = broadcast_offsets(&constant_lead[skip..], lead);
    let inputs = broadcast_offsets(&site.input[..site.input.len() - 2], lead);
    let mut groups = Vec::new();
    for (matrix, (block, input)) in which.into_iter().zip(inputs).enumerate() {
        groups.extend((0..columns).map(|n| AffineGroup {
            inputs: (0..inner).map(|k| index((input * inner + k) * columns + n)).collect(),
            outputs: (0..rows).map(|m| index((matrix * rows + m) * columns + n)).collect(),
            block,
        }));
    }
    Ok(AffineMap::new(site.inputs(), blocks, groups, vec![0.0; site.outputs()])?)
}

pub(super) fn gemm(site: &Site<'_>, op: &Gemm) -> Result<AffineMap, NotLinear> {
    site.varies_at(0)?;
    let weights = site.constant(1)?;
    let (inner, columns) = (site.inputs(), site.outputs());
    let block = if op.transposed {
        AffineBlock::new(columns, inner, weights.data().iter().map(|w| op.alpha * w).collect())?
    } else {
        transposed(weights.data(), inner, columns, op.alpha)?
    };
    let bias = match site.optional(2)? {
        Some(bias) => site.broadcast_constant(bias).into_iter().map(|b| op.beta * b).collect(),
        None => vec![0.0; columns],
    };
    let all =
        AffineGroup { inputs: (0..inner).map(index).collect(), outputs: (0..columns).map(index).collect(), block: 0 };
    Ok(AffineMap::new(inner, vec![block], vec![all], bias)?)
}

/// The block of `x W` for `W` of extents `[inner, columns]`: its rows are the columns of `W`, times `factor`.
fn transposed(weights: &[f64], inner: usize, columns: usize, factor: f64) -> Result<AffineBlock, NotLinear> {
    let mut block = Vec::with_capacity(inner * columns);
    for column in 0..columns {
        block.extend((0..inner).map(|k| factor * weights[k * columns + column]));
    }
    Ok(AffineBlock::new(columns, inner, block)?)
}

/// Sums, or means, of what falls together when axes go.
pub(super) fn reduced(site: &Site<'_>, axes: &[usize], mean: bool) -> Result<AffineMap, NotLinear> {
    let sets = along(&site.input, &per_image(axes));
    let seen = sets.first().map_or(0, Vec::len);
    let weight = if mean { 1.0 / seen as f64 } else { 1.0 };
    let block = AffineBlock::new(1, seen, vec![weight; seen])?;
    let group = |(o, inputs)| AffineGroup { inputs, outputs: vec![index(o)], block: 0 };
    let groups = sets.into_iter().enumerate().map(group).collect();
    Ok(AffineMap::new(site.inputs(), vec![block], groups, vec![0.0; site.outputs()])?)
}
