//! Sums and products with constants, sign changes, batch norm: one factor and one shift per element.

use std::collections::HashMap;

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use graph::ops::BatchNorm;

use super::{NotLinear, Site, broadcast_offsets, index};

/// `out[i] = factors[i] * in[source of i] + shifts[i]`, the source by broadcasting the varying operand.
fn scaled(site: &Site<'_>, factors: &[f64], shifts: Vec<f64>) -> Result<AffineMap, NotLinear> {
    let sources = broadcast_offsets(&site.input, &site.output);
    let mut blocks = Vec::new();
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut groups = Vec::with_capacity(sources.len());
    for (output, (source, &factor)) in sources.into_iter().zip(factors).enumerate() {
        let block = match known.get(&factor.to_bits()) {
            Some(&block) => block,
            None => {
                blocks.push(AffineBlock::new(1, 1, vec![factor])?);
                known.insert(factor.to_bits(), blocks.len() - 1);
                blocks.len() - 1
            }
        };
        groups.push(AffineGroup { inputs: vec![index(source)], outputs: vec![index(output)], block });
    }
    Ok(AffineMap::new(site.inputs(), blocks, groups, shifts)?)
}

/// `left + sign * right`, one of them constant.
pub(super) fn add(site: &Site<'_>, sign: f64) -> Result<AffineMap, NotLinear> {
    let other = site.broadcast_constant(site.constant(1 - site.position)?);
    let (factor, sign) = if site.position == 0 { (1.0, sign) } else { (sign, 1.0) };
    scaled(site, &vec![factor; other.len()], other.into_iter().map(|c| sign * c).collect())
}

pub(super) fn mul(site: &Site<'_>) -> Result<AffineMap, NotLinear> {
    let factors = site.broadcast_constant(site.constant(1 - site.position)?);
    scaled(site, &factors, vec![0.0; factors.len()])
}

/// By a constant without zeros; a constant divided by a value is not linear.
pub(super) fn div(site: &Site<'_>) -> Result<AffineMap, NotLinear> {
    site.varies_at(0)?;
    let factors: Vec<f64> = site.broadcast_constant(site.constant(1)?).into_iter().map(|c| 1.0 / c).collect();
    if factors.iter().any(|factor| !factor.is_finite()) {
        return Err(site.not_linear());
    }
    scaled(site, &factors, vec![0.0; factors.len()])
}

pub(super) fn negate(site: &Site<'_>) -> Result<AffineMap, NotLinear> {
    scaled(site, &vec![-1.0; site.outputs()], vec![0.0; site.outputs()])
}

pub(super) fn batch_norm(site: &Site<'_>, op: &BatchNorm) -> Result<AffineMap, NotLinear> {
    site.varies_at(0)?;
    let [scale, shift, mean, variance] =
        [site.constant(1)?, site.constant(2)?, site.constant(3)?, site.constant(4)?].map(|tensor| tensor.data());
    let per_channel = op.factor_and_shift(scale, shift, mean, variance);
    let plane: usize = site.output.iter().skip(1).product();
    let (factors, shifts): (Vec<f64>, Vec<f64>) =
        per_channel.into_iter().flat_map(|pair| std::iter::repeat_n(pair, plane)).unzip();
    scaled(site, &factors, shifts)
}
