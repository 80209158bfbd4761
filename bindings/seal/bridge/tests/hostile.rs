//! Damaged files through every loader of `seal_format`, with the library itself as the judge: nothing panics, nothing
//! takes more memory than is stated, and whatever is accepted SEAL's `load` accepts too and holds the same.
//!
//! `HENGE_SEAL_FILES` says how many files for each loader. Alone in its process: its allocator counts for all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../format/tests/bounds/mod.rs"]
mod bounds;
#[path = "../../format/tests/mutation/mod.rs"]
mod mutation;

use bounds::{Bound, within};
use he_params::{GaloisElement, LogN, Rotation, Scale};
use mutation::mutate;
use seal_bridge::Security;
use seal_format::{
    Ciphertext, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Load, Plaintext, PublicKey,
    Reader, RelinKeys, Save, SecretKey,
};

/// Damaged files for each loader.
const FILES: u64 = 100_000;

/// What SEAL has loaded and the bridge keeps back, since SEAL's operations would trip over it.
const KEPT_BACK: [&str; 3] = [
    "a ciphertext that is empty or not in NTT form",
    "a plaintext that is not in NTT form",
    "relinearization keys with a hole among them",
];

/// An object that was read, to be written whole.
type Read = Box<dyn FnOnce() -> Vec<u8>>;
/// Reads an object here.
type Ours = fn(&[u8], &Context) -> Result<Read, FormatError>;
/// Reads an object with SEAL, and writes it whole.
type Theirs = fn(&[u8], &seal_bridge::Context) -> Result<Vec<u8>, seal_bridge::SealError>;

struct Loader {
    name: &'static str,
    files: Vec<Vec<u8>>,
    ours: Ours,
    theirs: Theirs,
    bound: Bound,
}

const NONE: Compression = Compression::None;
const SEALS_NONE: seal_bridge::Compression = seal_bridge::Compression::None;

macro_rules! theirs {
    ($object:ident) => {
        |bytes, context| seal_bridge::$object::load(context, bytes)?.save(SEALS_NONE)
    };
}

/// Keys with what their seeds stand for.
fn whole(keys: Vec<Vec<PublicKey>>) -> Vec<Vec<PublicKey>> {
    keys.into_iter().map(|key| key.into_iter().map(PublicKey::without_seed).collect()).collect()
}

