//! The command line.

pub(crate) mod network;
pub(crate) mod seal;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use he_params::RingType;
use transforms::Activation;

/// Runs trained neural networks on encrypted data.
///
/// The model owner explains and runs, the key owner makes keys, encrypts and decrypts; the files in between are all that either sees
/// of the other.
#[derive(Debug, Parser)]
#[command(name = "henge", version, propagate_version = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Accept parameters below 128 bits of security; every report then begins by saying so
    #[arg(long, global = true)]
    pub(crate) insecure: bool,

    /// Threads [default: all processors]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Say what is being done, and how long it took
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Calibrate(Calibrate),
    Explain(Explain),
    Keygen(Keygen),
    Encrypt(Encrypt),
    Run(Run),
    Decrypt(Decrypt),
    Serve(network::Serve),
    Infer(network::Infer),
    #[command(subcommand)]
    Seal(seal::Seal),
}

/// Times this machine for a second or two, and writes the costs that explain goes by.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge calibrate --output costs.json\n  henge explain model.onnx --cost-model costs.json"
)]
pub(crate) struct Calibrate {
    /// Where to write the costs
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Print the costs as passes/transforms/src/cost/model.rs has them built in, in place of the JSON
    #[arg(long)]
    pub(crate) rust: bool,
}

/// Compiles a model and shows what will run: parameters, security, levels, scales, ranges, forecast time and memory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge explain model.onnx --calibration samples.npy --params-out model.json")]
pub(crate) struct Explain {
    /// The network
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,

    /// Write the interface: parameters, inputs and outputs, all that the key owner needs
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) params_out: Option<PathBuf>,

    /// Use these parameters (a JSON literal) instead of choosing
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,

    /// Sample inputs (.npy, .json or .csv), NAME=FILE where the model has several inputs
    #[arg(long, value_name = "FILE")]
    pub(crate) calibration: Vec<String>,

    /// Lowest and highest number of an input, NAME=LO,HI for one of several [default: 0,1]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true)]
    pub(crate) input_range: Vec<String>,

    /// Factor on what the samples reach
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    pub(crate) margin: f64,

    /// Costs that calibrate measured [default: the file that HENGE_COST_MODEL names, else constants built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) cost_model: Option<PathBuf>,

    /// Images that one batch must have room for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) batch_size: u32,

    /// The ring: cyclotomic, whose files SEAL reads, or conjugate-invariant, which holds twice as many images where they lie one to a slot
    #[arg(long, value_name = "RING", default_value_t, conflicts_with = "params")]
    pub(crate) ring: RingType,

    /// Bits between the outputs' magnitude and the bound on their error
    #[arg(long, value_name = "BITS", default_value_t = transforms::DEFAULT_PRECISION_BITS)]
    pub(crate) precision_bits: f64,

    /// Inputs will be encrypted under the public key, which leaves more noise
    #[arg(long)]
    pub(crate) public_key: bool,

    /// Keep relinearize and rescale two operations, as SEAL has them: for run --backend seal, or to have SEAL's residues
    #[arg(long)]
    pub(crate) seal_exact: bool,

    /// Who computes a function between linear layers: client (exactly, and the key owner sees its numbers, which tell the weights around) or
    /// polynomial (on ciphertexts, near the function); for one node, or for all that are not named [default: squares on ciphertexts, all others by
    /// the client]
    #[arg(long, value_name = "[NODE=]client|polynomial", value_parser = activation)]
    pub(crate) activation: Vec<(Option<String>, Activation)>,

    /// Leave room for random factors and a random order of what the client sees, drawn when the model is served: they hide the weights up to
    /// both, not a network that computes the same
    #[arg(long)]
    pub(crate) mask_channels: bool,

    /// Ciphertexts of a tile, about, for the forecast of memory and requests of a model that the client helps with
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tile_values: u32,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Makes a secret key and the evaluation keys that go with it.
///
/// The secret key reads everything encrypted under it and never leaves its owner; the evaluation keys are for whoever runs the model.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge keygen --params model.json --secret-key secret.key --evaluation-keys evaluation.keys"
)]
pub(crate) struct Keygen {
    /// Interface of the model, or a JSON parameter literal
    #[arg(long, value_name = "FILE")]
    pub(crate) params: PathBuf,

    /// Where to write the secret key (readable by its owner only)
    #[arg(long, value_name = "OUT")]
    pub(crate) secret_key: PathBuf,

