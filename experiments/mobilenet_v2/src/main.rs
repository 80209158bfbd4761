//! MobileNetV2 and its like on encrypted photos, or at any width and resolution with seeded weights.
//!
//! Source: \[MNV2\], \[NGHE2\].

#![forbid(unsafe_code)]

mod args;
mod bars;
mod clear;
mod model;
mod topology;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use parties::{Party, Record, Show, Task};
use report::Logits;
use serde::Serialize;
use transforms::CompileOptions;
use transforms::ranges::Interval;

use crate::args::{Args, Network, Set};
use crate::clear::Clear;
use crate::model::Model;

/// Distinct images of the seeded network, when nobody says: a batch repeats them.
const SEEDED_IMAGES: usize = 8;

/// Images of a batch of the seeded network, when nobody says.
const SEEDED_BATCH: usize = 4096;

/// Images that ranges are measured on, never among those that are classified.
const CALIBRATION_IMAGES: usize = 4;

/// Seeds of the seeded network's images, and of those that ranges are measured on.
const IMAGES_SEED: u64 = 0x5851_f42d_4c95_7f2d;
const CALIBRATION_SEED: u64 = 0x1405_7b7e_f767_814f;

fn main() -> ExitCode {
    let args = Args::parse();
    let passed = if args.clear { in_the_clear(&args) } else { encrypted(&args) };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The network with the images that it classifies.
fn model(args: &Args) -> anyhow::Result<Model> {
    let images = args.images.map(|images| images as usize);
    match args.network {
        Network::Seeded => seeded(args, IMAGES_SEED, images.unwrap_or(SEEDED_IMAGES)),
        trained => Model::trained(&datasets::data_root_of_user()?, trained, args.photos, images),
    }
}

/// The network with the images that ranges are measured on: other seeds, or the other set of photos.
fn calibration(args: &Args) -> anyhow::Result<Model> {
    let others = match args.photos {
        Set::Labelled => Set::Unlabelled,
        Set::Unlabelled => Set::Labelled,
    };
    match args.network {
        Network::Seeded => seeded(args, CALIBRATION_SEED, CALIBRATION_IMAGES),
        trained => Model::trained(&datasets::data_root_of_user()?, trained, others, Some(CALIBRATION_IMAGES)),
    }
}

fn seeded(args: &Args, images_seed: u64, images: usize) -> anyhow::Result<Model> {
    Model::seeded(args.width, usize::from(args.resolution), args.weights_seed, images_seed, images)
}

fn batch_size(args: &Args, images: usize) -> usize {
    let usual = if args.network == Network::Seeded { SEEDED_BATCH } else { images };
    args.batch_size.map_or(usual, |batch| batch as usize)
}

/// What the server does.
fn task(args: &Args) -> anyhow::Result<Task> {
    let images = model(args)?.labels.len();
    let model = calibration(args)?;
    let mut options = CompileOptions::new(batch_size(args, images));
    let &[input] = model.graph.inputs() else { anyhow::bail!("{} does not have one input", model.name) };
    let (low, high) = model.range;
    options.input_ranges.insert(model.graph.value(input).name().to_owned(), Interval::new(low, high));
    options.calibration = vec![std::sync::Arc::unwrap_or_clone(model.images)];
    Ok(Task { graph: model.graph, options, range: model.range })
}

fn in_the_clear(args: &Args) -> anyhow::Result<bool> {
    rayon::ThreadPoolBuilder::new().num_threads(args.options.threads()).build_global()?;
    let model = model(args)?;
    let clear = clear::run(&model)?;
    say(&model, &clear);
    if let Some(path) = &args.options.json {
        write(path, &InTheClear::new(args, &model, &clear))?;
    }
    Ok(true)
}

/// Whether the gate let the run pass.
fn encrypted(args: &Args) -> anyhow::Result<bool> {
    parties::begin(&args.options)?;
    match args.options.party {
        Party::Server => parties::serve(&args.options, task(args)?).map(|()| true),
        Party::Client => client(args),
    }
}

fn client(args: &Args) -> anyhow::Result<bool> {
    let model = model(args)?;
    let batch_size = batch_size(args, model.labels.len());
    let run = parties::run(&args.options, || task(args), &model.images, batch_size)?;
    let clear = clear::run(&model)?;
    say(&model, &clear);
    let outputs = model.outputs();
    let (plain, encrypted) =
        (Logits::new(outputs, clear.outputs.clone())?, Logits::new(outputs, run.outputs().to_vec())?);
    let seeded = args.network == Network::Seeded;
    let network = parties::Network {
        model: model.name.clone(),
        model_sha256: model.sha256.clone(),
        dataset: if seeded {
            "seeded images, repeated".to_owned()
        } else {
            format!("{:?} photos", args.photos).to_lowercase()
        },
        batch_size,
        clear: clear.seconds,
        // Labels of seeded weights mean nothing; photos whose label differs are listed with their margins.
        least_agreement: 0.0,
    };
    let command = parties::command("mobilenet_v2");
    let mut record = Record::new(&args.options, network, &run, &model.labels, (&plain, &encrypted), command)?;
    record.bars = bars::bars(args, &model, &record);
    let (title, source) = model.title(args.network);
    let show = Show {
        title,
        lead: "A server computed the linear layers on ciphertexts that it cannot read; the client decrypted what it was sent, applied ReLU6, and encrypted again. Beside it the same network in the clear, in 64-bit floating point.".to_owned(),
        source,
        labels: &model.labels,
        clear: &plain,
        encrypted: &encrypted,
        class: &|index| model.class(index),
        picture: &|image| model.picture(image),
    };
    record.publish(&args.options, &show)?;
    Ok(record.gate.passed)
}

/// The JSON record of a run in the clear alone.
#[derive(Serialize)]
struct InTheClear<'a> {
    model: &'a str,
    model_sha256: &'a str,
    clear: &'a Clear,
    threads: usize,
    processor: String,
    date: String,
}

