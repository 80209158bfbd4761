//! The report as a table for people. The security verdict is its first line.

use std::fmt;

use he_params::RingType;
use he_params::noise::Encryption;

use super::{ClientLayer, Explain, Layer, Operation};
use crate::labels::{LayerBits, WeightsBy};
use crate::ranges::RangeSource;

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "security   {}", self.security)?;
        writeln!(f, "model      {}", self.model)?;
        let bits = |primes: &[u64]| {
            let bits: Vec<String> = primes.iter().map(|&p| (p.max(1).ilog2() + 1).to_string()).collect();
            bits.join(" ")
        };
        let special = if self.p.is_empty() { "none".to_owned() } else { bits(&self.p) };
        let ring = match self.ring {
            RingType::Cyclotomic => String::new(),
            ring => format!("{ring}, "),
        };
        writeln!(f, "ring       {ring}N = 2^{}, {} slots, batches of {}", self.log_n, self.slots, self.batch)?;
        match &self.one_image_to_a_slot {
            None => writeln!(f, "packing    complex: two images to a slot")?,
            Some(reason) => writeln!(f, "packing    one image to a slot: no complex packing, because {reason}")?,
        }
        writeln!(f, "primes     {} bits, special {special}", bits(&self.q))?;
        writeln!(f, "scale      2^{:.2}", self.log_scale)?;
        writeln!(
            f,
            "precision  {:.1} bits of the outputs' range (error bound of {} standard deviations)",
            self.precision_bits, self.bound_stds
        )?;
        writeln!(f, "weights    {}", self.weights)?;
        if self.encryption == Encryption::Public {
            writeln!(f, "inputs     under the public key")?;
        }
        let interval = RangeSource::Interval.to_string();
        if self.layers.iter().all(|layer| layer.range_source == interval) {
            writeln!(
                f,
                "           ranges rest on intervals alone: safe, but wide, and so is the error allowed; give calibration samples"
            )?;
        }
        write!(f, "forecast   {:.2} s on {} threads (costs: {})", self.seconds, self.threads, self.costs_from)?;
        let tiles = self.client.as_ref().map(|client| &client.tiles);
        match tiles {
            Some(Some(tiles)) => writeln!(
                f,
                ", the key owner's time not counted, {} at the peak in tiles of {} ciphertexts",
                size(self.bytes.peak),
                tiles.values
            )?,
            Some(None) => {
                writeln!(f, ", the key owner's time not counted, {} at the peak in one tile", size(self.bytes.peak))?;
            }
            None => writeln!(f, ", {} at the peak", size(self.bytes.peak))?,
        }
        writeln!(
            f,
            "wire       inputs {}, outputs {}, keys {}",
            size(self.bytes.inputs),
            size(self.bytes.outputs),
            size(self.bytes.keys)
        )?;
        if let Some(client) = &self.client {
            let requests = client.tiles.as_ref().map(|tiles| format!(" in {} requests", tiles.requests));
            writeln!(
                f,
                "client     {} rounds{}, {} up and {} down for one image of a full batch",
                client.rounds,
                requests.unwrap_or_default(),
                size(client.bytes_up_per_image as u64),
                size(client.bytes_down_per_image as u64)
            )?;
            writeln!(
                f,
                "           the key owner sees every value that it computes on: those of the layers listed below"
            )?;
            writeln!(f, "           and can solve for the weights of linear layers between them (docs/security.md)")?;
            if self.passes.iter().any(|notes| notes.pass == "masking") {
                writeln!(f, "           both under a mask as far as \"masking\" says, once one is drawn")?;
            }
            writeln!(f)?;
            let layers: Vec<_> = client.layers.iter().map(client_cells).collect();
            table(f, CLIENT_COLUMNS, &layers)?;
        }
        writeln!(f)?;
        let layers: Vec<_> = self.layers.iter().map(layer_cells).collect();
        table(f, LAYER_COLUMNS, &layers)?;
        writeln!(f)?;
        let operations: Vec<_> = self.operations.iter().map(operation_cells).collect();
        table(f, OPERATION_COLUMNS, &operations)?;
        section(f, "parameters", &self.parameter_log)?;
        for pass in &self.passes {
            let rewritten = pass.rewritten.iter().map(|line| format!("+ {line}"));
            let lines: Vec<String> = rewritten.chain(pass.declined.iter().map(|line| format!("- {line}"))).collect();
            section(f, &pass.pass, &lines)?;
        }
        Ok(())
    }
}

