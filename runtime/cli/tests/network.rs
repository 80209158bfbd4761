//! `henge serve` and `henge infer`, two processes, against the model in the clear.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const IMAGES: usize = 5;
const ELEMENTS: usize = 36;
const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn model() -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(|crate_| Path::new(&crate_).join("../.."));
    root.unwrap_or_default().join("graph/testdata/onnx/small_cryptonets.onnx")
}

fn henge(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::path::absolute(env!("CARGO_BIN_EXE_henge")).unwrap());
    command.args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn succeeds(output: Output) -> (String, String) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    (out, err)
}

fn fails(output: Output) -> String {
    let err = text(&output.stderr);
    assert_eq!((output.status.code(), err.lines().count()), (Some(1), 1), "{err}");
    err.strip_prefix("henge: error: ").unwrap_or_else(|| panic!("{err}")).trim_end().to_owned()
}

fn numbers(csv: &str) -> Vec<f64> {
    csv.lines().flat_map(|line| line.split(',').map(|x| x.parse::<f64>().unwrap()).collect::<Vec<_>>()).collect()
}

/// Files of both parties.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f64 / (1u64 << 24) as f64
        };
        let row = |_| (0..ELEMENTS).map(|_| next().to_string()).collect::<Vec<_>>().join(",") + "\n";
        folder.write("x.csv", &(0..IMAGES).map(row).collect::<String>());
        succeeds(
            henge(&[
                "explain",
                model().to_str().unwrap(),
                "--params-out",
                &folder.at("i.json"),
                "--precision-bits",
                "14",
            ])
            .output()
            .unwrap(),
        );

        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        folder.write("ca.pem", &authority.pem());
        folder.write("server.pem", &server.pem());
        folder.write("server.key", &key.serialize_pem());
        let digest: String = Sha256::digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
        folder.write("tokens", &format!("# clients\nward {digest}\n"));
        folder.write("token", &format!("{TOKEN}\n"));
        folder.write("guess", "guess");
        folder
    }

    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).unwrap();
    }

    fn served(&self) -> String {
        format!("digits={},{}", model().display(), self.at("i.json"))
    }

    /// What the model says in the clear.
    fn clear(&self) -> Vec<f64> {
        let (x, y, i) = (self.at("x.csv"), self.at("clear.csv"), self.at("i.json"));
        let model = model();
        let run = ["run", model.to_str().unwrap(), "--params", &i, "--backend", "clear", "--input", &x, "--output", &y];
        succeeds(henge(&run).output().unwrap());
        numbers(&std::fs::read_to_string(y).unwrap())
    }
}

/// A server, ended when the test is.
struct Serving {
    child: Child,
    port: String,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        Self::logging(arguments, Stdio::null())
    }

    fn logging(arguments: &[&str], log: Stdio) -> Self {
        let mut child = henge(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim_end().rsplit(':').next().unwrap().to_owned();
        assert!(port.parse::<u16>().is_ok(), "{line:?}");
        Self { child, port }
    }

    /// As `kill -TERM` does.
    fn terminated(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_model_served_over_tls() {
    let folder = Folder::new();
    let (served, certificate, key) = (folder.served(), folder.at("server.pem"), folder.at("server.key"));
    let tokens = folder.at("tokens");
    let mut serving =
        Serving::start(&["--model", &served, "--certificate", &certificate, "--key", &key, "--tokens", &tokens]);
    let url = format!("https://localhost:{}", serving.port);
    let (authority, token, x, y) = (folder.at("ca.pem"), folder.at("token"), folder.at("x.csv"), folder.at("y.csv"));
    let infer = |more: &[&str]| {
        let arguments = ["infer", "--server", &url, "--authority", &authority, "--input", &x];
        henge(&[&arguments[..], more].concat()).output().unwrap()
    };
    let (_, record) =
        succeeds(infer(&["--token-file", &token, "--output", &y, "--json", "--params", &folder.at("i.json")]));
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["images"], IMAGES);
    assert!(record["bytes_up_per_image"].as_f64() >= record["minimum_bytes_up_per_image"].as_f64());
    let (found, expected) = (numbers(&std::fs::read_to_string(&y).unwrap()), folder.clear());
    let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 0.01 * largest, "{found}, in the clear {expected}");
    }
    let (labels, _) = succeeds(infer(&["--token-file", &token, "--model", "digits", "--top", "1"]));
    let classes = expected.len() / IMAGES;
    let best = |row: &[f64]| (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
    let clear: String = expected.chunks(classes).map(|row| format!("{}\n", best(row))).collect();
    assert_eq!(labels, clear);

    assert!(fails(infer(&["--token-file", &folder.at("guess")])).contains("no valid bearer token"));
    assert!(fails(infer(&[])).contains("no valid bearer token"));
    assert!(fails(infer(&["--token-file", &token, "--model", "dogs"])).contains("no model of that name"));
    let greedy = fails(infer(&["--token-file", &token, "--memory", "0.00001"]));
    assert!(greedy.starts_with("a request would take ") && greedy.ends_with(" at most 10000 are allowed"), "{greedy}");
    let stranger = ["infer", "--server", &url, "--authority", &certificate, "--input", &x];
    assert!(fails(henge(&stranger).output().unwrap()).contains("cannot connect"));
    assert_eq!(serving.terminated(), Some(0));
    assert!(fails(infer(&["--token-file", &token])).contains("cannot connect"));
}

