//! The whole way: golden report, the program's meaning, every refusal.

use graph::ops::Conv;
use graph::{GraphBuilder, interpret};
use he_params::ModulusChain;

use super::*;
use crate::testing::{evaluate, random};

/// Convolution, square, dense, square, dense: CryptoNets in small.
fn small() -> Graph {
    let g = GraphBuilder::new("small");
    let x = g.input("image", &[1, 6, 6]);
    let scaled = |name: &str, dims: &[usize], seed: u64, factor: f64| {
        let tensor = random(dims, seed);
        let data = tensor.data().iter().map(|w| w * factor).collect();
        g.constant(name, Tensor::new(dims.to_vec(), data).unwrap())
    };
    let conv = Conv { strides: vec![2, 2], pads: vec![[1, 1], [1, 1]], ..Conv::new(2) };
    let y = x.conv(conv, scaled("kernel", &[2, 1, 3, 3], 1, 0.5)).square().flatten();
    let y = (y.matmul(scaled("w1", &[18, 6], 2, 0.4)) + scaled("b1", &[6], 3, 0.1)).square();
    g.finish(&[y.matmul(scaled("w2", &[6, 3], 4, 1.0))]).unwrap()
}

fn images(count: usize, seed: u64) -> Tensor {
    let dims = vec![count, 1, 6, 6];
    let data = random(&dims, seed).data().iter().map(|x| (x + 1.0) / 2.0).collect();
    Tensor::new(dims, data).unwrap()
}

fn options() -> CompileOptions {
    let mut options = CompileOptions::new(2048);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    options.calibration = vec![images(16, 7)];
    options.threads = 2;
    options
}

#[test]
fn golden_report_and_program() {
    let compiled = compile(&small(), &options()).unwrap();
    let found = format!("{}\n{}", compiled.explain, compiled.program);
    if std::env::var_os("HENGE_UPDATE_GOLDEN").is_some() {
        let folder = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
        std::fs::write(folder.join("src/compile/small.txt"), found).unwrap();
        return;
    }
    assert_eq!(found, include_str!("small.txt"));
}

#[test]
fn the_program_computes_what_the_graph_does_up_to_the_predicted_error() {
    let graph = small();
    let compiled = compile(&graph, &options()).unwrap();
    let batch = images(50, 11);
    let clear = interpret::run(&graph, std::slice::from_ref(&batch)).unwrap();
    let bound = compiled.explain.layers.last().unwrap().error_bound;
    let mut largest: f64 = 0.0;
    for (image, expected) in batch.data().chunks(36).zip(clear[0].data().chunks(3)) {
        let outputs = evaluate(&compiled.program, &HashMap::from([("image".to_owned(), image.to_vec())]));
        for (x, y) in outputs[0].iter().zip(expected) {
            largest = largest.max((x - y).abs());
        }
    }
    // Rounded weights show, noise does not: the difference is there, and below the bound on both.
    assert!(0.0 < largest && largest < bound, "{largest} against {bound}");
}

#[test]
fn inputs_under_the_public_key_are_counted_noisier() {
    let compiled = |encryption| compile(&small(), &CompileOptions { encryption, ..options() }).unwrap();
    let (secret, public) = (compiled(Encryption::Symmetric), compiled(Encryption::Public));
    // The error of an input at the same scale, then as chosen: what was asked for stands either way.
    let unit = |compiled: &Compiled| compiled.explain.layers[0].error_bound * compiled.explain.log_scale.exp2();
    let model = he_params::noise::NoiseModel::of(&public.params);
    let fresh = |encryption| model.fresh(encryption, public.params.log_p()).std();
    let expected = fresh(Encryption::Public) / fresh(Encryption::Symmetric);
    assert_eq!(secret.params.log_n(), public.params.log_n());
    assert!((unit(&public) / unit(&secret) / expected - 1.0).abs() < 1e-6 && expected > 4.0);
    assert!(public.explain.precision_bits >= DEFAULT_PRECISION_BITS);
    assert!(public.explain.to_string().contains("under the public key"));
    assert!(!secret.explain.to_string().contains("under the public key"));
}

