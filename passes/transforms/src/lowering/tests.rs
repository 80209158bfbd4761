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

#[test]
fn two_encrypted_operands_of_two_shapes_are_refused() {
    let g = GraphBuilder::new("broadcast");
    let (x, z) = (g.input("x", &[2, 3]), g.input("z", &[1, 3]));
    let graph = g.finish(&[x * z]).unwrap();
    let error = lower(&graph).unwrap_err().to_string();
    assert!(error.contains("left [batch, 2, 3], right [batch, 1, 3]"), "{error}");
}
