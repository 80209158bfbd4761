//! SEAL as Python users have it: files that TenSEAL and seal-python write are read here, and files of ours are read there.
//!
//! Needs the network: it installs both, pinned, into a folder of its own. Where there is no such Python or no network, it says so and is skipped;
//! whatever else goes wrong, a wrong hash or a library that cannot be imported, is a failure.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use he_ckks::{CiphertextTensor, CkksContext, Encoder, Evaluator, Precision, Seed};
use he_params::{CkksParams, Level, RequiredSecurity, Rotation};
use he_rlwe::{GaloisKeys, RelinearizationKey};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use seal_format::convert::{Converter, literal};
use seal_format::{Compression, EncryptionParameters, Header, Load, Reader, Save};

const X: [f64; 4] = [0.5, -3.0, 2.25, 1.0];
const Y: [f64; 4] = [4.0, 0.125, -2.0, -1.5];

/// The folder of the scripts: cargo runs tests in the crate's folder, Bazel in the workspace.
fn scripts() -> PathBuf {
    let crate_ = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| "bindings/seal/format".into(), PathBuf::from);
    crate_.join("tests/python")
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last = err.lines().last().unwrap_or_default();
    if output.status.success() { Ok(out.into_owned()) } else { Err(format!("{command:?}: {last}")) }
}

/// Why there is no Python with the libraries.
#[derive(Debug)]
enum Missing {
    /// What this machine does not have: the test is skipped.
    Here(String),
    /// What should not be.
    Wrong(String),
}

/// A Python of its own, without packages.
fn virtual_environment(folder: &Path) -> Result<PathBuf, Missing> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Missing::Here("the pinned wheels are for x86-64 Linux".into()));
    }
    let version = "import sys; assert sys.version_info[:2] == (3, 11), sys.version";
    let found =
        ["python3.11", "python3"].into_iter().find(|name| run(Command::new(name).args(["-c", version])).is_ok());
    let system = found.ok_or(Missing::Here("no Python 3.11".into()))?;
    run(Command::new(system).args(["-c", "import ensurepip, venv"]))
        .map_err(|error| Missing::Here(format!("no ensurepip or venv (Debian: python3-venv): {error}")))?;
    let venv = folder.join("venv");
    run(Command::new(system).args(["-m", "venv"]).arg(&venv)).map_err(Missing::Wrong)?;
    Ok(venv.join("bin/python"))
}

/// Installs what a file of requirements pins. Only an index that cannot be reached, however often pip tries, is no failure.
fn install(python: &Path, requirements: &Path, index: &[&str]) -> Result<(), Missing> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "3", "--no-deps"]);
    command.args(["--only-binary", ":all:", "--require-hashes"]).args(index).arg("-r").arg(requirements);
    let output = command.output().map_err(|error| Missing::Wrong(format!("{command:?}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // pip counts its attempts down and gives up after the last one.
    let unreachable = said.contains("Retry(total=0") || said.contains("Max retries exceeded");
    let text = format!("{command:?}: {}", said.trim());
    Err(if unreachable { Missing::Here(format!("no network: {text}")) } else { Missing::Wrong(text) })
}

/// A Python with both libraries.
fn python(folder: &Path) -> Result<PathBuf, Missing> {
    let python = virtual_environment(folder)?;
    install(&python, &scripts().join("requirements.txt"), &[])?;
    Ok(python)
}

/// One of the libraries, with a folder for its files.
struct Peer<'a> {
    library: &'a str,
    python: &'a Path,
    folder: PathBuf,
}

impl Peer<'_> {
    fn call(&self, verb: &str, names: &[&str]) -> String {
        let script = scripts().join("peer.py");
        let mut command = Command::new(self.python);
        command.arg(script).args([self.library, verb]).arg(&self.folder).args(names);
        run(&mut command).unwrap_or_else(|error| panic!("{error}"))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join(format!("{name}.seal"))).expect("a file of the library")
    }

    fn load<T: Load>(&self, name: &str, converter: &Converter) -> T {
        let bytes = self.bytes(name);
        let (object, taken) = T::load(&bytes, converter.seal()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(taken, bytes.len(), "{name}");
        object
    }

    fn ciphertext(&self, name: &str, converter: &Converter) -> CiphertextTensor {
        converter.ciphertext_from_seal(&self.load(name, converter)).expect("a ciphertext")
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.join(format!("{name}.seal")), bytes).expect("a file");
    }

    /// The first slots of files, decrypted there.
    fn slots(&self, names: &[&str]) -> Vec<Vec<f64>> {
        let text = self.call("decrypt", names);
        let rows = text.trim().trim_matches(['[', ']']).split("], [");
        rows.map(|row| row.split(", ").map(|x| x.parse().expect("a number")).collect()).collect()
    }
}

