//! Every operation that draws no randomness gives the same residues in Henge and in SEAL, on the same operands with the same
//! keys, whoever made them: N = 4096, 8192, 16384, four chains each, at every level.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod parameters;

use he_ckks::{CiphertextTensor, Plaintext, Seed};
use he_params::{GaloisElement, Level, Rotation};
use he_rlwe::{GaloisKeys, KeySwitchKey, RelinearizationKey};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use parameters::{Both, CHAINS, DEGREES, numbers, words};

const ROTATIONS: [Rotation; 3] = [Rotation(1), Rotation(-3), Rotation(64)];

/// Keys, two operands and a plaintext at the top level, on both sides.
struct Operands {
    both: Both,
    x: CiphertextTensor,
    y: CiphertextTensor,
    plain: Plaintext,
    relinearization: RelinearizationKey,
    galois: GaloisKeys,
    seal_relinearization: seal_bridge::RelinKeys,
    seal_galois: seal_bridge::GaloisKeys,
}

fn key_words(key: &KeySwitchKey) -> Vec<u64> {
    words(key.rows())
}

/// Slots of a ciphertext, by the key owner's library.
type Decrypt = Box<dyn Fn(&Both, &CiphertextTensor) -> Vec<f64>>;

/// The message of a plaintext stays what it is, for either decryptor.
struct Check {
    expected: Vec<f64>,
    decrypt: Decrypt,
}

impl Check {
    /// Residues may agree and both be wrong: what they decrypt to is looked at as well.
    fn product(&self, both: &Both, product: &CiphertextTensor, factor: &[f64]) {
        let found = (self.decrypt)(both, product);
        let worst = found.iter().zip(self.expected.iter().zip(factor)).map(|(f, (a, b))| (f - a * b).abs());
        let worst = worst.fold(0.0, f64::max);
        assert!(worst < 2e-2, "{}: the product is off by {worst}", both.name);
    }
}

impl Operands {
    fn made_by_henge(both: Both) -> (Operands, Check) {
        let seed = |byte| Seed::new([byte; 32]);
        let (top, scale, log_n) = (both.seal.max_level(), both.scale, both.log_n);
        let secret = SecretKey::generate(&both.henge, &seed(1)).unwrap();
        let generator = KeyGenerator::new(&both.henge, &secret, seed(2));
        let (relinearization, galois) =
            (generator.relinearization_key().unwrap(), generator.galois_keys(&ROTATIONS, true).unwrap());
        let mut encryptor = SymmetricEncryptor::new(&both.henge, &secret, &seed(3));
        let mut encrypt = |values: &[f64]| encryptor.encrypt(values, top, scale).unwrap().expand(&both.henge).unwrap();
        let values = numbers(log_n.slots(), 1);
        let (x, y) = (encrypt(&values), encrypt(&numbers(log_n.slots(), 2)));
        let plain = he_ckks::Encoder::new(&both.henge).encode(&numbers(log_n.slots(), 2), top, scale).unwrap();

        let mut seal_galois = seal_bridge::GaloisKeys::empty(&both.seal).unwrap();
        for (element, key) in galois.iter() {
            seal_galois.insert(&both.seal, element, &key_words(key)).unwrap();
        }
        let seal_relinearization =
            seal_bridge::RelinKeys::from_words(&both.seal, &key_words(relinearization.key())).unwrap();
        let check = Check {
            expected: values,
            decrypt: Box::new(move |both, x| {
                let plain = Decryptor::new(&both.henge, &secret).decrypt(x).unwrap();
                he_ckks::Encoder::new(&both.henge).decode(&plain, 0).unwrap()
            }),
        };
        (Operands { both, x, y, plain, relinearization, galois, seal_relinearization, seal_galois }, check)
    }

