//! Round trips, goldens in place, and refusals of the text form.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::{ParseError, parse, parse_with};
use crate::ops::{AveragePool, Conv, Gemm, Op};
use crate::{Graph, GraphBuilder, Tensor, interpret};

const EVERYTHING: &str = "\
graph everything
input %x [batch, 2, 4, 4]
const %w [2, 1, 2, 2] = [1.0, -2.0, 0.5, 0.25, 1e-7, 3.0, 0.0, 1.0]
%conv1 = conv(%x, %w) {strides=[1, 1], dilations=[1, 1], pads=[[0, 1], [0, 1]], groups=2} -> [batch, 2, 4, 4]
const %scale [2] = [2.0, 3.0]
const %zero [2] = [0.0, 0.0]
const %one [2] = [1.0, 1.0]
%batch_norm2 = batch_norm(%conv1, %scale, %zero, %zero, %one) {epsilon=0.001} -> [batch, 2, 4, 4]
%average_pool3 = average_pool(%batch_norm2) {kernel=[2, 2], strides=[2, 2], dilations=[1, 1], pads=[[0, 0], [0, 0]], count_border=true} -> [batch, 2, 2, 2]
%mul4 = mul(%average_pool3, %average_pool3) -> [batch, 2, 2, 2]
%pad5 = pad(%mul4) {pads=[[0, 0], [0, 0], [1, 0], [0, 0]], value=0.5} -> [batch, 2, 3, 2]
%transpose6 = transpose(%pad5) {order=[0, 2, 3, 1]} -> [batch, 3, 2, 2]
%reshape7 = reshape(%transpose6) {to=[batch, 6, 2]} -> [batch, 6, 2]
%flatten8 = flatten(%reshape7) -> [batch, 12]
const %d [12, 1] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]
%matmul9 = matmul(%flatten8, %d) -> [batch, 1]
const %e [1, 2] = [1.0, -1.0]
const %f [2] = [0.5, 0.25]
%gemm10 = gemm(%matmul9, %e, %f) {alpha=0.5, beta=2.0, transposed=false} -> [batch, 2]
%negate11 = negate(%gemm10) -> [batch, 2]
const %scalar [] = [1.5]
%sub12 = sub(%negate11, %scalar) -> [batch, 2]
%add13 = add(%sub12, %gemm10) -> [batch, 2]
output %add13, %gemm10
";

fn everything() -> Graph {
    let g = GraphBuilder::new("everything");
    let constant =
        |name, dims: &[usize], data: &[f64]| g.constant(name, Tensor::new(dims.to_vec(), data.to_vec()).unwrap());
    let x = g.input("x", &[2, 4, 4]);
    let w = constant("w", &[2, 1, 2, 2], &[1.0, -2.0, 0.5, 0.25, 1e-7, 3.0, 0.0, 1.0]);
    let [scale, zero, one] =
        [("scale", [2.0, 3.0]), ("zero", [0.0; 2]), ("one", [1.0; 2])].map(|(name, data)| constant(name, &[2], &data));
    let h = x.conv(Conv::new(2).groups(2).pad(0, 1), w).batch_norm(0.001, [scale, zero, zero, one]);
    let h = h.average_pool(AveragePool::new(&[2, 2]).count_border(true)).square();
    let h = h.pad(&[[0, 0], [1, 0], [0, 0]], 0.5).transpose(&[0, 2, 3, 1]).reshape(&[6, 2]).flatten();
    let h = h.matmul(constant("d", &[12, 1], &std::array::from_fn::<f64, 12, _>(|i| i as f64)));
    let op = Gemm { alpha: 0.5, beta: 2.0, transposed: false };
    let h = h.gemm(op, constant("e", &[1, 2], &[1.0, -1.0]), constant("f", &[2], &[0.5, 0.25]));
    g.finish(&[-h - 1.5 + h, h]).unwrap()
}

#[test]
fn what_is_built_prints_and_what_is_printed_parses() {
    assert_eq!(everything().to_string(), EVERYTHING);
    let parsed = parse(EVERYTHING).unwrap();
    assert_eq!(parsed.to_string(), EVERYTHING);
    let x = Tensor::new(vec![3, 2, 4, 4], (0..96).map(|i| f64::from(i % 11) - 5.0).collect()).unwrap();
    let run = |graph: &Graph| interpret::run(graph, std::slice::from_ref(&x)).unwrap();
    assert_eq!(run(&parsed), run(&everything()));
}

#[test]
fn names_need_quotes_or_do_not() {
    let text = "graph \"two words\"\ninput %a/b:0 [batch, 1]\n%\"say \\\"hi\\\" \\\\ \\u{a}%\" = negate(%a/b:0) -> [batch, 1] @\"\"\noutput %\"say \\\"hi\\\" \\\\ \\u{a}%\"\n";
    let graph = parse(text).unwrap();
    assert_eq!(graph.name(), "two words");
    assert!(graph.find_value("say \"hi\" \\ \n%").is_some());
    assert_eq!(graph.to_string(), text);
}

