//! The JSON record of a run.
//!
//! Times are seconds, sizes bytes, scales and moduli base-2 logarithms.

use std::path::Path;

use anyhow::Context;
use he_params::RingType;
use report::{Bar, Bytes, Comparison, Disagreement, Gate, Logits, Step, median};
use serde::Serialize;

use crate::{Layer, Link, Options, Run, Show, Way};

/// What the clear model is, and how the run was made.
#[derive(Clone, Debug)]
pub struct Network {
    /// File or name of the model, and the SHA-256 of what it was read from.
    pub model: String,
    /// In hexadecimal.
    pub model_sha256: String,
    /// What the images are.
    pub dataset: String,
    /// Images in one batch.
    pub batch_size: usize,
    /// Seconds of all compared images in the clear, f64 reference.
    pub clear: f64,
    /// Share of images whose labels must agree.
    pub least_agreement: f64,
}

/// One run. The keys are an interface: scripts read them, and those that the record of CryptoNets has mean the same here, but that times and
/// images of a second are of both parties. There is no `seed`: the client draws its keys and all else from the operating system.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the keys of a record")]
pub struct Record {
    pub model: String,
    pub model_sha256: String,
    pub dataset: String,
    pub batch_size: usize,
    pub least_agreement: f64,
    pub threads: usize,
    /// What lies between the parties.
    pub way: Way,
    pub way_described: String,
    pub link: Option<Link>,
    pub images: usize,
    pub labelled: usize,
    pub accuracy_clear: f64,
    pub accuracy_encrypted: f64,
    /// Share of the images whose encrypted label equals the clear one.
    pub agreement: f64,
    pub largest_logit_error: f64,
    pub root_mean_square_logit_error: f64,
    pub logit_range: f64,
    /// Both parties, from images to outputs, median over the batches.
    pub seconds_per_batch: f64,
    pub images_per_second: f64,
    pub milliseconds_per_image: f64,
    pub bytes_up_per_image: f64,
    pub bytes_down_per_image: f64,
    pub minimum_bytes_up_per_image: f64,
    pub minimum_bytes_down_per_image: f64,
    /// Refreshes that wait for each other.
    pub rounds: usize,
    /// Messages that the client answered for a batch: a round goes in tiles.
    pub requests: u64,
    pub connections: u64,
    /// None in one process, where the parties cannot be told apart.
    pub client_peak_rss_bytes: Option<u64>,
    pub server_peak_rss_bytes: Option<u64>,
    /// Both parties together.
    pub peak_rss_bytes: u64,
    /// What an inference plans with, the weights beside it, and the program with the lists of its tiles: the server's peak as forecast.
    pub planned_server_bytes: u64,
    pub weights_bytes: u64,
    pub program_bytes: u64,
    pub memory_limit_bytes: u64,
    pub isa: String,
    pub ring: RingType,
    pub n: usize,
    pub slots: usize,
    pub images_per_ciphertext: usize,
    pub q: Vec<u64>,
    pub p: Vec<u64>,
    pub log_qp: f64,
    pub log_scale: f64,
    pub packing: String,
    pub security_bits: u32,
    pub security_table: String,
    pub security_bound: Option<u32>,
    pub insecure: bool,
    /// Server's computing for one batch, forecast by the compiler before the run.
    pub forecast_seconds_per_batch: f64,
    pub seconds: Seconds,
    /// As they travel, messages around them not counted: what ciphertexts take at least.
    pub bytes: Bytes,
    pub layers: Vec<Layer>,
    pub steps: Vec<Step>,
    pub disagreements: Vec<Disagreement>,
    pub confusion: Vec<Vec<u32>>,
    pub gate: Gate,
    pub bars: Vec<Bar>,
    pub processor: String,
    pub processors: usize,
    pub version: String,
    pub date: String,
    pub command: String,
}

/// Where the time of the whole run went.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(missing_docs, reason = "the keys of a record")]
pub struct Seconds {
    /// Model to program and parameters.
    pub compile: f64,
    pub keygen: f64,
    /// Packing of the weights.
    pub prepare: f64,
    /// All compared images in the clear, f64 reference.
    pub clear: f64,
    /// The server's computing, each batch: wall time without what it waited for the client, who works on the same processors.
    pub server: Vec<f64>,
    /// Both parties, each batch.
    pub batches: Vec<f64>,
    /// From the start of the server to the end of the clear run.
    pub total: f64,
}

