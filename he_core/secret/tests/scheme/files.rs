//! Wire forms: what was written is read back; damaged, truncated and foreign bytes are refused, never a panic.

use he_ckks::{CiphertextTensor, CkksContext, Isa, Plaintext, RingError, Seed, SeededCiphertextTensor};
use he_params::{GaloisElement, Level, Rotation};
use he_rlwe::wire::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer};
use he_rlwe::{EvaluationKeys, GaloisKeys, KeySwitchKey, PublicKey, RelinearizationKey, RlweContext};
use he_secret::{SecretError, SecretKey};
use proptest::prelude::*;

use crate::support::{Setup, literal, literals, numbers};

/// Everything that has a wire form, as bytes.
struct Files {
    setup: Setup,
    public_key: Vec<u8>,
    relinearization: Vec<u8>,
    galois: Vec<u8>,
    evaluation: Vec<u8>,
    plaintext: Vec<u8>,
    ciphertext: Vec<u8>,
    square: Vec<u8>,
    seeded: Vec<u8>,
    secret: Vec<u8>,
}

fn round_trip<T: WireObject + PartialEq + std::fmt::Debug>(context: &T::Context, object: &T) -> Vec<u8> {
    let bytes = object.to_bytes(context).unwrap();
    let mut stream = Vec::new();
    object.write_to(context, &mut stream).unwrap();
    assert_eq!(stream, bytes);
    let back = T::from_bytes(context, &bytes).unwrap();
    assert_eq!(&back, object);
    assert_eq!(back.to_bytes(context).unwrap(), bytes);
    assert_eq!(&T::read_from(context, &mut &bytes[..], bytes.len() as u64).unwrap(), object);
    bytes
}

fn files(setup: Setup) -> Files {
    let (context, rlwe) = (&*setup.context, setup.context.rlwe());
    let keys = setup.keys();
    let relinearization = keys.relinearization_key().unwrap();
    let galois = keys.galois_keys(&[Rotation(1), Rotation(-1)], true).unwrap();
    let evaluation = EvaluationKeys { relinearization: Some(relinearization.clone()), galois: galois.clone() };
    let rows: Vec<Vec<f64>> = (0..2).map(|i| numbers(setup.slots(), setup.seed, i)).collect();
    let plain = setup.encoder.encode_tensor(&rows, Level::new(1), setup.scale()).unwrap();
    let fresh = setup.encryptor(1).encrypt_tensor(&rows, setup.top(), setup.scale()).unwrap();
    let x = fresh.expand(context).unwrap();
    let square = setup.evaluator.square(&x).unwrap();
    assert!(x.to_bytes(context).unwrap().len() as u64 <= CiphertextTensor::max_body_len(context, 2).unwrap() + 88);
    assert!(square.to_bytes(context).unwrap().len() as u64 <= CiphertextTensor::max_body_len(context, 2).unwrap() + 88);
    assert!(evaluation.to_bytes(rlwe).unwrap().len() as u64 <= EvaluationKeys::max_body_len(rlwe, 3).unwrap() + 88);
    round_trip(rlwe, &EvaluationKeys::default());
    Files {
        public_key: round_trip(rlwe, &keys.public_key().unwrap()),
        relinearization: round_trip(rlwe, &relinearization),
        galois: round_trip(rlwe, &galois),
        evaluation: round_trip(rlwe, &evaluation),
        plaintext: round_trip(context, &plain),
        ciphertext: round_trip(context, &x),
        square: round_trip(context, &square),
        seeded: round_trip(context, &fresh),
        secret: setup.secret.to_bytes(context).unwrap(),
        setup,
    }
}

#[test]
fn what_was_written_is_read_back() {
    for literal in literals() {
        let files = files(Setup::new(literal));
        let context = &*files.setup.context;
        let secret = SecretKey::from_bytes(context, &files.secret).unwrap();
        assert_eq!(secret.expose_coefficients(), files.setup.secret.expose_coefficients());
        assert_eq!(files.secret.len() as u64, SecretKey::body_len(context) + 88);
        // A seed in place of half of the residues.
        assert!(2 * files.seeded.len() < files.ciphertext.len() + 512);
    }
}

