//! Every call of the bridge, every way it refuses, its objects on several threads, and its memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use he_params::{GaloisElement, Level, LogN, Rotation, Scale};
use num_complex::Complex64;
use seal_bridge::{
    Ciphertext, Compression, Context, Decryptor, Encoder, Evaluator, GaloisKeys, KeyGenerator, Plaintext,
    PublicEncryptor, PublicKey, RelinKeys, SealError, SecretKey, Security, SymmetricEncryptor, describe, max_bit_count,
    pick_primes,
};

fn log_n(log_n: u8) -> LogN {
    LogN::new(log_n).unwrap()
}

fn scale() -> Scale {
    Scale::from_log2(30.0).unwrap()
}

/// A key owner with N = 4096 and primes of 36, 36 and 37 bits: at most 109 bits for 128 bits of security.
struct Owner {
    context: Context,
    generator: KeyGenerator,
    secret: SecretKey,
    encoder: Encoder,
    evaluator: Evaluator,
    decryptor: Decryptor,
    encryptor: SymmetricEncryptor,
}

impl Owner {
    fn new(context: Context) -> Owner {
        let generator = KeyGenerator::new(&context).unwrap();
        let secret = generator.secret_key().unwrap();
        Owner {
            encoder: Encoder::new(&context).unwrap(),
            evaluator: Evaluator::new(&context).unwrap(),
            decryptor: Decryptor::new(&context, &secret).unwrap(),
            encryptor: SymmetricEncryptor::new(&context, &secret).unwrap(),
            generator,
            secret,
            context,
        }
    }

    fn usual() -> Owner {
        Self::new(Context::new(log_n(12), &pick_primes(log_n(12), &[36, 36, 37]).unwrap(), Security::Bits128).unwrap())
    }

    /// Toy parameters.
    fn tiny(bits: &[u8]) -> Owner {
        Self::new(Context::new(log_n(6), &pick_primes(log_n(6), bits).unwrap(), Security::None).unwrap())
    }

    fn plain(&self, values: &[f64]) -> Plaintext {
        self.encoder.encode(values, self.context.max_level(), scale()).unwrap()
    }

    fn encrypt(&self, values: &[f64]) -> Ciphertext {
        self.encryptor.encrypt(&self.plain(values)).unwrap()
    }

    fn slots(&self, x: &Ciphertext) -> Vec<f64> {
        self.encoder.decode(&self.decryptor.decrypt(x).unwrap()).unwrap()
    }

    fn decrypts_to(&self, x: &Ciphertext, expected: &[f64]) {
        let slots = self.slots(x);
        for (found, expected) in slots.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-2, "{found} {expected}");
        }
    }
}

/// Refuses with these words.
fn refused<T: Debug>(result: Result<T, SealError>, operation: &str, message: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.operation, operation, "{error}");
    assert!(error.message.contains(message), "{error}, expected {message}");
    assert!(error.to_string().starts_with(&format!("SEAL, {operation}: ")));
}

