//! A hundred thousand damaged files through every loader of `seal_format`, with the library itself as the judge: nothing panics, nothing
//! takes more memory than is stated, and whatever is accepted SEAL's `load` accepts too and holds the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use cap::Cap;
use he_params::{GaloisElement, LogN, Rotation, Scale};
use seal_bridge::Security;
use seal_format::mutation::mutate;
use seal_format::{
    Ciphertext, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Load, Plaintext, PublicKey,
    Reader, RelinKeys, Save, SecretKey,
};

/// Alone in its process: it counts for all. C++ takes its memory elsewhere.
#[global_allocator]
static MEMORY: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// Damaged files, over all loaders.
const FILES: u64 = 100_000;

/// The state of a decompressor, the text of an error, and what the worker threads of an expansion begin with.
const SLACK: usize = 1 << 17;

/// Runs `load` with no more than `bound` bytes beside what is in use; one byte more aborts the process.
fn within<T>(bound: usize, load: impl FnOnce() -> T) -> T {
    MEMORY.set_limit(MEMORY.allocated() + bound + SLACK).unwrap();
    let result = load();
    MEMORY.set_limit(usize::MAX).unwrap();
    result
}

/// An object that was read, to be written whole.
type Read = Box<dyn FnOnce() -> Vec<u8>>;
/// Reads an object here.
type Ours = fn(&[u8], &Context) -> Result<Read, FormatError>;
/// Reads an object with SEAL, and writes it whole.
type Theirs = fn(&[u8], &seal_bridge::Context) -> Result<Vec<u8>, seal_bridge::SealError>;
/// The memory that reading so many bytes may take.
type Bound = fn(usize, &Context) -> usize;

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

/// Bytes of one component of a key.
fn component(context: &Context) -> usize {
    16 * context.degree() * context.key_prime_count()
}

/// What is stated of keys for switching: as much as uniform residues of so many bytes, and one component while it is read.
fn keys_bound(input: usize, context: &Context) -> usize {
    let bits = context.primes().iter().map(|q| q.ilog2() as usize).min().unwrap();
    input * 128 / bits + 2 * component(context)
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
            bound: |_, _| 1 << 14,
        },
        Loader {
            name: "plaintext",
            files: vec![plain.save(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = Plaintext::load(bytes, context)?;
                Ok(Box::new(move || object.save(NONE).unwrap()))
            },
            theirs: theirs!(Plaintext),
            bound: |_, context| 8 * context.degree() * context.data_prime_count(),
        },
        Loader {
            name: "ciphertext",
            files: vec![fresh.save(SEALS_NONE).unwrap(), square.save(SEALS_NONE).unwrap(), seeded],
            ours: |bytes, context| {
                let (object, _) = Ciphertext::load(bytes, context)?;
                Ok(Box::new(move || object.without_seed().save(NONE).unwrap()))
            },
            theirs: theirs!(Ciphertext),
            bound: |_, context| 16 * 8 * context.degree() * context.data_prime_count(),
        },
        Loader {
            name: "secret key",
            files: vec![secret.save(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = SecretKey::load(bytes, context)?;
                Ok(Box::new(move || object.save(NONE).unwrap().to_vec()))
            },
            theirs: theirs!(SecretKey),
            bound: |_, context| component(context) / 2,
        },
        Loader {
            name: "public key",
            files: vec![public.save(SEALS_NONE).unwrap(), generator.save_seeded_public_key(SEALS_NONE).unwrap()],
            ours: |bytes, context| {
                let (object, _) = PublicKey::load(bytes, context)?;
                Ok(Box::new(move || object.without_seed().save(NONE).unwrap()))
            },
            theirs: theirs!(PublicKey),
            bound: |_, context| component(context),
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
            bound: keys_bound,
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
            bound: |input, context| keys_bound(input, context) + 24 * context.degree(),
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
    let loaders = loaders(&seal);
    let per_file = FILES.div_ceil(loaders.iter().map(|loader| loader.files.len() as u64).sum());
    let (mut total, mut bytes_total) = (0, 0);
    for Loader { name, files, ours, theirs, bound } in &loaders {
        let (mut accepted, mut refused) = (0, 0);
        for file in files {
            let read = ours(file, &context).unwrap_or_else(|error| panic!("{name} that SEAL made: {error}"));
            assert_eq!(read(), theirs(file, &seal).unwrap(), "{name}");
            for number in 0..per_file {
                let mutated = mutate(file, number);
                (total, bytes_total) = (total + 1, bytes_total + mutated.bytes.len());
                let Ok(read) = within(bound(mutated.bytes.len(), &context), || ours(&mutated.bytes, &context)) else {
                    refused += 1;
                    continue;
                };
                accepted += 1;
                match theirs(&mutated.bytes, &seal) {
                    Ok(bytes) => assert!(read() == bytes, "{name} {number} {:?}: other contents", mutated.what),
                    // SEAL has loaded it; the bridge then keeps such ciphertexts back.
                    Err(error) if error.to_string().ends_with("empty or not in NTT form") => {}
                    Err(error) => panic!("{name} {number} {:?} is accepted, SEAL: {error}", mutated.what),
                }
            }
        }
        println!("{name}: {accepted} accepted by both, {refused} refused");
        assert!(accepted > 0 && refused > accepted, "{name}: {accepted} accepted, {refused} refused");
    }
    println!("{total} files, {bytes_total} bytes");
    assert!(total >= FILES);
}
