use report::{Bytes, Comparison, Layer, Step, gather};

use super::*;
use crate::record::{Record, Seconds};

/// A run on `images` blank images, with names that try to break out of the page.
struct Run {
    record: Record,
    images: LabelledImages,
    clear: Logits,
    encrypted: Logits,
}

fn run(images: usize, error: f64) -> Run {
    let labels: Vec<u8> = (0..images).map(|i| (i % 10) as u8).collect();
    let row = |i: usize| (0..10).map(move |c| if c == i % 10 { 9.0 } else { c as f64 / 10.0 });
    let clear: Vec<f64> = (0..images).flat_map(row).collect();
    let encrypted: Vec<f64> = clear.iter().enumerate().map(|(i, x)| x + error * (i as f64 * 0.7).sin()).collect();
    let clear = Logits::new(10, clear).unwrap();
    let encrypted = Logits::new(10, encrypted).unwrap();
    let found =
        Comparison::new(&labels.iter().map(|&l| Some(usize::from(l))).collect::<Vec<_>>(), &clear, &encrypted).unwrap();
    let evil = "<script>alert('x')</script>";
    let step = |verb: &str, layer: &str, level: usize| Step {
        verb: verb.to_owned(),
        layer: layer.to_owned(),
        seconds: 0.1,
        level,
        log_scale: 24.0,
        component_count: 2,
        ciphertexts: 845,
    };
    let steps = vec![
        step("expand", "image", 2),
        step("linear", evil, 2),
        step("rescale", evil, 1),
        step("square", "square1", 1),
    ];
    let found_layers: Vec<Layer> = gather(&steps, &[]);
    let record = Record {
        images,
        accuracy_clear: found.accuracy_clear,
        accuracy_encrypted: found.accuracy_encrypted,
        agreement: found.agreement,
        largest_logit_error: found.largest_error,
        root_mean_square_logit_error: found.root_mean_square_error,
        logit_range: found.range,
        batch_size: 4096,
        seconds_per_batch: 2.5,
        images_per_second: 1638.4,
        peak_rss_bytes: 1_500_000_000,
        threads: 2,
        isa: "avx2".to_owned(),
        ring: he_params::RingType::Cyclotomic,
        n: 8192,
        log_qp: 200.0,
        security_bits: 128,
        layers: found_layers,
        forecast_seconds_per_batch: 2.0,
        insecure: false,
        security_table: "2024 guidelines".to_owned(),
        security_bound: Some(214),
        slots: 4096,
        q: vec![0x3fff_c001, 0x3ffe_8001, 0x3ffd_0001],
        p: vec![0x3fff_4001],
        log_scale: 24.0,
        dataset: "MNIST".to_owned(),
        model: evil.to_owned(),
        model_sha256: "00".repeat(32),
        seed: "01".repeat(32),
        seconds: Seconds { server: vec![2.4, 2.5, 2.6], ..Seconds::default() },
        bytes: Bytes::default(),
        steps,
        gate: found.gate(0.9995),
        disagreements: found.disagreements,
        confusion: found.confusion,
        processor: evil.to_owned(),
        processors: 2,
        version: "0".to_owned(),
        date: "today".to_owned(),
        command: evil.to_owned(),
    };
    Run { record, images: LabelledImages::new(28, 28, vec![7; images * 784], labels).unwrap(), clear, encrypted }
}

fn html(run: &Run) -> String {
    let report = Report {
        record: &run.record,
        dataset: Dataset::Mnist,
        images: &run.images,
        clear: &run.clear,
        encrypted: &run.encrypted,
    };
    page(&report).unwrap()
}

/// Every tag that opens closes, in the right order.
fn check_nesting(html: &str) {
    const VOID: [&str; 4] = ["meta", "br", "img", "!doctype"];
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "near <{tag}>");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_self_contained_and_escaped() {
    let html = html(&run(200, 1e-4));
    check_nesting(&html);
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    for outside in ["http://", "https://", "//cdn", "@import", "<link", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("encrypted = clear") && !html.contains("class=\"alarm\""));
    assert!(!html.contains("NaN") && !html.contains("inf"));
}

#[test]
fn a_failed_gate_and_insecure_parameters_are_said_first() {
    let mut failed = run(20, 30.0);
    assert!(!failed.record.gate.passed);
    failed.record.insecure = true;
    failed.record.security_bits = 0;
    let html = html(&failed);
    check_nesting(&html);
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(at("Insecure parameters: 0 bits") < at("labels agree on"));
    assert!(at("labels agree on") < at("<h1>"));
    assert!(html.contains("Where encrypted and clear labels differ"));
    assert!(html.contains("data:image/png;base64,"));
}
