//! Nodes whose operands are all constants become constants.
//!
//! A chain folds in one run, since nodes are visited in running order. What folding no longer needs is left for
//! [`dead_code`](crate::dead_code).
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use graph::{Graph, NodeId, Tensor};

use crate::{Pass, PassError, PassReport, Property};

/// The pass; its field is a limit on what it makes.
#[derive(Clone, Copy, Debug)]
pub struct ConstantFolding {
    /// Most elements of a constant made by folding: a small file must not become a large program.
    pub max_elements: usize,
}

impl Default for ConstantFolding {
    /// At most 2^24 elements, 128 MiB.
    fn default() -> Self {
        Self { max_elements: 1 << 24 }
    }
}

impl Pass<Graph> for ConstantFolding {
    fn name(&self) -> &'static str {
        "constant_folding"
    }

    fn requires(&self) -> &'static [Property] {
        &[]
    }

    fn ensures(&self) -> &'static [Property] {
        &[Property::ConstantsFolded]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let mut report = PassReport::default();
        let nodes: Vec<NodeId> = graph.nodes().map(|(id, _)| id).collect();
        for id in nodes {
            let node = graph.node(id);
            let operands = node.inputs().iter().map(|&input| graph.constant(input).map(AsRef::as_ref));
            let Some(operands) = operands.collect::<Option<Vec<&Tensor>>>() else { continue };
            let (site, op) = (node.name().to_owned(), node.op().name());
            let elements = graph.shape(node.output()).elements_per_image();
            if elements > self.max_elements {
                report.decline(site, format!("{elements} elements, at most {} are folded", self.max_elements));
                continue;
            }
            let folded = node.op().evaluate(&operands).map_err(|source| PassError::Shape {
                pass: self.name(),
                site: site.clone(),
                source,
            })?;
            if let Some(found) = folded.data().iter().find(|x| !x.is_finite()) {
                report.decline(site, format!("{op} of constants gives {found}"));
                continue;
            }
            let edited = graph.edit().replace_with_constant(id, folded);
            edited.map_err(|source| PassError::Edit { pass: self.name(), source: Box::new(source) })?;
            report.rewrote(site, format!("{op} of constants is a constant"));
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
