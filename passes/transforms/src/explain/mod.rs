//! What will run, before it runs: parameters, security, and per layer level, scale, range, operations and forecasts.

mod client;
mod text;

use std::collections::BTreeMap;

use he_params::noise::Encryption;
use he_params::{RingType, SecurityReport, noise};
use serde::Serialize;

pub use client::{ClientLayer, ClientPart, Tiles};

use crate::complex_packing::ComplexPacking;
use crate::cost::{Bytes, Words, Work, node_work, program_bytes};
use crate::labels::WeightsBy;
use crate::parameters::Selection;
use crate::ranges::ValueRange;
use crate::{CompileOptions, Pass};

/// Everything that `explain` shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explain {
    /// Name of the model.
    pub model: String,
    /// Images per batch.
    pub batch: usize,
    /// Images that would fit.
    pub slots: usize,
    /// Why images do not lie two to a slot; `None` where they do.
    pub one_image_to_a_slot: Option<String>,
    /// The ring.
    pub ring: RingType,
    /// log2 of its degree.
    pub log_n: u8,
    /// Ciphertext primes, q_0 first.
    pub q: Vec<u64>,
    /// Special primes.
    pub p: Vec<u64>,
    /// log2 of the scale of fresh messages.
    pub log_scale: f64,
    /// Security of the parameters.
    pub security: SecurityReport,
    /// Bits between an output's typical magnitude and the bound on its error.
    pub precision_bits: f64,
    /// What the weights were made as small as.
    pub weights: WeightsBy,
    /// How inputs are encrypted.
    pub encryption: Encryption,
    /// Standard deviations that error bounds stand for.
    pub bound_stds: f64,
    /// One row per layer, in order.
    pub layers: Vec<Layer>,
    /// One row per operation of the program, in order.
    pub operations: Vec<Operation>,
    /// Seconds of server work forecast for one batch.
    pub seconds: f64,
    /// Threads the forecast is for.
    pub threads: usize,
    /// Where the costs it goes by come from.
    pub costs_from: String,
    /// Bytes forecast.
    pub bytes: Bytes,
    /// The key owner's part, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientPart>,
    /// Why these parameters.
    pub parameter_log: Vec<String>,
    /// What each pass did.
    pub passes: Vec<PassNotes>,
}

/// What a pass did, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PassNotes {
    /// Name of the pass.
    pub pass: String,
    /// Rewritten places.
    pub rewritten: Vec<String>,
    /// Places left alone, with the reason.
    pub declined: Vec<String>,
}

/// One operation of the program, and what it leaves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// What it does.
    pub verb: &'static str,
    /// Layer of the model.
    pub layer: String,
    /// Ciphertexts.
    pub ciphertexts: usize,
    /// Components of each.
    pub components: usize,
    /// Primes left.
    pub primes: usize,
    /// log2 of the modulus left.
    pub log_q: f64,
    /// log2 of the scale.
    pub log_scale: f64,
    /// Bits between the bound on its values and half the modulus.
    pub headroom_bits: f64,
    /// Error that no slot exceeds with high probability, in units of the message.
    pub error_bound: f64,
    /// How its weights became integers, when it has any.
    pub weights: Option<Quantisation>,
    /// Seconds forecast.
    pub seconds: f64,
}

/// Weights as integers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantisation {
    /// log2 of the scale they were multiplied by.
    pub log_scale: f64,
    /// Bits of the largest one.
    pub bits: u32,
}

/// One layer of the model, as the program runs it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Name in the model.
    pub name: String,
    /// How often each operation of the program stands in this layer.
    pub operations: BTreeMap<&'static str, usize>,
    /// Ciphertexts that the layer hands on.
    pub ciphertexts: usize,
    /// Level it hands on.
    pub level: u8,
    /// log2 of the scale it hands on.
    pub log_scale: f64,
    /// Components of the ciphertexts it hands on.
    pub components: usize,
    /// Bound on the magnitude of its messages.
    pub magnitude: f64,
    /// Where the bound comes from.
    pub range_source: String,
    /// Error that no slot exceeds with high probability, in units of the message.
    pub error_bound: f64,
    /// Least bits between a value of this layer and half its modulus.
    pub headroom_bits: f64,
    /// Multiplications of a weight with a ciphertext.
    pub multiply_accumulates: u64,
    /// Seconds forecast.
    pub seconds: f64,
}

