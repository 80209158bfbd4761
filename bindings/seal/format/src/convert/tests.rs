//! There and back again, and what does not go: against the library itself the conversions are tested beside the bridge.

use std::sync::Arc;

use he_ckks::{CkksContext, Encoder, Evaluator, Seed};
use he_params::{
    CkksParams, CkksParamsLiteral, GaloisElement, ModulusChain, ParamsError, RequiredSecurity, RingType, Rotation,
    SecurityTable,
};
use he_ring::RingError;
use he_rlwe::{GaloisKeys, RelinearizationKey, RlweError};
use he_secret::{Decryptor, KeyGenerator, SecretError, SecretKey, SymmetricEncryptor};

use super::{ConvertError, Converter, encryption_parameters, literal};
use crate::{
    Ciphertext, CiphertextMetadata, Compression, EncryptionParameters, FormatError, Load, ParmsId, Plaintext,
    PublicKey, RelinKeys, Save,
};

fn insecure(log_n: u8, q: &[u8], p: &[u8]) -> CkksParamsLiteral {
    let (q, p) = (ModulusChain::Bits(q.to_vec()), ModulusChain::Bits(p.to_vec()));
    CkksParamsLiteral { security: RequiredSecurity::Insecure, ..CkksParamsLiteral::new(log_n, q, p, 20.0) }
}

/// Both widths of words, and a special prime of either.
fn chains() -> [CkksParamsLiteral; 3] {
    [insecure(6, &[30, 24, 45], &[50]), insecure(5, &[29, 24], &[30]), insecure(4, &[40], &[])]
}

struct Setup {
    context: Arc<CkksContext>,
    converter: Converter,
    secret: SecretKey,
}

impl Setup {
    fn new(literal: CkksParamsLiteral) -> Setup {
        let context = CkksContext::from_literal(literal).unwrap();
        let secret = SecretKey::generate(&context, &Seed::new([1; 32])).unwrap();
        Setup { converter: Converter::new(&context).unwrap(), secret, context }
    }

    fn generator(&self) -> KeyGenerator<'_> {
        KeyGenerator::new(&self.context, &self.secret, Seed::new([2; 32]))
    }

    fn bytes<T: Load>(&self, bytes: &[u8]) -> T {
        let (object, taken) = T::load(bytes, self.converter.seal()).unwrap();
        assert_eq!(taken, bytes.len());
        object
    }
}

#[test]
fn parameters_name_the_same_primes() {
    for chain in chains() {
        let params = CkksParams::try_from(chain).unwrap();
        let parms = encryption_parameters(&params).unwrap();
        let back = literal(&parms, Some(20.0), RequiredSecurity::Insecure).unwrap();
        let back = CkksParams::try_from(back).unwrap();
        assert_eq!(back.canonical_bytes(), params.canonical_bytes());
        assert_eq!(back.literal().table, SecurityTable::HeStandard2018);
        assert_eq!(encryption_parameters(&back).unwrap(), parms);
    }
}

#[test]
fn the_scale_follows_the_primes_unless_it_is_given() {
    let scale = |q: &[u8], p: &[u8]| {
        let parms = encryption_parameters(&CkksParams::try_from(insecure(10, q, p)).unwrap()).unwrap();
        literal(&parms, None, RequiredSecurity::Insecure).unwrap().log_scale
    };
    assert!((scale(&[60, 40, 40], &[60]) - 40.0).abs() < 1e-3);
    assert!((scale(&[60], &[60]) - 30.0).abs() < 1e-3);
    assert!((scale(&[50], &[]) - 25.0).abs() < 1e-3);
}

#[test]
fn the_standard_of_2018_judges_to_the_bit() {
    use he_params::primes::ntt_prime_chain;
    let judge = |log_n: u8, bits: &[u8]| {
        let log_n_checked = he_params::LogN::new(log_n).unwrap();
        let primes = ntt_prime_chain(bits, log_n_checked, &[]).unwrap();
        let parms = EncryptionParameters::new(1 << log_n, primes).unwrap();
        CkksParams::try_from(literal(&parms, None, RequiredSecurity::default()).unwrap())
    };
    // SEAL's own defaults fill its bounds: 109, 218 and 438 bits.
    for (log_n, fits, too_long) in [
        (12, &[36, 36, 37][..], &[36, 37, 37][..]),
        (13, &[43, 43, 44, 44, 44], &[43, 44, 44, 44, 44]),
        (14, &[48, 48, 48, 49, 49, 49, 49, 49, 49], &[48, 48, 49, 49, 49, 49, 49, 49, 49]),
    ] {
        let params = judge(log_n, fits).unwrap();
        let report = params.security_report();
        assert_eq!((report.bits, report.table), (128, SecurityTable::HeStandard2018));
        assert!(report.to_string().contains("standard of 2018"), "{report}");
        assert!(matches!(judge(log_n, too_long), Err(ParamsError::Insecure { .. })));
    }
}

