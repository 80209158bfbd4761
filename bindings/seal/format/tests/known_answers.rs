//! Files that Microsoft SEAL wrote (testdata/README.md): all are read, and written again byte for byte.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use seal_format::{
    Ciphertext, CiphertextMetadata, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Generator,
    Header, Load, ParmsId, Plaintext, PublicKey, Reader, RelinKeys, Save, SecretKey, Seed, Version,
};

macro_rules! file {
    ($name:expr) => {
        include_bytes!(concat!("../testdata/", $name, ".seal")).as_slice()
    };
}

/// One object in the three modes.
macro_rules! modes {
    ($name:literal) => {
        [file!(concat!($name, ".none")), file!(concat!($name, ".zlib")), file!(concat!($name, ".zstd"))]
    };
}

const ANSWERS: &str = include_str!("../testdata/answers.txt");

fn parameters() -> EncryptionParameters {
    EncryptionParameters::load(file!("parameters.none"), Reader::Known).expect("parameters of SEAL").0
}

fn context() -> Context {
    Context::new(parameters()).expect("a context of SEAL")
}

/// Reads the object in each mode; every one is the same, and is written again as SEAL wrote it.
fn round_trip<T: PartialEq + std::fmt::Debug>(
    files: [&[u8]; 3],
    load: impl Fn(&[u8]) -> Result<(T, usize), FormatError>,
    save: impl Fn(&T, Compression) -> Vec<u8>,
    saved_len: impl Fn(&T) -> usize,
) -> T {
    let [none, ..] = files;
    let (object, taken) = load(none).expect("what SEAL saved");
    assert_eq!((taken, saved_len(&object)), (none.len(), none.len()));
    for (file, compression) in files.into_iter().zip(Compression::ALL) {
        assert_eq!(Header::read(file, Reader::Known).expect("a header").compression, compression);
        // What follows the object is not read.
        let mut longer = file.to_vec();
        longer.extend(b"what follows");
        let (same, taken) = load(&longer).expect("what SEAL saved");
        assert_eq!((&same, taken), (&object, file.len()), "{compression}");
        assert_eq!(load(&save(&object, compression)).expect("what we saved").0, object, "{compression}");
    }
    for (file, compression) in files.into_iter().zip(Compression::ALL) {
        assert!(save(&object, compression) == file, "{compression}");
    }
    object
}

fn public<T: Load + Save + PartialEq + std::fmt::Debug>(files: [&[u8]; 3]) -> T {
    let context = context();
    round_trip(
        files,
        |bytes| T::load(bytes, &context),
        |object, compression| object.save(compression).expect("memory"),
        Save::saved_len,
    )
}

#[test]
fn parameters_come_back() {
    let parameters = round_trip(
        modes!("parameters"),
        |bytes| EncryptionParameters::load(bytes, Reader::Known),
        |object, compression| object.save(compression).expect("memory"),
        Save::saved_len,
    );
    assert_eq!(parameters.degree(), 64);
    assert_eq!(parameters.moduli(), [1152921504606844417, 1073741441, 2199023254913]);
}

#[test]
fn messages_come_back() {
    let context = context();
    let plaintext: Plaintext = public(modes!("plaintext"));
    assert_eq!((plaintext.parms_id(), plaintext.scale()), (context.first_parms_id(), 1073741824.0));
    let of_two: Ciphertext = public(modes!("ciphertext"));
    let of_three: Ciphertext = public(modes!("ciphertext_of_three"));
    let below: Ciphertext = public(modes!("ciphertext_below"));
    let seeded: Ciphertext = public(modes!("ciphertext_seeded"));
    for (ciphertext, size, primes) in [(&of_two, 2, 2), (&of_three, 3, 2), (&below, 2, 1), (&seeded, 2, 2)] {
        assert_eq!((ciphertext.metadata().size, ciphertext.prime_count(), ciphertext.degree()), (size, primes, 64));
        assert_eq!(ciphertext.words().len(), size * primes * 64);
        assert_eq!(ciphertext.metadata().parms_id, context.parms_id(primes).expect("a level"));
        assert!(ciphertext.metadata().is_ntt_form);
    }
    assert_eq!(seeded.seed().map(|seed| seed.generator), Some(Generator::Blake2xb));
    assert_eq!(of_three.metadata().scale, 2f64.powi(60));
    assert_eq!(below.metadata().scale, 2f64.powi(60) / 1073741441.0);
}

