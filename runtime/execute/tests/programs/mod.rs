//! Programs written by hand, with what they compute written down a second time.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod client_aided;

use std::sync::Arc;

use he_ir::{Group, HeProgram, HeProgramBuilder, LinearMap, Op, WeightBlock};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity, Scale};

/// Small and insecure: quick.
pub(crate) fn params() -> CkksParams {
    let mut literal =
        CkksParamsLiteral::new(11, ModulusChain::Bits(vec![30, 26, 26, 26, 26]), ModulusChain::Bits(vec![30]), 26.0);
    literal.security = RequiredSecurity::Insecure;
    CkksParams::try_from(literal).unwrap()
}

/// Numbers in [-1, 1) that look random: the top bits of a linear congruence.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn integers(real: &[f64], scale: f64) -> Vec<i64> {
    real.iter().map(|w| (w * scale).round() as i64).collect()
}

/// Real weights of the two-layer network: a 2x2 convolution of stride 2 from a 4x4 image to 2 maps, and a dense layer 8 -> 3.
pub(crate) struct TwoLayers {
    conv: Vec<f64>,
    conv_bias: Vec<f64>,
    dense: Vec<f64>,
    dense_bias: Vec<f64>,
}

impl TwoLayers {
    pub(crate) fn new() -> Self {
        Self { conv: numbers(8, 1), conv_bias: numbers(2, 2), dense: numbers(24, 3), dense_bias: numbers(3, 4) }
    }

    /// convolution, square, dense on three components, and every rescale that is then owed.
    pub(crate) fn program(&self, params: &CkksParams) -> HeProgram {
        let q = params.q();
        let top = params.max_level();
        let mut b = HeProgramBuilder::new("two_layers", q.to_vec());
        let x = b.input("image", vec![1, 4, 4], top, params.scale()).unwrap();

        let weight_scale = Scale::new(q[4] as f64).unwrap();
        let block = WeightBlock::new(2, 4, integers(&self.conv, weight_scale.get())).unwrap();
        let window = |i: u32| {
            let corner = (i / 2) * 8 + (i % 2) * 2;
            Group { inputs: vec![corner, corner + 1, corner + 4, corner + 5], outputs: vec![i, i + 4], block: 0 }
        };
        let bias = (0..8).map(|o| self.conv_bias[o / 4]).collect();
        let conv = LinearMap::new(16, vec![block], (0..4).map(window).collect::<Vec<_>>(), bias, weight_scale).unwrap();
        let y = b.linear(Arc::new(conv), x, vec![2, 2, 2], "conv").unwrap();
        let y = b.push(Op::Rescale, &[y], "conv").unwrap();
        let y = b.push(Op::Square, &[y], "square").unwrap();

        let weight_scale = Scale::new(q[2] as f64).unwrap();
        let block = WeightBlock::new(3, 8, integers(&self.dense, weight_scale.get())).unwrap();
        let group = Group { inputs: (0..8).collect(), outputs: vec![0, 1, 2], block: 0 };
        let dense = LinearMap::new(8, vec![block], vec![group], self.dense_bias.clone(), weight_scale).unwrap();
        let y = b.linear(Arc::new(dense), y, vec![3], "dense").unwrap();
        let y = b.push(Op::Relinearize, &[y], "dense").unwrap();
        let y = b.push(Op::Rescale, &[y], "dense").unwrap();
        let y = b.push(Op::Rescale, &[y], "dense").unwrap();
        b.output("logits", y);
        b.finish().unwrap()
    }

    /// One image through the network with real weights.
    pub(crate) fn evaluate(&self, image: &[f64]) -> Vec<f64> {
        let mut maps = vec![0.0; 8];
        for (map, out) in maps.chunks_mut(4).enumerate() {
            for (i, out) in out.iter_mut().enumerate() {
                *out = self.conv_bias[map];
                for (k, w) in self.conv[map * 4..map * 4 + 4].iter().enumerate() {
                    *out += w * image[(i / 2 * 2 + k / 2) * 4 + i % 2 * 2 + k % 2];
                }
                *out *= *out;
            }
        }
        let row = |o: usize| -> f64 { self.dense[o * 8..o * 8 + 8].iter().zip(&maps).map(|(w, v)| w * v).sum() };
        (0..3).map(|o| self.dense_bias[o] + row(o)).collect()
    }
}

/// Every operation but `linear` once; two inputs of 4 elements, three outputs of which two are the same value.
pub(crate) fn every_operation(params: &CkksParams) -> HeProgram {
    let q = params.q();
    let level = Level::new(3);
    // With the scale q_3 a product rescales back to q_3, so that it can be added to what only dropped a level.
    let scale = Scale::new(q[3] as f64).unwrap();
    let mut b = HeProgramBuilder::new("every_operation", q.to_vec());
    let x = b.input("x", vec![4], level, scale).unwrap();
    let y = b.input("y", vec![2, 2], level, scale).unwrap();
    let y = b.push(Op::Gather { indices: Arc::new(vec![0, 1, 2, 3]), shape: vec![4] }, &[y], "reshape").unwrap();
    let a = b.push(Op::Mul, &[x, y], "mul").unwrap();
    let a = b.push(Op::Relinearize, &[a], "mul").unwrap();
    let a = b.push(Op::Rescale, &[a], "mul").unwrap();
    let low = b.push(Op::DropLevel { to: Level::new(2) }, &[x], "drop").unwrap();
    let c = b.push(Op::Add, &[a, low], "add").unwrap();
    let d = b.push(Op::Sub, &[low, c], "sub").unwrap();
    let e = b.push(Op::Negate, &[d], "negate").unwrap();
    let f = b.push(Op::AddConstant { values: Arc::new(vec![0.5, -0.25, 0.125, 1.0]) }, &[e], "bias").unwrap();
    let g = b.push(Op::Gather { indices: Arc::new(vec![3, 1]), shape: vec![2] }, &[f], "gather").unwrap();
    let h = b.push(Op::Add, &[g, g], "double").unwrap();
    let k = b.push(Op::Square, &[h], "square").unwrap();
    let m = b.push(Op::Sub, &[k, k], "nothing").unwrap();
    let k = b.push(Op::Add, &[k, m], "nothing").unwrap();
    let k = b.push(Op::RelinearizeRescale, &[k], "square").unwrap();
    b.output("g", g);
    b.output("k", k);
    b.output("again", g);
    b.finish().unwrap()
}

/// What [`every_operation`] gives for one image: `g` and `k`.
pub(crate) fn every_operation_evaluate(x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let f: Vec<f64> = [0.5, -0.25, 0.125, 1.0].iter().zip(x.iter().zip(y)).map(|(b, (x, y))| x * y + b).collect();
    let g = vec![f[3], f[1]];
    let k = g.iter().map(|g| 4.0 * g * g).collect();
    (g, k)
}
