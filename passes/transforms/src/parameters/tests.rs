//! The search on circuits of known shape, and every refusal.

use std::collections::HashMap;
use std::sync::Arc;

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use he_params::{Scale, SecurityBits};

use super::*;
use crate::lowering::{CircuitNode, Gate};
use crate::placement::Management;
use crate::ranges::{Interval, RangeOptions, analyse};

fn node(gate: Gate, operands: &[usize], elements: usize, source: &str) -> CircuitNode {
    CircuitNode { gate, operands: operands.to_vec(), shape: vec![elements], source: source.into() }
}

/// Deterministic weights in [-1, 1] / sqrt(inputs).
fn dense(inputs: usize, outputs: usize) -> Gate {
    let weight = |i: usize| ((i * 7919 + 13) % 2001) as f64 / 1000.0 - 1.0;
    let weights = (0..inputs * outputs).map(|i| weight(i) / (inputs as f64).sqrt()).collect();
    let block = AffineBlock::new(outputs, inputs, weights).unwrap();
    let group = AffineGroup { inputs: (0..inputs as u32).collect(), outputs: (0..outputs as u32).collect(), block: 0 };
    Gate::Linear(Arc::new(AffineMap::new(inputs, vec![block], vec![group], vec![0.1; outputs]).unwrap()))
}

/// Dense, square, dense, square, dense: the depth and shape of CryptoNets.
fn five_levels() -> Circuit {
    Circuit {
        name: "five".into(),
        nodes: vec![
            node(Gate::Input { name: "x".into() }, &[], 60, "x"),
            node(dense(60, 80), &[0], 80, "conv"),
            node(Gate::Square, &[1], 80, "act1"),
            node(dense(80, 20), &[2], 20, "dense1"),
            node(Gate::Square, &[3], 20, "act2"),
            node(dense(20, 5), &[4], 5, "dense2"),
        ],
        outputs: vec![("y".into(), 5)],
        ..Circuit::default()
    }
}

fn ranges_of(circuit: &Circuit) -> Vec<ValueRange> {
    let image = |seed: usize| (0..60).map(|i| ((i * 37 + seed * 101) % 97) as f64 / 97.0).collect();
    let samples = (0..10).map(|seed| HashMap::from([("x".to_owned(), image(seed))])).collect();
    let inputs = HashMap::from([("x".to_owned(), Interval::new(0.0, 1.0))]);
    analyse(circuit, &RangeOptions { inputs, samples, margin: 2.0 }).unwrap()
}

fn request(batch: usize, precision_bits: f64) -> Request {
    let security = RequiredSecurity::AtLeast(SecurityBits::Bits128);
    Request {
        batch,
        ring: RingType::Cyclotomic,
        precision_bits,
        security,
        table: SecurityTable::Guidelines2024,
        encryption: Encryption::Symmetric,
        fused: true,
    }
}

fn choose(batch: usize, precision_bits: f64) -> Result<Selection, ParametersError> {
    let circuit = five_levels();
    select(&circuit, &ranges_of(&circuit), &request(batch, precision_bits), &CostModel::default())
}

#[test]
fn five_multiplications_in_a_row_need_five_primes_and_not_a_prime_each() {
    let selection = choose(4096, 9.0).unwrap();
    let params = &selection.params;
    println!("{}\n{}", selection.placed.program, selection.log.join("\n"));
    assert_eq!(params.log_n().get(), 13);
    assert_eq!((params.q().len(), params.p().len()), (5, 1));
    assert!(params.q().iter().chain(params.p()).all(|&q| q < 1 << 30));
    assert!(params.log_qp() <= 214.0 && params.security_report().bits >= 128);
    assert!(selection.precision_bits >= 9.0);
    assert!(selection.errors.iter().all(|e| e.headroom_bits > 0.0));
    // Lazy: nothing is rescaled before the layer that shrinks the first square, and squares stay at three components through the layers behind.
    let verbs: Vec<_> = selection.placed.program.nodes().iter().map(|n| n.op().verb()).collect();
    assert_eq!(verbs[..6], ["input", "linear", "square", "linear", "relinearize_rescale", "rescale"]);
    for node in selection.placed.program.nodes() {
        if let he_ir::Op::Linear { map } = node.op() {
            assert!(map.largest_weight() <= 1 << 19, "one pass of the matrix product");
        }
    }
}