#[test]
fn keys_come_back() {
    let context = context();
    let secret: SecretKey = round_trip(
        modes!("secret_key"),
        |bytes| SecretKey::load(bytes, &context),
        |object, compression| object.save(compression).expect("memory").to_vec(),
        SecretKey::saved_len,
    );
    assert_eq!(secret.expose_words().len(), 3 * 64);
    let whole: PublicKey = public(modes!("public_key"));
    let seeded: PublicKey = public(modes!("public_key_seeded"));
    assert!(whole.as_ciphertext().seed().is_none() && seeded.as_ciphertext().seed().is_some());
    for keys in [public(modes!("relin_keys")), public::<RelinKeys>(modes!("relin_keys_seeded"))] {
        assert_eq!(keys.keys().len(), 1);
        assert_eq!(keys.key(2).map(<[PublicKey]>::len), Some(2));
        assert!(keys.key(3).is_none() && keys.key(1).is_none() && keys.key(0).is_none());
    }
    for keys in [public(modes!("galois_keys")), public::<GaloisKeys>(modes!("galois_keys_seeded"))] {
        assert_eq!(keys.keys().len(), 64);
        assert_eq!(keys.elements().collect::<Vec<_>>(), [3, 127]);
        assert_eq!(keys.key(127).map(<[PublicKey]>::len), Some(2));
        assert!(keys.key(5).is_none() && keys.key(4).is_none() && keys.key(129).is_none());
    }
}

/// What a seed stands for: both generators of SEAL 4, and the ways of 3.4, 3.5 and 3.6 to 3.7.
#[test]
fn seeds_are_expanded_as_seal_does() {
    let context = context();
    let load = |bytes: &[u8]| Ciphertext::load(bytes, &context).expect("what SEAL loads").0;
    for (name, compact, expanded, version) in [
        ("blake2xb", file!("ciphertext_seeded.blake2xb"), file!("ciphertext_seeded.blake2xb.expanded"), (4, 1)),
        ("shake256", file!("ciphertext_seeded.shake256"), file!("ciphertext_seeded.shake256.expanded"), (4, 1)),
        ("3.7", file!("ciphertext_seeded.v3_7"), file!("ciphertext_seeded.v3_7.expanded"), (3, 7)),
        ("3.5", file!("ciphertext_seeded.v3_5"), file!("ciphertext_seeded.v3_5.expanded"), (3, 5)),
        ("3.4", file!("ciphertext_seeded.v3_4"), file!("ciphertext_seeded.v3_4.expanded"), (3, 4)),
    ] {
        let (major, minor) = version;
        let version = Version { major, minor };
        assert_eq!(Header::read(compact, Reader::Known).expect("a header").version, version);
        let (compact, whole) = (load(compact), load(expanded));
        assert_eq!(compact.words(), whole.words(), "{name}");
        assert_eq!(compact.metadata(), whole.metadata(), "{name}");
        assert_eq!(compact.seed().is_some(), version >= Version { major: 3, minor: 6 }, "{name}");
        assert!(compact.clone().without_seed().save(Compression::None).expect("memory") == expanded, "{name}");
        if let Some(seed) = compact.seed() {
            let primes = context.primes_at(whole.prime_count());
            assert_eq!(seed.expand(version, context.degree(), primes), whole.polynomial(1), "{name}");
            let again = Ciphertext::seeded(&context, compact.metadata(), compact.polynomial(0).to_vec(), *seed);
            assert_eq!(again.expect("a seeded ciphertext"), compact, "{name}");
        }
    }
}

/// Lines of `answers.txt` that begin so: the numbers before and the words after the colon.
fn answers(kind: &str) -> impl Iterator<Item = (Vec<u64>, Vec<&'static str>)> {
    ANSWERS.lines().filter_map(move |line| line.strip_prefix(kind)).map(|line| {
        let (numbers, words) = line.split_once(':').expect("a colon");
        let numbers = numbers.split_whitespace().map(|n| n.parse().expect("a number")).collect();
        (numbers, words.split_whitespace().collect())
    })
}

fn digest(words: &[&str]) -> [u64; 4] {
    let words: Vec<u64> = words.iter().map(|word| u64::from_str_radix(word, 16).expect("a word")).collect();
    words.try_into().expect("four words")
}