#[test]
fn every_operation() {
    println!("{}", describe());
    assert!(describe().starts_with("Microsoft SEAL 4.1.2, "));
    let mut owner = Owner::usual();
    let evaluator = &owner.evaluator;
    let relin = owner.generator.relin_keys().unwrap();
    let (left, turn) = (GaloisElement::rotation(Rotation(1), log_n(12)), GaloisElement::conjugation(log_n(12)));
    let galois = owner.generator.galois_keys(&[left, turn]).unwrap();
    assert_eq!((relin.len(), relin.is_empty()), (1, false));
    assert_eq!(owner.context.granted_security(), 128);
    let public = PublicEncryptor::new(&owner.context, &owner.generator.public_key().unwrap()).unwrap();
    let (a, b) = ([0.5, -3.0, 2.0], [1.0, 2.0, 3.0]);
    let y = owner.encrypt(&b);
    for x in [public.encrypt(&owner.plain(&a)).unwrap(), owner.encrypt(&a)] {
        let on = |f: &dyn Fn(&mut Ciphertext) -> Result<(), SealError>| {
            let mut x = x.clone();
            f(&mut x).unwrap();
            x
        };
        owner.decrypts_to(&x, &a);
        owner.decrypts_to(&on(&|x| evaluator.add_assign(x, &y)), &[1.5, -1.0, 5.0]);
        owner.decrypts_to(&on(&|x| evaluator.sub_assign(x, &y)), &[-0.5, -5.0, -1.0]);
        owner.decrypts_to(&on(&|x| evaluator.negate_assign(x)), &[-0.5, 3.0, -2.0]);
        owner.decrypts_to(&on(&|x| evaluator.add_plain_assign(x, &owner.plain(&b))), &[1.5, -1.0, 5.0]);
        owner.decrypts_to(&on(&|x| evaluator.sub_plain_assign(x, &owner.plain(&b))), &[-0.5, -5.0, -1.0]);
        owner.decrypts_to(&on(&|x| evaluator.mul_plain_assign(x, &owner.plain(&b))), &[0.5, -6.0, 6.0]);
        owner.decrypts_to(&on(&|x| evaluator.rotate_assign(x, Rotation(1), &galois)), &[-3.0, 2.0, 0.0]);
        owner.decrypts_to(&on(&|x| evaluator.apply_galois_assign(x, left, &galois)), &[-3.0, 2.0, 0.0]);
        owner.decrypts_to(&on(&|x| evaluator.conjugate_assign(x, &galois)), &a);
        owner.decrypts_to(&on(&|x| evaluator.rotate_assign(x, Rotation(0), &galois)), &a);
        let product = evaluator.mul(&x, &y).unwrap();
        let square = evaluator.square(&x).unwrap();
        assert_eq!((product.component_count(), square.component_count()), (3, 3));
        owner.decrypts_to(&product, &[0.5, -6.0, 6.0]);
        owner.decrypts_to(&square, &[0.25, 9.0, 4.0]);
        let mut square = square;
        evaluator.relinearize_assign(&mut square, &relin).unwrap();
        assert_eq!(square.component_count(), 2);
        let low = evaluator.rescale(&square).unwrap();
        assert_eq!((low.level().unwrap(), square.level().unwrap()), (Level::new(0), Level::new(1)));
        owner.decrypts_to(&low, &[0.25, 9.0, 4.0]);
        let low = evaluator.drop_level(&x, Level::new(0)).unwrap();
        assert_eq!((low.level().unwrap(), low.scale().unwrap()), (Level::new(0), scale()));
        owner.decrypts_to(&low, &a);
        let mut plain = owner.plain(&b);
        evaluator.drop_plain_level_assign(&mut plain, Level::new(0)).unwrap();
        assert_eq!(plain.level(&owner.context).unwrap(), Level::new(0));
        let mut sum = low;
        evaluator.add_plain_assign(&mut sum, &plain).unwrap();
        owner.decrypts_to(&sum, &[1.5, -1.0, 5.0]);
        let mut doubled = x.clone();
        doubled.set_scale(Scale::from_log2(29.0).unwrap());
        owner.decrypts_to(&doubled, &[1.0, -6.0, 4.0]);
        let mut plain = owner.plain(&b);
        plain.set_scale(Scale::from_log2(29.0).unwrap());
        assert!((owner.encoder.decode(&plain).unwrap()[2] - 6.0).abs() < 1e-6);
    }
    let slots = [Complex64::new(0.5, -2.0), Complex64::new(-1.0, 3.0)];
    let plain = owner.encoder.encode_complex(&slots, owner.context.max_level(), scale()).unwrap();
    let found = owner.encoder.decode_complex(&plain).unwrap();
    assert!(found.iter().zip(&slots).all(|(a, b)| (a - b).norm() < 1e-5));
    let plain = owner.encoder.encode_scalar(0.75, owner.context.max_level(), scale()).unwrap();
    assert!(owner.encoder.decode(&plain).unwrap().iter().all(|slot| (slot - 0.75).abs() < 1e-6));
    assert!(format!("{owner:?}", owner = owner.evaluator).contains("Evaluator"));
}

