//! The command line.

use std::path::PathBuf;

use clap::Parser;
use parties::Options;

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

    /// Number of test images, the first ones
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) images: u32,

    #[command(flatten)]
    pub(crate) options: Options,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
        assert_eq!(Args::parse_from(["cryptonets_relu"]).batch_size, 2048);
    }

    #[test]
    fn out_of_range_is_refused() {
        for wrong in [["--images", "0"], ["--batch-size", "0"]] {
            assert!(Args::try_parse_from(["cryptonets_relu"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
