//! The self-contained HTML page of a run of two parties.

use report::layers::{Part, Row};
use report::{Logits, Page, bytes, escape, grouped, power_of_ten, seconds, tables};

use crate::{Layer, Record};

/// What the page shows beside the record.
pub struct Show<'a> {
    /// Title of the page.
    pub title: String,
    /// What was done, in a sentence or two.
    pub lead: String,
    /// Where the network comes from.
    pub source: &'static str,
    /// What each image shows, where somebody says.
    pub labels: &'a [Option<usize>],
    /// Outputs of the clear model.
    pub clear: &'a Logits,
    /// Outputs that came back encrypted.
    pub encrypted: &'a Logits,
    /// Name of a class.
    pub class: &'a dyn Fn(usize) -> String,
    /// An image as a data URL.
    pub picture: &'a dyn Fn(usize) -> std::io::Result<String>,
}

impl Record {
    /// The whole page as HTML.
    ///
    /// # Errors
    /// None in practice: only the compressor of the inline images could report one.
    pub(crate) fn page(&self, show: &Show<'_>) -> std::io::Result<String> {
        let mut page = Page::new(&show.title, None, &self.gate, &show.lead);
        page.tiles(&tiles(self));
        if self.bars.is_empty() {
            page.section("What was asked for", "No bar is set for this set-up.", "");
        } else {
            page.section("What was asked for", "Bars of the project, judged by this run.", &tables::bars(&self.bars));
        }
        page.section(
            "Where the server's time goes",
            &times_note(self),
            &report::layers::times(self.layers.iter().map(|layer| &layer.computed), &self.steps),
        );
        page.section("What travels", &travel_note(self), &(travel(&self.layers) + &travel_key()));
        page.section(
            "Layer by layer, rounds, requests and bytes",
            "Ciphertexts and bytes of one batch: two polynomials of each down, one and a seed up, log<sub>2</sub> of the modulus to a coefficient. A request is one message that the client answers; a round is one step of the longest chain of layers whose answers wait for each other.",
            &travel_table(self),
        );
        page.section(
            "Level and scale along the program",
            report::program::NOTE,
            &report::program::figure(&self.steps, &self.q),
        );
        page.section(
            "What the compiler knew before the run",
            &format!("{} Times are the server's alone.", report::layers::NOTE),
            &report::layers::table(
                self.layers.iter().map(|layer| &layer.computed),
                self.forecast_seconds_per_batch,
                self.server_seconds_per_batch(),
            ),
        );
        page.pair(
            |page| {
                let note = report::logits::scatter_note(show.clear);
                let figure = report::logits::scatter(show.clear, show.encrypted);
                page.section("Clear against encrypted outputs", &note, &figure);
            },
            |page| {
                let note = report::logits::errors_note(self.largest_logit_error, self.logit_range);
                page.section("What encryption adds", &note, &report::logits::errors(show.clear, show.encrypted));
            },
        );
        page.push(&tables::disagreements(&self.disagreements, show.class));
        let confusion = self.labelled > 0 && !self.confusion.is_empty();
        page.pair(
            |page| {
                if confusion {
                    let note = format!(
                        "Labels predicted on encrypted images: {:.2} % right.",
                        100.0 * self.accuracy_encrypted
                    );
                    page.section("Confusion matrix", &note, &report::confusion::figure(&self.confusion, show.class));
                } else {
                    page.section("Parameters and security", "", &scheme(self));
                }
            },
            |page| {
                if confusion {
                    page.section("Parameters and security", "", &scheme(self));
                }
                page.section("Time and size", "", &cost(self));
            },
        );
        if self.labelled > 0 {
            let differ = !self.disagreements.is_empty();
            let wrong = report::gallery::wrong(show.labels, show.encrypted, differ, show.class, show.picture)?;
            page.section("Wrong labels", "", &wrong);
        }
        page.section("What was run", "", &provenance(self));
        Ok(page.finish(&format!("Written by henge {} on {}. Network: {}", self.version, self.date, show.source)))
    }
}

fn tiles(r: &Record) -> Vec<(String, String)> {
    let mut tiles = Vec::new();
    if r.labelled > 0 {
        tiles.push((
            format!("{:.2}<small> %</small>", 100.0 * r.accuracy_encrypted),
            format!("right on encrypted images; {:.2} % in the clear", 100.0 * r.accuracy_clear),
        ));
    }
    let agreeing = r.images - r.disagreements.len();
    let small = |text: String| text.replacen(' ', "<small> ", 1) + "</small>";
    tiles.extend([
        (grouped(agreeing as u64), format!("of {} labels equal to the clear ones", grouped(r.images as u64))),
        (
            small(seconds(1e-3 * r.milliseconds_per_image)),
            format!(
                "an image, both parties: {} a batch of {}",
                seconds(r.seconds_per_batch),
                grouped(r.batch_size as u64)
            ),
        ),
        (grouped(r.images_per_second.round() as u64), format!("images a second, {} threads", r.threads)),
        (small(bytes(r.bytes_per_image().round() as u64)), "travel for an image, both ways".to_owned()),
        (
            grouped(r.requests),
            format!("requests a batch that the client answers, in {} rounds that wait for each other", r.rounds),
        ),
        (
            power_of_ten(r.largest_logit_error / r.logit_range),
            "of the range: the largest error of any output".to_owned(),
        ),
        (format!("{}<small> bits</small>", r.security_bits), format!("of security at N&#160;=&#160;{}", r.n)),
        (small(bytes(r.peak_rss_bytes)), "of memory at most, client and server together".to_owned()),
    ]);
    tiles
}

