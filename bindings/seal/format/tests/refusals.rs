//! Every way to be refused, once, with what the message shows.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use seal_format::{
    Ciphertext, CiphertextMetadata, Compression, Context, EncryptionParameters, FormatError, GaloisKeys, Generator,
    Header, Load, ParmsId, Plaintext, PublicKey, Reader, RelinKeys, Save, SecretKey, Seed, Version,
};

macro_rules! seal {
    ($name:literal) => {
        include_bytes!(concat!("../testdata/", $name, ".seal")).as_slice()
    };
}

/// N = 64; of 60, 30 and 41 bits.
const PRIMES: [u64; 3] = [1152921504606844417, 1073741441, 2199023254913];

fn context() -> Context {
    Context::new(EncryptionParameters::new(64, PRIMES.to_vec()).expect("parameters")).expect("a context")
}

/// `bytes` with others from `at` on.
fn with(bytes: &[u8], at: usize, others: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + others.len()].copy_from_slice(others);
    bytes
}

fn with_u64(bytes: &[u8], at: usize, word: u64) -> Vec<u8> {
    with(bytes, at, &word.to_le_bytes())
}

fn ciphertext(bytes: &[u8]) -> FormatError {
    Ciphertext::load(bytes, &context()).expect_err("a refusal")
}

fn parameters(bytes: &[u8]) -> FormatError {
    EncryptionParameters::load(bytes, Reader::Known).expect_err("a refusal")
}

/// The error, and what it says.
fn says(found: FormatError, expected: FormatError, text: &str) {
    assert_eq!(found, expected);
    assert_eq!(found.to_string(), text);
}

#[test]
fn headers() {
    let file = seal!("ciphertext.none");
    says(
        ciphertext(&file[..15]),
        FormatError::Truncated { field: "header", expected: 16, found: 15 },
        "header needs 16 bytes, 15 are left",
    );
    says(
        ciphertext(&with(file, 0, &[0x5f])),
        FormatError::Magic { found: 0xa15f },
        "magic number is 0xa15f, expected 0xa15e",
    );
    says(ciphertext(&with(file, 2, &[17])), FormatError::HeaderSize { found: 17 }, "header size is 17, expected 16");
    for (major, minor) in [(2, 9), (3, 3), (4, 5), (5, 0)] {
        let found = Version { major, minor };
        says(
            ciphertext(&with(file, 3, &[major, minor])),
            FormatError::Version { found, reader: Reader::Known },
            &format!("written by version {major}.{minor}, expected 3.4 to 4.4"),
        );
    }
    says(
        ciphertext(&with(file, 5, &[3])),
        FormatError::CompressionMode { found: 3 },
        "compression mode is 3, expected 0 (none), 1 (zlib) or 2 (zstd)",
    );
    says(
        ciphertext(&with_u64(file, 8, 2160)),
        FormatError::ObjectSize { field: "Ciphertext", found: 2160, expected: 2161 },
        "size in the header of Ciphertext is 2160, the object takes 2161 bytes",
    );
    // The reserved bytes are not looked at, by SEAL neither.
    assert!(Ciphertext::load(&with(file, 6, &[1, 2]), &context()).is_ok());
}

/// SEAL 4.0 to 4.3 read their own minor alone, 4.4 all up to its own; both 3.4 and later.
#[test]
fn versions() {
    let reads = |minor, major, other| Reader::Seal4 { minor }.reads(Version { major, minor: other });
    assert!(
        reads(1, 4, 1) && !reads(1, 4, 0) && !reads(1, 4, 2) && reads(1, 3, 4) && reads(1, 3, 7) && !reads(1, 3, 3)
    );
    assert!(reads(4, 4, 0) && reads(4, 4, 4) && !reads(4, 4, 5) && !reads(4, 5, 0) && !reads(4, 2, 3));
    let context = context().with_reader(Reader::Seal4 { minor: 1 });
    assert!(Ciphertext::load(seal!("ciphertext.none"), &context).is_ok());
    let (ciphertext, _) = Ciphertext::load(seal!("ciphertext.none"), &context).expect("what SEAL saved");
    let later = ciphertext.save_for(Compression::Zstd, 2).expect("memory");
    assert_eq!(
        Ciphertext::load(&later, &context).expect_err("a refusal").to_string(),
        "written by version 4.2, expected what SEAL 4.1 reads"
    );
    let found = Version { major: 4, minor: 5 };
    assert_eq!(ciphertext.save_for(Compression::None, 5), Err(FormatError::Version { found, reader: Reader::Known }));
    // Headers inside are judged too.
    let inside = with(seal!("ciphertext.none"), 16 + 73 + 4, &[2]);
    assert!(matches!(Ciphertext::load(&inside, &context), Err(FormatError::Version { .. })));
}