#[test]
fn levels_have_the_names_that_seal_gives_them() {
    let mut seen = 0;
    let mut context: Option<Context> = None;
    for (numbers, words) in answers("parms_id ") {
        let (degree, primes) = numbers.split_first().expect("a degree");
        let expected = ParmsId::from_words(digest(&words));
        assert_eq!(ParmsId::of(*degree, primes), expected);
        // The first line of a chain has all primes.
        let lower = context.as_ref().is_some_and(|c| c.degree() as u64 == *degree && c.primes().starts_with(primes));
        if !lower {
            let parameters = EncryptionParameters::new(*degree, primes.to_vec()).expect("parameters of SEAL");
            assert_eq!(parameters.parms_id(), expected);
            context = Some(Context::new(parameters).expect("a context of SEAL"));
        }
        let context = context.as_ref().expect("a chain");
        assert_eq!(context.parms_id(primes.len()), Some(expected));
        assert_eq!(context.prime_count(expected), Some(primes.len()));
        if !lower {
            assert_eq!(context.key_parms_id(), expected);
            let first = context.primes_at(context.data_prime_count());
            assert_eq!(context.first_parms_id(), ParmsId::of(*degree, first));
            assert_eq!(context.uses_key_switching(), primes.len() > 1);
        }
        seen += 1;
    }
    assert_eq!(seen, 3 + 3 + 7 + 4 + 8 + 1);
}

/// Digest of bytes as the generator makes it: filled up with zeros to whole words.
fn digest_of(bytes: &[u8]) -> [u64; 4] {
    use blake2::Digest;
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(8), 0);
    let digest = blake2::Blake2b::<blake2::digest::consts::U32>::digest(&padded);
    std::array::from_fn(|i| u64::from_le_bytes(digest[8 * i..8 * i + 8].try_into().expect("eight bytes")))
}

/// One object in the layouts of SEAL 3.4, 3.5, 3.6 and 3.7.
macro_rules! versions {
    ($name:literal) => {
        [
            file!(concat!($name, ".v3_4")),
            file!(concat!($name, ".v3_5")),
            file!(concat!($name, ".v3_6")),
            file!(concat!($name, ".v3_7")),
        ]
    };
}

/// What is read of each version of SEAL 3, from 3.4 on.
fn of_version_3<T>(files: [&[u8]; 4], load: impl Fn(&[u8]) -> Result<(T, usize), FormatError>) -> Vec<T> {
    let read = |(minor, file): (u8, &[u8])| {
        let version = Header::read(file, Reader::Known).expect("a header").version;
        assert_eq!(version, Version { major: 3, minor });
        let (object, taken) = load(file).expect("what SEAL loads");
        assert_eq!(taken, file.len(), "{version}");
        object
    };
    (4..).zip(files).map(read).collect()
}

fn public_of_version_3<T: Load>(files: [&[u8]; 4]) -> Vec<T> {
    let context = context();
    of_version_3(files, |bytes| T::load(bytes, &context))
}

/// Whole objects of SEAL 3 are those of SEAL 4.
#[test]
fn objects_of_version_3_are_read() {
    let context = context();
    let found = of_version_3(versions!("parameters"), |bytes| EncryptionParameters::load(bytes, Reader::Known));
    assert_eq!(found, vec![parameters(); 4]);
    let expected: Plaintext = public(modes!("plaintext"));
    assert_eq!(public_of_version_3::<Plaintext>(versions!("plaintext")), vec![expected; 4]);
    let (expected, _) = SecretKey::load(file!("secret_key.none"), &context).expect("a key");
    let found = public_of_version_3::<SecretKey>(versions!("secret_key"));
    assert!(found.len() == 4 && found.iter().all(|found| *found == expected));
    let expected: PublicKey = public(modes!("public_key"));
    assert_eq!(public_of_version_3::<PublicKey>(versions!("public_key")), vec![expected; 4]);
    let expected: RelinKeys = public(modes!("relin_keys"));
    assert_eq!(public_of_version_3::<RelinKeys>(versions!("relin_keys")), vec![expected; 4]);
    let expected: GaloisKeys = public(modes!("galois_keys"));
    assert_eq!(public_of_version_3::<GaloisKeys>(versions!("galois_keys")), vec![expected; 4]);
}