/// What is loaded is what was saved, by every compressor.
#[test]
fn every_object_is_saved_and_loaded() {
    let mut owner = Owner::usual();
    let elements = [GaloisElement::rotation(Rotation(1), log_n(12)), GaloisElement::conjugation(log_n(12))];
    let (public, relin) = (owner.generator.public_key().unwrap(), owner.generator.relin_keys().unwrap());
    let galois = owner.generator.galois_keys(&elements).unwrap();
    let (plain, x) = (owner.plain(&[1.0, 2.0]), owner.encrypt(&[1.0, 2.0]));
    for compression in Compression::ALL {
        let context = Context::load(&owner.context.save(compression).unwrap(), Security::Bits128).unwrap();
        assert_eq!((context.primes(), context.log_n()), (owner.context.primes(), log_n(12)));
        assert_eq!(context.key_id().unwrap(), owner.context.key_id().unwrap());

        assert_eq!(Plaintext::load(&context, &plain.save(compression).unwrap()).unwrap(), plain);
        let bytes = x.save(compression).unwrap();
        assert_eq!(Ciphertext::load(&context, &bytes).unwrap(), x);
        assert_eq!(Ciphertext::load(&context, &[&bytes[..], b"what follows"].concat()).unwrap(), x);
        let loaded = SecretKey::load(&context, &owner.secret.save(compression).unwrap()).unwrap();
        assert!(loaded.expose_words() == owner.secret.expose_words());
        assert_eq!(loaded.parms_id(), context.key_id().unwrap());
        let loaded = PublicKey::load(&context, &public.save(compression).unwrap()).unwrap();
        assert_eq!((loaded.words(), loaded.parms_id()), (public.words(), public.parms_id()));
        let loaded = RelinKeys::load(&context, &relin.save(compression).unwrap()).unwrap();
        assert_eq!((loaded.words(0), loaded.parms_id()), (relin.words(0), relin.parms_id()));
        assert!(loaded.words(1).is_empty());
        let loaded = GaloisKeys::load(&context, &galois.save(compression).unwrap()).unwrap();
        assert_eq!((loaded.elements(&context), loaded.parms_id()), (elements.to_vec(), galois.parms_id()));
        for element in elements {
            assert_eq!(loaded.words(element), galois.words(element));
        }
    }
    let size = |compression| x.save(compression).unwrap().len();
    assert!(
        size(Compression::None) == 131185 && size(Compression::Zlib) < 120_000 && size(Compression::Zstd) < 120_000
    );
}

/// What SEAL can only write is read as a whole, and works.
#[test]
fn seeded_objects_are_half_as_long_and_work() {
    let mut owner = Owner::usual();
    let context = owner.context.clone();
    let turn = GaloisElement::rotation(Rotation(1), log_n(12));
    for compression in Compression::ALL {
        let bytes = owner.encryptor.save_seeded(&owner.plain(&[1.0, -2.0]), compression).unwrap();
        let public = owner.generator.save_seeded_public_key(compression).unwrap();
        let relin = owner.generator.save_seeded_relin_keys(compression).unwrap();
        let galois = owner.generator.save_seeded_galois_keys(&[turn], compression).unwrap();
        if compression == Compression::None {
            assert_eq!(bytes.len(), 65730);
            assert!(public.len() < 99_000 && relin.len() < 198_000);
        }
        let x = Ciphertext::load(&context, &bytes).unwrap();
        owner.decrypts_to(&x, &[1.0, -2.0]);
        let public = PublicEncryptor::new(&context, &PublicKey::load(&context, &public).unwrap()).unwrap();
        owner.decrypts_to(&public.encrypt(&owner.plain(&[3.0])).unwrap(), &[3.0]);
        let mut square = owner.evaluator.square(&x).unwrap();
        let relin = RelinKeys::load(&context, &relin).unwrap();
        owner.evaluator.relinearize_assign(&mut square, &relin).unwrap();
        let galois = GaloisKeys::load(&context, &galois).unwrap();
        owner.evaluator.rotate_assign(&mut square, Rotation(1), &galois).unwrap();
        owner.decrypts_to(&square, &[4.0, 0.0]);
    }
}

