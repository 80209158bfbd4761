//! Encrypted against clear, the memory plan against what is held, and each refusal that only ciphertexts can give.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod programs;

use std::sync::Arc;

use execute::ckks::{CkksBackend, CkksTensor, decode};
use execute::clear::ClearBackend;
use execute::{Backend, Batch, ExecuteError, InputMismatch, Operand, Recorder, prepare, run};
use he_ckks::{CkksContext, Encoder, Seed, SeededCiphertextTensor};
use he_ir::{HeProgram, HeProgramBuilder, Op};
use he_params::Level;
use he_rlwe::EvaluationKeys;
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use programs::{TwoLayers, every_operation, numbers, params};

/// Key owner and server in one.
struct Both {
    context: Arc<CkksContext>,
    secret: SecretKey,
    backend: CkksBackend,
}

fn seed(byte: u8) -> Seed {
    Seed::new([byte; 32])
}

impl Both {
    fn new() -> Self {
        let context = CkksContext::new(params()).unwrap();
        let secret = SecretKey::generate(&context, &seed(1)).unwrap();
        let relinearization = KeyGenerator::new(&context, &secret, seed(2)).relinearization_key().unwrap();
        let keys = EvaluationKeys { relinearization: Some(relinearization), ..EvaluationKeys::default() };
        let backend = CkksBackend::new(&context, keys);
        Self { context, secret, backend }
    }

    fn encrypt(&self, batches: &[Batch], program: &HeProgram) -> Vec<CkksTensor> {
        self.seeded(batches, program).map(|x| x.expand(&self.context).unwrap().into()).collect()
    }

    fn seeded(&self, batches: &[Batch], program: &HeProgram) -> impl Iterator<Item = SeededCiphertextTensor> {
        let mut encryptor = SymmetricEncryptor::new(&self.context, &self.secret, &seed(3));
        let encrypt = |(batch, (_, _, value)): (&Batch, (&str, _, &he_ir::CipherType))| {
            let rows: Vec<&[f64]> = batch.rows().collect();
            encryptor.encrypt_tensor(&rows, value.level, value.scale).unwrap()
        };
        batches.iter().zip(program.inputs()).map(encrypt).collect::<Vec<_>>().into_iter()
    }

    fn decrypt(&self, x: &CkksTensor, images: usize) -> Batch {
        let x = x.clone().into_ciphertexts(&self.context).unwrap();
        let plain = Decryptor::new(&self.context, &self.secret).decrypt(&x).unwrap();
        decode(&Encoder::new(&self.context), &plain, images).unwrap()
    }
}

fn batches(program: &HeProgram, images: usize) -> Vec<Batch> {
    let batch = |(i, (_, _, value)): (usize, (&str, _, &he_ir::CipherType))| {
        Batch::from_images(&numbers(images * value.elements(), 10 + i as u64), value.elements()).unwrap()
    };
    program.inputs().enumerate().map(batch).collect()
}

/// Largest difference between encrypted and clear outputs.
fn largest_error(program: &HeProgram, images: usize) -> f64 {
    let both = Both::new();
    let batches = batches(program, images);
    let clear = ClearBackend::new(params().q(), params().slots());
    let inputs = program.inputs().zip(&batches).map(|((_, _, value), batch)| clear.input(value, batch.clone()));
    let expected = run(&clear, &prepare(&clear, program).unwrap(), inputs.collect(), &mut ()).unwrap();
    let prepared = prepare(&both.backend, program).unwrap();
    let found = run(&both.backend, &prepared, both.encrypt(&batches, program), &mut ()).unwrap();
    assert_eq!(expected.len(), found.len());
    let mut largest = 0.0f64;
    for (expected, found) in expected.iter().zip(&found) {
        let found = both.decrypt(found, images);
        assert_eq!(found.elements(), expected.batch().elements());
        for (e, f) in expected.batch().values().iter().zip(found.values()) {
            largest = largest.max((e - f).abs());
        }
    }
    println!("{}: largest error 2^{:.1} over {images} images", program.name(), largest.log2());
    largest
}

