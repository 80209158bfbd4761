//! What a run leaves behind.

use serde::Serialize;

use crate::limit::{Limit, Processor};
use crate::parts::Part;

/// One operation of Henge beside the same one of a peer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Instruction set of Henge's kernels.
    pub(crate) isa: String,
    pub(crate) threads: usize,
    /// Each thread with operands of its own: times are those in which all of them together do one operation.
    pub(crate) together: bool,
    /// Medians over the rounds, microseconds.
    pub(crate) henge_us: Option<f64>,
    pub(crate) peer: String,
    pub(crate) peer_us: Option<f64>,
    /// Peer's median over Henge's, of memory in rows of memory: above 1 Henge is faster, or takes less.
    pub(crate) ratio: Option<f64>,
    /// The least of each over the rounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) henge_least_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_least_us: Option<f64>,
    pub(crate) rounds: usize,
    /// Medians of the processor time of all threads together, for rows of many threads: on a busy machine they tell more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) henge_processor_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_processor_us: Option<f64>,
    /// The ratio that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) met: Option<bool>,
    /// What is asked for is more than a bar: missing it is no failure.
    pub(crate) moonshot: bool,
    /// In what the results were seen to agree, in this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) checked: Option<String>,
    /// What one core reached, and could at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<Limit>,
    /// Where Henge's time goes, the rest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mac_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) images_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_images_per_second: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) henge_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// Where and how the rows were measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) instruction_sets: Vec<String>,
    /// Share of all processors that other processes used during the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) others: Option<f64>,
    pub(crate) seal: Option<String>,
    pub(crate) date: String,
    pub(crate) command: String,
    #[serde(flatten)]
    pub(crate) measured: Processor,
}

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
}