fn loaders(seal: &seal_bridge::Context) -> Vec<Loader> {
    let mut generator = seal_bridge::KeyGenerator::new(seal).unwrap();
    let (secret, public) = (generator.secret_key().unwrap(), generator.public_key().unwrap());
    let (relin, log_n) = (generator.relin_keys().unwrap(), seal.log_n());
    let elements = [GaloisElement::rotation(Rotation(1), log_n), GaloisElement::conjugation(log_n)];
    let galois = generator.galois_keys(&elements).unwrap();
    let scale = Scale::new(1073741824.0).unwrap();
    let plain = seal_bridge::Encoder::new(seal).unwrap().encode(&[0.5, -3.0], seal.max_level(), scale).unwrap();
    let fresh = seal_bridge::PublicEncryptor::new(seal, &public).unwrap().encrypt(&plain).unwrap();
    let square = seal_bridge::Evaluator::new(seal).unwrap().square(&fresh).unwrap();
    let seeded = seal_bridge::SymmetricEncryptor::new(seal, &secret).unwrap().save_seeded(&plain, SEALS_NONE).unwrap();
    vec![
        Loader {
            name: "parameters",
            files: vec![seal.save(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (parms, _) = EncryptionParameters::load(bytes, context.reader())?;
                // SEAL's `load` makes a context of them here; what it makes none of is accepted by neither.
                Context::new(parms.clone())?;
                Ok(Box::new(move || parms.save(NONE).unwrap()))
            },
            theirs: |bytes, _| seal_bridge::Context::load(bytes, Security::None)?.save(SEALS_NONE),
            // Beside the parameters the names of 256 levels, and a copy.
            bound: |context, input| bounds::parameters(context, input) + (12 << 10),
        },
        Loader {
            name: "plaintext",
            files: vec![plain.save(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = Plaintext::load(bytes, context)?;
                Ok(Box::new(move || object.save(NONE).unwrap()))
            },
            theirs: theirs!(Plaintext),
            bound: bounds::plaintext,
        },
        Loader {
            name: "ciphertext",
            files: vec![fresh.save(SEALS_NONE).unwrap(), square.save(SEALS_NONE).unwrap(), seeded],
            ours: |bytes, context| {
                let (object, _) = Ciphertext::load(bytes, context)?;
                Ok(Box::new(move || object.without_seed().save(NONE).unwrap()))
            },
            theirs: theirs!(Ciphertext),
            bound: bounds::ciphertext,
        },
        Loader {
            name: "secret key",
            files: vec![secret.save(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = SecretKey::load(bytes, context)?;
                Ok(Box::new(move || object.save(NONE).unwrap().to_vec()))
            },
            theirs: theirs!(SecretKey),
            bound: bounds::secret_key,
        },
        Loader {
            name: "public key",
            files: vec![public.save(SEALS_NONE).unwrap(), generator.save_seeded_public_key(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = PublicKey::load(bytes, context)?;
                Ok(Box::new(move || object.without_seed().save(NONE).unwrap()))
            },
            theirs: theirs!(PublicKey),
            bound: bounds::public_key,
        },
        Loader {
            name: "relinearization keys",
            files: vec![relin.save(SEALS_NONE).unwrap(), generator.save_seeded_relin_keys(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = RelinKeys::load(bytes, context)?;
                let context = context.clone();
                Ok(Box::new(move || RelinKeys::new(&context, whole(object.into_keys())).unwrap().save(NONE).unwrap()))
            },
            theirs: theirs!(RelinKeys),
            bound: bounds::relin_keys,
        },
        Loader {
            name: "Galois keys",
            files: vec![
                galois.save(SEALS_NONE).unwrap(),
                generator.save_seeded_galois_keys(&elements, SEALS_NONE).unwrap(),
            ],
            ours: |bytes, context| {
                let (object, _) = GaloisKeys::load(bytes, context)?;
                let context = context.clone();
                Ok(Box::new(move || GaloisKeys::new(&context, whole(object.into_keys())).unwrap().save(NONE).unwrap()))
            },
            theirs: theirs!(GaloisKeys),
            bound: bounds::galois_keys,
        },
    ]
}

#[test]
fn nothing_is_accepted_that_seal_refuses() {
    let log_n = LogN::new(6).unwrap();
    let primes = seal_bridge::pick_primes(log_n, &[60, 30, 41]).unwrap();
    let seal = seal_bridge::Context::with_fixed_randomness(log_n, &primes, Security::None, [1, 2, 3, 4, 5, 6, 7, 8]);
    let seal = seal.unwrap();
    let parms = EncryptionParameters::new(64, primes).unwrap();
    let context = Context::new(parms).unwrap().with_reader(Reader::Seal4 { minor: 1 });
    let files = std::env::var("HENGE_SEAL_FILES").map_or(FILES, |files| files.parse().unwrap());
    let (mut total, mut bytes_total) = (0, 0);
    for Loader { name, files: whole, ours, theirs, bound } in &mine(loaders(&seal)) {
        let (mut accepted, mut refused, mut number) = (0u64, 0u64, 0);
        for file in whole {
            let read = ours(file, &context).unwrap_or_else(|error| panic!("{name} that SEAL made: {error}"));
            assert_eq!(read(), theirs(file, &seal).unwrap(), "{name}");
            // Worker threads make their queues once.
            (0..8).for_each(|_| drop(ours(file, &context)));
        }
        for file in whole.iter().cycle().take(files as usize) {
            let mutated = mutate(file, number);
            number += 1;
            (total, bytes_total) = (total + 1, bytes_total + mutated.bytes.len());
            let bound = bound(&context, mutated.bytes.len());
            let Ok(read) = within(bound, &mutated.bytes, |bytes| ours(bytes, &context)) else {
                refused += 1;
                continue;
            };
            accepted += 1;
            match theirs(&mutated.bytes, &seal) {
                Ok(bytes) => assert!(read() == bytes, "{name} {number} {:?}: other contents", mutated.what),
                Err(error) if KEPT_BACK.iter().any(|end| error.to_string().ends_with(end)) => {}
                Err(error) => panic!("{name} {number} {:?} is accepted, SEAL: {error}", mutated.what),
            }
        }
        println!("{name}: {accepted} accepted by both, {refused} refused");
        assert!(accepted > 0 && refused > accepted, "{name}: {accepted} accepted, {refused} refused");
    }
    println!("{total} files, {bytes_total} bytes");
}

/// Bazel runs the test in parts, each a process of its own.
fn mine(loaders: Vec<Loader>) -> Vec<Loader> {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<usize>().unwrap());
    let (Some(part), Some(parts)) = (number("TEST_SHARD_INDEX"), number("TEST_TOTAL_SHARDS")) else { return loaders };
    if let Some(file) = std::env::var_os("TEST_SHARD_STATUS_FILE") {
        std::fs::write(file, "").unwrap();
    }
    loaders.into_iter().enumerate().filter(|(index, _)| index % parts == part).map(|(_, loader)| loader).collect()
}
