//! `henge infer`: images to a server that does not see them, logits back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Client, ClientOptions, Description, Images, Inference, Keys};
use serde::Serialize;
use transforms::ranges::Interval;

use crate::args::Args;
use crate::args::network::Infer;
use crate::files;
use crate::interface::{Interface, Port};
use crate::numbers::{self, Array};
use crate::security;

/// Longest certificate or token.
const MAX_FILE: u64 = 1 << 20;

/// What a run reports.
#[derive(Debug, Serialize)]
struct Record {
    model: String,
    images: usize,
    seconds: f64,
    keys_seconds: f64,
    rounds: u64,
    connections: u64,
    bytes_up: u64,
    bytes_down: u64,
    key_bytes: u64,
    bytes_up_per_image: f64,
    bytes_down_per_image: f64,
    /// What ciphertexts must take at least.
    minimum_bytes_up_per_image: f64,
    minimum_bytes_down_per_image: f64,
}

pub(crate) fn infer(args: &Args, command: &Infer) -> anyhow::Result<()> {
    let options = options(args, command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (line, outputs) = runtime.block_on(run(args, command, options))?;
    if let Some(path) = &command.output {
        numbers::write(path, &outputs)?;
    }
    let text = match command.top {
        Some(top) => tops(&outputs, usize::from(top)),
        None if command.output.is_none() => super::decrypt::text(&outputs, false),
        None => String::new(),
    };
    super::print(line, true, &text)
}

fn options(args: &Args, command: &Infer) -> anyhow::Result<ClientOptions> {
    let mut options = ClientOptions::new(&command.server).restart(!command.no_restart);
    if let Some(path) = &command.authority {
        options = options.authority(&files::read(path, MAX_FILE)?);
    }
    if let (Some(certificate), Some(key)) = (&command.client_certificate, &command.client_key) {
        options = options.identity(&files::read(certificate, MAX_FILE)?, &files::read(key, MAX_FILE)?);
    }
    if let Some(path) = &command.token_file {
        options = options.token(std::str::from_utf8(&files::read(path, MAX_FILE)?)?.trim());
    }
    if let Some(seconds) = command.deadline {
        options = options.deadline(Duration::from_secs(u64::from(seconds)));
    }
    if command.insecure_no_tls {
        options = options.insecure_no_tls();
    }
    Ok(if args.insecure { options.accept_insecure_parameters() } else { options })
}

async fn run(
    args: &Args,
    command: &Infer,
    options: ClientOptions,
) -> anyhow::Result<(Option<String>, Vec<(String, Array)>)> {
    let client = Client::connect(options).await?;
    let name = match &command.model {
        Some(name) => name.clone(),
        None => {
            let names = client.models().await?;
            let [name] = names.as_slice() else {
                anyhow::bail!("the server has the models {names:?}; --model names one")
            };
            name.clone()
        }
    };
    let model = client.describe(&name).await?;
    let line = security::admit(&model.params, args.insecure)?;
    if let Some(path) = &command.params {
        let interface = Interface::read(path)?;
        let (found, expected) = (model.program.0, interface.program().0);
        anyhow::ensure!(
            found == expected,
            "the server's model {name:?} is program {}, {} is the interface of {}",
            model.program,
            path.display(),
            interface.program()
        );
    }
    let (inputs, outputs) = (ports(&model.inputs), ports(&model.outputs));
    if let Some(path) = &command.output {
        numbers::check_name(path, outputs.len())?;
    }
    let arrays = super::read_inputs(&command.input, &inputs, (model.capacity(), "one batch has room for"))?;
    let batches =
        arrays.iter().zip(&inputs).map(|(array, port)| Images::from_image_major(&array.data, port.elements()));
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    let start = Instant::now();
    let keys = Arc::new(Keys::generate(&model)?);
    let keys_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let inference = client.infer(&model, &keys, batches).await?;
    let seconds = start.elapsed().as_secs_f64();
    report(args, command, &model, &inference, seconds, keys_seconds)?;
    let array = |(port, images): (&Port, &Images)| {
        let dims = [&[images.images()], port.shape.as_slice()].concat();
        (port.name.clone(), Array { dims, data: images.to_image_major() })
    };
    Ok((line, outputs.iter().zip(&inference.outputs).map(array).collect()))
}

/// The server's ports as the command knows them.
fn ports(ports: &[client::Port]) -> Vec<Port> {
    let port = |port: &client::Port| Port {
        name: port.name.clone(),
        shape: port.shape.clone(),
        level: port.level,
        scale: port.scale,
        range: port.range.map(|(low, high)| Interval::new(low, high)),
    };
    ports.iter().map(port).collect()
}

fn report(
    args: &Args,
    command: &Infer,
    model: &Description,
    inference: &Inference,
    seconds: f64,
    keys_seconds: f64,
) -> anyhow::Result<()> {
    let (traffic, images) = (inference.traffic, inference.outputs.first().map_or(0, Images::images));
    let per_image = |bytes: f64| bytes / images.max(1) as f64;
    let record = Record {
        model: model.model.clone(),
        images,
        seconds,
        keys_seconds,
        rounds: traffic.rounds,
        connections: traffic.connections,
        bytes_up: traffic.bytes_up,
        bytes_down: traffic.bytes_down,
        key_bytes: traffic.key_bytes,
        bytes_up_per_image: per_image(traffic.bytes_up as f64),
        bytes_down_per_image: per_image(traffic.bytes_down as f64),
        minimum_bytes_up_per_image: per_image(traffic.minimum_up),
        minimum_bytes_down_per_image: per_image(traffic.minimum_down),
    };
    if command.json {
        eprintln!("{}", serde_json::to_string(&record)?);
    } else if args.verbose {
        let Record { bytes_up_per_image: up, bytes_down_per_image: down, rounds, .. } = record;
        let (least_up, least_down) = (record.minimum_bytes_up_per_image, record.minimum_bytes_down_per_image);
        eprintln!("{images} images in {seconds:.3} s, {rounds} rounds");
        eprintln!("bytes per image: {up:.0} up (at least {least_up:.0}), {down:.0} down (at least {least_down:.0})");
    }
    Ok(())
}

/// One line per image: indices of its largest numbers, the largest first.
fn tops(outputs: &[(String, Array)], top: usize) -> String {
    let mut text = String::new();
    for (name, array) in outputs {
        if outputs.len() > 1 {
            text.push_str(&format!("# {name}\n"));
        }
        let elements = array.dims.iter().skip(1).product::<usize>().max(1);
        for order in Images::from_image_major(&array.data, elements).map(|images| images.top(top)).unwrap_or_default() {
            let indices: Vec<String> = order.iter().map(ToString::to_string).collect();
            text.push_str(&(indices.join(" ") + "\n"));
        }
    }
    text
}
