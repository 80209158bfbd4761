//! The whole way with the real command, and every kind of bad input: one error line, exit code 1.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

const IMAGES: usize = 5;
const ELEMENTS: usize = 36;

/// A file of the importer's tests: with cargo beside this crate, with Bazel under the workspace root.
fn model(name: &str) -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(|crate_| Path::new(&crate_).join("../.."));
    root.unwrap_or_default().join("graph/testdata/onnx").join(name)
}

fn henge(arguments: &[&str]) -> Output {
    let henge = std::path::absolute(env!("CARGO_BIN_EXE_henge")).unwrap();
    Command::new(henge).args(arguments).output().unwrap()
}

/// Standard output of a run that must succeed.
fn succeeds(arguments: &[&str]) -> String {
    let output = henge(arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{out}{err}");
    out
}

/// The one line that a run ends with, with exit code 1.
fn fails(arguments: &[&str]) -> String {
    let output = henge(arguments);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
    err.strip_prefix("henge: error: ").unwrap_or_else(|| panic!("{err}")).trim_end().to_owned()
}

/// Images in [0, 1) that look random.
fn images(count: usize) -> Vec<Vec<f64>> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    (0..count).map(|_| (0..ELEMENTS).map(|_| next()).collect()).collect()
}

fn csv(rows: &[Vec<f64>]) -> String {
    rows.iter().map(|row| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n").collect()
}

fn numbers(csv: &str) -> Vec<Vec<f64>> {
    csv.lines().map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect()
}

/// As NumPy writes it, in single precision.
fn npy(dims: &[usize], data: impl Iterator<Item = f64>) -> Vec<u8> {
    let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims.join(", "));
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").as_bytes());
    bytes.extend(data.flat_map(|x| (x as f32).to_le_bytes()));
    bytes
}

/// Files of one way through all commands, made once; tests read them and write beside them.
struct Way {
    folder: TempDir,
    explain: String,
}

impl Way {
    fn get() -> &'static Way {
        static WAY: OnceLock<Way> = OnceLock::new();
        WAY.get_or_init(Way::make)
    }

    fn make() -> Way {
        let folder = tempfile::tempdir().unwrap();
        let mut way = Way { folder, explain: String::new() };
        let dims = [IMAGES, 1, 6, 6];
        std::fs::write(way.file("x.npy"), npy(&dims, images(IMAGES).into_iter().flatten())).unwrap();
        let model = model("small_cryptonets.onnx");
        let at = |name| way.file(name);
        let explain = ["explain", model.to_str().unwrap(), "--params-out", &at("i.json")];
        let explain = succeeds(&[&explain[..], &PRECISE].concat());
        let keygen =
            ["keygen", "--params", &at("i.json"), "--secret-key", &at("s.key"), "--evaluation-keys", &at("e.keys")];
        succeeds(&[&keygen[..], &["--public-key", &at("p.key")]].concat());
        succeeds(&way.encrypt("x.npy", "x.ct"));
        succeeds(&way.run("x.ct", "y.ct"));
        way.explain = explain;
        way
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn leak(&self, name: &str) -> &'static str {
        Box::leak(self.file(name).into_boxed_str())
    }

    fn encrypt(&self, input: &str, output: &str) -> Vec<&'static str> {
        let at = |name| self.leak(name);
        vec![
            "encrypt",
            "--params",
            at("i.json"),
            "--secret-key",
            at("s.key"),
            "--input",
            at(input),
            "--output",
            at(output),
        ]
    }

    fn run(&self, input: &str, output: &str) -> Vec<&'static str> {
        let at = |name| self.leak(name);
        let model = Box::leak(model("small_cryptonets.onnx").to_str().unwrap().to_owned().into_boxed_str());
        let head = ["run", model, "--params", at("i.json"), "--evaluation-keys", at("e.keys")];
        [&head[..], &["--input", at(input), "--output", at(output)]].concat()
    }

    fn decrypt(&self, input: &str) -> Vec<&'static str> {
        let at = |name| self.leak(name);
        vec!["decrypt", "--params", at("i.json"), "--secret-key", at("s.key"), "--input", at(input)]
    }

    /// Logits of the clear backend.
    fn clear(&self) -> Vec<Vec<f64>> {
        let mut arguments = self.run("x.npy", "clear.csv");
        arguments.extend(["--backend", "clear"]);
        succeeds(&arguments);
        numbers(&std::fs::read_to_string(self.file("clear.csv")).unwrap())
    }

    /// A copy of a file with one bit of byte `at` (from the end when negative) changed.
    fn damaged(&self, name: &str, at: isize) -> &'static str {
        let mut bytes = std::fs::read(self.file(name)).unwrap();
        let index = if at < 0 { bytes.len() - at.unsigned_abs() } else { at.unsigned_abs() };
        bytes[index] ^= 1;
        let damaged = self.leak(&format!("{name}.damaged.{at}"));
        std::fs::write(damaged, bytes).unwrap();
        damaged
    }
}

