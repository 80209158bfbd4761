//! The same seed gives the same bytes on every instruction set and any number of threads, and those bytes are frozen.
//!
//! Frozen answers: SHA-256 of wire forms in `testdata/frozen.txt`, recipe in its first lines.

use he_ckks::{Group, Isa, LinearWeights, WeightBlock};
use he_params::{Rotation, Scale};
use he_rlwe::EvaluationKeys;
use he_rlwe::wire::WireObject;
use sha2::{Digest, Sha256};

use crate::support::{Setup, literal, literals, numbers};

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Digests of everything that one set of parameters produces, with a name each.
fn digests(index: usize, isa: Isa) -> Vec<(String, String)> {
    let literal = literals().swap_remove(index);
    // A fixed run: these bytes must not follow HENGE_TEST_SEED.
    let setup = Setup::with_run(literal, isa, 7);
    let context = &*setup.context;
    let rows: Vec<Vec<f64>> = (0..3).map(|i| numbers(setup.slots(), 7, i)).collect();
    let fresh = setup.encryptor(1).encrypt_tensor(&rows, setup.top(), setup.scale()).unwrap();
    let x = fresh.expand(context).unwrap();
    let keys = EvaluationKeys {
        relinearization: Some(setup.keys().relinearization_key().unwrap()),
        galois: setup.keys().galois_keys(&[Rotation(1), Rotation(-3)], true).unwrap(),
    };
    let e = &setup.evaluator;
    let square = e.square(&x).unwrap();
    let two = e.relinearize(&square, keys.relinearization.as_ref().unwrap()).unwrap();
    let below = e.rescale(two.clone()).unwrap();
    let rotated = e.rotate(&x, Rotation(-3), &keys.galois).unwrap();
    let hoisted = e.rotate_hoisted(&x, &[Rotation(1)], &keys.galois).unwrap().swap_remove(0);
    let block = WeightBlock { outputs: 2, inputs: 3, weights: vec![100, -7, 3, 0, 511, -512] };
    let group = Group { inputs: vec![0, 1, 2], outputs: vec![1, 0], block: 0 };
    let weights = LinearWeights::new(3, 2, vec![block], vec![group]).unwrap();
    let linear = e.linear(&square, &weights, Scale::new(512.0).unwrap(), &[0.5, -0.125]).unwrap();
    let public = setup.keys().public_key().unwrap();
    let mut encryptor = he_ckks::PublicEncryptor::new(&setup.context, public.clone(), crate::support::seed(7, 60));
    let plain = setup.encoder.encode_tensor(&rows, setup.top(), setup.scale()).unwrap();
    let public_ciphertext = encryptor.encrypt(&plain).unwrap();
    let rlwe = context.rlwe();
    let named = |name: &str, bytes: Vec<u8>| (format!("{index} {name}"), hex(&bytes));
    vec![
        named("secret_key", setup.secret.to_bytes(context).unwrap()),
        named("public_key", public.to_bytes(rlwe).unwrap()),
        named("evaluation_keys", keys.to_bytes(rlwe).unwrap()),
        named("plaintext", plain.to_bytes(context).unwrap()),
        named("seeded", fresh.to_bytes(context).unwrap()),
        named("expanded", x.to_bytes(context).unwrap()),
        named("public_ciphertext", public_ciphertext.to_bytes(context).unwrap()),
        named("square", square.to_bytes(context).unwrap()),
        named("relinearized", two.to_bytes(context).unwrap()),
        named("rescaled", below.to_bytes(context).unwrap()),
        named("rotated", rotated.to_bytes(context).unwrap()),
        named("hoisted", hoisted.to_bytes(context).unwrap()),
        named("linear", linear.to_bytes(context).unwrap()),
    ]
}

/// With cargo the crate's folder, with Bazel the same folder under the workspace root.
fn testdata(name: &str) -> std::path::PathBuf {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| "he_core/secret".into());
    std::path::Path::new(&folder).join("testdata").join(name)
}

/// The instruction sets to hold against the frozen answers: the one that `HENGE_ISA` names, or all.
fn instruction_sets() -> Vec<Isa> {
    match std::env::var("HENGE_ISA") {
        Ok(name) if !name.is_empty() => vec![Isa::by_name(&name).unwrap()],
        _ => Isa::available(),
    }
}

/// `HENGE_FREEZE=1 cargo test -p he_secret frozen` writes the file anew; the change is then reviewed as a diff.
#[test]
fn frozen_answers_on_every_instruction_set_and_number_of_threads() {
    let digests_with = |isa, threads: usize| -> String {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let all = pool.install(|| (0..literals().len()).flat_map(|index| digests(index, isa)).collect::<Vec<_>>());
        all.into_iter().map(|(name, digest)| format!("{name} {digest}\n")).collect()
    };
    let path = testdata("frozen.txt");
    if std::env::var_os("HENGE_FREEZE").is_some() {
        let head = "# SHA-256 of wire forms: parameters (number in the list of tests/scheme/support.rs), object, digest.\n\
                    # Seeds: seed(7, n) of support.rs. Written by: HENGE_FREEZE=1 cargo test -p he_secret frozen\n";
        std::fs::write(&path, format!("{head}{}", digests_with(Isa::Scalar, 1))).unwrap();
    }
    let frozen = std::fs::read_to_string(&path).unwrap();
    let expected: Vec<&str> = frozen.lines().filter(|line| !line.starts_with('#')).collect();
    for isa in instruction_sets() {
        for threads in [1, 2] {
            let found = digests_with(isa, threads);
            for (found, expected) in found.lines().zip(&expected) {
                assert_eq!(found, *expected, "{} on {threads} threads", isa.name());
            }
            assert_eq!(found.lines().count(), expected.len());
        }
        println!("frozen answers hold: {}", isa.name());
    }
}

/// What is published must not be what the errors were drawn from.
#[test]
fn public_seeds_differ_from_each_other_and_from_their_masters() {
    let setup = Setup::new(literal(10, &[40, 40], &[40], 30.0, 1));
    let master = crate::support::seed(setup.seed, 101);
    let mut encryptor = he_secret::SymmetricEncryptor::new(&setup.context, &setup.secret, &master);
    let first = encryptor.encrypt(&[1.0], setup.top(), setup.scale()).unwrap();
    let second = encryptor.encrypt(&[1.0], setup.top(), setup.scale()).unwrap();
    assert_eq!(first.seed(), second.seed());
    assert_ne!(first.first_object(), second.first_object());
    assert_ne!(first.rows(), second.rows());
    let keys = setup.keys();
    let (public, relinearization) = (keys.public_key().unwrap(), keys.relinearization_key().unwrap());
    let galois = keys.galois_keys(&[Rotation(1)], true).unwrap();
    let mut seeds = vec![&master, first.seed()];
    seeds.extend([public.seed(), relinearization.key().seed()].map(Option::unwrap));
    let key_master = crate::support::seed(setup.seed, 2);
    seeds.push(&key_master);
    seeds.extend(galois.iter().map(|(_, key)| key.seed().unwrap()));
    for (i, a) in seeds.iter().enumerate() {
        assert!(!seeds[..i].contains(a), "seed {i}");
    }
}

#[test]
fn secrets_do_not_print() {
    let setup = Setup::new(literal(10, &[40, 40], &[40], 30.0, 1));
    assert_eq!(format!("{:?}", setup.secret), "SecretKey { log_n: 10, .. }");
    let encryptor = format!("{:?}", setup.encryptor(1));
    assert!(encryptor.contains("Seed(..)") && encryptor.contains("Stream(..)"), "{encryptor}");
}
