//! The rules on a small program, and each refusal provoked once.

use std::sync::Arc;

use he_params::{Level, Scale};

use crate::{Group, HeIrError, HeProgram, HeProgramBuilder, LinearMap, Op, TypeError, ValueId, WeightBlock};

const Q: [u64; 4] = [1073184769, 1073233921, 1073299457, 1073430529];

fn scale(log: f64) -> Scale {
    Scale::from_log2(log).unwrap()
}

/// Four elements to two: each output adds two neighbours, the second with a bias.
fn pair_sums() -> LinearMap {
    let block = WeightBlock::new(1, 2, vec![3, -5]).unwrap();
    let groups = vec![
        Group { inputs: vec![0, 1], outputs: vec![0], block: 0 },
        Group { inputs: vec![2, 3], outputs: vec![1], block: 0 },
    ];
    LinearMap::new(4, vec![block], groups, vec![0.0, 0.5], scale(2.0)).unwrap()
}

fn builder() -> (HeProgramBuilder, ValueId) {
    let mut b = HeProgramBuilder::new("small", Q.to_vec());
    let x = b.input("x", vec![2, 2], Level::new(3), scale(24.0)).unwrap();
    (b, x)
}

fn small() -> HeProgram {
    let (mut b, x) = builder();
    let y = b.linear(Arc::new(pair_sums()), x, vec![2], "dense").unwrap();
    let y = b.push(Op::Square, &[y], "square").unwrap();
    let y = b.push(Op::Relinearize, &[y], "square").unwrap();
    let y = b.push(Op::Rescale, &[y], "square").unwrap();
    b.output("y", y);
    b.finish().unwrap()
}

#[test]
fn text_shows_every_state() {
    let want = "\
program \"small\" q [1073184769, 1073233921, 1073299457, 1073430529]
%0 = input \"x\" : cipher[2x2] level 3 scale 2^24.000 x2
%1 = linear %0 {4 -> 2, 2 groups, 1 blocks, 4 multiply-accumulates, weight scale 2^2.000, |w| <= 5} : cipher[2] level 3 scale 2^26.000 x2  # dense
%2 = square %1 : cipher[2] level 3 scale 2^52.000 x3  # square
%3 = relinearize %2 : cipher[2] level 3 scale 2^52.000 x2  # square
%4 = rescale %3 : cipher[2] level 2 scale 2^22.000 x2  # square
output \"y\" %4
";
    assert_eq!(small().to_string(), want);
}

#[test]
fn bytes_of_what_nodes_share_are_counted_once() {
    let map = Arc::new(pair_sums());
    let (weights, bias, lists) = (2 * 8, 2 * 8, (4 + 2) * 4);
    assert!(map.byte_len() > weights + bias + lists);
    let (mut b, x) = builder();
    let y = b.linear(Arc::clone(&map), x, vec![2], "dense").unwrap();
    let z = b.linear(Arc::clone(&map), x, vec![2], "the same").unwrap();
    let sum = b.push(Op::Add, &[y, z], "sum").unwrap();
    let moved = Op::Gather { indices: Arc::new(vec![1, 0]), shape: vec![2] };
    let moved = b.push(moved, &[sum], "moved").unwrap();
    b.output("y", moved);
    assert_eq!(b.finish().unwrap().byte_len(), map.byte_len() + 2 * 4);
}

#[test]
fn a_mask_changes_numbers_and_nothing_else() {
    let shape = |weights: Vec<i64>, relinearize: bool| {
        let (mut b, x) = builder();
        let block = WeightBlock::new(1, 2, weights).unwrap();
        let groups = vec![
            Group { inputs: vec![2, 3], outputs: vec![0], block: 0 },
            Group { inputs: vec![0, 1], outputs: vec![1], block: 0 },
        ];
        let map = LinearMap::new(4, vec![block], groups, vec![1.0, 2.0], scale(2.0)).unwrap();
        let mut y = b.linear(Arc::new(map), x, vec![2], "dense").unwrap();
        y = b.push(Op::Square, &[y], "square").unwrap();
        if relinearize {
            y = b.push(Op::Relinearize, &[y], "square").unwrap();
            y = b.push(Op::Rescale, &[y], "square").unwrap();
        }
        b.output("y", y);
        b.finish().unwrap()
    };
    assert!(small().differs_in_numbers_only(&shape(vec![7, 1], true)));
    assert!(!small().differs_in_numbers_only(&shape(vec![3, -5], false)));
}