#[test]
fn residues_go_out_and_in() {
    let mut owner = Owner::usual();
    let context = &owner.context;
    let top = context.max_level();
    let (plain, x) = (owner.plain(&[1.0]), owner.encrypt(&[1.0]));
    assert_eq!(Plaintext::from_words(context, plain.words(), top, scale()).unwrap(), plain);
    assert_eq!(Ciphertext::from_words(context, x.words(), 2, top, scale()).unwrap(), x);
    let secret = SecretKey::from_words(context, owner.secret.expose_words()).unwrap();
    let mut generator = KeyGenerator::with_secret_key(context, &secret).unwrap();
    assert!(generator.secret_key().unwrap().expose_words() == owner.secret.expose_words());
    let public = generator.public_key().unwrap();
    let public = PublicKey::from_words(context, public.words()).unwrap().clone();
    let y = PublicEncryptor::new(context, &public).unwrap().encrypt(&plain).unwrap();
    owner.decrypts_to(&y, &[1.0]);
    let relin = owner.generator.relin_keys().unwrap();
    let relin = RelinKeys::from_words(context, &relin.words(0)).unwrap().clone();
    let mut square = owner.evaluator.square(&x).unwrap();
    owner.evaluator.relinearize_assign(&mut square, &relin).unwrap();
    owner.decrypts_to(&square, &[1.0]);

    let turn = GaloisElement::rotation(Rotation(1), log_n(12));
    let words = generator.galois_keys(&[turn]).unwrap().words(turn);
    let mut galois = GaloisKeys::empty(context).unwrap();
    galois.insert(context, turn, &words).unwrap();
    let mut z = owner.encrypt(&[1.0, 5.0]);
    owner.evaluator.rotate_assign(&mut z, Rotation(1), &galois.clone()).unwrap();
    owner.decrypts_to(&z, &[5.0]);
}

#[test]
fn the_same_seed_gives_the_same_objects() {
    let primes = pick_primes(log_n(12), &[36, 36, 37]).unwrap();
    let objects = |seed| {
        let context = Context::with_fixed_randomness(log_n(12), &primes, Security::Bits128, [seed; 8]).unwrap();
        let owner = Owner::new(context);
        (owner.secret.expose_words().to_vec(), owner.encrypt(&[1.0]).words().to_vec())
    };
    assert!(objects(1) == objects(1));
    assert!(objects(1) != objects(2));
    let drawn = || Owner::usual().secret.expose_words().to_vec();
    assert!(drawn() != drawn());
}

#[test]
fn parameters_are_refused() {
    let new = |primes: &[u64], security| Context::new(log_n(12), primes, security);
    let what = "make a context";
    refused(new(&[], Security::None), what, "coeff_modulus");
    refused(new(&[4], Security::None), what, "coeff_modulus");
    refused(new(&[65537, 65539], Security::None), what, "coeff_modulus");
    refused(new(&[1 << 62], Security::None), what, "");
    refused(new(&[65537, 65537], Security::None), what, "RNSBase");
    let long = pick_primes(log_n(12), &[60, 60]).unwrap();
    refused(new(&long, Security::Bits128), what, "security standard");
    assert_eq!(new(&long, Security::None).unwrap().granted_security(), 0);
    refused(new(&pick_primes(log_n(12), &[36, 36, 37]).unwrap(), Security::Bits192), what, "security standard");
    refused(pick_primes(log_n(12), &[12]), "pick primes", "");
    refused(pick_primes(log_n(16), &[18; 9]), "pick primes", "");
    assert_eq!(max_bit_count(log_n(12), Security::Bits128).unwrap(), 109);
    assert_eq!(max_bit_count(log_n(9), Security::Bits128).unwrap(), 0);

    let owner = Owner::usual();
    let context = &owner.context;
    let bytes = context.save(Compression::None).unwrap();
    refused(Context::load(&bytes, Security::Bits256), "load parameters", "security standard");
    refused(Context::load(&bytes[..bytes.len() - 1], Security::None), "load parameters", "");
    refused(Context::load(&[], Security::None), "load parameters", "");
    let mut other = bytes.clone();
    other[16] = 1;
    refused(Context::load(&other, Security::None), "load parameters", "");
    assert!(format!("{context:?}").contains("primes"));
    refused(context.level_id(Level::new(2)), "take a level", "the highest is 1");
    refused(context.below(Level::new(2)), "take a level", "the highest is 1");
    assert_eq!(context.below(Level::new(0)).unwrap(), None);
    refused(context.forward(3, &mut vec![0; 4096]), "transform", "prime 3");
    refused(context.forward(0, &mut vec![0; 4095]), "transform", "4095 words");
    refused(context.inverse(0, &mut vec![u64::MAX; 4096]), "transform back", "not below");
}

