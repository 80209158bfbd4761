//! HE-Transformer's own CryptoNets, where the file is there.

use std::path::PathBuf;

use graph::import::onnx::{self, ImportOptions};
use graph::ops::Op;
use graph::{Shape, Tensor, interpret};

/// `$HENGE_SHARED`, or `shared` beside the repository.
fn model() -> Option<PathBuf> {
    let shared = std::env::var_os("HENGE_SHARED").map(PathBuf::from);
    let beside = std::env::var_os("CARGO_MANIFEST_DIR").map(|root| PathBuf::from(root).join("../../shared"));
    let path = shared.or(beside)?.join("data/he_transformer/he_transformer_cryptonets.onnx");
    path.exists().then_some(path)
}

#[test]
fn he_transformers_model_imports_for_any_batch() {
    let Some(path) = model() else {
        println!("skipped: no he_transformer_cryptonets.onnx (set HENGE_SHARED)");
        return;
    };
    let graph = onnx::load(path, &ImportOptions::default()).unwrap();
    assert_eq!(graph.inputs().len(), 1);
    assert_eq!(*graph.shape(graph.inputs()[0]), Shape::batched(&[28, 28, 1]).unwrap());
    assert_eq!(*graph.shape(graph.outputs()[0]), Shape::batched(&[10]).unwrap());
    let verbs: Vec<&str> = graph.nodes().map(|(_, node)| node.op().name()).collect();
    let expected = ["reshape", "conv", "transpose", "mul", "reshape", "matmul", "add", "mul", "matmul", "add"];
    assert_eq!(verbs, expected);
    let conv = graph.nodes().find_map(|(_, node)| match node.op() {
        Op::Conv(conv) => Some(conv.clone()),
        _ => None,
    });
    assert_eq!(conv.unwrap().pads, [[1, 2], [1, 2]]);

    // Not the declared 16 images, but 3: all black, all white, all black again.
    let mut data = vec![0.0; 3 * 784];
    data[784..2 * 784].fill(1.0);
    let logits = interpret::run(&graph, &[Tensor::new(vec![3, 28, 28, 1], data).unwrap()]).unwrap().remove(0);
    assert_eq!(logits.dims(), [3, 10]);
    assert_eq!(logits.data()[..10], logits.data()[20..]);
    assert_ne!(logits.data()[..10], logits.data()[10..20]);
}
