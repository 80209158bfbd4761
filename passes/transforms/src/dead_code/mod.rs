//! Nodes and constants that no output depends on go away.
//!
//! Inputs stay, read or not: they are how the graph is called.
//!
//! Before:
//! ```text
#![doc = include_str!("before.txt")]
//! ```
//! after:
//! ```text
#![doc = include_str!("after.txt")]
//! ```

use graph::{Graph, NodeId, ValueId, ValueSource};

use crate::{Pass, PassError, PassReport, Property};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeadCode;

impl Pass<Graph> for DeadCode {
    fn name(&self) -> &'static str {
        "dead_code"
    }

    fn requires(&self) -> &'static [Property] {
        &[]
    }

    fn ensures(&self) -> &'static [Property] {
        &[Property::NoDeadCode]
    }

    fn run(&self, graph: &mut Graph) -> Result<PassReport, PassError> {
        let failed = |source| PassError::Edit { pass: self.name(), source: Box::new(source) };
        let mut report = PassReport::default();
        let mut reads = graph.use_counts();
        // Readers stand behind what they read, so one walk from the back finds everything.
        let nodes: Vec<NodeId> = graph.nodes().rev().map(|(id, _)| id).collect();
        for id in nodes {
            let node = graph.node(id);
            if reads[node.output().index()] > 0 {
                continue;
            }
            for input in node.inputs() {
                reads[input.index()] -= 1;
            }
            report.rewrote(node.name(), format!("{} removed, nothing reads it", node.op().name()));
            graph.edit().remove_node(id).map_err(failed)?;
        }
        let unread: Vec<ValueId> = graph.values().map(|(id, _)| id).filter(|id| reads[id.index()] == 0).collect();
        for id in unread {
            let value = graph.value(id);
            match value.source() {
                ValueSource::Constant(_) => {
                    report.rewrote(value.name(), "constant removed, nothing reads it");
                    graph.edit().remove_constant(id).map_err(failed)?;
                }
                _ => report.decline(value.name(), "nothing reads it, but inputs are how the graph is called"),
            }
        }
        Ok(report)
    }
}

#[cfg(test)]
mod tests;
