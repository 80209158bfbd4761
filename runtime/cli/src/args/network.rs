//! The command line of `henge serve` and `henge infer`.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs models for clients over the network, without seeing their data.
///
/// Clients are told apart by bearer tokens or by certificates; without TLS the server listens on a loopback address only. It serves until it is
/// interrupted or terminated, then lets running inferences end. Logs go to standard error, as HENGE_LOG says [default: info].
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge serve --model digits=model.onnx,model.json --certificate server.pem --key server.key --tokens tokens.txt\n\nA line of the file of tokens is a name and the SHA-256 of the token:\n  TOKEN=$(openssl rand -hex 32); echo \"ward $(printf %s $TOKEN | sha256sum | cut -c1-64)\" >> tokens.txt"
)]
pub(crate) struct Serve {
    /// A model: its name, the network, and the interface that explain wrote for it
    #[arg(long, value_name = "NAME=MODEL.onnx,INTERFACE.json", required = true, value_parser = served)]
    pub(crate) model: Vec<Served>,

    /// Where clients come
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7700")]
    pub(crate) listen: SocketAddr,

    /// The server's certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key", required_unless_present = "insecure_no_tls")]
    pub(crate) certificate: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,

    /// Whoever signs certificates of clients (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) client_authority: Option<PathBuf>,

    /// Clients' names, and the SHA-256 of their tokens
    #[arg(long, value_name = "FILE")]
    pub(crate) tokens: Option<PathBuf>,

    /// Speak plaintext, to clients on this machine only; with no tokens, to anybody on it
    #[arg(long, conflicts_with = "certificate")]
    pub(crate) insecure_no_tls: bool,

    /// Serve /metrics and /healthz on this loopback address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,

    /// Gigabytes that live tiles of all inferences may take together
    #[arg(long, value_name = "GB", default_value_t = 8.0)]
    pub(crate) memory: f64,

    /// Inferences at one time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) sessions: u16,

    /// Inferences of one client at one time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) sessions_per_client: u16,

    /// Images that one client may have classified in a day [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) images_per_client: Option<u64>,

    /// Gigabytes that one client may send in a day
    #[arg(long, value_name = "GB", default_value_t = 1000.0)]
    pub(crate) gigabytes_per_client: f64,

    /// Seconds that one inference may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) deadline: u32,

    /// Seconds for which an inference waits for a client that was cut off
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) resume_window: u32,

    /// Seconds that running inferences have when the server stops
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) grace: u32,

    /// Ciphertexts that travel at a time
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) tile_values: u32,

    /// Elements of a tile travel in random order, where each result needs one element alone
    #[arg(long)]
    pub(crate) shuffle: bool,

    /// Make results fresh and add normal noise of this standard deviation
    #[arg(long, value_name = "STD_DEV")]
    pub(crate) flooding: Option<f64>,

    /// Logs as JSON, one object a line
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// A model of a server.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) model: PathBuf,
    pub(crate) interface: PathBuf,
}

fn served(text: &str) -> Result<Served, String> {
    let parts = text.split_once('=').and_then(|(name, files)| Some((name, files.split_once(',')?)));
    match parts {
        Some((name, (model, interface))) if !name.is_empty() => {
            Ok(Served { name: name.to_owned(), model: model.into(), interface: interface.into() })
        }
        _ => Err("expected NAME=MODEL.onnx,INTERFACE.json".to_owned()),
    }
}

/// Has images classified by a server that does not see them.
///
/// Keys are made for this one command and never leave it; a connection that breaks is taken up again.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge infer --server https://henge.example:7700 --authority ca.pem --token-file token --model digits --input images.npy --top 1"
)]
pub(crate) struct Infer {
    /// The server: https://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,

    /// The model [default: the server's only one]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,

    /// Images (.npy of f32 or f64, .json or .csv), axis 0 the batch; NAME=FILE where the model has several inputs
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) input: Vec<String>,

    /// Where to write the logits (.npy, .json or .csv) [default: printed]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Print of each image the indices of the N largest logits, and nothing else
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: Option<u16>,

    /// Refuse any other model than the one of this interface
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,

    /// Whoever signed the server's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,

    /// The client's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_certificate: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    pub(crate) client_key: Option<PathBuf>,

    /// A file that holds the bearer token
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,

    /// Speak plaintext, with a server on this machine only
    #[arg(long)]
    pub(crate) insecure_no_tls: bool,

    /// Seconds that the inference may take [default: as long as the server allows]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) deadline: Option<u32>,

    /// Fail when the server has lost the inference, instead of beginning anew
    #[arg(long)]
    pub(crate) no_restart: bool,

    /// Print a record of time and bytes as JSON to standard error
    #[arg(long)]
    pub(crate) json: bool,
}