#[test]
fn messages_come_back() {
    for chain in chains() {
        let setup = Setup::new(chain);
        let (context, converter) = (&setup.context, &setup.converter);
        let (top, scale) = (context.params().max_level(), context.params().scale());
        let numbers = [vec![0.5, -1.25], vec![3.0]];
        let encoder = Encoder::new(context);
        let mut levels = vec![top];
        levels.extend(top.below());
        for level in levels {
            let plain = encoder.encode_tensor(&numbers, level, scale).unwrap();
            for value in 0..2 {
                let seal = converter.plaintext_to_seal(&plain, value).unwrap();
                let back: Plaintext = setup.bytes(&seal.save(Compression::Zstd).unwrap());
                assert_eq!(back, seal);
                let back = converter.plaintext_from_seal(&back).unwrap();
                assert_eq!((back.level(), back.scale()), (level, scale));
                assert_eq!(back.rows(), &plain.rows().view().gather(&[value]).unwrap());
            }
            let mut encryptor = SymmetricEncryptor::new(context, &setup.secret, &Seed::new([3; 32]));
            let x = encryptor.encrypt_tensor(&numbers, level, scale).unwrap().expand(context).unwrap();
            let evaluator = Evaluator::new(context);
            let product = evaluator.square(&x);
            for x in [Some(&x), product.as_ref().ok()].into_iter().flatten() {
                for value in 0..2 {
                    let seal = converter.ciphertext_to_seal(x, value).unwrap();
                    let back: Ciphertext = setup.bytes(&seal.save(Compression::None).unwrap());
                    assert_eq!(back, seal);
                    assert_eq!(converter.ciphertext_from_seal(&back).unwrap(), x.gather(&[value]).unwrap());
                }
            }
        }
    }
}

#[test]
fn keys_come_back_and_work() {
    for chain in chains() {
        let setup = Setup::new(chain);
        let (context, converter) = (&setup.context, &setup.converter);
        let secret = converter.secret_key_to_seal(&setup.secret).unwrap();
        let secret: crate::SecretKey = setup.bytes(&secret.save(Compression::None).unwrap());
        let back = converter.secret_key_from_seal(&secret).unwrap();
        assert_eq!(back.expose_coefficients(), setup.secret.expose_coefficients());

        let public = setup.generator().public_key().unwrap();
        let seal = converter.public_key_to_seal(&public).unwrap();
        let seal: PublicKey = setup.bytes(&seal.save(Compression::Zlib).unwrap());
        assert_eq!(converter.public_key_from_seal(&seal).unwrap().rows(), public.rows());

        if context.params().p().is_empty() {
            continue;
        }
        let key = setup.generator().relinearization_key().unwrap();
        let seal = converter.relinearization_key_to_seal(&key).unwrap();
        let seal: RelinKeys = setup.bytes(&seal.save(Compression::None).unwrap());
        let back = converter.relinearization_key_from_seal(&seal).unwrap();
        assert_eq!(back.key().rows(), key.key().rows());

        let galois = setup.generator().galois_keys(&[Rotation(1), Rotation(-2)], true).unwrap();
        let seal = converter.galois_keys_to_seal(&galois).unwrap();
        let seal: crate::GaloisKeys = setup.bytes(&seal.save(Compression::None).unwrap());
        assert_eq!(seal.keys().len(), context.params().n());
        let back = converter.galois_keys_from_seal(&seal).unwrap();
        let elements = |keys: &GaloisKeys| keys.iter().map(|(element, _)| element).collect::<Vec<_>>();
        assert_eq!(elements(&back), elements(&galois));
        assert!(back.iter().zip(galois.iter()).all(|(a, b)| a.1.rows() == b.1.rows()));

        // They do what they did.
        let (top, scale) = (context.params().max_level(), context.params().scale());
        let mut encryptor = SymmetricEncryptor::new(context, &setup.secret, &Seed::new([3; 32]));
        let x = encryptor.encrypt(&[0.5, -0.25], top, scale).unwrap().expand(context).unwrap();
        let evaluator = Evaluator::new(context);
        let [a, b] = [&galois, &back].map(|keys| evaluator.rotate(&x, Rotation(1), keys).unwrap());
        assert_eq!(a, b);
        let decrypted = Decryptor::new(context, &setup.secret).decrypt(&a).unwrap();
        let slots = Encoder::new(context).decode(&decrypted, 0).unwrap();
        assert!((slots[0] + 0.25).abs() < 1e-2 && slots[1].abs() < 1e-2, "{slots:?}");
    }
}

