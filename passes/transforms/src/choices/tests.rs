//! Either way for one function: the key owner, or a polynomial.

use std::collections::HashMap;

use graph::ops::{MaxPool, Pow, Relu, Sigmoid};
use graph::{Expr, GraphBuilder, Tensor, interpret};
use he_ir::Packing;

use super::*;
use crate::ranges::Interval;
use crate::testing::{evaluate, random};
use crate::{CompileOptions, Compiled, compile, replay_with};

fn weights<'b>(g: &'b GraphBuilder, name: &str, dims: &[usize], seed: u64) -> Expr<'b> {
    let tensor = random(dims, seed);
    g.constant(name, Tensor::new(dims.to_vec(), tensor.data().iter().map(|w| w * 0.5).collect()).unwrap())
}

/// Dense, ReLU, dense, sigmoid, dense.
fn network() -> Graph {
    let g = GraphBuilder::new("net");
    let y = g.input("image", &[6]).matmul(weights(&g, "w1", &[6, 5], 1));
    let y = g.apply("relu", Relu, &[y]).matmul(weights(&g, "w2", &[5, 4], 2));
    let y = g.apply("sigmoid", Sigmoid, &[y]);
    g.finish(&[y.matmul(weights(&g, "w3", &[4, 2], 3))]).unwrap()
}

/// Dense, square (`x^2` as a power, then as a product), dense.
fn squares() -> Graph {
    let g = GraphBuilder::new("squares");
    let y = g.input("image", &[6]).matmul(weights(&g, "w1", &[6, 5], 1));
    let two = g.constant("two", Tensor::scalar(2.0));
    let y = g.apply("power", Pow, &[y, two]).matmul(weights(&g, "w2", &[5, 4], 2));
    g.finish(&[y.square().matmul(weights(&g, "w3", &[4, 2], 3))]).unwrap()
}

fn images(count: usize, seed: u64) -> Tensor {
    let data = random(&[count, 6], seed).data().iter().map(|x| (x + 1.0) / 2.0).collect();
    Tensor::new(vec![count, 6], data).unwrap()
}

fn options(default: Option<Activation>, nodes: &[(&str, Activation)]) -> CompileOptions {
    let mut options = CompileOptions::new(1024);
    options.input_ranges.insert("image".into(), Interval::new(0.0, 1.0));
    options.calibration = vec![images(16, 7)];
    let nodes = nodes.iter().map(|(name, activation)| ((*name).to_owned(), *activation)).collect();
    options.activations = Activations { default, nodes };
    options
}

/// The program computes what the network with its polynomials computes, and comes again from its choices.
fn checked(graph: &Graph, options: &CompileOptions) -> Compiled {
    let compiled = compile(graph, options).unwrap();
    assert_eq!(replay_with(graph, &compiled.chain, &compiled.choices).unwrap(), compiled.program);
    let json = serde_json::to_string(&compiled.choices).unwrap();
    assert_eq!(serde_json::from_str::<Choices>(&json).unwrap(), compiled.choices);
    let mut chosen = graph.clone();
    compiled.choices.apply(&mut chosen).unwrap();
    let batch = images(20, 11);
    let clear = interpret::run(&chosen, std::slice::from_ref(&batch)).unwrap();
    let bound = compiled.explain.layers.last().unwrap().error_bound;
    for (image, expected) in batch.data().chunks(6).zip(clear[0].data().chunks(2)) {
        let found = evaluate(&compiled.program, &HashMap::from([("image".to_owned(), image.to_vec())]));
        for (e, f) in expected.iter().zip(&found[0]) {
            assert!((e - f).abs() < bound, "expected {e}, found {f}, bound {bound:.2e}");
        }
    }
    compiled
}

fn functions(compiled: &Compiled) -> Vec<&'static str> {
    compiled.program.refreshes().map(|(_, refresh)| refresh.function.name()).collect()
}

#[test]
fn squares_go_to_the_key_owner_when_asked() {
    let server = checked(&squares(), &options(None, &[]));
    assert!(functions(&server).is_empty());
    let client = checked(&squares(), &options(Some(Activation::Client), &[]));
    assert_eq!(functions(&client), ["power", "power"]);
    // Nothing multiplies ciphertexts any more: two images to a slot.
    assert_eq!(client.program.packing(), Packing::Complex);
    assert_eq!(client.explain.one_image_to_a_slot, None);
    let one = checked(&squares(), &options(None, &[("power", Activation::Client)]));
    assert_eq!(functions(&one), ["power"]);
    assert_eq!(one.explain.one_image_to_a_slot.as_deref(), Some("mul3 multiplies ciphertexts"));
    let mixed = checked(&squares(), &options(Some(Activation::Client), &[("power", Activation::Polynomial)]));
    assert_eq!(functions(&mixed), ["power"]);
}

#[test]
fn polynomials_stand_in_where_asked() {
    let exact = checked(&network(), &options(None, &[]));
    assert_eq!(functions(&exact), ["relu", "sigmoid"]);
    let one = checked(&network(), &options(None, &[("relu", Activation::Polynomial)]));
    assert_eq!(functions(&one), ["sigmoid"]);
    let report = &one.reports.iter().find(|(pass, _)| *pass == "polynomial_activations").unwrap().1.to_string();
    assert!(report.starts_with("+ relu: relu is ") && report.contains("off by at most "), "{report}");
    assert!(one.explain.to_string().contains("+ relu: relu is "));
    let none = checked(&network(), &options(Some(Activation::Polynomial), &[]));
    assert!(functions(&none).is_empty() && none.explain.client.is_none());
    // The range of the second is the one that the first leaves.
    let [relu, sigmoid] = ["relu", "sigmoid"].map(|name| &none.choices.polynomials[name]);
    assert_eq!((relu.coefficients.len(), sigmoid.coefficients.len()), (3, 4));
    assert!(relu.deviation <= relu.range / 15.9 && sigmoid.deviation < 0.01, "{relu} {sigmoid}");
}

#[test]
fn wishes_that_cannot_be_granted_are_refused() {
    let refused =
        |graph: &Graph, nodes: &[(&str, Activation)]| compile(graph, &options(None, nodes)).unwrap_err().to_string();
    let error = refused(&network(), &[("rely", Activation::Client)]);
    let want = "activations: no node \"rely\" has a function to choose for; there are: relu, sigmoid";
    assert_eq!(error, want);
    let g = GraphBuilder::new("pool");
    let x = g.input("image", &[1, 2, 3]);
    let graph = g.finish(&[g.apply("pool", MaxPool::new(&[2, 1]), &[x])]).unwrap();
    let error = Choices::start(&graph, &options(None, &[("pool", Activation::Polynomial)]).activations).unwrap_err();
    assert_eq!(error.to_string(), "node pool (max_pool): no polynomial of one number stands in for it");
    // By default only where one can.
    let (choices, pending) = Choices::start(&graph, &options(Some(Activation::Polynomial), &[]).activations).unwrap();
    assert!(choices.is_default() && pending.is_empty());
}