/// `arguments` with the value of `option` replaced.
fn with(arguments: Vec<&'static str>, option: &str, value: &'static str) -> Vec<&'static str> {
    let mut arguments = arguments;
    let at = arguments.iter().position(|a| *a == option).unwrap_or_else(|| panic!("no {option}"));
    arguments[at + 1] = value;
    arguments
}

/// Precision of the programs whose logits are compared: [`assert_close`] asks for 10 bits of the outputs' true range, which is narrower than
/// the range that intervals give.
const PRECISE: [&str; 2] = ["--precision-bits", "14"];

fn assert_close(found: &[Vec<f64>], expected: &[Vec<f64>]) {
    let range = expected.iter().flatten().fold(0.0f64, |m, x| m.max(x.abs()));
    assert_eq!((found.len(), found[0].len()), (expected.len(), expected[0].len()));
    for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((f - e).abs() < 1e-3 * range, "{f} {e}, range {range}");
    }
}

#[test]
fn the_whole_way_gives_the_logits_of_the_clear() {
    let way = Way::get();
    let clear = way.clear();
    assert_eq!((clear.len(), clear[0].len()), (IMAGES, 3));
    assert_close(&numbers(&succeeds(&way.decrypt("y.ct"))), &clear);

    let labels = succeeds(&[&way.decrypt("y.ct")[..], &["--argmax"]].concat());
    let best = |row: &Vec<f64>| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
    let expected: Vec<String> = clear.iter().map(|row| best(row).to_string()).collect();
    assert_eq!(labels.lines().collect::<Vec<_>>(), expected);

    let json = way.leak("y.json");
    assert_eq!(succeeds(&[&way.decrypt("y.ct")[..], &["--output", json]].concat()), "");
    let found: Vec<Vec<f64>> = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_close(&found, &clear);
}

#[test]
fn the_clear_backend_gives_the_logits_of_the_model() {
    let way = Way::get();
    // Another arithmetic altogether: the graph's own interpreter on the same single-precision numbers.
    let graph = graph::import::onnx::load(model("small_cryptonets.onnx"), &Default::default()).unwrap();
    let data = images(IMAGES).into_iter().flatten().map(|x| f64::from(x as f32)).collect();
    let input = graph::Tensor::new(vec![IMAGES, 1, 6, 6], data).unwrap();
    let output = graph::interpret::run(&graph, &[input]).unwrap();
    let expected: Vec<Vec<f64>> = output[0].data().chunks(3).map(<[f64]>::to_vec).collect();
    assert_close(&way.clear(), &expected);
}

