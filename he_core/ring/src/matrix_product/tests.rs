use he_params::Group;
use proptest::prelude::*;

use super::*;
use crate::Isa;
use crate::linear_weights::{PackedBlock, SEGMENT_SUM_U32, SEGMENT_SUM_U64, WeightBlock};
use crate::testing::{mixed_ring, primes_below, random_tensor};

/// `sum_k w[o][k] * x[k]` in i128, group by group.
fn oracle(
    blocks: &[WeightBlock],
    groups: &[Group],
    outputs: usize,
    components: usize,
    x: &RnsTensor<Eval>,
    limb: usize,
) -> Vec<Vec<u64>> {
    let q = i128::from(x.primes()[limb]);
    let mut out = vec![vec![0u64; x.n()]; outputs * components];
    for group in groups {
        let block = &blocks[group.block];
        for (row, output) in group.outputs.iter().enumerate() {
            for c in 0..components {
                for (n, out) in out[*output as usize * components + c].iter_mut().enumerate() {
                    let sum = group.inputs.iter().enumerate().fold(0i128, |sum, (k, input)| {
                        let word = x.row(limb, *input as usize * components + c).get(n);
                        (sum + i128::from(block.weights[row * block.inputs + k]) * i128::from(word)) % q
                    });
                    *out = sum.rem_euclid(q) as u64;
                }
            }
        }
    }
    out
}

fn check(log_n: u32, inputs: usize, outputs: usize, components: usize, blocks: Vec<WeightBlock>, groups: Vec<Group>) {
    let weights = LinearWeights::new(inputs, outputs, blocks.clone(), groups.clone()).unwrap();
    for isa in Isa::available() {
        let ring = mixed_ring(log_n, isa);
        let x: RnsTensor<Eval> = random_tensor(&ring, inputs * components, &[0, 1, 2, 3, 4]);
        check_product(&ring, &weights, components, &blocks, &groups, &x);
    }
}

fn check_product(
    ring: &Ring,
    weights: &LinearWeights,
    components: usize,
    blocks: &[WeightBlock],
    groups: &[Group],
    x: &RnsTensor<Eval>,
) {
    let outputs = weights.output_count();
    let y = ring.matrix_product(weights, components, x).unwrap();
    assert_eq!(y.rows(), outputs * components);
    for limb in 0..x.limb_indices().len() {
        for (row, want) in oracle(blocks, groups, outputs, components, x, limb).into_iter().enumerate() {
            let got: Vec<u64> = y.row(limb, row).iter().collect();
            assert_eq!(got, want, "{} log_n={} limb {limb} row {row}", ring.isa().name(), ring.log_n());
        }
    }
}

fn dense(outputs: usize, inputs: usize, weight: impl Fn(usize) -> i64) -> (WeightBlock, Group) {
    let block = WeightBlock { outputs, inputs, weights: (0..outputs * inputs).map(weight).collect() };
    let group = Group { inputs: (0..inputs as u32).collect(), outputs: (0..outputs as u32).collect(), block: 0 };
    (block, group)
}

#[test]
fn dense_layers_of_every_strip_height() {
    for outputs in (1..=13).chain([29]) {
        for log_n in [1, 2, 3, 7, 9] {
            let (block, group) = dense(outputs, 7, |i| (i as i64 * 7919 + 13) % 65_536 - 32_768);
            check(log_n, 7, outputs, 1 + outputs % 3, vec![block], vec![group]);
        }
    }
}

#[test]
fn extreme_weights_stay_exact() {
    let extremes = [i64::from(i32::MIN), i64::from(i32::MAX), -1, 0, 1, 1 << 30, -(1 << 30)];
    let (block, group) = dense(3, 21, |i| extremes[i % 7]);
    check(4, 21, 3, 2, vec![block], vec![group]);
    let wide = [1 << 40, -(1 << 40) - 12345, i64::from(i32::MIN) - 1, 7, 1 << 57, -(1 << 57)];
    let (block, group) = dense(7, 12, |i| wide[i % 6]);
    check(4, 12, 7, 2, vec![block], vec![group]);
}

