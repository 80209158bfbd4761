//! `henge seal` with files that Microsoft SEAL 4.1.2 wrote, the whole way there and back, and every kind of bad input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// A file of the repository: with cargo beside this crate, with Bazel under the workspace root.
fn data(path: &str) -> String {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(|crate_| Path::new(&crate_).join("../.."));
    let path: PathBuf = root.unwrap_or_default().join(path);
    path.to_str().unwrap().to_owned()
}

/// A file that SEAL wrote: N = 64, primes of 60, 30 and 41 bits.
fn seals(name: &str) -> String {
    data(&format!("bindings/seal/format/testdata/{name}.seal"))
}

fn model() -> String {
    data("graph/testdata/onnx/small_cryptonets.onnx")
}

fn henge(arguments: &[&str]) -> Output {
    let henge = std::path::absolute(env!("CARGO_BIN_EXE_henge")).unwrap();
    Command::new(henge).args(arguments).output().unwrap()
}

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

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A folder of files by name.
struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.at(name)).unwrap()
    }

    fn put(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.at(name), bytes).unwrap();
        self.at(name)
    }

    fn mode(&self, name: &str) -> u32 {
        std::fs::metadata(self.at(name)).unwrap().permissions().mode() & 0o777
    }
}

/// `henge seal decrypt` of a file that SEAL wrote.
fn decrypt_json(file: &str, more: &[&str]) -> Value {
    let (parms, key) = (seals("parameters.none"), seals("secret_key.none"));
    let head = ["seal", "decrypt", file, "--parms", &parms, "--secret-key", &key, "--json", "--insecure"];
    json(&succeeds(&[&head[..], more].concat()))
}

#[test]
fn what_seal_encrypted_is_decrypted() {
    let message = [0.5, -3.0, 2.25, 0.0];
    let square = message.map(|x| x * x);
    let files = [
        ("ciphertext.none", message, 30.0, 1, 2),
        ("ciphertext.zlib", message, 30.0, 1, 2),
        ("ciphertext.zstd", message, 30.0, 1, 2),
        ("ciphertext_seeded.none", message, 30.0, 1, 2),
        ("ciphertext_seeded.zstd", message, 30.0, 1, 2),
        ("ciphertext_of_three.zstd", square, 60.0, 1, 3),
        ("ciphertext_below.zlib", square, 30.0, 0, 2),
    ];
    for (name, expected, log_scale, level, components) in files {
        let found = decrypt_json(&seals(name), &[]);
        let found = &found[0];
        assert!((found["scale"].as_f64().unwrap().log2() - log_scale).abs() < 1e-4, "{name}: {found}");
        assert_eq!((found["level"].as_u64(), found["components"].as_u64()), (Some(level), Some(components)), "{name}");
        let slots = found["slots"].as_array().unwrap();
        assert_eq!(slots.len(), 32);
        for (slot, expected) in slots.iter().zip(expected) {
            let (re, im) = (slot[0].as_f64().unwrap(), slot[1].as_f64().unwrap());
            assert!((re - expected).abs() < 1e-4 && im.abs() < 1e-4, "{name}: {slot}, expected {expected}");
        }
    }
    let (parms, key) = (seals("parameters.zstd"), seals("secret_key.zlib"));
    let (x, slots) = (seals("ciphertext.none"), "--slots=2");
    let output = henge(&["seal", "decrypt", &x, "--parms", &parms, "--secret-key", &key, slots, "--insecure"]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "# scale 1073741824 (2^30.000), level 1, 2 components");
    assert!(lines.len() == 3 && lines[1].starts_with("0.5000") && lines[2].starts_with("-3.0000"), "{out}");
    // What is printed is data; the warning stands beside it.
    assert!(err.starts_with("INSECURE: 0 bits of security: N = 2^6") && err.contains("standard of 2018"), "{err}");
}

#[test]
fn several_ciphertexts_of_a_file_are_decrypted() {
    let folder = Folder::new();
    let one = std::fs::read(seals("ciphertext.zstd")).unwrap();
    let two = std::fs::read(seals("ciphertext_below.none")).unwrap();
    let both = folder.put("both.seal", &[one.clone(), two].concat());
    let found = decrypt_json(&both, &["--slots", "1"]);
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!((found[0]["level"].as_u64(), found[1]["level"].as_u64()), (Some(1), Some(0)));
    assert_eq!(found[0]["slots"].as_array().unwrap().len(), 1);

    let cut = folder.put("cut.seal", &[one.clone(), one[..one.len() - 1].to_vec()].concat());
    let (parms, key) = (seals("parameters.none"), seals("secret_key.none"));
    let error = fails(&["seal", "decrypt", &cut, "--parms", &parms, "--secret-key", &key, "--insecure"]);
    assert!(error.contains("cut.seal, ciphertext 1: ") && error.contains("bytes"), "{error}");
}

