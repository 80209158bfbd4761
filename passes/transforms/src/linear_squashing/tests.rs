use std::path::PathBuf;

use graph::import::onnx::ImportOptions;
use graph::ops::{AveragePool, Conv, Gemm, Op};
use graph::{Expr, Graph, GraphBuilder, Tensor};
use proptest::prelude::*;

use super::LinearSquashing;
use crate::testing::{assert_same_meaning, check_golden, random, run};

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&LinearSquashing::default(), before, after, report);
}

fn verbs(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().map(|(_, node)| node.op().name()).collect()
}

#[test]
fn unsquashed_cryptonets_becomes_the_published_five_layers() {
    let g = GraphBuilder::new("cryptonets");
    let c = |name, dims: &[usize], seed| {
        let scaled = random(dims, seed).data().iter().map(|w| w * 0.1).collect();
        g.constant(name, Tensor::new(dims.to_vec(), scaled).unwrap())
    };
    let pool = || AveragePool::new(&[3, 3]).stride(1).pad(1, 1).count_border(true);
    let x = g.input("image", &[1, 28, 28]);
    let h = x.conv_bias(Conv::new(2).stride(2).pad(0, 1), c("w1", &[5, 1, 5, 5], 1), c("b1", &[5], 2)).square();
    let h = h.average_pool(pool()).conv_bias(Conv::new(2).stride(2), c("w2", &[50, 5, 5, 5], 3), c("b2", &[50], 4));
    let h = h.average_pool(pool()).flatten().gemm(Gemm::default(), c("w3", &[1250, 100], 5), c("b3", &[100], 6));
    let h = h.square().gemm(Gemm::default(), c("w4", &[100, 10], 7), c("b4", &[10], 8));
    let mut graph = g.finish(&[h]).unwrap();
    let report = run(&LinearSquashing::default(), &mut graph);
    assert_eq!(verbs(&graph), ["conv", "mul", "affine", "mul", "gemm"]);
    let dense = graph.nodes().find_map(|(_, node)| match node.op() {
        Op::Affine(op) => Some((op.map.groups().len(), op.map.multiplications(), node.name())),
        _ => None,
    });
    assert_eq!(dense, Some((1, 84_500, "average_pool3+..+gemm7")));
    assert!(report.declined.is_empty(), "{report}");
    assert!(report.to_string().contains("5 nodes as one, 84500 multiplications instead of"), "{report}");
    assert!(report.to_string().contains("4 levels become 1"), "{report}");
}

#[test]
fn movement_joins_whatever_is_beside_it() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[6, 6, 1]);
    let h =
        x.reshape(&[1, 6, 6]).conv(Conv::new(2), g.constant("w", random(&[2, 1, 3, 3], 1))).transpose(&[0, 2, 3, 1]);
    let h = h.square().transpose(&[0, 3, 1, 2]).flatten();
    let mut graph = g.finish(&[h]).unwrap();
    let report = run(&LinearSquashing { max_growth: 1.0, max_multiplications: usize::MAX }, &mut graph);
    assert_eq!(verbs(&graph), ["affine", "mul", "affine"]);
    assert_eq!(report.rewritten[1].1, "2 nodes as one, 0 multiplications instead of 0, 0 levels become 0");
}

#[test]
fn what_is_too_dear_falls_into_pieces() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[40]);
    let c = |name, dims: &[usize]| g.constant(name, random(dims, 1));
    // Down to 2 and up again: 160 multiplications apart, 1600 together.
    let narrow = g.apply("down", graph::ops::MatMul, &[x, c("a", &[40, 2])]);
    let wide = g.apply("up", graph::ops::MatMul, &[narrow, c("b", &[2, 40])]);
    let mut graph = g.finish(&[g.apply("bias", graph::ops::Add, &[wide, c("c", &[40])])]).unwrap();
    let strict = LinearSquashing { max_growth: 9.0, ..LinearSquashing::default() };
    let report = run(&strict, &mut graph.clone());
    assert_eq!(
        report.to_string(),
        "+ up+bias: 2 nodes as one, 80 multiplications instead of 80, 1 levels become 1\n\
         - up: together with down it takes 1600 multiplications instead of 160, 1440 are allowed\n"
    );
    let small = LinearSquashing { max_growth: 100.0, max_multiplications: 1000 };
    assert_eq!(run(&small, &mut graph.clone()).declined.len(), 1);
    let generous = LinearSquashing { max_growth: 10.0, ..LinearSquashing::default() };
    assert!(run(&generous, &mut graph).declined.is_empty());
    assert_eq!(verbs(&graph), ["affine"]);
}

