//! The whole experiment on a few images, in every set-up: two processes over TLS, an emulated link, one process, two network namespaces.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking, their helper functions too")]

use std::process::{Command, Output};

use serde_json::Value;

/// Whether the data are there; says so aloud where not.
fn data() -> bool {
    match datasets::data_root() {
        Ok(root) if root.join("mnist").is_dir() => return true,
        Ok(root) => println!("skipped: no mnist in {}", root.display()),
        Err(error) => println!("skipped: {error}"),
    }
    false
}

fn start(arguments: &[&str]) -> Output {
    // Two batches of 32, the second one filled up.
    let command = ["--images", "48", "--batch-size", "32"];
    Command::new(env!("CARGO_BIN_EXE_cryptonets_relu")).args(command).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs, and checks what holds of every run.
fn run(arguments: &[&str]) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    let output = start(&[arguments, &["--json", json.to_str().unwrap()]].concat());
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    let record: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let number = |key: &str| record[key].as_f64().unwrap();
    assert_eq!((number("images"), number("agreement")), (48.0, 1.0), "{said}");
    assert!(
        number("largest_logit_error") <= 1e-2 * number("logit_range") && number("security_bits") >= 128.0,
        "{said}"
    );
    // The server's computing is part of each batch, and every layer has its share of it.
    let batches = |key: &str| -> Vec<f64> {
        record["seconds"][key].as_array().unwrap().iter().map(|seconds| seconds.as_f64().unwrap()).collect()
    };
    let (server, both) = (batches("server"), batches("batches"));
    assert_eq!((server.len(), both.len()), (2, 2));
    assert!(server.iter().zip(&both).all(|(server, both)| server < both), "{server:?} of {both:?}");
    // What travels is at least what ciphertexts must take, and hardly more.
    for (found, least) in
        [("bytes_up_per_image", "minimum_bytes_up_per_image"), ("bytes_down_per_image", "minimum_bytes_down_per_image")]
    {
        let (found, least) = (number(found), number(least));
        assert!(least > 0.0 && found >= least && found < 1.2 * least, "{found} bytes, at least {least}");
    }
    let layers = record["layers"].as_array().unwrap();
    let requests = layers.iter().map(|layer| layer["requests"].as_f64().unwrap()).sum::<f64>();
    assert_eq!(requests, number("requests"), "every answer is a layer's");
    let measured = layers.iter().map(|layer| layer["seconds"].as_f64().unwrap());
    let (least, sum) = measured.fold((f64::INFINITY, 0.0), |(least, sum), s| (s.min(least), sum + s));
    // Of two batches the median is the mean, so that sums are of both sides.
    assert!(least > 0.0 && sum <= 0.5 * (server[0] + server[1]) + 1e-9, "{layers:?}");
    let steps = record["steps"].as_array().unwrap().iter().map(|step| step["seconds"].as_f64().unwrap());
    assert!((steps.sum::<f64>() - sum).abs() < 1e-9, "layers are made of steps");
    // Two activations, one after the other.
    let rounds: Vec<&Value> = layers.iter().flat_map(|layer| layer["rounds"].as_array().unwrap()).collect();
    assert_eq!((rounds, number("rounds")), (vec![&Value::from(1), &Value::from(2)], 2.0));
    for key in ["model", "model_sha256", "dataset", "ring", "version"] {
        assert!(record[key].is_string(), "{key}");
    }
    assert_eq!((&record["insecure"], &record["ring"]), (&false.into(), &"cyclotomic".into()));
    assert!(record["bytes"]["input"].as_u64() > Some(0) && record["bytes"]["output"].as_u64() > Some(0));
    assert!(number("peak_rss_bytes") > 0.0 && number("rounds") > 0.0 && requests >= number("rounds"));
    // A batch of 32 is not judged for speed or size; labels and errors are.
    let bars = record["bars"].as_array().unwrap();
    assert_eq!(bars.len(), 2, "{said}");
    assert!(bars.iter().all(|bar| bar["met"] == true), "{said}");
    (record, said)
}

#[test]
fn two_processes_and_an_emulated_link() {
    if !data() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("run.html");
    let (record, _) = run(&["--link", "1,0.1", "--report", page.to_str().unwrap()]);
    assert_eq!((record["way"].as_str(), record["link"]["bits_per_second"].as_f64()), (Some("relay"), Some(1e9)));
    let both = ["client_peak_rss_bytes", "server_peak_rss_bytes"].map(|key| record[key].as_u64().unwrap());
    assert_eq!(record["peak_rss_bytes"].as_u64(), Some(both[0] + both[1]));
    let page = std::fs::read_to_string(page).unwrap();
    for section in [
        "What was asked for",
        "Where the server's time goes",
        "Layer by layer, rounds, requests and bytes",
        "Confusion matrix",
        "Wrong labels",
    ] {
        assert!(page.contains(section), "{section}");
    }
    assert!(!page.contains("http") && !page.contains("NaN"), "no outside resource");
    for tag in ["section", "table", "svg", "div", "tr", "p", "figure"] {
        let [open, plain, close] = [format!("<{tag} "), format!("<{tag}>"), format!("</{tag}>")];
        let opened = page.matches(&open).count() + page.matches(&plain).count();
        assert_eq!(opened, page.matches(&close).count(), "{tag}");
    }
}

#[test]
fn one_process() {
    if !data() {
        return;
    }
    let (record, said) = run(&["--one-process"]);
    assert_eq!(record["way"].as_str(), Some("one_process"));
    assert!(record["server_peak_rss_bytes"].is_null() && record["client_peak_rss_bytes"].is_null());
    assert!(said.contains("one process, a plaintext loopback connection"), "{said}");
}

#[test]
fn two_namespaces_at_a_rate() {
    if !data() {
        return;
    }
    let shaped = "ip link add type veth && tc qdisc add dev veth0 root tbf rate 1gbit burst 128kb latency 20ms";
    let made = format!("PATH=$PATH:/usr/sbin:/sbin unshare --net -- sh -c '{shaped}'");
    if !Command::new("sh").args(["-c", &made]).output().is_ok_and(|output| output.status.success()) {
        let output = start(&["--namespaces"]);
        println!("skipped: no network namespaces, veth pairs or tbf here: {}", said(&output));
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        return;
    }
    // At 1 Gbit/s with a delay, then so slow that the rate must show: what went down alone takes that long.
    let (record, said) = run(&["--namespaces", "--link", "1,0.1"]);
    assert_eq!(record["way"].as_str(), Some("namespaces"));
    assert!(said.contains("1 Gbit/s (tbf), 0.1 ms one way (a relay of ours)"), "{said}");
    let (slow, said) = run(&["--namespaces", "--link", "0.05,0"]);
    assert!(said.contains("no delay added"), "{said}");
    let bits = 8.0 * 32.0 * slow["bytes_down_per_image"].as_f64().unwrap();
    let seconds = slow["seconds_per_batch"].as_f64().unwrap();
    // The burst and the buffers of the pair let a little through at once.
    assert!(seconds > 0.7 * bits / 5e7, "{seconds} s for {bits} bits down at 50 Mbit/s");
    // What the server waits for is not among what it computes.
    let server = slow["seconds"]["server"].as_array().unwrap().iter().map(|batch| batch.as_f64().unwrap());
    assert!(server.fold(0.0, f64::max) < 0.5 * seconds, "{}", slow["seconds"]);
}
