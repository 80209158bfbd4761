//! The program runs through, quick and on toy sizes: what is tested is that every contender computes the same, not how fast.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::Value;

fn run(rows: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let [json, html, readme] = ["rows.json", "page.html", "README.md"].map(|name| folder.path().join(name));
    std::fs::write(&readme, "before\n<!-- rows -->\nwhat stood there\n<!-- /rows -->\nafter\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_versus"))
        .env_remove("BUILD_WORKING_DIRECTORY")
        .args(["--quick", "--rows", rows, "--json"])
        .arg(&json)
        .arg("--html")
        .arg(&html)
        .arg("--readme")
        .arg(&readme)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("</html>") && !page.contains("NaN"));
    let table = std::fs::read_to_string(readme).unwrap();
    assert!(table.starts_with("before\n<!-- rows -->\n") && table.ends_with("<!-- /rows -->\nafter\n"), "{table}");
    assert!(table.contains("| row | threads | peer |") && !table.contains("what stood there"), "{table}");
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

/// The peers of a row.
fn peers<'a>(record: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = record["rows"].as_array().unwrap().iter().filter(|row| row["name"] == name);
    rows.map(|row| row["peer"].as_str().unwrap()).collect()
}

#[test]
fn transforms_and_scheme_operations() {
    let record = run("ntt,2^12,2^13");
    let rows = [
        "ntt_forward_2^13_30bit",
        "ntt_forward_2^14_60bit",
        "ntt_forward_2^14_50bit",
        "relinearize_2^13_7x30",
        "rotate_2^13_7x30",
        "rescale_2^13_7x30",
        "encode_encrypt_symmetric_2^12_3x30",
        "decrypt_decode_2^12_1x30",
        "matrix_product_845x100_2^13",
    ];
    for name in rows {
        let peers = peers(&record, name);
        assert!(peers.iter().any(|peer| peer.starts_with("SEAL")), "{name}: {peers:?}");
    }
    assert!(peers(&record, rows[0]).contains(&"concrete-ntt") && peers(&record, rows[0]).contains(&"tfhe-ntt"));
    for row in record["rows"].as_array().unwrap() {
        assert!(row["henge_us"].as_f64().unwrap() > 0.0 && row["ratio"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["checked"].is_string(), "{row}");
        let limits = row["limits"].as_array().unwrap();
        assert!(!limits.is_empty() && limits.iter().all(|limit| limit["share"].as_f64().unwrap() > 0.0), "{row}");
        assert!(row["met"].is_null(), "toy sizes are not judged: {row}");
    }
}

#[test]
fn cryptonets_by_everyone() {
    let record = run("cryptonets");
    let server = peers(&record, "cryptonets_4096");
    for way in ["SEAL, hand-tuned", "SEAL, own kernels", "SEAL, documented", "SEAL, hand-tuned, Henge's program"] {
        assert!(server.contains(&way), "{server:?}");
    }
    assert!(!peers(&record, "cryptonets_4096_client").is_empty());
    for row in record["rows"].as_array().unwrap() {
        if row["name"] == "cryptonets_4096_memory" {
            assert!(row["henge_bytes"].as_u64().unwrap() > 0 && row["peer_bytes"].as_u64().unwrap() > 0, "{row}");
        } else {
            assert!(row["accuracy"].as_f64().unwrap() > 0.9 && row["peer_accuracy"].as_f64().unwrap() > 0.9, "{row}");
        }
    }
}