/// The seeds of keys of SEAL 3 stand for what SEAL makes of them: other residues in 3.4, in 3.5, and from 3.6 on.
#[test]
fn seeded_keys_of_version_3_are_expanded_as_seal_does() {
    let context = context();
    let whole = |keys: Vec<Vec<PublicKey>>| -> Vec<Vec<PublicKey>> {
        keys.into_iter().map(|key| key.into_iter().map(PublicKey::without_seed).collect()).collect()
    };
    let save =
        |object: &dyn Fn(Compression) -> Result<Vec<u8>, FormatError>| object(Compression::None).expect("memory");
    let publics = public_of_version_3::<PublicKey>(versions!("public_key_seeded")).into_iter().map(|key| {
        let key = key.without_seed();
        save(&|mode| key.save(mode))
    });
    let relins = public_of_version_3::<RelinKeys>(versions!("relin_keys_seeded")).into_iter().map(|keys| {
        let keys = RelinKeys::new(&context, whole(keys.into_keys())).expect("keys");
        save(&|mode| keys.save(mode))
    });
    let galois = public_of_version_3::<GaloisKeys>(versions!("galois_keys_seeded")).into_iter().map(|keys| {
        let keys = GaloisKeys::new(&context, whole(keys.into_keys())).expect("keys");
        save(&|mode| keys.save(mode))
    });
    let found = publics.chain(relins).chain(galois).collect::<Vec<_>>();
    let mut seen = 0;
    for ((numbers, words), found) in answers("expanded ").zip(&found) {
        let [name, length, digest_words @ ..] = &words[..] else { panic!("a name and a length") };
        assert_eq!(length.parse(), Ok(found.len()), "{name} of 3.{numbers:?}");
        assert_eq!(digest_of(found), digest(digest_words), "{name} of 3.{numbers:?}");
        seen += 1;
    }
    assert_eq!((seen, found.len()), (12, 12));
}

#[test]
fn large_ciphertexts_have_the_bytes_that_seal_writes() {
    let mut seen = 0;
    for (numbers, words) in answers("large ") {
        let (degree, primes) = numbers.split_first().expect("a degree");
        let parameters = EncryptionParameters::new(*degree, primes.to_vec()).expect("parameters of SEAL");
        let context = Context::new(parameters).expect("a context of SEAL");
        let data = context.primes_at(context.data_prime_count());
        let polynomial = |first| {
            let seed = Seed { generator: Generator::Blake2xb, words: [first, 2, 3, 4, 5, 6, 7, 8] };
            seed.expand(Version::DEFAULT, context.degree(), data)
        };
        let metadata = CiphertextMetadata {
            parms_id: context.first_parms_id(),
            is_ntt_form: true,
            size: 2,
            scale: 1099511627776.0,
        };
        let ciphertext =
            Ciphertext::new(&context, metadata, [polynomial(0), polynomial(1)].concat()).expect("residues");
        let [mode, length, digest_words @ ..] = &words[..] else { panic!("a mode and a length") };
        let compression = Compression::ALL[mode.parse::<usize>().expect("a mode")];
        let length: usize = length.parse().expect("a length");
        let saved = ciphertext.save(compression).expect("memory");
        assert_eq!(saved.len(), length, "{compression} of {degree}, {primes:?}");
        assert_eq!(digest_of(&saved), digest(digest_words), "{compression} of {degree}, {primes:?}");
        assert_eq!(Ciphertext::load(&saved, &context).expect("what we saved"), (ciphertext, saved.len()));
        seen += 1;
    }
    assert_eq!(seen, 4 * 3);
}

#[test]
fn the_standard_of_2018_judges() {
    for (log_n, bits, granted) in [
        (12, vec![36, 36, 37], 128),
        (13, vec![30; 7], 128),
        (14, vec![60, 54, 54, 54, 54, 54, 54, 54], 128),
        (14, vec![60; 8], 0),
    ] {
        let log_n = he_params::LogN::new(log_n).expect("a degree");
        let primes = he_params::primes::ntt_prime_chain(&bits, log_n, &[]).expect("primes");
        let context =
            Context::new(EncryptionParameters::new(log_n.n() as u64, primes).expect("parameters")).expect("valid");
        let total: u32 = bits.iter().map(|b| u32::from(*b)).sum();
        assert_eq!(context.total_bits(), total);
        let report = context.security();
        assert_eq!(report.bits, granted, "{report}");
        assert!(report.to_string().contains("standard of 2018"), "{report}");
    }
    let report = context().security();
    assert_eq!((report.bits, report.bound), (0, None), "N = 64 is in no table");
}
