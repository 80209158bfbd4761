//! The contract of a pass.
//!
//! A pass is a folder: it says what must hold before it and what holds after it, rewrites what it can, and reports
//! what it left alone and why. A pipeline is a list of passes, checked against those declarations.

use std::fmt;

/// Something that holds for a whole graph or program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Property {
    /// No node has constants for all its operands.
    ConstantsFolded,
    /// No batch normalisation is left.
    NoBatchNorm,
    /// No linear node reads a linear node, except where squashing was declined.
    LinearSquashed,
    /// Every node and every constant leads to an output.
    NoDeadCode,
    /// Every value has a place in ciphertexts.
    LaidOut,
    /// Every value has a known range.
    RangesKnown,
    /// Every ciphertext that leaves the program or enters a multiplication has two components.
    Relinearized,
    /// Every value has a level and a scale, and operands agree.
    LevelsAssigned,
}

/// A place in a graph or program, as messages show it: a node's name.
pub type Site = String;

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassReport {
    /// Rewritten places, with what became of them.
    pub rewritten: Vec<(Site, String)>,
    /// Places the pass looked at and left alone, with the reason.
    pub declined: Vec<(Site, String)>,
}

impl PassReport {
    /// Records a rewrite.
    pub fn rewrote(&mut self, site: impl Into<Site>, what: impl Into<String>) {
        self.rewritten.push((site.into(), what.into()));
    }

    /// Records a place left alone.
    pub fn decline(&mut self, site: impl Into<Site>, reason: impl Into<String>) {
        self.declined.push((site.into(), reason.into()));
    }
}

/// One line per place: `+ site: what` for rewrites, `- site: reason` for places left alone.
impl fmt::Display for PassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (site, what) in &self.rewritten {
            writeln!(f, "+ {site}: {what}")?;
        }
        for (site, reason) in &self.declined {
            writeln!(f, "- {site}: {reason}")?;
        }
        Ok(())
    }
}

/// A pass that cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PassError {
    /// The pass's own edit was refused by the graph.
    #[error("pass {pass}: {source}")]
    Edit {
        /// Name of the pass.
        pass: &'static str,
        /// What the graph said.
        source: Box<graph::EditError>,
    },
    /// Operands that do not fit.
    #[error("pass {pass}, node {site}: {source}")]
    Shape {
        /// Name of the pass.
        pass: &'static str,
        /// The node.
        site: Site,
        /// Why.
        source: graph::ShapeError,
    },
    /// The verifier refused what the pass left behind.
    #[error("after pass {pass}: {errors}")]
    Verify {
        /// Name of the pass.
        pass: &'static str,
        /// Every broken rule.
        errors: String,
    },
    /// Something that must hold before the pass does not.
    #[error("pass {pass} requires {missing:?}, which no earlier pass ensures")]
    Requires {
        /// Name of the pass.
        pass: &'static str,
        /// What is missing.
        missing: Property,
    },
    /// An operation the pass has no way to go on with.
    #[error("pass {pass}, node {site} ({op}): {reason}")]
    Unsupported {
        /// Name of the pass.
        pass: &'static str,
        /// The node.
        site: Site,
        /// Its operation.
        op: String,
        /// Why.
        reason: String,
    },
}

/// One rewrite of an intermediate representation.
pub trait Pass<Ir>: fmt::Debug {
    /// Name of its folder, its tests and its place in reports: `constant_folding`.
    fn name(&self) -> &'static str;

    /// What must hold before.
    fn requires(&self) -> &'static [Property];

    /// What holds after.
    fn ensures(&self) -> &'static [Property];

    /// Rewrites `ir`.
    ///
    /// # Errors
    /// When it cannot go on; `ir` is then of no use.
    fn run(&self, ir: &mut Ir) -> Result<PassReport, PassError>;
}
