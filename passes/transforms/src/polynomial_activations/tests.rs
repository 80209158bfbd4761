use graph::ops::Relu;
use graph::{GraphBuilder, Tensor, interpret};

use super::*;
use crate::testing::random;

fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// Coefficients of round numbers, so that the golden text is the same on every machine.
fn polynomials() -> BTreeMap<String, Polynomial> {
    let of = |coefficients: &[f64]| Polynomial { coefficients: coefficients.to_vec(), range: 2.0, deviation: 0.125 };
    let quadratic = ("relu".to_owned(), of(&[0.125, 0.5, 0.25]));
    let cubic = ("sigmoid".to_owned(), of(&[0.5, 0.25, 0.0, -0.015625]));
    let line = ("tanh".to_owned(), of(&[0.0, 0.75]));
    BTreeMap::from([quadratic, cubic, line])
}

#[test]
fn golden_and_the_polynomials_meaning() {
    let mut graph = graph::text::parse(include_str!("before.txt")).unwrap();
    let pass = PolynomialActivations { polynomials: polynomials() };
    let report = pass.run(&mut graph).unwrap();
    graph.verify().unwrap();
    assert_eq!(report.rewritten.len(), 3);
    let first = "0.125000 + 0.500000 x + 0.250000 x^2, off by at most 1.25e-1 where |x| <= 2.000";
    assert_eq!(report.rewritten[0], ("relu".to_owned(), format!("relu is {first}")));
    if std::env::var_os("HENGE_UPDATE_GOLDEN").is_some() {
        let folder = std::path::PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
        std::fs::write(folder.join("src/polynomial_activations/after.txt"), graph.to_string()).unwrap();
    } else {
        assert_eq!(graph.to_string(), include_str!("after.txt"));
    }
    let x = random(&[8, 4], 3);
    let found = interpret::run(&graph, std::slice::from_ref(&x)).unwrap();
    for (found, name) in found.iter().zip(["relu", "sigmoid", "tanh"]) {
        let polynomial = &polynomials()[name];
        for (x, y) in x.data().iter().zip(found.data()) {
            assert!((polynomial.value(*x) - y).abs() < 1e-12, "{name}({x}): {y}");
        }
    }
}

#[test]
fn a_relu_is_fitted_as_well_as_degree_two_can() {
    // max(x, 0) is (x + |x|) / 2, and |x| on [-1, 1] is nearest x^2 + 1/8, off by 1/8.
    let fitted = Polynomial::fit(relu, 3.0, 2);
    assert!((fitted.deviation - 3.0 / 16.0).abs() < 1e-3, "{fitted}");
    for (found, expected) in fitted.coefficients.iter().zip([3.0 / 16.0, 0.5, 1.0 / 6.0]) {
        assert!((found - expected).abs() < 2e-3, "{fitted}");
    }
    let tanh = Polynomial::fit(f64::tanh, 1.0, 3);
    assert!(tanh.deviation < 0.01 && tanh.coefficients[2] == 0.0, "{tanh}");
    // What is a polynomial already is found as it is.
    let same = Polynomial::fit(|x| 1.0 - x + 0.5 * x * x, 2.0, 2);
    assert!(same.deviation < 1e-12, "{same}");
}

#[test]
fn a_shift_far_beyond_the_range_is_not_made() {
    let g = GraphBuilder::new("flat");
    let x = g.input("x", &[2]);
    let mut graph = g.finish(&[g.apply("relu", Relu, &[x])]).unwrap();
    let polynomial = Polynomial { coefficients: vec![0.5, 1.0, 1e-3], range: 1.0, deviation: 0.0 };
    let pass = PolynomialActivations { polynomials: BTreeMap::from([("relu".to_owned(), polynomial)]) };
    pass.run(&mut graph).unwrap();
    assert!(!graph.to_string().contains("shift"), "{graph}");
    let y = interpret::run(&graph, &[Tensor::new(vec![1, 2], vec![0.5, -1.0]).unwrap()]).unwrap();
    assert_eq!(y[0].data(), [0.5 + 0.5 + 0.25e-3, 0.5 - 1.0 + 1e-3]);
}

#[test]
fn names_and_coefficients_are_checked() {
    let refused = |name: &str, coefficients: Vec<f64>| {
        let mut graph = graph::text::parse(include_str!("before.txt")).unwrap();
        let polynomial = Polynomial { coefficients, range: 1.0, deviation: 0.0 };
        let pass = PolynomialActivations { polynomials: BTreeMap::from([(name.to_owned(), polynomial)]) };
        pass.run(&mut graph).unwrap_err().to_string()
    };
    assert!(refused("other", vec![1.0]).contains("node other (none): a polynomial is to stand in for it"));
    assert!(refused("relu", vec![f64::NAN]).contains("node relu (relu): its polynomial has coefficients"));
}