/// What x * y, x rotated by one and x conjugated hold, in the first four slots.
fn expected() -> [[f64; 4]; 3] {
    [[2.0, -0.375, -4.5, -1.5], [-3.0, 2.25, 1.0, 0.0], X]
}

fn close(found: &[f64], expected: &[f64; 4], what: &str) {
    let bits = Precision::of_real(expected, found.get(..4).expect("four slots")).worst_bits();
    assert!(bits > 15.0, "{what}: {found:?}, expected {expected:?}");
}

/// The same three operations here.
fn compute(
    context: &std::sync::Arc<CkksContext>,
    [x, y]: [&CiphertextTensor; 2],
    key: &RelinearizationKey,
    galois: &GaloisKeys,
) -> [CiphertextTensor; 3] {
    let evaluator = Evaluator::new(context);
    let product = evaluator.mul(x, y).and_then(|product| evaluator.relinearize(&product, key));
    [
        product.and_then(|product| evaluator.rescale(product)).expect("a product"),
        evaluator.rotate(x, Rotation(1), galois).expect("a rotation"),
        evaluator.conjugate(x, galois).expect("a conjugation"),
    ]
}

const RESULTS: [&str; 3] = ["product", "rotated", "conjugated"];

/// The library makes everything, Henge computes, the library decrypts; then the other way round.
fn there_and_back(peer: &Peer<'_>) {
    peer.call("make", &[]);
    let parms = peer.bytes("parms");
    let Header { version, compression, .. } = Header::read(&parms, Reader::Known).expect("a header");
    // One of the two is built without compressors.
    let mode = |wanted| if compression == Compression::None { Compression::None } else { wanted };
    let (parms, _) = EncryptionParameters::load(&parms, Reader::Known).expect("parameters");
    // 200 bits at N = 8192: SEAL's 128 bits, and ours.
    let literal = literal(&parms, Some(40.0), RequiredSecurity::default()).expect("a literal");
    let params = CkksParams::try_from(literal).expect("secure parameters");
    assert_eq!(params.security_report().bits, 128);
    let context = CkksContext::new(params).expect("a context");
    let converter = Converter::new(&context).expect("a converter");
    let encoder = Encoder::new(&context);

    let secret = converter.secret_key_from_seal(&peer.load("secret", &converter)).expect("a secret key");
    converter.public_key_from_seal(&peer.load("public", &converter)).expect("a public key");
    let key = converter.relinearization_key_from_seal(&peer.load("relin", &converter)).expect("a key");
    let galois = converter.galois_keys_from_seal(&peer.load("galois", &converter)).expect("keys");
    let plain = converter.plaintext_from_seal(&peer.load("plain", &converter)).expect("a plaintext");
    close(&encoder.decode(&plain, 0).expect("numbers"), &X, "plain");
    let [x, y] = ["x", "y"].map(|name| peer.ciphertext(name, &converter));
    let decrypted = |secret: &SecretKey, x: &CiphertextTensor| {
        let plain = Decryptor::new(&context, secret).decrypt(x).expect("a plaintext");
        encoder.decode(&plain, 0).expect("numbers")
    };
    close(&decrypted(&secret, &x), &X, "x");
    close(&decrypted(&secret, &y), &Y, "y");
    for (name, result) in RESULTS.into_iter().zip(compute(&context, [&x, &y], &key, &galois)) {
        let seal = converter.ciphertext_to_seal(&result, 0).expect("a ciphertext");
        peer.put(name, &seal.save_for(mode(Compression::Zstd), version.minor).expect("bytes"));
    }
    for ((found, expected), name) in peer.slots(&RESULTS).iter().zip(expected()).zip(RESULTS) {
        close(found, &expected, name);
        println!("{} of SEAL {version}, made there, {name} here: {:?}", peer.library, &found[..4]);
    }

    // Now everything is Henge's.
    let secret = SecretKey::generate(&context, &Seed::new([1; 32])).expect("a key");
    let generator = KeyGenerator::new(&context, &secret, Seed::new([2; 32]));
    let save = |object: &dyn Fn(Compression) -> Vec<u8>, name: &str, wanted| peer.put(name, &object(mode(wanted)));
    let public = converter.public_key_to_seal(&generator.public_key().expect("a key")).expect("a key");
    let key = generator.relinearization_key().expect("a key");
    let relin = converter.relinearization_key_to_seal(&key).expect("a key");
    let galois = generator.galois_keys(&[Rotation(1)], true).expect("keys");
    let galois = converter.galois_keys_to_seal(&galois).expect("keys");
    let top: Level = context.params().max_level();
    let scale = context.params().scale();
    let plain =
        converter.plaintext_to_seal(&encoder.encode(&X, top, scale).expect("a plaintext"), 0).expect("a plaintext");
    let mut encryptor = SymmetricEncryptor::new(&context, &secret, &Seed::new([3; 32]));
    let numbers = encryptor.encrypt_tensor(&[X, Y], top, scale).and_then(|both| Ok(both.expand(&context)?));
    let both = numbers.expect("ciphertexts");
    let minor = version.minor;
    save(&|mode| parms.save_for(mode, minor).expect("bytes"), "parms", Compression::Zlib);
    let seal_secret = converter.secret_key_to_seal(&secret).expect("a key");
    save(&|mode| seal_secret.save_for(mode, minor).expect("bytes").to_vec(), "secret", Compression::None);
    save(&|mode| public.save_for(mode, minor).expect("bytes"), "public", Compression::Zstd);
    save(&|mode| relin.save_for(mode, minor).expect("bytes"), "relin", Compression::Zlib);
    save(&|mode| galois.save_for(mode, minor).expect("bytes"), "galois", Compression::Zstd);
    save(&|mode| plain.save_for(mode, minor).expect("bytes"), "plain", Compression::None);
    for (value, name) in ["x", "y"].into_iter().enumerate() {
        let x = converter.ciphertext_to_seal(&both, value).expect("a ciphertext");
        save(&|mode| x.save_for(mode, minor).expect("bytes"), name, Compression::ALL[value]);
    }
    for (found, expected) in peer.slots(&["x", "y"]).iter().zip([X, Y]) {
        close(found, &expected, "encrypted here, decrypted there");
    }
    peer.call("compute", &[]);
    for (name, expected) in RESULTS.into_iter().zip(expected()) {
        let found = decrypted(&secret, &peer.ciphertext(name, &converter));
        close(&found, &expected, name);
        println!("{} of SEAL {version}, made here, {name} there: {:?}", peer.library, &found[..4]);
    }
}

