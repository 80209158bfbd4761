use graph::GraphBuilder;

use super::DeadCode;
use crate::testing::{check_golden, run};

#[test]
fn golden() {
    let [before, after, report] = [include_str!("before.txt"), include_str!("after.txt"), include_str!("report.txt")];
    check_golden(&DeadCode, before, after, report);
}

#[test]
fn what_is_alive_stays() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    let y = x.square() + 1.0;
    let mut graph = g.finish(&[y * y, y]).unwrap();
    let before = graph.to_string();
    let report = run(&DeadCode, &mut graph);
    assert_eq!(report.to_string(), "");
    assert_eq!(graph.to_string(), before);
}
