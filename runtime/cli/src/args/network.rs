//! The command line of `henge serve` and `henge infer`.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Runs models for clients over the network, without seeing their data.
///
/// Clients are told apart by bearer tokens or by certificates; without TLS the server listens on a loopback address only. It serves until it is
/// interrupted or terminated, then lets running inferences end. Logs go to standard error, as HENGE_LOG says [default: info];
/// info,server=debug has the seconds of each layer too.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  henge serve --model digits=model.onnx,model.json --certificate server.pem --key server.key --tokens tokens.txt\n\nA line of the file of tokens is a name and the SHA-256 of the token:\n  TOKEN=$(openssl rand -hex 32); echo \"ward $(printf %s $TOKEN | sha256sum | cut -c1-64)\" >> tokens.txt"
)]
pub(crate) struct Serve {
    /// A model: its name, the network, the interface that explain wrote for it, and options of this model alone
    ///
    /// shuffle: elements of a tile travel in random order, where each result needs one element alone; hides nothing from a client that looks at ciphertexts.
    /// flooding=STD_DEV: make results fresh and add normal noise of this standard deviation; tiles that the client refreshes are sent as computed.
    /// tile=N: ciphertexts that travel at a time [default: --tile-values].
    /// in-flight=N: requests that are open at one time [default: --in-flight].
    #[arg(long, value_name = "NAME=MODEL.onnx,INTERFACE.json[,OPTION..]", required = true, value_parser = served)]
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

    /// Gigabytes that live tiles of all inferences and the keys that they hold may take together
    #[arg(long, value_name = "GB", default_value_t = 8.0)]
    pub(crate) memory: f64,

    /// Inferences at one time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) sessions: u16,

    /// Inferences of one client at one time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) sessions_per_client: u16,

    /// Inferences that one client may begin in a day [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) inferences_per_client: Option<u64>,

    /// Images that one client may have classified in a day [default: no limit]
    ///
    /// An inference is charged with all the images that its ciphertexts have room for, whatever the client says it filled: the server cannot see.
    #[arg(long, value_name = "N")]
    pub(crate) images_per_client: Option<u64>,

    /// Gigabytes that one client may send in a day
    #[arg(long, value_name = "GB", default_value_t = 1000.0)]
    pub(crate) gigabytes_per_client: f64,

    /// Seconds that one inference may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) deadline: u32,

    /// Seconds for which a client that owes an answer may be silent
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) answer_timeout: u32,

    /// Seconds that a TLS handshake, and then the first message, may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) handshake_timeout: u32,

    /// Gigabytes of evaluation keys that are kept for the next inference
    #[arg(long, value_name = "GB", default_value_t = 2.0)]
    pub(crate) key_cache: f64,

    /// Seconds for which an inference waits for a client that was cut off
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) resume_window: u32,

    /// Seconds that running inferences have when the server stops
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) grace: u32,

    /// Ciphertexts that travel at a time
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) tile_values: u32,

    /// Requests to a client that are open at one time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=128))]
    pub(crate) in_flight: u16,

    /// Logs as JSON, one object a line
    #[arg(long)]
    pub(crate) log_json: bool,
}

/// A model of a server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Served {
    pub(crate) name: String,
    pub(crate) model: PathBuf,
    pub(crate) interface: PathBuf,
    pub(crate) shuffle: bool,
    pub(crate) flooding: Option<f64>,
    pub(crate) tile: Option<usize>,
    pub(crate) in_flight: Option<usize>,
}

fn served(text: &str) -> Result<Served, String> {
    let expected = || "expected NAME=MODEL.onnx,INTERFACE.json[,OPTION..]".to_owned();
    let (name, rest) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(expected)?;
    let mut parts = rest.split(',');
    let (Some(model), Some(interface)) = (parts.next(), parts.next()) else { return Err(expected()) };
    if model.is_empty() || interface.is_empty() {
        return Err(expected());
    }
    let mut served = Served {
        name: name.to_owned(),
        model: model.into(),
        interface: interface.into(),
        shuffle: false,
        flooding: None,
        tile: None,
        in_flight: None,
    };
    for option in parts {
        let (key, value) = option.split_once('=').map_or((option, None), |(key, value)| (key, Some(value)));
        let count = |most: usize| {
            let count = value.and_then(|value| value.parse().ok()).filter(|count| (1..=most).contains(count));
            count.map(Some).ok_or_else(|| format!("{option:?}: expected {key}=N, N from 1 to {most}"))
        };
        match (key, value) {
            ("shuffle", None) => served.shuffle = true,
            ("flooding", Some(value)) => {
                let std_dev = value.parse().ok().filter(|std_dev: &f64| std_dev.is_finite() && *std_dev > 0.0);
                served.flooding = Some(std_dev.ok_or_else(|| format!("{option:?}: expected a positive number"))?);
            }
            ("tile", _) => served.tile = count(1 << 16)?,
            ("in-flight", _) => served.in_flight = count(128)?,
            _ => return Err(format!("{option:?}: expected shuffle, flooding=STD_DEV, tile=N or in-flight=N")),
        }
    }
    Ok(served)
}

/// Has images classified by a server that does not see them.
///
/// Keys are made for this one command and never leave it, unless a folder keeps them; a connection that breaks is taken up again. More images than one
/// batch has room for are sent as several batches, one after the other. Logits still carry noise that depends on the key: publishing all digits of many
/// can reveal it. Share labels or rounded numbers.
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

    /// Print of each image the indices of the N largest logits, and nothing else; a file of --output has all logits all the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: Option<u16>,

    /// Refuse any other model than the one of this interface
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,

    /// Keep keys in this folder: read from it what keygen or an earlier infer wrote (secret.key, evaluation.keys, public.key), made where there are
    /// none. The server then knows them by digest, and they travel once
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keys: Option<PathBuf>,

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

    /// Gigabytes that one request of the server may take here, and all outputs together; more is refused
    #[arg(long, value_name = "GB", default_value_t = 8.0)]
    pub(crate) memory: f64,

    /// Fail when the server has lost the inference, instead of beginning anew
    #[arg(long)]
    pub(crate) no_restart: bool,

    /// Print a record of time and bytes as JSON to standard error
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_belong_to_one_model() {
        let plain = served("digits=m.onnx,i.json").unwrap();
        assert_eq!((plain.name.as_str(), plain.shuffle, plain.flooding, plain.tile), ("digits", false, None, None));
        let all = served("dogs=a b.onnx,i.json,shuffle,flooding=1e-3,tile=64,in-flight=2").unwrap();
        assert_eq!(all.model, PathBuf::from("a b.onnx"));
        assert_eq!((all.shuffle, all.flooding, all.tile, all.in_flight), (true, Some(1e-3), Some(64), Some(2)));
        for (wrong, words) in [
            ("digits", "NAME=MODEL"),
            ("=m.onnx,i.json", "NAME=MODEL"),
            ("digits=m.onnx", "NAME=MODEL"),
            ("digits=m.onnx,", "NAME=MODEL"),
            ("digits=m.onnx,i.json,", "expected shuffle"),
            ("digits=m.onnx,i.json,shuffle=yes", "expected shuffle"),
            ("digits=m.onnx,i.json,flooding", "expected shuffle"),
            ("digits=m.onnx,i.json,flooding=-1", "positive"),
            ("digits=m.onnx,i.json,flooding=inf", "positive"),
            ("digits=m.onnx,i.json,tile=0", "1 to 65536"),
            ("digits=m.onnx,i.json,in-flight=999", "1 to 128"),
            ("digits=m.onnx,i.json,in-flight", "1 to 128"),
        ] {
            let error = served(wrong).unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