#[test]
fn envelopes() {
    says(
        ciphertext(&with(seal!("ciphertext.none"), 16 + 73 + 5, &[2])),
        FormatError::NestedCompression { field: "data", found: Compression::Zstd },
        "data inside another object has compression zstd, expected none",
    );
    let (zlib, zstd) = (seal!("ciphertext.zlib"), seal!("ciphertext.zstd"));
    assert_eq!(
        ciphertext(&with_u64(zlib, 8, 15)),
        FormatError::ObjectSize { field: "Ciphertext", found: 15, expected: 16 }
    );
    assert_eq!(
        ciphertext(&with_u64(zlib, 8, 1 << 40)),
        FormatError::Truncated { field: "Ciphertext", expected: 1 << 40, found: zlib.len() as u64 }
    );
    // Neither end nor sum; one byte too many behind the end; not a stream at all.
    for (file, text) in [
        (
            with_u64(zlib, 8, zlib.len() as u64 - 4),
            "zlib stream at Ciphertext: the stream has no end, expected one after 2145 bytes",
        ),
        (
            with_u64(&[zlib, &[0]].concat(), 8, zlib.len() as u64 + 1),
            "zlib stream at Ciphertext: 1 bytes follow its end, expected none",
        ),
        (with(zlib, 16, &[0, 0]), "zlib stream at parms_id: deflate decompression error"),
    ] {
        assert!(ciphertext(&file).to_string().starts_with(text), "{}", ciphertext(&file));
    }
    for file in [
        with_u64(zstd, 8, zstd.len() as u64 - 1),
        with(zstd, 16, &[0]),
        with_u64(&[zstd, &[1]].concat(), 8, zstd.len() as u64 + 1),
    ] {
        let error = ciphertext(&file);
        assert!(matches!(error, FormatError::Decompression { compression: Compression::Zstd, .. }), "{error}");
    }
}

#[test]
fn encryption_parameters() {
    let file = seal!("parameters.none");
    for (scheme, name) in [(0, "none"), (1, "bfv"), (3, "bgv"), (9, "unknown")] {
        says(
            parameters(&with(file, 16, &[scheme])),
            FormatError::Scheme { found: scheme },
            &format!("scheme is {scheme} ({name}), expected 2 (ckks)"),
        );
    }
    says(
        parameters(&with_u64(file, 17, 131_073)),
        FormatError::Range { field: "poly_modulus_degree", found: 131_073, min: 0, max: 131_072 },
        "poly_modulus_degree is 131073, expected 0 to 131072",
    );
    for count in [0, 257, u64::MAX] {
        assert_eq!(
            parameters(&with_u64(file, 25, count)),
            FormatError::Range { field: "coeff_modulus_size", found: count, min: 1, max: 256 }
        );
    }
    for found in [1, 1 << 61] {
        says(
            parameters(&with_u64(file, 33 + 24 + 16, found)),
            FormatError::Modulus { index: 1, found, expected: "0 or a number from 2 to 2^61 - 1" },
            &format!("coeff_modulus[1] is {found}, expected 0 or a number from 2 to 2^61 - 1"),
        );
    }
    says(
        parameters(&with_u64(file, 33 + 3 * 24 + 16, 65537)),
        FormatError::Count { field: "plain_modulus", found: 65537, expected: 0 },
        "plain_modulus is 65537, expected 0",
    );
}

