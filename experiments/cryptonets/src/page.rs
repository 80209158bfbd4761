//! The self-contained HTML page of a run.

use datasets::{Dataset, LabelledImages};
use report::{Logits, Page, bytes, escape, grouped, power_of_ten, seconds, tables};

use crate::record::Record;

/// Everything the page shows.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) record: &'a Record,
    pub(crate) dataset: Dataset,
    pub(crate) images: &'a LabelledImages,
    pub(crate) clear: &'a Logits,
    pub(crate) encrypted: &'a Logits,
}

impl Report<'_> {
    fn class(&self, index: usize) -> String {
        self.dataset.classes().get(index).copied().unwrap_or("?").to_owned()
    }
}

/// The whole page as HTML.
///
/// # Errors
/// None in practice: only the compressor of the inline images could report one.
pub(crate) fn page(report: &Report<'_>) -> std::io::Result<String> {
    let r = report.record;
    let class = |index| report.class(index);
    let alarm =
        format!("Insecure parameters: {} bits. These figures say nothing about a protected run.", r.security_bits);
    let mut page = Page::new(
        &format!("CryptoNets on encrypted {}", report.dataset.title()),
        r.insecure.then_some(&alarm),
        &r.gate,
        &format!(
            "{} test images were encrypted, classified without ever being decrypted on the way, and their logits decrypted; beside it the same model in the clear, in 64-bit floating point.",
            grouped(r.images as u64)
        ),
    );
    page.tiles(&tiles(report));
    page.section(
        "Where the time goes",
        &format!(
            "Server time of each layer for one batch of {} images, {} threads, {}: median of {} batches. A square next to nothing is made inside the layer that reads it, prime by prime, and counts there; so are the seeds of the inputs expanded.",
            grouped(r.batch_size as u64),
            r.threads,
            escape(&r.isa),
            r.seconds.server.len()
        ),
        &report::layers::times(r.layers.iter(), &r.steps),
    );
    page.section("Level and scale along the program", report::program::NOTE, &report::program::figure(&r.steps, &r.q));
    page.section(
        "What the compiler knew before the run",
        report::layers::NOTE,
        &report::layers::table(r.layers.iter(), r.forecast_seconds_per_batch, r.seconds_per_batch),
    );
    page.pair(
        |page| {
            let note = report::logits::scatter_note(report.clear);
            page.section(
                "Clear against encrypted logits",
                &note,
                &report::logits::scatter(report.clear, report.encrypted),
            );
        },
        |page| {
            let note = report::logits::errors_note(r.largest_logit_error, r.logit_range);
            page.section("What encryption adds", &note, &report::logits::errors(report.clear, report.encrypted));
        },
    );
    page.push(&tables::disagreements(&r.disagreements, class));
    page.pair(
        |page| {
            page.section(
                "Confusion matrix",
                &format!("Labels predicted on encrypted images: {:.2} % right.", 100.0 * r.accuracy_encrypted),
                &report::confusion::figure(&r.confusion, class),
            );
        },
        |page| {
            page.section("Parameters and security", "", &scheme(r));
            page.section("Time and size", "", &cost(r));
        },
    );
    let labels: Vec<Option<usize>> = report.images.labels().iter().map(|&label| Some(usize::from(label))).collect();
    let picture =
        |image: usize| report::png::gray(report.images.columns(), report.images.image(image).unwrap_or_default());
    let wrong = report::gallery::wrong(&labels, report.encrypted, !r.disagreements.is_empty(), class, picture)?;
    page.section("Wrong labels", "", &wrong);
    page.section("What was run", "", &provenance(r));
    Ok(page.finish(&format!(
        "Written by henge {} on {}. Network: Dowlin et al., CryptoNets, ICML 2016.",
        r.version, r.date
    )))
}

fn tiles(report: &Report<'_>) -> Vec<(String, String)> {
    let r = report.record;
    let agreeing = r.images - r.disagreements.len();
    vec![
        (
            format!("{:.2}<small> %</small>", 100.0 * r.accuracy_encrypted),
            format!("right on encrypted images; {:.2} % in the clear", 100.0 * r.accuracy_clear),
        ),
        (grouped(agreeing as u64), format!("of {} labels equal to the clear ones", grouped(r.images as u64))),
        (seconds(r.seconds_per_batch), format!("server time of a batch of {} images", grouped(r.batch_size as u64))),
        (
            grouped(r.images_per_second.round() as u64),
            format!("images a second on {} threads, a full batch", r.threads),
        ),
        (
            power_of_ten(r.largest_logit_error / r.logit_range),
            "of the logit range: the largest error of any logit".to_owned(),
        ),
        (format!("{}<small> bits</small>", r.security_bits), format!("of security at N&#160;=&#160;{}", r.n)),
        (
            bytes(r.peak_rss_bytes).replace(' ', "<small> ") + "</small>",
            "of memory at most, client and server together".to_owned(),
        ),
    ]
}

/// Parameters and security.
fn scheme(r: &Record) -> String {
    tables::scheme(&tables::Scheme {
        n: r.n,
        slots: r.slots,
        q: &r.q,
        p: &r.p,
        log_qp: r.log_qp,
        bound: r.security_bound,
        security_bits: r.security_bits,
        security_table: &r.security_table,
        log_scale: r.log_scale,
    })
}

/// Times and sizes.
fn cost(r: &Record) -> String {
    let batches = r.seconds.server.len();
    let each: Vec<String> = r.seconds.server.iter().map(|s| seconds(*s)).collect();
    tables::table(&[
        ("server, a batch", format!("{} (median of {batches}: {})", seconds(r.seconds_per_batch), each.join(", "))),
        (
            "client, a batch",
            format!("{} to encrypt, {} to decrypt", seconds(r.seconds.encrypt), seconds(r.seconds.decrypt)),
        ),
        (
            "before the first batch",
            format!(
                "{} to compile, {} for keys, {} to pack weights",
                seconds(r.seconds.compile),
                seconds(r.seconds.keygen),
                seconds(r.seconds.prepare)
            ),
        ),
        ("in the clear", format!("{} for all images (64-bit reference)", seconds(r.seconds.clear))),
        ("whole run", seconds(r.seconds.total)),
        ("encrypted input", format!("{} a batch", bytes(r.bytes.input))),
        ("encrypted output", format!("{} a batch", bytes(r.bytes.output))),
        ("evaluation keys", bytes(r.bytes.evaluation_keys)),
        ("peak memory", format!("{}, client and server in one process", bytes(r.peak_rss_bytes))),
    ])
}

/// What was run, where and when.
fn provenance(r: &Record) -> String {
    let code = |text: &str| format!("<code>{}</code>", escape(text));
    tables::table(&[
        ("model", format!("{}<br>{}", code(&r.model), code(&format!("sha256 {}", r.model_sha256)))),
        ("data", format!("{}, {} test images", escape(&r.dataset), grouped(r.images as u64))),
        ("seed", code(&r.seed)),
        ("machine", format!("{}, {} threads, {}", escape(&r.processor), r.threads, escape(&r.isa))),
        ("command", code(&r.command)),
        ("program", format!("henge {}, {}", escape(&r.version), escape(&r.date))),
    ])
}

#[cfg(test)]
mod tests;
