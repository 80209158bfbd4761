//! Level and scale along the program: one column per operation.
//!
//! Above, the modulus left after each operation (a step for each prime that a rescale or a drop takes), with the scale
//! inside it: what lies between the two is the room left for the message. Below, the number of ciphertexts.

use std::fmt::Write;

use he_ir::{Node, Op};
use serde::{Deserialize, Serialize};

use crate::layers::{legend, shorten};
use crate::style::colour;
use crate::{escape, grouped};

const WIDTH: f64 = 1070.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const PLOT: f64 = 220.0;
const BELOW: f64 = 104.0;

/// What [`figure`] shows.
pub const NOTE: &str = "Each column is one operation. Pale: bits of the ciphertext modulus that are left after it. Solid: bits of the scale. Between the two is the room for the values themselves. Under each column its level and the number of ciphertexts.";

/// One operation of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub verb: String,
    /// Layer of the model.
    pub layer: String,
    /// Server seconds of a batch, median over the batches.
    pub seconds: f64,
    /// Level of its result.
    pub level: usize,
    /// log2 of the scale of its result.
    pub log_scale: f64,
    /// Polynomials of each ciphertext.
    pub component_count: usize,
    /// Ciphertexts of its result.
    pub ciphertexts: usize,
}

impl Step {
    /// A node that took so many seconds.
    pub fn of(node: &Node, seconds: f64) -> Step {
        let value = node.value();
        let (verb, layer) = match node.op() {
            Op::Input { name } => ("input", name.as_str()),
            op => (op.verb(), node.source()),
        };
        Step {
            verb: verb.to_owned(),
            layer: layer.to_owned(),
            seconds,
            level: usize::from(value.level.get()),
            log_scale: value.scale.log2(),
            component_count: value.component_count,
            ciphertexts: value.elements(),
        }
    }
}

/// The operations of a program over the ciphertext primes `q`.
pub fn figure(steps: &[Step], q: &[u64]) -> String {
    let height = TOP + PLOT + BELOW;
    let mut svg =
        format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="level and scale of each operation">"#);
    let bits: Vec<f64> = q.iter().map(|q| (*q as f64).log2()).collect();
    let modulus = |level: usize| bits.iter().take(level + 1).sum::<f64>();
    let highest = steps.iter().map(|s| modulus(s.level)).fold(1.0, f64::max);
    let y = |bits: f64| TOP + PLOT * (1.0 - bits / highest);
    let tick = if highest > 120.0 { 40.0 } else { 20.0 };
    let mut at = 0.0;
    while at <= highest {
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{:.0}" y1="{:.1}" y2="{:.1}"/><text class="faint" x="{:.0}" y="{:.1}" text-anchor="end">{at:.0}</text>"#,
            WIDTH - RIGHT,
            y(at),
            y(at),
            LEFT - 8.0,
            y(at) + 4.0
        );
        at += tick;
    }
    let _ = write!(
        svg,
        r#"<text class="faint" transform="translate(14 {:.0}) rotate(-90)" text-anchor="middle">bits</text>"#,
        TOP + PLOT / 2.0
    );
    let column = (WIDTH - LEFT - RIGHT) / steps.len().max(1) as f64;
    let bar = (column - 5.0).clamp(3.0, 54.0);
    let mut verbs: Vec<&str> = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let middle = LEFT + column * (i as f64 + 0.5);
        let x = middle - bar / 2.0;
        let (top, scale) = (y(modulus(step.level)), y(step.log_scale.min(highest)));
        let base = y(0.0);
        let _ = write!(
            svg,
            r#"<g><title>{} ({}): level {}, modulus 2^{:.1}, scale 2^{:.1}, {} ciphertexts of {} polynomials</title><rect x="{x:.1}" y="{top:.1}" width="{bar:.1}" height="{:.1}" rx="3" fill="{}" opacity="0.22"/><rect x="{x:.1}" y="{scale:.1}" width="{bar:.1}" height="{:.1}" rx="3" fill="{}"/></g>"#,
            escape(&step.verb),
            escape(&step.layer),
            step.level,
            modulus(step.level),
            step.log_scale,
            step.ciphertexts,
            step.component_count,
            base - top,
            colour(&step.verb),
            base - scale,
            colour(&step.verb)
        );
        if column > 26.0 {
            let _ = write!(
                svg,
                r#"<text class="faint" x="{middle:.1}" y="{:.1}" text-anchor="middle">{}</text><text class="faint" x="{middle:.1}" y="{:.1}" text-anchor="middle">×{}</text>"#,
                base + 16.0,
                step.level,
                base + 31.0,
                grouped(step.ciphertexts as u64)
            );
            let _ = write!(
                svg,
                r#"<text class="strong" transform="translate({:.1} {:.1}) rotate(-38)" text-anchor="end">{}</text>"#,
                middle + 4.0,
                base + 50.0,
                escape(&shorten(&step.verb))
            );
        }
        if !verbs.contains(&step.verb.as_str()) {
            verbs.push(&step.verb);
        }
    }
    if column > 26.0 {
        let base = y(0.0);
        let _ = write!(
            svg,
            r#"<text class="faint" x="{:.0}" y="{:.1}" text-anchor="end">level</text>"#,
            LEFT - 8.0,
            base + 16.0
        );
    }
    svg.push_str("</svg>");
    // Wide columns carry their names.
    if column > 26.0 { svg } else { svg + &legend(&verbs) }
}
