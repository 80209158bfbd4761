//! The model: its file, its digest, its input, and what it says in the clear.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use datasets::LabelledImages;
use graph::import::onnx::{self, ImportOptions};
use graph::{Graph, Tensor, interpret};
use report::Logits;
use sha2::{Digest, Sha256};

use crate::args::hex;

/// A model whose input is one gray image of 28 x 28 and whose output is one row of logits.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) path: PathBuf,
    pub(crate) sha256: String,
    pub(crate) graph: Graph,
    /// Dimensions of one image as the model wants it. With one channel all layouts are the same row-major pixels.
    image: Vec<usize>,
    classes: usize,
    input: String,
}

/// Layouts of an image that are understood.
const LAYOUTS: [&[usize]; 4] = [&[1, 28, 28], &[28, 28, 1], &[28, 28], &[784]];

impl Model {
    /// Reads a model file; the batch size that it declares, if any, is overridden.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Model> {
        let options = ImportOptions::default();
        let file = read(path, options.max_bytes)?;
        let graph = onnx::from_bytes(&file, &options).with_context(|| path.display().to_string())?;
        let (input, image) = only(&graph, graph.inputs(), "input")?;
        anyhow::ensure!(
            LAYOUTS.contains(&image.as_slice()),
            "{}: an image of the input is {image:?}, expected one of {LAYOUTS:?}",
            path.display()
        );
        let (_, output) = only(&graph, graph.outputs(), "output")?;
        let &[classes] = output.as_slice() else {
            anyhow::bail!("{}: an image's output is {output:?}, expected one row of logits", path.display());
        };
        Ok(Model { path: path.to_path_buf(), sha256: hex(&Sha256::digest(&file)), graph, image, classes, input })
    }

    /// Logits of an image.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// Name of the input.
    pub(crate) fn input_name(&self) -> &str {
        &self.input
    }

    /// The images as the model's input: pixels from 0 to 1.
    pub(crate) fn input(&self, images: &LabelledImages, range: std::ops::Range<usize>) -> anyhow::Result<Tensor> {
        let side = images.rows() * images.columns();
        let pixels = images
            .pixels()
            .get(range.start * side..range.end * side)
            .with_context(|| format!("images {range:?} of {}", images.len()))?;
        let mut dims = vec![range.len()];
        dims.extend(&self.image);
        let data = pixels.iter().map(|p| f64::from(*p) / 255.0).collect();
        Ok(Tensor::new(dims, data)?)
    }

    /// Logits in the clear: the reference interpreter on the model as it was read, images shared out to the threads.
    pub(crate) fn run_clear(&self, images: &LabelledImages, threads: usize) -> anyhow::Result<Logits> {
        let share = images.len().div_ceil(threads.max(1)).max(1);
        let ranges = (0..images.len()).step_by(share).map(|first| first..images.len().min(first + share));
        let parts: Vec<anyhow::Result<Vec<f64>>> = std::thread::scope(|scope| {
            let running: Vec<_> = ranges
                .map(|range| {
                    scope.spawn(move || {
                        let mut outputs = interpret::run(&self.graph, &[self.input(images, range)?])?;
                        Ok(outputs.swap_remove(0).into_data())
                    })
                })
                .collect();
            let joined = running.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of the reference stopped")))
            });
            joined.collect()
        });
        let mut logits = Vec::with_capacity(images.len() * self.classes);
        for part in parts {
            logits.extend(part?);
        }
        Logits::new(self.classes, logits)
    }
}

/// The bytes of a file, which must not be longer than `most`.
fn read(path: &Path, most: usize) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).with_context(cannot)?;
    file.take(limit).read_to_end(&mut bytes).with_context(cannot)?;
    anyhow::ensure!(bytes.len() <= most, "{} holds more than {most} bytes", path.display());
    Ok(bytes)
}

/// Name of the only value in a list, and its dimensions for one image.
fn only(graph: &Graph, values: &[graph::ValueId], kind: &str) -> anyhow::Result<(String, Vec<usize>)> {
    let &[id] = values else {
        anyhow::bail!("the model has {} {kind}s, expected one", values.len());
    };
    let shape = graph.shape(id);
    anyhow::ensure!(shape.is_batched(), "the model's {kind} {shape} has no batch axis");
    Ok((graph.value(id).name().to_owned(), shape.per_image()))
}
