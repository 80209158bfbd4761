//! `henge serve`: models for clients over the network.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use execute::StreamOptions;
use server::{Access, Limits, Model, ModelOptions, Server, ServerConfig, Token, Transport};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::Args;
use crate::args::network::{Serve, Served};
use crate::files;
use crate::interface::{Interface, Port};
use crate::security;

/// Longest file of certificates or tokens.
const MAX_FILE: u64 = 1 << 20;

pub(crate) fn serve(args: &Args, command: &Serve) -> anyhow::Result<()> {
    logs(command.log_json)?;
    let mut models = Vec::with_capacity(command.model.len());
    for served in &command.model {
        models.push(model(args, command, served).with_context(|| format!("model {:?}", served.name))?);
    }
    let config = config(command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::bind(config, models).await?;
        let mut line = format!("listening on {}", server.address());
        if let Some(metrics) = server.metrics_address() {
            line.push_str(&format!(", metrics on http://{metrics}/metrics"));
        }
        // Whoever started it waits for this line.
        let mut out = std::io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush())?;
        let stop = server.stopper();
        let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
            stop.stop();
        });
        Ok(server.serve().await?)
    })
}

fn logs(json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("HENGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if json { logs.json().try_init() } else { logs.try_init() };
    set.map_err(|error| anyhow::anyhow!("logs: {error}"))
}

fn model(args: &Args, command: &Serve, served: &Served) -> anyhow::Result<Model> {
    let interface = Interface::read(&served.interface)?;
    if let Some(line) = security::admit(interface.params(), args.insecure)? {
        eprintln!("{}: {line}", served.name);
    }
    let graph = super::load_model(&served.model)?;
    let program = super::step(args, format!("{} compiled", served.name), || interface.compile(&graph))?;
    let tiles = StreamOptions {
        tile_values: served.tile.unwrap_or(command.tile_values as usize),
        in_flight: served.in_flight.unwrap_or(usize::from(command.in_flight)),
    };
    let masked = interface.compile_masked(&graph, tiles.tile_values)?;
    // Its memory is for the packed weights.
    drop(graph);
    let range = |port: &Port| port.range.map(|range| (range.low, range.high));
    let options = ModelOptions {
        ranges: interface.inputs().iter().map(range).collect(),
        tiles,
        shuffle: served.shuffle,
        flooding: served.flooding,
        masked,
        ..ModelOptions::default()
    };
    Ok(Model::new(&served.name, &program, interface.params().clone(), options)?)
}

fn config(command: &Serve) -> anyhow::Result<ServerConfig> {
    let pem = |path: &Path| files::read(path, MAX_FILE);
    let transport = match (&command.certificate, &command.key) {
        (Some(certificate), Some(key)) => Transport::Tls {
            certificate: pem(certificate)?,
            key: pem(key)?,
            client_authority: command.client_authority.as_deref().map(pem).transpose()?,
        },
        _ => Transport::InsecureLoopback,
    };
    let tokens = match &command.tokens {
        Some(path) => Token::list(std::str::from_utf8(&pem(path)?)?).with_context(|| path.display().to_string())?,
        None => Vec::new(),
    };
    let access = Access {
        anybody: command.insecure_no_tls && command.tokens.is_none(),
        certificates: command.client_authority.is_some(),
        tokens,
    };
    let seconds = |s: u32| Duration::from_secs(u64::from(s));
    let limits = Limits {
        sessions: usize::from(command.sessions),
        sessions_per_client: usize::from(command.sessions_per_client),
        memory_bytes: (command.memory * super::GB) as u64,
        bytes_per_client: (command.gigabytes_per_client * super::GB) as u64,
        key_cache_bytes: (command.key_cache * super::GB) as u64,
        images_per_client: command.images_per_client.unwrap_or(u64::MAX),
        inferences_per_client: command.inferences_per_client.unwrap_or(u64::MAX),
        deadline: seconds(command.deadline),
        answer_timeout: seconds(command.answer_timeout),
        handshake_timeout: seconds(command.handshake_timeout),
        resume_window: seconds(command.resume_window),
        shutdown_grace: seconds(command.grace),
        ..Limits::default()
    };
    Ok(ServerConfig { listen: command.listen, metrics: command.metrics, transport, access, limits })
}