#[test]
fn numbers_that_cannot_be_encoded_are_refused() {
    let owner = Owner::usual();
    let (encoder, top) = (&owner.encoder, owner.context.max_level());
    let what = "encode";
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        refused(encoder.encode(&[0.0, value], top, scale()), what, "not finite");
        refused(encoder.encode_scalar(value, top, scale()), "encode a scalar", "not finite");
        let value = Complex64::new(0.0, value);
        refused(encoder.encode_complex(&[value], top, scale()), "encode complex numbers", "not finite");
    }
    refused(encoder.encode(&[1e20], top, scale()), what, "too large");
    refused(encoder.encode_scalar(1e20, top, scale()), "encode a scalar", "too large");
    refused(encoder.encode(&[0.0; 2049], top, scale()), what, "too large");
    refused(encoder.encode(&[0.0], top, Scale::from_log2(200.0).unwrap()), what, "scale out of bounds");
    refused(encoder.encode(&[0.0], Level::new(2), scale()), "take a level", "the highest is 1");
    let tiny = Scale::new(f64::MIN_POSITIVE).unwrap();
    assert!(encoder.encode_scalar(0.0, top, scale()).unwrap().words().iter().all(|&word| word == 0));
    assert!(encoder.encode_scalar(1e-10, top, tiny).unwrap().words().iter().all(|&word| word == 0));
    assert!(encoder.encode(&[0.0], top, tiny).unwrap().words().iter().all(|&word| word == 0));
    assert!(encoder.encode(&[], top, scale()).unwrap().words().iter().all(|&word| word == 0));
}

