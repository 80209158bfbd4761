//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Henge beside Microsoft SEAL, concrete-ntt and tfhe-ntt: the same operations on the same parameters, turn by turn.
#[derive(Clone, Debug, Parser)]
#[command(name = "versus", version)]
pub(crate) struct Args {
    /// Only the rows whose name contains one of these
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) rows: Vec<String>,

    /// Rounds, at most: samples of each contender of a row
    #[arg(long, default_value_t = 41, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) rounds: u16,

    /// Instruction sets of Henge's kernels [default: AVX2, and the best there is]
    #[arg(long, value_name = "ISA", value_delimiter = ',')]
    pub(crate) isa: Vec<String>,

    /// Threads of the rows that use all [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// As short as possible: for tests of the program, not of the speed
    #[arg(long)]
    pub(crate) quick: bool,

    /// Run CryptoNets by one contender and print the bytes that this process held at most
    #[arg(long, value_name = "CONTENDER", hide = true)]
    pub(crate) peak_of: Option<String>,

    /// Where to write the rows
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Where to write the page
    #[arg(long, value_name = "FILE.html")]
    pub(crate) html: Option<PathBuf>,

    /// A README whose table, between `<!-- rows -->` and `<!-- /rows -->`, is written anew
    #[arg(long, value_name = "FILE.md")]
    pub(crate) readme: Option<PathBuf>,
}
