//! The whole experiment on a few images: two processes, TLS, an emulated link, and the record.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking, their helper functions too")]

use std::process::Command;

#[test]
fn a_few_images_come_back_with_the_labels_of_the_clear_model() {
    match datasets::data_root() {
        Ok(root) if root.join("mnist").is_dir() => {}
        Ok(root) => return println!("skipped: no mnist in {}", root.display()),
        Err(error) => return println!("skipped: {error}"),
    }
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("run.json");
    // Two batches of 32, the second one filled up.
    let output = Command::new(env!("CARGO_BIN_EXE_cryptonets_relu"))
        .args(["--images", "48", "--batch-size", "32", "--link", "1,0.1", "--json"])
        .arg(&json)
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let record: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let number = |key: &str| record[key].as_f64().unwrap();
    assert_eq!((number("images"), number("agreement")), (48.0, 1.0), "{said}");
    assert!(
        number("largest_logit_error") <= 1e-2 * number("logit_range") && number("security_bits") >= 128.0,
        "{said}"
    );
    assert_eq!(record["seconds_batches"].as_array().unwrap().len(), 2);
    // What travels is at least what ciphertexts must take, and hardly more.
    for (found, least) in
        [("bytes_up_per_image", "minimum_bytes_up_per_image"), ("bytes_down_per_image", "minimum_bytes_down_per_image")]
    {
        let (found, least) = (number(found), number(least));
        assert!(least > 0.0 && found >= least && found < 1.2 * least, "{found} bytes, at least {least}");
    }
    for key in ["client_peak_rss_bytes", "server_peak_rss_bytes", "rounds"] {
        assert!(number(key) > 0.0, "{key}");
    }
    assert_eq!(record["link"]["bits_per_second"], 1e9);
}
