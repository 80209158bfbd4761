//! Tiles against whole tensors, encrypted against clear, the memory plan against what is held, and ports that fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod programs;

use std::collections::VecDeque;
use std::sync::Arc;

use execute::ckks::{CkksBackend, CkksTensor};
use execute::clear::{ClearBackend, ClearPort};
use execute::{
    Asked, Backend, Batch, ExecuteError, PortError, Recorder, RefreshPort, Request, StreamOptions, prepare,
    prepare_streamed, run_streamed,
};
use he_ckks::{CkksContext, Encoder, Seed};
use he_ir::{ClientFunction, HeProgram, Packing};
use he_params::CkksParams;
use he_rlwe::EvaluationKeys;
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use programs::client_aided::{Layers, client_params};
use programs::{TwoLayers, every_operation, numbers, params};

/// The key owner at the other end: decrypts, computes, encrypts.
struct KeyOwner<'a> {
    context: &'a Arc<CkksContext>,
    secret: &'a SecretKey,
    encryptor: SymmetricEncryptor<'a>,
    packing: Packing,
    inputs: Vec<Batch>,
    answers: VecDeque<(u64, CkksTensor)>,
    most_open: usize,
}

impl<'a> KeyOwner<'a> {
    fn new(context: &'a Arc<CkksContext>, secret: &'a SecretKey, packing: Packing, inputs: Vec<Batch>) -> Self {
        let encryptor = SymmetricEncryptor::new(context, secret, &Seed::new([3; 32]));
        Self { context, secret, encryptor, packing, inputs, answers: VecDeque::new(), most_open: 0 }
    }

    fn decrypt(&self, x: &CkksTensor, images: usize) -> Vec<f64> {
        let x = x.clone().into_ciphertexts(self.context).unwrap();
        let plain = Decryptor::new(self.context, self.secret).decrypt(&x).unwrap();
        let mut rows = vec![0.0; x.values() * images];
        for (value, row) in rows.chunks_exact_mut(images).enumerate() {
            Encoder::new(self.context).decode_packed(&plain, value, self.packing, row).unwrap();
        }
        rows
    }
}

impl RefreshPort<CkksTensor> for KeyOwner<'_> {
    fn send(&mut self, request: Request<CkksTensor>) -> Result<(), PortError> {
        let images = self.inputs[0].images();
        let rows = match &request.what {
            Asked::Input { input, elements } => {
                elements.iter().flat_map(|&e| self.inputs[*input].row(e as usize)).copied().collect()
            }
            Asked::Refresh { function, groups, tile, .. } => {
                let values = self.decrypt(tile, images);
                function
                    .apply_tile(groups.as_deref(), &values, images, request.results)
                    .ok_or("a tile that does not fit")?
            }
        };
        let rows: Vec<&[f64]> = rows.chunks_exact(images).collect();
        let fresh = self.encryptor.encrypt_packed_tensor(&rows, self.packing, request.level, request.scale)?;
        self.answers.push_back((request.sequence, fresh.into()));
        self.most_open = self.most_open.max(self.answers.len());
        Ok(())
    }

    fn receive(&mut self, sequence: u64) -> Result<CkksTensor, PortError> {
        let (found, answer) = self.answers.pop_front().ok_or("nothing was asked")?;
        if found == sequence { Ok(answer) } else { Err(format!("{found} comes before {sequence}").into()) }
    }
}

fn batches(program: &HeProgram, images: usize) -> Vec<Batch> {
    let batch = |(i, (_, _, value)): (usize, (&str, _, &he_ir::CipherType))| {
        Batch::from_images(&numbers(images * value.elements(), 10 + i as u64), value.elements()).unwrap()
    };
    program.inputs().enumerate().map(batch).collect()
}

const TILES: [StreamOptions; 5] = [
    StreamOptions { tile_values: usize::MAX, in_flight: 1 },
    StreamOptions { tile_values: 1, in_flight: 1 },
    StreamOptions { tile_values: 3, in_flight: 2 },
    StreamOptions { tile_values: 7, in_flight: 5 },
    StreamOptions { tile_values: 16, in_flight: 3 },
];

