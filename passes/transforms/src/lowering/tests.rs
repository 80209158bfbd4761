//! Golden circuits, and what has no encrypted form.

use graph::{GraphBuilder, Tensor};

use super::*;

fn tensor(shape: &[usize], data: &[f64]) -> Tensor {
    Tensor::new(shape.to_vec(), data.to_vec()).unwrap()
}

#[test]
fn squares_translations_and_movement_cost_nothing_linear() {
    let g = GraphBuilder::new("small");
    let x = g.input("x", &[2]);
    let w = g.constant("w", tensor(&[2, 1], &[2.0, -3.0]));
    let y = (x * x + 1.0).matmul(w);
    let graph = g.finish(&[y]).unwrap();
    let circuit = lower(&graph).unwrap();
    let verbs: Vec<&str> = circuit.nodes.iter().map(|n| n.gate.verb()).collect();
    assert_eq!(verbs, ["input", "square", "add_constant", "linear"]);
    assert_eq!(circuit.required_levels(), [2, 1, 1, 0]);
    assert_eq!(circuit.depth(), 2);
}

#[test]
fn an_input_that_joins_late_needs_fewer_levels() {
    let g = GraphBuilder::new("join");
    let (x, z) = (g.input("x", &[2]), g.input("z", &[2]));
    let graph = g.finish(&[x * x * x + z]).unwrap();
    let circuit = lower(&graph).unwrap();
    assert_eq!(circuit.required_levels()[..2], [2, 0]);
}

/// The circuit computes what the graph does.
fn check_meaning(graph: &Graph) -> Circuit {
    let circuit = lower(graph).unwrap();
    let mut inputs = std::collections::HashMap::new();
    let mut tensors = Vec::new();
    for (&id, seed) in graph.inputs().iter().zip(1..) {
        let tensor = crate::testing::random(&graph.shape(id).with_batch(1), seed);
        inputs.insert(graph.value(id).name().to_owned(), tensor.data().to_vec());
        tensors.push(tensor);
    }
    let expected = graph::interpret::run(graph, &tensors).unwrap();
    let found = circuit.evaluate(&inputs).unwrap();
    for (expected, (_, index)) in expected.iter().zip(&circuit.outputs) {
        let pairs = expected.data().iter().zip(&found[*index]);
        assert!(pairs.clone().count() == found[*index].len() && pairs.clone().all(|(a, b)| (a - b).abs() < 1e-12));
    }
    circuit
}

#[test]
fn two_encrypted_operands_are_broadcast() {
    let g = GraphBuilder::new("broadcast");
    let (x, z, c) = (g.input("x", &[2, 3, 4]), g.input("z", &[1, 3, 1]), g.input("c", &[2, 1, 1]));
    let graph = g.finish(&[x * z, c - x, g.apply("max", graph::ops::Max, &[z, c])]).unwrap();
    let circuit = check_meaning(&graph);
    let verbs: Vec<&str> = circuit.nodes.iter().skip(3).map(|n| n.gate.verb()).collect();
    assert_eq!(verbs, ["gather", "mul", "gather", "sub", "gather", "gather", "refresh"]);
}

#[test]
fn encrypted_values_stand_one_behind_the_other() {
    let g = GraphBuilder::new("concat");
    let (x, y) = (g.input("x", &[2, 3]), g.input("y", &[2, 1]));
    let behind = g.apply("behind", graph::ops::Concat { axis: 2 }, &[x, y, x]);
    let below = g.apply("below", graph::ops::Concat { axis: 1 }, &[x, x]);
    let circuit = check_meaning(&g.finish(&[behind, below]).unwrap());
    assert_eq!(circuit.depth(), 1);
}