#[test]
fn operands_that_do_not_go_together_are_refused() {
    let mut owner = Owner::usual();
    let other = Owner::tiny(&[30, 30, 30]);
    let (evaluator, top) = (&owner.evaluator, owner.context.max_level());
    let x = owner.encrypt(&[1.0]);
    let foreign = other.encrypt(&[1.0]);
    let low = evaluator.drop_level(&x, Level::new(0)).unwrap();
    let mut scaled = x.clone();
    scaled.set_scale(Scale::from_log2(31.0).unwrap());
    let on = |f: &dyn Fn(&mut Ciphertext) -> Result<(), SealError>| f(&mut x.clone());
    for y in [&foreign, &low, &scaled] {
        refused(on(&|x| evaluator.add_assign(x, y)), "add", "");
        refused(on(&|x| evaluator.sub_assign(x, y)), "sub", "");
    }
    refused(on(&|x| evaluator.sub_assign(x, &x.clone())), "sub", "transparent");
    refused(evaluator.mul(&x, &foreign), "mul", "not valid");
    refused(evaluator.mul(&x, &low), "mul", "mismatch");
    refused(evaluator.square(&low), "square", "scale out of bounds");
    refused(evaluator.square(&foreign), "square", "not valid");
    refused(evaluator.negate_assign(&mut foreign.clone()), "negate", "not valid");
    let mut huge = x.clone();
    huge.set_scale(Scale::new(1e200).unwrap());
    refused(evaluator.square(&huge), "square", "scale out of bounds");
    refused(evaluator.mul(&huge, &huge), "mul", "scale out of bounds");
    let mut plain = owner.plain(&[1.0]);
    plain.set_scale(Scale::new(1e200).unwrap());
    refused(evaluator.mul_plain_assign(&mut huge, &plain), "mul_plain", "scale out of bounds");
    refused(on(&|x| evaluator.add_plain_assign(x, &plain)), "add_plain", "scale mismatch");
    refused(on(&|x| evaluator.sub_plain_assign(x, &plain)), "sub_plain", "scale mismatch");
    let foreign_plain = other.plain(&[1.0]);
    refused(on(&|x| evaluator.mul_plain_assign(x, &foreign_plain)), "mul_plain", "not valid");
    refused(evaluator.rescale(&low), "rescale", "end of modulus switching chain");
    refused(evaluator.rescale(&foreign), "rescale", "not valid");
    refused(evaluator.drop_level(&low, Level::new(1)), "drop_level", "higher level");
    refused(evaluator.drop_level(&x, Level::new(2)), "take a level", "the highest is 1");
    let mut low_plain = owner.plain(&[1.0]);
    evaluator.drop_plain_level_assign(&mut low_plain, Level::new(0)).unwrap();
    refused(evaluator.drop_plain_level_assign(&mut low_plain, Level::new(1)), "drop_level", "higher level");
    refused(owner.decryptor.decrypt(&foreign), "decrypt", "not valid");
    refused(owner.encryptor.encrypt(&foreign_plain), "encrypt", "not valid");
    refused(owner.encryptor.save_seeded(&foreign_plain, Compression::None), "save a seeded ciphertext", "not valid");
    refused(owner.encoder.decode(&foreign_plain), "decode", "not valid");
    refused(owner.encoder.decode_complex(&foreign_plain), "decode complex numbers", "not valid");
    refused(foreign_plain.level(&owner.context), "ask for a level", "other parameters");

    let elements = [GaloisElement::rotation(Rotation(1), log_n(12))];
    let galois = owner.generator.galois_keys(&elements).unwrap();
    refused(on(&|x| evaluator.rotate_assign(x, Rotation(2), &galois)), "rotate", "not present");
    refused(on(&|x| evaluator.rotate_assign(x, Rotation(2048), &galois)), "rotate", "by 2048 of 2048 slots");
    refused(on(&|x| evaluator.rotate_assign(x, Rotation(i32::MIN), &galois)), "rotate", "slots");
    refused(on(&|x| evaluator.conjugate_assign(x, &galois)), "conjugate", "not present");
    let element = GaloisElement::new(131071, log_n(16)).unwrap();
    refused(on(&|x| evaluator.apply_galois_assign(x, element, &galois)), "apply_galois", "not present");
    let mut three = evaluator.square(&x).unwrap();
    refused(evaluator.rotate_assign(&mut three, Rotation(1), &galois), "rotate", "size must be 2");
    let empty = GaloisKeys::empty(&owner.context).unwrap();
    refused(on(&|x| evaluator.rotate_assign(x, Rotation(1), &empty)), "rotate", "not present");

    // One key serves three components, not four.
    let relin = owner.generator.relin_keys().unwrap();
    let mut four = Ciphertext::from_words(&owner.context, &x.words().repeat(2), 4, top, scale()).unwrap();
    refused(evaluator.relinearize_assign(&mut four, &relin), "relinearize", "not enough");
    let mut other_generator = other.generator;
    let foreign_relin = other_generator.relin_keys().unwrap();
    refused(evaluator.relinearize_assign(&mut three, &foreign_relin), "relinearize", "not valid");
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let mut owner = Owner::usual();
    let mut other = Owner::tiny(&[30, 30, 30]);
    let context = &owner.context;
    refused(SymmetricEncryptor::new(context, &other.secret), "make an encryptor", "not valid");
    refused(Decryptor::new(context, &other.secret), "make a decryptor", "not valid");
    refused(KeyGenerator::with_secret_key(context, &other.secret), "take a secret key", "not valid");
    let public = other.generator.public_key().unwrap();
    refused(PublicEncryptor::new(context, &public), "make an encryptor", "not valid");
    refused(SecretKey::from_words(context, &[0; 5]), "take a secret key", "5 words");
    refused(SecretKey::from_words(context, &[u64::MAX; 3 * 4096]), "take a secret key", "not below");
    refused(PublicKey::from_words(context, &[0; 5]), "take a public key", "5 words");
    refused(PublicKey::from_words(context, &[u64::MAX; 6 * 4096]), "take a public key", "not below");
    refused(RelinKeys::from_words(context, &[0; 5]), "take relinearization keys", "5 words");
    refused(RelinKeys::from_words(context, &[u64::MAX; 12 * 4096]), "take relinearization keys", "not below");
    let mut galois = GaloisKeys::empty(context).unwrap();
    let turn = GaloisElement::rotation(Rotation(1), log_n(12));
    refused(galois.insert(context, turn, &[0; 5]), "take a Galois key", "5 words");
    refused(galois.insert(context, turn, &[u64::MAX; 12 * 4096]), "take a Galois key", "not below");
    let far = GaloisElement::new(131071, log_n(16)).unwrap();
    refused(galois.insert(context, far, &[0; 12 * 4096]), "take a Galois key", "131071");
    refused(owner.generator.galois_keys(&[far]), "generate Galois keys", "not valid");
    refused(owner.generator.save_seeded_galois_keys(&[far], Compression::None), "save seeded Galois keys", "not valid");
    refused(Plaintext::from_words(context, &[0; 5], Level::new(0), scale()), "take a plaintext", "5 words");
    let large = [u64::MAX; 4096];
    refused(Plaintext::from_words(context, &large, Level::new(0), scale()), "take a plaintext", "not below");
    refused(Ciphertext::from_words(context, &[0; 5], 2, Level::new(0), scale()), "take a ciphertext", "5 words");
    refused(Ciphertext::from_words(context, &large, 1, Level::new(0), scale()), "take a ciphertext", "invalid size");
    refused(
        Ciphertext::from_words(context, &large.repeat(2), 2, Level::new(0), scale()),
        "take a ciphertext",
        "not below",
    );

    // Without a special prime nothing is switched.
    let mut single = Owner::tiny(&[30]);
    assert!(!single.context.has_special_prime());
    refused(single.generator.relin_keys(), "generate relinearization keys", "keyswitching");
    refused(single.generator.default_galois_keys(), "generate Galois keys", "keyswitching");
    refused(
        single.generator.save_seeded_relin_keys(Compression::None),
        "save seeded relinearization keys",
        "keyswitching",
    );
    refused(RelinKeys::from_words(&single.context, &[]), "take relinearization keys", "keyswitching");
    assert!(single.generator.public_key().is_ok());
}