impl Explain {
    /// Says what a run in tiles takes of whoever plans it (`execute`): the peak of memory then is that of tiles.
    pub fn in_tiles(&mut self, tiles: Tiles) {
        self.bytes.peak = tiles.peak_bytes;
        if let Some(client) = &mut self.client {
            for layer in &mut client.layers {
                layer.requests = tiles.requests_of.get(layer.node).copied();
            }
            client.tiles = Some(tiles);
        }
    }

    /// The report for a selection.
    pub(crate) fn new(
        selection: &Selection,
        ranges: &[ValueRange],
        options: &CompileOptions,
        passes: Vec<PassNotes>,
    ) -> Explain {
        let params = &selection.params;
        let program = &selection.placed.program;
        let words = Words::new(params.q(), params.p());
        let log_n = u32::from(params.log_n().get());
        let seconds_of = |work: &Work| options.costs.seconds_on(work, log_n, options.threads);
        let mut layers: Vec<Layer> = Vec::new();
        let mut operations: Vec<Operation> = Vec::new();
        for (index, node) in program.nodes().iter().enumerate() {
            let (range, error) = (&ranges[selection.placed.origins[index]], &selection.errors[index]);
            let value = node.value();
            if layers.last().is_none_or(|l| l.name != node.source()) {
                layers.push(Layer::empty(node.source()));
            }
            let Some(layer) = layers.last_mut() else { continue };
            *layer.operations.entry(node.op().verb()).or_default() += 1;
            layer.ciphertexts = value.elements();
            layer.level = value.level.get();
            layer.log_scale = value.scale.log2();
            layer.components = value.component_count;
            layer.magnitude = range.magnitude;
            layer.range_source = range.source.to_string();
            layer.error_bound = error.bound;
            layer.headroom_bits = layer.headroom_bits.min(error.headroom_bits);
            if let he_ir::Op::Linear { map } = node.op() {
                layer.multiply_accumulates += map.multiply_accumulates();
            }
            let seconds = seconds_of(&node_work(program, node, &words));
            layer.seconds += seconds;
            operations.push(Operation {
                verb: node.op().verb(),
                layer: node.source().to_owned(),
                ciphertexts: value.elements(),
                components: value.component_count,
                primes: value.level.prime_count(),
                log_q: params.log_q_at(value.level),
                log_scale: value.scale.log2(),
                headroom_bits: error.headroom_bits,
                error_bound: error.bound,
                weights: Quantisation::of(node.op()),
                seconds,
            });
        }
        Explain {
            model: program.name().to_owned(),
            batch: options.batch,
            slots: program.packing().images(params.slots()),
            one_image_to_a_slot: one_image_to_a_slot(&passes),
            ring: params.shape().ring_type(),
            log_n: params.log_n().get(),
            q: params.q().to_vec(),
            p: params.p().to_vec(),
            log_scale: params.scale().log2(),
            security: params.security_report(),
            precision_bits: selection.precision_bits,
            weights: selection.weights.clone(),
            encryption: options.encryption,
            bound_stds: noise::slot_bound_stds(params.shape().ring_type()),
            seconds: layers.iter().map(|l| l.seconds).sum(),
            layers,
            operations,
            threads: options.threads,
            costs_from: options.costs_from.clone(),
            bytes: program_bytes(program, &words, params.n(), params.q().len()),
            client: ClientPart::of(program, params.shape()),
            parameter_log: selection.log.clone(),
            passes,
        }
    }
}

/// The reason for which complex packing was declined.
fn one_image_to_a_slot(passes: &[PassNotes]) -> Option<String> {
    let declined = passes.iter().find(|notes| notes.pass == ComplexPacking::default().name())?.declined.first()?;
    Some(declined.split_once(": ").map_or(declined.as_str(), |(_, reason)| reason).to_owned())
}

impl Quantisation {
    fn of(op: &he_ir::Op) -> Option<Quantisation> {
        let he_ir::Op::Linear { map } = op else { return None };
        let bits = u64::BITS - map.largest_weight().leading_zeros();
        Some(Quantisation { log_scale: map.weight_scale().log2(), bits })
    }
}

impl Layer {
    fn empty(name: &str) -> Layer {
        Layer {
            name: name.to_owned(),
            operations: BTreeMap::new(),
            ciphertexts: 0,
            level: 0,
            log_scale: 0.0,
            components: 0,
            magnitude: 0.0,
            range_source: String::new(),
            error_bound: 0.0,
            headroom_bits: f64::INFINITY,
            multiply_accumulates: 0,
            seconds: 0.0,
        }
    }
}
