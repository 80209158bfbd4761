//! A program on SEAL gives, ciphertext by ciphertext, the residues that it gives on Henge.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod parameters;

use std::sync::Arc;

use execute::ckks::{CkksBackend, CkksTensor};
use execute::{Backend, Operand, Recorder, prepare, run};
use he_ckks::{CkksContext, Seed};
use he_ir::{Group, HeProgram, HeProgramBuilder, LinearMap, Op, WeightBlock};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, Packing, RequiredSecurity, Scale};
use he_rlwe::EvaluationKeys;
use he_secret::{KeyGenerator, SecretKey, SymmetricEncryptor};
use parameters::numbers;
use seal_bridge::{SealBackend, SealBackendError};

/// Small and insecure: quick.
fn params(q: &[u8], p: &[u8], primes_per_digit: u8, log_scale: f64) -> CkksParams {
    let bits = |bits: &[u8]| ModulusChain::Bits(bits.to_vec());
    let mut literal = CkksParamsLiteral::new(11, bits(q), bits(p), log_scale);
    literal.security = RequiredSecurity::Insecure;
    literal.primes_per_digit = primes_per_digit;
    CkksParams::try_from(literal).unwrap()
}

struct Both {
    henge: Arc<CkksContext>,
    secret: SecretKey,
    ckks: CkksBackend,
    seal: SealBackend,
}

impl Both {
    fn new(params: CkksParams) -> Both {
        let henge = CkksContext::new(params).unwrap();
        let secret = SecretKey::generate(&henge, &Seed::new([1; 32])).unwrap();
        let generator = KeyGenerator::new(&henge, &secret, Seed::new([2; 32]));
        let keys = EvaluationKeys {
            relinearization: Some(generator.relinearization_key().unwrap()),
            ..EvaluationKeys::default()
        };
        let seal = SealBackend::for_ckks(&henge, &keys).unwrap();
        Both { ckks: CkksBackend::new(&henge, keys), henge, secret, seal }
    }

    fn inputs(&self, program: &HeProgram) -> Vec<CkksTensor> {
        let mut encryptor = SymmetricEncryptor::new(&self.henge, &self.secret, &Seed::new([3; 32]));
        let mut encrypt = |(index, (_, _, value)): (usize, (&str, _, &he_ir::CipherType))| {
            let rows: Vec<Vec<f64>> = (0..value.elements()).map(|e| numbers(100, (index * 1000 + e) as u64)).collect();
            CkksTensor::from(encryptor.encrypt_tensor(&rows, value.level, value.scale).unwrap())
        };
        program.inputs().enumerate().map(&mut encrypt).collect()
    }

    /// Runs the program on both sides, and gives the number of ciphertexts compared.
    fn compare(&self, program: &HeProgram) -> usize {
        let inputs = self.inputs(program);
        let theirs = inputs.iter().map(|x| self.seal.import(&self.henge, x.clone()).unwrap()).collect();
        let expected = run(&self.ckks, &prepare(&self.ckks, program).unwrap(), inputs, &mut ()).unwrap();
        let prepared = prepare(&self.seal, program).unwrap();
        let mut recorder = Recorder::new(());
        let found = run(&self.seal, &prepared, theirs, &mut recorder).unwrap();
        let held: Vec<usize> = recorder.times().iter().map(|node| node.bytes_held).collect();
        assert_eq!(held, prepared.memory().after, "what is held is what was planned");
        assert_eq!(expected.len(), found.len());
        let mut count = 0;
        for (expected, found) in expected.into_iter().zip(&found) {
            let expected = expected.into_ciphertexts(&self.henge).unwrap();
            let found = self.seal.export(&self.henge, found).unwrap();
            assert!(expected == found, "{}: residues differ", program.name());
            count += found.values();
        }
        println!("{}: {count} ciphertexts of outputs, the same residues", program.name());
        count
    }
}