#[test]
fn bytes_that_are_no_object_are_refused() {
    let mut owner = Owner::tiny(&[30, 30, 30]);
    let other = Owner::usual();
    let context = &owner.context;
    let x = owner.encryptor.encrypt(&owner.encoder.encode(&[1.0], Level::new(1), scale()).unwrap()).unwrap();
    let bytes = x.save(Compression::None).unwrap();
    let what = "load a ciphertext";
    refused(Ciphertext::load(context, &[]), what, "");
    for cut in [1, 15, 16, 17, bytes.len() - 1] {
        refused(Ciphertext::load(context, &bytes[..cut]), what, "");
    }
    refused(Ciphertext::load(&other.context, &bytes), what, "invalid");
    refused(Plaintext::load(context, &bytes), "load a plaintext", "");
    refused(SecretKey::load(context, &bytes), "load a secret key", "");
    refused(PublicKey::load(context, &bytes), "load a public key", "");
    refused(RelinKeys::load(context, &bytes), "load relinearization keys", "");
    refused(GaloisKeys::load(context, &bytes), "load Galois keys", "");
    let patched = |at: usize, with: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        Ciphertext::load(context, &bytes)
    };
    // Body: parms_id, NTT form, polynomials, N, primes, scale.
    refused(patched(16, &[0xff]), what, "invalid");
    refused(patched(16 + 32, &[0]), what, "not in NTT form");
    refused(patched(16 + 33, &[3]), what, "");
    let number = |x: f64| x.to_le_bytes();
    refused(patched(16 + 57, &number(f64::NAN)), what, "the scale is");
    refused(patched(16 + 57, &number(f64::INFINITY)), what, "the scale is");
    refused(patched(16 + 57, &number(-1.0)), what, "the scale is");
    refused(patched(16 + 57, &number(0.0)), what, "invalid");
    refused(patched(bytes.len() - 1, &[0xff]), what, "invalid");

    // No polynomials at all: SEAL takes it, and would write into it.
    let mut none = bytes[..16 + 73 + 24].to_vec();
    let len = none.len() as u64;
    none[8..16].copy_from_slice(&len.to_le_bytes());
    none[16 + 33..16 + 41].fill(0);
    none[16 + 73 + 8..16 + 73 + 16].copy_from_slice(&24u64.to_le_bytes());
    none[16 + 73 + 16..].fill(0);
    refused(Ciphertext::load(context, &none), what, "empty");

    // A key for s^3 and none for s^2: SEAL counts one key and reads the first.
    let relin = owner.generator.relin_keys().unwrap().save(Compression::None).unwrap();
    let mut hole = relin[..16 + 32].to_vec();
    hole.extend(2u64.to_le_bytes());
    hole.extend(0u64.to_le_bytes());
    hole.extend(&relin[16 + 32 + 8..]);
    let len = hole.len() as u64;
    hole[8..16].copy_from_slice(&len.to_le_bytes());
    refused(RelinKeys::load(context, &hole), "load relinearization keys", "hole");
}

