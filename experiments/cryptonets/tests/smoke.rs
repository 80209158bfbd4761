//! The program itself on a few real test images, at small size; and what it refuses.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

use datasets::data_root;
use serde_json::Value;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cryptonets"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether the data sets are there; says so when not.
fn have_data() -> bool {
    data_root().map_err(|error| println!("skipped: {error}")).is_ok()
}

/// 64 images in two batches on parameters without security, which the run says first.
fn small(folder: &Path, dataset: &str, threads: &str, isa: &str) -> (Output, Value) {
    let json = folder.join(format!("{dataset}-{threads}-{isa}.json"));
    let output = program()
        .args(["--dataset", dataset, "--images", "64", "--batch-size", "40", "--insecure", "--seed", "2a"])
        .args(["--threads", threads, "--json"])
        .arg(&json)
        .arg("--report")
        .arg(folder.join("page.html"))
        .env("HENGE_ISA", isa)
        .output()
        .unwrap();
    let record = serde_json::from_slice(&std::fs::read(&json).unwrap_or_default()).unwrap_or_default();
    (output, record)
}

#[test]
fn sixty_four_images_of_each_data_set() {
    if !have_data() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for dataset in ["mnist", "fashion"] {
        let (output, record) = small(folder.path(), dataset, "2", "scalar");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{out}{err}");
        assert!(out.lines().next().unwrap().to_lowercase().contains("insecure"), "{out}");
        assert!(err.contains("batch 1 of 2") && err.contains("left"), "{err}");
        for key in [
            "images",
            "accuracy_clear",
            "accuracy_encrypted",
            "agreement",
            "largest_logit_error",
            "logit_range",
            "batch_size",
            "seconds_per_batch",
            "images_per_second",
            "peak_rss_bytes",
            "threads",
            "n",
            "log_qp",
            "security_bits",
        ] {
            assert!(record[key].is_number(), "{key} in {record}");
        }
        assert!(record["isa"] == "scalar" && record["layers"].is_array());
        assert_eq!((&record["images"], &record["agreement"]), (&64.into(), &1.0.into()));
        assert_eq!(record["accuracy_clear"], record["accuracy_encrypted"]);
        let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
        assert!(page.contains("encrypted = clear") && page.contains("Insecure parameters"));
    }
}

/// The same seed: the same ciphertexts, so the same errors to the last bit.
#[test]
fn threads_and_instruction_sets_agree_to_the_last_bit() {
    if !have_data() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let same = |a: &Value, b: &Value| {
        assert!(a["largest_logit_error"].is_number());
        for key in ["largest_logit_error", "root_mean_square_logit_error", "logit_range"] {
            assert_eq!(a[key], b[key], "{key}");
        }
    };
    let (_, one) = small(folder.path(), "mnist", "1", "scalar");
    let (_, three) = small(folder.path(), "mnist", "3", "scalar");
    same(&one, &three);
    let (output, avx2) = small(folder.path(), "mnist", "2", "avx2");
    if output.status.code() == Some(2) {
        println!("skipped: {}", text(&output.stderr).trim());
        return;
    }
    assert_eq!(avx2["isa"], "avx2");
    same(&one, &avx2);
}

/// One line on the error stream, exit code 2.
fn refusal(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().unwrap();
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert_eq!(err.trim_end().lines().count(), 1, "{err}");
    err
}

#[test]
fn what_cannot_run_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("truncated.onnx");
    let whole = std::fs::read(model("mnist_squashed.onnx")).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let err = refusal(&["--model", file.to_str().unwrap()]);
    assert!(err.contains("truncated.onnx"), "{err}");
    let err = refusal(&["--model", folder.path().join("absent.onnx").to_str().unwrap()]);
    assert!(err.contains("absent.onnx cannot be read"), "{err}");
    if have_data() {
        let err = refusal(&["--batch-size", "65536", "--images", "8"]);
        assert!(err.contains("65536"), "{err}");
    }
}

/// A committed model: below the folder that cargo names, or below the root under Bazel.
fn model(name: &str) -> std::path::PathBuf {
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => Path::new(&folder).join("models").join(name),
        None => Path::new("experiments/cryptonets/models").join(name),
    }
}
