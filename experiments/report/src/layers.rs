//! Layers: where the time of a batch goes, what travels for each, and what the compiler knew of each before the run.

use std::fmt::Write;

use crate::style::colour;
use crate::{Layer, Step, escape, grouped, seconds};

const WIDTH: f64 = 1070.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 150.0;
const ROW: f64 = 34.0;
const BAR: f64 = 20.0;

/// What [`table`] shows.
pub const NOTE: &str = "Level and scale are those a layer hands on. Values are bounded by interval arithmetic, or by training images times a stated margin; errors by the noise formulas. A value that could outgrow its modulus would have been refused.";

/// Server time: one bar per layer, split by operation. `steps` are those of the layers, in order.
pub fn times<'a>(layers: impl Iterator<Item = &'a Layer>, mut steps: &[Step]) -> String {
    let mut verbs: Vec<&str> = Vec::new();
    let rows = layers.map(|layer| {
        let (head, tail) = steps.split_at(layer.operations.len().min(steps.len()));
        steps = tail;
        let parts = head.iter().map(|step| Part {
            length: step.seconds,
            colour: colour(&step.verb),
            title: format!("{}: {}", step.verb, seconds(step.seconds)),
        });
        for step in head {
            if !verbs.contains(&step.verb.as_str()) {
                verbs.push(&step.verb);
            }
        }
        Row { name: layer.name.clone(), parts: parts.collect(), said: seconds(layer.seconds) }
    });
    let rows: Vec<Row> = rows.collect();
    bars("server time of each layer", &rows) + &legend(&verbs)
}

/// A row of a figure of bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it is about.
    pub name: String,
    /// What it is made of, in order.
    pub parts: Vec<Part>,
    /// Its whole length in words.
    pub said: String,
}

/// A part of a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its length, in the unit of the figure.
    pub length: f64,
    /// Its colour.
    pub colour: &'static str,
    /// What it stands for.
    pub title: String,
}

/// One bar for each row, all to one scale, each with its share of the whole.
pub fn bars(label: &str, rows: &[Row]) -> String {
    let length = |bar: &Row| bar.parts.iter().map(|part| part.length).sum::<f64>();
    let total: f64 = rows.iter().map(length).sum();
    let longest = rows.iter().map(length).fold(1e-12, f64::max);
    let height = ROW * rows.len() as f64 + 6.0;
    let mut svg = format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}">"#, escape(label));
    for (row, bar) in rows.iter().enumerate() {
        let y = 3.0 + ROW * row as f64;
        let middle = y + BAR / 2.0 + 4.5;
        let _ = write!(
            svg,
            r#"<text class="strong" x="{:.0}" y="{middle:.1}" text-anchor="end">{}</text>"#,
            LEFT - 12.0,
            escape(&shorten(&bar.name))
        );
        let scale = (WIDTH - LEFT - RIGHT) / longest;
        let mut x = LEFT;
        for part in &bar.parts {
            let width = part.length * scale;
            let _ = write!(
                svg,
                r#"<rect x="{x:.2}" y="{y:.1}" width="{:.2}" height="{BAR}" rx="2" fill="{}"><title>{}</title></rect>"#,
                width.max(0.5),
                part.colour,
                escape(&part.title)
            );
            x += width;
        }
        let share = 100.0 * length(bar) / total.max(1e-12);
        let _ = write!(
            svg,
            r#"<text x="{:.1}" y="{middle:.1}"><tspan class="strong">{}</tspan> &#160;{share:.1} %</text>"#,
            x + 10.0,
            escape(&bar.said)
        );
    }
    svg + "</svg>"
}

/// One row per layer: what the compiler said before the run, and what it took; then a batch as a whole, forecast and measured.
pub fn table<'a>(layers: impl Iterator<Item = &'a Layer>, forecast: f64, measured: f64) -> String {
    let mut html = String::from(
        "<table><tr><th>layer</th><th>operations</th><th class=\"number\">ciphertexts</th><th class=\"number\">level</th><th class=\"number\">scale</th><th class=\"number\">values at most</th><th>known from</th><th class=\"number\">error at most</th><th class=\"number\">forecast</th><th class=\"number\">measured</th></tr>",
    );
    for layer in layers {
        let _ = write!(
            html,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{} × {}</td><td class=\"number\">{}</td><td class=\"number\">2<sup>{:.1}</sup></td><td class=\"number\">{:.2}</td><td>{}</td><td class=\"number\">{:.1e}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escape(&layer.name),
            escape(&layer.operations.join(", ")),
            grouped(layer.ciphertexts as u64),
            layer.component_count,
            layer.level,
            layer.log_scale,
            layer.magnitude,
            escape(&layer.range_from),
            layer.error_bound,
            seconds(layer.forecast_seconds),
            seconds(layer.seconds)
        );
    }
    let _ = write!(
        html,
        "<tr><th>a batch</th><td colspan=\"7\"></td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr></table>",
        seconds(forecast),
        seconds(measured)
    );
    html
}

/// Squares of colour with the verbs they stand for.
pub(crate) fn legend(verbs: &[&str]) -> String {
    key(verbs.iter().map(|verb| (colour(verb), *verb)))
}

/// Squares of colour with what they stand for.
pub fn key<'a>(entries: impl Iterator<Item = (&'static str, &'a str)>) -> String {
    let mut text = String::from(r#"<p class="legend">"#);
    for (colour, name) in entries {
        let _ = write!(text, r#"<span><i style="background:{colour}"></i>{}</span>"#, escape(name));
    }
    text + "</p>"
}

/// A layer's name, cut in the middle when it is long.
pub(crate) fn shorten(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= 26 {
        return name.to_owned();
    }
    let head: String = chars.iter().take(12).collect();
    let tail: String = chars.iter().skip(chars.len() - 13).collect();
    format!("{head}…{tail}")
}
