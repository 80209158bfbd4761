//! Files that are not SEAL's: cut, changed, inflated. Every loader refuses them or reads an object that it would read again.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod mutation;

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;

use mutation::mutate;
use proptest::prelude::*;
use seal_format::{
    Ciphertext, CiphertextMetadata, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Generator,
    Header, Load, Plaintext, PublicKey, Reader, RelinKeys, Save, SecretKey, Seed,
};

macro_rules! seal {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/", $name, ".seal")).as_slice()
    };
}

fn context() -> Context {
    let (parameters, _) =
        EncryptionParameters::load(seal!("parameters.none"), Reader::Known).expect("parameters of SEAL");
    Context::new(parameters).expect("a context of SEAL")
}

/// A loader: what it reads is saved and read again, the same; bytes taken.
type Loader = fn(&[u8], &Context) -> Result<usize, FormatError>;

fn public<T: Load + Save + PartialEq + Debug>(bytes: &[u8], context: &Context) -> Result<usize, FormatError> {
    let (object, taken) = T::load(bytes, context)?;
    assert!(taken <= bytes.len());
    let saved = object.save(Compression::None)?;
    assert_eq!(saved.len(), object.saved_len());
    assert_eq!(T::load(&saved, context), Ok((object, saved.len())));
    Ok(taken)
}

fn secret(bytes: &[u8], context: &Context) -> Result<usize, FormatError> {
    let (key, taken) = SecretKey::load(bytes, context)?;
    let saved = key.save(Compression::None)?;
    assert_eq!(SecretKey::load(&saved, context), Ok((key, saved.len())));
    Ok(taken)
}

fn parameters(bytes: &[u8], _: &Context) -> Result<usize, FormatError> {
    let (object, taken) = EncryptionParameters::load(bytes, Reader::Known)?;
    let saved = object.save(Compression::None)?;
    assert_eq!(EncryptionParameters::load(&saved, Reader::Known)?, (object.clone(), saved.len()));
    // Whatever was read, a context is made or refused.
    let _ = Context::new(object);
    Ok(taken)
}

/// Every loader with uncompressed files that it reads.
const LOADERS: [(&str, Loader, &[&[u8]]); 7] = [
    ("parameters", parameters, &[seal!("parameters.none")]),
    ("plaintext", public::<Plaintext>, &[seal!("plaintext.none")]),
    (
        "ciphertext",
        public::<Ciphertext>,
        &[
            seal!("ciphertext.none"),
            seal!("ciphertext_of_three.none"),
            seal!("ciphertext_seeded.none"),
            seal!("ciphertext_seeded.v3_5"),
            seal!("ciphertext_seeded.v3_4"),
        ],
    ),
    ("secret_key", secret, &[seal!("secret_key.none")]),
    ("public_key", public::<PublicKey>, &[seal!("public_key.none"), seal!("public_key_seeded.none")]),
    ("relin_keys", public::<RelinKeys>, &[seal!("relin_keys.none"), seal!("relin_keys_seeded.none")]),
    ("galois_keys", public::<GaloisKeys>, &[seal!("galois_keys.none"), seal!("galois_keys_seeded.none")]),
];

#[test]
fn files_cut_anywhere_are_refused() {
    let context = context();
    for (name, load, files) in LOADERS {
        for file in files {
            assert_eq!(load(file, &context), Ok(file.len()), "{name}");
            for length in 0..file.len() {
                assert!(load(&file[..length], &context).is_err(), "{name} cut to {length}");
            }
        }
    }
    for (name, load, file) in [
        ("ciphertext", public::<Ciphertext> as Loader, seal!("ciphertext.zlib")),
        ("ciphertext", public::<Ciphertext>, seal!("ciphertext.zstd")),
        ("secret_key", secret, seal!("secret_key.zstd")),
        ("relin_keys", public::<RelinKeys>, seal!("relin_keys.zlib")),
    ] {
        for length in 0..file.len() {
            assert!(load(&file[..length], &context).is_err(), "{name} cut to {length}");
            // The same with a header that says so.
            let mut cut = file[..length.max(Header::LEN)].to_vec();
            let size = cut.len() as u64;
            cut[8..16].copy_from_slice(&size.to_le_bytes());
            assert!(load(&cut, &context).is_err(), "{name} of {length} bytes");
        }
    }
}

