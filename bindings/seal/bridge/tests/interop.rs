//! Files from SEAL to Henge and from Henge to SEAL: every object of each side is loaded by the other, the bytes are the same where the format
//! leaves no choice, and either library computes on what the other made, as precisely as the other does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod parameters;

use he_ckks::{CiphertextTensor, Complex64, Precision, PublicEncryptor, Seed};
use he_params::noise::Encryption;
use he_params::{GaloisElement, Level, Rotation};
use he_rlwe::{GaloisKeys, RelinearizationKey};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use parameters::{Both, MARGIN_BITS, SPREAD_BITS, numbers};
use seal_format::convert::Converter;
use seal_format::{Compression, Context, EncryptionParameters, FormatError, Load, Reader, Save};

/// Compression is tried on objects up to this length, which all are at the smallest degree: the others take minutes and tell nothing new.
const COMPRESSED: usize = 9 << 20;

const ROTATIONS: [Rotation; 2] = [Rotation(1), Rotation(-3)];

/// One set of parameters in both libraries and in the format between them.
struct Setup {
    both: Both,
    converter: Converter,
    x: Vec<Complex64>,
    y: Vec<Complex64>,
}

/// SEAL's mode of compression.
fn mode(compression: Compression) -> seal_bridge::Compression {
    match compression {
        Compression::None => seal_bridge::Compression::None,
        Compression::Zlib => seal_bridge::Compression::Zlib,
        Compression::Zstd => seal_bridge::Compression::Zstd,
    }
}

/// The compressors to try on an object of so many bytes.
fn compressions(length: usize) -> &'static [Compression] {
    if length <= COMPRESSED { &[Compression::Zlib, Compression::Zstd] } else { &[] }
}

/// What SEAL saved, read here, and written again: the same bytes in each mode, for both link the same compressors.
fn from_seal<T: Load + PartialEq + std::fmt::Debug>(
    context: &Context,
    saved: impl Fn(seal_bridge::Compression) -> Vec<u8>,
    save: impl Fn(&T, Compression) -> Vec<u8>,
) -> T {
    let bytes = saved(mode(Compression::None));
    let (object, taken) = T::load(&bytes, context).unwrap();
    assert_eq!(taken, bytes.len());
    assert!(save(&object, Compression::None) == bytes, "other bytes");
    for compression in compressions(bytes.len()) {
        let bytes = saved(mode(*compression));
        let (same, taken) = T::load(&bytes, context).unwrap();
        assert!(same == object && taken == bytes.len(), "{compression}: another object");
        assert!(save(&object, *compression) == bytes, "{compression}: other bytes");
    }
    object
}

fn saved<T: Save>(object: &T) -> Vec<u8> {
    object.save(Compression::None).unwrap()
}

fn saved_as<T: Save>(object: &T, compression: Compression) -> Vec<u8> {
    object.save(compression).unwrap()
}

/// What Henge saved, in each mode, loaded by SEAL: it saves the same bytes.
fn to_seal<T>(
    save: impl Fn(Compression) -> Result<Vec<u8>, FormatError>,
    load: impl Fn(&[u8]) -> T,
    again: impl Fn(&T) -> Vec<u8>,
) -> T {
    let bytes = save(Compression::None).unwrap();
    for compression in compressions(bytes.len()) {
        assert!(again(&load(&save(*compression).unwrap())) == bytes, "{compression}: other bytes");
    }
    let object = load(&bytes);
    assert!(again(&object) == bytes, "other bytes");
    object
}

