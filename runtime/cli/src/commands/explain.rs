//! `henge explain`: compiles and reports, before anything runs.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context;
use execute::ckks::CkksBackend;
use execute::{StreamOptions, prepare_streamed};
use graph::{Graph, Tensor};
use he_ckks::{CkksContext, Isa};
use he_params::RequiredSecurity;
use he_params::noise::Encryption;
use transforms::cost::CostModel;
use transforms::explain::Tiles;
use transforms::ranges::Interval;
use transforms::{CompileOptions, Compiled};

use super::calibrate;
use crate::args::{Args, Explain};
use crate::interface::{Interface, read_params};
use crate::numbers::{self, Wanted};
use crate::{files, security};

/// Most calibration samples.
const MAX_SAMPLES: usize = 100_000;

pub(crate) fn explain(args: &Args, command: &Explain) -> anyhow::Result<()> {
    let graph = super::step(args, "model read", || super::load_model(&command.model))?;
    let mut options = CompileOptions::new(command.batch_size as usize);
    options.precision_bits = command.precision_bits;
    options.margin = command.margin;
    options.calibration = calibration(&command.calibration, &graph)?;
    options.input_ranges = ranges(&command.input_range, &graph, options.calibration.is_empty())?;
    (options.costs, options.costs_from) = costs(command)?;
    options.threads = rayon::current_num_threads();
    options.ring = command.ring;
    options.seal_exact = command.seal_exact;
    if command.public_key {
        options.encryption = Encryption::Public;
    }
    if args.insecure {
        options.security = RequiredSecurity::Insecure;
    }
    if let Some(path) = &command.params {
        options.params = Some(read_params(path)?.literal().clone());
    }
    for (node, activation) in command.activation.iter().cloned() {
        match node {
            Some(node) => {
                options.activations.nodes.insert(node, activation);
            }
            None => options.activations.default = Some(activation),
        }
    }
    options.mask_channels = command.mask_channels;
    let mut compiled = super::step(args, "compiled", || {
        transforms::compile(&graph, &options).with_context(|| command.model.display().to_string())
    })?;
    let line = security::admit(&compiled.params, args.insecure)?;
    if let Some(path) = &command.params_out {
        let interface = Interface::new(&compiled, &options.input_ranges)?;
        files::write_bytes(path, &interface.to_bytes()?)?;
    }
    if compiled.explain.client.is_some() {
        let tiles = StreamOptions { tile_values: command.tile_values as usize, ..StreamOptions::default() };
        let planned = super::step(args, "tiles planned", || planned(&compiled, &tiles))?;
        compiled.explain.in_tiles(planned);
    }
    let report = match command.json {
        true => serde_json::to_string_pretty(&compiled.explain)? + "\n",
        false => compiled.explain.to_string(),
    };
    super::print(line, command.json, &report)
}

/// The tiles that a server would run the program in.
fn planned(compiled: &Compiled, options: &StreamOptions) -> anyhow::Result<Tiles> {
    let context = CkksContext::new(compiled.params.clone())?;
    let backend = CkksBackend::to_prepare(&context).with_packing(compiled.program.packing())?;
    let streamed = prepare_streamed(&backend, &compiled.program, options)?;
    Ok(Tiles {
        values: options.tile_values,
        in_flight: options.in_flight,
        requests: streamed.requests(),
        requests_of: (0..compiled.program.nodes().len()).map(|node| streamed.requests_of(node)).collect(),
        peak_bytes: (streamed.memory().peak + streamed.weights_bytes() + streamed.program_bytes()) as u64,
    })
}

/// The costs asked for, or those that the environment names, or the ones built in for this machine's instruction set.
fn costs(command: &Explain) -> anyhow::Result<(CostModel, String)> {
    let named = std::env::var_os("HENGE_COST_MODEL").filter(|name| !name.is_empty()).map(PathBuf::from);
    match command.cost_model.clone().or(named) {
        Some(path) => calibrate::read(&path),
        None => {
            let isa = Isa::best()?.name();
            Ok((CostModel::for_isa(isa), format!("built in, {isa}")))
        }
    }
}

fn names(graph: &Graph) -> Vec<&str> {
    graph.inputs().iter().map(|&id| graph.value(id).name()).collect()
}

/// Stated ranges; [0, 1] for every input when nothing is stated and nothing was sampled.
fn ranges(stated: &[String], graph: &Graph, default: bool) -> anyhow::Result<HashMap<String, Interval>> {
    let names = names(graph);
    let mut ranges = HashMap::new();
    if default {
        ranges.extend(names.iter().map(|name| ((*name).to_owned(), Interval::new(0.0, 1.0))));
    }
    for text in stated {
        let (name, range) = text.rsplit_once('=').map_or((None, text.as_str()), |(name, range)| (Some(name), range));
        let (low, high) = range.split_once(',').with_context(|| format!("input range {text:?}: expected LO,HI"))?;
        let number = |end: &str| end.trim().parse::<f64>().with_context(|| format!("input range {text:?}: {end:?}"));
        let interval = Interval::new(number(low)?, number(high)?);
        match name {
            Some(name) => ranges.extend([(name.to_owned(), interval)]),
            None => ranges.extend(names.iter().map(|name| ((*name).to_owned(), interval))),
        }
    }
    Ok(ranges)
}

fn calibration(arguments: &[String], graph: &Graph) -> anyhow::Result<Vec<Tensor>> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let paths = numbers::by_name(arguments, &names(graph))?;
    let read = |(path, &id): (&std::path::PathBuf, _)| {
        let value = graph.value(id);
        let (name, shape) = (value.name(), value.shape().per_image());
        let wanted = Wanted { name, shape: &shape, images: (MAX_SAMPLES, "calibration takes at most") };
        let array = numbers::read(path, wanted)?;
        let images = array.dims.first().copied().unwrap_or(0);
        Ok(Tensor::new(value.shape().with_batch(images), array.data)?)
    };
    paths.iter().zip(graph.inputs()).map(read).collect()
}
