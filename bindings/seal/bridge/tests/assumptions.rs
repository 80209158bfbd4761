//! What Henge and `seal_format` take for granted about SEAL, each held against the library itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod parameters;

use std::f64::consts::PI;

use he_ckks::{Precision, Seed};
use he_params::noise::Encryption;
use he_params::{
    CkksParams, CkksParamsLiteral, GaloisElement, Level, LogN, ModulusChain, RequiredSecurity, Rotation, Scale,
    SecurityBits, SecurityTable,
};
use he_ring::Coeff;
use he_secret::SecretKey;
use num_complex::Complex64;
use parameters::{Both, CHAINS, DEGREES, MARGIN_BITS, numbers, words};
use seal_bridge::{
    Context, Decryptor, Encoder, Evaluator, KeyGenerator, PublicEncryptor, Security, SymmetricEncryptor, max_bit_count,
    pick_primes,
};

fn log_n(log_n: u8) -> LogN {
    LogN::new(log_n).unwrap()
}

fn power(base: u64, mut exponent: u64, q: u64) -> u64 {
    let mul = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(q)) as u64;
    let (mut result, mut base) = (1, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = mul(result, base);
        }
        base = mul(base, base);
        exponent >>= 1;
    }
    result
}

fn centered(word: u64, q: u64) -> i64 {
    if word > q / 2 { word as i64 - q as i64 } else { word as i64 }
}

#[test]
fn henge_picks_the_primes_that_seal_picks() {
    let more: [&[u8]; 4] = [&[60; 4], &[54], &[31, 23], &[40, 30, 40, 30, 50, 30]];
    for bits in CHAINS.iter().map(|chain| chain.bits).chain(more) {
        for degree in DEGREES {
            if (degree, bits) == (14, &[31, 23][..]) {
                continue;
            }
            let (special, q) = bits.split_last().unwrap();
            let (q, p) = if q.is_empty() { (bits.to_vec(), vec![]) } else { (q.to_vec(), vec![*special]) };
            let mut literal = CkksParamsLiteral::new(degree, ModulusChain::Bits(q), ModulusChain::Bits(p), 20.0);
            literal.security = RequiredSecurity::Insecure;
            let params = CkksParams::try_from(literal).unwrap();
            assert_eq!(
                [params.q(), params.p()].concat(),
                pick_primes(log_n(degree), bits).unwrap(),
                "{degree} {bits:?}"
            );
        }
    }
    // The example of the format's description: smallest first.
    let picked = pick_primes(log_n(13), &[30; 7]).unwrap();
    let described = [1073184769, 1073233921, 1073299457, 1073430529, 1073479681, 1073643521, 1073692673];
    assert_eq!(picked, described);
}

#[test]
fn seal_has_the_bounds_of_the_2018_standard() {
    for degree in 10..=15 {
        for (security, bits) in [
            (Security::Bits128, SecurityBits::Bits128),
            (Security::Bits192, SecurityBits::Bits192),
            (Security::Bits256, SecurityBits::Bits256),
        ] {
            let ours = SecurityTable::HeStandard2018.max_log_qp(log_n(degree), bits);
            assert_eq!(Some(max_bit_count(log_n(degree), security).unwrap()), ours, "{degree} {bits:?}");
        }
    }
}

#[test]
fn the_roots_are_the_smallest_primitive_ones() {
    for both in Both::all() {
        let order = 2 * both.log_n.n() as u64;
        for (&q, &root) in both.seal.primes().iter().zip(&both.seal.roots()) {
            assert_eq!(power(root, order / 2, q), q - 1, "{}: not primitive", both.name);
            let square = power(root, 2, q);
            let mut other = root;
            for _ in 1..order / 2 {
                other = (u128::from(other) * u128::from(square) % u128::from(q)) as u64;
                assert!(other > root, "{}: {other} is smaller than {root}", both.name);
            }
        }
    }
}

#[test]
fn word_i_is_the_value_at_the_bit_reversed_odd_power() {
    for both in Both::all() {
        let n = both.log_n.n();
        for (prime, (&q, &root)) in both.seal.primes().iter().zip(&both.seal.roots()).enumerate() {
            let mut x = vec![0u64; n];
            x[1] = 1;
            both.seal.forward(prime, &mut x).unwrap();
            for i in [0, 1, 2, 3, n / 2, n / 2 + 1, n - 2, n - 1] {
                let reversed = (i as u64).reverse_bits() >> (64 - both.log_n.get());
                assert_eq!(x[i], power(root, 2 * reversed + 1, q), "{}: word {i}", both.name);
            }
        }
    }
}