#[test]
fn contexts() {
    let refused = |degree, primes: &[u64]| {
        Context::new(EncryptionParameters::new(degree, primes.to_vec()).expect("parameters")).expect_err("a refusal")
    };
    for found in [0, 1] {
        assert_eq!(
            refused(found, &PRIMES),
            FormatError::Range { field: "poly_modulus_degree", found, min: 2, max: u64::MAX }
        );
    }
    says(refused(96, &PRIMES), FormatError::Degree { found: 96 }, "poly_modulus_degree is 96, expected a power of two");
    for (prime, expected) in [
        (0, "a prime of 2 to 60 bits"),
        ((1 << 60) + 1, "a prime of 2 to 60 bits"),
        (1_073_741_789, "a prime that is 1 modulo 2 * poly_modulus_degree"),
        (129, "a prime"),
        (PRIMES[0], "a prime that is not among those before"),
    ] {
        assert_eq!(refused(64, &[PRIMES[0], prime]), FormatError::Modulus { index: 1, found: prime, expected });
    }
}

#[test]
fn ciphertexts() {
    let (context, file) = (context(), seal!("ciphertext.none"));
    let (unknown, first) = (ParmsId::from_words([1, 2, 3, 4]), context.first_parms_id());
    let id = |id: ParmsId| id.words().iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    says(
        ciphertext(&with(file, 16, &id(unknown))),
        FormatError::UnknownParmsId { field: "Ciphertext", found: unknown, first },
        &format!(
            "parms_id of Ciphertext is 0000000000000001 0000000000000002 0000000000000003 0000000000000004, which no level of these \
             parameters has, expected {first} or that of a lower level"
        ),
    );
    let key_level = context.key_parms_id();
    let error = ciphertext(&with(file, 16, &id(key_level)));
    says(
        error,
        FormatError::KeyLevel { field: "Ciphertext", found: key_level, first },
        &format!(
            "parms_id of Ciphertext is {key_level}, which is for keys alone, expected {first} or that of a lower level"
        ),
    );
    assert_eq!(
        ciphertext(&with(file, 48, &[2])),
        FormatError::Range { field: "is_ntt_form", found: 2, min: 0, max: 1 }
    );
    assert_eq!(ciphertext(&with_u64(file, 49, 1)), FormatError::Range { field: "size", found: 1, min: 2, max: 16 });
    assert_eq!(ciphertext(&with_u64(file, 49, 17)), FormatError::Range { field: "size", found: 17, min: 0, max: 16 });
    for (at, field, found, expected) in [
        (57, "poly_modulus_degree", 128, 64),
        (65, "coeff_modulus_size", 3, 2),
        (81, "correction_factor", 2, 1),
        (16 + 73 + 16, "data size", 255, 256),
        (49, "data size", 256, 384),
    ] {
        let value = if field == "data size" && at == 49 { 3 } else { found };
        says(
            ciphertext(&with_u64(file, at, value)),
            FormatError::Count { field, found, expected },
            &format!("{field} is {found}, expected {expected}"),
        );
    }
    for scale in [0.0, -1.0, f64::INFINITY] {
        says(
            ciphertext(&with(file, 73, &scale.to_le_bytes())),
            FormatError::Scale { field: "Ciphertext", found: scale },
            &format!("scale of Ciphertext is {scale}, expected a positive number"),
        );
    }
    assert!(matches!(ciphertext(&with(file, 73, &f64::NAN.to_le_bytes())), FormatError::Scale { .. }));
    // Word 5 of row 1 of polynomial 1.
    let words = 16 + 73 + 24;
    says(
        ciphertext(&with_u64(file, words + 8 * (3 * 64 + 5), PRIMES[1])),
        FormatError::Residue {
            field: "Ciphertext",
            polynomial: 1,
            limb: 1,
            position: 5,
            found: PRIMES[1],
            prime: PRIMES[1],
        },
        "Ciphertext: residue 5 of polynomial 1 modulo prime 1 is 1073741441, expected below 1073741441",
    );
    for large in [PRIMES[0], 1 << 63, u64::MAX] {
        let error = ciphertext(&with_u64(file, words, large));
        assert!(matches!(error, FormatError::Residue { polynomial: 0, limb: 0, position: 0, .. }), "{error}");
    }
    let seeded = seal!("ciphertext_seeded.none");
    for found in [0, 3] {
        says(
            ciphertext(&with(seeded, seeded.len() - 65, &[found])),
            FormatError::Generator { found },
            &format!("prng_type is {found}, expected 1 (blake2xb) or 2 (shake256)"),
        );
    }
    // What SEAL holds in memory before anything is written into it.
    let metadata = CiphertextMetadata { parms_id: context.first_parms_id(), is_ntt_form: true, size: 0, scale: 1.0 };
    let empty = Ciphertext::new(&context, metadata, Vec::new()).expect("an empty ciphertext");
    let saved = empty.save(Compression::Zstd).expect("memory");
    assert_eq!(Ciphertext::load(&saved, &context), Ok((empty, saved.len())));
    let seed = Seed { generator: Generator::Blake2xb, words: [0; 8] };
    let of_three = CiphertextMetadata { size: 3, ..metadata };
    assert_eq!(
        Ciphertext::seeded(&context, of_three, vec![0; 128], seed),
        Err(FormatError::Count { field: "size", found: 3, expected: 2 })
    );
}