/// A flipped bit is noticed unless it stands where SEAL does not look (two reserved bytes in every header, versions that are read) or
/// changes a residue, the scale or a seed to another valid one.
#[test]
fn flipped_bits_are_refused_or_read() {
    let context = context();
    for (name, load, files) in LOADERS {
        for file in files {
            for bit in 0..8 * file.len().min(700) {
                let mut flipped = file.to_vec();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let read = load(&flipped, &context);
                let in_header = bit / 8 < Header::LEN && ![3, 4, 6, 7].contains(&(bit / 8));
                assert!(!in_header || read.is_err(), "{name}, bit {bit}");
            }
        }
    }
}

/// A zlib stream ends in a sum of what it holds; a few bits of it mean nothing. A frame of SEAL's zstd has no sum.
#[test]
fn flipped_bits_of_a_zlib_stream_change_nothing() {
    let (context, file) = (context(), seal!("ciphertext.zlib"));
    let whole = Ciphertext::load(file, &context);
    let mut read = 0;
    for bit in 8 * Header::LEN..8 * file.len() {
        let mut flipped = file.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = Ciphertext::load(&flipped, &context);
        assert!(flipped.is_err() || flipped == whole, "bit {bit}");
        read += usize::from(flipped.is_ok());
    }
    assert!(read < file.len() / 100, "{read} of {} bits mean nothing", 8 * file.len());
}

/// Every eight bytes that could be a length, made large.
#[test]
fn inflated_lengths_are_refused() {
    let context = context();
    for (name, load, files) in LOADERS {
        for file in files {
            for at in 0..file.len().min(300) - 8 {
                for value in [1u64 << 20, 1 << 32, 1 << 40, 1 << 63, u64::MAX] {
                    let mut inflated = file.to_vec();
                    inflated[at..at + 8].copy_from_slice(&value.to_le_bytes());
                    if let Ok(taken) = load(&inflated, &context) {
                        assert_eq!(taken, file.len(), "{name} at {at}");
                    }
                }
            }
        }
    }
}