/// Keys of another library have no seed of ours: their uniform rows are written, and such a key switches as well.
#[test]
fn keys_without_a_seed_are_written_whole() {
    for literal in literals() {
        let setup = Setup::new(literal);
        let (context, rlwe) = (&*setup.context, setup.context.rlwe());
        let keys = setup.keys();
        let (public, seeded) = (keys.public_key().unwrap(), keys.relinearization_key().unwrap());
        let whole = PublicKey::from_rows(rlwe, public.rows().clone()).unwrap();
        assert_eq!((whole.seed(), whole.rows()), (None, public.rows()));
        assert!(round_trip(rlwe, &whole).len() > public.to_bytes(rlwe).unwrap().len());
        let key = KeySwitchKey::from_rows(rlwe, seeded.key().rows().clone()).unwrap();
        let whole = RelinearizationKey::new(key.clone());
        let length = round_trip(rlwe, &whole).len() as u64;
        assert_eq!(length, KeySwitchKey::max_wire_len(rlwe).unwrap() + 88);
        let mut galois = keys.galois_keys(&[Rotation(1)], true).unwrap();
        galois.insert(GaloisElement::new(5, context.params().log_n()).unwrap(), key);
        let both = EvaluationKeys { relinearization: Some(whole.clone()), galois };
        assert!(round_trip(rlwe, &both).len() as u64 <= EvaluationKeys::max_body_len(rlwe, 3).unwrap() + 88);

        let x = setup.encryptor(1).encrypt(&[0.5, -0.25], setup.top(), setup.scale()).unwrap();
        let square = setup.evaluator.square(&x.expand(context).unwrap()).unwrap();
        let [a, b] = [&whole, &seeded].map(|key| setup.evaluator.relinearize(&square, key).unwrap());
        assert_eq!(a, b);
    }
}

#[test]
fn a_seed_of_zeros_cannot_be_written() {
    let setup = Setup::new(literal(4, &[30, 45], &[50], 20.0, 1));
    let rlwe = setup.context.rlwe();
    let b = setup.keys().public_key().unwrap().rows().view().gather(&[0]).unwrap();
    let key = PublicKey::from_parts(rlwe, Seed::new([0; 32]), &b).unwrap();
    let reason = "zero stands for no seed".to_owned();
    assert_eq!(key.to_bytes(rlwe).unwrap_err(), WireError::Invalid { field: "seed", reason });
}

#[test]
fn a_secret_key_comes_back_from_its_evaluations() {
    let setup = Setup::new(literal(10, &[30, 45], &[50], 20.0, 1));
    let context = &*setup.context;
    let rows = setup.secret.expose_rows();
    let back = SecretKey::from_rows(context, rows.clone()).unwrap();
    assert_eq!(back.expose_coefficients(), setup.secret.expose_coefficients());
    let refused = |rows| SecretKey::from_rows(context, rows).unwrap_err();
    // Ternary modulo the first prime alone, and not even there.
    for limb in [0, 2] {
        let mut forged = rows.clone();
        let word = forged.row(limb, 0).get(7);
        let row: Vec<u64> =
            (0..).zip(forged.row(limb, 0).iter()).map(|(i, x)| if i == 7 { word ^ 1 } else { x }).collect();
        forged.set_row_from_u64(limb, 0, row.into_iter()).unwrap();
        assert_eq!(refused(forged), SecretError::NotTernary);
    }
    let few = rows.view().with_limbs(&[0, 1]).unwrap();
    assert_eq!(refused(few), SecretError::NotTernary);
    assert!(matches!(refused(rows.view().gather(&[0, 0]).unwrap()), SecretError::Ring(RingError::RowMismatch { .. })));
}