impl<'a> InTheClear<'a> {
    fn new(args: &Args, model: &'a Model, clear: &'a Clear) -> Self {
        InTheClear {
            model: &model.name,
            model_sha256: &model.sha256,
            clear,
            threads: args.options.threads(),
            processor: machine::processor(),
            date: machine::today(),
        }
    }
}

fn write(path: &Path, record: &impl Serialize) -> anyhow::Result<()> {
    let path = datasets::of_user(path);
    std::fs::write(&path, serde_json::to_string_pretty(record)? + "\n")
        .with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{:<22}{}", "written", path.display());
    Ok(())
}

fn say(model: &Model, clear: &Clear) {
    let row = |name: &str, value: String| println!("{name:<22}{value}");
    row("network", format!("{} (sha256 {:.16}…)", model.name, model.sha256));
    let each = clear.seconds / clear.images.max(1) as f64;
    row("clear, f64 reference", format!("{} images in {:.1} s, {each:.2} s each", clear.images, clear.seconds));
    if clear.labelled > 0 {
        let share = |count: usize| 100.0 * count as f64 / clear.labelled as f64;
        let (first, five) = (share(clear.top_1), share(clear.top_5));
        row(
            "accuracy, clear",
            format!("{first:.0} % at the top, {five:.0} % among five, of {} photos", clear.labelled),
        );
    }
    if model.classifies() && model.names.is_none() {
        row("", "seeded weights: its classes mean nothing".to_owned());
    }
    let Some(names) = &model.names else { return };
    for (image, ((class, lead), label)) in clear.predictions.iter().zip(&model.labels).enumerate() {
        let name = |class: usize| names.get(class).map_or("?", String::as_str);
        let truth = match label {
            Some(label) if label == class => String::new(),
            Some(label) => format!(", it is {}", name(*label)),
            None => ", nobody says".to_owned(),
        };
        row("", format!("image {image}: {} (leads by {lead:.2}){truth}", name(*class)));
    }
}