#[test]
fn mutations_are_refused_or_read() {
    let context = context();
    let (mut read, mut refused) = (0, 0);
    for (_, load, files) in LOADERS {
        for file in files {
            for number in 0..500 {
                match load(&mutate(file, number).bytes, &context) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 100 && refused > 5 * read, "{read} read, {refused} refused");
    assert_eq!(mutate(seal!("ciphertext.none"), 7), mutate(seal!("ciphertext.none"), 7));
}

/// What the fuzz targets kept: one file for each branch they found.
#[test]
fn the_kept_corpus_is_refused_or_read() {
    let folder = option_env!("CARGO_MANIFEST_DIR").map_or("bindings/seal/format".into(), PathBuf::from);
    let context = context();
    for (name, load, _) in LOADERS {
        let files = fs::read_dir(folder.join("fuzz/corpus").join(name)).expect("a corpus");
        let results: Vec<bool> =
            files.map(|file| load(&fs::read(file.expect("a file").path()).expect("bytes"), &context).is_ok()).collect();
        assert!(results.contains(&true) && results.contains(&false), "{name}: {results:?}");
    }
}

/// Residues below their primes.
fn residues(context: &Context, rows: usize, primes: &[u64]) -> impl Strategy<Value = Vec<u64>> + use<> {
    let (degree, primes) = (context.degree(), primes.to_vec());
    prop::collection::vec(any::<u64>(), rows * degree).prop_map(move |mut words| {
        for (row, words) in words.chunks_mut(degree).enumerate() {
            let q = primes[row % primes.len()];
            // The largest too.
            words.iter_mut().for_each(|word| *word = if *word % 7 == 0 { q - 1 } else { *word % q });
        }
        words
    })
}

fn compression() -> impl Strategy<Value = Compression> {
    prop::sample::select(Compression::ALL.to_vec())
}

fn ciphertexts() -> impl Strategy<Value = Ciphertext> {
    (0usize..=2, 2usize..=16, any::<bool>(), 1e-300f64..1e300, any::<[u64; 8]>(), any::<bool>()).prop_flat_map(
        |(below, size, is_ntt_form, scale, seed, shake)| {
            let context = context();
            let primes = 2 - below.min(1);
            let metadata = CiphertextMetadata {
                parms_id: context.parms_id(primes).expect("a level"),
                is_ntt_form,
                size: if below == 2 { 2 } else { size },
                scale,
            };
            let rows = if below == 2 { primes } else { size * primes };
            residues(&context, rows, context.primes_at(primes)).prop_map(move |words| {
                let generator = if shake { Generator::Shake256 } else { Generator::Blake2xb };
                match below {
                    2 => Ciphertext::seeded(&context, metadata, words, Seed { generator, words: seed }),
                    _ => Ciphertext::new(&context, metadata, words),
                }
                .expect("residues")
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn ciphertexts_come_back(ciphertext in ciphertexts(), compression in compression(), minor in 0u8..=4) {
        let saved = ciphertext.save_for(compression, minor).expect("memory");
        let header = Header::read(&saved, Reader::Known).expect("a header");
        prop_assert_eq!((header.version.minor, header.size), (minor, saved.len() as u64));
        prop_assert_eq!(Ciphertext::load(&saved, &context()), Ok((ciphertext, saved.len())));
    }

    #[test]
    fn plaintexts_come_back(words in residues(&context(), 2, context().primes_at(2)), scale in 1e-9f64..1e99, compression in compression()) {
        let context = context();
        let plaintext = Plaintext::new(&context, context.first_parms_id(), scale, words.clone()).expect("residues");
        prop_assert_eq!(plaintext.words(), &words);
        let saved = plaintext.save(compression).expect("memory");
        prop_assert_eq!(Plaintext::load(&saved, &context), Ok((plaintext, saved.len())));
    }

    #[test]
    fn keys_come_back(words in residues(&context(), 6, context().primes()), compression in compression(), at in 0usize..64) {
        let context = context();
        let secret = SecretKey::new(&context, words[..3 * 64].to_vec()).expect("residues");
        let saved = secret.save(compression).expect("memory");
        prop_assert_eq!(SecretKey::load(&saved, &context), Ok((secret, saved.len())));
        let public = PublicKey::new(&context, words).expect("residues");
        let saved = public.save(compression).expect("memory");
        prop_assert_eq!(PublicKey::load(&saved, &context), Ok((public.clone(), saved.len())));
        let key = vec![public.clone(), public];
        let relin = RelinKeys::new(&context, vec![key.clone(), Vec::new(), key.clone()]).expect("keys");
        let saved = relin.save(compression).expect("memory");
        prop_assert_eq!(relin.key(4), Some(&key[..]));
        // Compressed, keys that are not uniform are smaller than keys can be.
        if compression == Compression::None {
            prop_assert_eq!(RelinKeys::load(&saved, &context), Ok((relin, saved.len())));
        }
        let mut places = vec![Vec::new(); 64];
        places[at] = key;
        let galois = GaloisKeys::new(&context, places).expect("keys");
        prop_assert_eq!(galois.elements().collect::<Vec<_>>(), [2 * at as u32 + 1]);
        let saved = galois.save(Compression::None).expect("memory");
        prop_assert_eq!(GaloisKeys::load(&saved, &context), Ok((galois, saved.len())));
    }

    #[test]
    fn anything_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300), mode in 0u8..3) {
        let context = context();
        let mut file = vec![0x5e, 0xa1, 16, 4, 1, mode, 0, 0];
        file.extend((bytes.len() as u64 + 16).to_le_bytes());
        file.extend(&bytes);
        for (_, load, _) in LOADERS {
            let _ = load(&bytes, &context);
            let _ = load(&file, &context);
        }
    }
}