/// Magnitudes of `count` weights that sum to `total`, nearly equal.
fn shares(total: u64, count: u64) -> Vec<i64> {
    (0..count).map(|i| ((i + 1) * total / count - i * total / count) as i64).collect()
}

/// The largest residue below q of which the lower digit is `low`, or q - 1 where no residue has such a digit.
fn with_low_digit(q: u64, low: i64) -> u64 {
    let low = low.rem_euclid(1 << 31) as u64;
    match (q - 1).checked_sub(low) {
        Some(above) if q > 1 << 32 => (above >> 31 << 31) + low,
        _ => q - 1,
    }
}

/// Words that lead to the largest sums: input k has word n of this in column n, odd inputs with neighbours exchanged.
fn extreme_words(q: u64, n: usize, k: usize) -> Vec<u64> {
    let special = [q - 1, q - 2, with_low_digit(q, -1 << 30), with_low_digit(q, (1 << 30) - 1), q / 2, q / 2 + 1];
    let word = |i: usize| special.get(i).copied().unwrap_or(q - i as u64);
    (0..n).map(|i| word(i ^ (k & 1))).collect()
}

/// Every output of a layer sums up as much as a segment may, where all residues or all of their digits are as large as they
/// get: in one direction, in the other, up and down again, and against the signs of digits that alternate.
#[test]
fn sums_at_the_bound_of_a_segment_stay_exact() {
    const WHOLE: u64 = SEGMENT_SUM_U32;
    const DIGITS: u64 = SEGMENT_SUM_U64;
    let digit = 1u64 << PLANE_BITS;
    // The bound by as many weights as a segment takes, and by the largest weights that one plane holds.
    let layers = [
        (shares(WHOLE, SEGMENT_INPUTS as u64), WHOLE),
        (shares(WHOLE, WHOLE.div_ceil(digit)), WHOLE),
        (shares(DIGITS, SEGMENT_INPUTS as u64), DIGITS),
        (shares(DIGITS, DIGITS.div_ceil(digit)), DIGITS),
    ];
    let primes: Vec<u64> = [30, 50, 60, 61].iter().map(|bits| primes_below(1 << bits, 4, 1)[0]).collect();
    let limbs = [0, 1, 2, 3];
    for (sizes, bound) in layers {
        assert_eq!(sizes.iter().sum::<i64>() as u64, bound);
        let inputs = sizes.len();
        let sign = |row: usize, k: usize| match row {
            0 => 1,
            1 => -1,
            2 => 1 - 2 * i64::from(k >= inputs / 2),
            3 => 1 - 2 * (k as i64 & 1),
            _ => 2 * (k as i64 & 1) - 1,
        };
        let (block, group) = dense(5, inputs, |i| sign(i / inputs, i % inputs) * sizes[i % inputs]);
        let weights = LinearWeights::new(inputs, 5, vec![block.clone()], vec![group.clone()]).unwrap();
        let strips = weights.blocks[0].strips();
        let [Strip { planes, .. }] = strips else { panic!("five outputs are one strip") };
        let [plane] = &planes[..] else { panic!("weights of one digit are one plane") };
        let ends = if bound == WHOLE { &plane.whole } else { &plane.digits };
        assert_eq!(ends, &[inputs], "one segment takes them all");
        for isa in Isa::available() {
            let ring = Ring::new(4, &primes, isa).unwrap();
            let mut x = ring.zero::<Eval>(inputs, &limbs).unwrap();
            for (limb, q) in primes.iter().enumerate() {
                for k in 0..inputs {
                    x.set_row_from_u64(limb, k, extreme_words(*q, ring.n(), k).into_iter()).unwrap();
                }
            }
            check_product(&ring, &weights, 1, std::slice::from_ref(&block), std::slice::from_ref(&group), &x);
        }
    }
}