/// A convolution that shares its block, and a dense layer whose last output stands alone, with weights of so many bits.
fn layers(params: &CkksParams, weight_bits: i32) -> HeProgram {
    let top = params.max_level();
    let mut b = HeProgramBuilder::new(format!("weights of {weight_bits} bits"), params.q().to_vec());
    let x = b.input("image", vec![1, 4, 4], top, params.scale()).unwrap();
    let scale = Scale::from_log2(f64::from(weight_bits)).unwrap();
    let weights = |count, seed| numbers(count, seed).iter().map(|w| (w * scale.get()) as i64).collect();
    let block = WeightBlock::new(3, 4, weights(12, 1)).unwrap();
    let window = |i: u32| {
        let corner = (i / 2) * 8 + (i % 2) * 2;
        Group { inputs: vec![corner, corner + 1, corner + 4, corner + 5], outputs: vec![i, i + 4, i + 8], block: 0 }
    };
    let conv = LinearMap::new(16, vec![block], (0..4).map(window).collect::<Vec<_>>(), numbers(12, 2), scale).unwrap();
    let y = b.linear(Arc::new(conv), x, vec![3, 2, 2], "conv").unwrap();
    let y = b.push(Op::Rescale, &[y], "conv").unwrap();
    let y = b.push(Op::Square, &[y], "square").unwrap();
    let block = WeightBlock::new(3, 12, weights(36, 3)).unwrap();
    let group = Group { inputs: (0..12).collect(), outputs: vec![3, 1, 0], block: 0 };
    // Output 2 stands in no group: it is its bias, which the sum after it hides again.
    let dense = LinearMap::new(12, vec![block], vec![group], numbers(4, 4), scale).unwrap();
    let y = b.linear(Arc::new(dense), y, vec![4], "dense").unwrap();
    let y = b.push(Op::Gather { indices: Arc::new(vec![0, 1, 3]), shape: vec![3] }, &[y], "dense").unwrap();
    let y = b.push(Op::Relinearize, &[y], "dense").unwrap();
    let y = b.push(Op::Rescale, &[y], "dense").unwrap();
    b.output("logits", y);
    b.finish().unwrap()
}

/// Every operation but `linear` at least once, operands of each kind read again and not.
fn every_operation(params: &CkksParams) -> HeProgram {
    let level = Level::new(3);
    let scale = Scale::new(params.q()[3] as f64).unwrap();
    let mut b = HeProgramBuilder::new("every operation", params.q().to_vec());
    let x = b.input("x", vec![4], level, scale).unwrap();
    let y = b.input("y", vec![2, 2], level, scale).unwrap();
    let y = b.push(Op::Gather { indices: Arc::new(vec![3, 1, 2, 1]), shape: vec![4] }, &[y], "reshape").unwrap();
    let a = b.push(Op::Mul, &[x, y], "mul").unwrap();
    let a = b.push(Op::Relinearize, &[a], "mul").unwrap();
    let a = b.push(Op::Rescale, &[a], "mul").unwrap();
    let low = b.push(Op::DropLevel { to: Level::new(2) }, &[x], "drop").unwrap();
    let c = b.push(Op::Add, &[low, a], "add").unwrap();
    let d = b.push(Op::Sub, &[low, c], "sub").unwrap();
    let e = b.push(Op::Negate, &[d], "negate").unwrap();
    let f = b.push(Op::AddConstant { values: Arc::new(vec![0.5, -0.25, 0.125, 1.0]) }, &[e], "bias").unwrap();
    let h = b.push(Op::Add, &[f, f], "double").unwrap();
    let k = b.push(Op::Square, &[h], "square").unwrap();
    let k = b.push(Op::Relinearize, &[k], "square").unwrap();
    let k = b.push(Op::Rescale, &[k], "square").unwrap();
    b.output("f", f);
    b.output("k", k);
    b.output("again", f);
    b.finish().unwrap()
}

#[test]
fn weighted_sums_have_the_same_residues() {
    // Sums of small weights, and of those too large for it, over primes below and above 2^32.
    for q in [&[30, 28, 28, 28, 28, 28][..], &[60, 50, 50, 50], &[30, 50, 28, 50]] {
        let both = Both::new(params(q, &[if q[0] == 30 { 30 } else { 60 }], 1, 20.0));
        for weight_bits in [4, 12, 24, 35] {
            assert_eq!(both.compare(&layers(both.henge.params(), weight_bits)), 3);
        }
    }
}

#[test]
fn every_operation_has_the_same_residues() {
    let both = Both::new(params(&[30, 26, 26, 26, 26], &[30], 1, 26.0));
    assert_eq!(both.compare(&every_operation(both.henge.params())), 12);
}

