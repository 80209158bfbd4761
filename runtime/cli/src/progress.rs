//! Shows how far a run is, each operation weighing what the compiler forecasts for it.

use execute::{Finished, NodeInfo, Progress};
use he_ir::HeProgram;
use he_params::CkksParams;
use indicatif::{ProgressBar, ProgressStyle};
use transforms::cost::{CostModel, Words, node_work};

/// A bar on a terminal; nothing where there is none.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    weights: Vec<u64>,
}

impl Bar {
    pub(crate) fn new(program: &HeProgram, params: &CkksParams) -> Bar {
        let (costs, words) = (CostModel::default(), Words::new(params.q(), params.p()));
        let seconds = |node| costs.seconds(&node_work(program, node, &words), u32::from(params.log_n().get()));
        let weights: Vec<u64> = program.nodes().iter().map(|node| (1e6 * seconds(node)) as u64 + 1).collect();
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta:>4} left  {msg}");
        let bar =
            ProgressBar::new(weights.iter().sum()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar { bar, weights }
    }

    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn started(&mut self, node: NodeInfo<'_>) -> std::ops::ControlFlow<()> {
        self.bar.set_message(format!("{} {}", node.layer, node.verb));
        std::ops::ControlFlow::Continue(())
    }

    fn finished(&mut self, node: NodeInfo<'_>, _: Finished) {
        self.bar.inc(self.weights.get(node.index).copied().unwrap_or(1));
    }
}
