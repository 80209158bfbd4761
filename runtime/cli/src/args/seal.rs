//! The command line of `henge seal`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// Moves parameters, keys and ciphertexts between Microsoft SEAL's files and Henge's.
#[derive(Debug, Subcommand)]
pub(crate) enum Seal {
    #[command(subcommand)]
    Import(Import),
    #[command(subcommand)]
    Export(Export),
    Inspect(Inspect),
    Decrypt(Decrypt),
}

/// Reads SEAL's files and writes Henge's.
#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    Parameters(ImportParameters),
    SecretKey(ImportKey),
    PublicKey(ImportKey),
    RelinearizationKeys(ImportKey),
    GaloisKeys(ImportKey),
    EvaluationKeys(ImportEvaluationKeys),
    Ciphertexts(ImportCiphertexts),
}

/// Encryption parameters become a JSON literal; its security is judged by the standard of 2018, as SEAL does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal import parameters parms.seal --output params.json")]
pub(crate) struct ImportParameters {
    /// SEAL's encryption parameters
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// log2 of the scale of fresh messages, which SEAL's parameters do not name [default: the size of the prime that the
    /// first rescale divides by; half of the only one]
    #[arg(long, value_name = "BITS")]
    pub(crate) log_scale: Option<f64>,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Keys of one kind; relinearization and Galois keys for one run come in together, as evaluation keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal import secret-key secret.seal --params params.json --output secret.key")]
pub(crate) struct ImportKey {
    /// SEAL's key
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) under: Under,

    /// A file of Henge's that the same key pair made: the new one is marked as belonging to it [default: a new mark]
    #[arg(long, value_name = "FILE")]
    pub(crate) pair: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Relinearization and Galois keys, which Henge keeps together.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge seal import evaluation-keys --relinearization relin.seal --galois galois.seal --params params.json --pair secret.key --output evaluation.keys"
)]
pub(crate) struct ImportEvaluationKeys {
    /// SEAL's relinearization keys
    #[arg(long, value_name = "FILE", required_unless_present = "galois")]
    pub(crate) relinearization: Option<PathBuf>,

    /// SEAL's Galois keys
    #[arg(long, value_name = "FILE")]
    pub(crate) galois: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) under: Under,

    /// A file of Henge's that the same key pair made: the new one is marked as belonging to it [default: a new mark]
    #[arg(long, value_name = "FILE")]
    pub(crate) pair: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Ciphertexts, in the order of the model's inputs and of the elements of each.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge seal import ciphertexts pixels.seal --params model.json --pair evaluation.keys --output images.ct"
)]
pub(crate) struct ImportCiphertexts {
    /// SEAL's ciphertexts; a file may hold several, one after the other
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) under: Under,

    /// A file of Henge's that the key pair made under which these are encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) pair: PathBuf,

    /// Images in the batch [default: as many as there are slots]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) images: Option<u32>,

    /// They are the model's outputs, for henge decrypt, and not its inputs
    #[arg(long)]
    pub(crate) outputs: bool,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Reads Henge's files and writes SEAL's.
#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    Parameters(ExportParameters),
    SecretKey(ExportObject),
    PublicKey(ExportObject),
    RelinearizationKeys(ExportObject),
    GaloisKeys(ExportObject),
    EvaluationKeys(ExportEvaluationKeys),
    Ciphertexts(ExportCiphertexts),
}

/// Parameters, from an interface or a literal.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal export parameters --params model.json --output parms.seal")]
pub(crate) struct ExportParameters {
    #[command(flatten)]
    pub(crate) under: Under,

    #[command(flatten)]
    pub(crate) form: Form,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Keys.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge seal export relinearization-keys evaluation.keys --params model.json --output relin.seal"
)]
pub(crate) struct ExportObject {
    /// Henge's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) under: Under,

    #[command(flatten)]
    pub(crate) form: Form,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Relinearization and Galois keys, each kind in a file of its own, as SEAL has them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge seal export evaluation-keys evaluation.keys --params model.json --relinearization relin.seal --galois galois.seal"
)]
pub(crate) struct ExportEvaluationKeys {
    /// Henge's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Where to write the relinearization keys
    #[arg(long, value_name = "OUT", required_unless_present = "galois")]
    pub(crate) relinearization: Option<PathBuf>,

    /// Where to write the Galois keys
    #[arg(long, value_name = "OUT")]
    pub(crate) galois: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) under: Under,

    #[command(flatten)]
    pub(crate) form: Form,

    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ciphertexts, one after the other as SEAL's load reads them from a stream.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal export ciphertexts logits.ct --params model.json --output logits.seal")]
pub(crate) struct ExportCiphertexts {
    /// Henge's file, of inputs or outputs
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) under: Under,

    #[command(flatten)]
    pub(crate) form: Form,

    /// A file for each ciphertext, numbered from 0 before the extension
    #[arg(long)]
    pub(crate) each: bool,

    #[command(flatten)]
    pub(crate) to: To,
}

/// Says what one of SEAL's files holds.
///
/// SEAL's files do not say what they are: the fields at the front are looked at, and with parameters every residue is checked and keys are
/// told from messages.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal inspect x.seal --parms parms.seal")]
pub(crate) struct Inspect {
    /// SEAL's file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// SEAL's parameters (or Henge's): the file is checked against them, whole
    #[arg(long, value_name = "FILE")]
    pub(crate) parms: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Decrypts SEAL's ciphertexts with SEAL's key, and prints slots and scales.
///
/// What is decrypted still carries noise that depends on the key: publishing all digits of many results can reveal it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  henge seal decrypt --parms parms.seal --secret-key secret.seal x.seal --json")]
pub(crate) struct Decrypt {
    /// SEAL's ciphertexts; a file may hold several, one after the other
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// SEAL's parameters (or Henge's)
    #[arg(long, value_name = "FILE")]
    pub(crate) parms: PathBuf,

    /// SEAL's secret key
    #[arg(long, value_name = "FILE")]
    pub(crate) secret_key: PathBuf,

    /// Slots to print, from the first [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<usize>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What parameters an object belongs to.
#[derive(Debug, clap::Args)]
pub(crate) struct Under {
    /// Interface of the model, a JSON parameter literal, or SEAL's parameters
    #[arg(long, value_name = "FILE")]
    pub(crate) params: PathBuf,
}

/// Where a file goes.
#[derive(Debug, clap::Args)]
pub(crate) struct To {
    /// Where to write
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,

    /// Replace a file that exists
    #[arg(long)]
    pub(crate) force: bool,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How SEAL's files are written.
#[derive(Debug, clap::Args)]
pub(crate) struct Form {
    /// How to compress [default: zstd; none for a secret key, of which a compressor would keep a copy]
    #[arg(long, value_enum)]
    pub(crate) compression: Option<Compression>,

    /// Minor version of the SEAL that will read: 4.1 is read by 4.1 and by 4.4 and later, 4.0, 4.2 and 4.3 each by itself and by 4.4 and later
    #[arg(long, value_name = "4.M", default_value = "4.1", value_parser = minor)]
    pub(crate) seal: u8,
}

/// How to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    /// Not at all
    None,
    /// zlib
    Zlib,
    /// Zstandard, the default of SEAL
    Zstd,
}

fn minor(text: &str) -> Result<u8, String> {
    text.strip_prefix("4.").and_then(|minor| minor.parse().ok()).ok_or_else(|| "expected 4.0, 4.1, ..".to_owned())
}
