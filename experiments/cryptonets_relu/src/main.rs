//! CryptoNets-ReLU reproduced: all test images encrypted, classified with the help of the client, held against the clear.
//!
//! Source: \[NGHE2\].

#![forbid(unsafe_code)]

mod args;
mod bars;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use datasets::{Dataset, LabelledImages, Part};
use graph::import::onnx::{self, ImportOptions};
use graph::{Graph, Tensor, interpret};
use parties::{Network, Party, Record, Show, Task};
use report::Logits;
use sha2::{Digest, Sha256};
use transforms::CompileOptions;
use transforms::ranges::Interval;

use crate::args::Args;

/// Training images that ranges are measured on.
const CALIBRATION_IMAGES: usize = 256;

/// Pixels.
const RANGE: (f64, f64) = (0.0, 1.0);

fn main() -> ExitCode {
    let args = Args::parse();
    let passed = parties::begin(&args.options).and_then(|()| match args.options.party {
        Party::Server => task(&args).and_then(|task| parties::serve(&args.options, task)).map(|()| true),
        Party::Client => client(&args),
    });
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// What the server does.
fn task(args: &Args) -> anyhow::Result<Task> {
    let model = Model::load(args)?;
    let training = Dataset::Mnist.load(&datasets::data_root_of_user()?, Part::Train)?.take(CALIBRATION_IMAGES);
    let mut options = CompileOptions::new(args.batch_size as usize);
    options.calibration = vec![model.input(&training)?];
    options.input_ranges.insert(model.input.clone(), Interval::new(RANGE.0, RANGE.1));
    Ok(Task { graph: model.graph, options, range: RANGE })
}

/// Whether the gate let the run pass.
fn client(args: &Args) -> anyhow::Result<bool> {
    let model = Model::load(args)?;
    let images = Dataset::Mnist.load(&datasets::data_root_of_user()?, Part::Test)?.take(args.images as usize);
    let input = Arc::new(model.input(&images)?);
    let batch_size = args.batch_size as usize;
    let run = parties::run(&args.options, || task(args), &input, batch_size)?;

    let start = Instant::now();
    let clear = interpret::run(&model.graph, std::slice::from_ref(&*input))?.swap_remove(0).into_data();
    let seconds_clear = start.elapsed().as_secs_f64();
    let classes = clear.len() / images.len().max(1);
    let (clear, encrypted) = (Logits::new(classes, clear)?, Logits::new(classes, run.outputs().to_vec())?);
    let labels: Vec<Option<usize>> = images.labels().iter().map(|&label| Some(usize::from(label))).collect();
    let network = Network {
        model: model.path.display().to_string(),
        model_sha256: model.sha256,
        dataset: Dataset::Mnist.title().to_owned(),
        batch_size,
        clear: seconds_clear,
        least_agreement: 1.0,
    };
    let command = parties::command("cryptonets_relu");
    let mut record = Record::new(&args.options, network, &run, &labels, (&clear, &encrypted), command)?;
    record.bars = bars::bars(&record);
    let class = |index: usize| Dataset::Mnist.classes().get(index).copied().unwrap_or("?").to_owned();
    let show = Show {
        title: "CryptoNets-ReLU on encrypted MNIST".to_owned(),
        lead: "A server computed the linear layers on ciphertexts that it cannot read; the client decrypted what it was sent, applied ReLU, and encrypted again. Beside it the same model in the clear, in 64-bit floating point.".to_owned(),
        source: "CryptoNets (Dowlin et al., ICML 2016) with ReLU in place of squares (Boemer et al., nGraph-HE2, WAHC 2019).",
        labels: &labels,
        clear: &clear,
        encrypted: &encrypted,
        class: &class,
        picture: &|image| report::png::gray(images.columns(), images.image(image).unwrap_or_default()),
    };
    record.publish(&args.options, &show)?;
    Ok(record.gate.passed)
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
            Some(path) => datasets::of_user(path),
            None => datasets::committed_model("cryptonets_relu", "mnist_squashed.onnx")?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_models_are_as_good_in_the_clear_as_their_records_say() {
        let root = match datasets::data_root() {
            Ok(root) if root.join("mnist").is_dir() => root,
            Ok(root) => return println!("skipped: no mnist in {}", root.display()),
            Err(error) => return println!("skipped: {error}"),
        };
        let images = Dataset::Mnist.load(&root, Part::Test).unwrap();
        for (form, least) in [("squashed", 9_860), ("unsquashed", 9_860)] {
            let path = datasets::committed_model("cryptonets_relu", &format!("mnist_{form}.onnx")).unwrap();
            let args = Args::parse_from(["cryptonets_relu", "--model", path.to_str().unwrap()]);
            let model = Model::load(&args).unwrap();
            let logits = interpret::run(&model.graph, &[model.input(&images).unwrap()]).unwrap().swap_remove(0);
            let rows = logits.data().chunks(10).zip(images.labels());
            let right = rows.filter(|(row, label)| report::prediction(row) == usize::from(**label)).count();
            println!("{form}: {right} of 10,000 right");
            assert!(right >= least, "{form}: {right}");
        }
    }
}