/// Most layers whose bits are listed one by one.
const MOST_LISTED: usize = 8;

/// `14 13 12 bits, 16 16 14 by the error bound: 16 of 16 samples keep their label, outputs off by 1e-4 at the most, error bound 5e-4`.
impl fmt::Display for WeightsBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WeightsBy::ErrorBound { reason } => write!(f, "as small as the error bound lets them be: {reason}"),
            WeightsBy::Labels(labels) => {
                let row = |bits: fn(&LayerBits) -> u32| {
                    let all = labels.layers.iter().map(bits);
                    match labels.layers.len() {
                        ..=MOST_LISTED => all.map(|bits| bits.to_string()).collect::<Vec<_>>().join(" "),
                        _ => format!("up to {}", all.max().unwrap_or(0)),
                    }
                };
                write!(f, "{} bits, {} by the error bound", row(|l| l.bits), row(|l| l.by_error_bound))?;
                write!(f, ": {} of {} samples keep their label", labels.kept, labels.samples)?;
                write!(
                    f,
                    ", outputs off by {:.1e} at the most, error bound {:.1e}",
                    labels.deviation, labels.error_bound
                )
            }
        }
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if !lines.is_empty() {
        writeln!(f, "\n{title}")?;
    }
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}

/// Columns as wide as their widest cell.
fn table<const COLUMNS: usize>(
    f: &mut fmt::Formatter<'_>,
    header: [&str; COLUMNS],
    rows: &[[String; COLUMNS]],
) -> fmt::Result {
    let mut widths = header.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut line = |row: &[String]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(f, "{}", cells.join("  ").trim_end())
    };
    line(&header.map(str::to_owned))?;
    rows.iter().try_for_each(|row| line(row))
}

const LAYER_COLUMNS: [&str; 11] =
    ["layer", "operations", "values", "level", "scale", "|x| <=", "range from", "error <=", "room", "products", "s"];

fn layer_cells(layer: &Layer) -> [String; 11] {
    let operations: Vec<String> = layer
        .operations
        .iter()
        .map(|(verb, &count)| if count == 1 { (*verb).to_owned() } else { format!("{count} {verb}") })
        .collect();
    [
        layer.name.clone(),
        operations.join(", "),
        format!("{} x{}", layer.ciphertexts, layer.components),
        layer.level.to_string(),
        format!("2^{:.2}", layer.log_scale),
        format!("{:.3}", layer.magnitude),
        layer.range_source.clone(),
        format!("{:.1e}", layer.error_bound),
        format!("{:.1}", layer.headroom_bits),
        if layer.multiply_accumulates == 0 { String::new() } else { layer.multiply_accumulates.to_string() },
        format!("{:.3}", layer.seconds),
    ]
}

const CLIENT_COLUMNS: [&str; 8] =
    ["round", "key owner computes", "layer", "values it sees", "values back", "requests", "down a batch", "up a batch"];

fn client_cells(layer: &ClientLayer) -> [String; 8] {
    [
        layer.round.to_string(),
        layer.function.to_owned(),
        layer.layer.clone(),
        layer.values_down.to_string(),
        layer.values_up.to_string(),
        layer.requests.map_or_else(String::new, |requests| requests.to_string()),
        size(layer.bytes_down),
        size(layer.bytes_up),
    ]
}

const OPERATION_COLUMNS: [&str; 9] =
    ["operation", "layer", "values", "primes", "modulus", "scale", "room", "weights", "s"];

fn operation_cells(operation: &Operation) -> [String; 9] {
    let weights = operation.weights.map(|w| format!("x 2^{:.2}, {} bits", w.log_scale, w.bits));
    [
        operation.verb.to_owned(),
        operation.layer.clone(),
        format!("{} x{}", operation.ciphertexts, operation.components),
        operation.primes.to_string(),
        format!("2^{:.1}", operation.log_q),
        format!("2^{:.2}", operation.log_scale),
        format!("{:.1}", operation.headroom_bits),
        weights.unwrap_or_default(),
        format!("{:.3}", operation.seconds),
    ]
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
