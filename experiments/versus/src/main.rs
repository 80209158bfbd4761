//! Henge beside its peers: the same operation on the same parameters, turn by turn in one process.

#![deny(unsafe_code)]

mod args;
mod bars;
mod butterfly;
mod contest;
mod cryptonets;
mod limit;
mod parts;
mod record;
mod report;
mod rows;
mod seal;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use he_ring::Isa;

use crate::args::Args;
use crate::contest::Plan;
use crate::limit::Processor;
use crate::record::{Machine, Record};
use crate::rows::Setting;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let threads = args.threads.map_or_else(machine::processors, usize::from);
    if let Some(contender) = &args.peak_of {
        println!("{}", rows::cryptonets::peak_of(contender, threads, args.quick)?);
        return Ok(());
    }
    // Work of one thread stays on this one, as SEAL's does: the main thread is the only one of the current pool.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build()?;
    let processor = Processor::measure(args.quick);
    let setting = Setting {
        patterns: args.rows.clone(),
        isas: isas(args)?,
        threads,
        plan: plan(args),
        quick: args.quick,
        processor,
    };
    let busy = machine::Busy::now();
    println!("{}", report::text::head(&setting));
    let mut before = Vec::new();
    let rows = rows::measure_all(&setting, &mut |row| {
        println!("{}", report::text::line(row, &before));
        before.push(row.clone());
    })?;
    drop(pool);
    let machine = Machine {
        processor: machine::processor(),
        processors: machine::processors(),
        instruction_sets: Isa::available().iter().map(|isa| isa.name().to_owned()).collect(),
        others: machine::others_since(busy),
        seal: seal::describe(),
        date: machine::today(),
        command: command(),
        measured: processor,
    };
    let record = Record { machine, rows };
    println!("{}", report::text::foot(&record));
    if let Some(path) = &args.json {
        write(path, &(serde_json::to_string_pretty(&record)? + "\n"))?;
    }
    if let Some(path) = &args.html {
        write(path, &report::html::page(&record))?;
    }
    if let Some(path) = &args.readme {
        let found = std::fs::read_to_string(at(path)).with_context(|| format!("{} cannot be read", path.display()))?;
        let text = report::markdown::written_into(&found, &record).with_context(|| path.display().to_string())?;
        write(path, &text)?;
    }
    Ok(())
}

/// Those that were asked for; else AVX2, which the bars are for, and the best one.
fn isas(args: &Args) -> anyhow::Result<Vec<Isa>> {
    if !args.isa.is_empty() {
        return args.isa.iter().map(|name| Ok(Isa::by_name(name)?)).collect();
    }
    let best = Isa::best()?;
    let avx2 = Isa::available().into_iter().find(|isa| isa.name() == "avx2" && *isa != best && best != Isa::Scalar);
    Ok(avx2.into_iter().chain([best]).collect())
}

fn plan(args: &Args) -> Plan {
    if args.quick {
        Plan { rounds: 1, sample: Duration::ZERO, patience: Duration::ZERO }
    } else {
        let rounds = usize::from(args.rounds);
        Plan { rounds, sample: Duration::from_millis(5), patience: Duration::from_secs(12) }
    }
}

/// How this run was started.
fn command() -> String {
    let program = match std::env::var_os("BUILD_WORKING_DIRECTORY") {
        Some(_) => "./bazelw run //experiments:versus --",
        None => "versus",
    };
    let words = std::iter::once(program.to_owned()).chain(std::env::args().skip(1));
    words.collect::<Vec<_>>().join(" ").trim_end_matches(" --").to_owned()
}

/// Under `bazel run` the user stands elsewhere.
fn at(path: &Path) -> PathBuf {
    std::env::var_os("BUILD_WORKING_DIRECTORY").map_or_else(PathBuf::new, PathBuf::from).join(path)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let path = at(path);
    std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}