#[test]
fn squares_that_the_client_computes_under_a_mask() {
    let folder = Folder::new();
    let (model, interface) = (model(), folder.at("c.json"));
    let model = model.to_str().unwrap();
    let x = folder.at("x.csv");
    let explain = ["explain", model, "--params-out", &interface, "--calibration", &x, "--input-range", "0,1"];
    let chosen = ["--activation", "client", "--mask-channels", "--tile-values", "8", "--precision-bits", "6"];
    let (report, _) = succeeds(henge(&[&explain[..], &chosen].concat()).output().unwrap());
    for words in ["packing    complex: two images to a slot", "power(r x) is not r power(x); in drawn order"] {
        assert!(report.contains(words), "{report}");
    }
    let served = format!("squares={model},{interface}");
    let serving = Serving::start(&["--model", &served, "--insecure-no-tls", "--tile-values", "8"]);
    let (url, y) = (format!("http://127.0.0.1:{}", serving.port), folder.at("y.csv"));
    let infer = ["infer", "--server", &url, "--input", &x, "--insecure-no-tls", "--output", &y, "--params", &interface];
    succeeds(henge(&infer).output().unwrap());
    let (found, expected) = (numbers(&std::fs::read_to_string(&y).unwrap()), folder.clear());
    let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 0.01 * largest, "{found}, in the clear {expected}");
    }
}

#[test]
fn a_budget_below_one_inference_is_refused_at_the_start() {
    let folder = Folder::new();
    let interface: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.at("i.json")).unwrap()).unwrap();
    let slots = 1u64 << (interface["params"]["log_n"].as_u64().unwrap() - 1);
    let (served, budget) = (folder.served(), (slots - 1).to_string());
    let serve = ["serve", "--model", &served, "--insecure-no-tls", "--images-per-client", &budget];
    let error = fails(henge(&serve).output().unwrap());
    assert_eq!(error, format!("model \"digits\": one inference carries {slots} images, a client's budget is {budget}"));
}

#[test]
fn plaintext_is_refused_unless_it_stays_on_the_machine() {
    let folder = Folder::new();
    let served = folder.served();
    let serve = |more: &[&str]| fails(henge(&[&["serve", "--model", &served], more].concat()).output().unwrap());
    let open = serve(&["--insecure-no-tls", "--listen", "0.0.0.0:0"]);
    assert!(open.contains("loopback"), "{open}");
    let open = serve(&["--insecure-no-tls", "--metrics", "0.0.0.0:0"]);
    assert!(open.contains("loopback"), "{open}");
    let (certificate, key) = (folder.at("server.pem"), folder.at("server.key"));
    let nobody = serve(&["--certificate", &certificate, "--key", &key]);
    assert!(nobody.contains("nobody could be told"), "{nobody}");
    let wrong = serve(&["--certificate", &key, "--key", &certificate, "--tokens", &folder.at("tokens")]);
    assert!(wrong.contains("transport"), "{wrong}");
    let wrong = serve(&["--insecure-no-tls", "--tokens", &folder.at("x.csv")]);
    assert!(wrong.contains("line 1"), "{wrong}");

    let serving = Serving::start(&["--model", &served, "--insecure-no-tls"]);
    let (url, x) = (format!("http://127.0.0.1:{}", serving.port), folder.at("x.csv"));
    assert!(fails(henge(&["infer", "--server", &url, "--input", &x]).output().unwrap()).contains("no https address"));
    let plain = ["infer", "--server", &url, "--input", &x, "--insecure-no-tls", "--top", "2"];
    let (labels, _) = succeeds(henge(&plain).output().unwrap());
    assert_eq!(labels.lines().count(), IMAGES);
}