fn times_note(r: &Record) -> String {
    format!(
        "What the server computes for each layer in one batch of {} images, {} threads, {}: median of {} batches, in all {} of {}. What it waits for the client is not among it; the client works on the same processors. What goes to the client is encoded, and what comes back decoded, in the layer that asks.",
        grouped(r.batch_size as u64),
        r.threads,
        escape(&r.isa),
        r.seconds.server.len(),
        seconds(r.server_seconds_per_batch()),
        seconds(r.seconds_per_batch)
    )
}

const DOWN: &str = "var(--three)";
const UP: &str = "var(--one)";

fn travel_key() -> String {
    report::layers::key([(DOWN, "to the client"), (UP, "to the server")].into_iter())
}

fn travel_note(r: &Record) -> String {
    format!(
        "Bytes of one batch of {} images that each layer needs at least; layers for which nothing travels are left out. Measured over the run: {} up and {} down for an image, where the ciphertexts alone take {} and {}.",
        grouped(r.batch_size as u64),
        bytes(r.bytes_up_per_image.round() as u64),
        bytes(r.bytes_down_per_image.round() as u64),
        bytes(r.minimum_bytes_up_per_image.round() as u64),
        bytes(r.minimum_bytes_down_per_image.round() as u64)
    )
}

/// One bar for each layer that something travels for.
fn travel(layers: &[Layer]) -> String {
    let size = |value: f64| bytes(value.round() as u64);
    let row = |layer: &Layer| Row {
        name: layer.computed.name.clone(),
        parts: vec![
            Part {
                length: layer.bytes_down,
                colour: DOWN,
                title: format!("{} down in {} ciphertexts", size(layer.bytes_down), layer.ciphertexts_down),
            },
            Part {
                length: layer.bytes_up,
                colour: UP,
                title: format!("{} up in {} ciphertexts", size(layer.bytes_up), layer.ciphertexts_up),
            },
        ],
        said: size(layer.bytes_down + layer.bytes_up),
    };
    let rows: Vec<Row> = layers.iter().filter(|layer| layer.bytes_down + layer.bytes_up > 0.0).map(row).collect();
    report::layers::bars("bytes of each layer", &rows)
}

fn travel_table(r: &Record) -> String {
    let cells = |name: &str, rounds: &str, layer: &Layer| {
        format!(
            "<tr><td>{}</td><td class=\"number\">{rounds}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escape(name),
            grouped(layer.requests),
            grouped(layer.ciphertexts_down as u64),
            bytes(layer.bytes_down.round() as u64),
            grouped(layer.ciphertexts_up as u64),
            bytes(layer.bytes_up.round() as u64)
        )
    };
    let travelling = r.layers.iter().filter(|layer| layer.requests > 0 || layer.bytes_down + layer.bytes_up > 0.0);
    let rows = travelling.map(|layer| {
        let rounds: Vec<String> = layer.rounds.iter().map(usize::to_string).collect();
        cells(&layer.computed.name, &rounds.join(", "), layer)
    });
    let rows: String = rows.collect();
    let mut all = Layer::default();
    for layer in &r.layers {
        all.requests += layer.requests;
        all.ciphertexts_down += layer.ciphertexts_down;
        all.ciphertexts_up += layer.ciphertexts_up;
        all.bytes_down += layer.bytes_down;
        all.bytes_up += layer.bytes_up;
    }
    format!(
        "<table><tr><th>layer</th><th class=\"number\">round</th><th class=\"number\">requests</th><th class=\"number\">ciphertexts down</th><th class=\"number\">bytes down</th><th class=\"number\">ciphertexts up</th><th class=\"number\">bytes up</th></tr>{rows}{}</table>",
        cells("all", &format!("{} in all", r.rounds), &all)
    )
}

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

fn cost(r: &Record) -> String {
    let taken = |batch: f64, each: &[f64]| {
        let each: Vec<String> = each.iter().map(|s| seconds(*s)).collect();
        format!("{} (median of {}: {})", seconds(batch), each.len(), each.join(", "))
    };
    tables::table(&[
        ("a batch, both parties", taken(r.seconds_per_batch, &r.seconds.batches)),
        ("of it, the server computes", taken(r.server_seconds_per_batch(), &r.seconds.server)),
        ("parties", escape(&r.way_described)),
        (
            "packing",
            format!("{}, {} images to a ciphertext", escape(&r.packing), grouped(r.images_per_ciphertext as u64)),
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
        ("in the clear", format!("{} for {} images (64-bit reference)", seconds(r.seconds.clear), r.images)),
        ("whole run", seconds(r.seconds.total)),
        ("up, an image", format!("{:.0} bytes, at least {:.0}", r.bytes_up_per_image, r.minimum_bytes_up_per_image)),
        (
            "down, an image",
            format!("{:.0} bytes, at least {:.0}", r.bytes_down_per_image, r.minimum_bytes_down_per_image),
        ),
        ("encrypted input", format!("{} a batch", bytes(r.bytes.input))),
        ("encrypted output", format!("{} a batch", bytes(r.bytes.output))),
        ("evaluation keys", format!("{}, once", bytes(r.bytes.evaluation_keys))),
        ("peak memory", escape(&r.memory())),
    ])
}

fn provenance(r: &Record) -> String {
    let code = |text: &str| format!("<code>{}</code>", escape(text));
    tables::table(&[
        ("model", format!("{}<br>{}", code(&r.model), code(&format!("sha256 {}", r.model_sha256)))),
        ("data", format!("{}, {} images", escape(&r.dataset), grouped(r.images as u64))),
        ("seed", "none: the client draws its keys and all else from the operating system".to_owned()),
        ("machine", format!("{}, {} threads of {}, {}", escape(&r.processor), r.threads, r.processors, escape(&r.isa))),
        ("command", code(&r.command)),
        ("program", format!("henge {}, {}", escape(&r.version), escape(&r.date))),
    ])
}