#[test]
fn a_public_key_encrypts_too() {
    let way = Way::get();
    let under_public = |arguments: Vec<&'static str>, key| {
        let mut arguments = with(arguments, "--secret-key", key);
        let at = arguments.iter().position(|a| *a == "--secret-key").unwrap();
        arguments[at] = "--public-key";
        arguments
    };
    // Compiled for it: keys and program of their own, for its noise is more.
    let model = model("small_cryptonets.onnx");
    let at = |name| way.leak(name);
    let explain = ["explain", model.to_str().unwrap(), "--public-key", "--params-out", at("ip.json")];
    assert!(succeeds(&[&explain[..], &PRECISE].concat()).contains("under the public key"));
    let (secret, evaluation, public) = (at("sp.key"), at("ep.keys"), at("pp.key"));
    let keygen = ["keygen", "--params", at("ip.json"), "--secret-key", secret, "--evaluation-keys", evaluation];
    succeeds(&[&keygen[..], &["--public-key", public]].concat());
    let encrypt = with(under_public(way.encrypt("x.npy", "xp.ct"), public), "--params", at("ip.json"));
    assert!(!succeeds(&encrypt).contains("less precise"));
    let run = with(way.run("xp.ct", "yp.ct"), "--params", at("ip.json"));
    succeeds(&with(run, "--evaluation-keys", evaluation));
    let decrypt = with(with(way.decrypt("yp.ct"), "--params", at("ip.json")), "--secret-key", secret);
    assert_close(&numbers(&succeeds(&decrypt)), &way.clear());
    // Not compiled for it: said aloud.
    let printed = succeeds(&under_public(way.encrypt("x.npy", "xq.ct"), at("p.key")));
    assert!(printed.contains("less precise than stated"), "{printed}");
}

#[test]
fn real_slots_hold_twice_as_many_images() {
    let way = Way::get();
    let model = model("small_cryptonets.onnx");
    let at = |name| way.leak(name);
    let model = ["explain", model.to_str().unwrap()];
    let slots = |ring: &'static str| -> usize {
        let explain: serde_json::Value =
            serde_json::from_str(&succeeds(&[&model[..], &PRECISE, &["--ring", ring, "--json"]].concat())).unwrap();
        assert_eq!(explain["ring"], ring.replace('-', "_"));
        assert_eq!(
            explain["slots"].as_u64().unwrap() << u64::from(ring == "cyclotomic"),
            1 << explain["log_n"].as_u64().unwrap()
        );
        explain["slots"].as_u64().unwrap() as usize
    };
    let most = 2 * slots("cyclotomic");
    assert!(slots("conjugate-invariant") >= most);
    let ring = ["--ring", "conjugate-invariant", "--params-out", at("ir.json")];
    assert!(succeeds(&[&model[..], &PRECISE, &ring].concat()).contains("ring       conjugate-invariant, N = 2^"));
    let (secret, evaluation) = (at("sr.key"), at("er.keys"));
    let keygen = ["keygen", "--params", at("ir.json"), "--secret-key", secret, "--evaluation-keys", evaluation];
    succeeds(&keygen);
    let all: Vec<Vec<f64>> = images(IMAGES).into_iter().cycle().take(most).collect();
    std::fs::write(at("r.csv"), csv(&all)).unwrap();
    let ours = |arguments, key| with(with(arguments, "--params", at("ir.json")), "--secret-key", key);
    succeeds(&ours(way.encrypt("r.csv", "xr.ct"), secret));
    let run = with(way.run("xr.ct", "yr.ct"), "--params", at("ir.json"));
    succeeds(&with(run, "--evaluation-keys", evaluation));
    let found = numbers(&succeeds(&ours(way.decrypt("yr.ct"), secret)));
    let expected: Vec<Vec<f64>> = way.clear().into_iter().cycle().take(most).collect();
    assert_close(&found, &expected);
    // Keys of one ring are no keys of the other.
    let other = fails(&with(way.encrypt("x.npy", "xo.ct"), "--secret-key", secret));
    assert!(other.contains("parameters"), "{other}");
    let unknown = henge(&[&model[..], &["--ring", "real"]].concat());
    let text = String::from_utf8(unknown.stderr).unwrap();
    assert!(text.contains("expected cyclotomic or conjugate-invariant"), "{text}");
}