/// Tries to read bytes as every kind; returns how many succeeded.
fn read_as_everything(context: &CkksContext, bytes: &[u8]) -> usize {
    let rlwe = context.rlwe();
    [
        PublicKey::from_bytes(rlwe, bytes).is_ok(),
        RelinearizationKey::from_bytes(rlwe, bytes).is_ok(),
        GaloisKeys::from_bytes(rlwe, bytes).is_ok(),
        EvaluationKeys::from_bytes(rlwe, bytes).is_ok(),
        Plaintext::from_bytes(context, bytes).is_ok(),
        CiphertextTensor::from_bytes(context, bytes).is_ok(),
        SeededCiphertextTensor::from_bytes(context, bytes).is_ok(),
        SecretKey::from_bytes(context, bytes).is_ok(),
    ]
    .into_iter()
    .filter(|read| *read)
    .count()
}

fn small() -> &'static Files {
    static FILES: std::sync::OnceLock<Files> = std::sync::OnceLock::new();
    FILES.get_or_init(|| files(Setup::with_isa(literal(4, &[30, 45, 29], &[50], 20.0, 1), Isa::Scalar)))
}

impl Files {
    fn all(&self) -> [&Vec<u8>; 9] {
        [
            &self.public_key,
            &self.relinearization,
            &self.galois,
            &self.evaluation,
            &self.plaintext,
            &self.ciphertext,
            &self.square,
            &self.seeded,
            &self.secret,
        ]
    }
}

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let files = small();
    let context = &*files.setup.context;
    for bytes in files.all() {
        assert_eq!(read_as_everything(context, bytes), 1, "exactly one kind reads it");
        let step = (bytes.len() / 200).max(1);
        for len in (0..bytes.len()).step_by(step) {
            assert_eq!(read_as_everything(context, &bytes[..len]), 0, "cut to {len} of {}", bytes.len());
        }
        for bit in (0..8 * bytes.len()).step_by(8 * step + 1) {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_as_everything(context, &damaged), 0, "bit {bit}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(read_as_everything(context, &longer), 0, "one byte too many");
    }
}

/// Bodies with a right checksum around wrong contents: what only the formats themselves can find.
fn sealed(kind: Kind, params: ParamsDigest, body: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_digest(kind, params);
    writer.bytes(body);
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Damage inside the body, checksum made right again: an error or an object, never a panic.
    #[test]
    fn damage_under_a_right_checksum_never_panics(
        which in 0usize..9, at: prop::sample::Index, byte: u8, cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let files = small();
        let context = &*files.setup.context;
        let bytes = files.all()[which];
        let kind = Kind::try_from(u16::from_le_bytes([bytes[6], bytes[7]])).unwrap();
        let mut body = bytes[56..bytes.len() - 32].to_vec();
        let at = at.index(body.len());
        body[at] = byte;
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len()));
        }
        let digest = ParamsDigest::of(context.params());
        prop_assert!(read_as_everything(context, &sealed(kind, digest, &body)) <= 1);
    }

    #[test]
    fn arbitrary_bodies_never_panic(kind in 1u16..10, body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let context = &*small().setup.context;
        let kind = Kind::try_from(kind).unwrap();
        prop_assert!(read_as_everything(context, &sealed(kind, ParamsDigest::of(context.params()), &body)) <= 1);
    }
}

fn refusal<T: WireObject + std::fmt::Debug>(context: &T::Context, body: &[u8]) -> WireError {
    T::from_bytes(context, &sealed(T::KIND, T::params_digest(context), body)).unwrap_err()
}

/// The body of an object, to be damaged at a known place.
fn body(bytes: &[u8]) -> Vec<u8> {
    bytes[56..bytes.len() - 32].to_vec()
}