#[test]
fn dear_in_the_middle_is_fine_if_the_whole_is_cheap() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[40]);
    let c = |name, dims: &[usize]| g.constant(name, random(dims, 1));
    let h = x.matmul(c("a", &[40, 2])).matmul(c("b", &[2, 40])).matmul(c("c", &[40, 2]));
    let mut graph = g.finish(&[h]).unwrap();
    let report = run(&LinearSquashing { max_growth: 1.0, ..LinearSquashing::default() }, &mut graph);
    assert_eq!(verbs(&graph), ["affine"]);
    assert!(report.declined.is_empty());
}

#[test]
fn a_value_read_twice_ends_a_chain() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[3]);
    let y = x * 2.0;
    let mut graph = g.finish(&[y + 1.0, y.square()]).unwrap();
    let report = run(&LinearSquashing::default(), &mut graph);
    assert_eq!(report.to_string(), "- add2: mul1 is read 3 times\n");
    assert_eq!(verbs(&graph), ["mul", "add", "mul"]);
}

#[test]
fn he_transformers_model_becomes_five_layers() {
    let shared = std::env::var_os("HENGE_SHARED").map(PathBuf::from);
    let beside = std::env::var_os("CARGO_MANIFEST_DIR").map(|root| PathBuf::from(root).join("../../../shared"));
    let path = shared.or(beside).map(|root| root.join("data/he_transformer/he_transformer_cryptonets.onnx"));
    let Some(path) = path.filter(|path| path.exists()) else {
        println!("skipped: no he_transformer_cryptonets.onnx (set HENGE_SHARED)");
        return;
    };
    let mut graph = graph::import::onnx::load(path, &ImportOptions::default()).unwrap();
    let before = graph.clone();
    let reports = crate::default_pipeline().unwrap().run(&mut graph).unwrap();
    assert_same_meaning(&before, &graph);
    assert_eq!(verbs(&graph), ["affine", "mul", "affine", "mul", "affine"]);
    assert!(reports.iter().all(|(_, report)| report.declined.is_empty()), "{reports:?}");
}

/// One random linear node behind a value.
fn grow<'b>(g: &'b GraphBuilder, x: Expr<'b>, shape: &mut Vec<usize>, choice: u8, seed: u64) -> Expr<'b> {
    let elements: usize = shape.iter().product();
    match (choice, shape.as_slice()) {
        (0, &[channels, h, w]) if h >= 2 && w >= 2 => {
            *shape = vec![3, h - 1, w];
            let op = Conv { pads: vec![[0, 0], [1, 0]], ..Conv::new(2) };
            x.conv_bias(op, g.constant("w", random(&[3, channels, 2, 2], seed)), g.constant("b", random(&[3], seed)))
        }
        (1, &[channels, h, w]) if h >= 2 && w >= 2 => {
            *shape = vec![channels, h / 2, w / 2];
            x.average_pool(AveragePool::new(&[2, 2]))
        }
        (2, &[a, b, c]) => {
            *shape = vec![c, a, b];
            x.transpose(&[0, 3, 1, 2])
        }
        (3, _) => {
            *shape = vec![elements];
            x.flatten()
        }
        (4, &[inner]) => {
            *shape = vec![12];
            x.matmul(g.constant("w", random(&[inner, 12], seed)))
        }
        (5, &[12]) => {
            *shape = vec![2, 3, 2];
            x.reshape(&[2, 3, 2])
        }
        (6, _) => x * g.constant("c", random(shape, seed)),
        (7, &[a, b, c]) => {
            *shape = vec![a, b + 1, c + 2];
            x.pad(&[[0, 0], [1, 0], [1, 1]], 0.5)
        }
        (8, _) => x.square(),
        _ => -x - g.constant("c", random(shape, seed)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_chain_keeps_its_meaning(choices in proptest::collection::vec((0u8..10, 1u64..1000), 1..10), growth in 0.5f64..4.0) {
        let g = GraphBuilder::new("g");
        let mut shape = vec![2, 5, 4];
        let mut h = g.input("x", &shape);
        for (choice, seed) in choices {
            h = grow(&g, h, &mut shape, choice, seed);
        }
        if let Ok(mut graph) = g.finish(&[h]) {
            run(&LinearSquashing { max_growth: growth, max_multiplications: 10_000 }, &mut graph);
        }
    }
}
