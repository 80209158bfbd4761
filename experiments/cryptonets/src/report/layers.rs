//! Where the time of a batch goes: one bar per layer, split by operation.

use std::fmt::Write;

use super::style::colour;
use super::{Report, escape, grouped, seconds};
use crate::record::Step;

const WIDTH: f64 = 1070.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 150.0;
const ROW: f64 = 34.0;
const BAR: f64 = 20.0;

/// Steps of each layer, given how many each has.
fn split(mut steps: &[Step], counts: impl Iterator<Item = usize>) -> Vec<&[Step]> {
    counts
        .map(|count| {
            let (head, tail) = steps.split_at(count.min(steps.len()));
            steps = tail;
            head
        })
        .collect()
}

pub(super) fn figure(report: &Report<'_>) -> String {
    let layers = &report.record.layers;
    let total: f64 = layers.iter().map(|l| l.seconds).sum();
    let longest = layers.iter().map(|l| l.seconds).fold(1e-12, f64::max);
    let height = ROW * layers.len() as f64 + 6.0;
    let mut svg = format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="server time of each layer">"#);
    let parts = split(&report.record.steps, layers.iter().map(|l| l.operations.len()));
    let mut verbs: Vec<&str> = Vec::new();
    for (row, (layer, steps)) in layers.iter().zip(parts).enumerate() {
        let y = 3.0 + ROW * row as f64;
        let middle = y + BAR / 2.0 + 4.5;
        let _ = write!(
            svg,
            r#"<text class="strong" x="{:.0}" y="{middle:.1}" text-anchor="end">{}</text>"#,
            LEFT - 12.0,
            escape(&shorten(&layer.name))
        );
        let scale = (WIDTH - LEFT - RIGHT) / longest;
        let mut x = LEFT;
        for step in steps {
            let width = step.seconds * scale;
            let _ = write!(
                svg,
                r#"<rect x="{x:.2}" y="{y:.1}" width="{:.2}" height="{BAR}" rx="2" fill="{}"><title>{}: {}</title></rect>"#,
                width.max(0.5),
                colour(&step.verb),
                escape(&step.verb),
                seconds(step.seconds)
            );
            x += width;
            if !verbs.contains(&step.verb.as_str()) {
                verbs.push(&step.verb);
            }
        }
        let share = 100.0 * layer.seconds / total.max(1e-12);
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{middle:.1}"><tspan class="strong">{}</tspan> &#160;{share:.1} %</text>"#,
            x + 10.0,
            seconds(layer.seconds)
        );
    }
    svg.push_str("</svg>");
    svg + &legend(&verbs)
}

/// One row per layer: what the compiler said before the run, and the time it took.
pub(super) fn table(report: &Report<'_>) -> String {
    let mut html = String::from(
        "<table><tr><th>layer</th><th>operations</th><th class=\"number\">ciphertexts</th><th class=\"number\">level</th><th class=\"number\">scale</th><th class=\"number\">values at most</th><th>known from</th><th class=\"number\">error at most</th><th class=\"number\">measured</th></tr>",
    );
    for layer in &report.record.layers {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{} × {}</td><td class=\"number\">{}</td><td class=\"number\">2<sup>{:.1}</sup></td><td class=\"number\">{:.2}</td><td>{}</td><td class=\"number\">{:.1e}</td><td class=\"number\">{}</td></tr>",
            escape(&layer.name),
            escape(&layer.operations.join(", ")),
            grouped(layer.ciphertexts as u64),
            layer.component_count,
            layer.level,
            layer.log_scale,
            layer.magnitude,
            escape(&layer.range_from),
            layer.error_bound,
            seconds(layer.seconds)
        );
    }
    let r = report.record;
    let _ = write!(
        html,
        "<tr><th>a batch</th><td colspan=\"7\">forecast {}</td><td class=\"number\">{}</td></tr></table>",
        seconds(r.forecast_seconds_per_batch),
        seconds(r.seconds_per_batch)
    );
    html
}

/// Squares of colour with the verbs they stand for.
pub(super) fn legend(verbs: &[&str]) -> String {
    let mut text = String::from(r#"<p class="legend">"#);
    for verb in verbs {
        let _ = write!(text, r#"<span><i style="background:{}"></i>{}</span>"#, colour(verb), escape(verb));
    }
    text + "</p>"
}

/// A layer's name, cut in the middle when it is long.
pub(super) fn shorten(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= 26 {
        return name.to_owned();
    }
    let head: String = chars.iter().take(12).collect();
    let tail: String = chars.iter().skip(chars.len() - 13).collect();
    format!("{head}…{tail}")
}
