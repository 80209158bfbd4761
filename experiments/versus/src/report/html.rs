//! One self-contained page: every ratio on one axis, then every figure in a table.

use std::fmt::Write;

use super::missed::{missed, shares};
use super::style::{STYLE, colour};
use super::text::{counts, remarks};
use crate::record::{Record, Row};

const WIDTH: f64 = 1070.0;
const LEFT: f64 = 470.0;
const RIGHT: f64 = 60.0;
const LINE: f64 = 22.0;
const TOP: f64 = 26.0;

/// The page.
pub(crate) fn page(record: &Record) -> String {
    let machine = &record.machine;
    let others = machine.others.map_or_else(String::new, |share| {
        format!(" Other programs used {:.0} % of the processors meanwhile.", 100.0 * share)
    });
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Henge beside its peers</title><style>{STYLE}</style></head><body><main><h1>Henge beside its peers</h1><p class=\"lead\">The same operation on the same parameters and operands, turn by turn in one process. {}; {}. {}.{others}</p><section><h2>How many times faster</h2><p class=\"note\">The peer's median time over Henge's; right of 1 Henge is faster. A tick is the ratio that is asked for, on AVX2. A speed that is asked for stands as a peer that just reaches it. On one thread, CryptoNets on all.</p>{}{}</section><section><h2>Every row</h2><p class=\"note\">Medians, in microseconds. Limits are those of one core: word products against what two vector multipliers could issue at {:.2} GHz; bytes of operands, keys and results against a thread that copies as many ({:.1} GB/s where no cache holds them).</p>{}</section>{}<footer>{}, {} processors. {}. <code>{}</code></footer></main></body></html>\n",
        escape(machine.seal.as_deref().unwrap_or("no SEAL in this build")),
        escape(&machine.processor),
        counts(&record.rows),
        figure(&record.rows),
        legend(&record.rows),
        machine.measured.clock_hz / 1e9,
        machine.measured.copy_bytes_per_second / 1e9,
        table(&record.rows),
        not_reached(&record.rows),
        escape(&machine.processor),
        machine.processors,
        escape(&machine.date),
        escape(&machine.command)
    )
}

/// Instruction sets in the order of their first row.
fn isas(rows: &[Row]) -> Vec<&str> {
    let mut isas: Vec<&str> = Vec::new();
    for row in rows {
        if !isas.contains(&row.isa.as_str()) {
            isas.push(&row.isa);
        }
    }
    isas
}

/// One line per row and peer, one dot per instruction set, on a logarithmic axis.
fn figure(rows: &[Row]) -> String {
    let isas = isas(rows);
    let mut lines: Vec<(&str, &str)> = Vec::new();
    for row in rows.iter().filter(|row| row.ratio.is_some() && !row.together) {
        if !lines.contains(&(row.name.as_str(), row.peer.as_str())) {
            lines.push((&row.name, &row.peer));
        }
    }
    let ratios = || rows.iter().flat_map(|row| [row.ratio, row.target]).flatten().filter(|ratio| *ratio > 0.0);
    let (low, high) = (ratios().fold(0.5, f64::min), ratios().fold(16.0, f64::max) * 1.1);
    let x = |ratio: f64| LEFT + (WIDTH - LEFT - RIGHT) * (ratio / low).ln() / (high / low).ln();
    let height = TOP + LINE * lines.len() as f64 + 8.0;
    let mut svg = format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="ratios">"#);
    for tick in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0].into_iter().filter(|t| (low..=high).contains(t)) {
        let class = if tick == 1.0 { "one" } else { "axis" };
        let _ = write!(
            svg,
            r#"<line class="{class}" x1="{0:.1}" x2="{0:.1}" y1="{TOP}" y2="{height}"/><text x="{0:.1}" y="16" text-anchor="middle">{tick}×</text>"#,
            x(tick)
        );
    }
    for (i, (name, peer)) in lines.iter().enumerate() {
        let y = TOP + LINE * (i as f64 + 0.5);
        let _ = write!(
            svg,
            r#"<text x="{:.0}" y="{:.1}" text-anchor="end"><tspan class="strong">{}</tspan> {}</text>"#,
            LEFT - 14.0,
            y + 4.0,
            escape(name),
            escape(peer)
        );
        let of_line = || rows.iter().filter(|row| row.name == *name && row.peer == *peer && !row.together);
        if let Some(target) = of_line().find_map(|row| row.target) {
            let _ = write!(
                svg,
                r#"<line class="bar" x1="{0:.1}" x2="{0:.1}" y1="{1:.1}" y2="{2:.1}"><title>at least {target}</title></line>"#,
                x(target),
                y - 7.0,
                y + 7.0
            );
        }
        for row in of_line() {
            let position = isas.iter().position(|isa| *isa == row.isa).unwrap_or(0);
            if let Some(ratio) = row.ratio.filter(|ratio| *ratio > 0.0) {
                let _ = write!(
                    svg,
                    r#"<circle cx="{:.1}" cy="{y:.1}" r="5" fill="{}" fill-opacity="0.85"><title>{}: {ratio:.2}</title></circle>"#,
                    x(ratio),
                    colour(position),
                    escape(&row.isa)
                );
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

fn legend(rows: &[Row]) -> String {
    let entry =
        |(i, isa): (usize, &&str)| format!(r#"<span><i style="background:{}"></i>{}</span>"#, colour(i), escape(isa));
    format!(r#"<p class="legend">{}</p>"#, isas(rows).iter().enumerate().map(entry).collect::<String>())
}

fn table(rows: &[Row]) -> String {
    let mut html = String::from(
        "<table><tr><th>row</th><th>Henge on</th><th class=\"number\">threads</th><th class=\"number\">Henge</th><th>peer</th><th class=\"number\">peer</th><th class=\"number\">ratio</th><th>asked for</th><th>of a core's limits; checks</th></tr>",
    );
    let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.1}"));
    for row in rows {
        let asked = row.target.map_or_else(String::new, |target| format!("{target} "));
        let verdict = match row.met {
            Some(true) => format!("<span class=\"met\">{asked}met</span>"),
            Some(false) => format!("<span class=\"missed\">{asked}missed</span>"),
            None => asked,
        };
        let _ = write!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{verdict}</td><td>{}</td></tr>",
            escape(&row.name),
            escape(&row.isa),
            row.threads,
            number(row.henge_us),
            escape(&row.peer),
            number(row.peer_us),
            row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            escape(&remarks(row).into_iter().chain(goes(row)).collect::<Vec<_>>().join("; "))
        );
    }
    html.push_str("</table>");
    html
}

/// Where the time of a row goes.
fn goes(row: &Row) -> Option<String> {
    (!row.parts.is_empty()).then(|| format!("where it goes: {}", shares(&row.parts)))
}

/// What was missed, and why.
fn not_reached(rows: &[Row]) -> String {
    let items: String = missed(rows)
        .iter()
        .map(|missed| format!("<li><code>{}</code> {}</li>", escape(&missed.row), escape(&missed.text)))
        .collect();
    if items.is_empty() { items } else { format!("<section><h2>Bars that were missed</h2><ul>{items}</ul></section>") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
