//! CryptoNets-ReLU reproduced: all test images encrypted, classified with the help of the client, held against the clear.
//!
//! Source: \[NGHE2\].

#![forbid(unsafe_code)]

mod args;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use datasets::{Dataset, LabelledImages, Part};
use graph::import::onnx::{self, ImportOptions};
use graph::{Graph, Tensor, interpret};
use parties::{Child, Comparison, Network, Record, Relay, Task, classify};
use sha2::{Digest, Sha256};
use transforms::CompileOptions;
use transforms::ranges::Interval;

use crate::args::{Args, Party};

/// Training images that ranges are measured on.
const CALIBRATION_IMAGES: usize = 256;

/// Pixels.
const RANGE: (f64, f64) = (0.0, 1.0);

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

fn server(args: &Args) -> anyhow::Result<()> {
    let model = Model::load(args)?;
    let training = Dataset::Mnist.load(&data()?, Part::Train)?.take(CALIBRATION_IMAGES);
    let mut options = CompileOptions::new(args.batch_size as usize);
    options.precision_bits = args.precision_bits;
    options.calibration = vec![model.input(&training)?];
    options.input_ranges.insert(model.input.clone(), Interval::new(RANGE.0, RANGE.1));
    parties::serve(Task { graph: model.graph, options, range: RANGE, threads: threads(args) })
}

/// Whether the gate let the run pass.
fn client(args: &Args) -> anyhow::Result<bool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads(args)).build_global()?;
    let model = Model::load(args)?;
    let images = Dataset::Mnist.load(&data()?, Part::Test)?.take(args.images as usize);
    let input = model.input(&images)?;

    let arguments = std::env::args_os().skip(1).chain(["--party", "server"].map(OsString::from));
    let server = Child::start(arguments)?;
    let ready = server.ready().clone();
    let address = match args.link {
        Some(link) => Relay::start(ready.address, link)?.address(),
        None => ready.address,
    };
    let found = classify(&ready, address, &input, args.batch_size as usize)?;
    let served = server.stop()?;

    let start = Instant::now();
    let clear = interpret::run(&model.graph, &[input])?.swap_remove(0).into_data();
    let seconds_clear = start.elapsed().as_secs_f64();
    let labels: Vec<Option<usize>> = images.labels().iter().map(|&label| Some(usize::from(label))).collect();
    let compared = Comparison::new(&labels, &clear, &found.outputs)?;
    let run = Network {
        network: model.path.display().to_string(),
        network_sha256: model.sha256,
        data: Dataset::Mnist.title().to_owned(),
        batch_size: args.batch_size as usize,
        threads: threads(args),
        link: args.link,
        seconds_clear,
        least_agreement: 1.0,
    };
    let record = Record::new(run, ready, found, &served, compared);
    print!("{record}");
    if let Some(path) = &args.json {
        let path = of_user(path);
        std::fs::write(&path, serde_json::to_string_pretty(&record)? + "\n")
            .with_context(|| format!("{} cannot be written", path.display()))?;
        println!("{:<22}{}", "written", path.display());
    }
    Ok(record.gate.passed)
}

fn threads(args: &Args) -> usize {
    args.threads.map_or_else(machine::processors, usize::from)
}

/// A model whose input is one gray image of 28 x 28.
struct Model {
    path: PathBuf,
    sha256: String,
    graph: Graph,
    input: String,
}

impl Model {
    fn load(args: &Args) -> anyhow::Result<Model> {
        let path = match &args.model {
            Some(path) => of_user(path),
            None => committed("mnist_squashed.onnx")?,
        };
        let file = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let graph = onnx::from_bytes(&file, &ImportOptions::default()).with_context(|| path.display().to_string())?;
        let &[input] = graph.inputs() else { anyhow::bail!("{} does not have one input", path.display()) };
        anyhow::ensure!(
            graph.shape(input).per_image() == [1, 28, 28],
            "{}: an image of the input is {}, expected [batch, 1, 28, 28]",
            path.display(),
            graph.shape(input)
        );
        let input = graph.value(input).name().to_owned();
        let sha256 = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Model { path, sha256, graph, input })
    }

    /// The images as the model's input: pixels from 0 to 1.
    fn input(&self, images: &LabelledImages) -> anyhow::Result<Tensor> {
        let data = images.pixels().iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
        Ok(Tensor::new(vec![images.len(), 1, 28, 28], data)?)
    }
}

/// A committed model: below the root of the repository (the working directory under Bazel), else below the folder that cargo names.
fn committed(name: &str) -> anyhow::Result<PathBuf> {
    let below_root = Path::new("experiments/cryptonets_relu/models").join(name);
    let below_crate = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join("models").join(name));
    let found = [Some(&below_root), below_crate.as_ref()].into_iter().flatten().find(|path| path.exists());
    found
        .cloned()
        .with_context(|| format!("{} is not there: run from the root of the repository", below_root.display()))
}

/// A path as the user meant it: `bazel run` stands elsewhere and says where the user is.
fn of_user(path: &Path) -> PathBuf {
    match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(stands) => Path::new(&stands).join(path),
        None => path.to_path_buf(),
    }
}

/// The folder with the data sets.
fn data() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("HENGE_DATA").map(|folder| of_user(Path::new(&folder)));
    Ok(datasets::data_root_from(named.as_deref(), Path::new(""))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_models_are_as_good_in_the_clear_as_their_records_say() {
        let root = match data() {
            Ok(root) if root.join("mnist").is_dir() => root,
            Ok(root) => return println!("skipped: no mnist in {}", root.display()),
            Err(error) => return println!("skipped: {error}"),
        };
        let images = Dataset::Mnist.load(&root, Part::Test).unwrap();
        for (form, least) in [("squashed", 9_860), ("unsquashed", 9_860)] {
            let path = committed(&format!("mnist_{form}.onnx")).unwrap();
            let args = Args::parse_from(["cryptonets_relu", "--model", path.to_str().unwrap()]);
            let model = Model::load(&args).unwrap();
            let logits = interpret::run(&model.graph, &[model.input(&images).unwrap()]).unwrap().swap_remove(0);
            let rows = logits.data().chunks(10).zip(images.labels());
            let right = rows.filter(|(row, label)| parties::prediction(row) == usize::from(**label)).count();
            println!("{form}: {right} of 10,000 right");
            assert!(right >= least, "{form}: {right}");
        }
    }
}
