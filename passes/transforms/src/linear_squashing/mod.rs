//! Consecutive linear layers become one affine map.
//!
//! Every linear layer costs one level of the modulus chain, however small it is; convolution, pooling, convolution,
//! pooling and a dense layer in a row cost five, their composition one. So a maximal chain of linear nodes, each read by
//! the next alone, is composed into one, unless the composition takes more multiplications than [`LinearSquashing`]
//! allows. A chain that is too dear as a whole falls into the longest affordable pieces, from the front. The prices are
//! known from the dependencies alone (see [`Pattern`]), before anything is multiplied.
//!
//! Source: \[CN16\] merges the adjacent linear layers of its trained network by hand; this is that step as a pass.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use graph::affine::AffineMap;
use graph::ops::Affine;
use graph::{Graph, NodeId, ValueId};

use crate::affine::{Linear, Pattern, compose, is_movement, linearise};
use crate::{Pass, PassError, PassReport, Property};

/// The pass; its fields say what a level is worth.
#[derive(Clone, Copy, Debug)]
pub struct LinearSquashing {
    /// A composition may take this many times the multiplications of its parts.
    pub max_growth: f64,
    /// And never more multiplications per image than this.
    pub max_multiplications: usize,
}

impl Default for LinearSquashing {
    /// Three times the multiplications of the parts, 2^30 at most: a rule of thumb, to be replaced by a caller who knows
    /// what a level costs.
    fn default() -> Self {
        Self { max_growth: 3.0, max_multiplications: 1 << 30 }
    }
}

/// A linear node of a chain.
struct Link {
    id: NodeId,
    name: String,
    data: ValueId,
    map: Arc<AffineMap>,
}

impl Link {
    /// What the layer takes alone; moving elements takes nothing.
    fn multiplications(&self) -> usize {
        if is_movement(&self.map) { 0 } else { self.map.multiplications() }
    }
}

impl Pass<Graph> for LinearSquashing {
    fn name(&self) -> &'static str {
        "linear_squashing"
    }

    fn requires(&self) -> &'static [Property] {
        &[Property::ConstantsFolded]
    }

    fn ensures(&self) -> &'static [Property] {
        &[Property::LinearSquashed]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let mut report = PassReport::default();
        for chain in chains(graph, &mut report) {
            let mut rest = chain.as_slice();
            while !rest.is_empty() {
                let length = self.affordable(rest, &mut report)?;
                let (piece, behind) = rest.split_at(length);
                if piece.len() > 1 {
                    self.squash(graph, piece, &mut report)?;
                }
                rest = behind;
            }
        }
        Ok(report)
    }
}

/// Maximal chains of linear nodes, each read by the next alone.
fn chains(graph: &Graph, report: &mut PassReport) -> Vec<Vec<Link>> {
    let reads = graph.use_counts();
    let mut chains: Vec<Vec<Link>> = Vec::new();
    // Value -> the chain it ends.
    let mut ends: HashMap<ValueId, usize> = HashMap::new();
    for (id, node) in graph.nodes() {
        let Ok(Linear { data, map }) = linearise(graph, id) else { continue };
        let link = Link { id, name: node.name().to_owned(), data, map };
        let chain = match ends.get(&data) {
            Some(&chain) if reads[data.index()] == 1 => {
                chains[chain].push(link);
                chain
            }
            shared => {
                if shared.is_some() {
                    let before = graph.value(data).name();
                    report.decline(node.name(), format!("{before} is read {} times", reads[data.index()]));
                }
                chains.push(vec![link]);
                chains.len() - 1
            }
        };
        ends.insert(node.output(), chain);
    }
    chains
}

impl LinearSquashing {
    /// How many links from the front may become one map: the longest affordable piece.
    fn affordable(&self, chain: &[Link], report: &mut PassReport) -> Result<usize, PassError> {
        let Some((first, rest)) = chain.split_first() else { return Ok(0) };
        let mut pattern = Pattern::of(&first.map);
        let mut separate = first.multiplications();
        let mut moves = is_movement(&first.map);
        let mut longest = 1;
        let mut too_dear: Option<(String, String)> = None;
        for (i, link) in rest.iter().enumerate() {
            pattern = pattern.then(&link.map).map_err(|source| self.shape(link, source))?;
            separate += link.multiplications();
            moves &= is_movement(&link.map);
            let together = pattern.multiplications();
            let allowed = (separate as f64 * self.max_growth).min(self.max_multiplications as f64);
            if moves || together as f64 <= allowed {
                longest = i + 2;
                too_dear = None;
            } else {
                too_dear.get_or_insert_with(|| {
                    let reason = format!(
                        "together with {} it takes {together} multiplications instead of {separate}, {allowed} are allowed",
                        names(&chain[..=i])
                    );
                    (link.name.clone(), reason)
                });
            }
        }
        if let Some((site, reason)) = too_dear {
            report.decline(site, reason);
        }
        Ok(longest)
    }

    /// The last node of the piece becomes the composition; the others go.
    fn squash(&self, graph: &mut Graph, piece: &[Link], report: &mut PassReport) -> Result<(), PassError> {
        let [first, .., last] = piece else { return Ok(()) };
        let map = self.compose_all(piece)?;
        let separate: usize = piece.iter().map(Link::multiplications).sum();
        let layers = piece.iter().filter(|link| !is_movement(&link.map)).count();
        let together = if is_movement(&map) { 0 } else { map.multiplications() };
        report.rewrote(
            names(piece),
            format!(
                "{} nodes as one, {together} multiplications instead of {separate}, {layers} levels become {}",
                piece.len(),
                layers.min(1)
            ),
        );

        let failed = |source| PassError::Edit { pass: self.name(), source: Box::new(source) };
        let output = graph.shape(graph.node(last.id).output()).per_image();
        let mut edit = graph.edit();
        edit.rewrite(last.id, Affine { map: Arc::new(map), output }.into(), &[first.data]).map_err(failed)?;
        edit.rename_node(last.id, names(piece)).map_err(failed)?;
        for link in piece.iter().rev().skip(1) {
            edit.remove_node(link.id).map_err(failed)?;
        }
        Ok(())
    }

    fn compose_all(&self, piece: &[Link]) -> Result<AffineMap, PassError> {
        let [first, .., last] = piece else {
            return Err(PassError::Unsupported {
                pass: self.name(),
                site: names(piece),
                op: "affine".to_owned(),
                reason: "a composition needs two maps".to_owned(),
            });
        };
        // From the side with fewer elements: intermediate maps stay small.
        let composed = if last.map.outputs() <= first.map.inputs() {
            piece.iter().rev().skip(1).try_fold((*last.map).clone(), |done, link| compose(&link.map, &done))
        } else {
            piece.iter().skip(1).try_fold((*first.map).clone(), |done, link| compose(&done, &link.map))
        };
        composed.map_err(|source| self.shape(last, source))
    }

    fn shape(&self, link: &Link, source: graph::ShapeError) -> PassError {
        PassError::Shape { pass: self.name(), site: link.name.clone(), source }
    }
}

/// `conv1`, `conv1+pool1`, `conv1+pool1+conv2`, `conv1+..+dense1`.
fn names(piece: &[Link]) -> String {
    match piece {
        [first, _, _, .., last] => format!("{}+..+{}", first.name, last.name),
        _ => piece.iter().map(|link| link.name.as_str()).collect::<Vec<_>>().join("+"),
    }
}

#[cfg(test)]
mod tests;
