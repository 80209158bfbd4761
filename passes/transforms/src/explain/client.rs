//! What a program asks of the key owner, layer by layer: rounds, requests, bytes, and what the key owner gets to see.
//!
//! A *round* is one step of the longest chain of refreshes that wait for each other; it depends on the network alone. A *request* is one tile that
//! is asked for; there are as many as tiles, and several are under way at a time.

use he_ir::{CipherType, HeProgram, Op};
use he_params::RingShape;
use serde::Serialize;

/// One refresh of the program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientLayer {
    /// Layer of the model.
    pub layer: String,
    /// Node of the program.
    pub node: usize,
    /// What the key owner computes.
    pub function: &'static str,
    /// The round in which it can be asked for at the earliest, from 1.
    pub round: usize,
    /// Tiles that are asked for, once a run in tiles was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Values of one image that go to the key owner, who sees them.
    pub values_down: usize,
    /// Values of one image that come back.
    pub values_up: usize,
    /// Bytes to the key owner for one batch, bits packed.
    pub bytes_down: u64,
    /// Bytes back for one batch, bits packed, the second half of each ciphertext a seed.
    pub bytes_up: u64,
}

/// A run in tiles, as planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tiles {
    /// Ciphertexts of a tile, about.
    pub values: usize,
    /// Requests that are open at one time.
    pub in_flight: usize,
    /// Requests of one batch, tiles of inputs included.
    pub requests: u64,
    /// Requests of each node of the program.
    #[serde(skip)]
    pub requests_of: Vec<u64>,
    /// The most that tiles, packed weights and the program with the lists of its tiles take.
    pub peak_bytes: u64,
}

/// The key owner's part in a program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClientPart {
    /// Most refreshes that wait for each other.
    pub rounds: usize,
    /// What a run in tiles takes, once one was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tiles: Option<Tiles>,
    /// One row per refresh, in order.
    pub layers: Vec<ClientLayer>,
    /// Bytes to the server for one image of a full batch, inputs included.
    pub bytes_up_per_image: f64,
    /// Bytes to the key owner for one image of a full batch, outputs included.
    pub bytes_down_per_image: f64,
}

impl ClientPart {
    /// The part of a program in a ring; `None` when it asks for nothing.
    pub(super) fn of(program: &HeProgram, shape: RingShape) -> Option<ClientPart> {
        program.refreshes().next()?;
        let bits = |value: &CipherType| {
            program.q().iter().take(value.level.prime_count()).map(|q| (*q as f64).log2()).sum::<f64>()
        };
        let bytes = |values: usize, components: usize, value: &CipherType| {
            (values as f64 * components as f64 * shape.n() as f64 * bits(value) / 8.0).ceil() as u64
        };
        let mut layers = Vec::new();
        let mut depth: Vec<usize> = Vec::with_capacity(program.nodes().len());
        for (index, node) in program.nodes().iter().enumerate() {
            let operands = || node.operands().iter().filter_map(|id| program.node(*id));
            let above = node.operands().iter().filter_map(|id| depth.get(id.index())).copied().max().unwrap_or(0);
            let Op::Refresh { refresh } = node.op() else {
                depth.push(above);
                continue;
            };
            depth.push(above + 1);
            layers.push(ClientLayer {
                layer: node.source().to_owned(),
                node: index,
                function: refresh.function.name(),
                round: above + 1,
                requests: None,
                values_down: operands().map(|x| x.value().elements()).sum(),
                values_up: node.value().elements(),
                bytes_down: operands().map(|x| bytes(x.value().elements(), 2, x.value())).sum(),
                bytes_up: bytes(node.value().elements(), 1, node.value()),
            });
        }
        let inputs: u64 = program.inputs().map(|(_, _, value)| bytes(value.elements(), 1, value)).sum();
        let outputs = program.outputs().iter().filter_map(|(_, id)| program.node(*id)).map(|node| node.value());
        let outputs: u64 = outputs.map(|value| bytes(value.elements(), value.component_count, value)).sum();
        let images = program.packing().images(shape.slots()) as f64;
        Some(ClientPart {
            rounds: depth.into_iter().max().unwrap_or(0),
            tiles: None,
            bytes_up_per_image: (inputs + layers.iter().map(|l| l.bytes_up).sum::<u64>()) as f64 / images,
            bytes_down_per_image: (outputs + layers.iter().map(|l| l.bytes_down).sum::<u64>()) as f64 / images,
            layers,
        })
    }
}