/// One context, encoder, evaluator, key set, encryptor and decryptor for all threads.
#[test]
fn threads_share_what_may_be_shared() {
    let mut owner = Owner::usual();
    let relin = owner.generator.relin_keys().unwrap();
    let galois = owner.generator.default_galois_keys().unwrap();
    let Owner { encoder, evaluator, decryptor, encryptor, context, .. } = &owner;
    let top = context.max_level();
    std::thread::scope(|scope| {
        let work = |thread: usize| {
            let (relin, galois) = (&relin, &galois);
            move || {
                for round in 0..8 {
                    let value = (thread * 8 + round) as f64 / 8.0;
                    let x = encryptor.encrypt(&encoder.encode(&[0.0, value], top, scale()).unwrap()).unwrap();
                    let mut x = evaluator.square(&x).unwrap();
                    // Three components: the decryptor makes s^2, whichever thread is first.
                    let slots = encoder.decode(&decryptor.decrypt(&x).unwrap()).unwrap();
                    assert!((slots[1] - value * value).abs() < 1e-2);
                    evaluator.relinearize_assign(&mut x, relin).unwrap();
                    evaluator.rotate_assign(&mut x, Rotation(1), galois).unwrap();
                    let slots = encoder.decode(&decryptor.decrypt(&x).unwrap()).unwrap();
                    assert!((slots[0] - value * value).abs() < 1e-2);
                    let bytes = x.save(Compression::Zstd).unwrap();
                    assert_eq!(Ciphertext::load(context, &bytes).unwrap(), x);
                }
            }
        };
        let threads: Vec<_> = (0..4).map(|thread| scope.spawn(work(thread))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    // Made here, dropped there.
    let x = owner.encrypt(&[1.0]);
    let generator = owner.generator;
    std::thread::spawn(move || drop((x, generator))).join().unwrap();
}

#[test]
fn a_secret_key_is_not_printed() {
    let owner = Owner::tiny(&[30, 30, 30]);
    assert_eq!(format!("{:?} {:?}", owner.secret, owner.generator), "SecretKey { .. } KeyGenerator { .. }");
}
