//! How graph passes are tested: golden text in, golden text out, the interpreter before and after.

use std::collections::HashMap;
use std::path::PathBuf;

use graph::{Graph, Tensor, interpret};
use he_ir::HeProgram;

use crate::{Pass, PassReport};

/// Pseudo-random elements in [-1, 1), the same for the same seed.
pub(crate) fn random(dims: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    Tensor::new(dims.to_vec(), std::iter::repeat_with(next).take(dims.iter().product()).collect()).unwrap()
}

/// Runs a pass and checks what holds for every pass: the verifier is content, and the graph computes what it did.
pub(crate) fn run(pass: &dyn Pass<Graph>, graph: &mut Graph) -> PassReport {
    let before = graph.clone();
    let report = pass.run(graph).unwrap();
    graph.verify().unwrap();
    assert_same_meaning(&before, graph);
    report
}

/// Both graphs compute the same on three pseudo-random images.
pub(crate) fn assert_same_meaning(before: &Graph, after: &Graph) {
    let inputs: Vec<Tensor> =
        before.inputs().iter().zip(1..).map(|(&id, seed)| random(&before.shape(id).with_batch(3), seed)).collect();
    let [left, right] = [before, after].map(|graph| interpret::run(graph, &inputs).unwrap());
    assert_eq!(left.len(), right.len());
    for (left, right) in left.iter().zip(&right) {
        assert_eq!(left.dims(), right.dims());
        let largest = left.data().iter().fold(1.0f64, |m, x| m.max(x.abs()));
        for (i, (l, r)) in left.data().iter().zip(right.data()).enumerate() {
            assert!((l - r).abs() <= 1e-10 * largest, "element {i}: before {l}, after {r}");
        }
    }
}

/// `before.txt` of the pass's folder becomes `after.txt`, with `report.txt` as its report. `HENGE_UPDATE_GOLDEN=1`
/// writes the latter two.
pub(crate) fn check_golden(pass: &dyn Pass<Graph>, before: &str, after: &str, report: &str) {
    let mut graph = graph::text::parse(before).unwrap();
    assert_eq!(graph.to_string(), before, "before.txt is not as it would be printed");
    let report_found = run(pass, &mut graph).to_string();
    let after_found = graph.to_string();
    if std::env::var_os("HENGE_UPDATE_GOLDEN").is_some() {
        let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("src").join(pass.name());
        std::fs::write(folder.join("after.txt"), after_found).unwrap();
        std::fs::write(folder.join("report.txt"), report_found).unwrap();
        return;
    }
    assert_eq!(after_found, after);
    assert_eq!(report_found, report);
}

/// One image through a program in `f64`; see [`crate::labels`].
pub(crate) fn evaluate(program: &HeProgram, inputs: &HashMap<String, Vec<f64>>) -> Vec<Vec<f64>> {
    crate::labels::evaluate_clear(program, inputs).unwrap()
}
