//! Models frozen in testdata (`make.py` is their recipe): what they compute, how they read, how they are refused.

use graph::import::onnx::{self, ImportOptions, OnnxError};
use graph::{Tensor, interpret};

use super::{assert_close, read, testdata};

const MODELS: [&str; 6] = [
    "small_cryptonets",
    "old_exporter",
    "every_operator_10",
    "every_operator_13",
    "every_operator_18",
    "every_nonlinearity",
];

#[test]
fn models_compute_what_onnx_computes() {
    for name in MODELS {
        let graph = onnx::load(testdata().join(format!("{name}.onnx")), &ImportOptions::default()).unwrap();
        let tensor = |part: &str| onnx::tensor_from_bytes(&read(testdata().join(format!("{name}.{part}.pb")))).unwrap();
        let found = interpret::run(&graph, &[tensor("input")]).unwrap();
        // The reference computes in f32.
        assert_close(name, &found[0], &tensor("output"), 1e-5);
    }
}

#[test]
fn a_declared_batch_is_only_a_suggestion() {
    let graph = onnx::load(testdata().join("old_exporter.onnx"), &ImportOptions::default()).unwrap();
    let input = onnx::tensor_from_bytes(&read(testdata().join("old_exporter.input.pb"))).unwrap();
    let expected = onnx::tensor_from_bytes(&read(testdata().join("old_exporter.output.pb"))).unwrap();
    // Four images were declared; seven run, the first four again among them.
    let data = input.data().iter().cycle().take(7 * 36).copied().collect();
    let found = interpret::run(&graph, &[Tensor::new(vec![7, 6, 6, 1], data).unwrap()]).unwrap();
    let data = expected.data().iter().cycle().take(7 * 3).copied().collect();
    assert_close("seven images", &found[0], &Tensor::new(vec![7, 3], data).unwrap(), 1e-5);
}

#[test]
fn the_text_of_an_imported_model() {
    for name in ["old_exporter", "every_operator_18", "every_nonlinearity"] {
        let graph = onnx::load(testdata().join(format!("{name}.onnx")), &ImportOptions::default()).unwrap();
        let printed = graph.to_string();
        check_golden(&format!("{name}.txt"), &printed);
        let constants = graph.values().filter_map(|(id, v)| Some((v.name().to_owned(), graph.constant(id)?.clone())));
        let parsed = graph::text::parse_with(&printed, &constants.collect()).unwrap();
        assert_eq!(parsed.to_string(), printed);
    }
}

#[test]
fn every_refusal_has_its_message() {
    let mut files: Vec<_> =
        std::fs::read_dir(testdata().join("refused")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 30, "only {} refused models found", files.len());
    let mut messages = String::new();
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let error = onnx::load(&path, &ImportOptions::default()).map(|_| ()).expect_err(&name);
        messages.push_str(&format!("{name}: {error}\n"));
    }
    check_golden("refused.txt", &messages);
}

#[test]
fn limits_and_files() {
    let bytes = read(testdata().join("small_cryptonets.onnx"));
    let mut small = ImportOptions::default();
    small.max_bytes = 100;
    assert!(matches!(onnx::from_bytes(&bytes, &small), Err(OnnxError::FileTooLarge { limit: 100 })));
    assert!(matches!(
        onnx::load(testdata().join("small_cryptonets.onnx"), &small),
        Err(OnnxError::FileTooLarge { limit: 100 })
    ));
    let mut few = ImportOptions::default();
    few.max_nodes = 5;
    assert!(matches!(onnx::from_bytes(&bytes, &few), Err(OnnxError::TooManyNodes { found: 6, limit: 5 })));
    let missing = onnx::load(testdata().join("no_such_file.onnx"), &ImportOptions::default()).unwrap_err();
    assert!(missing.to_string().contains("no_such_file.onnx"), "{missing}");
    // Two million empty nodes: four megabytes of file, refused before a byte is allocated for them.
    let mut empty_nodes = vec![0x3a, 0x80, 0x89, 0xfa, 0x01];
    empty_nodes.extend([0x0a, 0x00].repeat(2_049_024));
    empty_nodes.extend([0x0a, 0x00].repeat(100_000));
    let length = empty_nodes.len() - 5;
    empty_nodes[1..5].copy_from_slice(&[
        (length & 0x7f) as u8 | 0x80,
        (length >> 7 & 0x7f) as u8 | 0x80,
        (length >> 14 & 0x7f) as u8 | 0x80,
        (length >> 21) as u8,
    ]);
    let error = onnx::from_bytes(&empty_nodes, &ImportOptions::default()).unwrap_err();
    assert!(matches!(error, OnnxError::TooManyFields { .. }), "{error}");
}

/// Compares with a frozen text; `HENGE_UPDATE_GOLDEN=1` writes it instead.
fn check_golden(name: &str, found: &str) {
    let path = testdata().join(name);
    if std::env::var_os("HENGE_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name} differs from what is frozen; found:\n{found}");
}
