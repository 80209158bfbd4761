//! The clear backend against the same networks written by hand, the memory plan, and each refusal of a run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod programs;

use std::ops::ControlFlow;

use execute::clear::{ClearBackend, ClearError, ClearTensor};
use execute::{
    Backend, Batch, ExecuteError, Finished, InputMismatch, NodeInfo, Operand, Progress, Recorder, prepare, run,
};
use he_ir::HeProgram;
use he_params::{Level, Scale};
use programs::{TwoLayers, every_operation, every_operation_evaluate, numbers, params};

fn backend(images: usize) -> ClearBackend {
    ClearBackend::new(params().q(), images)
}

fn inputs(backend: &ClearBackend, program: &HeProgram, images: usize) -> Vec<ClearTensor> {
    let batch = |(i, (_, _, value)): (usize, (&str, _, &he_ir::CipherType))| {
        let numbers = numbers(images * value.elements(), 10 + i as u64);
        backend.input(value, Batch::from_images(&numbers, value.elements()).unwrap())
    };
    program.inputs().enumerate().map(batch).collect()
}

#[test]
fn the_network_computes_what_it_says() {
    let network = TwoLayers::new();
    let program = network.program(&params());
    for images in [1, 5, 128, 300] {
        let backend = backend(images);
        let prepared = prepare(&backend, &program).unwrap();
        let inputs = inputs(&backend, &program, images);
        let image = inputs[0].batch().to_images();
        let out = run(&backend, &prepared, inputs, &mut ()).unwrap();
        let logits = out[0].batch().to_images();
        assert_eq!((out.len(), logits.len()), (1, images * 3));
        for (image, logits) in image.chunks(16).zip(logits.chunks(3)) {
            for (got, want) in logits.iter().zip(network.evaluate(image)) {
                // Weights are rounded to 26 bits.
                assert!((got - want).abs() < 1e-6, "{got} {want}");
            }
        }
        assert_eq!(backend.state(&out[0]).level, Level::new(1));
    }
}

#[test]
fn every_operation_computes_what_it_says() {
    let program = every_operation(&params());
    let backend = backend(7);
    let inputs = inputs(&backend, &program, 7);
    let (x, y) = (inputs[0].batch().to_images(), inputs[1].batch().to_images());
    let out = run(&backend, &prepare(&backend, &program).unwrap(), inputs, &mut ()).unwrap();
    let image = |t: usize, i: usize| out[t].batch().to_images()[2 * i..2 * i + 2].to_vec();
    for i in 0..7 {
        let (g, k) = every_operation_evaluate(&x[4 * i..4 * i + 4], &y[4 * i..4 * i + 4]);
        for (got, want) in image(0, i).iter().chain(&image(1, i)).zip(g.iter().chain(&k)) {
            assert!((got - want).abs() < 1e-12, "{got} {want}");
        }
    }
    assert_eq!(out[0], out[2]);
}

#[test]
fn linear_is_the_map_itself_bit_for_bit() {
    let program = TwoLayers::new().program(&params());
    let he_ir::Op::Linear { map } = program.nodes()[1].op() else { panic!("no linear node") };
    let backend = backend(130);
    let x = inputs(&backend, &program, 130).remove(0);
    let images = x.batch().to_images();
    let weights = backend.pack(map, program.nodes()[0].value()).unwrap();
    let y = backend.linear(Operand::Last(x), &weights).unwrap().batch().to_images();
    for (x, y) in images.chunks(16).zip(y.chunks(8)) {
        assert_eq!(map.apply(x).unwrap(), y);
    }
}

#[test]
fn what_is_held_is_what_was_planned() {
    for program in [TwoLayers::new().program(&params()), every_operation(&params())] {
        let backend = backend(9);
        let prepared = prepare(&backend, &program).unwrap();
        let mut recorder = Recorder::new(());
        run(&backend, &prepared, inputs(&backend, &program, 9), &mut recorder).unwrap();
        let held: Vec<usize> = recorder.times().iter().map(|node| node.bytes_held).collect();
        assert_eq!(held, prepared.memory().after);
        assert!(prepared.memory().peak >= *held.iter().max().unwrap());
    }
}

#[test]
fn the_plan_of_a_small_network_by_hand() {
    let program = TwoLayers::new().program(&params());
    let prepared = prepare(&backend(1), &program).unwrap();
    let doubles = |counts: &[usize]| -> Vec<usize> { counts.iter().map(|c| c * 8).collect() };
    // input 16; linear 16 + 8; rescale and square in place; linear 8 + 3; the rest in place.
    assert_eq!(prepared.memory().during, doubles(&[16, 24, 8, 8, 11, 3, 3, 3]));
    assert_eq!(prepared.memory().after, doubles(&[16, 8, 8, 8, 3, 3, 3, 3]));
    assert_eq!(prepared.memory().peak, 24 * 8);
}

