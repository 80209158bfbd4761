//! The server: compiles, serves until it is told to stop, and says what it took. Two ways: a process of its own ([`serve`]), whose standard output
//! carries two lines of JSON, [`Ready`] once it listens and [`Served`] when it has stopped; or a thread of the client's process ([`Here`]).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use graph::Graph;
use he_ckks::{CkksContext, Isa};
use he_ir::Node;
use he_params::RingType;
use rcgen::{CertificateParams, KeyPair};
use report::{Step, median};
use serde::{Deserialize, Serialize};
use server::{Access, Digest, Limits, Model, ModelOptions, Server, ServerConfig, Stop, Token, Transport, Work};
use transforms::cost::CostModel;
use transforms::{CompileOptions, Compiled, compile};

use crate::layers::{Ends, Layer, layers};
use crate::{Options, Way};

/// Name of the only model of an experiment's server.
pub(crate) const MODEL: &str = "model";

/// What a server is to serve.
#[derive(Debug)]
pub struct Task {
    /// The network.
    pub graph: Graph,
    /// How it is compiled; precision, costs and threads are filled in here.
    pub options: CompileOptions,
    /// Lowest and highest number of the input, told to clients.
    pub range: (f64, f64),
}

/// What a client must know, and what the record says of the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) address: SocketAddr,
    /// The server's certificate, PEM; it is its own authority. None where there is no TLS.
    pub(crate) certificate: Option<String>,
    /// What the client must show where others could come; made for this run.
    pub(crate) token: Option<String>,
    pub(crate) seconds_compile: f64,
    /// Packing of the weights.
    pub(crate) seconds_prepare: f64,
    /// Bytes that one inference plans with: what the limit is held against.
    pub(crate) planned_bytes: u64,
    pub(crate) weights_bytes: u64,
    pub(crate) program_bytes: u64,
    pub(crate) ring: RingType,
    pub(crate) n: usize,
    pub(crate) slots: usize,
    pub(crate) images_per_ciphertext: usize,
    pub(crate) q: Vec<u64>,
    pub(crate) p: Vec<u64>,
    pub(crate) log_qp: f64,
    pub(crate) log_scale: f64,
    pub(crate) security_bits: u32,
    pub(crate) security_table: String,
    pub(crate) security_bound: Option<u32>,
    pub(crate) packing: String,
    pub(crate) isa: String,
    pub(crate) forecast_seconds_per_batch: f64,
    /// Refreshes that wait for each other.
    pub(crate) rounds: usize,
    pub(crate) ends: Ends,
}

/// What serving took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Served {
    /// Of the whole process.
    pub(crate) peak_rss_bytes: u64,
    /// The server's computing for each batch: wall time without what it waited for the client, who works on the same processors.
    pub(crate) seconds: Vec<f64>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) steps: Vec<Step>,
}

/// The server's process: compiles and serves until standard input ends.
///
/// # Errors
/// A model that cannot be compiled or served.
pub fn serve(options: &Options, task: Task) -> anyhow::Result<()> {
    let served = listen(options, task, |ready, stop| {
        say(ready)?;
        std::thread::spawn(move || {
            // Whatever comes, and however it ends: the client is done.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            stop.stop();
        });
        Ok(())
    })?;
    say(&served)
}

/// A server in this process.
#[derive(Debug)]
pub(crate) struct Here {
    ready: Ready,
    stop: Stop,
    thread: JoinHandle<anyhow::Result<Served>>,
}

impl Here {
    /// Compiles, and waits until it listens.
    ///
    /// # Errors
    /// As [`serve`].
    pub(crate) fn start(options: &Options, task: Task) -> anyhow::Result<Here> {
        let (announce, announced) = channel();
        let options = options.clone();
        let thread =
            std::thread::spawn(move || listen(&options, task, |ready, stop| Ok(announce.send((ready.clone(), stop))?)));
        Here::listening(&announced, thread)
    }

    fn listening(
        announced: &Receiver<(Ready, Stop)>,
        thread: JoinHandle<anyhow::Result<Served>>,
    ) -> anyhow::Result<Here> {
        match announced.recv() {
            Ok((ready, stop)) => Ok(Here { ready, stop, thread }),
            Err(_) => {
                joined(thread)?;
                anyhow::bail!("the server ended before it listened")
            }
        }
    }

    /// What it said of itself.
    pub(crate) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Tells it to stop, and waits.
    ///
    /// # Errors
    /// A server that did not end well.
    pub(crate) fn stop(self) -> anyhow::Result<Served> {
        self.stop.stop();
        joined(self.thread)
    }
}

fn joined(thread: JoinHandle<anyhow::Result<Served>>) -> anyhow::Result<Served> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the server's thread panicked (defect)")))
}

