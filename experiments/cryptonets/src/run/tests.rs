use datasets::committed_model;
use rayon::ThreadPoolBuilder;
use report::Comparison;

use super::*;

/// Images of 64 strokes, drawn by arithmetic: a network that classifies digits sees something, no data set is needed.
fn strokes(count: usize) -> LabelledImages {
    let mut pixels = vec![0_u8; count * 784];
    for (i, image) in pixels.chunks_exact_mut(784).enumerate() {
        for t in 0..200 {
            let along = f64::from(t) / 200.0;
            let turn = along * (1.0 + (i % 5) as f64) * 2.0 + i as f64;
            let (row, column) = (4.0 + 20.0 * along, 14.0 + (3.0 + (i % 7) as f64) * turn.sin());
            image[28 * row as usize + column as usize] = 255;
        }
    }
    LabelledImages::new(28, 28, pixels, vec![0; count]).unwrap()
}

fn settings(threads: usize) -> Settings {
    Settings {
        batch_size: 40,
        ring: RingType::Cyclotomic,
        precision_bits: transforms::DEFAULT_PRECISION_BITS,
        threads,
        seed: Seed([7; 32]),
        insecure: true,
    }
}

fn run(model: &Model, images: &LabelledImages, threads: usize) -> EncryptedRun {
    let settings = settings(threads);
    let calibration = model.input(images, 0..images.len()).unwrap();
    let compiled = compile_model(model, calibration, &settings).unwrap();
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| run_encrypted(model, compiled, images, &settings)).unwrap()
}

/// Each committed model: encrypted and clear labels equal, logits within the gate, and the forecast bound on the error holds.
#[test]
fn encrypted_is_clear_on_every_committed_model() {
    let images = strokes(64);
    for name in ["mnist_squashed", "mnist_unsquashed", "fashion_squashed", "fashion_unsquashed"] {
        let model = Model::load(&committed_model("cryptonets", &format!("{name}.onnx")).unwrap()).unwrap();
        let run = run(&model, &images, 2);
        let clear = model.run_clear(&images, 1).unwrap();
        let found = Comparison::new(&[Some(0); 64], &clear, &run.logits).unwrap();
        assert_eq!(found.gate(0.9995).refusals, [""; 0], "{name}");
        assert_eq!((found.images, found.agreement), (64, 1.0), "{name}");
        let bound = run.compiled.explain.layers.last().unwrap().error_bound;
        assert!(found.largest_error <= bound, "{name}: {} above {bound}", found.largest_error);
        assert!(found.largest_error >= bound / 1000.0, "{name}: {} far below {bound}", found.largest_error);
        assert_eq!(run.seconds.server.len(), 2, "{name}: two batches of 40");
    }
}

#[test]
fn the_same_seed_gives_the_same_logits_on_any_number_of_threads() {
    let images = strokes(8);
    let model = Model::load(&committed_model("cryptonets", "mnist_squashed.onnx").unwrap()).unwrap();
    assert_eq!(run(&model, &images, 1).logits, run(&model, &images, 3).logits);
}

#[test]
fn a_program_step_by_step() {
    let images = strokes(8);
    let model = Model::load(&committed_model("cryptonets", "mnist_unsquashed.onnx").unwrap()).unwrap();
    let run = run(&model, &images, 1);
    assert_eq!(run.steps.len(), run.compiled.program.nodes().len());
    assert_eq!(run.steps[0].verb, "input");
    let layers = report::gather(&run.steps, &run.compiled.explain.layers);
    let explained: Vec<&str> = run.compiled.explain.layers.iter().map(|l| l.name.as_str()).collect();
    let mut found: Vec<&str> = layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(found[1..], explained[1..]);
    assert_eq!(found.remove(0), model.input_name());
    assert!(layers.iter().all(|l| l.magnitude > 0.0));
}
