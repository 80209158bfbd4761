//! What is not an object of these parameters is refused, whatever it is.

use std::io::{self, Read};

use he_params::ParamsError;
use he_ring::RingError;
use proptest::prelude::*;

use super::*;
use crate::wire::envelope::checksum;
use crate::wire::{
    CHECKSUM_LEN, Envelope, HEADER_LEN, MAX_PARAMS_BODY, expect_end_of_stream, params_from_bytes, params_to_bytes,
    read_params, tensor_len,
};

fn sample_bytes() -> (Context, Vec<u8>) {
    let context = context();
    let bytes = Sample::new(&context).to_bytes(&context).unwrap();
    (context, bytes)
}

/// The same object with a checksum that fits: what a stranger, not an accident, would send.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - CHECKSUM_LEN;
    let sum = checksum(&bytes[..HEADER_LEN], &bytes[HEADER_LEN..end]);
    bytes[end..].copy_from_slice(&sum);
    bytes
}

fn read(context: &Context, bytes: &[u8]) -> Result<Sample, WireError> {
    Sample::from_bytes(context, bytes)
}

#[test]
fn every_flipped_bit_is_found() {
    let (context, bytes) = sample_bytes();
    let params = params_to_bytes(&context.params);
    for bit in 0..8 * bytes.len() {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = read(&context, &damaged);
        assert!(refused.is_err(), "bit {bit} of memory");
        assert!(Sample::read_from(&context, &mut &damaged[..], 10_000).is_err(), "bit {bit} of a stream");
        if bit / 8 >= HEADER_LEN {
            assert_eq!(refused.unwrap_err(), WireError::Checksum, "bit {bit}");
        }
    }
    for bit in 0..8 * params.len() {
        let mut damaged = params.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(params_from_bytes(&damaged).is_err() && read_params(&mut &damaged[..]).is_err(), "bit {bit}");
    }
}

#[test]
fn every_cut_is_found() {
    let (context, bytes) = sample_bytes();
    for len in 0..bytes.len() {
        let of_memory = read(&context, &bytes[..len]).unwrap_err();
        let of_stream = Sample::read_from(&context, &mut &bytes[..len], 10_000).unwrap_err();
        assert!(matches!(of_memory, WireError::Truncated { .. }), "{len} bytes: {of_memory}");
        assert_eq!(of_stream, of_memory, "{len} bytes");
    }
    let params = params_to_bytes(&context.params);
    (0..params.len()).for_each(|len| assert!(params_from_bytes(&params[..len]).is_err(), "{len} bytes"));
}

#[test]
fn a_forger_finds_errors_or_another_object_but_never_a_second_spelling() {
    let (context, bytes) = sample_bytes();
    let (mut refused, mut accepted) = (0, 0);
    for at in HEADER_LEN..bytes.len() - CHECKSUM_LEN {
        for flip in 1..=255u8 {
            let mut forged = bytes.clone();
            forged[at] ^= flip;
            let forged = resealed(forged);
            match read(&context, &forged) {
                Err(WireError::Checksum) => panic!("byte {at}: the checksum was mended"),
                Err(_) => refused += 1,
                Ok(sample) => {
                    assert_eq!(sample.to_bytes(&context).unwrap(), forged, "byte {at} ^ {flip}");
                    accepted += 1;
                }
            }
        }
    }
    assert!(refused > 1000 && accepted > 1000, "refused {refused}, accepted {accepted}");
}