/// A weight beyond the bound starts a segment of its own.
#[test]
fn segments_end_where_the_bound_does() {
    let ends = |total: u64, count: usize, more: i64| {
        let mut sizes = shares(total, count as u64);
        sizes.push(more);
        let (block, _) = dense(1, sizes.len(), |i| sizes[i]);
        let packed = PackedBlock::new(&block).unwrap();
        let plane = &packed.strips()[0].planes[0];
        (plane.whole.clone(), plane.digits.clone())
    };
    let whole = SEGMENT_SUM_U32.div_ceil(1 << PLANE_BITS) as usize;
    assert_eq!(ends(SEGMENT_SUM_U32, whole, 1).0, [whole, whole + 1]);
    assert_eq!(ends(SEGMENT_SUM_U32 - 1, whole, -1).0, [whole + 1]);
    let digits = SEGMENT_SUM_U64.div_ceil(1 << PLANE_BITS) as usize;
    assert_eq!(ends(SEGMENT_SUM_U64, digits, -1).1, [digits, digits + 1]);
    assert_eq!(ends(SEGMENT_SUM_U64 - 1, digits, 1).1, [digits + 1]);
}

#[test]
fn groups_share_blocks_and_outputs_without_input_are_zero() {
    let conv = WeightBlock { outputs: 5, inputs: 9, weights: (0..45).map(|i| i * i - 700).collect() };
    let pool = WeightBlock { outputs: 1, inputs: 2, weights: vec![1, 1] };
    let mut groups: Vec<Group> = (0..4)
        .map(|p| Group { inputs: (p * 2..p * 2 + 9).collect(), outputs: (0..5).map(|o| o * 4 + p).collect(), block: 0 })
        .collect();
    // The same input twice, outputs 20 and 22 untouched.
    groups.push(Group { inputs: vec![3, 3], outputs: vec![21], block: 1 });
    check(5, 16, 23, 3, vec![conv, pool], groups);
}

#[test]
fn tiles_and_panels_join() {
    for log_n in [10, 11, 12] {
        let (block, group) = dense(7, 40, |i| (i as i64 * 104_729 + 5) % 2000 - 1000);
        check(log_n, 40, 7, 1, vec![block], vec![group]);
    }
}

#[test]
fn weights_of_zero_are_left_out() {
    // Whole columns of a strip, whole strips, and everything.
    for keep in [0, 1, 3, 100] {
        let (block, group) = dense(14, 30, |i| if i % 30 % 4 < keep && i / 30 != 13 { i as i64 - 200 } else { 0 });
        check(4, 30, 14, 2, vec![block], vec![group]);
    }
}

#[test]
fn products_are_multiplied_as_they_are_packed() {
    let (block, group) = dense(8, 21, |i| (i as i64 * 7919) % 512 - 256);
    let weights = LinearWeights::new(21, 8, vec![block], vec![group]).unwrap();
    for isa in Isa::available() {
        for log_n in [1, 4, 9] {
            let ring = mixed_ring(log_n, isa);
            let x: RnsTensor<Eval> = random_tensor(&ring, 42, &[0, 1, 2, 3, 4]);
            let want = ring.matrix_product(&weights, 3, &ring.square_components(&x).unwrap()).unwrap();
            let [x0, x1] = [0, 1].map(|c| x.view().select(c, 21, 2).unwrap());
            let factors = [Factor::Products(x0, x0), Factor::TwiceProducts(x0, x1), Factor::Products(x1, x1)];
            let found = ring.matrix_product_of(&weights, &[0, 1, 2, 3, 4], &factors, None).unwrap();
            assert_eq!(found, want, "{} log_n={log_n}", isa.name());
        }
    }
}

#[test]
fn a_bias_is_added_to_the_first_component() {
    let (block, group) = dense(8, 21, |i| (i as i64 * 7919) % 512 - 256);
    // Output 8 stands in no group: it is its bias.
    let weights = LinearWeights::new(21, 9, vec![block], vec![group]).unwrap();
    for isa in Isa::available() {
        let (ring, limbs) = (mixed_ring(5, isa), [1, 3]);
        let x: RnsTensor<Eval> = random_tensor(&ring, 42, &[0, 1, 2, 3, 4]);
        let [x0, x1] = [0, 1].map(|c| Factor::Rows(x.view().select(c, 21, 2).unwrap()));
        for count in [9, 1] {
            let integers: Vec<i128> = (0..count).map(|i| (i - 4) * 1_000_000_007).collect();
            let bias = ring.scalars(&integers, &[0, 1, 2, 3]).unwrap();
            let mut want = ring.matrix_product_of(&weights, &limbs, &[x0, x1], None).unwrap();
            ring.add_scalar_assign(want.view_mut().select(0, 9, 2).unwrap(), &bias).unwrap();
            assert_eq!(ring.matrix_product_of(&weights, &limbs, &[x0, x1], Some(Bias::Real(&bias))).unwrap(), want);
        }
    }
}

