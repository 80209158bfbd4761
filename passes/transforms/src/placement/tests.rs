//! Golden programs on small circuits; the choice follows the costs.

use std::sync::Arc;

use graph::affine::{AffineBlock, AffineGroup, AffineMap};
use he_ir::Op;
use he_params::{Scale, primes};

use super::*;
use crate::lowering::{CircuitNode, Gate};

fn dense(inputs: usize, outputs: usize) -> Gate {
    let block = AffineBlock::new(outputs, inputs, vec![0.25; inputs * outputs]).unwrap();
    let group = AffineGroup { inputs: (0..inputs as u32).collect(), outputs: (0..outputs as u32).collect(), block: 0 };
    Gate::Linear(Arc::new(AffineMap::new(inputs, vec![block], vec![group], vec![0.5; outputs]).unwrap()))
}

fn node(gate: Gate, operands: &[usize], elements: usize, source: &str) -> CircuitNode {
    CircuitNode { gate, operands: operands.to_vec(), shape: vec![elements], source: source.into() }
}

/// square, then a dense layer from `inputs` to `outputs`.
fn square_dense(inputs: usize, outputs: usize) -> Circuit {
    Circuit {
        name: "square_dense".into(),
        nodes: vec![
            node(Gate::Input { name: "x".into() }, &[], inputs, "x"),
            node(Gate::Square, &[0], inputs, "square"),
            node(dense(inputs, outputs), &[1], outputs, "dense"),
        ],
        outputs: vec![("y".into(), 2)],
        ..Circuit::default()
    }
}

fn chain(primes: usize) -> Chain {
    let all = primes::ntt_primes(28, he_params::LogN::new(13).unwrap(), primes + 1).unwrap();
    let (p, q) = all.split_last().unwrap();
    Chain {
        shape: he_params::LogN::new(13).unwrap().into(),
        q: q.to_vec(),
        p: vec![*p],
        input_scale: Scale::from_log2(28.0).unwrap(),
        fused: false,
        management: Management::Levelled(Levels::default()),
    }
}

fn verbs(program: &HeProgram) -> Vec<&'static str> {
    program.nodes().iter().map(|n| n.op().verb()).collect()
}

#[test]
fn many_inputs_to_few_outputs_relinearize_late() {
    let Placed { program, report, .. } = place(&square_dense(100, 4), &chain(3), &CostModel::default()).unwrap();
    assert_eq!(verbs(&program), ["input", "square", "linear", "relinearize", "rescale", "rescale"]);
    assert_eq!(report.rewritten, [("dense".into(), "4 ciphertexts relinearized here".into())]);
}

#[test]
fn few_inputs_to_many_outputs_relinearize_at_once() {
    let program = place(&square_dense(4, 100), &chain(3), &CostModel::default()).unwrap().program;
    assert_eq!(verbs(&program), ["input", "square", "relinearize", "rescale", "linear", "rescale"]);
}

#[test]
fn the_choice_follows_the_constants() {
    let circuit = square_dense(30, 20);
    let with = |butterfly: f64, multiply_accumulate: f64| {
        let costs = CostModel {
            butterfly_ns: [butterfly; 3],
            multiply_accumulate_ns: [multiply_accumulate; 3],
            ..CostModel::default()
        };
        place(&circuit, &chain(3), &costs).unwrap()
    };
    let (late, early) = (with(1.0, 0.001), with(0.001, 1.0));
    assert_eq!(verbs(&late.program)[1..4], ["square", "linear", "relinearize"]);
    assert_eq!(verbs(&early.program)[1..4], ["square", "relinearize", "rescale"]);
    // What was chosen under one model is what another one gives back.
    let decided = chain(3).decided(&early);
    assert_eq!(place(&circuit, &decided, &CostModel::default()).unwrap().program, early.program);
}

#[test]
fn a_map_of_two_planes_is_twice_as_dear() {
    let circuit = square_dense(30, 20);
    let costs = CostModel { butterfly_ns: [1.0; 3], multiply_accumulate_ns: [0.4; 3], ..CostModel::default() };
    let with = |bits: f64| {
        let levels = Levels { weight_scales: vec![None, Scale::from_log2(bits).ok()], ..Levels::default() };
        let chain = Chain { management: Management::Levelled(levels), ..chain(3) };
        verbs(&place(&circuit, &chain, &costs).unwrap().program)
    };
    // Weights of a quarter: 13 bits are one plane, 23 bits two.
    assert_eq!(with(15.0)[1..4], ["square", "linear", "relinearize"]);
    assert_eq!(with(25.0)[1..4], ["square", "relinearize", "rescale"]);
}

