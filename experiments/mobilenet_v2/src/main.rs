//! MobileNetV2 and its like on photos, or at any width and resolution with seeded weights.
//!
//! Source: \[MNV2\], \[NGHE2\].

#![forbid(unsafe_code)]

mod args;
mod clear;
mod model;
mod topology;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use serde::Serialize;

use crate::args::{Args, Network};
use crate::clear::Clear;
use crate::model::Model;

/// Images of the seeded network, when nobody says.
const SEEDED_IMAGES: usize = 8;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The JSON record of a run.
#[derive(Serialize)]
struct Record<'a> {
    network: &'a str,
    network_sha256: &'a str,
    clear: &'a Clear,
    threads: usize,
    processor: String,
    version: &'static str,
    date: String,
}

fn run(args: &Args) -> anyhow::Result<()> {
    let threads = args.threads.map_or_else(machine::processors, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let images = args.images.map(|images| images as usize);
    let model = match args.network {
        Network::Seeded => {
            let images = images.unwrap_or(SEEDED_IMAGES);
            Model::seeded(args.width, usize::from(args.resolution), args.weights_seed, images)?
        }
        trained => Model::trained(&data()?, trained, args.photos, images)?,
    };
    let clear = pool.install(|| clear::run(&model))?;
    say(&model, &clear);
    if let Some(path) = &args.json {
        let record = Record {
            network: &model.name,
            network_sha256: &model.sha256,
            clear: &clear,
            threads,
            processor: machine::processor(),
            version: env!("CARGO_PKG_VERSION"),
            date: machine::today(),
        };
        let path = of_user(path);
        std::fs::write(&path, serde_json::to_string_pretty(&record)? + "\n")
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{:<22}{}", "written", path.display());
    }
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