#[test]
fn transforms_are_the_same_words() {
    for both in Both::all() {
        let (n, primes) = (both.log_n.n(), both.seal.primes());
        let limbs = both.henge.rlwe().all_limbs();
        let coefficients: Vec<i64> = numbers(n, 7).iter().map(|x| (x * 1e6) as i64).collect();
        let ours = both.henge.ring().from_signed(&coefficients, &limbs).unwrap();
        let evaluated = both.henge.ring().forward(ours.clone()).unwrap();
        for (prime, &q) in primes.iter().enumerate() {
            let given: Vec<u64> = coefficients.iter().map(|&c| c.rem_euclid(q as i64) as u64).collect();
            let mut word = given.clone();
            both.seal.forward(prime, &mut word).unwrap();
            assert!(evaluated.row(prime, 0).iter().eq(word.iter().copied()), "{}: prime {prime}", both.name);
            both.seal.inverse(prime, &mut word).unwrap();
            assert_eq!(word, given, "{}: prime {prime}", both.name);
        }
    }
}

#[test]
fn slot_j_is_the_value_at_the_power_3_to_the_j() {
    for both in Both::all() {
        let (n, scale, top) = (both.log_n.n(), both.scale, both.seal.max_level());
        // The polynomial X, times the scale.
        let mut all = Vec::new();
        for (prime, q) in both.seal.primes().iter().enumerate().take(top.prime_count()) {
            let mut x = vec![0; n];
            x[1] = scale.get() as u64 % q;
            both.seal.forward(prime, &mut x).unwrap();
            all.extend(x);
        }
        let plain = seal_bridge::Plaintext::from_words(&both.seal, &all, top, scale).unwrap();
        let slots = Encoder::new(&both.seal).unwrap().decode_complex(&plain).unwrap();
        assert_eq!(slots.len(), n / 2);
        let mut exponent = 1usize;
        for (j, slot) in slots.iter().enumerate() {
            let expected = Complex64::from_polar(1.0, PI * exponent as f64 / n as f64);
            assert!((slot - expected).norm() < 1e-12, "{}: slot {j}: {slot} {expected}", both.name);
            exponent = exponent * 3 % (2 * n);
        }
    }
}

#[test]
fn messages_lie_in_the_same_slots() {
    for both in Both::all() {
        let (top, scale, slots) = (both.seal.max_level(), both.scale, both.log_n.slots());
        let (re, im) = (numbers(slots, 1), numbers(slots, 2));
        let values: Vec<Complex64> = re.iter().zip(&im).map(|(re, im)| Complex64::new(*re, *im)).collect();
        let (ours, theirs) = (he_ckks::Encoder::new(&both.henge), Encoder::new(&both.seal).unwrap());
        let (a, b) =
            (ours.encode_complex(&values, top, scale).unwrap(), theirs.encode_complex(&values, top, scale).unwrap());
        // Each side rounds coefficients of its own transform of doubles: where they differ, it is by one.
        let mut different = 0;
        for (limb, (a, b)) in
            words(a.rows()).chunks(values.len() * 2).zip(b.words().chunks(values.len() * 2)).enumerate()
        {
            let q = both.seal.primes()[limb];
            let (mut a, mut b) = (a.to_vec(), b.to_vec());
            both.seal.inverse(limb, &mut a).unwrap();
            both.seal.inverse(limb, &mut b).unwrap();
            for (a, b) in a.iter().zip(&b) {
                let by = (centered(*a, q) - centered(*b, q)).abs();
                assert!(by <= 1, "{}: coefficients differ by {by}", both.name);
                different += usize::from(by == 1);
            }
        }
        assert!(different < slots / 10, "{}: {different} coefficients differ", both.name);
        for slots in [
            theirs
                .decode_complex(&seal_bridge::Plaintext::from_words(&both.seal, &words(a.rows()), top, scale).unwrap()),
            theirs.decode_complex(&b),
        ] {
            let worst = slots.unwrap().iter().zip(&values).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
            assert!(worst < 4.0 * (2.0 * slots_bound(&both)), "{}: {worst}", both.name);
        }
    }
}