#[test]
fn parameters_of_seal_are_judged_by_the_standard_of_2018() {
    let folder = Folder::new();
    let literal = folder.at("params.json");
    let import = ["seal", "import", "parameters", &seals("parameters.zlib"), "--output", &literal];
    let error = fails(&import);
    assert!(error.contains("parameters.zlib.seal, SEAL's encryption parameters: "), "{error}");
    assert!(error.contains("no published bound") || error.contains("no bound") || error.contains("2^6"), "{error}");
    assert!(!Path::new(&literal).exists());
    let report = succeeds(&[&import[..], &["--insecure"]].concat());
    assert!(report.starts_with("INSECURE: 0 bits of security: N = 2^6"), "{report}");
    let found = json(&std::fs::read_to_string(&literal).unwrap());
    assert_eq!(found["log_n"], 6);
    assert_eq!(found["q"]["primes"][1], 1073741441u64);
    assert_eq!(found["p"]["primes"][0], 2199023254913u64);
    assert_eq!(found["security"], "insecure");
    assert_eq!(found["table"], "he_standard_2018");
    assert!((found["log_scale"].as_f64().unwrap() - 30.0).abs() < 1e-5);

    // SEAL's default for N = 4096 fills its bound of 109 bits: the guidelines of 2024 would refuse it.
    let bits =
        r#"{"log_n": 12, "q": {"bits": [36, 36]}, "p": {"bits": [37]}, "log_scale": 30, "table": "he_standard_2018"}"#;
    let written = folder.put("default.json", bits.as_bytes());
    let parms = folder.at("parms.seal");
    let report = json(&succeeds(&["seal", "export", "parameters", "--params", &written, "--output", &parms, "--json"]));
    assert_eq!((report["security_bits"].as_u64(), report["log_n"].as_u64()), (Some(128), Some(12)));
    let back = folder.at("back.json");
    let import = ["seal", "import", "parameters", &parms, "--output", &back];
    let report = succeeds(&[&import[..], &["--log-scale", "30"]].concat());
    assert!(
        report.starts_with("parameters: N = 2^12, 3 primes, 128 bits, log2(QP) = 109.0 of at most 109"),
        "{report}"
    );
    let found = json(&std::fs::read_to_string(&back).unwrap());
    assert_eq!((found["log_scale"].as_f64(), found["security"].as_u64()), (Some(30.0), Some(128)));
    assert_eq!(found["q"]["primes"][0], 68719230977u64);
    let error = fails(&import);
    assert!(error.ends_with("back.json cannot be written: it exists; --force replaces it"), "{error}");
    succeeds(&[&import[..], &["--force"]].concat());
    let error = fails(&[&import[..], &["--force", "--log-scale", "90"]].concat());
    assert!(error.contains("parms.seal") && error.contains("90"), "{error}");
}

