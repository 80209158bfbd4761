//! The page: headline figures, then the figures of each module.

use std::fmt::Write;

use super::style::STYLE;
use super::{Report, bytes, confusion, digits, escape, grouped, layers, logits, parameters, program, seconds};

/// The whole page as HTML.
///
/// # Errors
/// None in practice: only the compressor of the inline images could report one.
pub(crate) fn page(report: &Report<'_>) -> std::io::Result<String> {
    let r = report.record;
    let title = format!("CryptoNets on encrypted {}", report.dataset.title());
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{}</title><style>{STYLE}</style></head><body><main>",
        escape(&title)
    );
    if r.insecure {
        let _ = write!(
            html,
            "<p class=\"alarm\">Insecure parameters: {} bits. These figures say nothing about a protected run.</p>",
            r.security_bits
        );
    }
    let verdict = if r.gate.passed {
        "<span class=\"verdict good\">✓ encrypted = clear</span>".to_owned()
    } else {
        let reasons: Vec<String> = r.gate.refusals.iter().map(|t| escape(t)).collect();
        format!("<span class=\"verdict bad\">✗ {}</span>", reasons.join("; "))
    };
    let _ = write!(
        html,
        "<header>{verdict}<h1>{}</h1><p class=\"lead\">{} test images were encrypted, classified without ever being decrypted on the way, and their logits decrypted; beside it the same model in the clear, in 64-bit floating point.</p></header>",
        escape(&title),
        grouped(r.images as u64)
    );
    html.push_str(&tiles(report));
    section(
        &mut html,
        "Where the time goes",
        &format!(
            "Server time of each layer for one batch of {} images, {} threads, {}: median of {} batches. A square next to nothing is made inside the layer that reads it, prime by prime, and counts there; so are the seeds of the inputs expanded.",
            grouped(r.batch_size as u64),
            r.threads,
            escape(&r.isa),
            r.seconds.server.len()
        ),
        &layers::figure(report),
    );
    section(
        &mut html,
        "Level and scale along the program",
        "Each column is one operation. Pale: bits of the ciphertext modulus that are left after it. Solid: bits of the scale. Between the two is the room for the values themselves. Under each column its level and the number of ciphertexts.",
        &program::figure(report),
    );
    section(
        &mut html,
        "What the compiler knew before the run",
        "Level and scale are those a layer hands on. Values are bounded by interval arithmetic, or by training images times a stated margin; errors by the noise formulas. A value that could outgrow its modulus would have been refused.",
        &layers::table(report),
    );
    html.push_str("<div class=\"pair\">");
    section(
        &mut html,
        "Clear against encrypted logits",
        &format!(
            "All {} logits, counted in hexagons; the dashed line is equality.",
            grouped(report.clear.data().len() as u64)
        ),
        &logits::scatter(report),
    );
    section(
        &mut html,
        "What encryption adds",
        &format!("Encrypted minus clear: at most {:.2e} on a range of {:.2}.", r.largest_logit_error, r.logit_range),
        &logits::errors(report),
    );
    html.push_str("</div>");
    html.push_str(&parameters::disagreements(report));
    html.push_str("<div class=\"pair\">");
    section(
        &mut html,
        "Confusion matrix",
        &format!("Labels predicted on encrypted images: {:.2} % right.", 100.0 * r.accuracy_encrypted),
        &confusion::figure(report),
    );
    html.push_str("<div>");
    section(&mut html, "Parameters and security", "", &parameters::scheme(report));
    section(&mut html, "Time and size", "", &parameters::cost(report));
    html.push_str("</div></div>");
    section(&mut html, "Wrong labels", "", &digits::figure(report)?);
    section(&mut html, "What was run", "", &parameters::provenance(report));
    let _ = writeln!(
        html,
        "<footer>Written by henge {} on {}. Network: Dowlin et al., CryptoNets, ICML 2016.</footer></main></body></html>",
        escape(&r.version),
        escape(&r.date)
    );
    Ok(html)
}

fn section(html: &mut String, title: &str, note: &str, body: &str) {
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>") };
    let _ = write!(html, "<section><h2>{title}</h2>{note}{body}</section>");
}

fn tiles(report: &Report<'_>) -> String {
    let r = report.record;
    let agreeing = r.images - r.disagreements.len();
    let tiles = [
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
    ];
    let tiles =
        tiles.iter().map(|(figure, text)| format!("<div class=\"tile\"><b>{figure}</b><span>{text}</span></div>"));
    format!("<div class=\"tiles\">{}</div>", tiles.collect::<String>())
}

/// A small number as digits and a power of ten.
fn power_of_ten(value: f64) -> String {
    let text = format!("{value:.1e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            format!("{digits}<small>&#160;×&#160;10<sup>{}</sup></small>", power.replace('-', "−"))
        }
        None => text,
    }
}
