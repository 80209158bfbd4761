//! One file per command.

mod calibrate;
mod decrypt;
mod encrypt;
mod explain;
mod infer;
mod keygen;
mod run;
mod seal;
mod serve;

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use graph::Graph;
use graph::import::onnx::{self, ImportOptions, OnnxError};

pub(crate) use calibrate::calibrate;
pub(crate) use decrypt::decrypt;
pub(crate) use encrypt::encrypt;
pub(crate) use explain::explain;
pub(crate) use infer::infer;
pub(crate) use keygen::keygen;
pub(crate) use run::run;
pub(crate) use seal::seal;
pub(crate) use serve::serve;

use crate::args::Args;
use crate::interface::Port;
use crate::numbers::{self, Array, Wanted};

/// Bytes of a gigabyte, as flags count them.
const GB: f64 = 1e9;

/// Does one step, and says what and how long where that is asked for.
fn step<T>(args: &Args, what: impl Display, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let start = Instant::now();
    let result = work();
    if args.verbose {
        eprintln!("{what}: {:.3} s", start.elapsed().as_secs_f64());
    }
    result
}

/// Prints a report, after the line on insecure parameters if there is one; beside it where what is printed must stay data.
fn print(line: Option<String>, data: bool, report: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let text = match line {
        Some(line) if data => {
            eprintln!("{line}");
            report.to_owned()
        }
        Some(line) => format!("{line}\n{report}"),
        None => report.to_owned(),
    };
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn load_model(path: &Path) -> anyhow::Result<Graph> {
    match onnx::load(path, &ImportOptions::default()) {
        // It names the file already.
        Err(error @ OnnxError::Io { .. }) => Err(error.into()),
        loaded => loaded.with_context(|| path.display().to_string()),
    }
}

/// Reads the images of every input, as many of each as of the first.
fn read_inputs(arguments: &[String], ports: &[Port], images: (usize, &str)) -> anyhow::Result<Vec<Array>> {
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    let paths = numbers::by_name(arguments, &names)?;
    let read = |(path, port): (_, &Port)| numbers::read(path, Wanted { name: &port.name, shape: &port.shape, images });
    let arrays: Vec<Array> = paths.iter().map(|p| p.as_path()).zip(ports).map(read).collect::<Result<_, _>>()?;
    let count = |array: &Array| array.dims.first().copied().unwrap_or(0);
    if let Some(first) = arrays.first().map(count) {
        for (array, name) in arrays.iter().zip(&names) {
            let found = count(array);
            anyhow::ensure!(found == first, "input {name:?} has {found} images, the first input {first}");
        }
    }
    Ok(arrays)
}
