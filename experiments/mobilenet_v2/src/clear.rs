//! What a network says in the clear: the reference interpreter on the model as it was read.

use std::time::Instant;

use graph::interpret;
use serde::Serialize;

use crate::model::Model;

/// Outputs of all images, and how often they are right.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Clear {
    pub(crate) images: usize,
    /// Seconds for all images.
    pub(crate) seconds: f64,
    /// Images whose class the network knows.
    pub(crate) labelled: usize,
    /// Of these, how many have their class at the top.
    pub(crate) top_1: usize,
    /// Of these, how many have their class among the five largest.
    pub(crate) top_5: usize,
    /// The largest output of each image and by how much it leads.
    pub(crate) predictions: Vec<(usize, f64)>,
    #[serde(skip)]
    pub(crate) outputs: Vec<f64>,
}

/// Runs every image. Convolutions run on the caller's rayon pool.
pub(crate) fn run(model: &Model) -> anyhow::Result<Clear> {
    let start = Instant::now();
    let outputs = interpret::run(&model.graph, std::slice::from_ref(&*model.images))?.swap_remove(0).into_data();
    let seconds = start.elapsed().as_secs_f64();
    let mut clear = Clear {
        images: model.labels.len(),
        seconds,
        labelled: 0,
        top_1: 0,
        top_5: 0,
        predictions: Vec::new(),
        outputs: Vec::new(),
    };
    for (row, label) in outputs.chunks(model.outputs()).zip(&model.labels) {
        let order = ranking(row);
        if let [first, second, ..] = order[..] {
            clear.predictions.push((first, row[first] - row[second]));
        }
        if let Some(label) = label {
            clear.labelled += 1;
            clear.top_1 += usize::from(order.first() == Some(label));
            clear.top_5 += usize::from(order.iter().take(5).any(|class| class == label));
        }
    }
    clear.outputs = outputs;
    Ok(clear)
}

/// Indices from the largest number to the smallest, the first of equals first.
fn ranking(row: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    order
}

#[cfg(test)]
mod tests;
