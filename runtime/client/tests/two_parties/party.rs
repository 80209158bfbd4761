//! The server as a process of its own, with certificates made when the test begins.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use client::{Client, ClientOptions};
use execute::StreamOptions;
use he_ir::ClientFunction;
use he_params::CkksParams;
use protocol::Digest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use server::{Access, Limits, Model, ModelOptions, Server, ServerConfig, Token, Transport};

use crate::compiled;
use crate::networks::{Network, doubled, large_params, params, real_params, secure_params, two_by_two};

pub(crate) const TOKEN: &str = "token-of-the-ward-0123456789abcdef";
pub(crate) const OTHER_TOKEN: &str = "token-of-the-lab-0123456789abcdef";

/// Whatever takes longer hangs, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Certificates of one authority, PEM.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) server: (String, String),
    pub(crate) client: (String, String),
}

fn made() -> Certificates {
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let signed = |names: &[&str], usage| {
        let key = KeyPair::generate().unwrap();
        let mut of = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        of.extended_key_usages = vec![usage];
        (of.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
    };
    Certificates {
        server: signed(&["localhost", "127.0.0.1"], ExtendedKeyUsagePurpose::ServerAuth),
        client: signed(&["ward"], ExtendedKeyUsagePurpose::ClientAuth),
        authority: authority.pem(),
    }
}

/// The authority that server and clients trust.
pub(crate) fn certificates() -> &'static Certificates {
    static MADE: OnceLock<Certificates> = OnceLock::new();
    MADE.get_or_init(made)
}

/// An authority that nobody trusts.
pub(crate) fn strangers() -> &'static Certificates {
    static MADE: OnceLock<Certificates> = OnceLock::new();
    MADE.get_or_init(made)
}

/// What a server serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Models {
    Usual,
    /// One for each function of the client.
    Functions,
    /// Models whose keys, tiles or requests under way are more than any queue holds.
    Large,
    /// What the compiler makes of networks.
    Compiled,
}

/// What the child process is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) tls: bool,
    pub(crate) certificates: bool,
    pub(crate) limits: Limits,
    pub(crate) port: u16,
    pub(crate) models: Models,
}

impl Setup {
    pub(crate) fn new() -> Self {
        // Longer than any test waits: what is forgotten in time did not just expire.
        let limits = Limits { resume_window: 2 * PATIENCE, shutdown_grace: PATIENCE, ..Limits::default() };
        Self { tls: true, certificates: false, limits, port: 0, models: Models::Usual }
    }

    /// One line: what differs from test to test.
    fn line(&self) -> String {
        let Limits { sessions, sessions_per_client, memory_bytes, bytes_per_client, images_per_client, .. } =
            self.limits;
        let ms = |d: Duration| d.as_millis();
        let Limits { deadline, answer_timeout, resume_window, shutdown_grace, handshake_timeout, .. } = self.limits;
        let Limits { inferences_per_client, key_cache_bytes, .. } = self.limits;
        format!(
            "{} {} {} {sessions} {sessions_per_client} {memory_bytes} {bytes_per_client} {images_per_client} {} {} {} {} {} {} {inferences_per_client} {key_cache_bytes}",
            u8::from(self.tls),
            u8::from(self.certificates),
            self.port,
            ms(deadline),
            ms(answer_timeout),
            ms(resume_window),
            ms(shutdown_grace),
            ms(handshake_timeout),
            self.models as u8,
        )
    }

    fn parse(line: &str) -> Self {
        let n: Vec<u64> = line.split(' ').map(|n| n.parse().unwrap()).collect();
        let ms = Duration::from_millis;
        let limits = Limits {
            sessions: n[3] as usize,
            sessions_per_client: n[4] as usize,
            memory_bytes: n[5],
            bytes_per_client: n[6],
            images_per_client: n[7],
            deadline: ms(n[8]),
            answer_timeout: ms(n[9]),
            resume_window: ms(n[10]),
            shutdown_grace: ms(n[11]),
            handshake_timeout: ms(n[12]),
            inferences_per_client: n[14],
            key_cache_bytes: n[15],
            ..Limits::default()
        };
        let models = [Models::Usual, Models::Functions, Models::Large, Models::Compiled][n[13] as usize];
        Self { tls: n[0] == 1, certificates: n[1] == 1, port: n[2] as u16, limits, models }
    }

