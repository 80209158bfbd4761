//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use parties::Link;

/// CryptoNets-ReLU on encrypted test images: a server computes the linear layers, a client the activations, over TLS.
///
/// Exits with 1 when an encrypted label differs from the clear one or a logit is off by more than 1e-2 of the logit range.
#[derive(Clone, Debug, Parser)]
#[command(name = "cryptonets_relu", version)]
pub(crate) struct Args {
    /// Model to run: an ONNX file whose input is 1x28x28 pixels in [0, 1] [default: the committed one]
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) model: Option<PathBuf>,

    /// Images in one batch, two to a slot
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch_size: u32,

    /// Bits between the outputs' typical magnitude and the bound on their error
    #[arg(long, default_value_t = 9.0)]
    pub(crate) precision_bits: f64,

    /// Threads of each party [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Number of test images, the first ones
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) images: u32,

    /// Put an emulated network between the parties: Gbit/s and milliseconds one way, as in 1,0.1
    #[arg(long, value_name = "GBIT,MS", value_parser = Link::parse)]
    pub(crate) link: Option<Link>,

    /// Where to write the record of the run
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Which party this process is; the client starts the server by itself
    #[arg(long, value_enum, default_value_t = Party::Client, hide = true)]
    pub(crate) party: Party,
}

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Party {
    /// Has the images and the key.
    Client,
    /// Has the model.
    Server,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
        assert_eq!(Args::parse_from(["cryptonets_relu"]).party, Party::Client);
        let args = Args::parse_from(["cryptonets_relu", "--link", "1,0.5"]);
        assert_eq!(args.link, Some(Link { bits_per_second: 1e9, delay: 5e-4 }));
    }

    #[test]
    fn out_of_range_is_refused() {
        for wrong in [["--images", "0"], ["--batch-size", "0"], ["--threads", "0"], ["--link", "0,1"], ["--link", "1"]]
        {
            assert!(Args::try_parse_from(["cryptonets_relu"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
