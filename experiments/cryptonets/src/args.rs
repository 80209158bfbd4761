//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use datasets::Dataset;
use he_params::RingType;

/// CryptoNets on encrypted test images: encrypts them, runs the network, decrypts the logits, compares with the clear.
///
/// Exits with 1 when the encrypted labels agree with the clear ones on fewer than 99.95 % of the images or a logit is
/// off by more than 1e-2 of the logit range.
#[derive(Clone, Debug, Parser)]
#[command(name = "cryptonets", version)]
pub(crate) struct Args {
    /// Model to run: an ONNX file whose input is 1x28x28, 28x28x1 or 784 pixels in [0, 1] [default: the committed one]
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) model: Option<PathBuf>,

    /// Test images to classify
    #[arg(long, value_enum, default_value_t = DatasetName::Mnist)]
    pub(crate) dataset: DatasetName,

    /// Images in one batch, at most the slots of a ciphertext
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) batch_size: u32,

    /// The ring: cyclotomic, or conjugate-invariant, where a ciphertext has twice as many slots
    #[arg(long, value_name = "RING", default_value_t)]
    pub(crate) ring: RingType,

    /// Bits between the logits' magnitude and the bound on their error
    #[arg(long, value_name = "BITS", default_value_t = transforms::DEFAULT_PRECISION_BITS)]
    pub(crate) precision_bits: f64,

    /// Threads [default: all processors]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Number of test images, the first ones
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) images: u32,

    /// Seed of every key and every encryption, up to 64 hexadecimal digits [default: from the operating system]
    #[arg(long, value_name = "HEX", value_parser = parse_seed)]
    pub(crate) seed: Option<Seed>,

    /// Take the smallest parameters that compute correctly, whatever their security: for quick tests only
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Where to write the page with the figures
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Where to write the record of the run
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// A data set by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DatasetName {
    /// Handwritten digits
    Mnist,
    /// Articles of clothing
    Fashion,
}

impl From<DatasetName> for Dataset {
    fn from(name: DatasetName) -> Dataset {
        match name {
            DatasetName::Mnist => Dataset::Mnist,
            DatasetName::Fashion => Dataset::Fashion,
        }
    }
}

/// 32 bytes from which every random number of a run is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(pub(crate) [u8; 32]);

impl Seed {
    /// A fresh one from the operating system.
    pub(crate) fn fresh() -> anyhow::Result<Seed> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
        Ok(Seed(bytes))
    }

    /// As 64 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A number in hexadecimal, the last digit in the last byte.
fn parse_seed(text: &str) -> Result<Seed, String> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).map(|d| d as u8))
        .collect::<Option<_>>()
        .ok_or("only the digits 0-9 and a-f")?;
    if digits.is_empty() || digits.len() > 64 {
        return Err(format!("{} digits, 1 to 64 expected", digits.len()));
    }
    let mut seed = Seed([0; 32]);
    for (byte, pair) in seed.0.iter_mut().rev().zip(digits.rchunks(2)) {
        *byte = pair.iter().fold(0, |byte, digit| (byte << 4) | digit);
    }
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds() {
        Args::command().debug_assert();
    }

    #[test]
    fn seeds_are_numbers() {
        let seed = parse_seed("1f3").unwrap();
        assert_eq!((seed.0[30], seed.0[31]), (1, 0xf3));
        assert!(seed.0[..30].iter().all(|b| *b == 0));
        assert_eq!(parse_seed(&seed.hex()), Ok(seed));
        assert_eq!(parse_seed(&"f".repeat(64)).unwrap().0, [255; 32]);
        for wrong in ["", "0x1", "g", &"0".repeat(65)] {
            assert!(parse_seed(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn out_of_range_is_refused() {
        for wrong in [["--images", "0"], ["--images", "10001"], ["--batch-size", "0"], ["--threads", "0"]] {
            assert!(Args::try_parse_from(["cryptonets"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
    }
}