#[test]
fn inspect_says_what_is_inside() {
    let inspect = |name: &str, more: &[&str]| {
        let file = seals(name);
        json(&succeeds(&[&["seal", "inspect", &file, "--json"][..], more].concat()))[0].clone()
    };
    let parms = seals("parameters.none");
    let with = ["--parms", &parms];
    let found = inspect("parameters.zstd", &[]);
    assert_eq!((found["object"].as_str(), found["n"].as_u64()), (Some("parameters"), Some(64)));
    assert_eq!((found["total_bits"].as_u64(), found["security_bits"].as_u64()), (Some(131), Some(0)));
    assert_eq!((found["seal_version"].as_str(), found["compression"].as_str()), (Some("4.1"), Some("zstd")));
    let found = inspect("ciphertext_seeded.none", &with);
    assert_eq!((found["object"].as_str(), found["seeded"].as_bool()), (Some("ciphertext"), Some(true)));
    assert_eq!((found["components"].as_u64(), found["primes"].as_u64()), (Some(2), Some(2)));
    assert_eq!(found["scale"].as_f64(), Some(1073741824.0));
    let found = inspect("ciphertext_of_three.zlib", &with);
    assert_eq!((found["seeded"].as_bool(), found["components"].as_u64()), (Some(false), Some(3)));
    assert_eq!(inspect("plaintext.none", &with)["object"], "plaintext");
    let found = inspect("secret_key.none", &with);
    assert_eq!((found["object"].as_str(), found["primes"].as_u64()), (Some("secret_key"), Some(3)));
    assert_eq!(inspect("public_key_seeded.zstd", &with)["seeded"], true);
    let found = inspect("relin_keys.zlib", &with);
    assert_eq!((found["object"].as_str(), found["powers"][0].as_u64()), (Some("relinearization_keys"), Some(2)));
    let found = inspect("galois_keys.none", &with);
    assert_eq!(found["elements"], json("[3, 127]"));
    assert_eq!(found["rotations"], json(r#"["1", "conjugation"]"#));
    assert_eq!(inspect("ciphertext_seeded.v3_4", &with)["seal_version"], "3.4");

    // Without parameters the shape tells nearly as much.
    let found = inspect("ciphertext_seeded.zstd", &[]);
    assert_eq!((found["object"].as_str(), found["n"].as_u64()), (Some("ciphertext_or_public_key"), Some(64)));
    assert_eq!((found["primes"].as_u64(), found["seeded"].as_bool()), (Some(2), Some(true)));
    let found = inspect("secret_key.none", &[]);
    assert_eq!((found["object"].as_str(), found["coeff_count"].as_u64()), (Some("plaintext_or_secret_key"), Some(192)));
    assert_eq!(inspect("relin_keys.none", &[])["powers"], json("[2]"));
    assert_eq!(inspect("galois_keys.zlib", &[]), inspect("galois_keys.zlib", &with));

    let text = succeeds(&["seal", "inspect", &seals("galois_keys.zstd"), "--parms", &parms]);
    assert!(text.contains("2 Galois keys, 2 digits, rotations by 1, conjugation"), "{text}");
    let folder = Folder::new();
    let both = [std::fs::read(&parms).unwrap(), std::fs::read(seals("ciphertext.none")).unwrap()].concat();
    let both = folder.put("both.seal", &both);
    assert_eq!(json(&succeeds(&["seal", "inspect", &both, "--json", "--parms", &parms])).as_array().unwrap().len(), 2);
}

#[test]
fn inspect_refuses_what_is_not_seals() {
    let folder = Folder::new();
    let parms = seals("parameters.none");
    let error = fails(&["seal", "inspect", &model()]);
    assert!(error.contains("magic number is") && error.ends_with("expected 0xa15e"), "{error}");
    let empty = folder.put("empty", &[]);
    assert!(fails(&["seal", "inspect", &empty]).contains("header needs 16 bytes, 0 are left"));
    let mut bytes = std::fs::read(seals("ciphertext.none")).unwrap();
    bytes[20] ^= 1;
    let damaged = folder.put("damaged.seal", &bytes);
    let error = fails(&["seal", "inspect", &damaged, "--parms", &parms]);
    assert!(error.contains("as a ciphertext: parms_id of Ciphertext is "), "{error}");
    assert!(error.contains("which no level of these parameters has, expected "), "{error}");
    assert!(error.contains(" or that of a lower level; as a plaintext: "), "{error}");
    let error = fails(&["seal", "inspect", &folder.at("nothing")]);
    assert!(error.contains("nothing cannot be read"), "{error}");
}

/// Henge's files of one way through its commands, and the same in SEAL's format.
struct Way {
    folder: Folder,
}

impl Way {
    fn get() -> &'static Way {
        static WAY: OnceLock<Way> = OnceLock::new();
        WAY.get_or_init(Way::make)
    }

    fn at(&self, name: &str) -> String {
        self.folder.at(name)
    }

    fn make() -> Way {
        let way = Way { folder: Folder::new() };
        let at = |name| way.folder.at(name);
        let image =
            |i: usize| (0..36).map(|j| format!("{}", (i * 36 + j) * 7919 % 1000) + "e-3").collect::<Vec<_>>().join(",");
        way.folder.put("x.csv", (0..4).map(|i| image(i) + "\n").collect::<String>().as_bytes());
        succeeds(&["explain", &model(), "--seal-exact", "--params-out", &at("i.json")]);
        let keys = ["--secret-key", &at("s.key"), "--evaluation-keys", &at("e.keys"), "--public-key", &at("p.key")];
        succeeds(&[&["keygen", "--params", &at("i.json")][..], &keys].concat());
        let input = ["--input", &at("x.csv"), "--output", &at("x.ct")];
        succeeds(&[&["encrypt", "--params", &at("i.json"), "--secret-key", &at("s.key")][..], &input].concat());
        way.run("e.keys", "x.ct", "y.ct");
        way.export("parameters", None, "parms.seal", &[]);
        way.export("secret-key", Some("s.key"), "s.seal", &[]);
        way.export("public-key", Some("p.key"), "p.seal", &[]);
        way.export("relinearization-keys", Some("e.keys"), "r.seal", &["--compression", "none"]);
        way.export("ciphertexts", Some("x.ct"), "x.seal", &["--compression", "none"]);
        way.export("ciphertexts", Some("y.ct"), "y.seal", &["--compression", "zlib", "--seal", "4.4"]);
        way
    }

    fn run(&self, keys: &str, input: &str, output: &str) {
        let (params, keys, input, output) = (self.at("i.json"), self.at(keys), self.at(input), self.at(output));
        let files = ["--evaluation-keys", &keys, "--input", &input, "--output", &output];
        succeeds(&[&["run", &model(), "--params", &params][..], &files].concat());
    }

    /// `henge seal export KIND FILE`, by the interface.
    fn export(&self, kind: &str, file: Option<&str>, output: &str, more: &[&str]) -> Value {
        let (params, output, file) = (self.at("i.json"), self.at(output), file.map(|file| self.at(file)));
        let mut arguments = vec!["seal", "export", kind];
        arguments.extend(file.as_deref());
        arguments.extend(["--params", &params, "--output", &output, "--json"]);
        json(&succeeds(&[&arguments[..], more].concat()))
    }

    fn import(&self, kind: &str, files: &[&str], output: &str, more: &[&str]) -> Value {
        let (params, output) = (self.at("i.json"), self.at(output));
        let arguments = ["seal", "import", kind, "--params", &params, "--output", &output, "--json"];
        json(&succeeds(&[&arguments[..], files, more].concat()))
    }

    fn decrypt(&self, key: &str, input: &str) -> Vec<Vec<f64>> {
        let (params, key, input) = (self.at("i.json"), self.at(key), self.at(input));
        let text = succeeds(&["decrypt", "--params", &params, "--secret-key", &key, "--input", &input]);
        text.lines().map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect()
    }
}

#[test]
fn a_model_runs_on_what_went_through_seals_files() {
    let way = Way::get();
    let logits = way.decrypt("s.key", "y.ct");
    assert_eq!((logits.len(), logits[0].len()), (4, 3));

    // As a SEAL user has them: parameters and files, no Henge file but the interface.
    let at = |name| way.at(name);
    let report = way.import("secret-key", &[&at("s.seal")], "s2.key", &[]);
    assert_eq!(report["object"], "secret key");
    let pair = ["--pair", &at("s2.key")];
    let report = way.import("evaluation-keys", &["--relinearization", &at("r.seal")], "e2.keys", &pair);
    assert_eq!(
        (report["count"].as_u64(), &report["pair"]),
        (Some(1), &way.import("public-key", &[&at("p.seal")], "p2.key", &pair)["pair"])
    );
    let report = way.import("ciphertexts", &[&at("x.seal")], "x2.ct", &[&pair[..], &["--images", "4"]].concat());
    assert_eq!(report["count"], 36);
    way.run("e2.keys", "x2.ct", "y2.ct");
    // The same residues all the way.
    assert_eq!(way.decrypt("s2.key", "y2.ct"), logits);
    way.export("ciphertexts", Some("y2.ct"), "y2.seal", &["--compression", "none"]);
    way.export("ciphertexts", Some("y.ct"), "y1.seal", &["--compression", "none"]);
    assert_eq!(way.folder.bytes("y2.seal"), way.folder.bytes("y1.seal"));

    // Outputs that somebody else computed come back to Henge's own decrypt.
    way.import("ciphertexts", &[&at("y.seal")], "y3.ct", &[&pair[..], &["--images", "4", "--outputs"]].concat());
    assert_eq!(way.decrypt("s2.key", "y3.ct"), logits);

    let decrypted = succeeds(&[
        "seal",
        "decrypt",
        &at("y.seal"),
        "--parms",
        &at("parms.seal"),
        "--secret-key",
        &at("s.seal"),
        "--json",
        "--slots",
        "4",
    ]);
    let decrypted = json(&decrypted);
    for (image, logits) in logits.iter().enumerate() {
        for (class, logit) in logits.iter().enumerate() {
            let found = decrypted[class]["slots"][image][0].as_f64().unwrap();
            assert!((found - logit).abs() < 1e-6 + 1e-6 * logit.abs(), "{found} {logit}");
        }
    }
    // A public key that went through encrypts.
    let input = ["--input", &at("x.csv"), "--output", &at("xp.ct")];
    succeeds(&[&["encrypt", "--params", &at("i.json"), "--public-key", &at("p2.key")][..], &input].concat());
    way.run("e2.keys", "xp.ct", "yp.ct");
    for (found, expected) in way.decrypt("s2.key", "yp.ct").iter().flatten().zip(logits.iter().flatten()) {
        assert!((found - expected).abs() < 0.01 * expected.abs().max(1.0), "{found} {expected}");
    }
}

#[test]
fn a_file_for_each_ciphertext() {
    let way = Way::get();
    let report = way.export("ciphertexts", Some("y.ct"), "each.seal", &["--each", "--compression", "none"]);
    assert_eq!((report["count"].as_u64(), report["files"].as_array().unwrap().len()), (Some(3), 3));
    let all: Vec<u8> = (0..3).flat_map(|i| way.folder.bytes(&format!("each.{i}.seal"))).collect();
    way.export("ciphertexts", Some("y.ct"), "all.seal", &["--compression", "none"]);
    assert_eq!(all, way.folder.bytes("all.seal"));
    let error = fails(&[
        "seal",
        "export",
        "ciphertexts",
        &way.at("y.ct"),
        "--params",
        &way.at("i.json"),
        "--each",
        "--output",
        &way.at("each.seal"),
    ]);
    assert!(error.contains("each.0.seal cannot be written: it exists; --force replaces it"), "{error}");
}

#[test]
fn secret_keys_are_private_and_never_overwritten_silently() {
    let way = Way::get();
    assert_eq!(way.folder.mode("s.seal"), 0o600);
    // No compressor saw it unless somebody asked for one.
    assert_eq!(way.folder.bytes("s.seal")[5], 0);
    let at = |name| way.at(name);
    way.import("secret-key", &[&at("s.seal")], "private.key", &[]);
    assert_eq!(way.folder.mode("private.key"), 0o600);
    let before = way.folder.bytes("private.key");
    let params = at("i.json");
    let into = |kind: &str, file: &str, out: &str| {
        let error = fails(&["seal", "import", kind, file, "--params", &params, "--output", out]);
        assert!(error.ends_with("cannot be written: it exists; --force replaces it"), "{error}");
    };
    // Not even by something that is no secret.
    into("secret-key", &at("s.seal"), &at("private.key"));
    into("public-key", &at("p.seal"), &at("private.key"));
    assert_eq!(way.folder.bytes("private.key"), before);
    let export = ["seal", "export", "public-key", &at("p.key"), "--params", &params, "--output", &at("s.seal")];
    assert!(fails(&export).ends_with("it exists; --force replaces it"));
    way.import("secret-key", &[&at("s.seal")], "private.key", &["--force"]);
    assert_ne!(way.folder.bytes("private.key"), before, "a new mark");
    assert_eq!(way.folder.mode("private.key"), 0o600);
}

#[test]
fn files_of_another_pair_do_not_mix() {
    let way = Way::get();
    let at = |name| way.at(name);
    way.import("evaluation-keys", &["--relinearization", &at("r.seal")], "alone.keys", &[]);
    let run = ["run", &model(), "--params", &at("i.json"), "--evaluation-keys", &at("alone.keys")];
    let error = fails(&[&run[..], &["--input", &at("x.ct"), "--output", &at("no.ct")]].concat());
    assert!(error.contains("x.ct belongs to key ") && error.contains(", the evaluation keys to key "), "{error}");
}

#[test]
fn imports_name_the_file_the_field_and_both_sides() {
    let way = Way::get();
    let at = |name| way.at(name);
    let params = at("i.json");
    let import = |kind: &str, files: &[&str]| {
        fails(&[&["seal", "import", kind, "--params", &params, "--output", &at("no")][..], files].concat())
    };
    let error = import("secret-key", &[&at("p.seal")]);
    assert!(error.contains("p.seal as SEAL's secret key: "), "{error}");
    let error = import("secret-key", &[&seals("secret_key.none")]);
    assert!(error.contains("secret_key.none.seal as SEAL's secret key: parms_id of SecretKey is "), "{error}");
    let error = import("evaluation-keys", &["--relinearization", &at("p.seal")]);
    assert!(error.contains("p.seal as SEAL's relinearization keys: "), "{error}");
    let error = import("evaluation-keys", &["--galois", &seals("galois_keys.none")]);
    assert!(error.contains("as SEAL's Galois keys: parms_id of GaloisKeys is "), "{error}");
    let pair = ["--pair", &at("e.keys")];
    let error = import("ciphertexts", &[&[at("y.seal").as_str()][..], &pair].concat());
    assert!(error.ends_with("3 ciphertexts, the interface has 36"), "{error}");
    let error = import("ciphertexts", &[&[at("x.seal").as_str()][..], &["--outputs"], &pair].concat());
    assert!(error.ends_with("36 ciphertexts, the interface has 3"), "{error}");
    let error = import("ciphertexts", &[&[at("x.seal").as_str()][..], &["--images", "5000"], &pair].concat());
    assert!(error.contains("a batch of 5000 images, there are 4096 slots"), "{error}");
    let error = import("ciphertexts", &[at("x.seal").as_str(), "--pair", &at("x.csv")]);
    assert!(error.contains("x.csv: not a file of keys or ciphertexts"), "{error}");
    let y = way.folder.bytes("y.seal");
    let twelve = way.folder.put("twelve.seal", &[y.clone(), y.clone(), y.clone(), y.clone()].concat());
    let of_36 = [twelve.as_str(); 3];
    let error = import("ciphertexts", &[&of_36[..], &pair].concat());
    assert!(
        error.contains("twelve.seal, ciphertext 0: level ") && error.contains(", the interface has level "),
        "{error}"
    );

    // A residue out of range, in the words of the format.
    let mut bytes = way.folder.bytes("x.seal");
    let start = 16 + 73 + 24;
    bytes[start..start + 8].fill(0xff);
    let bad = way.folder.put("bad.seal", &bytes);
    let error = import("ciphertexts", &[&[bad.as_str()][..], &pair].concat());
    assert!(
        error.contains("bad.seal, ciphertext 0: Ciphertext: residue 0 of polynomial 0 modulo prime 0 is "),
        "{error}"
    );
    assert!(error.contains("expected below "), "{error}");
    assert!(!Path::new(&at("no")).exists());
}

#[test]
fn exports_refuse_what_seal_has_no_form_for() {
    let way = Way::get();
    let folder = &way.folder;
    let at = |name| way.at(name);
    let export = |kind: &str, more: &[&str]| {
        fails(&[&["seal", "export", kind, "--output", &at("never.seal")][..], more].concat())
    };
    let literal = |text: &str| folder.put("literal.json", text.as_bytes());
    let two = literal(r#"{"log_n": 13, "q": {"bits": [30, 30]}, "p": {"bits": [30, 31]}, "log_scale": 25}"#);
    let error = export("parameters", &["--params", &two]);
    assert!(error.contains("literal.json: 2 ciphertext and 2 special primes; SEAL's parameters have one"), "{error}");
    let grouped = literal(
        r#"{"log_n": 13, "q": {"bits": [30, 30]}, "p": {"bits": [60]}, "log_scale": 25, "primes_per_digit": 2}"#,
    );
    let error = export("parameters", &["--params", &grouped]);
    assert!(error.ends_with("2 primes to a key switching digit, SEAL has 1"), "{error}");
    let long = literal(r#"{"log_n": 13, "q": {"bits": [61]}, "p": {"bits": [61]}, "log_scale": 25}"#);
    assert!(export("parameters", &["--params", &long]).contains("has more bits than the 60 that SEAL accepts"));

    let params = at("i.json");
    let error = export("galois-keys", &[&at("e.keys"), "--params", &params]);
    assert!(error.ends_with("e.keys holds no Galois keys"), "{error}");
    let error = export("secret-key", &[&at("e.keys"), "--params", &params]);
    assert!(error.ends_with("this file holds evaluation keys, expected a secret key"), "{error}");
    let error = export("ciphertexts", &[&at("p.key"), "--params", &params]);
    assert!(error.ends_with("this file holds a public key, expected ciphertexts"), "{error}");
    let error = export("public-key", &[&at("p.key"), "--params", &at("x.csv")]);
    assert!(error.contains("x.csv holds no parameters"), "{error}");
    assert!(!Path::new(&at("never.seal")).exists());
    for bad in ["5.1", "4", "4.x"] {
        let usage = henge(&["seal", "export", "parameters", "--params", &params, "--output", "x", "--seal", bad]);
        assert_eq!(usage.status.code(), Some(2), "{bad}");
    }
}

#[test]
fn a_version_of_seal_is_stamped_when_asked_for() {
    let way = Way::get();
    // Byte 4 of a header is the minor version.
    assert_eq!((way.folder.bytes("x.seal")[4], way.folder.bytes("y.seal")[4]), (1, 4));
    let inspect =
        |name: &str| json(&succeeds(&["seal", "inspect", &way.at(name), "--parms", &way.at("parms.seal"), "--json"]));
    assert_eq!(inspect("y.seal")[0]["seal_version"], "4.4");
    assert_eq!(inspect("x.seal").as_array().unwrap().len(), 36);
}

#[test]
fn a_secret_key_that_is_none_is_refused() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(seals("secret_key.none")).unwrap();
    // Below every prime still, but of no ternary polynomial; SEAL would take it.
    bytes[16 + 72] ^= 1;
    let bad = folder.put("bad.seal", &bytes);
    let (parms, x) = (seals("parameters.none"), seals("ciphertext.none"));
    let error = fails(&["seal", "decrypt", &x, "--parms", &parms, "--secret-key", &bad, "--insecure"]);
    assert!(error.ends_with("bad.seal: secret key has a coefficient outside -1, 0, 1"), "{error}");
    let error =
        fails(&["seal", "import", "secret-key", &bad, "--params", &parms, "--output", &folder.at("s"), "--insecure"]);
    assert!(error.ends_with("secret key has a coefficient outside -1, 0, 1"), "{error}");
    let refused = fails(&["seal", "decrypt", &x, "--parms", &parms, "--secret-key", &bad]);
    assert!(refused.contains("parameters.none.seal"), "{refused}");
}

/// Bazel links Microsoft SEAL into the command, cargo does not.
fn requires_seal() -> bool {
    option_env!("HENGE_REQUIRE_SEAL").is_some()
}

#[test]
fn the_seal_backend_writes_the_same_bytes_or_says_that_it_is_not_there() {
    let way = Way::get();
    let at = |name| way.at(name);
    let run = ["run", &model(), "--params", &at("i.json"), "--evaluation-keys", &at("e.keys"), "--input", &at("x.ct")];
    let logits = at("ys.ct");
    let run = [&run[..], &["--output", &logits, "--backend", "seal", "--json"]].concat();
    let output = henge(&run);
    let err = String::from_utf8(output.stderr).unwrap();
    if !output.status.success() && err.contains("built without Microsoft SEAL") {
        assert_eq!(err.lines().count(), 1);
        assert!(!requires_seal(), "{err}");
        println!("skipped: this henge was built without Microsoft SEAL");
        return;
    }
    assert!(output.status.success(), "{err}");
    assert_eq!(json(&String::from_utf8(output.stdout).unwrap())["backend"], "seal");
    // The same operations on the same residues: the files, not only the numbers, are the same.
    assert!(way.folder.bytes("ys.ct") == way.folder.bytes("y.ct"), "the outputs of the two backends differ");
    assert_eq!(way.decrypt("s.key", "ys.ct"), way.decrypt("s.key", "y.ct"));
}

/// Keys that SEAL made come in and go out again, the same bytes in each mode.
#[test]
fn keys_for_switching_go_both_ways() {
    let folder = Folder::new();
    let parms = seals("parameters.none");
    let seal = |way: &str, kind: &str, files: &[&str], more: &[&str]| {
        let arguments = [&["seal", way, kind][..], files, &["--params", &parms, "--insecure", "--json"], more].concat();
        json(&succeeds(&arguments))
    };
    let (relin, galois) = (seals("relin_keys.none"), seals("galois_keys.zlib"));
    let keys = folder.at("e.keys");
    let files = ["--relinearization", &relin, "--galois", &galois];
    let report = seal("import", "evaluation-keys", &files, &["--output", &keys]);
    // Those for s^2, a rotation by 1, and conjugation.
    assert_eq!((report["object"].as_str(), report["count"].as_u64()), (Some("evaluation keys"), Some(3)));
    for mode in ["none", "zlib", "zstd"] {
        let [of_relin, of_galois] = ["relin", "galois"].map(|kind| folder.at(&format!("{kind}.{mode}.seal")));
        let more = ["--relinearization", &of_relin, "--galois", &of_galois, "--compression", mode];
        assert_eq!(seal("export", "evaluation-keys", &[&keys], &more)["count"], 3);
        for (written, made) in [(&of_relin, "relin_keys"), (&of_galois, "galois_keys")] {
            let made = std::fs::read(seals(&format!("{made}.{mode}"))).unwrap();
            assert!(std::fs::read(written).unwrap() == made, "{written}");
        }
    }
    // Each kind by itself, by the same word both ways; what a seed stood for is written whole.
    for (kind, file, count) in [("relinearization-keys", "relin_keys", 1), ("galois-keys", "galois_keys", 2)] {
        let modes = ["none", "zlib", "zstd"].map(|mode| format!("{file}_seeded.{mode}"));
        let mut exported = Vec::new();
        for made in modes.iter().map(String::as_str).chain([&format!("{file}.zstd")[..]]) {
            let (keys, out) = (folder.at(&format!("{made}.keys")), folder.at(&format!("{made}.seal")));
            let report = seal("import", kind, &[&seals(made)], &["--output", &keys]);
            assert_eq!((report["object"].as_str(), report["count"].as_u64()), (Some(&*named(kind)), Some(count)));
            let report = seal("export", kind, &[&keys], &["--output", &out, "--compression", "none"]);
            assert_eq!((report["object"].as_str(), report["count"].as_u64()), (Some(&*named(kind)), Some(count)));
            exported.push(folder.bytes(&format!("{made}.seal")));
        }
        let whole = std::fs::read(seals(&format!("{file}.none"))).unwrap();
        // SEAL drew both from one seed.
        assert!(exported.iter().all(|exported| *exported == whole), "{file}");
        let found = json(&succeeds(&[
            "seal",
            "inspect",
            &folder.at(&format!("{}.seal", modes[0])),
            "--parms",
            &parms,
            "--json",
        ]));
        let expected = json(&succeeds(&["seal", "inspect", &seals(&modes[0]), "--parms", &parms, "--json"]));
        for field in ["object", "powers", "elements", "rotations", "digits"] {
            assert_eq!(found[0][field], expected[0][field], "{file}");
        }
    }
    let alone = folder.at("relin_keys.zstd.keys");
    let error = fails(&[
        "seal",
        "export",
        "evaluation-keys",
        &alone,
        "--params",
        &parms,
        "--insecure",
        "--galois",
        &folder.at("none.seal"),
    ]);
    assert!(error.ends_with("relin_keys.zstd.keys holds no Galois keys"), "{error}");
}

/// What a report calls a kind of keys.
fn named(kind: &str) -> String {
    kind.replace("galois", "Galois").replace('-', " ")
}

/// Nothing is read that no object of these parameters can be.
#[test]
fn a_file_that_is_too_long_for_its_object_is_not_read() {
    let folder = Folder::new();
    let (parms, x) = (seals("parameters.none"), seals("ciphertext.none"));
    let long = folder.put("long.seal", &[std::fs::read(seals("secret_key.none")).unwrap(), vec![0; 100]].concat());
    let error = fails(&["seal", "decrypt", &x, "--parms", &parms, "--secret-key", &long, "--insecure"]);
    assert!(error.ends_with("long.seal has more than 1694 bytes"), "{error}");
    // A sparse file, longer than any disk here.
    let huge = folder.put("huge.seal", &std::fs::read(&x).unwrap());
    std::fs::OpenOptions::new().write(true).open(&huge).unwrap().set_len(1 << 40).unwrap();
    let error = fails(&["seal", "import", "secret-key", &huge, "--params", &parms, "--output", "never", "--insecure"]);
    assert!(error.ends_with("huge.seal has more than 1694 bytes"), "{error}");
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &["seal"][..],
        &["seal", "import"],
        &["seal", "import", "secret-key", "x"],
        &["seal", "import", "evaluation-keys", "--params", "p", "--output", "o"],
        &["seal", "import", "ciphertexts", "--params", "p", "--output", "o", "--pair", "k"],
        &["seal", "export", "everything"],
        &["seal", "inspect"],
        &["seal", "decrypt", "x"],
    ] {
        assert_eq!(henge(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
