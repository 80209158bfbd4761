//! `henge`: a trained network on encrypted data, step by step, with files between the steps.
//!
//! ```text
//! explain   model           -> what will run, and the interface file        model owner
//! keygen    interface       -> secret key, evaluation keys                  key owner
//! encrypt   interface, key  -> encrypted images                             key owner
//! run       model, interface, evaluation keys, images -> encrypted logits   model owner
//! decrypt   interface, key  -> logits                                       key owner
//! ```
//!
//! `serve` and `infer` are the same two parties at the two ends of a network, with activations that the key owner computes.
//!
//! `seal` moves parameters, keys and ciphertexts between Microsoft SEAL's files and these. `calibrate` times the machine that will run, for better forecasts and choices in `explain`.

#![forbid(unsafe_code)]

mod args;
mod bundle;
mod commands;
mod files;
mod identity;
mod interface;
mod keys;
mod numbers;
mod progress;
mod security;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    match execute(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("henge: error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// The causes of an error, outermost first, on one line; a cause that the one before already tells is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    let mut before = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if before.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
        before = cause;
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn execute(args: &Args) -> anyhow::Result<()> {
    // Under `bazel run` the program starts among its data; the user's paths are meant from where the user stands.
    if let Some(stands) = std::env::var_os("BUILD_WORKING_DIRECTORY") {
        let folder = Path::new(&stands);
        std::env::set_current_dir(folder).with_context(|| format!("cannot go to {}", folder.display()))?;
    }
    if let Some(threads) = args.threads {
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
    }
    match &args.command {
        Command::Calibrate(command) => commands::calibrate(args, command),
        Command::Explain(command) => commands::explain(args, command),
        Command::Keygen(command) => commands::keygen(args, command),
        Command::Encrypt(command) => commands::encrypt(args, command),
        Command::Run(command) => commands::run(args, command),
        Command::Decrypt(command) => commands::decrypt(args, command),
        Command::Serve(command) => commands::serve(args, command),
        Command::Infer(command) => commands::infer(args, command),
        Command::Seal(command) => commands::seal(args, command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once_and_on_one_line() {
        let cause = anyhow::anyhow!("no such\n file");
        let error = cause.context("cannot read x: no such\n file").context("model");
        assert_eq!(one_line(&error), "model: cannot read x: no such file");
    }
}