#[test]
fn headers_are_refused_by_name() {
    let (context, bytes) = sample_bytes();
    let patched = |at: usize, value: &[u8]| {
        let mut patched = bytes.clone();
        patched[at..at + value.len()].copy_from_slice(value);
        read(&context, &resealed(patched)).unwrap_err()
    };
    assert_eq!(patched(0, b"PK\x03\x04"), WireError::Magic { found: *b"PK\x03\x04", expected: *b"HNGE" });
    assert_eq!(patched(4, &[2, 0]), WireError::Version { found: 2, expected: 1 });
    assert_eq!(patched(6, &[0, 1]), WireError::UnknownKind { found: 256 });
    let (found, expected) = (Kind::PublicKey, Kind::SeededCiphertextTensor);
    assert_eq!(patched(6, &[2, 0]), WireError::Kind { found, expected });
    assert_eq!(patched(8, &[0, 0, 4]), WireError::Flags { found: 4 << 16 });
    let expected = ParamsDigest::of(&context.params);
    let found = ParamsDigest::from_bytes([7; 32]);
    assert_eq!(patched(16, &[7; 32]), WireError::OtherParams { found, expected });
    let body = (bytes.len() - HEADER_LEN - CHECKSUM_LEN) as u64;
    assert_eq!(patched(48, &(body - 1).to_le_bytes()), WireError::TrailingBytes { field: "object", found: 1 });
    assert!(matches!(patched(48, &u64::MAX.to_le_bytes()), WireError::Truncated { field: "body", .. }));
    let text = "this is a seeded ciphertext tensor, expected a public key";
    assert_eq!(WireError::Kind { found: Kind::SeededCiphertextTensor, expected: Kind::PublicKey }.to_string(), text);
}

#[test]
fn fields_are_refused_by_name() {
    let context = context();
    let scale = |x: f64| Reader::new(&x.to_bits().to_le_bytes()).scale("scale").err();
    for found in [0.0, -0.0, -1.0, f64::INFINITY] {
        assert_eq!(scale(found), Some(WireError::Scale { field: "scale", found }));
    }
    assert!(matches!(scale(f64::NAN), Some(WireError::Scale { .. })));
    assert_eq!(scale(f64::MIN_POSITIVE), None);

    let level = Reader::new(&[3]).level("level", &context.params);
    assert_eq!(level.err(), Some(WireError::OutOfRange { field: "level", found: 3, min: 0, max: 2 }));
    let count = |bytes: &[u8]| Reader::new(bytes).count("values", 1..=3).err();
    assert_eq!(count(&[0, 0, 0, 0]), Some(WireError::OutOfRange { field: "values", found: 0, min: 1, max: 3 }));
    assert_eq!(count(&[4, 0, 0, 0]), Some(WireError::OutOfRange { field: "values", found: 4, min: 1, max: 3 }));
    assert_eq!(count(&[4, 0, 0]), Some(WireError::Truncated { field: "values", needed: 4, found: 3 }));
    let element = Reader::new(&[4, 0, 0, 0]).galois_element("element", context.params.shape());
    assert!(matches!(element, Err(WireError::Params(ParamsError::GaloisElement { found: 4, .. }))));

    let text = |bytes: &[u8]| Reader::new(bytes).text("name", 3).map(String::from);
    assert_eq!(text(b"\x03\0abc"), Ok("abc".into()));
    assert_eq!(text(b"\x04\0abcd"), Err(WireError::TooLong { field: "name", found: 4, max: 3 }));
    assert_eq!(text(b"\x03\0ab"), Err(WireError::Truncated { field: "name", needed: 3, found: 2 }));
    assert_eq!(text(b"\x02\0a\xff"), Err(WireError::Utf8 { field: "name", valid: 1 }));
    let mut writer = Writer::new(Kind::Plaintext, &context.params);
    let too_long = writer.text("name", "abcd", 3);
    assert_eq!(too_long, Err(WireError::TooLong { field: "name", found: 4, max: 3 }));
    let reader = Reader::new(&[1, 2]);
    assert_eq!(reader.finish(), Err(WireError::TrailingBytes { field: "body", found: 2 }));
}