/// A number in both parts is the polynomial `c + c X^(N/2)`, transformed by whoever transforms everything.
#[test]
fn a_bias_in_both_parts_is_its_polynomial() {
    for isa in Isa::available() {
        let (ring, limbs) = (mixed_ring(6, isa), [0, 1, 2, 3]);
        let integers: Vec<i128> = (0..3).map(|i| (i - 1) * 1_000_000_007).collect();
        let mut coefficients = vec![0i128; 3 * 64];
        for (row, c) in coefficients.chunks_exact_mut(64).zip(&integers) {
            (row[0], row[32]) = (*c, *c);
        }
        let want = ring.forward(ring.from_signed_i128(&coefficients, &limbs).unwrap()).unwrap();
        let numbers = ring.scalars(&integers, &limbs).unwrap();
        let mut sum = want.zero_like();
        ring.add_bias_assign(sum.view_mut(), Bias::BothParts(&numbers)).unwrap();
        assert_eq!(sum, want);
        let nothing = LinearWeights::new(1, 3, vec![], vec![]).unwrap();
        let x: RnsTensor<Eval> = random_tensor(&ring, 1, &limbs);
        let factors = [Factor::Rows(x.view())];
        let product = ring.matrix_product_of(&nothing, &limbs, &factors, Some(Bias::BothParts(&numbers))).unwrap();
        assert_eq!(product, want);
    }
}

/// Rows that stand in several tensors, and blocks that two layers share, give what one tensor and one layer give.
#[test]
fn scattered_rows_and_shared_blocks_change_nothing() {
    let (block, group) = dense(8, 21, |i| (i as i64 * 7919) % 512 - 256);
    let (ring, limbs) = (mixed_ring(5, Isa::Scalar), [0, 2]);
    let x: RnsTensor<Eval> = random_tensor(&ring, 21, &[0, 1, 2]);
    let packed = PackedBlock::new(&block).unwrap();
    let weights = LinearWeights::new(21, 8, vec![block], vec![group.clone()]).unwrap();
    let want = ring.matrix_product_of(&weights, &limbs, &[Factor::Rows(x.view())], None).unwrap();
    let lower = x.view().gather(&(0..9).collect::<Vec<_>>()).unwrap();
    let upper = x.view().gather(&(9..21).rev().collect::<Vec<_>>()).unwrap();
    let of = |k: usize| match k {
        0..9 => lower.view().range(k, 1).unwrap(),
        _ => upper.view().range(20 - k, 1).unwrap(),
    };
    let scattered: Vec<_> = (0..21).map(of).collect();
    let shared = LinearWeights::from_packed(21, 8, vec![packed.clone(), packed], vec![group]).unwrap();
    assert_eq!(ring.matrix_product_of(&shared, &limbs, &[Factor::Each(&scattered)], None).unwrap(), want);
    let short = ring.matrix_product_of(&shared, &limbs, &[Factor::Each(&scattered[1..])], None);
    assert_eq!(short.unwrap_err(), RingError::RowMismatch { left: 21, right: 20 });
}

