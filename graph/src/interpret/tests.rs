//! Chunks change nothing, observers see everything, wrong inputs are named.

use super::{CHUNK_ELEMENTS, run, run_observed};
use crate::{GraphBuilder, GraphError, Tensor};

#[test]
fn chunks_change_nothing() {
    let g = GraphBuilder::new("wide");
    let x = g.input("x", &[3]);
    let offset = g.fixed_input("offset", &[3]);
    let w = g.constant("w", Tensor::filled(vec![3, CHUNK_ELEMENTS / 4], 0.5).unwrap());
    let v = g.constant("v", Tensor::filled(vec![CHUNK_ELEMENTS / 4, 2], 0.25).unwrap());
    let y = (x + offset).matmul(w).matmul(v);
    let graph = g.finish(&[y, offset, -offset]).unwrap();
    // Four images a chunk, so ten make three chunks.
    let images = Tensor::new(vec![10, 3], (0..30).map(f64::from).collect()).unwrap();
    let offset = Tensor::vector(vec![1.0, 2.0, 3.0]);
    let mut seen = Vec::new();
    let outputs = run_observed(&graph, &[images.clone(), offset.clone()], |id, tensor| {
        if id == graph.inputs()[0] {
            seen.push(tensor.dims()[0]);
        }
    });
    let outputs = outputs.unwrap();
    assert_eq!(seen, [4, 4, 2]);
    assert_eq!(outputs[1], offset);
    assert_eq!(outputs[2].data(), [-1.0, -2.0, -3.0]);
    for image in 0..10 {
        let one = Tensor::new(vec![1, 3], images.data()[image * 3..][..3].to_vec()).unwrap();
        let alone = run(&graph, &[one, offset.clone()]).unwrap();
        assert_eq!(alone[0].data(), &outputs[0].data()[image * 2..][..2]);
    }
}

#[test]
fn observers_see_inputs_and_nodes() {
    let g = GraphBuilder::new("seen");
    let x = g.input("x", &[2]);
    let graph = g.finish(&[(x * 2.0).square()]).unwrap();
    let mut seen = Vec::new();
    let x = Tensor::new(vec![1, 2], vec![1.0, -3.0]).unwrap();
    run_observed(&graph, &[x], |id, tensor| seen.push((graph.value(id).name().to_owned(), tensor.data().to_vec())))
        .unwrap();
    let expected = [("x", vec![1.0, -3.0]), ("mul1", vec![2.0, -6.0]), ("mul2", vec![4.0, 36.0])];
    assert_eq!(seen, expected.map(|(name, data)| (name.to_owned(), data)));
}

#[test]
fn wrong_inputs_are_named() {
    let g = GraphBuilder::new("two");
    let graph = g.finish(&[g.input("a", &[2]) + g.input("b", &[2])]).unwrap();
    let tensor = |dims: &[usize]| Tensor::filled(dims.to_vec(), 0.0).unwrap();
    let refuse = |inputs: &[Tensor]| run(&graph, inputs).unwrap_err();
    assert_eq!(refuse(&[tensor(&[1, 2])]), GraphError::InputCount { expected: 2, found: 1 });
    assert_eq!(
        refuse(&[tensor(&[1, 2]), tensor(&[1, 3])]).to_string(),
        "input b: expected shape [batch, 2], found [1, 3]"
    );
    assert_eq!(
        refuse(&[tensor(&[0, 2]), tensor(&[0, 2])]).to_string(),
        "input a: expected shape [batch, 2], found [0, 2]"
    );
    assert_eq!(refuse(&[tensor(&[1, 2]), tensor(&[3, 2])]), GraphError::BatchMismatch { left: 1, right: 3 });
}