impl Record {
    /// Puts together what all sides said; the bars are the experiment's to fill in.
    ///
    /// # Errors
    /// Outputs that do not fit the labels.
    pub fn new(
        options: &Options,
        network: Network,
        said: &Run,
        labels: &[Option<usize>],
        (clear, encrypted): (&Logits, &Logits),
        command: String,
    ) -> anyhow::Result<Record> {
        let total = said.began.elapsed().as_secs_f64();
        let (ready, found, served) = (said.ready.clone(), &said.found, said.served.clone());
        let (timed, batches) = (served.seconds.len(), found.seconds.len());
        anyhow::ensure!(timed == batches, "the server computed {timed} batches, the client saw {batches}");
        let compared = Comparison::new(labels, clear, encrypted)?;
        let seconds_per_batch = median(&found.seconds);
        let per_image = |bytes: f64| bytes / found.images.max(1) as f64;
        let server = (options.way() != Way::OneProcess).then_some(served.peak_rss_bytes);
        Ok(Record {
            model: network.model,
            model_sha256: network.model_sha256,
            dataset: network.dataset,
            batch_size: network.batch_size,
            least_agreement: network.least_agreement,
            threads: options.threads(),
            way: options.way(),
            way_described: options.way().describe(options.link),
            link: options.link,
            gate: compared.gate(network.least_agreement),
            images: compared.images,
            labelled: compared.labelled,
            accuracy_clear: compared.accuracy_clear,
            accuracy_encrypted: compared.accuracy_encrypted,
            agreement: compared.agreement,
            largest_logit_error: compared.largest_error,
            root_mean_square_logit_error: compared.root_mean_square_error,
            logit_range: compared.range,
            seconds_per_batch,
            images_per_second: network.batch_size as f64 / seconds_per_batch,
            milliseconds_per_image: 1e3 * seconds_per_batch / network.batch_size as f64,
            bytes_up_per_image: per_image(found.bytes_up as f64),
            bytes_down_per_image: per_image(found.bytes_down as f64),
            minimum_bytes_up_per_image: per_image(found.minimum_up),
            minimum_bytes_down_per_image: per_image(found.minimum_down),
            rounds: ready.rounds,
            requests: found.requests,
            connections: found.connections,
            client_peak_rss_bytes: server.map(|_| found.peak_rss_bytes),
            server_peak_rss_bytes: server,
            peak_rss_bytes: found.peak_rss_bytes + server.unwrap_or(0),
            planned_server_bytes: ready.planned_bytes,
            weights_bytes: ready.weights_bytes,
            program_bytes: ready.program_bytes,
            memory_limit_bytes: options.memory_limit_bytes(),
            isa: ready.isa,
            ring: ready.ring,
            n: ready.n,
            slots: ready.slots,
            images_per_ciphertext: ready.images_per_ciphertext,
            q: ready.q,
            p: ready.p,
            log_qp: ready.log_qp,
            log_scale: ready.log_scale,
            packing: ready.packing,
            security_bits: ready.security_bits,
            security_table: ready.security_table,
            security_bound: ready.security_bound,
            insecure: ready.security_bits < 128,
            forecast_seconds_per_batch: ready.forecast_seconds_per_batch,
            seconds: Seconds {
                compile: ready.seconds_compile,
                keygen: found.seconds_keygen,
                prepare: ready.seconds_prepare,
                clear: network.clear,
                server: served.seconds,
                batches: found.seconds.clone(),
                total,
            },
            bytes: Bytes {
                input: ready.ends.input_bytes.round() as u64,
                output: ready.ends.output_bytes.round() as u64,
                evaluation_keys: found.key_bytes,
            },
            layers: served.layers,
            steps: served.steps,
            disagreements: compared.disagreements,
            // Of many classes the matrix is mostly zeros.
            confusion: if clear.classes() <= LARGEST_CONFUSION { compared.confusion } else { Vec::new() },
            bars: Vec::new(),
            processor: machine::processor(),
            processors: machine::processors(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            date: machine::today(),
            command,
        })
    }

    /// Bytes that travel for an image, both ways.
    pub fn bytes_per_image(&self) -> f64 {
        self.bytes_up_per_image + self.bytes_down_per_image
    }

    /// The server's computing for a batch, median over the batches.
    pub(crate) fn server_seconds_per_batch(&self) -> f64 {
        median(&self.seconds.server)
    }

    /// Says the run on the terminal and writes what was asked for.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn publish(&self, options: &Options, show: &Show<'_>) -> anyhow::Result<()> {
        print!("{self}");
        if let Some(path) = &options.json {
            write(path, &(serde_json::to_string_pretty(self)? + "\n"))?;
        }
        if let Some(path) = &options.report {
            write(path, &self.page(show)?)?;
        }
        Ok(())
    }
}

/// Classes of the largest confusion matrix that is kept.
const LARGEST_CONFUSION: usize = 20;

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let path = datasets::of_user(path);
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{:<22}{}", "written", path.display());
    Ok(())
}

/// How this run was started. `experiment` is the program's name.
pub fn command(experiment: &str) -> String {
    let program = match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(_) => format!("./bazelw run //experiments:{experiment} --"),
        None => experiment.to_owned(),
    };
    let given = std::env::args().skip(1).filter(|word| word != "--inside");
    let command = std::iter::once(program).chain(given).collect::<Vec<_>>().join(" ");
    command.trim_end_matches(" --").to_owned()
}