#[test]
fn two_layers_encrypted_are_two_layers_in_the_clear() {
    // Scale 2^26, N = 2^11: fresh noise of about 2^-16 in a slot, grown by weights and squares of a few units.
    assert!(largest_error(&TwoLayers::new().program(&params()), params().slots()) < 2e-3);
}

#[test]
fn every_operation_encrypted_is_that_operation_in_the_clear() {
    assert!(largest_error(&every_operation(&params()), 100) < 1e-3);
}

#[test]
fn what_is_held_is_what_was_planned() {
    let both = Both::new();
    for program in [TwoLayers::new().program(&params()), every_operation(&params())] {
        let prepared = prepare(&both.backend, &program).unwrap();
        let mut recorder = Recorder::new(());
        let inputs = both.encrypt(&batches(&program, 3), &program);
        assert_eq!(inputs.iter().map(CkksTensor::byte_len).sum::<usize>(), prepared.memory().inputs);
        run(&both.backend, &prepared, inputs, &mut recorder).unwrap();
        let held: Vec<usize> = recorder.times().iter().map(|node| node.bytes_held).collect();
        assert_eq!(held, prepared.memory().after);
        assert!(prepared.memory().peak >= *held.iter().max().unwrap());
    }
}

/// Seeds are drawn prime by prime in a linear map and at once everywhere else; squares are multiplied as a map reads them.
#[test]
fn what_is_made_on_the_way_has_the_same_bits() {
    let both = Both::new();
    for program in [TwoLayers::new().program(&params()), every_operation(&params())] {
        let prepared = prepare(&both.backend, &program).unwrap();
        let batches = batches(&program, 3);
        let whole = run(&both.backend, &prepared, both.encrypt(&batches, &program), &mut ()).unwrap();
        let seeded = both.seeded(&batches, &program).map(CkksTensor::from).collect();
        let mut recorder = Recorder::new(());
        assert_eq!(run(&both.backend, &prepared, seeded, &mut recorder).unwrap(), whole);
        for (node, planned) in recorder.times().iter().zip(&prepared.memory().after) {
            assert!(node.bytes_held <= *planned, "{}: {} of {planned} bytes", node.verb, node.bytes_held);
        }
    }
    let program = TwoLayers::new().program(&params());
    let (backend, prepared) = (&both.backend, prepare(&both.backend, &program).unwrap());
    let mut outputs = run(backend, &prepared, both.encrypt(&batches(&program, 3), &program), &mut ()).unwrap();
    let mut x = both.encrypt(&batches(&program, 3), &program).remove(0);
    let mut squares = 0;
    for node in program.nodes() {
        let last = Operand::Last(x.clone());
        x = match node.op() {
            Op::Linear { map } => backend.linear(last, &backend.pack(map, node.value()).unwrap()).unwrap(),
            Op::Square => backend.square(last).unwrap(),
            Op::Relinearize => backend.relinearize(last).unwrap(),
            Op::Rescale => backend.rescale(last).unwrap(),
            _ => continue,
        };
        squares += usize::from(matches!(node.op(), Op::Square));
    }
    assert_eq!((squares, x), (1, outputs.remove(0)));
}

