//! `henge infer`: images to a server that does not see them, logits back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Client, ClientOptions, Images, ImagesError, Keys, Traffic};
use serde::Serialize;
use transforms::ranges::Interval;

use crate::args::Args;
use crate::args::network::Infer;
use crate::files;
use crate::interface::{Interface, Port};
use crate::keys;
use crate::numbers::{self, Array};
use crate::security;

/// Longest certificate or token.
const MAX_FILE: u64 = 1 << 20;

/// What a run reports.
#[derive(Debug, Serialize)]
struct Record {
    model: String,
    images: usize,
    batches: usize,
    seconds: f64,
    /// Making keys, or reading them.
    keys_seconds: f64,
    keys_made: bool,
    requests: u64,
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
    let memory = (command.memory * super::GB) as u64;
    let mut options = ClientOptions::new(&command.server).restart(!command.no_restart).memory(memory);
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
    let arrays = super::read_inputs(&command.input, &inputs, (usize::MAX, "there is room for"))?;
    let images = arrays.first().and_then(|array| array.dims.first()).copied().unwrap_or(0);
    let start = Instant::now();
    let (keys, keys_made) = match &command.keys {
        Some(folder) => keys::of_folder(&model.context()?, folder)?,
        None => (Keys::generate(&model)?, true),
    };
    let keys = Arc::new(keys);
    let keys_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut found: Vec<Array> = outputs.iter().map(|port| empty(port, images)).collect();
    let (mut traffic, mut batches) = (Traffic::default(), 0);
    let capacity = model.capacity();
    for first in (0..images).step_by(capacity) {
        let count = capacity.min(images - first);
        let batch = arrays.iter().zip(&inputs).map(|(array, port)| batch(array, port, first, count));
        let inference = client.infer(&model, &keys, batch.collect::<Result<Vec<Images>, _>>()?).await?;
        found.iter_mut().zip(&inference.outputs).for_each(|(all, some)| all.data.extend(some.to_image_major()));
        traffic += inference.traffic;
        batches += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let per_image = |bytes: f64| bytes / images.max(1) as f64;
    let record = Record {
        model: model.model.clone(),
        images,
        batches,
        seconds,
        keys_seconds,
        keys_made,
        requests: traffic.requests,
        connections: traffic.connections,
        bytes_up: traffic.bytes_up,
        bytes_down: traffic.bytes_down,
        key_bytes: traffic.key_bytes,
        bytes_up_per_image: per_image(traffic.bytes_up as f64),
        bytes_down_per_image: per_image(traffic.bytes_down as f64),
        minimum_bytes_up_per_image: per_image(traffic.minimum_up),
        minimum_bytes_down_per_image: per_image(traffic.minimum_down),
    };
    report(args, command, &record)?;
    Ok((line, outputs.iter().map(|port| port.name.clone()).zip(found).collect()))
}

/// Some of the images of an input.
fn batch(array: &Array, port: &Port, first: usize, count: usize) -> Result<Images, ImagesError> {
    let elements = port.elements();
    let numbers = array.data.get(first * elements..(first + count) * elements).unwrap_or_default();
    Images::from_image_major(numbers, elements)
}

/// Where results of an output are put together.
fn empty(port: &Port, images: usize) -> Array {
    let dims = [&[images], port.shape.as_slice()].concat();
    Array { dims, data: Vec::with_capacity(images.saturating_mul(port.elements())) }
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

fn report(args: &Args, command: &Infer, record: &Record) -> anyhow::Result<()> {
    if command.json {
        eprintln!("{}", serde_json::to_string(record)?);
    } else if args.verbose {
        let Record { images, batches, seconds, requests, .. } = record;
        let (up, down) = (record.bytes_up_per_image, record.bytes_down_per_image);
        let (least_up, least_down) = (record.minimum_bytes_up_per_image, record.minimum_bytes_down_per_image);
        eprintln!("{images} images in {batches} batches, {seconds:.3} s, {requests} requests");
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