/// The value, or none where the machine lacks something, which is said aloud on one line.
fn or_skip<T>(found: Result<T, Missing>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(Missing::Here(why)) => {
            println!("skipped: {}", why.replace('\n', " "));
            None
        }
        Err(Missing::Wrong(why)) => panic!("{why}"),
    }
}

#[test]
fn python_reads_ours_and_we_read_pythons() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(python) = or_skip(python(folder.path())) else { return };
    for library in ["tenseal", "seal"] {
        let peer = Peer { library, python: &python, folder: folder.path().join(library) };
        std::fs::create_dir(&peer.folder).expect("a folder");
        there_and_back(&peer);
    }
}

/// No network is a reason to skip; a package with another hash is none, nor one that is not there.
#[test]
fn only_a_missing_network_is_a_reason_to_skip() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(python) = or_skip(virtual_environment(folder.path())) else { return };
    let requirements = |name: &str| {
        let path = folder.path().join("requirements.txt");
        std::fs::write(&path, format!("{name}==1.0 --hash=sha256:{}\n", "0".repeat(64))).expect("a file");
        path
    };
    // Nothing listens on port 1.
    let closed = ["--index-url", "http://127.0.0.1:1/simple", "--timeout", "1"];
    let found = install(&python, &requirements("henge_peer"), &closed);
    assert!(matches!(&found, Err(Missing::Here(why)) if why.starts_with("no network: ")), "{found:?}");

    std::fs::write(folder.path().join("henge_peer-1.0-py3-none-any.whl"), b"not what was pinned").expect("a file");
    let wheels = folder.path().to_str().expect("a path in UTF-8");
    let wheels = ["--no-index", "--find-links", wheels];
    let found = install(&python, &requirements("henge_peer"), &wheels);
    assert!(matches!(&found, Err(Missing::Wrong(why)) if why.contains("DO NOT MATCH THE HASHES")), "{found:?}");
    let found = install(&python, &requirements("henge_other"), &wheels);
    assert!(matches!(&found, Err(Missing::Wrong(why)) if why.contains("No matching distribution")), "{found:?}");
}
