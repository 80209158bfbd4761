//! CryptoNets reproduced: all test images encrypted, classified and decrypted, held against the clear.
//!
//! Source: \[CN16\].

#![forbid(unsafe_code)]

mod args;
mod measure;
mod model;
mod page;
mod progress;
mod record;
mod run;
mod summary;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::args::Args;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether the gate let the run pass.
fn run(args: &Args) -> anyhow::Result<bool> {
    let threads = args.threads.map_or_else(machine::processors, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let outcome = pool.install(|| measure::measure(args, threads))?;
    println!("{}", summary::summary(&outcome.record));
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&outcome.record)?;
        write(&datasets::of_user(path), &(json + "\n"))?;
    }
    if let Some(path) = &args.report {
        write(&datasets::of_user(path), &page::page(&outcome.report())?)?;
    }
    Ok(outcome.record.gate.passed)
}

fn write(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{:<22}{}", "written", path.display());
    Ok(())
}
