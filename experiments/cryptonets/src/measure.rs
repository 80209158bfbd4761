//! One whole measurement: clear, encrypted, compared, recorded.

use std::time::Instant;

use datasets::{Dataset, LabelledImages, Part};
use report::{Comparison, Logits, gather, median};
use transforms::explain::Explain;

use crate::args::{Args, Seed};
use crate::model::Model;
use crate::page::Report;
use crate::record::Record;
use crate::run::{EncryptedRun, Settings, compile_model, run_encrypted};

/// Training images that the compiler sees to bound the values along the network.
const CALIBRATION_IMAGES: usize = 1024;

/// Least share of images whose encrypted label must equal the clear one.
const LEAST_AGREEMENT: f64 = 0.9995;

/// A record and what the page draws beside it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) record: Record,
    dataset: Dataset,
    images: LabelledImages,
    clear: Logits,
    encrypted: Logits,
}

impl Outcome {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            record: &self.record,
            dataset: self.dataset,
            images: &self.images,
            clear: &self.clear,
            encrypted: &self.encrypted,
        }
    }
}

/// Does what the command line asks. Runs on the caller's rayon pool of `threads` threads.
pub(crate) fn measure(args: &Args, threads: usize) -> anyhow::Result<Outcome> {
    let begin = Instant::now();
    let dataset = Dataset::from(args.dataset);
    let path = match &args.model {
        Some(path) => datasets::of_user(path),
        None => datasets::committed_model("cryptonets", &format!("{}_squashed.onnx", dataset.name()))?,
    };
    let model = Model::load(&path)?;
    let data = datasets::data_root_of_user()?;
    let images = dataset.load(&data, Part::Test)?.take(args.images as usize);
    let calibration = {
        let training = dataset.load(&data, Part::Train)?;
        model.input(&training, 0..CALIBRATION_IMAGES)?
    };
    let settings = Settings {
        batch_size: args.batch_size as usize,
        ring: args.ring,
        precision_bits: args.precision_bits,
        threads,
        seed: args.seed.map_or_else(Seed::fresh, Ok)?,
        insecure: args.insecure,
    };

    let start = Instant::now();
    let compiled = compile_model(&model, calibration, &settings)?;
    let compile = start.elapsed().as_secs_f64();
    println!("{}\n", before_the_run(&compiled.explain));
    let mut encrypted = run_encrypted(&model, compiled, &images, &settings)?;
    encrypted.seconds.compile = compile;
    // Before the reference runs: it is no part of what is measured.
    let peak = machine::peak_rss_bytes();
    let start = Instant::now();
    let clear = model.run_clear(&images, threads)?;
    encrypted.seconds.clear = start.elapsed().as_secs_f64();
    encrypted.seconds.total = begin.elapsed().as_secs_f64();

    let labels: Vec<Option<usize>> = images.labels().iter().map(|&label| Some(usize::from(label))).collect();
    let found = Comparison::new(&labels, &clear, &encrypted.logits)?;
    let record = record(&model, dataset, &settings, &encrypted, found, peak);
    Ok(Outcome { record, dataset, images, clear, encrypted: encrypted.logits })
}

fn record(
    model: &Model,
    dataset: Dataset,
    settings: &Settings,
    run: &EncryptedRun,
    found: Comparison,
    peak_rss_bytes: u64,
) -> Record {
    let (params, explain) = (&run.compiled.params, &run.compiled.explain);
    let security = params.security_report();
    let seconds_per_batch = median(&run.seconds.server);
    Record {
        images: found.images,
        accuracy_clear: found.accuracy_clear,
        accuracy_encrypted: found.accuracy_encrypted,
        agreement: found.agreement,
        largest_logit_error: found.largest_error,
        root_mean_square_logit_error: found.root_mean_square_error,
        logit_range: found.range,
        batch_size: settings.batch_size,
        seconds_per_batch,
        images_per_second: settings.batch_size as f64 / seconds_per_batch,
        peak_rss_bytes,
        threads: settings.threads,
        isa: run.isa.to_owned(),
        ring: settings.ring,
        n: params.n(),
        log_qp: params.log_qp(),
        security_bits: security.bits,
        layers: gather(&run.steps, &explain.layers),
        forecast_seconds_per_batch: explain.seconds,
        insecure: security.bits < 128,
        security_table: security.table.to_string(),
        security_bound: security.bound,
        slots: params.slots(),
        q: params.q().to_vec(),
        p: params.p().to_vec(),
        log_scale: params.scale().log2(),
        dataset: dataset.title().to_owned(),
        model: model.path.display().to_string(),
        model_sha256: model.sha256.clone(),
        seed: settings.seed.hex(),
        seconds: run.seconds.clone(),
        bytes: run.bytes.clone(),
        steps: run.steps.clone(),
        gate: found.gate(LEAST_AGREEMENT),
        disagreements: found.disagreements,
        confusion: found.confusion,
        processor: machine::processor(),
        processors: machine::processors(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date: machine::today(),
        command: command(),
    }
}

/// The head and the table of layers of `explain`, without the notes of the passes.
fn before_the_run(explain: &Explain) -> String {
    let text = explain.to_string();
    text.split("\n\n").take(2).collect::<Vec<_>>().join("\n\n")
}

/// How this run was started.
fn command() -> String {
    let program = match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(_) => "./bazelw run //experiments:cryptonets --",
        None => "cryptonets",
    };
    let words = std::iter::once(program.to_owned()).chain(std::env::args().skip(1));
    let command = words.collect::<Vec<_>>().join(" ");
    command.trim_end_matches(" --").to_owned()
}
