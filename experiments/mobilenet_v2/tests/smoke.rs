//! The whole experiment at the smallest size of the published topology: two processes, TLS, the record and the page.

use std::process::Command;

#[test]
fn the_smallest_network_comes_back_as_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let [json, page] = ["run.json", "run.html"].map(|name| folder.path().join(name));
    // Width 0.35, 32 x 32 pixels: one pixel is left behind the last stride.
    let output = Command::new(env!("CARGO_BIN_EXE_mobilenet_v2"))
        .args(["--resolution", "32", "--images", "3", "--batch-size", "5", "--memory-limit", "2"])
        .arg("--json")
        .arg(&json)
        .arg("--report")
        .arg(&page)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let record: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let number = |key: &str| record[key].as_f64().unwrap();
    assert_eq!((number("images"), record["way"].as_str()), (3.0, Some("loopback")));
    assert_eq!((number("agreement"), number("labelled")), (1.0, 0.0), "{said}");
    assert!(number("largest_logit_error") <= 1e-2 * number("logit_range"), "{said}");
    assert!(number("largest_logit_error") > 0.0 && number("security_bits") >= 128.0, "{said}");
    for (found, least) in
        [("bytes_up_per_image", "minimum_bytes_up_per_image"), ("bytes_down_per_image", "minimum_bytes_down_per_image")]
    {
        let (found, least) = (number(found), number(least));
        assert!(least > 0.0 && found >= least && found < 1.2 * least, "{found} bytes, at least {least}");
    }

    // ReLU6 behind the stem, 16 expansions, 17 depthwise convolutions and the head: 35, each the client's. Refreshes that the compiler adds come on top.
    let layers = record["layers"].as_array().unwrap();
    let of = |layer: &serde_json::Value, key: &str| layer[key].as_f64().unwrap();
    let relu6 = |layer: &&serde_json::Value| layer["name"].as_str().unwrap().ends_with("/relu6");
    let asked = |layer: &&serde_json::Value| of(layer, "requests") > 0.0 && of(layer, "bytes_down") > 0.0;
    assert_eq!(layers.iter().filter(relu6).count(), 35, "{layers:?}");
    assert!(layers.iter().filter(relu6).all(|layer| asked(&layer)), "{layers:?}");
    // Each asks in a later round than the one before it; no layer takes no time.
    let rounds = layers.iter().filter(relu6).flat_map(|layer| layer["rounds"].as_array().unwrap());
    let rounds: Vec<u64> = rounds.map(|round| round.as_u64().unwrap()).collect();
    assert!(rounds.len() == 35 && rounds.windows(2).all(|pair| pair[0] < pair[1]), "{rounds:?}");
    assert!(layers.iter().all(|layer| of(layer, "seconds") > 0.0), "{layers:?}");
    let sum = |key: &str| layers.iter().map(|layer| of(layer, key)).sum::<f64>();
    assert_eq!(sum("requests"), number("requests"), "every answer is a layer's");
    assert!(number("rounds") >= 35.0 && number("requests") >= number("rounds"));
    let batch = number("batch_size");
    for (layer, all) in [("bytes_up", "minimum_bytes_up_per_image"), ("bytes_down", "minimum_bytes_down_per_image")] {
        let (layer, all) = (sum(layer), number(all) * batch);
        assert!((layer - all).abs() < 1e-3 * all, "layers sum to {layer}, {all} are needed");
    }

    // The plan is what the limit is held against. The process took what was planned beside weights and program, and less than tiles and weights again for
    // all else.
    let planned = number("planned_server_bytes");
    assert!(planned > 0.0 && planned <= 2e9 && number("memory_limit_bytes") == 2e9, "{said}");
    let (peak, computed) = (number("server_peak_rss_bytes"), planned + number("weights_bytes"));
    let known = computed + number("program_bytes");
    assert!(peak >= known && peak <= 2.0 * computed, "{peak} of {known}: {said}");
    assert_eq!(
        number("peak_rss_bytes"),
        number("server_peak_rss_bytes") + number("client_peak_rss_bytes"),
        "both parties"
    );
    assert!(said.contains("largest output error") && said.contains("of tiles (limit 2.00 GB)"), "{said}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("Layer by layer, rounds, requests and bytes") && page.contains("block16/project"),
        "the page"
    );
    assert!(!page.contains("NaN") && !page.contains("http"), "no outside resource");
}

#[test]
fn a_plan_above_the_limit_is_refused() {
    // Another width and resolution, which compile as well.
    let output = Command::new(env!("CARGO_BIN_EXE_mobilenet_v2"))
        .args(["--width", "0.5", "--resolution", "64", "--images", "1", "--batch-size", "1"])
        .args(["--memory-limit", "0.001", "--one-process"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("1000000"), "the limit is named: {said}");
}
