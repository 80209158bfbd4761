//! The confusion matrix of the encrypted labels: rows are true classes, columns predictions.

use std::fmt::Write;

use crate::escape;

const CELL: f64 = 40.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 24.0;

/// `rows[label][encrypted prediction]`, and the name of each class.
pub fn figure(rows: &[Vec<u32>], class: impl Fn(usize) -> String) -> String {
    let count = rows.len();
    let names: Vec<String> = (0..count).map(class).collect();
    let long = names.iter().any(|n| n.chars().count() > 3);
    let left = if long { 104.0 } else { 44.0 };
    let top = if long { 84.0 } else { TOP };
    let side = CELL * count as f64;
    // The last name at the top leans out of the square.
    let right_margin = if long { 44.0 } else { 8.0 };
    let (width, height) = (left + side + right_margin, top + side + BOTTOM);
    let mut svg = format!(
        r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="confusion matrix of the encrypted labels">"#
    );
    let most = |diagonal: bool| {
        let cells = rows
            .iter()
            .enumerate()
            .flat_map(|(i, row)| row.iter().enumerate().filter(move |(j, _)| (i == *j) == diagonal).map(|(_, n)| *n));
        f64::from(cells.max().unwrap_or(0).max(1))
    };
    let (right, wrong) = (most(true), most(false));
    for (i, (name, row)) in names.iter().zip(rows).enumerate() {
        let name = escape(name);
        let middle = CELL * (i as f64 + 0.5);
        let _ = write!(
            svg,
            r#"<text class="strong" x="{:.1}" y="{:.1}" text-anchor="end">{name}</text>"#,
            left - 10.0,
            top + middle + 4.0
        );
        if long {
            let _ = write!(
                svg,
                r#"<text class="strong" transform="translate({:.1} {:.1}) rotate(-42)">{name}</text>"#,
                left + middle - 2.0,
                top - 8.0
            );
        } else {
            let _ = write!(
                svg,
                r#"<text class="strong" x="{:.1}" y="{:.1}" text-anchor="middle">{name}</text>"#,
                left + middle,
                top - 10.0
            );
        }
        for (j, &n) in row.iter().enumerate() {
            let (colour, opacity) = if i == j {
                ("--heat", 0.75 * f64::from(n) / right)
            } else if n > 0 {
                ("--wrong", 0.15 + 0.65 * f64::from(n) / wrong)
            } else {
                ("--heat", 0.04)
            };
            let (x, y) = (left + CELL * j as f64, top + CELL * i as f64);
            let _ = write!(
                svg,
                r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="5" style="fill:rgb(var({colour}))" opacity="{opacity:.2}"/>"#,
                x + 1.5,
                y + 1.5,
                CELL - 3.0,
                CELL - 3.0
            );
            if n > 0 {
                let _ = write!(
                    svg,
                    r#"<text class="strong" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                    x + CELL / 2.0,
                    y + CELL / 2.0 + 4.0,
                    n
                );
            }
        }
    }
    let _ = write!(
        svg,
        r#"<text class="faint" x="{:.1}" y="{:.1}" text-anchor="middle">columns: label predicted on encrypted images; rows: true label</text>"#,
        left + side / 2.0,
        top + side + 18.0
    );
    svg + "</svg>"
}