/// Bits between what is allowed and what is predicted do not come from one source: `Problem` and `estimate` agree.
#[test]
fn the_search_predicts_what_the_program_does() {
    let circuit = five_levels();
    let ranges = ranges_of(&circuit);
    let sensitivity = Sensitivity::of(&circuit, &ranges);
    let (secret, public) = (Encryption::Symmetric, Encryption::Public);
    let cases = [(13, 8.0, secret), (13, 8.0, public), (13, 12.0, secret), (14, 16.0, public)];
    let rings = [RingType::Cyclotomic, RingType::ConjugateInvariant];
    for (ring, (log_n, bits, encryption)) in rings.into_iter().flat_map(|ring| cases.map(|case| (ring, case))) {
        let log_n = LogN::new(log_n).unwrap();
        let shape = RingShape::new(ring, log_n).unwrap();
        let request = Request { encryption, ring, ..request(1, bits) };
        let problem = Problem::new(&circuit, &ranges, &sensitivity, shape, &request);
        let magnitudes: Vec<f64> = ranges.iter().map(|r| r.magnitude).collect();
        let needs = Needs::of(&circuit, &magnitudes, request.fused);
        for primes in 4..=6 {
            for schedule in problem.schedules(primes, &CostModel::default()) {
                let chain = schedule.chain(shape, &needs).unwrap();
                let literal = CkksParamsLiteral {
                    ring,
                    security: RequiredSecurity::Insecure,
                    ..CkksParamsLiteral::new(
                        log_n.get(),
                        ModulusChain::Primes(chain.q.clone()),
                        ModulusChain::Primes(chain.p.clone()),
                        chain.input_scale.log2(),
                    )
                };
                let params = CkksParams::try_from(literal).unwrap();
                let selection = evaluate(&circuit, &ranges, params, &chain, &request, &CostModel::default()).unwrap();
                let (found, expected) = (selection.precision_bits, bits - schedule.error);
                assert!((found - expected).abs() < 0.5, "{primes} primes: {found} bits, the search thought {expected}");
            }
        }
    }
}

#[test]
fn dear_key_switches_come_late_and_dear_products_early() {
    let circuit = five_levels();
    let ranges = ranges_of(&circuit);
    let verbs = |butterfly: f64, multiply_accumulate: f64| {
        let costs = CostModel {
            butterfly_ns: [butterfly; 3],
            multiply_accumulate_ns: [multiply_accumulate; 3],
            ..CostModel::default()
        };
        let selection = select(&circuit, &ranges, &request(4096, 9.0), &costs).unwrap();
        selection.placed.program.nodes().iter().map(|n| n.op().verb()).collect::<Vec<_>>()
    };
    assert_eq!(verbs(1.0, 0.001)[2..5], ["square", "linear", "relinearize_rescale"]);
    assert_eq!(verbs(0.001, 100.0)[2..4], ["square", "relinearize_rescale"]);
}

#[test]
fn sums_of_encrypted_values_have_a_scale_per_level() {
    let circuit = Circuit {
        name: "join".into(),
        nodes: vec![
            node(Gate::Input { name: "x".into() }, &[], 3, "x"),
            node(Gate::Square, &[0], 3, "a"),
            node(Gate::Add, &[1, 0], 3, "sum"),
        ],
        outputs: vec![("y".into(), 2)],
        ..Circuit::default()
    };
    assert!(!carried::applies(&circuit) && carried::applies(&five_levels()));
    let inputs = HashMap::from([("x".to_owned(), Interval::new(-1.0, 1.0))]);
    let ranges = analyse(&circuit, &RangeOptions { inputs, samples: vec![], margin: 1.0 }).unwrap();
    let selection = select(&circuit, &ranges, &request(512, 9.0), &CostModel::default()).unwrap();
    let Management::Levelled(levels) = &selection.chain.management else { panic!("{:?}", selection.chain) };
    assert_eq!(levels.handed.len(), 3);
}

#[test]
fn more_precision_never_takes_fewer_primes() {
    let mut last = (LogN::new(10).unwrap(), 0);
    for bits in [4.0, 8.0, 12.0, 16.0, 20.0, 24.0] {
        let selection = choose(2048, bits).unwrap();
        assert!(selection.precision_bits >= bits);
        let size = (selection.params.log_n(), selection.params.q().len());
        assert!(size >= last, "{bits} bits: {}", selection.log.join("; "));
        last = size;
    }
}