/// Names of operations with the slots that they should give.
type Expected = Vec<(&'static str, Vec<Complex64>)>;

impl Setup {
    fn new(both: Both) -> Setup {
        let slots = both.log_n.slots();
        let complex = |seed| {
            let numbers = numbers(2 * slots, seed);
            numbers.chunks(2).map(|pair| Complex64::new(pair[0], pair[1])).collect()
        };
        let converter = Converter::new(&both.henge).unwrap();
        Setup { converter, x: complex(1), y: complex(2), both }
    }

    fn top(&self) -> Level {
        self.both.henge.params().max_level()
    }

    fn expected(&self) -> Expected {
        let slots = self.x.len();
        let pairs = || self.x.iter().zip(&self.y);
        let rotated = |by: Rotation| {
            let by = by.0.rem_euclid(slots as i32) as usize;
            (0..slots).map(|slot| self.x[(slot + by) % slots]).collect()
        };
        vec![
            ("add", pairs().map(|(x, y)| x + y).collect()),
            ("multiply", pairs().map(|(x, y)| x * y).collect()),
            ("relinearize", pairs().map(|(x, y)| x * y).collect()),
            ("rescale", pairs().map(|(x, y)| x * y).collect()),
            ("rotate by 1", rotated(ROTATIONS[0])),
            ("rotate by -3", rotated(ROTATIONS[1])),
            ("conjugate", self.x.iter().map(Complex64::conj).collect()),
        ]
    }

    /// The operations in Henge.
    fn henge(
        &self,
        x: &CiphertextTensor,
        y: &CiphertextTensor,
        key: &RelinearizationKey,
        galois: &GaloisKeys,
    ) -> Vec<CiphertextTensor> {
        let evaluator = he_ckks::Evaluator::new(&self.both.henge);
        let sum = evaluator.add(x, y).unwrap();
        let product = evaluator.mul(x, y).unwrap();
        let relinearized = evaluator.relinearize(&product, key).unwrap();
        let rescaled = evaluator.rescale(relinearized.clone()).unwrap();
        let rotated = ROTATIONS.map(|by| evaluator.rotate(x, by, galois).unwrap());
        let conjugated = evaluator.conjugate(x, galois).unwrap();
        [vec![sum, product, relinearized, rescaled], rotated.to_vec(), vec![conjugated]].concat()
    }

    /// The operations in SEAL.
    fn seal(
        &self,
        x: &seal_bridge::Ciphertext,
        y: &seal_bridge::Ciphertext,
        key: &seal_bridge::RelinKeys,
        galois: &seal_bridge::GaloisKeys,
    ) -> Vec<seal_bridge::Ciphertext> {
        let evaluator = seal_bridge::Evaluator::new(&self.both.seal).unwrap();
        let mut sum = x.clone();
        evaluator.add_assign(&mut sum, y).unwrap();
        let product = evaluator.mul(x, y).unwrap();
        let mut relinearized = product.clone();
        evaluator.relinearize_assign(&mut relinearized, key).unwrap();
        let rescaled = evaluator.rescale(&relinearized).unwrap();
        let rotated = ROTATIONS.map(|by| {
            let mut rotated = x.clone();
            evaluator.rotate_assign(&mut rotated, by, galois).unwrap();
            rotated
        });
        let mut conjugated = x.clone();
        evaluator.conjugate_assign(&mut conjugated, galois).unwrap();
        [vec![sum, product, relinearized, rescaled], rotated.to_vec(), vec![conjugated]].concat()
    }

    fn ciphertext_to_seal(&self, x: &CiphertextTensor) -> seal_bridge::Ciphertext {
        let ours = self.converter.ciphertext_to_seal(x, 0).unwrap();
        let load = |bytes: &[u8]| seal_bridge::Ciphertext::load(&self.both.seal, bytes).unwrap();
        to_seal(|compression| ours.save(compression), load, |x| x.save(seal_bridge::Compression::None).unwrap())
    }

    fn ciphertext_from_seal(&self, x: &seal_bridge::Ciphertext) -> CiphertextTensor {
        let theirs =
            from_seal(self.converter.seal(), |mode| x.save(mode).unwrap(), saved_as::<seal_format::Ciphertext>);
        self.converter.ciphertext_from_seal(&theirs).unwrap()
    }

    /// Nothing but the rounding of coefficients.
    fn expect_encoded(&self, expected: &[Complex64], found: &[Complex64]) {
        let found = Precision::of_complex(expected, found).rms_bits();
        let predicted = self.both.rms_bits(self.both.noise().encoding(), self.both.scale.get());
        assert!((found - predicted).abs() < 0.2, "{}: {found} bits, {predicted} in theory", self.both.name);
    }

    /// The bits that theory predicts for each operation on a fresh message of either kind, and how far below a measurement may stay. In a product the noise of a
    /// switch of keys is lost.
    fn predicted(&self) -> Vec<(f64, f64)> {
        let (both, model, scale) = (&self.both, self.both.noise(), self.both.scale.get());
        let (x, y) = (both.fresh(Encryption::Symmetric), both.fresh(Encryption::Public));
        // Real and imaginary part are uniform in [-1, 1).
        let slot = (2.0f64 / 3.0).sqrt() * scale;
        let product = model.product(x, slot, y, slot);
        let relinearized = product.plus(both.key_switch());
        let last = both.seal.primes()[self.top().last_prime()];
        let rescaled = model.rescale(relinearized, last, 2);
        let switched = x.plus(both.key_switch());
        let squared = scale * scale;
        let plain =
            [(x.plus(y), scale), (product, squared), (relinearized, squared), (rescaled, squared / last as f64)];
        let plain = plain.into_iter().map(|(noise, scale)| (both.rms_bits(noise, scale), SPREAD_BITS));
        plain.chain([(both.rms_bits(switched, scale), MARGIN_BITS); 3]).collect()
    }

    /// Bits that slots keep, of both: neither library does better than the other, nor does it worse than theory says.
    fn compare(&self, henge: &[Vec<Complex64>], seal: &[Vec<Complex64>], direction: &str) {
        let operations = self.expected().into_iter().zip(self.predicted());
        for ((((name, expected), (predicted, margin)), henge), seal) in operations.zip(henge).zip(seal) {
            let [henge, seal] = [henge, seal].map(|found| Precision::of_complex(&expected, found));
            let [of_henge, of_seal] = [henge, seal].map(Precision::worst_bits);
            let what = format!("{}, {direction}, {name}", self.both.name);
            println!("{what}: {of_henge:.2} bits in the worst slot, SEAL alone {of_seal:.2}");
            println!(
                "{what}: {:.2} bits in the mean, SEAL alone {:.2}, in theory {predicted:.2}",
                henge.rms_bits(),
                seal.rms_bits()
            );
            assert!((of_henge - of_seal).abs() < 0.05, "{what}: {of_henge} bits, {of_seal} in SEAL");
            for found in [henge, seal] {
                assert!(found.rms_bits() > predicted - margin, "{what}: {found:?}, {predicted} bits in theory");
            }
        }
    }
}

/// SEAL makes everything, Henge computes, SEAL decrypts.
fn from_seal_to_henge(setup: &Setup) {
    let Setup { both, converter, x, y } = setup;
    let (seal, context) = (&both.seal, converter.seal());
    let none = seal_bridge::Compression::None;

    let parms = seal.save(none).unwrap();
    let (parms, taken) = (EncryptionParameters::load(&parms, Reader::Known).unwrap().0, parms.len());
    assert_eq!((saved(&parms), taken), (seal.save(none).unwrap(), taken));
    assert_eq!(&parms, context.parameters());
    assert_eq!(context.key_parms_id().words(), seal.key_id().unwrap().0);
    assert_eq!(context.first_parms_id().words(), seal.level_id(setup.top()).unwrap().0);

    let mut generator = seal_bridge::KeyGenerator::new(seal).unwrap();
    let secret = generator.secret_key().unwrap();
    let save_secret = |key: &seal_format::SecretKey, mode| key.save(mode).unwrap().to_vec();
    let ours = from_seal(context, |mode| secret.save(mode).unwrap(), save_secret);
    let henge_secret = converter.secret_key_from_seal(&ours).unwrap();
    assert_eq!(
        save_secret(&converter.secret_key_to_seal(&henge_secret).unwrap(), Compression::None),
        secret.save(none).unwrap()
    );

    let public = generator.public_key().unwrap();
    let ours = from_seal(context, |mode| public.save(mode).unwrap(), saved_as::<seal_format::PublicKey>);
    let henge_public = converter.public_key_from_seal(&ours).unwrap();
    assert_eq!(saved(&converter.public_key_to_seal(&henge_public).unwrap()), public.save(none).unwrap());

    let relin = generator.relin_keys().unwrap();
    let ours = from_seal(context, |mode| relin.save(mode).unwrap(), saved_as::<seal_format::RelinKeys>);
    let key = converter.relinearization_key_from_seal(&ours).unwrap();
    assert_eq!(saved(&converter.relinearization_key_to_seal(&key).unwrap()), relin.save(none).unwrap());

    let log_n = both.log_n;
    let mut elements = ROTATIONS.map(|by| GaloisElement::rotation(by, log_n)).to_vec();
    elements.push(GaloisElement::conjugation(log_n));
    let galois = generator.galois_keys(&elements).unwrap();
    let ours = from_seal(context, |mode| galois.save(mode).unwrap(), saved_as::<seal_format::GaloisKeys>);
    let henge_galois = converter.galois_keys_from_seal(&ours).unwrap();
    assert_eq!(henge_galois.len(), elements.len());
    assert_eq!(saved(&converter.galois_keys_to_seal(&henge_galois).unwrap()), galois.save(none).unwrap());

    // What SEAL saves as a seed is saved as a seed again, and whole it is what SEAL expands.
    let seeded = generator.save_seeded_public_key(none).unwrap();
    let ours: seal_format::PublicKey = load_again(context, &seeded);
    let whole = seal_bridge::PublicKey::load(seal, &seeded).unwrap().save(none).unwrap();
    assert!(saved(&ours.without_seed()) == whole);
    let seeded = generator.save_seeded_relin_keys(none).unwrap();
    let ours: seal_format::RelinKeys = load_again(context, &seeded);
    let theirs = seal_bridge::RelinKeys::load(seal, &seeded).unwrap();
    let back = converter.relinearization_key_from_seal(&ours).unwrap();
    assert!(saved(&converter.relinearization_key_to_seal(&back).unwrap()) == theirs.save(none).unwrap());
    let seeded = generator.save_seeded_galois_keys(&elements[..1], none).unwrap();
    let ours: seal_format::GaloisKeys = load_again(context, &seeded);
    let theirs = seal_bridge::GaloisKeys::load(seal, &seeded).unwrap();
    let back = converter.galois_keys_from_seal(&ours).unwrap();
    assert!(saved(&converter.galois_keys_to_seal(&back).unwrap()) == theirs.save(none).unwrap());

    let encoder = seal_bridge::Encoder::new(seal).unwrap();
    let encode = |numbers: &[Complex64]| encoder.encode_complex(numbers, setup.top(), both.scale).unwrap();
    let (plain_x, plain_y) = (encode(x), encode(y));
    let ours = from_seal(context, |mode| plain_x.save(mode).unwrap(), saved_as::<seal_format::Plaintext>);
    let henge_plain = converter.plaintext_from_seal(&ours).unwrap();
    assert!(saved(&converter.plaintext_to_seal(&henge_plain, 0).unwrap()) == plain_x.save(none).unwrap());
    let decoded = he_ckks::Encoder::new(&both.henge).decode_complex(&henge_plain, 0).unwrap();
    setup.expect_encoded(x, &decoded);

    let symmetric = seal_bridge::SymmetricEncryptor::new(seal, &secret).unwrap();
    let seeded = symmetric.save_seeded(&plain_x, none).unwrap();
    let ours: seal_format::Ciphertext = load_again(context, &seeded);
    let seal_x = seal_bridge::Ciphertext::load(seal, &seeded).unwrap();
    assert!(saved(&ours.without_seed()) == seal_x.save(none).unwrap());
    let seal_y = seal_bridge::PublicEncryptor::new(seal, &public).unwrap().encrypt(&plain_y).unwrap();
    let (henge_x, henge_y) = (setup.ciphertext_from_seal(&seal_x), setup.ciphertext_from_seal(&seal_y));

    let by_henge = setup.henge(&henge_x, &henge_y, &key, &henge_galois);
    let by_seal = setup.seal(&seal_x, &seal_y, &relin, &galois);
    let decryptor = seal_bridge::Decryptor::new(seal, &secret).unwrap();
    let slots = |x: &seal_bridge::Ciphertext| encoder.decode_complex(&decryptor.decrypt(x).unwrap()).unwrap();
    let by_henge: Vec<_> = by_henge.iter().map(|x| setup.ciphertext_to_seal(x)).collect();
    // Deterministic operations on the same operands and keys: the same residues.
    by_henge.iter().zip(&by_seal).for_each(|(henge, seal)| assert!(henge.words() == seal.words()));
    let [in_henge, in_seal] = [&by_henge, &by_seal].map(|all| all.iter().map(slots).collect::<Vec<_>>());
    setup.compare(&in_henge, &in_seal, "made by SEAL");
    // And Henge decrypts them with SEAL's key.
    let plain = Decryptor::new(&both.henge, &henge_secret).decrypt(&setup.ciphertext_from_seal(&by_seal[3])).unwrap();
    let decoded = he_ckks::Encoder::new(&both.henge).decode_complex(&plain, 0).unwrap();
    assert!(Precision::of_complex(&in_seal[3], &decoded).worst_bits() > 30.0);
}

/// A file with seeds, read and written again as it was.
fn load_again<T: Load + Save>(context: &Context, bytes: &[u8]) -> T {
    let (object, taken) = T::load(bytes, context).unwrap();
    assert!((taken, saved(&object).as_slice()) == (bytes.len(), bytes), "other bytes");
    object
}

/// Henge makes everything, SEAL computes, Henge decrypts.
fn from_henge_to_seal(setup: &Setup) {
    let Setup { both, converter, x, y } = setup;
    let (seal, context, none) = (&both.seal, &both.henge, seal_bridge::Compression::None);
    // The parameters as a file, and a context of SEAL's own from it.
    let load = |bytes: &[u8]| seal_bridge::Context::load(bytes, seal_bridge::Security::None).unwrap();
    let parms = converter.seal().parameters();
    let loaded = to_seal(|mode| parms.save(mode), load, |context| context.save(none).unwrap());
    assert_eq!((loaded.primes(), loaded.log_n()), (seal.primes(), seal.log_n()));

    let secret = SecretKey::generate(context, &Seed::new([1; 32])).unwrap();
    let generator = KeyGenerator::new(context, &secret, Seed::new([2; 32]));
    let ours = converter.secret_key_to_seal(&secret).unwrap();
    let load = |bytes: &[u8]| seal_bridge::SecretKey::load(seal, bytes).unwrap();
    let seal_secret = to_seal(|mode| ours.save(mode).map(|bytes| bytes.to_vec()), load, |key| key.save(none).unwrap());

    let public = generator.public_key().unwrap();
    let ours = converter.public_key_to_seal(&public).unwrap();
    let load = |bytes: &[u8]| seal_bridge::PublicKey::load(seal, bytes).unwrap();
    let seal_public = to_seal(|mode| ours.save(mode), load, |key| key.save(none).unwrap());

    let key = generator.relinearization_key().unwrap();
    let ours = converter.relinearization_key_to_seal(&key).unwrap();
    let load = |bytes: &[u8]| seal_bridge::RelinKeys::load(seal, bytes).unwrap();
    let seal_relin = to_seal(|mode| ours.save(mode), load, |key| key.save(none).unwrap());

    let galois = generator.galois_keys(&ROTATIONS, true).unwrap();
    let ours = converter.galois_keys_to_seal(&galois).unwrap();
    let load = |bytes: &[u8]| seal_bridge::GaloisKeys::load(seal, bytes).unwrap();
    let seal_galois = to_seal(|mode| ours.save(mode), load, |key| key.save(none).unwrap());

    let encoder = he_ckks::Encoder::new(context);
    let plain = encoder.encode_complex(y, setup.top(), both.scale).unwrap();
    let ours = converter.plaintext_to_seal(&plain, 0).unwrap();
    let load = |bytes: &[u8]| seal_bridge::Plaintext::load(seal, bytes).unwrap();
    let seal_plain = to_seal(|mode| ours.save(mode), load, |plain| plain.save(none).unwrap());
    let decoded = seal_bridge::Encoder::new(seal).unwrap().decode_complex(&seal_plain).unwrap();
    setup.expect_encoded(y, &decoded);

    let mut encryptor = SymmetricEncryptor::new(context, &secret, &Seed::new([3; 32]));
    let henge_x = encryptor.encrypt_complex_tensor(&[x], setup.top(), both.scale).unwrap().expand(context).unwrap();
    let henge_y = PublicEncryptor::new(context, public, Seed::new([4; 32])).encrypt(&plain).unwrap();
    let (seal_x, seal_y) = (setup.ciphertext_to_seal(&henge_x), setup.ciphertext_to_seal(&henge_y));
    let by_henge = setup.henge(&henge_x, &henge_y, &key, &galois);
    let by_seal = setup.seal(&seal_x, &seal_y, &seal_relin, &seal_galois);
    let decryptor = Decryptor::new(context, &secret);
    let slots = |x: &CiphertextTensor| encoder.decode_complex(&decryptor.decrypt(x).unwrap(), 0).unwrap();
    let by_seal: Vec<_> = by_seal.iter().map(|x| setup.ciphertext_from_seal(x)).collect();
    by_henge.iter().zip(&by_seal).for_each(|(henge, seal)| assert!(henge.rows() == seal.rows()));
    let [in_henge, in_seal] = [&by_henge, &by_seal].map(|all| all.iter().map(slots).collect::<Vec<_>>());
    setup.compare(&in_henge, &in_seal, "made by Henge");
    // SEAL encrypts for Henge's keys, and decrypts with them.
    let made = seal_bridge::PublicEncryptor::new(seal, &seal_public).unwrap().encrypt(&seal_plain).unwrap();
    let found = Precision::of_complex(y, &slots(&setup.ciphertext_from_seal(&made))).rms_bits();
    let predicted = both.rms_bits(both.fresh(Encryption::Public), both.scale.get());
    assert!(found > predicted - SPREAD_BITS, "{found} bits, {predicted} in theory");
    let plain =
        seal_bridge::Decryptor::new(seal, &seal_secret).unwrap().decrypt(&setup.ciphertext_to_seal(&by_henge[3]));
    let decoded = seal_bridge::Encoder::new(seal).unwrap().decode_complex(&plain.unwrap()).unwrap();
    assert!(Precision::of_complex(&in_henge[3], &decoded).worst_bits() > 30.0);
}

#[test]
fn what_seal_made_drives_henge() {
    Both::all().for_each(|both| from_seal_to_henge(&Setup::new(both)));
}

#[test]
fn what_henge_made_drives_seal() {
    Both::all().for_each(|both| from_henge_to_seal(&Setup::new(both)));
}

/// What Henge calls 128 bits under the standard of 2018, SEAL does too, and so for what it refuses.
#[test]
fn both_judge_security_alike() {
    use he_params::primes::ntt_prime_chain;
    use he_params::{CkksParams, LogN, RequiredSecurity};
    let security = seal_bridge::Security::Bits128;
    for (log_n, fits, too_long) in [
        (12, &[36, 36, 37][..], &[36, 37, 37][..]),
        (13, &[43, 43, 44, 44, 44], &[43, 44, 44, 44, 44]),
        (14, &[48, 48, 48, 49, 49, 49, 49, 49, 49], &[48, 48, 49, 49, 49, 49, 49, 49, 49]),
    ] {
        let log_n = LogN::new(log_n).unwrap();
        for (bits, expected) in [(fits, true), (too_long, false)] {
            let primes = ntt_prime_chain(bits, log_n, &[]).unwrap();
            let parms = EncryptionParameters::new(log_n.n() as u64, primes.clone()).unwrap();
            let literal = seal_format::convert::literal(&parms, None, RequiredSecurity::default()).unwrap();
            let found = CkksParams::try_from(literal).is_ok();
            let context = Context::new(parms).unwrap();
            let theirs = seal_bridge::Context::new(log_n, &primes, security);
            assert_eq!((found, context.security().bits >= 128), (expected, expected), "N = {log_n}, {bits:?}");
            assert_eq!(theirs.is_ok(), expected, "N = {log_n}, {bits:?}: {theirs:?}");
        }
    }
}
