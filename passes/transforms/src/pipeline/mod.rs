//! The order of the graph passes, as data.
//!
//! A pipeline is a list of passes. Before it runs, each pass's requirements are looked up in what earlier ones ensure; after each pass the
//! graph's verifier runs, so a broken rewrite is caught where it happened.

use graph::Graph;

use crate::activation_fusion::ActivationFusion;
use crate::batch_norm_folding::BatchNormFolding;
use crate::client_forms::ClientForms;
use crate::constant_folding::ConstantFolding;
use crate::dead_code::DeadCode;
use crate::linear_squashing::LinearSquashing;
use crate::{Pass, PassError, PassReport, Property};

/// Passes in the order in which they run.
#[derive(Debug, Default)]
pub struct Pipeline {
    passes: Vec<Box<dyn Pass<Graph>>>,
}

impl Pipeline {
    /// Passes in this order.
    ///
    /// # Errors
    /// [`PassError::Requires`] when a pass asks for something that no earlier one ensures.
    pub fn new(passes: Vec<Box<dyn Pass<Graph>>>) -> Result<Pipeline, PassError> {
        let mut ensured: Vec<Property> = Vec::new();
        for pass in &passes {
            if let Some(&missing) = pass.requires().iter().find(|p| !ensured.contains(p)) {
                return Err(PassError::Requires { pass: pass.name(), missing });
            }
            ensured.extend(pass.ensures());
        }
        Ok(Pipeline { passes })
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.passes.iter().map(|p| p.name())
    }

    /// Runs all passes; the report of each, by name.
    ///
    /// # Errors
    /// The first pass that fails, or leaves an invalid graph behind.
    pub fn run(&self, graph: &mut Graph) -> Result<Vec<(&'static str, PassReport)>, PassError> {
        let mut reports = Vec::with_capacity(self.passes.len());
        for pass in &self.passes {
            let report = pass.run(graph)?;
            graph.verify().map_err(|errors| PassError::Verify { pass: pass.name(), errors: errors.to_string() })?;
            reports.push((pass.name(), report));
        }
        Ok(reports)
    }
}

/// The passes that [`crate::compile`] runs before lowering.
///
/// # Errors
/// When their order contradicts what they declare.
pub fn default_pipeline() -> Result<Pipeline, PassError> {
    Pipeline::new(vec![
        Box::new(ConstantFolding::default()),
        Box::new(ActivationFusion),
        Box::new(ClientForms),
        // Readers that lead nowhere would keep a value from being folded or squashed into its only real reader.
        Box::new(DeadCode),
        Box::new(BatchNormFolding),
        Box::new(LinearSquashing::default()),
        Box::new(DeadCode),
    ])
}

#[cfg(test)]
mod tests;
