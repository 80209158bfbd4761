//! The editor refuses what would break a graph; the verifier finds what is broken all the same.

use std::collections::HashMap;
use std::sync::Arc;

use crate::ops::{Add, Conv, Flatten, Mul, Negate, Op};
use crate::{Dim, EditError, Graph, GraphBuilder, GraphError, NodeId, Shape, ShapeError, Tensor, ValueId, VerifyError};

fn square_plus_one() -> Graph {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    g.finish(&[x.square() + 1.0]).unwrap()
}

fn node(graph: &Graph, index: usize) -> NodeId {
    graph.nodes().nth(index).unwrap().0
}

#[test]
fn ids_take_no_room_for_none() {
    assert_eq!(size_of::<Option<NodeId>>(), size_of::<NodeId>());
    assert_eq!(size_of::<Option<ValueId>>(), 4);
}

#[test]
fn shapes_that_cannot_be() {
    let new = |dims: &[Dim]| Shape::new(dims.to_vec());
    assert_eq!(new(&[Dim::Fixed(1), Dim::Batch]), Err(ShapeError::BatchAxis { axis: 1 }));
    assert_eq!(Shape::fixed(&[3, 0]), Err(ShapeError::EmptyAxis { axis: 1 }));
    assert!(matches!(Shape::fixed(&[1 << 20, 1 << 20]), Err(ShapeError::TooLarge { .. })));
    assert!(matches!(Shape::fixed(&[usize::MAX, usize::MAX]), Err(ShapeError::TooLarge { .. })));
    assert!(matches!(Shape::fixed(&[1; 17]), Err(ShapeError::TooManyAxes { found: 17, .. })));
    let shape = Shape::batched(&[5, 13, 13]).unwrap();
    assert_eq!(shape.to_string(), "[batch, 5, 13, 13]");
    assert_eq!((shape.rank(), shape.elements_per_image()), (4, 845));
    assert_eq!(shape.with_batch(7), [7, 5, 13, 13]);
    assert!(Tensor::new(vec![usize::MAX, 2], vec![]).is_err());
    assert!(Tensor::new(vec![2, 2], vec![0.0; 3]).is_err());
}

#[test]
fn the_builder_keeps_the_first_mistake() {
    let g = GraphBuilder::new("g");
    let x = g.input("x", &[2]);
    let wrong = x + g.constant("c", Tensor::vector(vec![1.0, 2.0, 3.0]));
    let worse = wrong.conv(Conv::new(2), x);
    let error = g.finish(&[worse]).unwrap_err();
    assert_eq!(error.to_string(), "node add1 (add): shapes do not broadcast: left [batch, 2], right [3]");
    let g = GraphBuilder::new("g");
    assert!(matches!(g.finish(&[]), Err(GraphError::Edit(EditError::NoOutput))));
}

#[test]
fn taken_names_get_numbers() {
    let mut graph = square_plus_one();
    let mut edit = graph.edit();
    let a = edit.add_constant("scalar", Tensor::scalar(2.0)).unwrap();
    let b = edit.add_constant("scalar", Tensor::scalar(3.0)).unwrap();
    let c = edit.add_constant("", Tensor::scalar(4.0)).unwrap();
    assert_eq!([a, b, c].map(|id| graph.value(id).name().to_owned()), ["scalar.1", "scalar.2", "value"]);
    graph.verify().unwrap();
}

#[test]
fn nothing_in_use_is_removed() {
    let mut graph = square_plus_one();
    let (square, sum) = (node(&graph, 0), node(&graph, 1));
    let one = graph.find_value("scalar").unwrap();
    let mut edit = graph.edit();
    assert_eq!(edit.remove_node(square).unwrap_err().to_string(), "value mul1 is still used by node add2");
    assert_eq!(edit.remove_node(sum).unwrap_err().to_string(), "value add2 is still used by the graph's outputs");
    assert_eq!(edit.remove_constant(one).unwrap_err().to_string(), "value scalar is still used by node add2");
    let x = edit.graph().inputs()[0];
    assert!(matches!(edit.remove_constant(x), Err(EditError::InputRemoved { .. })));

    // Once nobody reads them, they go, in order.
    let squared = edit.graph().node(square).output();
    edit.set_outputs(&[squared]).unwrap();
    edit.remove_node(sum).unwrap();
    edit.remove_constant(one).unwrap();
    assert!(matches!(edit.remove_node(sum), Err(EditError::Unknown { .. })));
    graph.verify().unwrap();
    assert_eq!(graph.to_string(), "graph g\ninput %x [batch, 2]\n%mul1 = mul(%x, %x) -> [batch, 2]\noutput %mul1\n");
}