/// What rounding every coefficient moves a slot by, at most a few times.
fn slots_bound(both: &Both) -> f64 {
    (both.log_n.n() as f64 / 12.0).sqrt() / both.scale.get()
}

#[test]
fn a_scalar_is_rounded_half_away_from_zero_in_every_word() {
    let scale = Scale::new(16.0).unwrap();
    let above = Scale::from_log2(40.0).unwrap();
    let huge = ((3.25f64 * 2f64.powi(40)) as i64, 3.25, above);
    let scalars =
        [(40, 2.5, scale), (1, 0.03125, scale), (-1, -0.03125, scale), (0, 0.03, scale), (0, 0.0, scale), huge];
    for both in Both::all() {
        let (encoder, n) = (Encoder::new(&both.seal).unwrap(), both.log_n.n());
        for (integer, value, scale) in scalars {
            for level in [both.seal.max_level(), Level::new(1), Level::new(0)] {
                if scale == above && level == Level::new(0) {
                    continue;
                }
                let plain = encoder.encode_scalar(value, level, scale).unwrap();
                assert_eq!(plain.words().len(), level.prime_count() * n);
                for (words, &q) in plain.words().chunks(n).zip(both.seal.primes()) {
                    let expected = integer.rem_euclid(q as i64) as u64;
                    assert!(words.iter().all(|&word| word == expected), "{}: {value}", both.name);
                }
            }
        }
    }
}

#[test]
fn a_level_is_named_after_the_primes_that_are_left() {
    for both in Both::all() {
        let primes = both.seal.primes();
        let parms = seal_format::EncryptionParameters::new(both.log_n.n() as u64, primes.to_vec()).unwrap();
        let format = seal_format::Context::new(parms).unwrap();
        assert_eq!(both.seal.key_id().unwrap().0, format.key_parms_id().words());
        let top = both.seal.max_level();
        assert_eq!(top.prime_count(), primes.len() - 1, "{}: the special prime is the last", both.name);
        let mut level = Some(top);
        let mut seen = 0;
        while let Some(here) = level {
            assert_eq!(both.seal.level_id(here).unwrap().0, format.parms_id(here.prime_count()).unwrap().words());
            seen += 1;
            level = both.seal.below(here).unwrap();
            assert_eq!(level, here.below());
        }
        assert_eq!(seen, top.prime_count());
    }
    // One prime: ciphertexts live on it, and the level of keys is theirs.
    let context = Context::new(log_n(11), &pick_primes(log_n(11), &[54]).unwrap(), Security::Bits128).unwrap();
    assert_eq!((context.has_special_prime(), context.max_level()), (false, Level::new(0)));
    assert_eq!(context.key_id().unwrap(), context.level_id(Level::new(0)).unwrap());
}

#[test]
fn scales_are_doubles_that_multiply_and_divide() {
    for both in Both::all() {
        let mut generator = KeyGenerator::new(&both.seal).unwrap();
        let (encoder, evaluator) = (Encoder::new(&both.seal).unwrap(), Evaluator::new(&both.seal).unwrap());
        let encryptor = PublicEncryptor::new(&both.seal, &generator.public_key().unwrap()).unwrap();
        let top = both.seal.max_level();
        let odd = Scale::new(both.scale.get() * 0.9 + 0.123).unwrap();
        let x = encryptor.encrypt(&encoder.encode(&[1.0], top, both.scale).unwrap()).unwrap();
        let y = encryptor.encrypt(&encoder.encode(&[1.0], top, odd).unwrap()).unwrap();
        let product = evaluator.mul(&x, &y).unwrap();
        assert_eq!(product.scale().unwrap(), both.scale.times(odd).unwrap());
        let rescaled = evaluator.rescale(&product).unwrap();
        let last = both.seal.primes()[top.last_prime()];
        assert_eq!(rescaled.scale().unwrap(), product.scale().unwrap().over(last).unwrap());
        assert_eq!(evaluator.drop_level(&product, Level::new(0)).map(|x| x.scale().unwrap()).ok(), {
            // Too large a scale for one prime is refused.
            let fits = product.scale().unwrap().log2() < (both.seal.primes()[0] as f64).log2();
            fits.then(|| product.scale().unwrap())
        });
    }
}