#[test]
fn plaintexts_and_secret_keys() {
    let (context, plaintext, secret) = (context(), seal!("plaintext.none"), seal!("secret_key.none"));
    let refused = |bytes: &[u8]| Plaintext::load(bytes, &context).expect_err("a refusal");
    let (key_level, first) = (context.key_parms_id(), context.first_parms_id());
    assert_eq!(refused(secret), FormatError::KeyLevel { field: "Plaintext", found: key_level, first });
    assert_eq!(
        refused(&with_u64(plaintext, 48, 127)),
        FormatError::Count { field: "coeff_count", found: 127, expected: 128 }
    );
    assert_eq!(
        refused(&with_u64(plaintext, 64 + 16, 127)),
        FormatError::Count { field: "data size", found: 127, expected: 128 }
    );
    // In CKKS a plaintext that is not in NTT form is empty.
    assert_eq!(
        refused(&with(plaintext, 16, &[0; 32])),
        FormatError::Count { field: "coeff_count", found: 128, expected: 0 }
    );
    let empty = Plaintext::new(&context, ParmsId::ZERO, 1.0, Vec::new()).expect("SEAL's empty plaintext");
    let saved = empty.save(Compression::None).expect("memory");
    assert_eq!(Plaintext::load(&saved, &context), Ok((empty, saved.len())));
    assert!(matches!(refused(&with_u64(plaintext, 88, PRIMES[0])), FormatError::Residue { field: "Plaintext", .. }));

    let refused = |bytes: &[u8]| SecretKey::load(bytes, &context).expect_err("a refusal");
    says(
        refused(plaintext),
        FormatError::NotKeyLevel { field: "SecretKey", found: first, expected: key_level },
        &format!("parms_id of SecretKey is {first}, expected {key_level}, the one of all primes"),
    );
    // Neither the word nor its place is told.
    says(
        refused(&with_u64(secret, 88 + 8 * 70, u64::MAX)),
        FormatError::SecretResidue { field: "SecretKey", limb: 1, prime: PRIMES[1] },
        "SecretKey: a residue modulo prime 1 is not below 1073741441",
    );
    let (secret, _) = SecretKey::load(secret, &context).expect("a secret key of SEAL");
    assert_eq!(format!("{secret:?}"), "SecretKey { .. }");
    let (plaintext, _) = Plaintext::load(plaintext, &context).expect("a plaintext of SEAL");
    assert!(!format!("{plaintext:?}").contains(&plaintext.words()[0].to_string()));
}

