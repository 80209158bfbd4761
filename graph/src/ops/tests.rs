//! Operations against formulas written another way, and every refusal of a shape rule.
//!
//! ONNX's own node tests are the wider oracle: `tests/onnx/conformance.rs`.

use super::window::{AutoPad, Run, Tap, Window};
use super::*;
use crate::{Dim, Shape};

fn tensor(dims: &[usize], data: &[f64]) -> Tensor {
    Tensor::new(dims.to_vec(), data.to_vec()).unwrap()
}

fn counted(dims: &[usize]) -> Tensor {
    Tensor::new(dims.to_vec(), (0..dims.iter().product()).map(|i: usize| (i * 7 % 13) as f64 - 6.0).collect()).unwrap()
}

fn refusal(op: impl Into<Op>, shapes: &[&Shape]) -> String {
    op.into().infer(shapes).unwrap_err().to_string()
}

fn batched(dims: &[usize]) -> Shape {
    Shape::batched(dims).unwrap()
}

fn fixed(dims: &[usize]) -> Shape {
    Shape::fixed(dims).unwrap()
}

/// The definition of a two-dimensional convolution, index by index, border by border.
fn schoolbook_conv(op: &Conv, x: &Tensor, w: &Tensor, bias: &[f64], out: &[usize]) -> Vec<f64> {
    let at = |t: &Tensor, i: [usize; 4]| i.iter().zip(t.dims()).fold(0, |o, (i, d)| o * d + i);
    let mut y = Vec::new();
    for n in 0..out[0] {
        for (m, &shift) in bias.iter().enumerate() {
            for py in 0..out[2] {
                for px in 0..out[3] {
                    let mut sum = shift;
                    for c in 0..w.dims()[1] {
                        let channel = m / (out[1] / op.groups) * w.dims()[1] + c;
                        for ky in 0..w.dims()[2] {
                            for kx in 0..w.dims()[3] {
                                let iy = (py * op.strides[0] + ky * op.dilations[0]) as isize - op.pads[0][0] as isize;
                                let ix = (px * op.strides[1] + kx * op.dilations[1]) as isize - op.pads[1][0] as isize;
                                let (h, w_) = (x.dims()[2] as isize, x.dims()[3] as isize);
                                if (0..h).contains(&iy) && (0..w_).contains(&ix) {
                                    sum += w.data()[at(w, [m, c, ky, kx])]
                                        * x.data()[at(x, [n, channel, iy as usize, ix as usize])];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolution_is_its_definition() {
    let plain = Conv::new(2);
    let crooked = Conv { strides: vec![2, 1], dilations: vec![1, 2], pads: vec![[2, 1], [0, 3]], groups: 2 };
    let wide = Conv::new(2).stride(3).pad(5, 5).groups(4);
    for (op, kernel) in [(plain, [3, 2]), (crooked, [2, 3]), (wide, [1, 1])] {
        let (x, w) = (counted(&[2, 4, 6, 5]), counted(&[4, 4 / op.groups, kernel[0], kernel[1]]));
        let bias = tensor(&[4], &[0.5, -0.5, 1.0, 2.0]);
        let y = Op::from(op.clone()).evaluate(&[&x, &w, &bias]).unwrap();
        assert_eq!(y.data(), schoolbook_conv(&op, &x, &w, bias.data(), y.dims()));
    }
}

#[test]
fn one_and_three_spatial_axes() {
    let y = Op::from(Conv::new(1))
        .evaluate(&[&tensor(&[1, 1, 4], &[1.0, 2.0, 3.0, 4.0]), &tensor(&[1, 1, 2], &[1.0, -1.0])]);
    assert_eq!(y.unwrap().data(), [-1.0, -1.0, -1.0]);
    let ones = Tensor::filled(vec![1, 1, 3, 3, 3], 1.0).unwrap();
    let y = Op::from(Conv::new(3).pad(1, 1)).evaluate(&[&ones, &ones]).unwrap();
    assert_eq!((y.data()[13], y.data()[0], y.dims()), (27.0, 8.0, &[1, 1, 3, 3, 3][..]));
}

#[test]
fn pools_divide_by_what_they_count() {
    let x = tensor(&[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let op = AveragePool::new(&[2, 2]).stride(1).pad(1, 0);
    let evaluate = |op: AveragePool| Op::from(op).evaluate(&[&x]).unwrap().into_data();
    assert_eq!(evaluate(op.clone()), [1.0, 1.5, 2.0, 2.5]);
    assert_eq!(evaluate(op.clone().count_border(true)), [0.25, 0.75, 1.0, 2.5]);
    // Windows that see nothing but border.
    assert_eq!(evaluate(AveragePool::new(&[1, 1]).stride(3).pad(1, 1)), [0.0; 4]);
}

#[test]
fn runs_are_the_same_pairs_sorted_by_tap() {
    let window = |kernel: [usize; 2], strides: [usize; 2], dilations: [usize; 2], pads: [[usize; 2]; 2]| Window {
        kernel: kernel.to_vec(),
        strides: strides.to_vec(),
        dilations: dilations.to_vec(),
        pads: pads.to_vec(),
    };
    for window in [
        window([3, 3], [1, 1], [1, 1], [[0, 0]; 2]),
        window([3, 2], [2, 1], [1, 2], [[2, 1], [0, 3]]),
        window([2, 3], [3, 2], [2, 1], [[5, 5], [4, 0]]),
        window([1, 1], [1, 1], [1, 1], [[0, 0]; 2]),
        window([1, 1], [3, 3], [1, 1], [[1, 1]; 2]),
    ] {
        let input = [7, 5];
        let mut expected = Vec::new();
        window
            .for_each_position(&input, |position, taps| {
                expected.extend(taps.iter().map(|tap| (tap.kernel, position, tap.input)));
            })
            .unwrap();
        expected.sort_unstable();
        let step = window.strides[1];
        let runs = window.runs(&input).unwrap();
        let mut found = Vec::new();
        for (kernel, runs) in runs.iter().enumerate() {
            for run in runs {
                found.extend((0..run.len).map(|i| (kernel, run.position + i, run.input + i * step)));
            }
        }
        assert_eq!(found, expected, "{window:?}");
    }
    // A pointwise window over everything is one run.
    assert_eq!(
        window([1, 1], [1, 1], [1, 1], [[0, 0]; 2]).runs(&[7, 5]).unwrap(),
        [[Run { position: 0, input: 0, len: 35 }]]
    );
}

#[test]
fn windows_list_their_taps() {
    let window = Window { kernel: vec![2], strides: vec![3], dilations: vec![2], pads: vec![[1, 1]] };
    let mut seen = Vec::new();
    window.for_each_position(&[4], |position, taps| seen.push((position, taps.to_vec()))).unwrap();
    // Positions start at -1 and 2; taps two apart.
    assert_eq!(seen, [(0, vec![Tap { kernel: 1, input: 1 }]), (1, vec![Tap { kernel: 0, input: 2 }])]);
}

#[test]
fn automatic_borders() {
    // Input 28, kernel 5, stride 2: 14 positions reach 31 elements, 3 of them border.
    let pads = |auto: AutoPad, n: usize, s: usize| auto.pads(&[n], &[5], &[s], &[1]).unwrap()[0];
    assert_eq!(pads(AutoPad::SameUpper, 28, 2), [1, 2]);
    assert_eq!(pads(AutoPad::SameLower, 28, 2), [2, 1]);
    assert_eq!(pads(AutoPad::SameUpper, 28, 1), [2, 2]);
    assert_eq!(pads(AutoPad::SameUpper, 25, 6), [2, 2]);
    assert_eq!(pads(AutoPad::Valid, 28, 2), [0, 0]);
    assert!(AutoPad::Valid.pads(&[4], &[5], &[1], &[1]).is_err());
    assert!(AutoPad::SameUpper.pads(&[4], &[5], &[0], &[1]).is_err());
    assert!(AutoPad::SameUpper.pads(&[4], &[5, 5], &[1], &[1]).is_err());
}

#[test]
fn broadcasting_aligns_last_axes() {
    let (a, b) = (counted(&[2, 3, 1]), counted(&[3, 4]));
    let y = Op::from(Sub).evaluate(&[&a, &b]).unwrap();
    assert_eq!(y.dims(), [2, 3, 4]);
    for (i, &value) in y.data().iter().enumerate() {
        assert_eq!(value, a.data()[i / 4] - b.data()[i % 12]);
    }
    let infer = |left: &Shape, right: &Shape| Op::from(Add).infer(&[left, right]);
    assert_eq!(infer(&batched(&[5, 1]), &fixed(&[1, 1, 3])), Ok(batched(&[5, 3])));
    assert_eq!(infer(&fixed(&[1, 2]), &batched(&[2])), Ok(batched(&[2])));
    assert!(infer(&batched(&[2]), &fixed(&[2, 2])).is_err());
    assert_eq!(infer(&batched(&[2]), &fixed(&[4, 1, 2])), Err(ShapeError::BatchAxis { axis: 1 }));
    assert!(infer(&batched(&[2]), &batched(&[2, 2])).is_err());
}

#[test]
fn matrix_products_broadcast_leading_axes() {
    let (a, b) = (counted(&[2, 1, 3, 4]), counted(&[5, 4, 2]));
    let y = Op::from(MatMul).evaluate(&[&a, &b]).unwrap();
    assert_eq!(y.dims(), [2, 5, 3, 2]);
    for (i, &value) in y.data().iter().enumerate() {
        let (n, row, column, g) = (i / 30, i / 2 % 3, i % 2, i / 6 % 5);
        let sum: f64 = (0..4).map(|k| a.data()[n * 12 + row * 4 + k] * b.data()[g * 8 + k * 2 + column]).sum();
        assert_eq!(value, sum);
    }
    assert_eq!(
        refusal(MatMul, &[&batched(&[3]), &batched(&[3, 2])]),
        "the batch must stay at axis 0, here it is at axis 1"
    );
    assert_eq!(refusal(MatMul, &[&fixed(&[2, 3]), &batched(&[3])]), "inner extents: left [2, 3], right [batch, 3]");
    assert!(refusal(MatMul, &[&batched(&[]), &fixed(&[3, 2])]).starts_with("left operand: expected rank at least 2"));
}

#[test]
fn shape_rules_show_both_sides() {
    let x = batched(&[2, 4, 4]);
    assert_eq!(
        refusal(Conv::new(2), &[&x, &fixed(&[3, 1, 2, 2])]),
        "channels of operand and weights: left 2, right 1 x 1 groups"
    );
    assert_eq!(
        refusal(Conv::new(2), &[&x, &fixed(&[3, 2, 5, 2])]),
        "window larger than the padded input: left 5, right 4"
    );
    assert_eq!(
        refusal(Conv::new(2), &[&x, &fixed(&[3, 2, 2])]),
        "rank of operand and weights: left [batch, 2, 4, 4], right [3, 2, 2]"
    );
    assert_eq!(
        refusal(Conv::new(2).groups(2), &[&x, &fixed(&[3, 1, 2, 2])]),
        "groups: expected a divisor of 3 output channels, found 2"
    );
    assert_eq!(refusal(Conv::new(1), &[&x, &fixed(&[3, 2, 2, 2])]), "strides: expected 2 entries, found 1 entries");
    assert_eq!(
        refusal(Conv::new(2).stride(0), &[&x, &fixed(&[3, 2, 2, 2])]),
        "strides: expected extents from 1 to 268435456, found [0, 0]"
    );
    assert_eq!(
        refusal(Conv::new(2), &[&x, &fixed(&[3, 2, 2, 2]), &fixed(&[2])]),
        "output channels and bias: left 3, right [2]"
    );
    assert_eq!(refusal(Conv::new(2), &[&x]), "takes 2 or 3 operands, found 1");
    assert_eq!(refusal(Conv::new(2), &[&x, &x]), "weights: left one tensor for all images, right [batch, 2, 4, 4]");
    assert_eq!(
        refusal(Gemm::default(), &[&batched(&[3]), &fixed(&[2, 3])]),
        "inner extents: left [batch, 3], right [2, 3]"
    );
    assert_eq!(
        refusal(Gemm::default(), &[&batched(&[3]), &fixed(&[3, 2]), &fixed(&[3])]),
        "bias does not broadcast to the output: left [batch, 2], right [3]"
    );
    let c = fixed(&[2]);
    assert_eq!(
        refusal(BatchNorm { epsilon: 0.0 }, &[&x, &c, &c, &fixed(&[3]), &c]),
        "channels and mean: left 2, right [3]"
    );
    assert_eq!(
        refusal(Transpose { order: vec![1, 0, 2, 3] }, &[&x]),
        "the batch must stay at axis 0, here it is at axis 1"
    );
    assert_eq!(
        refusal(Transpose { order: vec![0, 1, 1, 2] }, &[&x]),
        "order: expected each axis of [batch, 2, 4, 4] once, found [0, 1, 1, 2]"
    );
    let pads = |pads: Vec<[usize; 2]>| Pad { pads, value: 0.0 };
    assert!(
        refusal(pads(vec![[0, 1], [0, 0], [0, 0], [0, 0]]), &[&x]).starts_with("pads: expected [0, 0] for the batch")
    );
    assert!(refusal(pads(vec![[0, 0]]), &[&x]).starts_with("pads: expected a pair for each axis"));
    assert!(
        refusal(pads(vec![[0, 0], [usize::MAX, 1], [0, 0], [0, 0]]), &[&x]).starts_with("pads: expected smaller pads")
    );
    assert_eq!(
        refusal(Reshape { target: batched(&[31]) }, &[&x]),
        "number of elements: left [batch, 2, 4, 4], right [batch, 31]"
    );
    assert!(refusal(Reshape { target: fixed(&[32]) }, &[&x]).starts_with("the batch cannot be reshaped away"));
    assert!(refusal(Flatten, &[&fixed(&[])]).starts_with("operand: expected rank at least 1"));
}

#[test]
fn reshape_targets_of_model_files() {
    let resolve = |entries: &[i64], input: &Shape, declared_batch| {
        let target = ReshapeTarget { entries: entries.to_vec(), allow_zero: false, declared_batch };
        target.resolve(input).map(|op| op.target).map_err(|e| e.to_string())
    };
    let x = batched(&[4, 6]);
    assert_eq!(resolve(&[16, 24], &x, Some(16)), Ok(batched(&[24])));
    assert_eq!(resolve(&[-1, 24], &x, Some(16)), Ok(batched(&[24])));
    assert_eq!(resolve(&[0, -1], &x, None), Ok(batched(&[24])));
    assert_eq!(resolve(&[0, 0, 2, -1], &x, None), Ok(batched(&[4, 2, 3])));
    assert_eq!(resolve(&[1, 24], &x, Some(1)), Ok(batched(&[24])));
    assert_eq!(resolve(&[-1], &batched(&[1]), None), Ok(batched(&[])));
    assert_eq!(resolve(&[3, -1], &fixed(&[4, 6]), None), Ok(fixed(&[3, 8])));
    assert_eq!(resolve(&[], &fixed(&[1]), None), Ok(fixed(&[])));
    for (entries, declared) in [
        (&[8, 48][..], Some(16)),
        (&[16, 24], None),
        (&[-1, 12], Some(16)),
        (&[0, -1, -1], None),
        (&[-1, -1], None),
        (&[0, 25], None),
        (&[0, -2], None),
        (&[0, 5, -1], None),
        (&[0, 0, 0, 0], None),
        (&[0, i64::MAX, i64::MAX], None),
        (&[], None),
    ] {
        let refusal = resolve(entries, &x, declared).unwrap_err();
        assert!(refusal.starts_with("shape: expected"), "{entries:?}: {refusal}");
    }
    let zero = ReshapeTarget { entries: vec![0, 24], allow_zero: true, declared_batch: None };
    assert!(zero.resolve(&x).is_err());
}

#[test]
fn movements() {
    let x = counted(&[2, 2, 3]);
    let y = Op::from(Transpose { order: vec![0, 2, 1] }).evaluate(&[&x]).unwrap();
    assert_eq!(y.dims(), [2, 3, 2]);
    for (i, &value) in y.data().iter().enumerate() {
        assert_eq!(value, x.data()[i / 6 * 6 + i % 2 * 3 + i / 2 % 3]);
    }
    let x = tensor(&[1, 2], &[1.0, 2.0]);
    let y = Op::from(Pad { pads: vec![[0, 0], [1, 2]], value: 9.0 }).evaluate(&[&x]).unwrap();
    assert_eq!(y.data(), [9.0, 1.0, 2.0, 9.0, 9.0]);
    let y = Op::from(Reshape { target: Shape::new(vec![Dim::Batch, Dim::Fixed(1), Dim::Fixed(2)]).unwrap() });
    assert_eq!(y.evaluate(&[&x]).unwrap().dims(), [1, 1, 2]);
    assert_eq!(Op::from(Negate).evaluate(&[&x]).unwrap().data(), [-1.0, -2.0]);
}

#[test]
fn batch_norm_is_its_definition() {
    let x = counted(&[2, 3, 2]);
    let p = [[1.0, 2.0, -1.0], [0.5, 0.0, 1.0], [3.0, -1.0, 0.0], [4.0, 1.0, 0.25]].map(|p| tensor(&[3], &p));
    let [scale, shift, mean, variance] = &p;
    let y = Op::from(BatchNorm { epsilon: 0.01 }).evaluate(&[&x, scale, shift, mean, variance]).unwrap();
    for (i, &value) in y.data().iter().enumerate() {
        let c = i / 2 % 3;
        let normal = (x.data()[i] - mean.data()[c]) / (variance.data()[c] + 0.01).sqrt();
        assert!((value - (normal * scale.data()[c] + shift.data()[c])).abs() < 1e-12);
    }
}

#[test]
fn gemm_scales_both_parts() {
    let (x, w) = (counted(&[2, 3]), counted(&[3, 2]));
    let bias = tensor(&[2], &[1.0, -1.0]);
    let y = Op::from(Gemm { alpha: 0.5, beta: 3.0, transposed: false }).evaluate(&[&x, &w, &bias]).unwrap();
    let wt = tensor(&[2, 3], &[0, 2, 4, 1, 3, 5].map(|i| w.data()[i]));
    let yt = Op::from(Gemm { alpha: 0.5, beta: 3.0, transposed: true }).evaluate(&[&x, &wt, &bias]).unwrap();
    for i in 0..4 {
        let sum: f64 = (0..3).map(|k| x.data()[i / 2 * 3 + k] * w.data()[k * 2 + i % 2]).sum();
        assert_eq!(y.data()[i], 0.5 * sum + 3.0 * bias.data()[i % 2]);
    }
    assert_eq!(y, yt);
}
