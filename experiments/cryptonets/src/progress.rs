//! Shows how far a run is: a bar with the time left, or plain lines where there is no terminal.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Instant;

use execute::{Finished, NodeInfo, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use report::seconds;

/// Encryption of a batch, as a share of the forecast of its run.
const ENCRYPTION_SHARE: f64 = 0.3;

/// Progress over all batches. Each operation weighs what the compiler forecasts for it, in microseconds.
#[derive(Debug)]
pub(crate) struct Watch {
    bar: ProgressBar,
    weights: Vec<u64>,
    encryption: u64,
    batches: usize,
    done: usize,
    started: Instant,
}

impl Watch {
    /// `forecast`: seconds of each operation of the program.
    pub(crate) fn new(forecast: &[f64], batches: usize) -> Watch {
        let weights: Vec<u64> = forecast.iter().map(|s| (1e6 * s) as u64 + 1).collect();
        let encryption = (1e6 * ENCRYPTION_SHARE * forecast.iter().sum::<f64>()) as u64;
        let total = (weights.iter().sum::<u64>() + encryption) * batches as u64;
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(total).with_style(
                ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta:>4} left  {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            )
        } else {
            ProgressBar::hidden()
        };
        Watch { bar, weights, encryption, batches, done: 0, started: Instant::now() }
    }

    /// Says what is being done outside of the program.
    pub(crate) fn say(&self, what: &str) {
        self.bar.set_message(format!("batch {} of {}: {what}", self.done + 1, self.batches));
    }

    /// A batch is encrypted.
    pub(crate) fn encrypted(&self) {
        self.bar.inc(self.encryption);
    }

    /// A batch is through.
    pub(crate) fn batch_done(&mut self, server: f64) {
        self.done += 1;
        if self.bar.is_hidden() {
            let each = self.started.elapsed().as_secs_f64() / self.done as f64;
            let left = match self.batches - self.done {
                0 => String::new(),
                more => format!(", about {} left", seconds(each * more as f64)),
            };
            eprintln!("batch {} of {}: server {}{left}", self.done, self.batches, seconds(server));
        }
        if self.done == self.batches {
            self.bar.finish_and_clear();
        }
    }
}

impl Progress for &mut Watch {
    fn started(&mut self, node: NodeInfo<'_>) -> ControlFlow<()> {
        self.say(&format!("{} {}", node.layer, node.verb));
        ControlFlow::Continue(())
    }

    fn finished(&mut self, node: NodeInfo<'_>, _: Finished) {
        self.bar.inc(self.weights.get(node.index).copied().unwrap_or(1));
    }
}