/// What a key is for: a polynomial modulo each prime.
type Target<'a> = &'a dyn Fn(usize) -> Vec<u64>;

/// `b_j + a_j s = e_j + P t` modulo prime j and `e_j` modulo all others, e within the 21 + 21 coins of a centred binomial.
#[test]
fn component_j_of_a_key_holds_p_times_its_target_modulo_prime_j() {
    for both in Both::all() {
        let (primes, n) = (both.seal.primes(), both.log_n.n());
        let mut generator = KeyGenerator::new(&both.seal).unwrap();
        let secret = generator.secret_key().unwrap();
        let s = secret.expose_words();
        let mul = |a: u64, b: u64, q: u64| (u128::from(a) * u128::from(b) % u128::from(q)) as u64;
        let special = *primes.last().unwrap();

        // Ternary.
        let mut coefficients = s[..n].to_vec();
        both.seal.inverse(0, &mut coefficients).unwrap();
        assert!(coefficients.iter().all(|&c| centered(c, primes[0]).abs() <= 1));

        let rotation = GaloisElement::rotation(Rotation(1), both.log_n);
        let turned = |prime: usize| {
            let q = primes[prime];
            let mut from = s[prime * n..][..n].to_vec();
            both.seal.inverse(prime, &mut from).unwrap();
            let mut to = vec![0; n];
            for (i, &c) in from.iter().enumerate() {
                let at = i * rotation.get() as usize % (2 * n);
                to[at % n] = if at < n || c == 0 { c } else { q - c };
            }
            both.seal.forward(prime, &mut to).unwrap();
            to
        };
        let square = |prime: usize| s[prime * n..][..n].iter().map(|&w| mul(w, w, primes[prime])).collect();
        let targets: [(&str, Vec<u64>, Target<'_>); 2] = [
            ("s^2", generator.relin_keys().unwrap().words(0), &square),
            ("s(X^3)", generator.galois_keys(&[rotation]).unwrap().words(rotation), &turned),
        ];
        for (what, key, target) in targets {
            let digits = primes.len() - 1;
            assert_eq!(key.len(), digits * 2 * primes.len() * n);
            let (mut sum, mut count) = (0.0, 0.0);
            for (j, digit) in key.chunks(2 * primes.len() * n).enumerate() {
                let (b, a) = digit.split_at(primes.len() * n);
                let mut first: Option<Vec<i64>> = None;
                for (i, &q) in primes.iter().enumerate() {
                    let target = if i == j { target(i) } else { vec![0; n] };
                    let mut error: Vec<u64> = (0..n)
                        .map(|k| {
                            let at = i * n + k;
                            let sum = (u128::from(b[at]) + u128::from(mul(a[at], s[at], q))) % u128::from(q);
                            let part = mul(special % q, target[k], q);
                            ((sum + u128::from(q - part)) % u128::from(q)) as u64
                        })
                        .collect();
                    both.seal.inverse(i, &mut error).unwrap();
                    let error: Vec<i64> = error.iter().map(|&e| centered(e, q)).collect();
                    assert!(error.iter().all(|e| e.abs() <= 21), "{}: key of {what}, digit {j}, prime {i}", both.name);
                    match &first {
                        Some(first) => assert_eq!(*first, error, "{}: one error for all primes", both.name),
                        None => {
                            sum += error.iter().map(|&e| (e * e) as f64).sum::<f64>();
                            count += n as f64;
                            first = Some(error);
                        }
                    }
                }
            }
            // Variance 21/2; six times its standard deviation from it would be chance once in a billion.
            let (variance, spread) = (sum / count, 6.0 * 10.5 * (2.0f64 / count).sqrt());
            assert!((variance - 10.5).abs() < spread, "{}: variance {variance}", both.name);
        }
    }
}

#[test]
fn the_keys_that_seal_makes_unasked_are_powers_of_two_both_ways_and_conjugation() {
    for both in Both::all() {
        let mut generator = KeyGenerator::new(&both.seal).unwrap();
        let keys = generator.default_galois_keys().unwrap();
        let steps = (0..both.log_n.get() - 1).flat_map(|i| [Rotation(1 << i), Rotation(-(1 << i))]);
        let mut expected: Vec<GaloisElement> = steps.map(|by| GaloisElement::rotation(by, both.log_n)).collect();
        expected.push(GaloisElement::conjugation(both.log_n));
        expected.sort();
        expected.dedup();
        assert_eq!(keys.elements(&both.seal), expected, "{}", both.name);
        a_positive_rotation_is_to_the_left_and_conjugation_conjugates(&both, &generator.secret_key().unwrap(), &keys);
    }
}

fn a_positive_rotation_is_to_the_left_and_conjugation_conjugates(
    both: &Both,
    secret: &seal_bridge::SecretKey,
    keys: &seal_bridge::GaloisKeys,
) {
    let (top, scale, slots) = (both.seal.max_level(), both.scale, both.log_n.slots());
    let (encoder, evaluator) = (Encoder::new(&both.seal).unwrap(), Evaluator::new(&both.seal).unwrap());
    let (re, im) = (numbers(slots, 3), numbers(slots, 4));
    let values: Vec<Complex64> = re.iter().zip(&im).map(|(re, im)| Complex64::new(*re, *im)).collect();
    let plain = encoder.encode_complex(&values, top, scale).unwrap();
    let x = SymmetricEncryptor::new(&both.seal, secret).unwrap().encrypt(&plain).unwrap();
    // As close as theory says after so many switches of keys; what lies elsewhere is not close at all.
    let compare = |y: &seal_bridge::Ciphertext, expected: &[Complex64], switches: f64, what: &str| {
        let plain = Decryptor::new(&both.seal, secret).unwrap().decrypt(y).unwrap();
        let found = Precision::of_complex(expected, &encoder.decode_complex(&plain).unwrap()).rms_bits();
        let noise = both.fresh(Encryption::Symmetric).plus(both.key_switch().weighted(switches));
        let predicted = both.rms_bits(noise, scale.get());
        assert!(predicted > 6.0, "{}: {predicted} bits tell nothing", both.name);
        assert!(found > predicted - MARGIN_BITS, "{}, {what}: {found} bits, {predicted} in theory", both.name);
    };
    // 5 = 4 + 1: two keys one after the other.
    for (by, switches) in [(1, 1.0), (5, 2.0), (-2, 1.0)] {
        let mut y = x.clone();
        evaluator.rotate_assign(&mut y, Rotation(by), keys).unwrap();
        let mut expected = values.clone();
        expected.rotate_left(by.rem_euclid(slots as i32) as usize);
        compare(&y, &expected, switches, &format!("rotated by {by}"));
    }
    let mut y = x.clone();
    evaluator.conjugate_assign(&mut y, keys).unwrap();
    compare(&y, &values.iter().map(Complex64::conj).collect::<Vec<_>>(), 1.0, "conjugated");
}

/// A secret key that Henge drew decrypts in SEAL what Henge encrypted.
#[test]
fn residues_of_a_secret_key_are_the_key() {
    let both = Both::new(13, &CHAINS[1]);
    let secret = SecretKey::generate(&both.henge, &Seed::new([1; 32])).unwrap();
    let coefficients =
        both.henge.ring().from_signed::<i8>(secret.expose_coefficients(), &both.henge.rlwe().all_limbs());
    let coefficients: he_ring::RnsTensor<Coeff> = coefficients.unwrap();
    let rows = both.henge.ring().forward(coefficients).unwrap();
    let theirs = seal_bridge::SecretKey::from_words(&both.seal, &words(&rows)).unwrap();
    let values = numbers(both.log_n.slots(), 1);
    let mut encryptor = he_secret::SymmetricEncryptor::new(&both.henge, &secret, &Seed::new([2; 32]));
    let x = encryptor.encrypt(&values, both.seal.max_level(), both.scale).unwrap().expand(&both.henge).unwrap();
    let plain = Decryptor::new(&both.seal, &theirs).unwrap().decrypt(&both.to_seal(&x)).unwrap();
    let slots = Encoder::new(&both.seal).unwrap().decode(&plain).unwrap();
    assert!(slots.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-7));
    // The same as Henge's own decryption, residue by residue.
    let ours = he_secret::Decryptor::new(&both.henge, &secret).decrypt(&x).unwrap();
    assert_eq!(words(ours.rows()), plain.words());
}