#[test]
fn rewriting_keeps_shape_and_order() {
    let mut graph = square_plus_one();
    let (square, sum) = (node(&graph, 0), node(&graph, 1));
    let (x, squared, total) = (graph.inputs()[0], graph.node(square).output(), graph.node(sum).output());
    let mut edit = graph.edit();
    assert!(matches!(edit.rewrite(square, Add.into(), &[x, total]), Err(EditError::Order { .. })));
    assert!(matches!(edit.insert_before(square, "n", Negate.into(), &[squared]), Err(EditError::Order { .. })));
    let narrow = edit.add_constant("narrow", Tensor::filled(vec![3, 1, 2], 1.0).unwrap()).unwrap();
    assert!(matches!(edit.rewrite(square, Mul.into(), &[narrow, narrow]), Err(EditError::ReplaceShape { .. })));
    assert!(matches!(edit.rewrite(square, Mul.into(), &[x]), Err(EditError::Shape { .. })));
    assert!(matches!(edit.replace_uses(x, narrow), Err(EditError::ReplaceShape { .. })));
    assert!(matches!(edit.replace_uses(x, total), Err(EditError::Order { .. })));
    edit.remove_constant(narrow).unwrap();

    let negated = edit.insert_before(sum, "negated", Negate.into(), &[squared]).unwrap();
    edit.rewrite(sum, Add.into(), &[negated, squared]).unwrap();
    edit.replace_uses(negated, x).unwrap();
    graph.verify().unwrap();
    assert_eq!(graph.node(sum).inputs(), [x, squared]);
    assert_eq!(graph.use_count(x), 3);
    assert_eq!(graph.use_counts()[x.index()], 3);
    assert_eq!(graph.users(x), [square, sum]);
}

#[test]
fn a_constant_in_the_place_of_a_node() {
    let g = GraphBuilder::new("g");
    let (x, c) = (g.input("x", &[2]), g.constant("c", Tensor::vector(vec![1.0, 2.0])));
    let mut graph = g.finish(&[x + c.square()]).unwrap();
    let (square, sum) = (node(&graph, 0), node(&graph, 1));
    let mut edit = graph.edit();
    assert!(matches!(edit.replace_with_constant(square, Tensor::scalar(1.0)), Err(EditError::ReplaceShape { .. })));
    edit.replace_with_constant(square, Tensor::vector(vec![1.0, 4.0])).unwrap();
    assert!(matches!(edit.rename_node(square, "gone"), Err(EditError::Unknown { .. })));
    edit.rename_node(sum, "sum").unwrap();
    graph.verify().unwrap();
    assert_eq!(graph.node(sum).name(), "sum");
    assert!(graph.constant(graph.find_value("mul1").unwrap()).is_some());
}

#[test]
fn the_verifier_returns_every_broken_rule() {
    let text = "\
graph broken
input %x [batch, 2]
input %x [batch, 3]
%early = negate(%late) -> [batch, 3]
%late = flatten(%x) -> [batch, 4]
%wrong = mul(%early, %c) -> [batch, 3]
const %c [2] = [1.0, 1e999]
";
    let graph = crate::text::parse_unverified(text, &HashMap::new()).unwrap();
    let errors = graph.verify().unwrap_err().0;
    let kinds: Vec<&str> = errors
        .iter()
        .map(|error| match error {
            VerifyError::DuplicateName { .. } => "duplicate",
            VerifyError::UseBeforeDefinition { .. } => "early",
            VerifyError::WrongShape { .. } => "shape",
            VerifyError::Shape { .. } => "operands",
            VerifyError::NoOutput => "no output",
            VerifyError::NotFinite { .. } => "infinite",
            _ => "other",
        })
        .collect();
    assert_eq!(kinds, ["duplicate", "infinite", "early", "shape", "shape", "operands", "no output"], "{errors:#?}");
    let shown = graph.verify().unwrap_err().to_string();
    assert!(shown.contains("node late (flatten): recorded shape [batch, 4], its operands give [batch, 3]"), "{shown}");
    assert!(shown.contains("constant c: element 1 is inf"), "{shown}");
}

#[test]
fn constants_are_shared_not_copied() {
    let tensor = Arc::new(Tensor::vector(vec![0.0; 1000]));
    let mut graph = square_plus_one();
    let id = graph.edit().add_constant("big", Arc::clone(&tensor)).unwrap();
    let copy = graph.clone();
    assert!(Arc::ptr_eq(copy.constant(id).unwrap(), &tensor));
    let op: Op = Flatten.into();
    assert_eq!(op.name(), "flatten");
}