#[test]
fn the_same_network_gives_the_same_program() {
    let graph = small();
    let compiled = compile(&graph, &options()).unwrap();
    assert_eq!(compile(&graph, &options()).unwrap().program, compiled.program);
    let replayed = replay(&graph, &compiled.chain).unwrap();
    assert_eq!(replayed, compiled.program);
}

#[test]
fn seal_exact_keeps_relinearize_and_rescale_apart() {
    let graph = small();
    let verbs = |program: &HeProgram| program.nodes().iter().map(|node| node.op().verb()).collect::<Vec<_>>();
    let [one, two] = [false, true].map(|seal_exact| {
        let compiled = compile(&graph, &CompileOptions { seal_exact, ..options() }).unwrap();
        assert_eq!(replay(&graph, &compiled.chain).unwrap(), compiled.program);
        compiled
    });
    assert!(verbs(&one.program).contains(&"relinearize_rescale"), "{}", one.program);
    let apart = verbs(&two.program);
    assert!(apart.contains(&"rescale") && !apart.contains(&"relinearize_rescale"), "{}", two.program);
    assert!(one.explain.seconds < two.explain.seconds);
}

#[test]
fn without_samples_intervals_rule_and_ask_for_more() {
    let calibrated = compile(&small(), &options()).unwrap();
    let bounded = compile(&small(), &CompileOptions { calibration: vec![], ..options() }).unwrap();
    assert!(bounded.explain.layers.iter().all(|l| l.range_source == "interval"));
    let magnitude = |compiled: &Compiled| compiled.explain.layers.last().unwrap().magnitude;
    assert!(magnitude(&bounded) > magnitude(&calibrated));
    let warning = "give calibration samples";
    assert!(bounded.explain.to_string().contains(warning) && !calibrated.explain.to_string().contains(warning));
}

#[test]
fn reports_are_data_too() {
    let compiled = compile(&small(), &options()).unwrap();
    let json = serde_json::to_value(&compiled.explain).unwrap();
    assert_eq!(json["layers"].as_array().unwrap().len(), compiled.explain.layers.len());
    assert_eq!(json["security"]["table"], "guidelines_2024");
    let passes: Vec<_> = compiled.reports.iter().map(|(pass, _)| *pass).collect();
    assert_eq!(
        passes,
        [
            "constant_folding",
            "activation_fusion",
            "client_forms",
            "dead_code",
            "batch_norm_folding",
            "linear_squashing",
            "dead_code",
            "complex_packing",
            "placement"
        ]
    );
}

#[test]
fn insecure_parameters_say_so_on_the_first_line() {
    let literal = CkksParamsLiteral {
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(12, ModulusChain::Bits(vec![30; 6]), ModulusChain::Bits(vec![30]), 29.9)
    };
    let options = CompileOptions { params: Some(literal), precision_bits: 5.0, ..options() };
    let text = compile(&small(), &options).unwrap().explain.to_string();
    assert!(text.starts_with("security   INSECURE"), "{text}");
}

#[test]
fn refusals() {
    let refused = |options: CompileOptions| compile(&small(), &options).unwrap_err().to_string();
    assert_eq!(refused(CompileOptions { batch: 0, ..options() }), "batch of 0 images");
    let shape = refused(CompileOptions { calibration: vec![random(&[2, 36], 1)], ..options() });
    assert_eq!(shape, "calibration: input \"image\" is [2, 1, 6, 6], the sample [2, 36]");
    let count = refused(CompileOptions { calibration: vec![images(1, 1), images(1, 1)], ..options() });
    assert_eq!(count, "calibration: 2 tensors, the model has 1 inputs");
    let unknown = refused(CompileOptions { input_ranges: HashMap::new(), calibration: vec![], ..options() });
    assert!(unknown.starts_with("pass ranges: input \"image\": neither a range"), "{unknown}");
    let batch = refused(CompileOptions { batch: 1 << 20, ..options() });
    assert!(batch.starts_with("pass parameters: no parameters serve"), "{batch}");

    let g = GraphBuilder::new("fixed");
    let (x, z) = (g.input("x", &[2]), g.fixed_input("z", &[2]));
    let graph = g.finish(&[x * z]).unwrap();
    let error = compile(&graph, &CompileOptions::new(16)).unwrap_err().to_string();
    assert!(error.starts_with("pass lowering, node z (input): its axis 0 is not the batch"), "{error}");
}