    fn made_by_seal(both: Both) -> (Operands, Check) {
        let (top, scale, log_n) = (both.seal.max_level(), both.scale, both.log_n);
        let mut generator = seal_bridge::KeyGenerator::new(&both.seal).unwrap();
        let secret = generator.secret_key().unwrap();
        let mut elements: Vec<GaloisElement> = ROTATIONS.map(|by| GaloisElement::rotation(by, log_n)).to_vec();
        elements.push(GaloisElement::conjugation(log_n));
        let seal_relinearization = generator.relin_keys().unwrap();
        let seal_galois = generator.galois_keys(&elements).unwrap();
        let encoder = seal_bridge::Encoder::new(&both.seal).unwrap();
        let encryptor = seal_bridge::SymmetricEncryptor::new(&both.seal, &secret).unwrap();
        let values = numbers(log_n.slots(), 1);
        let encode = |values: &[f64]| encoder.encode(values, top, scale).unwrap();
        let encrypt = |values: &[f64]| both.to_henge(&encryptor.encrypt(&encode(values)).unwrap());
        let (x, y) = (encrypt(&values), encrypt(&numbers(log_n.slots(), 2)));
        let limbs = both.henge.rlwe().limbs_at(top).unwrap();
        let rows = both.rows(encode(&numbers(log_n.slots(), 2)).words(), 1, limbs);
        let plain = Plaintext::from_rows(&both.henge, rows, scale).unwrap();

        let key = |words: &[u64]| {
            let limbs = both.henge.rlwe().all_limbs();
            let rows = both.rows(words, words.len() / limbs.len() / log_n.n(), &limbs);
            KeySwitchKey::from_rows(both.henge.rlwe(), rows).unwrap()
        };
        let relinearization = RelinearizationKey::new(key(&seal_relinearization.words(0)));
        let mut galois = GaloisKeys::new();
        assert_eq!(seal_galois.elements(&both.seal).len(), elements.len());
        for element in elements {
            galois.insert(element, key(&seal_galois.words(element)));
        }
        let check = Check {
            expected: values,
            decrypt: Box::new(move |both, x| {
                let plain =
                    seal_bridge::Decryptor::new(&both.seal, &secret).unwrap().decrypt(&both.to_seal(x)).unwrap();
                seal_bridge::Encoder::new(&both.seal).unwrap().decode(&plain).unwrap()
            }),
        };
        (Operands { both, x, y, plain, relinearization, galois, seal_relinearization, seal_galois }, check)
    }

