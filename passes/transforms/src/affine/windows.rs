//! Convolution and average pooling: one group per window position, blocks shared among equally clipped windows.

use std::collections::HashMap;

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use graph::ops::window::Tap;
use graph::ops::{AveragePool, Conv};

use super::{NotLinear, Site, index};

pub(super) fn conv(site: &Site<'_>, op: &Conv) -> Result<AffineMap, NotLinear> {
    site.varies_at(0)?;
    let weights = site.constant(1)?;
    let bias = site.optional(2)?;
    let (maps, seen) = (weights.dims()[0], weights.dims()[1]);
    let maps_per_group = maps / op.groups;
    let spatial = &site.input[1..];
    let pixels: usize = spatial.iter().product();
    let positions: usize = site.output[1..].iter().product();
    let window = op.window(weights.dims());
    let kernel = window.taps();

    let mut blocks: Vec<Vec<f64>> = Vec::new();
    // Clipping of the window -> its first block; one block per channel group follows.
    let mut clippings: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut groups = Vec::with_capacity(positions * op.groups);
    window.for_each_position(spatial, |position, taps| {
        if taps.is_empty() {
            return;
        }
        let clipping: Vec<usize> = taps.iter().map(|tap| tap.kernel).collect();
        let first_block = *clippings.entry(clipping).or_insert_with(|| {
            let first = blocks.len();
            for group in 0..op.groups {
                let rows = group * maps_per_group..(group + 1) * maps_per_group;
                let planes = rows.flat_map(|map| (0..seen).map(move |channel| (map * seen + channel) * kernel));
                let weights = planes.flat_map(|plane| taps.iter().map(move |tap| weights.data()[plane + tap.kernel]));
                blocks.push(weights.collect());
            }
            first
        });
        for group in 0..op.groups {
            let channels = group * seen..(group + 1) * seen;
            let rows = group * maps_per_group..(group + 1) * maps_per_group;
            groups.push(AffineGroup {
                inputs: channels.flat_map(|c| taps.iter().map(move |tap| index(c * pixels + tap.input))).collect(),
                outputs: rows.map(|map| index(map * positions + position)).collect(),
                block: first_block + group,
            });
        }
    })?;
    let blocks = blocks
        .into_iter()
        .map(|weights| AffineBlock::new(maps_per_group, weights.len() / maps_per_group, weights))
        .collect::<Result<Vec<_>, _>>()?;
    let bias = (0..maps).flat_map(|map| std::iter::repeat_n(bias.map_or(0.0, |bias| bias.data()[map]), positions));
    Ok(AffineMap::new(site.inputs(), blocks, groups, bias.collect())?)
}

pub(super) fn average_pool(site: &Site<'_>, op: &AveragePool) -> Result<AffineMap, NotLinear> {
    let (channels, spatial) = (site.input[0], &site.input[1..]);
    let pixels: usize = spatial.iter().product();
    let positions: usize = site.output[1..].iter().product();
    let mut blocks: Vec<Vec<f64>> = Vec::new();
    // Elements seen -> block.
    let mut known: HashMap<usize, usize> = HashMap::new();
    let mut groups = Vec::with_capacity(positions * channels);
    op.window.for_each_position(spatial, |position, taps: &[Tap]| {
        if taps.is_empty() {
            return;
        }
        let block = *known.entry(taps.len()).or_insert_with(|| {
            blocks.push(vec![1.0 / op.divisor(taps.len()); taps.len()]);
            blocks.len() - 1
        });
        groups.extend((0..channels).map(|channel| AffineGroup {
            inputs: taps.iter().map(|tap| index(channel * pixels + tap.input)).collect(),
            outputs: vec![index(channel * positions + position)],
            block,
        }));
    })?;
    let blocks =
        blocks.into_iter().map(|weights| AffineBlock::new(1, weights.len(), weights)).collect::<Result<Vec<_>, _>>()?;
    Ok(AffineMap::new(site.inputs(), blocks, groups, vec![0.0; site.outputs()])?)
}