#[test]
fn a_seed_is_expanded() {
    let setup = Setup::new(insecure(5, &[50, 29], &[60]));
    let (converter, seal) = (&setup.converter, setup.converter.seal());
    let seed = crate::Seed { generator: crate::Generator::Blake2xb, words: [7; 8] };
    let metadata = CiphertextMetadata { parms_id: seal.first_parms_id(), is_ntt_form: true, size: 2, scale: 1024.0 };
    let x = Ciphertext::seeded(seal, metadata, vec![1; 64], seed).unwrap();
    let [seeded, whole] =
        [x.clone(), x.without_seed()].map(|x| setup.bytes::<Ciphertext>(&x.save(Compression::None).unwrap()));
    let [a, b] = [&seeded, &whole].map(|x| converter.ciphertext_from_seal(x).unwrap());
    assert_eq!(a, b);
    assert_ne!(a.rows().view().gather(&[1]).unwrap(), a.rows().zero_like().view().gather(&[1]).unwrap());
}

#[test]
fn what_one_library_alone_has_is_refused() {
    let refused = |literal| encryption_parameters(&CkksParams::try_from(literal).unwrap()).unwrap_err();
    let error = refused(insecure(6, &[30, 31], &[]));
    assert_eq!(error, ConvertError::SpecialPrimes { ciphertext: 2, special: 0 });
    let error = refused(insecure(6, &[30, 31], &[40, 41]));
    assert_eq!(error, ConvertError::SpecialPrimes { ciphertext: 2, special: 2 });
    let error = refused(CkksParamsLiteral { primes_per_digit: 2, ..insecure(6, &[30, 31], &[61]) });
    assert_eq!(error, ConvertError::PrimesPerDigit { found: 2 });
    assert!(matches!(refused(insecure(6, &[30, 31], &[61])), ConvertError::PrimeTooLong { max_bits: 60, .. }));
    let error = refused(CkksParamsLiteral { ring: RingType::ConjugateInvariant, ..insecure(6, &[30], &[]) });
    assert_eq!(error, ConvertError::RingType(RingType::ConjugateInvariant));
    let odd = EncryptionParameters::new(12, vec![97]).unwrap();
    let error = literal(&odd, None, RequiredSecurity::Insecure).unwrap_err();
    assert_eq!(error, ConvertError::Degree { found: 12 });

    let setup = Setup::new(insecure(4, &[30, 31], &[40]));
    let (converter, seal) = (&setup.converter, setup.converter.seal());
    let ciphertext = |size: usize, is_ntt_form| {
        let metadata = CiphertextMetadata { parms_id: seal.first_parms_id(), is_ntt_form, size, scale: 2.0 };
        let x = Ciphertext::new(seal, metadata, vec![1; size * 32]).unwrap();
        converter.ciphertext_from_seal(&x).map(|x| x.component_count())
    };
    assert_eq!(ciphertext(3, true), Ok(3));
    assert_eq!(ciphertext(4, true), Err(ConvertError::ComponentCount { found: 4 }));
    assert_eq!(ciphertext(0, true), Err(ConvertError::ComponentCount { found: 0 }));
    assert_eq!(ciphertext(2, false), Err(ConvertError::Coefficients));
    let empty = Plaintext::new(seal, ParmsId::ZERO, 1.0, Vec::new()).unwrap();
    let error = converter.plaintext_from_seal(&empty).unwrap_err();
    assert_eq!(error, ConvertError::OtherParms { object: "Plaintext", found: ParmsId::ZERO });

    for (keys, found) in [(vec![], 0), (vec![vec![]], 0), (vec![key(&setup), key(&setup)], 2)] {
        let keys = RelinKeys::new(seal, keys).unwrap();
        let error = converter.relinearization_key_from_seal(&keys).unwrap_err();
        assert_eq!(error, ConvertError::RelinearizationKeys { found });
    }
    let words = vec![2; 48];
    let secret = crate::SecretKey::new(seal, words).unwrap();
    assert_eq!(converter.secret_key_from_seal(&secret).unwrap_err(), SecretError::NotTernary.into());
}