/// Compiles, binds, announces, serves until it is told to stop, and says what that took. Runs on the global rayon pool.
fn listen(
    options: &Options,
    mut task: Task,
    announce: impl FnOnce(&Ready, Stop) -> anyhow::Result<()>,
) -> anyhow::Result<Served> {
    let isa = Isa::best()?.name();
    (task.options.costs, task.options.costs_from) = (CostModel::for_isa(isa), format!("built in, {isa}"));
    (task.options.threads, task.options.precision_bits) = (options.threads(), options.precision_bits);
    let start = Instant::now();
    // What the program was made from goes before its weights are packed, which take its place.
    let Compiled { program, params, explain, .. } = compile(&task.graph, &task.options)?;
    let range = task.range;
    drop(task);
    let seconds_compile = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let (work, done) = channel();
    let model_options = ModelOptions { ranges: vec![Some(range)], work: Some(work), ..ModelOptions::default() };
    let model = Model::new(MODEL, &program, params.clone(), model_options)?;
    let seconds_prepare = start.elapsed().as_secs_f64();

    let requests: Vec<u64> = (0..program.nodes().len()).map(|node| model.requests_of(node)).collect();
    let security = params.security_report();
    let door = Door::new(options.way())?;
    let mut ready = Ready {
        address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        certificate: door.certificate.clone(),
        token: door.token.clone(),
        seconds_compile,
        seconds_prepare,
        planned_bytes: model.planned_bytes(),
        weights_bytes: model.weights_bytes(),
        program_bytes: model.program_bytes(),
        ring: params.shape().ring_type(),
        n: params.n(),
        slots: params.slots(),
        images_per_ciphertext: explain.slots,
        q: params.q().to_vec(),
        p: params.p().to_vec(),
        log_qp: params.log_qp(),
        log_scale: params.scale().log2(),
        security_bits: security.bits,
        security_table: security.table.to_string(),
        security_bound: security.bound,
        packing: format!("{:?}", program.packing()).to_lowercase(),
        isa: CkksContext::new(params.clone())?.isa().name().to_owned(),
        forecast_seconds_per_batch: explain.seconds,
        rounds: explain.client.as_ref().map_or(0, |client| client.rounds),
        ends: Ends::of(&explain),
    };
    let config = door.config(options);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(config, vec![model]).await?;
        ready.address = server.address();
        announce(&ready, server.stopper())?;
        anyhow::Ok(server.serve().await?)
    })?;
    let batches: Vec<Work> = done.try_iter().collect();
    let steps: Vec<Step> =
        program.nodes().iter().enumerate().map(|(index, node)| step(index, node, &batches)).collect();
    Ok(Served {
        peak_rss_bytes: machine::peak_rss_bytes(),
        seconds: batches.iter().map(|work| work.total.as_secs_f64()).collect(),
        layers: layers(&program, &explain, &steps, &requests),
        steps,
    })
}

/// A node of the program with the median of its times.
fn step(index: usize, node: &Node, batches: &[Work]) -> Step {
    let each = batches.iter().filter_map(|work| work.nodes.get(index));
    Step::of(node, median(&each.map(Duration::as_secs_f64).collect::<Vec<_>>()))
}

/// How clients come in.
struct Door {
    listen: SocketAddr,
    key: String,
    certificate: Option<String>,
    token: Option<String>,
}

impl Door {
    fn new(way: Way) -> anyhow::Result<Door> {
        let mut door = Door {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            key: String::new(),
            certificate: None,
            token: None,
        };
        if way == Way::OneProcess {
            return Ok(door);
        }
        let key = KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        door.certificate = Some(CertificateParams::new(names)?.self_signed(&key)?.pem());
        door.key = key.serialize_pem();
        if way == Way::Namespaces {
            // The only addresses are those of the namespace; the server's own may not be there yet.
            door.listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)
                .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
            door.token = Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        Ok(door)
    }

    fn config(self, options: &Options) -> ServerConfig {
        let tokens = self.token.iter().map(|token| Token::new("client", Digest::of(token.as_bytes())));
        let access = Access { tokens: tokens.collect(), certificates: false, anybody: self.token.is_none() };
        let transport = match self.certificate {
            Some(certificate) => Transport::Tls {
                certificate: certificate.into_bytes(),
                key: self.key.into_bytes(),
                client_authority: None,
            },
            None => Transport::InsecureLoopback,
        };
        // One experiment, which may take long, within the memory that was stated.
        let day = Duration::from_secs(24 * 3600);
        let limits = Limits {
            memory_bytes: options.memory_limit_bytes(),
            bytes_per_client: u64::MAX,
            deadline: day,
            answer_timeout: day,
            ..Limits::default()
        };
        ServerConfig { listen: self.listen, metrics: None, transport, access, limits }
    }
}

fn say(line: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    Ok(out.flush()?)
}
