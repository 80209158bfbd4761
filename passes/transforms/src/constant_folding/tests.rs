use graph::{GraphBuilder, Tensor};

use super::ConstantFolding;
use crate::testing::{check_golden, run};

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&ConstantFolding::default(), before, after, report);
}

#[test]
fn chains_up_to_an_output() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    let c = g.constant("c", Tensor::new(vec![2, 3], (0..6).map(f64::from).collect()).unwrap());
    let folded = c.transpose(&[1, 0]).square() + 1.0;
    let mut graph = g.finish(&[x * 2.0, folded]).unwrap();
    let report = run(&ConstantFolding::default(), &mut graph);
    assert_eq!(report.rewritten.len(), 3);
    assert!(report.declined.is_empty());
    let verbs: Vec<&str> = graph.nodes().map(|(_, node)| node.op().name()).collect();
    assert_eq!(verbs, ["mul"]);
    assert_eq!(graph.constant(graph.outputs()[1]).unwrap().data(), [1.0, 10.0, 2.0, 17.0, 5.0, 26.0]);
}

#[test]
fn what_is_too_large_or_infinite_stays() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[1]);
    let c = g.constant("c", Tensor::vector(vec![1e200]));
    let wide = g.constant("a", Tensor::vector(vec![1.0; 5])) + g.constant("b", Tensor::vector(vec![1.0; 5]));
    let mut graph = g.finish(&[x + 1.0, c * c, wide]).unwrap();
    // The interpreter gives infinity before and after, which equals nothing: run the pass alone.
    let report = crate::Pass::run(&ConstantFolding { max_elements: 4 }, &mut graph).unwrap();
    graph.verify().unwrap();
    assert!(report.rewritten.is_empty());
    assert_eq!(report.to_string(), "- add1: 5 elements, at most 4 are folded\n- mul3: mul of constants gives inf\n");
}
