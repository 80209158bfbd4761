//! Images that the encrypted network labels wrongly, drawn, the most confident mistakes first.

use std::fmt::Write;

use super::{Report, escape, grouped};
use crate::compare::prediction;
use crate::report::png;

/// How many are drawn.
const SHOWN: usize = 30;

pub(super) fn figure(report: &Report<'_>) -> std::io::Result<String> {
    let labels = report.images.labels().iter();
    let mut wrong: Vec<(f64, usize, usize, usize)> = labels
        .zip(report.encrypted.rows())
        .enumerate()
        .filter_map(|(image, (&label, row))| {
            let (label, found) = (usize::from(label), prediction(row));
            let lead = row.get(found)? - row.get(label)?;
            (label != found).then_some((lead, image, label, found))
        })
        .collect();
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut html = format!(
        r#"<p class="note">{} of {} images get a wrong label. The {} that are wrong by the widest margin; the network makes the same mistakes in the clear{}.</p><div class="digits">"#,
        wrong.len(),
        grouped(report.record.images as u64),
        wrong.len().min(SHOWN),
        if report.disagreements().is_empty() { "" } else { ", but for the images listed above" }
    );
    for (lead, image, label, found) in wrong.into_iter().take(SHOWN) {
        let pixels = report.images.image(image).unwrap_or_default();
        let _ = write!(
            html,
            r#"<figure><img alt="test image {image}" src="{}"><figcaption>{} as <b>{}</b><br>#{image}, by {lead:.1}</figcaption></figure>"#,
            png::data_url(report.images.columns(), pixels)?,
            escape(report.class(label)),
            escape(report.class(found))
        );
    }
    Ok(html + "</div>")
}
