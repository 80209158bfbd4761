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
    let record: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    for row in record["rows"].as_array().unwrap() {
        for key in ["name", "henge_us", "peer", "peer_us", "ratio"] {
            assert!(row.get(key).is_some(), "{key}: {row}");
        }
        assert!(table.contains(row["name"].as_str().unwrap()) && page.contains(row["name"].as_str().unwrap()), "{row}");
    }
    record
}

/// The names of the parts of every row of a name, which must account for all of its time.
fn parts<'a>(record: &'a Value, name: &str) -> Vec<&'a str> {
    let mut names = Vec::new();
    for row in record["rows"].as_array().unwrap().iter().filter(|row| row["name"] == name && row["together"] == false) {
        let parts = row["parts"].as_array().unwrap();
        let sum: f64 = parts.iter().map(|part| part["share"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-6 && parts.len() >= 2, "{row}");
        names.extend(parts.iter().map(|part| part["what"].as_str().unwrap()));
    }
    names
}

/// The peers of a row.
fn peers<'a>(record: &'a Value, name: &str) -> Vec<&'a str> {
    let rows = record["rows"].as_array().unwrap().iter().filter(|row| row["name"] == name);
    rows.map(|row| row["peer"].as_str().unwrap()).collect()
}

#[test]
fn transforms_and_scheme_operations() {
    let record = run("ntt,2^12,2^13");
    let files = [
        "load_galois_keys",
        "load_galois_keys_seeded",
        "load_galois_keys_zstd",
        "save_galois_keys",
        "save_galois_keys_zstd",
    ];
    for name in files {
        assert_eq!(peers(&record, &format!("{name}_2^13_7x30")).first(), Some(&"SEAL"), "{name}");
    }
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
    for (name, part) in [
        (rows[0], "the rest (loads and stores, layers inside vectors, waiting)"),
        ("relinearize_2^13_7x30", "56 transforms of 30 bits"),
        ("rotate_2^13_7x30", "automorphism"),
        ("rescale_2^13_7x30", "12 transforms of 30 bits"),
        ("encode_encrypt_symmetric_2^12_3x30", "drawing errors"),
        ("decrypt_decode_2^12_1x30", "product with the key"),
        ("matrix_product_845x100_2^13", "residues into panels of numbers"),
    ] {
        assert!(parts(&record, name).contains(&part), "{name}: {:?}", parts(&record, name));
    }
    for row in record["rows"].as_array().unwrap() {
        assert!(row["henge_us"].as_f64().unwrap() > 0.0 && row["ratio"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["checked"].is_string() || row["peer"].as_str().unwrap().starts_with("asked: "), "{row}");
        let limits = row["limits"].as_array().unwrap();
        assert!(!limits.is_empty() && limits.iter().all(|limit| limit["share"].as_f64().unwrap() > 0.0), "{row}");
        assert!(row["met"].is_null(), "toy sizes are not judged: {row}");
    }
}

#[test]
fn cryptonets_by_everyone() {
    let record = run("cryptonets");
    let server = peers(&record, "cryptonets_4096");
    let ways = [
        "SEAL, hand-tuned",
        "SEAL, own kernels",
        "SEAL, documented",
        "SEAL, hand-tuned, Henge's program",
        "SEAL, backend, Henge's program",
    ];
    for way in ways.into_iter().chain(["asked: 5,000 images/s"]) {
        assert!(server.contains(&way), "{server:?}");
    }
    assert!(!peers(&record, "cryptonets_4096_client").is_empty());
    for name in ["cryptonets_4096", "cryptonets_4096_client"] {
        assert!(!parts(&record, name).is_empty());
    }
    let hope = peers(&record, "cryptonets_4096_moonshot");
    assert!(!hope.is_empty() && hope.iter().all(|peer| *peer == "moonshot: 10,000 images/s"), "{hope:?}");
    let hope = peers(&record, "cryptonets_8192_conjugate_invariant");
    assert!(!hope.is_empty() && hope.iter().all(|peer| *peer == "moonshot: 20,000 images/s"), "{hope:?}");
    for row in record["rows"].as_array().unwrap() {
        let (name, peer) = (row["name"].as_str().unwrap(), row["peer"].as_str().unwrap());
        if name == "cryptonets_4096_memory" {
            assert!(row["henge_bytes"].as_u64().unwrap() > 0 && row["peer_bytes"].as_u64().unwrap() > 0, "{row}");
            assert!(row["ratio"].as_f64().unwrap() > 0.0, "{row}");
        } else {
            assert!(row["accuracy"].as_f64().unwrap() > 0.9, "{row}");
            assert!(peer.contains("images/s") || row["peer_accuracy"].as_f64().unwrap() > 0.9, "{row}");
        }
        if peer == "SEAL, backend, Henge's program" {
            assert_eq!(row["checked"], "same residues, 64 of 64 labels the same", "{row}");
        }
    }
}