#[test]
fn keys_stay_in_their_folder_and_batches_follow_one_another() {
    let folder = Folder::new();
    let serving = Serving::start(&["--model", &folder.served(), "--insecure-no-tls"]);
    let url = format!("http://127.0.0.1:{}", serving.port);
    let (x, y, many) = (folder.at("x.csv"), folder.at("y.csv"), folder.at("many.csv"));
    let infer = |keys: &str, input: &str| {
        let arguments = ["infer", "--server", &url, "--insecure-no-tls", "--keys", keys, "--input", input];
        let (_, record) = succeeds(henge(&[&arguments[..], &["--output", &y, "--json"]].concat()).output().unwrap());
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        (record, numbers(&std::fs::read_to_string(&y).unwrap()))
    };
    let expected = folder.clear();
    let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let close = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        found.iter().zip(expected).for_each(|(f, e)| assert!((f - e).abs() < 0.01 * largest, "{f}, in the clear {e}"));
    };

    let keys = folder.at("keys");
    let (first, found) = infer(&keys, &x);
    close(&found, &expected);
    assert!(first["keys_made"] == true && first["key_bytes"].as_u64() > Some(0), "{first}");
    // The server knows them by now.
    let (again, found) = infer(&keys, &x);
    close(&found, &expected);
    assert!(again["keys_made"] == false && again["key_bytes"] == 0, "{again}");

    // Three images more than a batch has room for: the five of before, over and over.
    let interface: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.at("i.json")).unwrap()).unwrap();
    let slots = 1usize << (interface["params"]["log_n"].as_u64().unwrap() - 1);
    let lines = std::fs::read_to_string(&x).unwrap();
    let repeated: Vec<&str> = lines.lines().cycle().take(slots + 3).collect();
    folder.write("many.csv", &(repeated.join("\n") + "\n"));
    let (record, found) = infer(&keys, &many);
    assert!(record["batches"] == 2 && record["images"] == slots + 3 && record["key_bytes"] == 0, "{record}");
    let all: Vec<f64> = expected.iter().copied().cycle().take((slots + 3) * expected.len() / IMAGES).collect();
    close(&found, &all);

    // What keygen makes is as good.
    let made = folder.at("made");
    std::fs::create_dir(&made).unwrap();
    let at = |name: &str| format!("{made}/{name}");
    let (secret, evaluation, public) = (at("secret.key"), at("evaluation.keys"), at("public.key"));
    let paths = ["--secret-key", &secret, "--evaluation-keys", &evaluation, "--public-key", &public];
    succeeds(henge(&[&["keygen", "--params", &folder.at("i.json")][..], &paths].concat()).output().unwrap());
    let (record, found) = infer(&made, &x);
    close(&found, &expected);
    assert!(record["keys_made"] == false && record["key_bytes"].as_u64() > Some(0), "{record}");
    // Files of two pairs are not mixed.
    std::fs::copy(format!("{keys}/evaluation.keys"), &evaluation).unwrap();
    let mixed = ["infer", "--server", &url, "--insecure-no-tls", "--keys", &made, "--input", &x];
    let error = fails(henge(&mixed).output().unwrap());
    assert!(error.contains("evaluation.keys belongs to key"), "{error}");
}

#[test]
fn options_of_one_model_are_not_those_of_another() {
    let folder = Folder::new();
    let plain = folder.served();
    let noisy = plain.replacen("digits=", "noisy=", 1) + ",flooding=1,shuffle,tile=20,in-flight=2";
    let log = folder.at("log");
    let limits =
        ["--inferences-per-client", "3", "--answer-timeout", "20", "--handshake-timeout", "5", "--key-cache", "1"];
    let arguments = [&["--model", &plain, "--model", &noisy, "--insecure-no-tls", "--log-json"][..], &limits].concat();
    let serving = Serving::logging(&arguments, std::fs::File::create(&log).unwrap().into());
    let url = format!("http://127.0.0.1:{}", serving.port);
    let (x, y) = (folder.at("x.csv"), folder.at("y.csv"));
    let infer = |model: &str| {
        let arguments =
            ["infer", "--server", &url, "--insecure-no-tls", "--model", model, "--input", &x, "--output", &y];
        henge(&arguments).output().unwrap()
    };
    let expected = folder.clear();
    let deviation = |model: &str| {
        succeeds(infer(model));
        let found = numbers(&std::fs::read_to_string(&y).unwrap());
        assert_eq!(found.len(), expected.len());
        let square: f64 = found.iter().zip(&expected).map(|(f, e)| (f - e).powi(2)).sum();
        (square / found.len() as f64).sqrt()
    };
    let (quiet, loud) = (deviation("digits"), deviation("noisy"));
    assert!(quiet < 0.05 && loud > 0.5, "deviations {quiet} and {loud}");
    // What the server said at its start: the memory that each model plans with, and its own options.
    let lines = std::fs::read_to_string(&log).unwrap();
    let models: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["fields"].clone())
        .filter(|fields| fields["message"] == "model")
        .collect();
    assert_eq!(models.len(), 2, "{lines}");
    for bytes in ["tiles_peak_bytes", "weights_bytes", "program_bytes"] {
        assert!(models.iter().all(|model| model[bytes].as_u64() > Some(0)), "{models:?}");
    }
    assert!(models[0]["shuffle"] == false && models[1]["shuffle"] == true, "{models:?}");
    assert!(models[0]["planned_bytes"].as_u64() > models[1]["planned_bytes"].as_u64(), "{models:?}");
    // The third inference is the last.
    succeeds(infer("digits"));
    assert!(fails(infer("digits")).contains("budget is 3 inferences"));
}