    /// Where to write the evaluation keys
    #[arg(long, value_name = "OUT")]
    pub(crate) evaluation_keys: PathBuf,

    /// Where to write a public key, with which others can encrypt
    #[arg(long, value_name = "OUT")]
    pub(crate) public_key: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,

    /// 64 hexadecimal digits to draw the keys from: FOR TESTS ONLY, who knows them has the key [default: the operating system]
    #[arg(long, value_name = "HEX", value_parser = seed)]
    pub(crate) seed: Option<TestSeed>,
}

/// Encrypts a batch of images.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge encrypt --params model.json --secret-key secret.key --input images.npy --output images.ct"
)]
pub(crate) struct Encrypt {
    /// Interface of the model
    #[arg(long, value_name = "FILE")]
    pub(crate) params: PathBuf,

    /// The secret key
    #[arg(long, value_name = "FILE", required_unless_present = "public_key", conflicts_with = "public_key")]
    pub(crate) secret_key: Option<PathBuf>,

    /// A public key in place of the secret one (files are about twice as large)
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,

    /// Images (.npy of f32 or f64, .json or .csv), axis 0 the batch; NAME=FILE where the model has several inputs
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) input: Vec<String>,

    /// Where to write the encrypted images
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Runs a model on encrypted images, without any secret.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge run model.onnx --params model.json --evaluation-keys evaluation.keys --input images.ct --output logits.ct"
)]
pub(crate) struct Run {
    /// The network
    #[arg(value_name = "MODEL.onnx")]
    pub(crate) model: PathBuf,

    /// Interface that explain wrote for this model
    #[arg(long, value_name = "FILE")]
    pub(crate) params: PathBuf,

    /// The evaluation keys
    #[arg(long, value_name = "FILE", required_if_eq_any([("backend", "ckks"), ("backend", "seal")]))]
    pub(crate) evaluation_keys: Option<PathBuf>,

    /// Encrypted images; images in the clear (.npy, .json, .csv) with --backend clear
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) input: Vec<String>,

    /// Where to write the encrypted logits; logits in the clear (.npy, .json, .csv) with --backend clear
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// What computes
    #[arg(long, value_enum, default_value_t = Backend::Ckks)]
    pub(crate) backend: Backend,

    /// Print the times of all operations as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// Ciphertexts
    Ckks,
    /// Numbers in the clear, with the very weights that the ciphertexts meet
    Clear,
    /// Ciphertexts, computed on by Microsoft SEAL
    Seal,
}

/// Decrypts logits.
///
/// What is decrypted still carries noise that depends on the key: publishing all digits of many results can reveal it. Share labels or
/// rounded numbers.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge decrypt --params model.json --secret-key secret.key --input logits.ct --argmax"
)]
pub(crate) struct Decrypt {
    /// Interface of the model
    #[arg(long, value_name = "FILE")]
    pub(crate) params: PathBuf,

    /// The secret key
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key: PathBuf,

    /// Encrypted logits
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,

    /// Where to write the logits (.npy, .json or .csv) [default: printed]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print the index of the largest logit of each image
    #[arg(long)]
    pub(crate) argmax: bool,
}

/// A seed from the command line; not printed.
#[derive(Clone)]
pub(crate) struct TestSeed(pub(crate) [u8; 32]);

impl std::fmt::Debug for TestSeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestSeed(..)")
    }
}

fn activation(text: &str) -> Result<(Option<String>, Activation), String> {
    let (node, choice) = text.rsplit_once('=').map_or((None, text), |(node, choice)| (Some(node.to_owned()), choice));
    match choice {
        "client" => Ok((node, Activation::Client)),
        "polynomial" => Ok((node, Activation::Polynomial)),
        _ => Err("expected client, polynomial, NODE=client or NODE=polynomial".into()),
    }
}

fn seed(text: &str) -> Result<TestSeed, String> {
    protocol::Digest::from_hex(text)
        .map(|seed| TestSeed(seed.0))
        .ok_or_else(|| "expected 64 hexadecimal digits".to_owned())
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
    fn every_command_has_an_example() {
        fn check(command: &clap::Command) {
            if command.has_subcommands() {
                return command.get_subcommands().for_each(check);
            }
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.starts_with("Example:\n  henge "), "{}", command.get_name());
        }
        Args::command().get_subcommands().for_each(check);
    }
}
