//! What both parties log, every level of it: no token, no session identifier, no number of the client's.

use std::fmt::Write as _;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use client::{Client, ClientOptions, Images, Keys};
use he_ir::ClientFunction;
use protocol::Digest;
use protocol::v1::from_client::What;
use server::{Access, Limits, Model, ModelOptions, Server, ServerConfig, Token, Transport};
use tracing_subscriber::filter::LevelFilter;

use crate::networks::{Network, numbers, params};
use crate::party::{RELU, TOKEN};
use crate::proxy::{Fault, Proxy};
use crate::refusals::Raw;

const GUESS: &str = "token-of-a-stranger-0123456789abcdef";

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Ways in which bytes are printed.
fn printed(bytes: &[u8]) -> Vec<String> {
    let hex = |form: fn(&mut String, u8)| {
        bytes.iter().fold(String::new(), |mut text, &byte| {
            form(&mut text, byte);
            text
        })
    };
    let list = format!("{bytes:?}");
    vec![
        hex(|text, byte| write!(text, "{byte:02x}").unwrap()),
        hex(|text, byte| write!(text, "{byte:02X}").unwrap()),
        list.trim_matches(['[', ']']).to_owned(),
        bytes.escape_ascii().to_string(),
        String::from_utf8_lossy(bytes).into_owned(),
    ]
}

/// Ways in which numbers are printed.
fn printed_numbers(numbers: &[f64]) -> Vec<String> {
    let of = |x: &f64| [vec![x.to_string(), format!("{:x}", x.to_bits())], printed(&x.to_le_bytes())].concat();
    numbers.iter().flat_map(of).collect()
}

/// Has a client classified over a wire that breaks once, a session taken up by its name, and a stranger refused; what nobody may log.
async fn infer() -> Vec<String> {
    let model = Model::new(RELU, &Network::with(ClientFunction::Relu).program(), params(), ModelOptions::default());
    let tokens = vec![Token::new("ward", Digest::of(TOKEN.as_bytes()))];
    let config = ServerConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics: None,
        transport: Transport::InsecureLoopback,
        access: Access { tokens, ..Access::default() },
        limits: Limits::default(),
    };
    let server = Server::bind(config, vec![model.unwrap()]).await.unwrap();
    let (address, stop) = (server.address(), server.stopper());
    let serving = tokio::spawn(server.serve());

    // The wire breaks in the middle of the first tile.
    let proxy = Proxy::start(address, vec![(Fault::Nothing, Fault::Cut(30_000))]).await;
    let options = |token| ClientOptions::new(&format!("http://{}", proxy.address)).insecure_no_tls().token(token);
    let client = Client::connect(options(TOKEN).accept_insecure_parameters()).await.unwrap();
    let model = client.describe(RELU).await.unwrap();
    let keys = Arc::new(Keys::generate(&model).unwrap());
    let x = numbers(6 * 3, 11);
    let inference = client.infer(&model, &keys, vec![Images::from_image_major(&x, 6).unwrap()]).await.unwrap();
    assert_eq!(inference.traffic.connections, 2);
    let mut secrets = printed_numbers(&[x, inference.outputs[0].to_image_major()].concat());

    let raw = Raw::at(address).await;
    let hello = raw.hello(RELU).await;
    let session = raw.begin(hello.clone()).await;
    let resumed = protocol::v1::Hello { resume: session.clone(), ..hello };
    let cancelled = raw.say(vec![What::Hello(resumed), What::Cancel(protocol::v1::Cancel {})]).await;
    assert_eq!(cancelled.unwrap_err().code(), tonic::Code::Cancelled);
    assert!(Client::connect(options(GUESS)).await.unwrap().models().await.is_err());

    stop.stop();
    serving.await.unwrap().unwrap();
    [TOKEN.as_bytes(), GUESS.as_bytes(), &session].iter().for_each(|secret| secrets.extend(printed(secret)));
    secrets
}

/// Not a test: both parties, in a process that logs for nobody else.
#[test]
#[ignore = "the body of the child process"]
fn logging_process() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let secrets = runtime.block_on(infer());
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    // Both sides and what they stand on are heard.
    for words in ["connected", "computed", "complete", "refused: not authenticated", "connecting again", "TRACE"] {
        assert!(log.contains(words), "no {words:?} in the log");
    }
    for secret in secrets {
        let found = log.lines().find(|line| line.contains(&secret));
        assert_eq!(found, None, "{secret:?} is logged");
    }
}

#[test]
fn no_secret_is_logged() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["logs::logging_process", "--exact", "--ignored"]);
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
