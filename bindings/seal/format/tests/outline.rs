//! What files look like without their parameters: every kind that SEAL wrote is told from the others.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod mutation;

use mutation::mutate;
use seal_format::{Compression, Context, EncryptionParameters, FormatError, Header, Outline, Reader, Version};

macro_rules! seal {
    ($name:expr) => {
        include_bytes!(concat!("../testdata/", $name, ".seal")).as_slice()
    };
}

/// One object in the three modes.
macro_rules! modes {
    ($name:literal) => {
        [seal!(concat!($name, ".none")), seal!(concat!($name, ".zlib")), seal!(concat!($name, ".zstd"))]
    };
}

/// The same in all three modes.
fn outline(files: [&[u8]; 3]) -> Outline {
    let [a, b, c] = files.map(|file| {
        let (outline, taken) = Outline::read(file, Reader::Known).expect("what SEAL saved");
        assert_eq!(taken, file.len());
        // What follows is left alone.
        assert_eq!(Outline::read(&[file, b"more"].concat(), Reader::Known), Ok((outline.clone(), taken)));
        outline
    });
    assert_eq!((&a, &b), (&b, &c));
    a
}

#[test]
fn every_kind_is_told_from_the_others() {
    let Outline::Parameters(parameters) = outline(modes!("parameters")) else { panic!("no parameters") };
    let context = Context::new(parameters).expect("a context");
    let (first, key) = (context.first_parms_id(), context.key_parms_id());
    let scale = 1073741824.0;
    let found = outline(modes!("plaintext"));
    assert_eq!(found, Outline::Plaintext { parms_id: first, coeff_count: 128, scale });
    let found = outline(modes!("secret_key"));
    assert_eq!(found, Outline::Plaintext { parms_id: key, coeff_count: 192, scale: 1.0 });
    let ciphertext = |parms_id, size, primes, scale, seeded| Outline::Ciphertext {
        parms_id,
        is_ntt_form: true,
        size,
        degree: 64,
        primes,
        scale,
        seeded,
    };
    assert_eq!(outline(modes!("ciphertext")), ciphertext(first, 2, 2, scale, false));
    assert_eq!(outline(modes!("ciphertext_seeded")), ciphertext(first, 2, 2, scale, true));
    assert_eq!(outline(modes!("ciphertext_of_three")), ciphertext(first, 3, 2, scale * scale, false));
    assert_eq!(outline(modes!("public_key")), ciphertext(key, 2, 3, 1.0, false));
    assert_eq!(outline(modes!("public_key_seeded")), ciphertext(key, 2, 3, 1.0, true));
    let keys = |places, taken| Outline::Keys { parms_id: key, places, taken, components: 2 };
    for found in [modes!("relin_keys"), modes!("relin_keys_seeded")] {
        assert_eq!(outline(found), keys(1, vec![0]));
    }
    for found in [modes!("galois_keys"), modes!("galois_keys_seeded")] {
        assert_eq!(outline(found), keys(64, vec![1, 63]));
    }
    for old in [seal!("ciphertext_seeded.v3_4"), seal!("ciphertext_seeded.v3_5"), seal!("ciphertext_seeded.v3_7")] {
        let (found, _) = Outline::read(old, Reader::Known).expect("a file of SEAL 3");
        assert_eq!(found, ciphertext(first, 2, 2, scale, true));
    }
}

#[test]
fn what_is_no_object_is_refused() {
    let error = Outline::read(b"an honest text, not more", Reader::Known).expect_err("a text");
    assert!(matches!(error, FormatError::Magic { .. }), "{error}");
    let file = seal!("galois_keys.none");
    for length in 0..file.len() {
        assert!(Outline::read(&file[..length], Reader::Known).is_err(), "{length} bytes");
    }
    let mut places = file.to_vec();
    places[16 + 32..16 + 40].copy_from_slice(&(1u64 << 40).to_le_bytes());
    let error = Outline::read(&places, Reader::Known).expect_err("too many places");
    assert_eq!(error, FormatError::Range { field: "keys_dim1", found: 1 << 40, min: 0, max: 131_072 });
    for number in 0..2000 {
        for file in [file, seal!("ciphertext_seeded.none"), seal!("plaintext.none"), seal!("parameters.none")] {
            let _ = Outline::read(&mutate(file, number).bytes, Reader::Known);
        }
    }
    // BFV: of parameters the first byte alone is read as something else.
    let mut bfv = seal!("parameters.none").to_vec();
    bfv[16] = 1;
    assert_eq!(EncryptionParameters::load(&bfv, Reader::Known), Err(FormatError::Scheme { found: 1 }));
    assert!(Outline::read(&bfv, Reader::Known).is_err());
}

/// A few kilobytes that stand for gigabytes inside a key are not decompressed to be thrown away; nor is a set whose places are all full of nothing.
#[test]
fn no_more_is_decompressed_than_keys_can_be() {
    let mut front = [0; 32 + 8].to_vec();
    front[32] = 1;
    front.extend(1u64.to_le_bytes());
    let mut component = Header { version: Version::DEFAULT, compression: Compression::None, size: 1 << 30 }.to_bytes();
    let zeros = vec![0; 1 << 24];
    for (size, reads) in [(1 << 30, false), (1 << 24, false), (1 << 16, true)] {
        component[8..].copy_from_slice(&u64::to_le_bytes(size));
        let fields = [&front[..], &component, &zeros].concat();
        for (compression, packed) in [
            (Compression::Zlib, {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                std::io::Write::write_all(&mut encoder, &fields).expect("memory");
                encoder.finish().expect("memory")
            }),
            (Compression::Zstd, zstd::bulk::compress(&fields, 3).expect("memory")),
        ] {
            let length = Header::LEN + packed.len();
            let header = Header { version: Version::DEFAULT, compression, size: length as u64 };
            let found = Outline::read(&[&header.to_bytes(), &packed[..]].concat(), Reader::Known);
            match found {
                Ok((Outline::Keys { taken, .. }, _)) if reads => assert_eq!(taken, [0]),
                Err(FormatError::Inflated { found, input, bound }) if !reads => {
                    assert_eq!(input, length as u64);
                    assert_eq!((found, bound), (size + front.len() as u64, 32 * input + (1 << 20)));
                }
                other => panic!("{compression} of {size} bytes: {other:?}"),
            }
        }
    }
}

/// What the fuzz target kept: everything is refused or read, and what was read is the same without what follows.
#[test]
fn the_kept_corpus_is_refused_or_read() {
    let folder = option_env!("CARGO_MANIFEST_DIR").map_or("bindings/seal/format".into(), std::path::PathBuf::from);
    let (mut read, mut refused) = (0, 0);
    for file in std::fs::read_dir(folder.join("fuzz/corpus/outline")).expect("a corpus") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("bytes");
        match Outline::read(&bytes, Reader::Known) {
            Ok((outline, taken)) => {
                // Compared as text, for a scale may be no number.
                let again =
                    Outline::read(&bytes[..taken], Reader::Known).map(|(again, taken)| format!("{again:?} {taken}"));
                assert_eq!(again, Ok(format!("{outline:?} {taken}")));
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(read > 5 && refused > 5, "{read} read, {refused} refused");
}