#[test]
fn keys() {
    let context = context();
    let (key_level, first) = (context.key_parms_id(), context.first_parms_id());
    let public = seal!("public_key.none");
    let refused = |bytes: &[u8]| PublicKey::load(bytes, &context).expect_err("a refusal");
    assert_eq!(
        refused(seal!("ciphertext.none")),
        FormatError::NotKeyLevel { field: "PublicKey", found: first, expected: key_level }
    );
    assert_eq!(refused(&with(public, 48, &[0])), FormatError::Count { field: "is_ntt_form", found: 0, expected: 1 });
    assert_eq!(refused(&with_u64(public, 49, 3)), FormatError::Count { field: "size", found: 3, expected: 2 });

    let relin = seal!("relin_keys.none");
    let refused = |bytes: &[u8]| RelinKeys::load(bytes, &context).expect_err("a refusal");
    assert!(matches!(refused(&with(relin, 16, &[1])), FormatError::NotKeyLevel { field: "RelinKeys", .. }));
    assert_eq!(
        refused(&with_u64(relin, 48, 15)),
        FormatError::Range { field: "keys_dim1", found: 15, min: 0, max: 14 }
    );
    assert_eq!(refused(&with_u64(relin, 56, 1)), FormatError::Count { field: "keys_dim2", found: 1, expected: 2 });
    // Component 1 begins 16 + 32 + 8 + 8 + 3185 bytes into the file; its scale stands 73 bytes into it.
    let broken = refused(&with(relin, 64 + 3185 + 73, &[0; 8]));
    says(
        broken,
        FormatError::Key {
            index: 0,
            component: 1,
            source: Box::new(FormatError::Scale { field: "PublicKey", found: 0.0 }),
        },
        "keys[0][1]: scale of PublicKey is 0, expected a positive number",
    );
    let galois = seal!("galois_keys.none");
    assert_eq!(
        GaloisKeys::load(&with_u64(galois, 48, 65), &context),
        Err(FormatError::Range { field: "keys_dim1", found: 65, min: 0, max: 64 })
    );
    // A key of other parameters.
    let other =
        Context::new(EncryptionParameters::new(64, PRIMES[..2].to_vec()).expect("parameters")).expect("a context");
    let foreign = PublicKey::new(&other, vec![0; 2 * 2 * 64]).expect("a key");
    let error = RelinKeys::new(&context, vec![vec![foreign.clone(), foreign]]).expect_err("a refusal");
    assert!(matches!(error, FormatError::Key { index: 0, component: 0, .. }), "{error}");
}

/// A bomb: keys of zeros, a file of 250 bytes that stands for megabytes. Uniform residues of these primes take at least 29 bits of 64.
#[test]
fn bombs() {
    let context = context();
    let key = PublicKey::new(&context, vec![0; 2 * 3 * 64]).expect("a key");
    let keys = GaloisKeys::new(&context, vec![vec![key.clone(), key]; 64]).expect("keys");
    for compression in [Compression::Zlib, Compression::Zstd] {
        let bomb = keys.save(compression).expect("memory");
        assert!(bomb.len() < keys.saved_len() / 100, "{compression}: {} bytes", bomb.len());
        let input = bomb.len() as u64;
        let bound = input * 128 / 29 + 2 * 3 * 64 * 8;
        let found = (bound / 3072 + 1) * 3072;
        says(
            GaloisKeys::load(&bomb, &context).expect_err("a refusal"),
            FormatError::Inflated { found, input, bound },
            &format!("keys of {found} bytes out of an input of {input}, expected at most {bound}"),
        );
    }
    let whole = keys.save(Compression::None).expect("memory");
    assert_eq!(GaloisKeys::load(&whole, &context), Ok((keys, whole.len())));
    // Behind an object nothing is decompressed.
    let (ciphertext, _) = Ciphertext::load(seal!("ciphertext.none"), &context).expect("a ciphertext of SEAL");
    let fields = [&ciphertext.save(Compression::None).expect("memory")[Header::LEN..], &vec![0; 1 << 24]].concat();
    let mut zlib = flate2::write::ZlibEncoder::new(vec![0; Header::LEN], flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, &fields).expect("memory");
    let zlib = zlib.finish().expect("memory");
    let zstd = [vec![0; Header::LEN], zstd::bulk::compress(&fields, 3).expect("memory")].concat();
    for (mut bomb, compression) in [(zlib, Compression::Zlib), (zstd, Compression::Zstd)] {
        let header = Header { version: Version::DEFAULT, compression, size: bomb.len() as u64 };
        bomb[..Header::LEN].copy_from_slice(&header.to_bytes());
        assert_eq!(
            Ciphertext::load(&bomb, &context).expect_err("a refusal").to_string(),
            format!("{compression} stream at Ciphertext: more bytes than the 2145 of the object's fields")
        );
    }
    // A frame that wants more memory behind it than SEAL's ever do.
    let mut encoder = zstd::Encoder::new(vec![0; Header::LEN], 3).expect("memory");
    encoder.window_log(27).expect("a window");
    std::io::Write::write_all(&mut encoder, &fields).expect("memory");
    let mut wide = encoder.finish().expect("memory");
    let header = Header { version: Version::DEFAULT, compression: Compression::Zstd, size: wide.len() as u64 };
    wide[..Header::LEN].copy_from_slice(&header.to_bytes());
    let error = Ciphertext::load(&wide, &context).expect_err("a refusal");
    assert!(error.to_string().contains("memory"), "{error}");
}