#[test]
fn tensors_of_another_shape_are_refused() {
    let Context { params, ring } = context();
    let mut writer = Writer::new(Kind::Plaintext, &params);
    writer.tensor(&ring, &tensor::<Eval>(&ring, 2, &[0, 1])).unwrap();
    let body = writer.finish()[HEADER_LEN..].to_vec();
    let tensor_of = |body: &[u8], rows, limbs: &[usize]| Reader::new(body).tensor::<Eval>(&ring, rows, limbs).err();
    let mismatch = |field, found, expected| Some(WireError::Mismatch { field, found, expected });
    assert_eq!(tensor_of(&body, 2, &[0, 1]), None);
    assert_eq!(tensor_of(&body, 1, &[0, 1]), mismatch("rows", 2, 1));
    assert_eq!(tensor_of(&body, 2, &[0]), mismatch("limbs", 2, 1));
    assert_eq!(tensor_of(&body, 2, &[1, 0]), mismatch("limb index", 0, 1));
    assert_eq!(
        tensor_of(&body, 2, &[0, 7]),
        Some(WireError::OutOfRange { field: "limb index", found: 7, min: 0, max: 3 })
    );
    let coeff = Reader::new(&body).tensor::<Coeff>(&ring, 2, &[0, 1]).err();
    assert_eq!(coeff, mismatch("domain", 1, 0));

    // The last byte of the first row over 97: bits 24..32, of which the upper four are padding.
    let row = 12 + 2 * 7;
    let mut padded = body.clone();
    padded[row + 3] |= 0x50;
    let padding = tensor_of(&padded, 2, &[0, 1]).unwrap();
    assert_eq!(padding, WireError::Padding { limb: 1, row: 0, found: 5 });
    let mut large = body.clone();
    large[row + 4] |= 0x7f;
    let residue = tensor_of(&large, 2, &[0, 1]).unwrap();
    assert_eq!(residue, WireError::Residue { limb: 1, row: 1, word: 0, found: 127, q: 97 });
    // Texts are logged: no bits of a ciphertext in them.
    assert_eq!(padding.to_string(), "limb 1, row 0: padding bits are not zero");
    assert_eq!(residue.to_string(), "limb 1, row 1, word 0: the residue is not below its prime 97");

    let other = Ring::new(2, &[97, 12289], Isa::Scalar).unwrap();
    let mut writer = Writer::new(Kind::Plaintext, &params);
    let foreign = writer.tensor(&ring, &tensor::<Eval>(&other, 1, &[0]));
    assert!(matches!(foreign, Err(WireError::Ring(RingError::ForeignTensor { .. }))));
}

/// Fails the test when anything is read after the header.
struct HeaderOnly(Vec<u8>);

impl Read for HeaderOnly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "read beyond the header");
        let len = buffer.len().min(self.0.len());
        buffer[..len].copy_from_slice(&self.0[..len]);
        self.0.drain(..len);
        Ok(len)
    }
}

#[test]
fn announced_lengths_take_no_memory() {
    let (context, mut bytes) = sample_bytes();
    let digest = ParamsDigest::of(&context.params);
    let kind = Sample::KIND;

    let too_long = Envelope::read_from(&mut HeaderOnly(bytes[..HEADER_LEN].to_vec()), kind, &digest, 5).err();
    let found = (bytes.len() - HEADER_LEN - CHECKSUM_LEN) as u64;
    assert_eq!(too_long, Some(WireError::TooLong { field: "body", found, max: 5 }));

    // More than there is memory on any machine: allocating it would abort the test.
    let huge = u64::MAX >> 2;
    bytes[48..56].copy_from_slice(&huge.to_le_bytes());
    let found = (bytes.len() - HEADER_LEN) as u64;
    let truncated = WireError::Truncated { field: "body", needed: huge, found };
    assert_eq!(Envelope::read_from(&mut &bytes[..], kind, &digest, u64::MAX).err(), Some(truncated.clone()));
    assert_eq!(Reader::open(&bytes, kind, &digest).err(), Some(truncated));
    bytes[6..8].copy_from_slice(&Kind::SecretKey.number().to_le_bytes());
    let secret = Envelope::read_from(&mut &bytes[..], Kind::SecretKey, &digest, u64::MAX).err();
    assert!(matches!(secret, Some(WireError::Io { kind: io::ErrorKind::OutOfMemory, .. })), "{secret:?}");

    for rows in [1 << 40, usize::MAX] {
        let needed = tensor_len(&context.ring, rows, &[0, 1, 2, 3]).unwrap();
        let refused = Reader::new(&bytes).tensor::<Eval>(&context.ring, rows, &[0, 1, 2, 3]).err();
        assert_eq!(refused, Some(WireError::Truncated { field: "tensor", needed, found: bytes.len() as u64 }));
    }
    let refused = Reader::new(&bytes).expect("keys", u64::MAX).err();
    assert!(matches!(refused, Some(WireError::Truncated { field: "keys", .. })));
}