#[test]
fn rescale_divides_the_scale_by_the_last_prime_exactly() {
    let program = small();
    let last = program.nodes().last().unwrap().value();
    assert_eq!(last.scale.get(), 52f64.exp2() / Q[3] as f64);
    assert_eq!(last.level, Level::new(2));
}

#[test]
fn linear_map_applies_as_written() {
    // (3 x0 - 5 x1) / 4 and (3 x2 - 5 x3) / 4 + 1/2
    assert_eq!(pair_sums().apply(&[1.0, 2.0, 3.0, 4.0]).unwrap(), [-1.75, -2.25]);
    assert_eq!((pair_sums().largest_weight(), pair_sums().largest_row_sum()), (5, 8));
    assert_eq!(pair_sums().apply(&[1.0]), Err(HeIrError::InputLength { found: 1, expected: 4 }));
}

#[test]
fn last_uses_free_what_nobody_reads_any_more() {
    assert_eq!(small().last_uses(), [1, 2, 3, 4, 5]);
}

/// The refusal of `op` on the input (and on a product of it where asked).
fn refused(op: Op, operand: impl Fn(&mut HeProgramBuilder, ValueId) -> Vec<ValueId>) -> TypeError {
    let (mut b, x) = builder();
    let operands = operand(&mut b, x);
    match b.push(op, &operands, "node") {
        Err(HeIrError::Op { error, .. }) => error,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn relinearize_rescale_has_the_type_of_the_two() {
    let (mut b, x) = builder();
    let square = b.push(Op::Square, &[x], "square").unwrap();
    let two = b.push(Op::Relinearize, &[square], "square").unwrap();
    let two = b.push(Op::Rescale, &[two], "square").unwrap();
    let one = b.push(Op::RelinearizeRescale, &[square], "square").unwrap();
    assert_eq!(b.value(one), b.value(two));
    b.output("y", one);
    assert!(
        b.finish().unwrap().to_string().contains("%4 = relinearize_rescale %1 : cipher[2x2] level 2 scale 2^18.000 x2")
    );
}

#[test]
fn each_wrong_operand_is_refused() {
    let same = |_: &mut HeProgramBuilder, x| vec![x];
    let square = |b: &mut HeProgramBuilder, x| vec![b.push(Op::Square, &[x], "").unwrap()];
    assert_eq!(refused(Op::Add, same), TypeError::Arity { expected: 2, found: 1 });
    assert_eq!(refused(Op::Relinearize, same), TypeError::Components { expected: "3", found: 2 });
    assert_eq!(refused(Op::RelinearizeRescale, same), TypeError::Components { expected: "3", found: 2 });
    assert_eq!(refused(Op::Square, square), TypeError::Components { expected: "2", found: 3 });
    assert_eq!(
        refused(Op::AddConstant { values: Arc::new(vec![1.0]) }, same),
        TypeError::Elements { what: "the constant", found: 1, expected: 4 }
    );
    assert_eq!(
        refused(Op::Gather { indices: Arc::new(vec![4]), shape: vec![1] }, same),
        TypeError::Index { index: 4, elements: 4 }
    );
    assert_eq!(
        refused(Op::DropLevel { to: Level::new(3) }, same),
        TypeError::Descent { from: Level::new(3), to: "3".into() }
    );
    let at_bottom = |b: &mut HeProgramBuilder, x| vec![b.push(Op::DropLevel { to: Level::new(0) }, &[x], "").unwrap()];
    assert!(matches!(refused(Op::Rescale, at_bottom), TypeError::Descent { .. }));
    let levels = |b: &mut HeProgramBuilder, x| vec![x, b.push(Op::DropLevel { to: Level::new(1) }, &[x], "").unwrap()];
    assert_eq!(refused(Op::Mul, levels), TypeError::Level { left: Level::new(3), right: Level::new(1) });
    let scales = |b: &mut HeProgramBuilder, x| vec![x, b.input("z", vec![2, 2], Level::new(3), scale(20.0)).unwrap()];
    assert_eq!(refused(Op::Add, scales), TypeError::Scale { left: scale(24.0), right: scale(20.0) });
    let shapes = |b: &mut HeProgramBuilder, x| vec![x, b.input("z", vec![4], Level::new(3), scale(24.0)).unwrap()];
    assert_eq!(refused(Op::Sub, shapes), TypeError::Shape { left: vec![2, 2], right: vec![4] });
}

#[test]
fn scales_that_overflow_are_refused() {
    let (mut b, _) = builder();
    let mut x = b.input("huge", vec![1], Level::new(3), scale(700.0)).unwrap();
    x = b.push(Op::Square, &[x], "").and_then(|y| b.push(Op::Relinearize, &[y], "")).unwrap_or(x);
    assert!(matches!(b.push(Op::Square, &[x], ""), Err(HeIrError::Op { error: TypeError::NotAScale { .. }, .. })));
}

#[test]
fn verify_reports_all_errors() {
    let mut program = small();
    program.nodes[3].value.component_count = 3;
    program.nodes[4].value.level = Level::new(9);
    program.outputs.clear();
    let errors = program.verify().unwrap_err();
    assert!(errors.iter().any(|e| matches!(e, HeIrError::WrongType { .. })));
    assert!(errors.iter().any(|e| matches!(e, HeIrError::LevelTooHigh { primes: 4, .. })));
    assert!(errors.contains(&HeIrError::NoOutput));
    let (b, _) = builder();
    assert_eq!(b.finish().unwrap_err(), [HeIrError::NoOutput]);
}

#[test]
fn uses_before_definition_are_refused() {
    let (mut b, _) = builder();
    let later = ValueId::new(7);
    assert_eq!(b.push(Op::Negate, &[later], ""), Err(HeIrError::NotDefined { value: later, node: 1 }));
}

#[test]
fn malformed_maps_are_refused() {
    let block = || WeightBlock::new(1, 2, vec![1, 1]).unwrap();
    let map = |groups: Vec<Group>| LinearMap::new(3, vec![block()], groups, vec![0.0; 2], scale(0.0)).unwrap_err();
    let group =
        |inputs: &[u32], outputs: &[u32], block| Group { inputs: inputs.into(), outputs: outputs.into(), block };
    assert_eq!(WeightBlock::new(2, 2, vec![1]), Err(HeIrError::BlockSize { rows: 2, columns: 2, found: 1 }));
    assert_eq!(map(vec![group(&[0, 1], &[0], 1)]), HeIrError::NoSuchBlock { group: 0, block: 1, blocks: 1 });
    assert_eq!(map(vec![group(&[0], &[0], 0)]), HeIrError::GroupShape { group: 0, found: (1, 1), block: (1, 2) });
    assert_eq!(map(vec![group(&[0, 3], &[0], 0)]), HeIrError::ElementOutOfRange { group: 0, element: 3, elements: 3 });
    assert_eq!(map(vec![group(&[0, 1], &[2], 0)]), HeIrError::ElementOutOfRange { group: 0, element: 2, elements: 2 });
    assert_eq!(
        map(vec![group(&[0, 1], &[0], 0), group(&[1, 2], &[0], 0)]),
        HeIrError::WrittenTwice { group: 1, element: 0 }
    );
}