#[test]
fn scales_do_not_drift_over_twenty_products() {
    let mut nodes = vec![node(Gate::Input { name: "x".into() }, &[], 1, "x")];
    nodes.extend((0..20).map(|i| node(Gate::Mul, &[i, i], 1, "mul")));
    let circuit = Circuit { name: "power".into(), nodes, outputs: vec![("y".into(), 20)], ..Circuit::default() };
    let inputs = HashMap::from([("x".to_owned(), Interval::new(-1.0, 1.0))]);
    let ranges = analyse(&circuit, &RangeOptions { inputs, samples: vec![], margin: 1.0 }).unwrap();
    let selection = select(&circuit, &ranges, &request(1024, 3.0), &CostModel::default()).unwrap();
    let first = selection.params.scale().log2();
    for node in selection.placed.program.nodes() {
        if node.value().component_count == 2 && !node.op().relinearizes() {
            assert!((node.value().scale.log2() - first).abs() < 0.05, "{}", selection.placed.program);
        }
    }
}

#[test]
fn an_impossible_wish_says_what_was_tried() {
    let error = choose(4096, 60.0).unwrap_err();
    let ParametersError::NoneFound { log } = &error else { panic!("{error}") };
    assert!(log.iter().any(|line| line == "N = 2^12: 2048 slots, 4096 images"), "{error}");
    assert!(log.iter().any(|line| line.contains("2^13") && line.contains("bits of precision, 60.0 asked")), "{error}");
    assert!(choose(1 << 16, 5.0).is_err());
}

#[test]
fn given_parameters_are_used_or_refused_with_the_reason() {
    let circuit = five_levels();
    let ranges = ranges_of(&circuit);
    let run = |literal: CkksParamsLiteral, bits: f64| {
        with_literal(&circuit, &ranges, literal, &request(4096, bits), &CostModel::default())
    };
    let literal = |log_n: u8, q: &[u8], p: &[u8], scale: f64| {
        CkksParamsLiteral::new(log_n, ModulusChain::Bits(q.to_vec()), ModulusChain::Bits(p.to_vec()), scale)
    };
    let good = literal(13, &[30; 6], &[30], 29.99);
    let selection = run(good.clone(), 8.0).unwrap();
    assert_eq!(selection.params.literal(), &good);
    let intel = run(he_params::presets::preset("N13_L7").unwrap(), 4.0).unwrap();
    assert_eq!(intel.params.scale(), Scale::from_log2(24.0).unwrap());

    let refused = |literal, bits| run(literal, bits).unwrap_err().to_string();
    assert!(refused(good, 40.0).contains("bits of precision, 40.0 asked"));
    assert!(refused(literal(12, &[30], &[30], 20.0), 1.0).contains("batch of 4096 images, N = 2^12 has 2048 slots"));
    assert!(refused(literal(13, &[30; 6], &[], 29.0), 1.0).contains("needs a special prime"));
    assert!(refused(literal(13, &[30; 4], &[30], 29.0), 1.0).contains("multiplies 5 times in a row"));
    assert!(refused(literal(13, &[30; 8], &[30], 29.0), 1.0).contains("allows at most 214"));
    let outgrows = refused(literal(13, &[22; 6], &[30], 43.0), 1.0);
    assert!(outgrows.contains("may outgrow the modulus by"), "{outgrows}");
}

#[test]
fn an_output_that_is_a_product_fits_its_modulus() {
    let circuit = Circuit {
        name: "square".into(),
        nodes: vec![node(Gate::Input { name: "x".into() }, &[], 1, "x"), node(Gate::Square, &[0], 1, "square")],
        outputs: vec![("y".into(), 1)],
        ..Circuit::default()
    };
    let inputs = HashMap::from([("x".to_owned(), Interval::new(-30.0, 30.0))]);
    let ranges = analyse(&circuit, &RangeOptions { inputs, samples: vec![], margin: 1.0 }).unwrap();
    let selection = select(&circuit, &ranges, &request(16, 10.0), &CostModel::default()).unwrap();
    let placed = &selection.placed.program;
    let output = placed.node(placed.outputs()[0].1).unwrap().value();
    let log_q = selection.params.log_q_at(output.level);
    assert!(log_q > (900.0 * 2.0 * output.scale.get()).log2(), "{placed}");
    assert_eq!(selection.params.q().len(), 2);
}