/// A key of SEAL's that switches nothing.
fn key(setup: &Setup) -> Vec<PublicKey> {
    let context = setup.converter.seal();
    let words = 2 * context.degree() * context.key_prime_count();
    vec![PublicKey::new(context, vec![1; words]).unwrap(); context.data_prime_count()]
}

#[test]
fn objects_of_other_parameters_are_refused() {
    let ours = Setup::new(insecure(4, &[30, 31], &[40]));
    let theirs = Setup::new(insecure(4, &[30, 32], &[40]));
    let (context, converter) = (&theirs.context, &ours.converter);
    let (top, scale) = (context.params().max_level(), context.params().scale());
    let plain = Encoder::new(context).encode(&[1.0], top, scale).unwrap();
    let seal = theirs.converter.plaintext_to_seal(&plain, 0).unwrap();
    assert!(matches!(converter.plaintext_from_seal(&seal), Err(ConvertError::OtherParms { object: "Plaintext", .. })));
    let mut encryptor = SymmetricEncryptor::new(context, &theirs.secret, &Seed::new([3; 32]));
    let x = encryptor.encrypt(&[0.5], top, scale).unwrap().expand(context).unwrap();
    assert!(matches!(converter.ciphertext_to_seal(&x, 0), Err(ConvertError::Format(FormatError::Residue { .. }))));
    assert!(matches!(converter.ciphertext_to_seal(&x, 1), Err(ConvertError::Ring(RingError::RowOutOfRange { .. }))));
    let seal = theirs.converter.ciphertext_to_seal(&x, 0).unwrap();
    assert!(matches!(converter.ciphertext_from_seal(&seal), Err(ConvertError::OtherParms { .. })));
    let secret = theirs.converter.secret_key_to_seal(&theirs.secret).unwrap();
    let error = converter.secret_key_from_seal(&secret).unwrap_err();
    assert_eq!(error, SecretError::NotTernary.into());
    let other = Setup::new(insecure(5, &[30, 31], &[40]));
    let secret = other.converter.secret_key_to_seal(&other.secret).unwrap();
    assert!(matches!(
        converter.secret_key_from_seal(&secret),
        Err(ConvertError::Ring(RingError::LengthMismatch { .. }))
    ));
}

#[test]
fn nothing_is_switched_without_a_special_prime() {
    let setup = Setup::new(insecure(4, &[40], &[]));
    let context = setup.converter.seal();
    let keys = RelinKeys::new(context, vec![key(&setup)]).unwrap();
    let error = setup.converter.relinearization_key_from_seal(&keys).unwrap_err();
    assert_eq!(error, RlweError::NoSpecialPrimes.into());
    let mut places = vec![Vec::new(); 16];
    places[1] = key(&setup);
    let keys = crate::GaloisKeys::new(context, places).unwrap();
    assert_eq!(setup.converter.galois_keys_from_seal(&keys).unwrap_err(), RlweError::NoSpecialPrimes.into());
    assert_eq!(keys.elements().collect::<Vec<_>>(), [GaloisElement::new(3, context_log_n(&setup)).unwrap().get()]);
    assert!(matches!(setup.generator().relinearization_key(), Err(SecretError::NoSpecialPrimes)));
}

fn context_log_n(setup: &Setup) -> he_params::LogN {
    setup.context.params().log_n()
}

#[test]
fn a_relinearization_key_of_other_digits_is_refused() {
    let ours = Setup::new(insecure(4, &[30, 31], &[40]));
    let theirs = Setup::new(insecure(4, &[30, 31, 32], &[40]));
    let key: RelinearizationKey = theirs.generator().relinearization_key().unwrap();
    assert!(ours.converter.relinearization_key_to_seal(&key).is_err());
}