    /// The same ciphertext on both sides: residues, level, components and scale.
    fn same(&self, what: &str, henge: &CiphertextTensor, seal: &seal_bridge::Ciphertext) {
        let name = &self.both.name;
        let state = (henge.component_count(), henge.level(), henge.scale());
        let found = (seal.component_count(), seal.level().unwrap(), seal.scale().unwrap());
        assert_eq!(state, found, "{name}: {what}");
        let (henge, seal) = (words(henge.rows()), seal.words());
        assert_eq!(henge.len(), seal.len(), "{name}: {what}");
        let differ = henge.iter().zip(seal).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0, "{name}: {what}: {differ} of {} residues differ", seal.len());
    }

    /// Every operation with operands at one level; gives how many results were compared.
    fn compare(&self, level: Level, check: &Check) -> usize {
        let henge = he_ckks::Evaluator::new(&self.both.henge);
        let seal = seal_bridge::Evaluator::new(&self.both.seal).unwrap();
        let mut compared = 0;
        let mut same = |what: &str, a: &CiphertextTensor, b: &seal_bridge::Ciphertext| {
            self.same(&format!("{what} at level {level}"), a, b);
            compared += 1;
        };
        let (top_x, top_y) = (self.both.to_seal(&self.x), self.both.to_seal(&self.y));
        let (x, y) =
            (henge.drop_level(self.x.clone(), level).unwrap(), henge.drop_level(self.y.clone(), level).unwrap());
        let (sx, sy) = (seal.drop_level(&top_x, level).unwrap(), seal.drop_level(&top_y, level).unwrap());
        same("drop_level", &x, &sx);
        let on = |f: &dyn Fn(&mut seal_bridge::Ciphertext)| {
            let mut x = sx.clone();
            f(&mut x);
            x
        };

        same("add", &henge.add(&x, &y).unwrap(), &on(&|x| seal.add_assign(x, &sy).unwrap()));
        same("sub", &henge.sub(&x, &y).unwrap(), &on(&|x| seal.sub_assign(x, &sy).unwrap()));
        same("negate", &henge.negate(x.clone()).unwrap(), &on(&|x| seal.negate_assign(x).unwrap()));
        for by in ROTATIONS {
            let rotated = henge.rotate(&x, by, &self.galois).unwrap();
            same("rotate", &rotated, &on(&|x| seal.rotate_assign(x, by, &self.seal_galois).unwrap()));
        }
        let conjugate = henge.conjugate(&x, &self.galois).unwrap();
        same("conjugate", &conjugate, &on(&|x| seal.conjugate_assign(x, &self.seal_galois).unwrap()));
        if level > Level::BOTTOM {
            same("rescale", &henge.rescale(x.clone()).unwrap(), &seal.rescale(&sx).unwrap());
        }

        if level == self.both.seal.max_level() {
            let plain = seal_bridge::Plaintext::from_words(
                &self.both.seal,
                &words(self.plain.rows()),
                self.plain.level(),
                self.plain.scale(),
            )
            .unwrap();
            let sum = henge.add_plain(&x, &self.plain).unwrap();
            same("add_plain", &sum, &on(&|x| seal.add_plain_assign(x, &plain).unwrap()));
            let difference = henge.sub_plain(&x, &self.plain).unwrap();
            same("sub_plain", &difference, &on(&|x| seal.sub_plain_assign(x, &plain).unwrap()));
            let product = henge.mul_plain(&x, &self.plain).unwrap();
            same("mul_plain", &product, &on(&|x| seal.mul_plain_assign(x, &plain).unwrap()));
            check.product(&self.both, &product, &numbers(self.both.log_n.slots(), 2));
        }

        // SEAL wants room for the scale of a product, Henge too.
        if 2.0 * self.both.scale.log2() + 1.0 > self.both.henge.params().log_q_at(level) {
            return compared;
        }
        let (product, seal_product) = (henge.mul(&x, &y).unwrap(), seal.mul(&sx, &sy).unwrap());
        same("mul", &product, &seal_product);
        let square = henge.square(&x).unwrap();
        same("square", &square, &seal.square(&sx).unwrap());
        same("rescale of three components", &henge.rescale(square).unwrap(), &{
            seal.rescale(&seal.square(&sx).unwrap()).unwrap()
        });
        let product = henge.relinearize(&product, &self.relinearization).unwrap();
        let mut seal_product = seal_product;
        seal.relinearize_assign(&mut seal_product, &self.seal_relinearization).unwrap();
        same("relinearize", &product, &seal_product);
        check.product(&self.both, &product, &numbers(self.both.log_n.slots(), 2));
        let product = henge.rescale(product).unwrap();
        same("rescale of a product", &product, &seal.rescale(&seal_product).unwrap());
        check.product(&self.both, &product, &numbers(self.both.log_n.slots(), 2));
        compared
    }
}

fn compare_all(log_n: u8, make: fn(Both) -> (Operands, Check)) {
    for chain in &CHAINS {
        let (operands, check) = make(Both::new(log_n, chain));
        let top = operands.both.seal.max_level();
        let compared: usize = (0..=top.get()).map(|level| operands.compare(Level::new(level), &check)).sum();
        println!("{}: {compared} results, the same residues", operands.both.name);
        assert!(compared >= 8 * top.prime_count());
    }
}

#[test]
fn made_by_henge_4096() {
    compare_all(DEGREES[0], Operands::made_by_henge);
}

#[test]
fn made_by_henge_8192() {
    compare_all(DEGREES[1], Operands::made_by_henge);
}

#[test]
fn made_by_henge_16384() {
    compare_all(DEGREES[2], Operands::made_by_henge);
}

#[test]
fn made_by_seal_4096() {
    compare_all(DEGREES[0], Operands::made_by_seal);
}

#[test]
fn made_by_seal_8192() {
    compare_all(DEGREES[1], Operands::made_by_seal);
}

#[test]
fn made_by_seal_16384() {
    compare_all(DEGREES[2], Operands::made_by_seal);
}