#[test]
fn large_constants_are_looked_up_by_name_and_digest() {
    let g = GraphBuilder::new("large");
    let x = g.input("x", &[100]);
    let w = Tensor::new(vec![100, 2], (0..200).map(f64::from).collect()).unwrap();
    let graph = g.finish(&[x.matmul(g.constant("w", w.clone()))]).unwrap();
    let text = graph.to_string();
    assert!(text.contains("const %w [100, 2] = sha256:36c4d71c179666f5 [0.0, 1.0, 2.0, ..]\n"), "{text}");

    let mut constants = HashMap::from([("w".to_owned(), Arc::new(w.clone()))]);
    assert_eq!(parse_with(&text, &constants).unwrap().to_string(), text);
    assert!(matches!(parse(&text), Err(ParseError::Line { line: 3, .. })));
    let mut other = w;
    other.data_mut()[199] = 0.0;
    constants.insert("w".to_owned(), Arc::new(other));
    let error = parse_with(&text, &constants).unwrap_err().to_string();
    assert!(error.contains("written sha256:36c4d71c179666f5, given sha256:"), "{error}");
}

#[test]
fn affine_maps_small_and_large() {
    let text = "\
graph affine
input %x [batch, 3]
%y = affine(%x) {output=[2, 1], inputs=3, blocks=[{rows=1, weights=[0.5, -1.0]}], groups=[{in=[0, 2], out=[1], block=0}], bias=[0.25, 0.0]} -> [batch, 2, 1]
output %y
";
    let graph = parse(text).unwrap();
    assert_eq!(graph.to_string(), text);
    let y = interpret::run(&graph, &[Tensor::new(vec![1, 3], vec![2.0, 9.0, 3.0]).unwrap()]).unwrap();
    assert_eq!(y[0].data(), [0.25, -2.0]);
    let twice = text.replace("in=[0, 2]", "in=[2, 2]");
    assert!(parse(&twice).unwrap_err().to_string().contains("reads one element twice"));
}

#[test]
fn lines_that_cannot_be_read() {
    let line = |text: &str| match parse(text) {
        Err(ParseError::Line { line, reason }) => format!("{line}: {reason}"),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(line("graph a\ninput %x [0]"), "2: axis 0 has extent 0");
    assert_eq!(line("nonsense"), "1: expected graph, input, const, output or %, found nonsense");
    assert_eq!(line("%y = softplus(%x) -> [1]"), "1: unknown operation softplus");
    assert_eq!(line("%y = add(%x, %x) {axis=1} -> [1]"), "1: add has no attribute axis");
    assert_eq!(line("%y = transpose(%x) -> [1]"), "1: attribute order is missing");
    assert_eq!(line("%y = transpose(%x) {order=3} -> [1]"), "1: attribute order: expected a list, found 3");
    assert_eq!(line("%y = negate(%x) -> [1]"), "1: no value is called %x");
    assert_eq!(line("input %x [batch, batch]"), "1: the batch must stay at axis 0, here it is at axis 1");
    assert_eq!(line("const %c [2] = [1.0]"), "1: extents [2] do not hold 1 elements");
    assert_eq!(line("input %\"x [1]"), "1: a name in quotes does not end");
    assert_eq!(line("input %x [1] [2]"), "1: unexpected Mark('[') at the end of the line");
    assert_eq!(line("input %x [1] ~"), "1: unexpected character '~'");
    let deep = format!("%y = transpose(%x) {{order={}", "[".repeat(100));
    assert_eq!(line(&deep), "1: attributes nest deeper than 8");
}

#[test]
fn every_verb_reads_its_attributes_back() {
    for (_, node) in everything().nodes() {
        let op = node.op();
        assert_eq!(Op::from_attributes(op.name(), op.attributes()).as_ref(), Ok(op));
    }
}

proptest! {
    #[test]
    fn any_text_is_an_error_or_a_graph(text in "[ -~\n]{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn mutated_text_is_an_error_or_a_graph(at in 0..EVERYTHING.len(), with in "[ -~\n]{0,4}") {
        let mut text = EVERYTHING.to_owned();
        text.replace_range(at..=at, &with);
        let _ = parse(&text);
    }

    #[test]
    fn any_finite_number_survives(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO) {
        let g = GraphBuilder::new("number");
        let x = g.input("x", &[1]);
        let graph = g.finish(&[x * number]).unwrap();
        let parsed = parse(&graph.to_string()).unwrap();
        let constant = parsed.constant(parsed.find_value("scalar").unwrap()).unwrap();
        prop_assert_eq!(constant.data()[0].to_bits(), number.to_bits());
    }
}
