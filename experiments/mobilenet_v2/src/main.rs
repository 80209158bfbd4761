//! MobileNetV2 and its like on encrypted photos, or at any width and resolution with seeded weights.
//!
//! Source: \[MNV2\], \[NGHE2\].

#![forbid(unsafe_code)]

mod args;
mod clear;
mod model;
mod topology;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use parties::{Child, Comparison, Record, Relay, Task, classify};
use serde::Serialize;
use transforms::CompileOptions;
use transforms::ranges::Interval;

use crate::args::{Args, Network, Party, Set};
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
    let passed = match args.party {
        Party::Server => server(&args).map(|()| true),
        Party::Client => client(&args),
    };
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
        trained => Model::trained(&data()?, trained, args.photos, images),
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
        trained => Model::trained(&data()?, trained, others, Some(CALIBRATION_IMAGES)),
    }
}

fn seeded(args: &Args, images_seed: u64, images: usize) -> anyhow::Result<Model> {
    Model::seeded(args.width, usize::from(args.resolution), args.weights_seed, images_seed, images)
}

fn batch_size(args: &Args, images: usize) -> usize {
    let usual = if args.network == Network::Seeded { SEEDED_BATCH } else { images };
    args.batch_size.map_or(usual, |batch| batch as usize)
}

fn server(args: &Args) -> anyhow::Result<()> {
    let images = model(args)?.labels.len();
    let model = calibration(args)?;
    let mut options = CompileOptions::new(batch_size(args, images));
    let &[input] = model.graph.inputs() else { anyhow::bail!("{} does not have one input", model.name) };
    let (low, high) = model.range;
    options.input_ranges.insert(model.graph.value(input).name().to_owned(), Interval::new(low, high));
    options.precision_bits = args.precision_bits;
    options.calibration = vec![model.images];
    parties::serve(Task { graph: model.graph, options, range: model.range, threads: threads(args) })
}

/// Whether the gate let the run pass.
fn client(args: &Args) -> anyhow::Result<bool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads(args)).build_global()?;
    let model = model(args)?;
    if args.clear {
        let clear = clear::run(&model)?;
        say(&model, &clear);
        write(args, &InTheClear::new(args, &model, &clear))?;
        return Ok(true);
    }
    let arguments = std::env::args_os().skip(1).chain(["--party", "server"].map(OsString::from));
    let server = Child::start(arguments)?;
    let ready = server.ready().clone();
    let address = match args.link {
        Some(link) => Relay::start(ready.address, link)?.address(),
        None => ready.address,
    };
    let batch_size = batch_size(args, model.labels.len());
    let found = classify(&ready, address, &model.images, batch_size)?;
    let served = server.stop()?;
    let clear = clear::run(&model)?;
    say(&model, &clear);
    let compared = Comparison::new(&model.labels, &clear.outputs, &found.outputs)?;
    let seeded = args.network == Network::Seeded;
    let run = parties::Network {
        network: model.name.clone(),
        network_sha256: model.sha256.clone(),
        data: if seeded {
            "seeded images, repeated".to_owned()
        } else {
            format!("{:?} photos", args.photos).to_lowercase()
        },
        batch_size,
        threads: threads(args),
        link: args.link,
        seconds_clear: clear.seconds,
        // Labels of seeded weights mean nothing; photos whose label differs are listed with their margins.
        least_agreement: 0.0,
    };
    let record = Record::new(run, ready, found, &served, compared);
    print!("{record}");
    write(args, &record)?;
    Ok(record.gate.passed)
}

fn threads(args: &Args) -> usize {
    args.threads.map_or_else(machine::processors, usize::from)
}

/// The JSON record of a run in the clear alone.
#[derive(Serialize)]
struct InTheClear<'a> {
    network: &'a str,
    network_sha256: &'a str,
    clear: &'a Clear,
    threads: usize,
    processor: String,
    date: String,
}

impl<'a> InTheClear<'a> {
    fn new(args: &Args, model: &'a Model, clear: &'a Clear) -> Self {
        InTheClear {
            network: &model.name,
            network_sha256: &model.sha256,
            clear,
            threads: threads(args),
            processor: machine::processor(),
            date: machine::today(),
        }
    }
}

fn write(args: &Args, record: &impl Serialize) -> anyhow::Result<()> {
    let Some(path) = &args.json else { return Ok(()) };
    let path = of_user(path);
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

/// A path as the user meant it: `bazel run` stands elsewhere and says where the user is.
fn of_user(path: &Path) -> PathBuf {
    match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(stands) => Path::new(&stands).join(path),
        None => path.to_path_buf(),
    }
}

/// The folder with models and photos.
fn data() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("HENGE_DATA").map(|folder| of_user(Path::new(&folder)));
    Ok(datasets::data_root_from(named.as_deref(), Path::new(""))?)
}