#[test]
fn a_relinearize_and_the_rescale_behind_it_become_one_where_the_chain_says_so() {
    let fused = Chain { fused: true, ..chain(3) };
    let program = |inputs, outputs| place(&square_dense(inputs, outputs), &fused, &CostModel::default()).unwrap();
    assert_eq!(verbs(&program(100, 4).program), ["input", "square", "linear", "relinearize_rescale", "rescale"]);
    assert_eq!(verbs(&program(4, 100).program), ["input", "square", "relinearize_rescale", "linear", "rescale"]);
    assert_eq!(program(100, 4).origins, [0, 1, 2, 2, 2]);
    let [one, two] = [&fused, &chain(3)].map(|chain| {
        let program = place(&square_dense(100, 4), chain, &CostModel::default()).unwrap().program;
        program.node(program.outputs()[0].1).unwrap().value().clone()
    });
    assert_eq!(one, two);
    // Carried: only a step that rescales has anything to fuse.
    let carried = |steps| Chain { management: Management::Carried(steps), ..fused.clone() };
    let placed = place(&square_dense(100, 4), &carried(steps()), &CostModel::default()).unwrap();
    assert_eq!(verbs(&placed.program), ["input", "square", "linear", "relinearize_rescale"]);
    let mut without = steps();
    without[2].rescales = 0;
    let placed = place(&square_dense(100, 4), &carried(without), &CostModel::default()).unwrap();
    assert_eq!(verbs(&placed.program), ["input", "square", "linear", "relinearize"]);
}

#[test]
fn states_that_no_operation_leaves_are_refused() {
    let owing = State { components: 3, owed: 2 };
    for handed in [vec![State::SETTLED; 2], vec![owing; 3]] {
        let management = Management::Levelled(Levels { handed, ..Levels::default() });
        let error = place(&square_dense(2, 2), &Chain { management, ..chain(3) }, &CostModel::default()).unwrap_err();
        assert_eq!(error, PlacementError::Handed);
    }
}

/// Steps for [`square_dense`] on three primes: the map on three components, one rescale at the end.
fn steps() -> Vec<Step> {
    let weight_scale = Some(Scale::from_log2(10.0).unwrap());
    let map = Step { weight_scale, relinearize: true, rescales: 1 };
    vec![Step::default(), Step::default(), map]
}

#[test]
fn carried_scales_multiply_until_a_step_rescales() {
    let carried = Chain { management: Management::Carried(steps()), ..chain(3) };
    let placed = place(&square_dense(100, 4), &carried, &CostModel::default()).unwrap();
    assert_eq!(verbs(&placed.program), ["input", "square", "linear", "relinearize", "rescale"]);
    let scales: Vec<f64> = placed.program.nodes().iter().map(|n| n.value().scale.log2().round()).collect();
    assert_eq!(scales, [28.0, 56.0, 66.0, 66.0, 38.0]);
    assert_eq!(placed.origins, [0, 1, 2, 2, 2]);
    assert!(placed.real_weights[2].is_some() && placed.real_weights.iter().flatten().count() == 1);
}

#[test]
fn plans_for_other_circuits_are_refused() {
    let refused = |circuit: &Circuit, steps: Vec<Step>| {
        let chain = Chain { management: Management::Carried(steps), ..chain(3) };
        place(circuit, &chain, &CostModel::default()).unwrap_err().to_string()
    };
    let circuit = square_dense(2, 2);
    assert!(refused(&circuit, steps()[..2].to_vec()).contains("node dense (linear): the plan ends before it"));
    assert!(refused(&circuit, vec![Step::default(); 3]).contains("weights have a scale"));
    let scaled = Step { weight_scale: Some(Scale::ONE), ..Step::default() };
    assert!(refused(&circuit, vec![Step::default(), scaled, steps()[2]]).contains("nothing else has one"));
    assert!(refused(&circuit, vec![Step { rescales: 9, ..Step::default() }; 3]).contains("rescale"));
    let mut skips = circuit.clone();
    skips.nodes[2].operands = vec![0];
    assert!(refused(&skips, steps()).contains("it does not read the operation before it"));
    let mut early = circuit.clone();
    early.outputs = vec![("y".into(), 1)];
    assert!(refused(&early, steps()).contains("it is not the last operation"));
}