#[test]
fn each_field_is_checked() {
    let files = small();
    let (context, rlwe): (&CkksContext, &RlweContext) = (&files.setup.context, files.setup.context.rlwe());
    let with = |bytes: &[u8], at: usize, value: &[u8]| {
        let mut body = body(bytes);
        body[at..at + value.len()].copy_from_slice(value);
        body
    };
    // Ciphertext: level 0, scale 1..9, components 9, values 10..14, tensor from 14.
    let level = refusal::<CiphertextTensor>(context, &with(&files.ciphertext, 0, &[3]));
    assert_eq!(level, WireError::OutOfRange { field: "level", found: 3, min: 0, max: 2 });
    for scale in [0.0f64, -1.0, f64::NAN, f64::INFINITY] {
        let refused = refusal::<CiphertextTensor>(context, &with(&files.ciphertext, 1, &scale.to_le_bytes()));
        assert!(matches!(refused, WireError::Scale { field: "scale", .. }), "{refused}");
    }
    for components in [0, 1, 4, 255] {
        let refused = refusal::<CiphertextTensor>(context, &with(&files.ciphertext, 9, &[components]));
        assert_eq!(refused, WireError::OutOfRange { field: "components", found: components.into(), min: 2, max: 3 });
    }
    // A count that would need more memory than there is: refused before any is taken.
    let refused = refusal::<CiphertextTensor>(context, &with(&files.ciphertext, 10, &u32::MAX.to_le_bytes()));
    assert!(matches!(refused, WireError::Truncated { field: "values", .. }), "{refused}");
    let refused = refusal::<SeededCiphertextTensor>(context, &with(&files.seeded, 9, &u32::MAX.to_le_bytes()));
    assert!(matches!(refused, WireError::Truncated { field: "values", .. }), "{refused}");
    let refused = refusal::<Plaintext>(context, &with(&files.plaintext, 9, &u32::MAX.to_le_bytes()));
    assert!(matches!(refused, WireError::Truncated { field: "values", .. }), "{refused}");
    let refused = refusal::<CiphertextTensor>(context, &with(&files.ciphertext, 10, &1u32.to_le_bytes()));
    assert!(matches!(refused, WireError::Mismatch { field: "rows", .. }), "{refused}");

    let refused = refusal::<GaloisKeys>(rlwe, &with(&files.galois, 0, &16u32.to_le_bytes()));
    assert!(matches!(refused, WireError::Truncated { field: "galois keys", .. }), "{refused}");
    let refused = refusal::<GaloisKeys>(rlwe, &with(&files.galois, 0, &17u32.to_le_bytes()));
    assert!(matches!(refused, WireError::OutOfRange { field: "galois keys", .. }), "{refused}");
    let refused = refusal::<GaloisKeys>(rlwe, &with(&files.galois, 4, &2u32.to_le_bytes()));
    assert!(matches!(refused, WireError::Params(_)), "{refused}");
    let refused = refusal::<GaloisKeys>(rlwe, &with(&files.galois, 4, &31u32.to_le_bytes()));
    assert!(matches!(refused, WireError::Invalid { field: "galois element", .. }), "{refused}");
    let refused = refusal::<EvaluationKeys>(rlwe, &with(&files.evaluation, 0, &[2]));
    assert!(matches!(refused, WireError::Invalid { field: "relinearization key present", .. }), "{refused}");

    let refused = refusal::<SecretKey>(context, &with(&files.secret, 1, &[0b1000]));
    assert!(matches!(refused, WireError::Invalid { field: "secret key", .. }), "{refused}");
    assert!(!refused.to_string().contains('8'), "the message shows nothing of the key");
}

#[test]
fn objects_of_other_parameters_are_refused() {
    let files = small();
    let other = Setup::with_isa(literal(4, &[30, 45, 29], &[51], 20.0, 1), Isa::Scalar);
    for bytes in files.all() {
        assert_eq!(read_as_everything(&other.context, bytes), 0);
    }
    let refused = CiphertextTensor::from_bytes(&other.context, &files.ciphertext).unwrap_err();
    assert!(matches!(refused, WireError::OtherParams { .. }), "{refused}");
    let refused = Plaintext::from_bytes(&files.setup.context, &files.ciphertext).unwrap_err();
    assert_eq!(refused, WireError::Kind { expected: Kind::Plaintext, found: Kind::CiphertextTensor });
    assert!(Reader::open(&[], Kind::Plaintext, &ParamsDigest::of(other.context.params())).is_err());
}