/// Stops before a node, and counts.
struct StopAt(usize, usize);

impl Progress for StopAt {
    fn started(&mut self, node: NodeInfo<'_>) -> ControlFlow<()> {
        if node.index == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn finished(&mut self, node: NodeInfo<'_>, _: Finished) {
        assert_eq!(node.index, self.1);
        self.1 += 1;
    }
}

#[test]
fn a_run_stops_when_asked() {
    let program = every_operation(&params());
    let backend = backend(2);
    let prepared = prepare(&backend, &program).unwrap();
    let mut progress = Recorder::new(StopAt(4, 0));
    let error = run(&backend, &prepared, inputs(&backend, &program, 2), &mut progress).unwrap_err();
    assert!(matches!(error, ExecuteError::Stopped { index: 4, nodes: 17 }), "{error}");
    let (times, StopAt(_, finished)) = progress.into_parts();
    assert_eq!((finished, times.len()), (4, 4));
    assert_eq!(times[3].layer, "mul");
}

#[test]
fn wrong_inputs_are_refused() {
    let program = every_operation(&params());
    let backend = backend(4);
    let prepared = prepare(&backend, &program).unwrap();
    let (scale, level) = (Scale::new(params().q()[3] as f64).unwrap(), Level::new(3));
    let tensor = |elements, images, level, scale| ClearTensor::new(Batch::zero(elements, images), level, scale);
    let refused = |inputs| run(&backend, &prepared, inputs, &mut ()).unwrap_err();
    let first = |x| match refused(vec![x, tensor(4, 4, level, scale)]) {
        ExecuteError::Input { name, mismatch } => {
            assert_eq!(name, "x");
            mismatch
        }
        other => panic!("{other}"),
    };
    assert_eq!(first(tensor(3, 4, level, scale)), InputMismatch::Elements { expected: 4, found: 3 });
    let low = Level::new(2);
    assert_eq!(first(tensor(4, 4, low, scale)), InputMismatch::Level { expected: level, found: low });
    let (expected, found) = (scale, Scale::ONE);
    assert_eq!(first(tensor(4, 4, level, found)), InputMismatch::Scale { expected, found });
    assert_eq!(first(tensor(4, 5, level, scale)), InputMismatch::TooManyImages { slots: 4, found: 5 });
    let squared = backend.square(Operand::Last(tensor(4, 4, level, Scale::new(scale.get().sqrt()).unwrap()))).unwrap();
    assert_eq!(first(squared), InputMismatch::Components { expected: 2, found: 3 });
    let error = refused(vec![tensor(4, 4, level, scale), tensor(4, 3, level, scale)]);
    assert_eq!(error.to_string(), "input \"y\" has 3 images or slots, the first input has 4");
    let error = refused(vec![tensor(4, 4, level, scale)]);
    assert_eq!(error.to_string(), "1 inputs, the program takes 2");
}

#[test]
fn a_program_over_other_primes_is_refused() {
    let program = every_operation(&params());
    let error = prepare(&ClearBackend::new(&[97, 193], 4), &program).unwrap_err().to_string();
    assert!(
        error.starts_with("backend clear cannot run program \"every_operation\": the program is over the primes [")
    );
    assert!(error.ends_with("the backend over [97, 193]"), "{error}");
}

#[test]
fn operands_that_do_not_fit_are_refused() {
    let backend = backend(4);
    let tensor = |elements, images, level| {
        ClearTensor::new(Batch::zero(elements, images), Level::new(level), Scale::new(1024.0).unwrap())
    };
    let last = |elements, images, level| Operand::Last(tensor(elements, images, level));
    let (left, right) = ((2, 3), (3, 3));
    assert_eq!(backend.add(last(2, 3, 1), last(3, 3, 1)), Err(ClearError::Shape { left, right }));
    assert_eq!(backend.gather(last(2, 3, 1), &[2]), Err(ClearError::Element { index: 2, elements: 2 }));
    assert_eq!(backend.add_constant(last(2, 3, 1), &[0.0]), Err(ClearError::Element { index: 1, elements: 2 }));
    assert_eq!(backend.rescale(last(2, 3, 0)), Err(ClearError::NoPrime { level: Level::new(0) }));
    let huge = ClearTensor::new(Batch::zero(1, 1), Level::new(1), Scale::new(1e200).unwrap());
    assert!(matches!(backend.square(Operand::Last(huge)), Err(ClearError::Scale(_))));
}
