//! The server's process: compiles, serves until its standard input ends, and says what it took.
//!
//! Standard output carries two lines of JSON: [`Ready`] once it listens, [`Served`] when it has stopped.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use anyhow::Context;
use graph::Graph;
use he_ckks::{CkksContext, Isa};
use he_ir::{HeProgram, Op};
use he_params::CkksParams;
use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};
use server::{Access, Limits, Model, ModelOptions, Server, ServerConfig, Transport};
use transforms::cost::CostModel;
use transforms::{CompileOptions, compile};

/// Name of the only model of an experiment's server.
pub(crate) const MODEL: &str = "model";

/// What a server is to serve.
#[derive(Debug)]
pub struct Task {
    /// The network.
    pub graph: Graph,
    /// How it is compiled; costs and threads are filled in here.
    pub options: CompileOptions,
    /// Lowest and highest number of the input, told to clients.
    pub range: (f64, f64),
    /// Threads.
    pub threads: usize,
}

/// What a client must know, and what the record says of the program.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of a record, as in `Record`")]
pub struct Ready {
    pub address: SocketAddr,
    /// The server's certificate, PEM; it is its own authority.
    pub certificate: String,
    pub seconds_compile: f64,
    /// Packing of the weights.
    pub seconds_prepare: f64,
    /// Bytes that one inference plans with.
    pub planned_bytes: u64,
    pub n: usize,
    pub q: Vec<u64>,
    pub p: Vec<u64>,
    pub log_qp: f64,
    pub log_scale: f64,
    pub security_bits: u32,
    pub security_table: String,
    pub packing: String,
    pub isa: String,
    pub forecast_seconds_per_batch: f64,
    pub layers: Vec<Layer>,
}

/// A layer of the model: what its operations are and what travels for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of a record, as in `Record`")]
pub struct Layer {
    pub name: String,
    pub operations: Vec<String>,
    /// Ciphertexts of what it computes.
    pub ciphertexts: usize,
    pub level: usize,
    pub log_scale: f64,
    /// Ciphertexts that go to the client, and come back.
    pub ciphertexts_down: usize,
    pub ciphertexts_up: usize,
    /// What they take at least, a batch: two polynomials down, one up, log2 of the modulus to a coefficient.
    pub bytes_down: f64,
    pub bytes_up: f64,
}

/// What the server's process took.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of a record, as in `Record`")]
pub struct Served {
    pub peak_rss_bytes: u64,
}

/// Compiles and serves until standard input ends.
///
/// # Errors
/// A model that cannot be compiled or served.
pub fn serve(mut task: Task) -> anyhow::Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(task.threads).build_global().context("threads were started before")?;
    let isa = Isa::best()?.name();
    (task.options.costs, task.options.costs_from) = (CostModel::for_isa(isa), format!("built in, {isa}"));
    task.options.threads = task.threads;
    let start = Instant::now();
    let compiled = compile(&task.graph, &task.options)?;
    let seconds_compile = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let options = ModelOptions { ranges: vec![Some(task.range)], ..ModelOptions::default() };
    let model = Model::new(MODEL, &compiled.program, compiled.params.clone(), options)?;
    let seconds_prepare = start.elapsed().as_secs_f64();

    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?.self_signed(&key)?;
    let limits = Limits { memory_bytes: u64::MAX, bytes_per_client: u64::MAX, ..generous() };
    let config = ServerConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        metrics: None,
        transport: Transport::Tls {
            certificate: certificate.pem().into_bytes(),
            key: key.serialize_pem().into_bytes(),
            client_authority: None,
        },
        access: Access { anybody: true, ..Access::default() },
        limits,
    };
    let planned_bytes = model.planned_bytes();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(config, vec![model]).await?;
        let security = compiled.params.security_report();
        say(&Ready {
            address: server.address(),
            certificate: certificate.pem(),
            seconds_compile,
            seconds_prepare,
            planned_bytes,
            n: compiled.params.n(),
            q: compiled.params.q().to_vec(),
            p: compiled.params.p().to_vec(),
            log_qp: compiled.params.log_qp(),
            log_scale: compiled.params.scale().log2(),
            security_bits: security.bits,
            security_table: security.table.to_string(),
            packing: format!("{:?}", compiled.program.packing()).to_lowercase(),
            isa: CkksContext::new(compiled.params.clone())?.isa().name().to_owned(),
            forecast_seconds_per_batch: compiled.explain.seconds,
            layers: layers(&compiled.program, &compiled.params),
        })?;
        let stop = server.stopper();
        std::thread::spawn(move || {
            // Whatever comes, and however it ends: the client is done.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            stop.stop();
        });
        server.serve().await?;
        say(&Served { peak_rss_bytes: machine::peak_rss_bytes() })
    })
}

/// Limits of a server that serves one experiment, which may take long.
fn generous() -> Limits {
    let day = std::time::Duration::from_secs(24 * 3600);
    Limits { deadline: day, answer_timeout: day, ..Limits::default() }
}

fn say(line: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(line)?)?;
    Ok(out.flush()?)
}

/// The layers of a program: runs of operations that come from the same layer.
fn layers(program: &HeProgram, params: &CkksParams) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for node in program.nodes() {
        let value = node.value();
        let (verb, name) = match node.op() {
            Op::Input { name } => ("input", name.as_str()),
            op => (op.verb(), node.source()),
        };
        let polynomial = |level| params.n() as f64 * params.log_q_at(level) / 8.0;
        if layers.last().is_none_or(|last| last.name != name) {
            layers.push(Layer {
                name: name.to_owned(),
                operations: Vec::new(),
                ciphertexts: 0,
                level: 0,
                log_scale: 0.0,
                ciphertexts_down: 0,
                ciphertexts_up: 0,
                bytes_down: 0.0,
                bytes_up: 0.0,
            });
        }
        let Some(layer) = layers.last_mut() else { continue };
        layer.operations.push(verb.to_owned());
        layer.ciphertexts = value.elements();
        layer.level = usize::from(value.level.get());
        layer.log_scale = value.scale.log2();
        if matches!(node.op(), Op::Refresh { .. }) {
            let operands = node.operands().iter().filter_map(|&id| program.node(id)).map(|node| node.value());
            for operand in operands {
                layer.ciphertexts_down += operand.elements();
                layer.bytes_down += 2.0 * operand.elements() as f64 * polynomial(operand.level);
            }
        }
        if matches!(node.op(), Op::Refresh { .. } | Op::Input { .. }) {
            layer.ciphertexts_up += value.elements();
            layer.bytes_up += value.elements() as f64 * polynomial(value.level);
        }
    }
    layers
}