fn clear_outputs(program: &HeProgram, params: &CkksParams, inputs: &[Batch], options: &StreamOptions) -> Vec<Batch> {
    let backend = ClearBackend::new(params.q(), program.packing().images(params.slots()));
    let streamed = prepare_streamed(&backend, program, options).unwrap();
    let mut port = ClearPort::new(inputs.to_vec());
    let out = run_streamed(&backend, &streamed, &mut port, &mut ()).unwrap();
    assert_eq!(port.asked(), streamed.requests());
    out.iter().map(|tensor| tensor.batch().clone()).collect()
}

#[test]
fn tiles_in_the_clear_are_the_network_image_by_image() {
    let params = client_params();
    for layers in Layers::all() {
        let program = layers.program(&params);
        let inputs = batches(&program, 5);
        for options in TILES {
            let found = clear_outputs(&program, &params, &inputs, &options);
            for image in 0..5 {
                let column = |batch: &Batch| batch.rows().map(|row| row[image]).collect::<Vec<f64>>();
                let want = layers.evaluate(&column(&inputs[0]));
                for (want, found) in want.iter().zip(column(&found[0])) {
                    assert!((want - found).abs() < 1e-3, "{}: {want}, {found} with {options:?}", program.name());
                }
            }
        }
    }
}

/// Every set of tiles gives the same residues, what is held never exceeds the plan, and encrypted is clear but for noise.
#[test]
fn encrypted_tiles_are_the_clear_network() {
    let params = client_params();
    let context = CkksContext::new(params.clone()).unwrap();
    let secret = SecretKey::generate(&context, &Seed::new([1; 32])).unwrap();
    for layers in Layers::all() {
        let program = layers.program(&params);
        let packing = program.packing();
        let backend = CkksBackend::new(&context, EvaluationKeys::default()).with_packing(packing).unwrap();
        for images in [backend.slots(), 37] {
            let inputs = batches(&program, images);
            let want = clear_outputs(&program, &params, &inputs, &TILES[0]);
            for options in TILES {
                let streamed = prepare_streamed(&backend, &program, &options).unwrap();
                let mut owner = KeyOwner::new(&context, &secret, packing, inputs.clone());
                let mut recorder = Recorder::new(());
                let out = run_streamed(&backend, &streamed, &mut owner, &mut recorder).unwrap();
                assert!(owner.most_open <= options.in_flight);
                let held = recorder.times().iter().map(|time| time.bytes_held).max().unwrap();
                assert!(held <= streamed.memory().peak, "{held} of {}", streamed.memory().peak);
                let found = owner.decrypt(&out[0], images);
                let error = |(e, f): (&f64, &f64)| (e - f).abs();
                let largest = want[0].values().iter().zip(&found).map(error).fold(0.0, f64::max);
                assert!(largest < 2e-2, "{}: {largest} with {options:?}", program.name());
            }
        }
    }
}

/// Without noise that depends on the order of encryption, tiles change no bit: one refresh of nothing, then only linear maps.
#[test]
fn tiles_change_no_bit() {
    let params = params();
    let context = CkksContext::new(params.clone()).unwrap();
    let secret = SecretKey::generate(&context, &Seed::new([1; 32])).unwrap();
    let relinearization = KeyGenerator::new(&context, &secret, Seed::new([2; 32])).relinearization_key().unwrap();
    for program in [TwoLayers::new().program(&params), every_operation(&params)] {
        let keys = EvaluationKeys { relinearization: Some(relinearization.clone()), ..EvaluationKeys::default() };
        let backend = CkksBackend::new(&context, keys);
        let inputs = batches(&program, 3);
        let mut encryptor = SymmetricEncryptor::new(&context, &secret, &Seed::new([4; 32]));
        let whole: Vec<CkksTensor> = inputs
            .iter()
            .zip(program.inputs())
            .map(|(batch, (_, _, value))| {
                let rows: Vec<&[f64]> = batch.rows().collect();
                let fresh = encryptor.encrypt_tensor(&rows, value.level, value.scale).unwrap();
                fresh.expand(&context).unwrap().into()
            })
            .collect();
        let prepared = prepare(&backend, &program).unwrap();
        let want = execute::run(&backend, &prepared, whole.clone(), &mut ()).unwrap();
        for options in TILES {
            let streamed = prepare_streamed(&backend, &program, &options).unwrap();
            let mut port = Given { context: &context, whole: &whole, open: VecDeque::new() };
            assert_eq!(run_streamed(&backend, &streamed, &mut port, &mut ()).unwrap(), want, "{options:?}");
        }
    }
}