#[test]
fn what_follows_an_object_is_refused_where_it_must_end() {
    let (context, mut bytes) = sample_bytes();
    bytes.push(0);
    assert_eq!(read(&context, &bytes).err(), Some(WireError::TrailingBytes { field: "object", found: 1 }));
    assert_eq!(
        expect_end_of_stream(&mut &bytes[..]).err(),
        Some(WireError::TrailingBytes { field: "object", found: 1 })
    );
    let mut writer = Writer::new(Sample::KIND, &context.params);
    Sample::new(&context).write_body(&context, &mut writer).unwrap();
    writer.u8(0);
    let longer = writer.finish();
    assert_eq!(read(&context, &longer).err(), Some(WireError::TrailingBytes { field: "body", found: 1 }));
}

#[test]
fn parameters_are_checked_like_anybodys() {
    let params = context().params;
    let bytes = params_to_bytes(&params);
    let body = &bytes[HEADER_LEN..bytes.len() - CHECKSUM_LEN];
    let patched = |at: usize, value: &[u8]| {
        let mut patched = body.to_vec();
        patched[at..at + value.len()].copy_from_slice(value);
        Reader::new(&patched).params().unwrap_err()
    };
    let range = |field, found, max| WireError::OutOfRange { field, found, min: 0, max };
    assert_eq!(patched(0, &[17]), ParamsError::LogN { found: 17, min: 1, max: 16 }.into());
    assert_eq!(patched(1, &[0]), ParamsError::PrimesPerDigit { found: 0, max: 3 }.into());
    assert_eq!(patched(2, &[2]), range("error distribution", 2, 1));
    assert_eq!(patched(3, &[2]), range("secret distribution", 2, 1));
    assert_eq!(patched(3, &[0]), WireError::Mismatch { field: "hamming weight", found: 3, expected: 0 });
    assert_eq!(patched(8, &[2]), range("security table", 2, 1));
    assert!(matches!(patched(9, &[129, 0]), WireError::Invalid { field: "security", .. }));
    assert_eq!(patched(9, &[128, 0]), ParamsError::SparseSecret { found: 3 }.into());
    assert!(matches!(patched(11, &f64::NAN.to_le_bytes()), WireError::Params(ParamsError::LogScale { .. })));
    assert_eq!(patched(19, &[65, 0]), range("ciphertext primes", 65, 64));
    assert_eq!(patched(21, &[2, 0]), WireError::Truncated { field: "special primes", needed: 16, found: 8 });
    assert_eq!(patched(23, &12291u64.to_le_bytes()), ParamsError::NotPrime { found: 12291 }.into());

    // A header that names other parameters than the body.
    let mut lying = bytes.clone();
    lying[16] ^= 1;
    assert!(matches!(params_from_bytes(&resealed(lying)), Err(WireError::OtherParams { .. })));
    let other = WireError::Kind { found: Kind::SeededCiphertextTensor, expected: Kind::Params };
    assert_eq!(params_from_bytes(&sample_bytes().1).err(), Some(other));
}

proptest! {
    #[test]
    fn noise_is_refused_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..MAX_PARAMS_BODY as usize + 9),
                                        prefix in 0usize..250) {
        let (context, mut bytes) = sample_bytes();
        prop_assert!(read(&context, &noise).is_err());
        let mut body = Reader::new(&noise);
        if let Ok(params) = body.params() {
            let written = params_to_bytes(&params);
            let read = noise.len() as u64 - body.remaining();
            prop_assert_eq!(&written[HEADER_LEN..written.len() - CHECKSUM_LEN], &noise[..read as usize]);
        }
        bytes.truncate(prefix);
        bytes.extend(&noise);
        prop_assert!(read(&context, &bytes).is_err());
        prop_assert!(Sample::read_from(&context, &mut &bytes[..], 10_000).is_err());
        // Past the envelope: no error is owed, but never a panic.
        let _ = Sample::read_body(&context, &mut Reader::new(&noise));
        let _ = Sample::read_body(&context, &mut Reader::new(bytes.get(HEADER_LEN..).unwrap_or_default()));
        let _ = Reader::new(&noise).tensor::<Eval>(&context.ring, 1, &[0, 1]);
    }
}