#[test]
fn explain_shows_what_will_run() {
    let way = Way::get();
    assert!(way.explain.starts_with("security   128 bits, log2(QP) = "), "{}", way.explain);
    for word in ["small_cryptonets", "N = 2^13", "conv", "square1", "relinearize", "forecast"] {
        assert!(way.explain.contains(word), "{word}");
    }
    let model = model("small_cryptonets.onnx");
    let json = succeeds(&["explain", model.to_str().unwrap(), "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["security"]["bits"], 128);
    assert_eq!(json["layers"][0]["name"], "image");
}

#[test]
fn paths_are_meant_from_where_the_user_stands_under_bazel_run() {
    let model = std::path::absolute(model("small_cryptonets.onnx")).unwrap();
    let mut command = Command::new(std::path::absolute(env!("CARGO_BIN_EXE_henge")).unwrap());
    command.args(["explain", "small_cryptonets.onnx"]).env("BUILD_WORKING_DIRECTORY", model.parent().unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn run_reports_times_as_json() {
    let way = Way::get();
    let json = succeeds(&[&way.run("x.ct", "yj.ct")[..], &["--json", "--threads", "1"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["images"].as_u64(), json["threads"].as_u64()), (Some(IMAGES as u64), Some(1)));
    assert!(json["tensor_bytes_peak"].as_u64().unwrap() > 1 << 20);
    let operations: Vec<&str> =
        json["operations"].as_array().unwrap().iter().map(|o| o["operation"].as_str().unwrap()).collect();
    assert_eq!(operations[..3], ["input", "linear", "square"]);
    // The same bytes on one thread as on all.
    assert_eq!(std::fs::read(way.file("yj.ct")).unwrap(), std::fs::read(way.file("y.ct")).unwrap());
}

#[test]
fn keys_are_private_and_never_overwritten_silently() {
    use std::os::unix::fs::PermissionsExt;
    let way = Way::get();
    let mode = std::fs::metadata(way.file("s.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(way.file("s.key")).unwrap();
    let at = |name| way.leak(name);
    let again =
        ["keygen", "--params", at("i.json"), "--secret-key", at("s.key"), "--evaluation-keys", at("other.keys")];
    assert!(fails(&again).ends_with("s.key exists; --force replaces it"));
    assert_eq!(std::fs::read(way.file("s.key")).unwrap(), before);
    assert!(!Path::new(at("other.keys")).exists());
}

#[test]
fn a_seed_makes_the_same_keys_and_says_that_it_should_not() {
    let way = Way::get();
    let at = |name| way.leak(name);
    let seed = "5".repeat(64);
    let make = |secret, keys| {
        let head = ["keygen", "--params", at("i.json"), "--secret-key", secret, "--evaluation-keys", keys];
        let output = henge(&[&head[..], &["--seed", &seed]].concat());
        assert!(output.status.success());
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(err.contains("WARNING"), "{err}");
        assert!(!out.contains(&seed) && !err.contains(&seed));
        (std::fs::read(secret).unwrap(), std::fs::read(keys).unwrap())
    };
    assert_eq!(make(at("s1.key"), at("e1.keys")), make(at("s2.key"), at("e2.keys")));
}

#[test]
fn two_encryptions_of_the_same_images_share_nothing() {
    let way = Way::get();
    succeeds(&way.encrypt("x.npy", "x2.ct"));
    let (first, second) = (std::fs::read(way.file("x.ct")).unwrap(), std::fs::read(way.file("x2.ct")).unwrap());
    assert_eq!(first.len(), second.len());
    // Past the headers, which are equal, about one byte in 256 is.
    let same = first[1000..].iter().zip(&second[1000..]).filter(|(a, b)| a == b).count();
    assert!(same < first.len() / 50, "{same} of {} bytes are equal", first.len());
}

#[test]
fn damaged_files_are_refused() {
    let way = Way::get();
    for at in [0, 50, 300, 100_000, -1] {
        let input = way.damaged("x.ct", at);
        let error = fails(&with(way.run("x.ct", "no.ct"), "--input", input));
        assert!(error.contains("x.ct.damaged"), "{error}");
    }
    let checksum = fails(&with(way.run("x.ct", "no.ct"), "--input", way.damaged("x.ct", 200_000)));
    assert!(checksum.ends_with("tensor \"image\": checksum mismatch: the bytes are damaged"), "{checksum}");
    for (option, name) in [("--secret-key", "s.key"), ("--input", "y.ct")] {
        let error = fails(&with(way.decrypt("y.ct"), option, way.damaged(name, -40)));
        assert!(error.contains("checksum mismatch: the bytes are damaged"), "{error}");
    }
    let cut = way.leak("cut.ct");
    let whole = std::fs::read(way.file("x.ct")).unwrap();
    std::fs::write(cut, &whole[..whole.len() / 2]).unwrap();
    assert!(fails(&with(way.run("x.ct", "no.ct"), "--input", cut)).contains("bytes needed"));
    assert!(!Path::new(way.leak("no.ct")).exists());
}

#[test]
fn files_in_each_others_place_are_refused() {
    let way = Way::get();
    let error = fails(&with(way.run("x.ct", "no.ct"), "--input", way.leak("y.ct")));
    assert!(error.ends_with("this file holds encrypted outputs, expected encrypted inputs"), "{error}");
    let error = fails(&with(way.decrypt("y.ct"), "--secret-key", way.leak("e.keys")));
    assert!(error.ends_with("this file holds evaluation keys, expected a secret key"), "{error}");
    let error = fails(&with(way.run("x.ct", "no.ct"), "--input", way.leak("x.npy")));
    assert!(error.contains("not a file of keys or ciphertexts"), "{error}");
    let error = fails(&with(way.decrypt("y.ct"), "--params", way.leak("x.npy")));
    assert!(error.contains("is no interface file"), "{error}");
}

#[test]
fn a_wrong_key_is_an_error_and_not_noise() {
    let way = Way::get();
    let at = |name| way.leak(name);
    succeeds(&["keygen", "--params", at("i.json"), "--secret-key", at("s3.key"), "--evaluation-keys", at("e3.keys")]);
    let error = fails(&with(way.decrypt("y.ct"), "--secret-key", at("s3.key")));
    assert!(error.contains("y.ct belongs to key ") && error.contains(", the secret key to key "), "{error}");
    let error = fails(&with(way.run("x.ct", "no.ct"), "--evaluation-keys", at("e3.keys")));
    assert!(error.contains("x.ct belongs to key ") && error.contains(", the evaluation keys to key "), "{error}");
}

#[test]
fn another_model_or_other_parameters_are_refused() {
    let way = Way::get();
    let other = Box::leak(model("old_exporter.onnx").to_str().unwrap().to_owned().into_boxed_str());
    let mut arguments = way.run("x.ct", "no.ct");
    arguments[1] = other;
    let error = fails(&arguments);
    assert!(error.contains("the interface was written for") || error.contains("chain"), "{error}");

    // The same network with more precision: other primes.
    let at = |name| way.leak(name);
    let name = model("small_cryptonets.onnx");
    succeeds(&["explain", name.to_str().unwrap(), "-o", at("i16.json"), "--precision-bits", "16"]);
    let error = fails(&with(way.decrypt("y.ct"), "--params", at("i16.json")));
    assert!(error.contains("made under other parameters"), "{error}");
}

#[test]
fn bad_models_are_refused() {
    let way = Way::get();
    let whole = std::fs::read(model("small_cryptonets.onnx")).unwrap();
    let cut = way.leak("cut.onnx");
    std::fs::write(cut, &whole[..whole.len() / 2]).unwrap();
    let error = fails(&["explain", cut]);
    assert!(error.contains("cut.onnx: "), "{error}");
    for (name, what) in [("unknown_operator", "operator"), ("unknown_attribute", "attribute"), ("no_graph", "graph")] {
        let error = fails(&["explain", model(&format!("refused/{name}.onnx")).to_str().unwrap()]);
        assert!(error.contains(name) && error.contains(what), "{error}");
    }
    let error = fails(&["explain", "nowhere.onnx"]);
    assert_eq!(error.matches("nowhere.onnx").count(), 1, "{error}");
    assert_eq!(error.matches("No such file").count(), 1, "{error}");
}

#[test]
fn wrong_shapes_ranges_and_batches_are_refused() {
    let way = Way::get();
    let refuse = |name: &str, bytes: Vec<u8>| {
        std::fs::write(way.file(name), bytes).unwrap();
        fails(&way.encrypt(name, "no.ct"))
    };
    let error = refuse("shape.npy", npy(&[2, 1, 5, 5], std::iter::repeat_n(0.5, 50)));
    assert!(error.ends_with("\"image\" takes images of shape [batch, 1, 6, 6], the file has [2, 1, 5, 5]"), "{error}");
    let error = refuse("large.npy", npy(&[4097, 1, 6, 6], std::iter::empty()));
    assert!(error.ends_with("a batch of 4097 images, a ciphertext has slots for 4096"), "{error}");
    let mut rows = images(2);
    rows[1][7] = 1.5;
    let error = refuse("range.csv", csv(&rows).into_bytes());
    assert_eq!(error, "\"image\": element 7 of image 1 is 1.5, the model was compiled for 0 to 1");
    rows[1][7] = f64::NAN;
    assert!(refuse("nan.csv", csv(&rows).into_bytes()).ends_with("element 7 of image 1 is not a finite number"));
    assert!(refuse("x.txt", vec![]).ends_with("expected a name that ends in .npy, .json or .csv"));
    let mut half = npy(&[2, 1, 6, 6], std::iter::repeat_n(0.5, 72));
    half.truncate(200);
    assert!(refuse("half.npy", half).contains("the header says 288"));
}

#[test]
fn a_ciphertext_file_cannot_state_more_images_than_slots() {
    use sha2::{Digest, Sha256};
    let way = Way::get();
    // A forger's file: 4097 images in a header with the right checksum. The name of the only tensor is "image".
    let mut bytes = std::fs::read(way.file("x.ct")).unwrap();
    bytes[56..60].copy_from_slice(&4097u32.to_le_bytes());
    let digest = Sha256::digest(&bytes[..70]);
    bytes[70..102].copy_from_slice(&digest);
    std::fs::write(way.file("forged.ct"), bytes).unwrap();
    let error = fails(&way.run("forged.ct", "no.ct"));
    assert!(error.ends_with("a batch of 4097 images, there are 4096 slots"), "{error}");
}

#[test]
fn every_text_format_encrypts() {
    let way = Way::get();
    std::fs::write(way.file("three.json"), serde_json::to_string(&images(3)).unwrap()).unwrap();
    std::fs::write(way.file("three.csv"), csv(&images(3))).unwrap();
    for name in ["three.json", "three.csv"] {
        assert!(
            succeeds(&way.encrypt(name, "three.ct")).starts_with("3 images in 36 ciphertexts under key "),
            "{name}"
        );
    }
}

#[test]
fn insecure_parameters_need_a_word_and_are_announced() {
    let way = Way::get();
    let at = |name| way.leak(name);
    let model = Box::leak(model("small_cryptonets.onnx").to_str().unwrap().to_owned().into_boxed_str());
    let explain = ["explain", model, "--insecure", "--params-out", at("insecure.json")];
    let report = succeeds(&[&explain[..], &PRECISE].concat());
    let first = report.lines().next().unwrap();
    assert!(first.starts_with("INSECURE: 0 bits of security: N = 2^"), "{first}");

    let keygen =
        ["keygen", "--params", at("insecure.json"), "--secret-key", at("si.key"), "--evaluation-keys", at("ei.keys")];
    let error = fails(&keygen);
    assert!(error.starts_with("insecure parameters, 0 bits of security: N = 2^"), "{error}");
    assert!(error.ends_with("--insecure accepts them"), "{error}");
    let insecure = |arguments: &[&'static str]| succeeds(&[arguments, &["--insecure"]].concat());
    assert!(insecure(&keygen).starts_with("INSECURE: 0 bits"));

    let swap = |arguments: Vec<&'static str>| with(arguments, "--params", at("insecure.json"));
    let encrypt = with(swap(way.encrypt("x.npy", "xi.ct")), "--secret-key", at("si.key"));
    assert!(insecure(&encrypt).starts_with("INSECURE: 0 bits"));
    let run = with(swap(way.run("xi.ct", "yi.ct")), "--evaluation-keys", at("ei.keys"));
    assert!(insecure(&run).starts_with("INSECURE: 0 bits"));
    let decrypt = with(swap(way.decrypt("yi.ct")), "--secret-key", at("si.key"));
    assert!(fails(&decrypt).starts_with("insecure parameters"));
    // What is decrypted is data: the warning stands beside it.
    let output = henge(&[&decrypt[..], &["--insecure"]].concat());
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("INSECURE: 0 bits"));
    assert_close(&numbers(&String::from_utf8(output.stdout).unwrap()), &way.clear());
}

#[test]
fn parameters_may_be_given() {
    let way = Way::get();
    let at = |name| way.leak(name);
    let model = model("small_cryptonets.onnx");
    let literal = r#"{"log_n": 14, "q": {"bits": [50, 40, 40, 40, 40, 40]}, "p": {"bits": [50]}, "log_scale": 40}"#;
    std::fs::write(at("literal.json"), literal).unwrap();
    let explain = ["explain", model.to_str().unwrap(), "--params", at("literal.json"), "-o", at("given.json")];
    assert!(succeeds(&explain).contains("N = 2^14"));
    let clear = with(way.run("x.npy", "given.csv"), "--params", at("given.json"));
    succeeds(&[&clear[..], &["--backend", "clear"]].concat());
    assert_close(&numbers(&std::fs::read_to_string(at("given.csv")).unwrap()), &way.clear());
    std::fs::write(at("bad.json"), literal.replace("14", "12")).unwrap();
    let error = fails(&["explain", model.to_str().unwrap(), "--params", at("bad.json")]);
    assert!(error.contains("at most 106 for 128 bits of security"), "{error}");
}

#[test]
fn calibration_widens_or_narrows_what_is_known() {
    let way = Way::get();
    let model = model("small_cryptonets.onnx");
    let model = model.to_str().unwrap();
    let report = succeeds(&["explain", model, "--calibration", &way.file("x.npy"), "--input-range", "0,1"]);
    assert!(report.contains("5 samples x 2"), "{report}");
    let error = fails(&["explain", model, "--calibration", &way.file("x.npy"), "--input-range", "0,0.5"]);
    assert!(error.contains("outside the stated range 0 to 0.5"), "{error}");
    assert!(fails(&["explain", model, "--input-range", "1"]).contains("expected LO,HI"));
    assert!(fails(&["explain", model, "--input-range", "other=0,1"]).contains("no such input"));
}

#[test]
fn relinearize_and_rescale_are_one_operation_unless_seal_shall_have_them() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model.json");
    let (model, path) = (model("small_cryptonets.onnx"), file.to_str().unwrap());
    let model = model.to_str().unwrap();
    let one = succeeds(&["explain", model, "--params-out", path]);
    assert!(one.contains("relinearize_rescale"), "{one}");
    assert!(std::fs::read_to_string(path).unwrap().contains("\"fused\": true"));
    let two = succeeds(&["explain", model, "--seal-exact", "--params-out", path]);
    assert!(two.contains("relinearize") && !two.contains("relinearize_rescale"), "{two}");
    assert!(!std::fs::read_to_string(path).unwrap().contains("fused"));
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in
        [&[][..], &["frobnicate"], &["explain"], &["encrypt", "--params", "x"], &["explain", "m", "--threads", "0"]]
    {
        assert_eq!(henge(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(succeeds(&["--version"]), format!("henge {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["explain", "keygen", "encrypt", "run", "decrypt"] {
        assert!(succeeds(&[command, "--help"]).contains("Example:\n  henge "), "{command}");
    }
}

#[test]
fn activations_are_chosen_and_the_tiles_of_the_client_planned() {
    let model = model("small_cryptonets.onnx");
    let explain = |more: &[&str]| {
        let explain = ["explain", model.to_str().unwrap(), "--json", "--precision-bits", "4"];
        let report = succeeds(&[&explain, more].concat());
        serde_json::from_str::<serde_json::Value>(&report).unwrap()
    };
    let server = explain(&[]);
    assert!(server["client"].is_null() && server["one_image_to_a_slot"].as_str().unwrap().contains("multiplies"));
    let client = explain(&["--activation", "client", "--tile-values", "4"]);
    assert!(client["one_image_to_a_slot"].is_null());
    let (part, layers) = (&client["client"], client["client"]["layers"].as_array().unwrap());
    assert_eq!(part["rounds"].as_u64().unwrap() as usize, layers.len());
    let rounds: Vec<u64> = layers.iter().map(|layer| layer["round"].as_u64().unwrap()).collect();
    assert_eq!(rounds, (1..=layers.len() as u64).collect::<Vec<_>>());
    // Tiles of all layers and of the input.
    let requests: u64 = layers.iter().map(|layer| layer["requests"].as_u64().unwrap()).sum();
    let tiles = &part["tiles"];
    assert_eq!(tiles["requests"].as_u64().unwrap(), requests + 36 / 4);
    assert_eq!(client["bytes"]["peak"], tiles["peak_bytes"]);
    let whole = explain(&["--activation", "client", "--tile-values", "4096"]);
    assert!(tiles["peak_bytes"].as_u64() < whole["client"]["tiles"]["peak_bytes"].as_u64());

    let text = succeeds(&["explain", model.to_str().unwrap(), "--activation", "client", "--precision-bits", "4"]);
    assert!(text.contains(" at the peak in tiles of 512 ciphertexts") && text.contains(" rounds in "), "{text}");
    let error = fails(&["explain", model.to_str().unwrap(), "--activation", "nowhere=client"]);
    assert!(error.contains("no node \"nowhere\" has a function to choose for; there are: "), "{error}");
    let usage = henge(&["explain", model.to_str().unwrap(), "--activation", "nowhere=both"]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(String::from_utf8(usage.stderr).unwrap().contains("expected client, polynomial, NODE=client"));
}

#[test]
fn a_calibrated_machine_is_what_explain_goes_by() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("costs.json");
    let path = file.to_str().unwrap();
    let printed = succeeds(&["calibrate", "--output", path, "--threads", "1"]);
    assert_eq!(printed, std::fs::read_to_string(&file).unwrap());
    let model = model("small_cryptonets.onnx");
    let model = model.to_str().unwrap();
    let report = succeeds(&["explain", model, "--cost-model", path]);
    assert!(report.contains(&format!("(costs: {path}, ")), "{report}");
    assert!(succeeds(&["explain", model]).contains("(costs: built in, "));

    std::fs::write(&file, printed.replace("\"henge_cost_model\": 2", "\"henge_cost_model\": 7")).unwrap();
    let error = fails(&["explain", model, "--cost-model", path]);
    assert!(error.starts_with(&format!("{path}: cost model of version 7, this reads version 2")), "{error}");
    // As the compiler's source has them.
    let rust = succeeds(&["calibrate", "--output", path, "--threads", "1", "--rust"]);
    assert!(rust.contains("    pub const AVX") && rust.contains(": CostModel = CostModel {\n        butterfly_ns: ["));
    assert_eq!(rust.matches(", ").count() - rust.lines().next().unwrap().matches(", ").count(), 4 * 2, "{rust}");
    let missing = folder.path().join("none.json");
    assert!(fails(&["explain", model, "--cost-model", missing.to_str().unwrap()]).contains("none.json"));
}