#[test]
fn factors_that_do_not_fit_are_refused() {
    let ring = mixed_ring(3, Isa::Scalar);
    let weights = LinearWeights::new(2, 3, vec![], vec![]).unwrap();
    let x: RnsTensor<Eval> = random_tensor(&ring, 4, &[0, 1]);
    let (two, four) = (x.view().range(0, 2).unwrap(), x.view());
    let refusal = |limbs: &[usize], factor, bias: &[i128]| {
        let bias = ring.scalars(bias, &[0, 1]).unwrap();
        ring.matrix_product_of(&weights, limbs, &[factor], Some(Bias::Real(&bias))).err()
    };
    let rows = |left, right| Some(RingError::RowMismatch { left, right });
    assert_eq!(refusal(&[0], Factor::Rows(two), &[1, 2, 3]), None);
    assert_eq!(refusal(&[0], Factor::Rows(four), &[1, 2, 3]), rows(2, 4));
    assert_eq!(refusal(&[0], Factor::Products(two, four), &[1, 2, 3]), rows(2, 4));
    assert_eq!(refusal(&[0], Factor::Rows(two), &[1, 2]), rows(3, 2));
    assert_eq!(refusal(&[2], Factor::Rows(two), &[1]), Some(RingError::MissingLimb { index: 2, found: vec![0, 1] }));
}

#[test]
fn empty_layers_give_zeros() {
    check(3, 2, 3, 1, vec![], vec![]);
    let nothing = WeightBlock { outputs: 2, inputs: 0, weights: vec![] };
    check(3, 2, 3, 1, vec![nothing], vec![Group { inputs: vec![], outputs: vec![0, 2], block: 0 }]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_layers(
        inputs in 1usize..20, outputs in 1usize..14, bits in 1u32..57, seed: u64, log_n in 1u32..8, components in 1usize..4,
    ) {
        let weight = |i: usize| (i as i64 + 1).wrapping_mul(seed as i64 | 1).wrapping_mul(0x5851_f42d_4c95_7f2d) >> (63 - bits);
        let (block, group) = dense(outputs, inputs, weight);
        check(log_n, inputs, outputs, components, vec![block], vec![group]);
    }
}

#[test]
fn contradictions_are_refused() {
    let block = || WeightBlock { outputs: 2, inputs: 3, weights: vec![1; 6] };
    let group =
        |inputs: &[u32], outputs: &[u32], block| Group { inputs: inputs.to_vec(), outputs: outputs.to_vec(), block };
    let refusal = |blocks, groups| LinearWeights::new(4, 4, blocks, groups).err();
    let index = |what, index, count| Some(RingError::WeightIndex { group: 0, what, index, count });
    assert_eq!(refusal(vec![block()], vec![group(&[0, 1, 4], &[0, 1], 0)]), index("input", 4, 4));
    assert_eq!(refusal(vec![block()], vec![group(&[0, 1, 2], &[0, 9], 0)]), index("output", 9, 4));
    assert_eq!(refusal(vec![block()], vec![group(&[0, 1, 2], &[0, 1], 1)]), index("block", 1, 1));
    let twice = vec![group(&[0, 1, 2], &[0, 1], 0), group(&[0, 1, 2], &[2, 1], 0)];
    assert_eq!(refusal(vec![block()], twice), Some(RingError::OutputWrittenTwice { group: 1, output: 1 }));
    let shape = refusal(vec![block()], vec![group(&[0, 1], &[0, 1], 0)]);
    assert!(matches!(shape, Some(RingError::WeightShape { group_inputs: 2, inputs: 3, .. })));
    let short = WeightBlock { outputs: 2, inputs: 3, weights: vec![1; 5] };
    let length = RingError::LengthMismatch { what: "weights of a block", expected: 6, found: 5 };
    assert_eq!(refusal(vec![short], vec![]), Some(length));
    let ring = mixed_ring(3, Isa::Scalar);
    let x: RnsTensor<Eval> = random_tensor(&ring, 3, &[0]);
    let weights = LinearWeights::new(4, 4, vec![], vec![]).unwrap();
    assert_eq!(ring.matrix_product(&weights, 1, &x).err(), Some(RingError::RowMismatch { left: 4, right: 3 }));
}

#[test]
fn threads_do_not_change_a_word() {
    let ring = mixed_ring(9, Isa::best().unwrap());
    let x: RnsTensor<Eval> = random_tensor(&ring, 22, &[0, 1, 2]);
    let (block, group) = dense(17, 11, |i| i as i64 * 31 - 2000);
    let weights = LinearWeights::new(11, 17, vec![block], vec![group]).unwrap();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| ring.matrix_product(&weights, 2, &x).unwrap())
    };
    assert_eq!(run(1), run(3));
}
