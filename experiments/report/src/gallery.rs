//! Images that the encrypted network labels wrongly, drawn, the most confident mistakes first.

use std::fmt::Write;

use crate::{Logits, escape, grouped, prediction};

/// How many are drawn.
const SHOWN: usize = 30;

/// The encrypted labels against what the images show. `class` names a class, `picture` gives the image as a data URL.
///
/// # Errors
/// What `picture` says.
pub fn wrong(
    labels: &[Option<usize>],
    encrypted: &Logits,
    differ: bool,
    class: impl Fn(usize) -> String,
    picture: impl Fn(usize) -> std::io::Result<String>,
) -> std::io::Result<String> {
    let mut wrong: Vec<(f64, usize, usize, usize)> = labels
        .iter()
        .zip(encrypted.rows())
        .enumerate()
        .filter_map(|(image, (label, row))| {
            let (label, found) = ((*label)?, prediction(row));
            let lead = row.get(found)? - row.get(label)?;
            (label != found).then_some((lead, image, label, found))
        })
        .collect();
    wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let labelled = labels.iter().flatten().count();
    let mut html = format!(
        r#"<p class="note">{} of {} images get a wrong label. The {} that are wrong by the widest margin; the network makes the same mistakes in the clear{}.</p><div class="digits">"#,
        wrong.len(),
        grouped(labelled as u64),
        wrong.len().min(SHOWN),
        if differ { ", but for the images listed above" } else { "" }
    );
    for (lead, image, label, found) in wrong.into_iter().take(SHOWN) {
        let _ = write!(
            html,
            r#"<figure><img alt="image {image}" src="{}"><figcaption>{} as <b>{}</b><br>#{image}, by {lead:.1}</figcaption></figure>"#,
            picture(image)?,
            escape(&class(label)),
            escape(&class(found))
        );
    }
    Ok(html + "</div>")
}