#[test]
fn no_ciphertext_of_three_components_is_ever_rescaled() {
    for (inputs, outputs) in [(1, 1), (100, 4), (4, 100), (30, 30)] {
        let program = place(&square_dense(inputs, outputs), &chain(3), &CostModel::default()).unwrap().program;
        for node in program.nodes().iter().filter(|n| matches!(n.op(), Op::Rescale)) {
            assert_eq!(program.node(node.operands()[0]).unwrap().value().component_count, 2);
        }
        let (_, output) = &program.outputs()[0];
        let output = program.node(*output).unwrap().value();
        assert_eq!((output.component_count, output.level.get()), (2, 0));
    }
}

#[test]
fn a_value_wanted_further_down_is_brought_to_that_level_and_scale() {
    // (x^2)^2 + x: x is needed at level 2 and at level 0.
    let circuit = Circuit {
        name: "join".into(),
        nodes: vec![
            node(Gate::Input { name: "x".into() }, &[], 3, "x"),
            node(Gate::Square, &[0], 3, "a"),
            node(Gate::Square, &[1], 3, "b"),
            node(Gate::Add, &[2, 0], 3, "sum"),
        ],
        outputs: vec![("y".into(), 3)],
        ..Circuit::default()
    };
    let program = place(&circuit, &chain(3), &CostModel::default()).unwrap().program;
    let want = [
        "input",
        "square",
        "relinearize",
        "rescale",
        "square",
        "relinearize",
        "rescale",
        "drop_level",
        "linear",
        "rescale",
        "add",
    ];
    assert_eq!(verbs(&program), want);
}

#[test]
fn an_output_may_keep_its_last_rescale_and_have_a_weight_scale_of_its_own() {
    let output_weight_scale = Some(Scale::from_log2(20.0).unwrap());
    let levels = Levels { output_weight_scale, ..Levels::default() };
    let chain = Chain { management: Management::Levelled(levels), ..chain(3) };
    let placed = place(&square_dense(100, 2), &chain, &CostModel::default()).unwrap();
    assert_eq!(verbs(&placed.program), ["input", "square", "linear", "relinearize", "rescale"]);
    assert_eq!(placed.origins, [0, 1, 2, 2, 2]);
    let output = placed.program.node(placed.program.outputs()[0].1).unwrap().value();
    assert_eq!((output.level.get(), output.component_count), (1, 2));
    assert!((output.scale.log2() - 48.0).abs() < 0.01, "{}", output.scale);
}

#[test]
fn a_level_without_products_may_have_small_weights() {
    let small = Scale::from_log2(15.0).unwrap();
    let mut q = chain(3).q;
    q[1] = primes::ntt_primes(18, he_params::LogN::new(13).unwrap(), 1).unwrap()[0];
    let levels = Levels { weight_scales: vec![None, Some(small)], ..Levels::default() };
    let chain = Chain { q, management: Management::Levelled(levels), ..chain(3) };
    let program = place(&square_dense(100, 2), &chain, &CostModel::default()).unwrap().program;
    let Op::Linear { map } = program.nodes()[2].op() else { panic!("{program}") };
    assert_eq!(map.weight_scale(), small);
    assert_eq!(map.largest_weight(), 1 << 13);
    let output = program.node(program.outputs()[0].1).unwrap().value();
    let expected = 28.0 + 15.0 - (program.q()[1] as f64).log2();
    assert!((output.scale.log2() - expected).abs() < 0.01, "{}", output.scale);
}

#[test]
fn a_chain_too_short_and_weights_too_large_are_refused() {
    let error = place(&square_dense(2, 2), &chain(2), &CostModel::default()).unwrap_err();
    assert_eq!(error, PlacementError::ChainTooShort { depth: 2, primes: 2 });
    let huge = Chain { input_scale: Scale::from_log2(60.0).unwrap(), ..chain(3) };
    assert!(matches!(place(&square_dense(2, 2), &huge, &CostModel::default()), Err(PlacementError::Weight { .. })));
}
