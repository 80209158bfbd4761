//! Clear against encrypted logits: all of them, counted in hexagons, and the error by logit.
//!
//! Counts are shown on a logarithmic scale of opacity, so that a single logit far off is seen.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Logits, grouped};

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 46.0;
/// Distance from the centre of a hexagon to its corners, in the units of the drawing: small along a line, larger in a
/// cloud.
const FINE: f64 = 2.4;
const COARSE: f64 = 5.0;

/// A rectangle of data that fills the plot.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let along = |v: f64, (low, high): (f64, f64)| (v - low) / (high - low);
        (LEFT + along(x, self.x) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - along(y, self.y) * (HEIGHT - TOP - BOTTOM))
    }
}

/// What [`scatter`] shows.
pub fn scatter_note(clear: &Logits) -> String {
    format!("All {} logits, counted in hexagons; the dashed line is equality.", grouped(clear.data().len() as u64))
}

/// What [`errors`] shows.
pub fn errors_note(largest: f64, range: f64) -> String {
    format!("Encrypted minus clear: at most {largest:.2e} on a range of {range:.2}.")
}

/// Encrypted logit (upwards) by clear logit (to the right).
pub fn scatter(clear: &Logits, encrypted: &Logits) -> String {
    let range = bounds(clear.data());
    let frame = Frame { x: range, y: range };
    let pairs = pairs(clear, encrypted);
    let mut svg = open("encrypted logits by clear logits");
    axes(&mut svg, &frame, "logit in the clear", "logit, encrypted");
    let (from, to) = (frame.at(range.0, range.0), frame.at(range.1, range.1));
    let _ =
        write!(svg, r#"<line class="rule" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#, from.0, from.1, to.0, to.1);
    hexagons(&mut svg, pairs.iter().map(|(a, b)| frame.at(*a, *b)), "--heat", FINE);
    svg + "</svg>"
}

/// Encrypted minus clear (upwards) by clear logit (to the right).
pub fn errors(clear: &Logits, encrypted: &Logits) -> String {
    let pairs = pairs(clear, encrypted);
    let largest = pairs.iter().map(|(a, b)| (b - a).abs()).fold(1e-15, f64::max);
    let frame = Frame { x: bounds(clear.data()), y: (-1.08 * largest, 1.08 * largest) };
    let mut svg = open("error of the encrypted logits by clear logits");
    axes(&mut svg, &frame, "logit in the clear", "encrypted − clear");
    hexagons(&mut svg, pairs.iter().map(|(a, b)| frame.at(*a, b - a)), "--wrong", COARSE);
    svg + "</svg>"
}

/// Pairs of logits, clear first; a logit that is no number cannot be drawn and is left out.
fn pairs(clear: &Logits, encrypted: &Logits) -> Vec<(f64, f64)> {
    let clear = clear.data().iter().copied();
    clear.zip(encrypted.data().iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect()
}

fn bounds(data: &[f64]) -> (f64, f64) {
    let finite = data.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low < high {
        let margin = 0.03 * (high - low);
        (low - margin, high + margin)
    } else {
        (-1.0, 1.0)
    }
}

fn open(label: &str) -> String {
    format!(r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">"#)
}

/// Frame, ticks at round numbers, names of the axes.
fn axes(svg: &mut String, frame: &Frame, x_name: &str, y_name: &str) {
    for value in ticks(frame.x) {
        let (x, _) = frame.at(value, 0.0);
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{:.1}"/><text class="faint" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 16.0,
            number(value)
        );
    }
    for value in ticks(frame.y) {
        let (_, y) = frame.at(0.0, value);
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{:.1}" y1="{y:.1}" y2="{y:.1}"/><text class="faint" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            WIDTH - RIGHT,
            LEFT - 7.0,
            y + 4.0,
            number(value)
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{x_name}</text><text transform="translate(12 {:.1}) rotate(-90)" text-anchor="middle">{y_name}</text>"#,
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 8.0,
        (TOP + HEIGHT - BOTTOM) / 2.0
    );
}

/// Five or so multiples of 1, 2 or 5 times a power of ten within a range.
fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    let rough = (high - low) / 6.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough).unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A tick's value: plain if it is of ordinary size, else with an exponent.
fn number(value: f64) -> String {
    let text = if value == 0.0 {
        "0".to_owned()
    } else if value.abs() < 1e-3 {
        let power = value.abs().log10().floor();
        format!("{:.0}e{power:.0}", value / 10_f64.powf(power))
    } else if value.abs() < 0.01 {
        format!("{value:.3}")
    } else if value.abs() < 0.1 {
        format!("{value:.2}")
    } else if value.abs() < 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    text.replace('-', "−")
}

/// Counts points in a hexagonal grid and draws each hexagon that holds any.
fn hexagons(svg: &mut String, points: impl Iterator<Item = (f64, f64)>, colour: &str, radius: f64) {
    let (across, down) = (radius * 3_f64.sqrt(), radius * 1.5);
    let mut counts: BTreeMap<(i32, i32), u32> = BTreeMap::new();
    for (x, y) in points {
        // The nearest centre is in one of the two rows beside the point.
        let row = (y / down).floor();
        let centre = |row: f64| {
            let shift = if (row as i64).rem_euclid(2) == 1 { 0.5 } else { 0.0 };
            let column = (x / across - shift).round();
            let (cx, cy) = ((column + shift) * across, row * down);
            ((x - cx).powi(2) + (y - cy).powi(2), column as i32, row as i32)
        };
        let (a, b) = (centre(row), centre(row + 1.0));
        let nearest = if a.0 <= b.0 { a } else { b };
        *counts.entry((nearest.2, nearest.1)).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(1);
    let corners: Vec<String> = (0..6)
        .map(|i| {
            let angle = std::f64::consts::PI / 3.0 * (f64::from(i) + 0.5);
            format!("{:.2},{:.2}", radius * angle.cos(), radius * angle.sin())
        })
        .collect();
    let corners = corners.join(" ");
    let id = colour.trim_start_matches('-');
    let _ = write!(
        svg,
        r#"<defs><polygon id="hexagon-{id}" points="{corners}"/></defs><g style="fill:rgb(var({colour}))">"#
    );
    for ((row, column), count) in counts {
        let shift = if row.rem_euclid(2) == 1 { 0.5 } else { 0.0 };
        let (x, y) = ((f64::from(column) + shift) * across, f64::from(row) * down);
        let opacity = 0.16 + 0.84 * f64::from(count).ln_1p() / f64::from(most).ln_1p();
        let _ = write!(
            svg,
            r##"<use href="#hexagon-{id}" x="{x:.1}" y="{y:.1}" opacity="{opacity:.2}"><title>{count}</title></use>"##
        );
    }
    svg.push_str("</g>");
}