#[test]
fn programs_that_cannot_run_are_refused() {
    let both = Both::new(params(&[30, 26, 26, 26, 26], &[30], 1, 26.0));
    let context = both.seal.context();
    let program = every_operation(both.henge.params());
    let without = SealBackend::new(context, None).unwrap();
    assert_eq!(without.accept(&program), Err(SealBackendError::NoRelinearizationKey));

    let other = params(&[30, 28, 28, 28], &[30], 1, 26.0);
    let expected = SealBackendError::Primes { program: other.q().to_vec(), context: both.henge.params().q().to_vec() };
    assert_eq!(both.seal.accept(&layers(&other, 4)), Err(expected));

    let mut b = HeProgramBuilder::new("complex", both.henge.params().q().to_vec());
    b.packing(Packing::Complex);
    let x = b.input("x", vec![1], Level::new(1), Scale::from_log2(26.0).unwrap()).unwrap();
    let x = b.push(Op::Negate, &[x], "negate").unwrap();
    b.output("x", x);
    assert!(matches!(both.seal.accept(&b.finish().unwrap()), Err(SealBackendError::Unsupported(_))));

    // SEAL rounds twice: a program that rounds once is not given other residues behind its back.
    let mut b = HeProgramBuilder::new("fused", both.henge.params().q().to_vec());
    let x = b.input("x", vec![1], Level::new(1), Scale::from_log2(26.0).unwrap()).unwrap();
    let x = b.push(Op::Square, &[x], "square").unwrap();
    let x = b.push(Op::RelinearizeRescale, &[x], "square").unwrap();
    b.output("x", x);
    let refused = both.seal.accept(&b.finish().unwrap()).unwrap_err().to_string();
    assert!(refused.contains("relinearize_rescale") && refused.contains("--seal-exact"), "{refused}");

    for (q, p, primes_per_digit, found) in
        [(&[30, 26][..], &[30, 30][..], 2, (2, 2)), (&[30, 26], &[], 1, (0, 1)), (&[30, 26], &[30, 28], 1, (2, 1))]
    {
        let henge = CkksContext::new(params(q, p, primes_per_digit, 26.0)).unwrap();
        let refused = SealBackend::for_ckks(&henge, &EvaluationKeys::default()).unwrap_err();
        assert_eq!(refused, SealBackendError::SpecialPrimes { found: found.0, primes_per_digit: found.1 });
    }
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    let both = Both::new(params(&[30, 26, 26, 26, 26], &[30], 1, 26.0));
    let program = every_operation(both.henge.params());
    let x = both.seal.import(&both.henge, both.inputs(&program).remove(0)).unwrap();
    let one = seal_bridge::SealTensor::new(x.ciphertexts()[..1].to_vec()).unwrap();
    let refused = |result: Result<seal_bridge::SealTensor, SealBackendError>| result.unwrap_err();
    let backend = &both.seal;
    let found = SealBackendError::Elements { expected: 4, found: 1 };
    assert_eq!(refused(backend.add(Operand::Kept(&x), Operand::Kept(&one))), found);
    assert_eq!(refused(backend.sub(Operand::Kept(&x), Operand::Kept(&one))), found);
    assert_eq!(refused(backend.mul(Operand::Kept(&x), Operand::Kept(&one))), found);
    assert_eq!(refused(backend.add_constant(Operand::Kept(&x), &[1.0])), found);
    let found = SealBackendError::NoSuchElement { index: 4, elements: 4 };
    assert_eq!(refused(backend.gather(Operand::Kept(&x), &[0, 4])), found);
    let layers = layers(both.henge.params(), 4);
    let map = layers.nodes().iter().find_map(|node| match node.op() {
        Op::Linear { map } => Some((Arc::clone(map), node.value().clone())),
        _ => None,
    });
    let (map, value) = map.unwrap();
    let weights = backend.pack(&map, &value).unwrap();
    let found = SealBackendError::Elements { expected: 16, found: 4 };
    assert_eq!(refused(backend.linear(Operand::Kept(&x), &weights)), found);
    let sixteen = backend.gather(Operand::Kept(&x), &[0; 16]).unwrap();
    let mixed = SealBackendError::MixedTensor { level: Some(Level::new(3)) };
    assert_eq!(refused(backend.linear(Operand::Last(sixteen), &weights)), mixed);
    let lower = backend.drop_level(Operand::Kept(&one), Level::new(1)).unwrap();
    assert_eq!(refused(seal_bridge::SealTensor::new([x.into_ciphertexts(), lower.into_ciphertexts()].concat())), mixed);
    assert_eq!(refused(seal_bridge::SealTensor::new(vec![])), SealBackendError::MixedTensor { level: None });
    // x - x is a ciphertext that anybody can read: SEAL does not make one.
    let refused = refused(backend.sub(Operand::Kept(&one), Operand::Kept(&one)));
    assert_eq!(refused.to_string(), "SEAL, sub: result ciphertext is transparent");
}