    /// Starts the server.
    pub(crate) fn start(self) -> Party {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["party::server_process", "--exact", "--ignored", "--nocapture"])
            .env("HENGE_TEST_SERVER", self.line())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let certificates = certificates();
        for pem in [&certificates.authority, &certificates.server.0, &certificates.server.1] {
            write!(input, "{pem}\0").unwrap();
        }
        input.write_all(b"\x01").unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let addresses = loop {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the server ended before it listened");
            if let Some((_, addresses)) = line.split_once("listening ") {
                break addresses.trim().to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let (address, metrics) = addresses.split_once(' ').unwrap();
        Party {
            child,
            input: Some(input),
            address: address.parse().unwrap(),
            metrics: metrics.parse().unwrap(),
            setup: self,
        }
    }
}

/// A running server.
pub(crate) struct Party {
    child: Child,
    input: Option<std::process::ChildStdin>,
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    setup: Setup,
}

impl Party {
    /// How a client gets in, at the server's own address or at a proxy's.
    pub(crate) fn options_at(&self, address: SocketAddr) -> ClientOptions {
        let port = address.port();
        let options = match self.setup.tls {
            true => ClientOptions::new(&format!("https://localhost:{port}"))
                .authority(certificates().authority.as_bytes())
                .token(TOKEN),
            false => ClientOptions::new(&format!("http://127.0.0.1:{port}")).insecure_no_tls().token(TOKEN),
        };
        options.accept_insecure_parameters()
    }

    pub(crate) fn options(&self) -> ClientOptions {
        self.options_at(self.address)
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.options()).await.unwrap()
    }

