use graph::ops::Relu;
use graph::{Expr, GraphBuilder};
use he_params::{Packing, RingType};

use super::ComplexPacking;
use crate::Pass;
use crate::lowering::lower;

fn packed<'b>(g: &'b GraphBuilder, network: impl Fn(Expr<'b>) -> Expr<'b>) -> (Packing, String) {
    packed_in(RingType::Cyclotomic, g, network)
}

fn packed_in<'b>(ring: RingType, g: &'b GraphBuilder, network: impl Fn(Expr<'b>) -> Expr<'b>) -> (Packing, String) {
    let x = g.input("x", &[2]);
    let mut circuit = lower(&g.finish(&[network(x)]).unwrap()).unwrap();
    let report = ComplexPacking { ring }.run(&mut circuit).unwrap();
    (circuit.packing, report.to_string())
}

#[test]
fn two_images_lie_in_a_slot_where_nothing_multiplies() {
    let g = GraphBuilder::new("net");
    let found = packed(&g, |x| g.apply("relu", Relu, &[x]));
    assert_eq!(found, (Packing::Complex, "+ net: two images to a slot\n".to_owned()));
}

#[test]
fn real_slots_hold_one_image() {
    let g = GraphBuilder::new("net");
    let found = packed_in(RingType::ConjugateInvariant, &g, |x| g.apply("relu", Relu, &[x]));
    let report = "- net: slots of the conjugate-invariant ring are real\n".to_owned();
    assert_eq!(found, (Packing::Batch, report));
}

#[test]
fn the_product_that_stands_in_the_way_is_named() {
    let g = GraphBuilder::new("net");
    let found = packed(&g, |x| g.apply("relu", Relu, &[x]).square());
    assert_eq!(found, (Packing::Batch, "- net: mul1 multiplies ciphertexts\n".to_owned()));
}

#[test]
fn a_network_without_a_key_owner_is_left_alone() {
    let g = GraphBuilder::new("net");
    let found = packed(&g, |x| x + x);
    assert_eq!(found, (Packing::Batch, "- net: the key owner computes nothing\n".to_owned()));
}
