//! Small networks, and what they compute written down a second time.

use std::sync::Arc;

use he_ir::{
    ClientFunction, Group, HeProgram, HeProgramBuilder, LinearMap, Op, Packing, Refresh, RefreshGroup, WeightBlock,
};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity, Scale};

/// Small and insecure: quick.
pub(crate) fn params() -> CkksParams {
    let mut literal =
        CkksParamsLiteral::new(11, ModulusChain::Bits(vec![30, 26, 26, 26]), ModulusChain::Bits(vec![30]), 26.0);
    literal.security = RequiredSecurity::Insecure;
    CkksParams::try_from(literal).unwrap()
}

/// Numbers in [-1, 1) that look random.
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Weights and a bias of a dense layer.
pub(crate) struct Dense {
    inputs: usize,
    outputs: usize,
    weights: Vec<f64>,
    bias: Vec<f64>,
}

impl Dense {
    pub(crate) fn new(inputs: usize, outputs: usize, seed: u64) -> Self {
        Self { inputs, outputs, weights: numbers(inputs * outputs, seed), bias: numbers(outputs, seed + 1) }
    }

    fn map(&self, scale: f64) -> Arc<LinearMap> {
        let integers = self.weights.iter().map(|w| (w * scale).round() as i64).collect();
        let block = WeightBlock::new(self.outputs, self.inputs, integers).unwrap();
        let group =
            Group { inputs: (0..self.inputs as u32).collect(), outputs: (0..self.outputs as u32).collect(), block: 0 };
        let scale = Scale::new(scale).unwrap();
        Arc::new(LinearMap::new(self.inputs, vec![block], vec![group], self.bias.clone(), scale).unwrap())
    }

    fn evaluate(&self, x: &[f64]) -> Vec<f64> {
        let row = |o: usize| -> f64 { self.weights[o * self.inputs..].iter().zip(x).map(|(w, x)| w * x).sum() };
        (0..self.outputs).map(|o| self.bias[o] + row(o)).collect()
    }
}

/// What stands between the two layers.
#[derive(Clone, Copy)]
enum Between {
    Square,
    Each(ClientFunction),
    /// The largest of each pair.
    Pairs,
}

/// Two dense layers, 6 to 4 to 3 if nothing else is said.
pub(crate) struct Network {
    first: Dense,
    second: Dense,
    between: Between,
}

impl Network {
    pub(crate) fn square() -> Self {
        Self { first: Dense::new(6, 4, 1), second: Dense::new(4, 3, 3), between: Between::Square }
    }

    pub(crate) fn with(function: ClientFunction) -> Self {
        Self { between: Between::Each(function), ..Self::square() }
    }

    /// 6 to 40, the largest of each pair, 20 to 3.
    pub(crate) fn pooled() -> Self {
        Self { first: Dense::new(6, 40, 1), second: Dense::new(20, 3, 3), between: Between::Pairs }
    }

    /// As wide as asked, so that a run takes a while.
    pub(crate) fn wide(width: usize) -> Self {
        let mut second = Dense::new(width, 3, 3);
        second.weights.iter_mut().for_each(|w| *w /= width as f64);
        let between = Between::Each(ClientFunction::BoundedRelu { max: 1.5 });
        Self { first: Dense::new(6, width, 1), second, between }
    }

    pub(crate) fn program(&self) -> HeProgram {
        let params = params();
        let (q, top) = (params.q(), params.max_level());
        let mut b = HeProgramBuilder::new("network", q.to_vec());
        let x = b.input("x", vec![self.first.inputs], top, params.scale()).unwrap();
        let y = b.linear(self.first.map(q[3] as f64), x, vec![self.first.outputs], "first").unwrap();
        let y = b.push(Op::Rescale, &[y], "first").unwrap();
        let (function, groups, width) = match self.between {
            Between::Square => (None, None, self.first.outputs),
            Between::Each(function) => (Some(function), None, self.first.outputs),
            Between::Pairs => {
                let pair = |i: u32| RefreshGroup { inputs: vec![2 * i, 2 * i + 1], outputs: vec![i] };
                let pairs = self.first.outputs / 2;
                (Some(ClientFunction::Max), Some((0..pairs as u32).map(pair).collect()), pairs)
            }
        };
        let y = match function {
            None => {
                let y = b.push(Op::Square, &[y], "square").unwrap();
                let y = b.push(Op::Relinearize, &[y], "square").unwrap();
                b.push(Op::Rescale, &[y], "square").unwrap()
            }
            Some(function) => {
                let y = b.push(Op::DropLevel { to: Level::new(0) }, &[y], "between").unwrap();
                let (level, scale) = (Level::new(1), params.scale());
                let refresh = Refresh { function, groups, shape: vec![width], level, scale };
                b.push(Op::Refresh { refresh: Arc::new(refresh) }, &[y], "between").unwrap()
            }
        };
        let y = b.linear(self.second.map(q[1] as f64), y, vec![self.second.outputs], "second").unwrap();
        let y = b.push(Op::Rescale, &[y], "second").unwrap();
        b.output("logits", y);
        b.finish().unwrap()
    }

    /// Batches through the network, image after image.
    pub(crate) fn evaluate(&self, images: &[f64]) -> Vec<f64> {
        let image = |x: &[f64]| {
            let mut y = self.first.evaluate(x);
            match self.between {
                Between::Square => y.iter_mut().for_each(|y| *y *= *y),
                Between::Each(function) => function.apply_assign(&mut y),
                Between::Pairs => y = y.chunks(2).map(|pair| pair[0].max(pair[1])).collect(),
            }
            self.second.evaluate(&y)
        };
        images.chunks(self.first.inputs).flat_map(image).collect()
    }
}

/// Two inputs, two outputs, complex packing, a rescale: `x + y` and `2 (x + y)`.
pub(crate) fn two_by_two() -> HeProgram {
    let params = params();
    let mut b = HeProgramBuilder::new("two_by_two", params.q().to_vec());
    b.packing(Packing::Complex);
    let level = Level::new(1);
    let x = b.input("x", vec![2], level, params.scale()).unwrap();
    let y = b.input("y", vec![2], level, params.scale()).unwrap();
    let sum = b.push(Op::Add, &[x, y], "sum").unwrap();
    let twice = b.push(Op::Add, &[sum, sum], "twice").unwrap();
    b.output("sum", sum);
    b.output("twice", twice);
    b.finish().unwrap()
}