/// The bits of the scheme's own operation, at the level and scale of the two steps; where two roundings are not one, few coefficients differ, by one.
#[test]
fn relinearize_rescale_is_one_operation() {
    let both = Both::new();
    let program = |ops: &[Op]| {
        let mut b = HeProgramBuilder::new("square", params().q().to_vec());
        let x = b.input("x", vec![3], params().max_level(), params().scale()).unwrap();
        let square = b.push(Op::Square, &[x], "square").unwrap();
        let y = ops.iter().fold(square, |y, op| b.push(op.clone(), &[y], "square").unwrap());
        b.output("y", y);
        b.finish().unwrap()
    };
    let (one, two) = (program(&[Op::RelinearizeRescale]), program(&[Op::Relinearize, Op::Rescale]));
    assert_eq!(one.nodes().last().unwrap().value(), two.nodes().last().unwrap().value());
    let batches = batches(&one, 7);
    let result = |program: &HeProgram| {
        let prepared = prepare(&both.backend, program).unwrap();
        run(&both.backend, &prepared, both.encrypt(&batches, program), &mut ()).unwrap().remove(0)
    };
    let (one, two) = (result(&one), result(&two));
    let square = both.backend.square(Operand::Last(both.encrypt(&batches, &program(&[])).remove(0))).unwrap();
    assert_eq!(one, both.backend.relinearize_rescale(Operand::Last(square)).unwrap());
    let (one, two) = (both.decrypt(&one, 7), both.decrypt(&two, 7));
    let differences = one.values().iter().zip(two.values()).map(|(x, y)| (x - y).abs());
    assert!(differences.fold(0.0, f64::max) < 1e-4);
}

#[test]
fn one_preparation_serves_many_runs_with_the_same_bits() {
    let both = Both::new();
    let program = TwoLayers::new().program(&params());
    let prepared = prepare(&both.backend, &program).unwrap();
    let inputs = both.encrypt(&batches(&program, 5), &program);
    let first = run(&both.backend, &prepared, inputs.clone(), &mut ()).unwrap();
    let second = run(&both.backend, &prepared, inputs, &mut ()).unwrap();
    assert_eq!(first, second);
}

#[test]
fn wrong_inputs_are_refused() {
    let both = Both::new();
    let program = TwoLayers::new().program(&params());
    let prepared = prepare(&both.backend, &program).unwrap();
    let refused = |inputs| match run(&both.backend, &prepared, inputs, &mut ()).unwrap_err() {
        ExecuteError::Input { mismatch, .. } => mismatch,
        other => panic!("{other}"),
    };
    let encrypt = |elements: usize, level, scale| {
        let rows = vec![vec![0.5]; elements];
        let mut encryptor = SymmetricEncryptor::new(&both.context, &both.secret, &seed(4));
        vec![encryptor.encrypt_tensor(&rows, level, scale).unwrap().into()]
    };
    let (top, scale) = (params().max_level(), params().scale());
    assert_eq!(refused(encrypt(15, top, scale)), InputMismatch::Elements { expected: 16, found: 15 });
    let found = Level::new(3);
    assert_eq!(refused(encrypt(16, found, scale)), InputMismatch::Level { expected: top, found });
    let found = scale.times(scale).unwrap();
    assert_eq!(refused(encrypt(16, top, found)), InputMismatch::Scale { expected: scale, found });
}

#[test]
fn a_program_that_needs_a_key_is_refused_without_one() {
    let context = CkksContext::new(params()).unwrap();
    let backend = CkksBackend::new(&context, EvaluationKeys::default());
    let error = prepare(&backend, &TwoLayers::new().program(&params())).unwrap_err().to_string();
    let expected = "backend ckks cannot run program \"two_layers\": the program relinearizes, the evaluation keys have no \
                    relinearization key";
    assert_eq!(error, expected);
}

#[test]
fn more_images_than_slots_cannot_be_decoded() {
    let both = Both::new();
    let x = both.encrypt(&batches(&TwoLayers::new().program(&params()), 1), &TwoLayers::new().program(&params()));
    let x = x[0].clone().into_ciphertexts(&both.context).unwrap();
    let plain = Decryptor::new(&both.context, &both.secret).decrypt(&x).unwrap();
    let slots = params().slots();
    let error = decode(&Encoder::new(&both.context), &plain, slots + 1).unwrap_err();
    assert_eq!(error, he_ckks::CkksError::TooManySlots { found: slots + 1, slots });
}