    /// Ends the process at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> bool {
        drop(self.input.take());
        self.child.wait().unwrap().success()
    }

    /// A number of the process's status, as `VmRSS` in kB or `Threads`.
    pub(crate) fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Memory that the process holds now, in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS") * 1024
    }

    /// Files and sockets that the process has open.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// A page of the operator's port.
    pub(crate) fn page(&self, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    /// Waits until no session is left.
    pub(crate) async fn forgets(&self) {
        let start = Instant::now();
        while self.metric("henge_sessions") > 0.0 {
            assert!(start.elapsed() < PATIENCE, "a session is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// One number of the metrics.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.page("/metrics");
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).trim().parse().unwrap()
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Names of the models that every server has.
pub(crate) const SQUARE: &str = "square";
pub(crate) const FLOODED: &str = "flooded";
pub(crate) const TWO_BY_TWO: &str = "two by two";
pub(crate) const RELU: &str = "relu";
/// Two tiles in random order.
pub(crate) const SHUFFLED: &str = "shuffled";
pub(crate) const SHUFFLED_WIDTH: usize = 24;
pub(crate) const SHUFFLED_TILE: usize = 12;
pub(crate) const POOLED: &str = "pooled";
/// Many tiles: time for something to go wrong.
pub(crate) const WIDE: &str = "wide";
pub(crate) const WIDTH: usize = 600;
pub(crate) const POWER: &str = "power";
/// In the conjugate-invariant ring, flooded.
pub(crate) const REAL: &str = "real";
/// On parameters of 128 bits.
pub(crate) const SECURE: &str = "secure";
/// Seventeen messages of keys.
pub(crate) const LARGE_KEYS: &str = "large keys";
/// One tile of 23 messages.
pub(crate) const LARGE_TILE: &str = "large tile";
pub(crate) const LARGE_TILE_VALUES: usize = 12;
/// A request for each number, and all of them open: more than a client has room for.
pub(crate) const AHEAD: &str = "ahead";
pub(crate) const AHEAD_VALUES: usize = 24;

fn function_models() -> Vec<Model> {
    // Tiles of five of twelve values: windows do not end where tiles do.
    let options = || ModelOptions { tiles: StreamOptions { tile_values: 5, in_flight: 2 }, ..ModelOptions::default() };
    let model = |(name, network): (&str, Network)| Model::new(name, &network.program(), params(), options()).unwrap();
    Network::functions().into_iter().map(model).collect()
}

fn large_models() -> Vec<Model> {
    let tiles = |tile_values, in_flight| ModelOptions {
        tiles: StreamOptions { tile_values, in_flight },
        ..ModelOptions::default()
    };
    let large = |name, network: Network, options| {
        Model::new(name, &network.program_on(&large_params()), large_params(), options).unwrap()
    };
    vec![
        large(LARGE_KEYS, Network::square(), ModelOptions::default()),
        large(LARGE_TILE, Network::wide(LARGE_TILE_VALUES), tiles(LARGE_TILE_VALUES, 1)),
        Model::new(AHEAD, &doubled(AHEAD_VALUES), params(), tiles(1, AHEAD_VALUES)).unwrap(),
    ]
}

fn models() -> Vec<Model> {
    let relu_on = |name, params: CkksParams, options| {
        Model::new(name, &Network::with(ClientFunction::Relu).program_on(&params), params, options).unwrap()
    };
    let model = |name, program, options| Model::new(name, &program, params(), options).unwrap();
    let ranges = vec![Some((-1.0, 1.0))];
    let tiles = StreamOptions { tile_values: 8, in_flight: 2 };
    let wide = StreamOptions { tile_values: 6, in_flight: 3 };
    let two = StreamOptions { tile_values: SHUFFLED_TILE, in_flight: 2 };
    let shuffled = ModelOptions { shuffle: true, tiles: two, ..ModelOptions::default() };
    let with = |function| Network::with(function).program();
    let flooded = || ModelOptions { flooding: Some(1e-3), ..ModelOptions::default() };
    vec![
        model(SQUARE, Network::square().program(), ModelOptions { ranges, ..ModelOptions::default() }),
        model(FLOODED, Network::square().program(), flooded()),
        model(TWO_BY_TWO, two_by_two(), ModelOptions::default()),
        model(RELU, with(ClientFunction::Relu), ModelOptions::default()),
        model(SHUFFLED, Network::wide(SHUFFLED_WIDTH).program(), shuffled),
        model(POOLED, Network::pooled().program(), ModelOptions { tiles, ..ModelOptions::default() }),
        model(WIDE, Network::wide(WIDTH).program(), ModelOptions { tiles: wide, ..ModelOptions::default() }),
        model(POWER, with(ClientFunction::Power { exponent: 40.0 }), ModelOptions::default()),
        relu_on(REAL, real_params(), flooded()),
        relu_on(SECURE, secure_params(), ModelOptions::default()),
    ]
}

/// Not a test: the server's side, when the test program is started as a child.
#[test]
#[ignore = "the body of the child process"]
fn server_process() {
    let Ok(line) = std::env::var("HENGE_TEST_SERVER") else { return };
    let setup = Setup::parse(&line);
    let mut pems = Vec::new();
    let mut byte = [0];
    while std::io::stdin().read_exact(&mut byte).is_ok() && byte[0] != 1 {
        pems.push(byte[0]);
    }
    let pems: Vec<Vec<u8>> = pems.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let transport = match setup.tls {
        true => Transport::Tls {
            certificate: pems[1].clone(),
            key: pems[2].clone(),
            client_authority: setup.certificates.then(|| pems[0].clone()),
        },
        false => Transport::InsecureLoopback,
    };
    let token = |name, token: &str| Token::new(name, Digest::of(token.as_bytes()));
    let tokens = vec![token("ward", TOKEN), token("lab", OTHER_TOKEN)];
    let access = Access { tokens, certificates: setup.certificates, anybody: false };
    let listen = format!("127.0.0.1:{}", setup.port).parse().unwrap();
    let metrics = Some("127.0.0.1:0".parse().unwrap());
    let config = ServerConfig { listen, metrics, transport, access, limits: setup.limits };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let models = match setup.models {
            Models::Usual => models(),
            Models::Functions => function_models(),
            Models::Compiled => compiled::models(),
            Models::Large => large_models(),
        };
        let server = Server::bind(config, models).await.unwrap();
        println!("listening {} {}", server.address(), server.metrics_address().unwrap());
        let stop = server.stopper();
        // The test closes its end, or is gone.
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_exact(&mut [0]);
            stop.stop();
        });
        server.serve().await.unwrap();
    });
}