/// Hands out values of ciphertexts that are there already.
struct Given<'a> {
    context: &'a CkksContext,
    whole: &'a [CkksTensor],
    open: VecDeque<CkksTensor>,
}

impl RefreshPort<CkksTensor> for Given<'_> {
    fn send(&mut self, request: Request<CkksTensor>) -> Result<(), PortError> {
        let Asked::Input { input, elements } = request.what else { return Err("nothing to refresh".into()) };
        let whole = self.whole[input].clone().into_ciphertexts(self.context)?;
        let values: Vec<usize> = elements.iter().map(|&e| e as usize).collect();
        self.open.push_back(whole.gather(&values)?.into());
        Ok(())
    }

    fn receive(&mut self, _: u64) -> Result<CkksTensor, PortError> {
        self.open.pop_front().ok_or_else(|| "nothing was asked".into())
    }
}

#[test]
fn a_deeper_network_in_tiles_holds_a_part_of_it() {
    let params = client_params();
    let context = CkksContext::new(params.clone()).unwrap();
    let layers = Layers::tall();
    let program = layers.program(&params);
    let backend = CkksBackend::new(&context, EvaluationKeys::default()).with_packing(program.packing()).unwrap();
    let peak = |tile_values| {
        let options = StreamOptions { tile_values, in_flight: 3 };
        prepare_streamed(&backend, &program, &options).unwrap().memory().peak
    };
    let (whole, rows) = (peak(usize::MAX), peak(48));
    println!("whole tensors {whole} bytes, tiles {rows}");
    assert!(rows * 4 < whole);
    // A plane has 1024 elements: whole ones are tiles of 512 as well, but not of 500.
    let (planes, parts) = (peak(512), peak(500));
    println!("tiles that planes could be {planes} bytes, others {parts}");
    assert!(planes * 10 < parts * 11);
}

/// Fails, or answers with something else than was asked for.
struct Broken {
    answers: ClearPort,
    fails_at: u64,
    lies: bool,
}

impl RefreshPort<execute::clear::ClearTensor> for Broken {
    fn send(&mut self, request: Request<execute::clear::ClearTensor>) -> Result<(), PortError> {
        self.answers.send(request)
    }

    fn receive(&mut self, sequence: u64) -> Result<execute::clear::ClearTensor, PortError> {
        let answer = self.answers.receive(sequence)?;
        match (sequence == self.fails_at, self.lies) {
            (true, false) => Err("the line is cut".into()),
            (true, true) => {
                let short = Batch::zero(1, answer.batch().images());
                Ok(execute::clear::ClearTensor::new(short, he_params::Level::new(1), he_params::Scale::ONE))
            }
            _ => Ok(answer),
        }
    }
}

#[test]
fn a_port_that_fails_ends_the_run_by_name() {
    let params = client_params();
    let program = Layers::deep().program(&params);
    let backend = ClearBackend::new(params.q(), program.packing().images(params.slots()));
    let streamed = prepare_streamed(&backend, &program, &StreamOptions { tile_values: 16, in_flight: 2 }).unwrap();
    let inputs = batches(&program, 2);
    let run = |lies| {
        let mut port = Broken { answers: ClearPort::new(inputs.clone()), fails_at: 5, lies };
        run_streamed(&backend, &streamed, &mut port, &mut ()).unwrap_err()
    };
    let error = run(false);
    assert!(matches!(&error, ExecuteError::Port { sequence: 5, .. }), "{error}");
    assert!(error.to_string().ends_with("the line is cut"));
    let error = run(true).to_string();
    assert!(error.contains("the answer has 1 elements, the program takes 12"), "{error}");
    let error = prepare(&backend, &program).unwrap_err();
    assert!(matches!(error, ExecuteError::KeyOwner { .. }), "{error}");
}

#[test]
fn packings_that_differ_are_refused() {
    let params = client_params();
    let context = CkksContext::new(params.clone()).unwrap();
    let backend = CkksBackend::new(&context, EvaluationKeys::default());
    let program = Layers::deep().program(&params);
    let error = prepare_streamed(&backend, &program, &StreamOptions::default()).unwrap_err().to_string();
    assert!(error.contains("packed as Complex, the backend's as Batch"), "{error}");
    assert!(ClientFunction::Relu.is_elementwise());
}
