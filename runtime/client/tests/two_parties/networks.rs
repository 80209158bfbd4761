//! Small networks, and what they compute written down a second time.

use std::sync::Arc;

use he_ir::{
    ClientFunction, Group, HeProgram, HeProgramBuilder, LinearMap, Op, Packing, Refresh, RefreshGroup, WeightBlock,
};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity, RingType, Scale};

/// Small and insecure: quick.
pub(crate) fn params() -> CkksParams {
    let mut literal =
        CkksParamsLiteral::new(11, ModulusChain::Bits(vec![30, 26, 26, 26]), ModulusChain::Bits(vec![30]), 26.0);
    literal.security = RequiredSecurity::Insecure;
    CkksParams::try_from(literal).unwrap()
}

/// Small and insecure, with real slots: as many as the degree.
pub(crate) fn real_params() -> CkksParams {
    let literal = CkksParamsLiteral { ring: RingType::ConjugateInvariant, ..params().literal().clone() };
    CkksParams::try_from(literal).unwrap()
}

/// Small and secure: what a client accepts without being told to.
pub(crate) fn secure_params() -> CkksParams {
    let literal = CkksParamsLiteral::new(12, ModulusChain::Bits(vec![30, 26]), ModulusChain::Bits(vec![]), 26.0);
    CkksParams::try_from(literal).unwrap()
}

/// Keys of 8.8 MB: more than a queue and a window of HTTP/2 hold. A megabyte to a ciphertext that is to be refreshed.
pub(crate) fn large_params() -> CkksParams {
    let chain = ModulusChain::Bits(vec![60, 50, 50, 50]);
    CkksParams::try_from(CkksParamsLiteral::new(16, chain, ModulusChain::Bits(vec![60]), 50.0)).unwrap()
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

    pub(crate) fn evaluate(&self, x: &[f64]) -> Vec<f64> {
        let row = |o: usize| -> f64 { self.weights[o * self.inputs..].iter().zip(x).map(|(w, x)| w * x).sum() };
        (0..self.outputs).map(|o| self.bias[o] + row(o)).collect()
    }
}

/// What stands between the two layers.
#[derive(Clone, Copy)]
enum Between {
    Square,
    Each(ClientFunction),
    /// Of windows of so many values, so far apart.
    Windows {
        function: ClientFunction,
        size: usize,
        stride: usize,
    },
}

/// What the key owner computes of the values that meet, written down a second time.
fn expected(function: ClientFunction, x: &[f64]) -> Vec<f64> {
    let each = |f: &dyn Fn(f64) -> f64| x.iter().map(|&x| f(x)).collect::<Vec<f64>>();
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    match function {
        ClientFunction::Identity => x.to_vec(),
        ClientFunction::Relu => each(&|x| if x > 0.0 { x } else { 0.0 }),
        ClientFunction::BoundedRelu { max } => each(&|x| x.clamp(0.0, max)),
        ClientFunction::LeakyRelu { alpha } => each(&|x| if x > 0.0 { x } else { alpha * x }),
        ClientFunction::Sigmoid => each(&|x| 0.5 + 0.5 * (x / 2.0).tanh()),
        ClientFunction::Tanh => each(&|x| 1.0 - 2.0 / ((2.0 * x).exp() + 1.0)),
        ClientFunction::Exp => each(&|x| std::f64::consts::E.powf(x)),
        ClientFunction::Power { exponent } => each(&|x| x.powi(exponent as i32)),
        ClientFunction::Max => vec![largest],
        ClientFunction::ArgMax => vec![x.iter().position(|&x| x == largest).unwrap() as f64],
        ClientFunction::Softmax => {
            let sum: f64 = x.iter().map(|x| x.exp()).sum();
            each(&|x| x.exp() / sum)
        }
        ClientFunction::Divide => vec![x[0] / x[1]],
        other => panic!("{other:?}"),
    }
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
        let between = Between::Windows { function: ClientFunction::Max, size: 2, stride: 2 };
        Self { first: Dense::new(6, 40, 1), second: Dense::new(20, 3, 3), between }
    }

    /// Every operation that a client computes, each in a network of its own: small layers, so that what comes out stays small.
    pub(crate) fn functions() -> Vec<(&'static str, Self)> {
        let network = |width: usize, between: Between| {
            let mut network = Self { first: Dense::new(6, 12, 5), second: Dense::new(width, 3, 9), between };
            network.first.weights.iter_mut().for_each(|w| *w /= 3.0);
            network.second.weights.iter_mut().for_each(|w| *w /= width as f64);
            network
        };
        let each = |function| network(12, Between::Each(function));
        let windows = |function, size, stride, width| network(width, Between::Windows { function, size, stride });
        let mut divide = windows(ClientFunction::Divide, 2, 2, 6);
        divide.first.bias.iter_mut().skip(1).step_by(2).for_each(|bias| *bias += 4.0);
        vec![
            ("Relu", each(ClientFunction::Relu)),
            ("BoundedRelu", each(ClientFunction::BoundedRelu { max: 0.5 })),
            ("LeakyRelu", each(ClientFunction::LeakyRelu { alpha: 0.2 })),
            ("Sigmoid", each(ClientFunction::Sigmoid)),
            ("Tanh", each(ClientFunction::Tanh)),
            ("Exp", each(ClientFunction::Exp)),
            ("Softmax", windows(ClientFunction::Softmax, 4, 4, 12)),
            // Windows that overlap.
            ("MaxPool", windows(ClientFunction::Max, 4, 2, 5)),
            ("Max", windows(ClientFunction::Max, 2, 2, 6)),
            ("ArgMax", windows(ClientFunction::ArgMax, 3, 3, 4)),
            ("Divide", divide),
            ("Power", each(ClientFunction::Power { exponent: 3.0 })),
            ("refresh", each(ClientFunction::Identity)),
        ]
    }

    /// Images that lie a little away from where the function between the layers jumps, image after image.
    pub(crate) fn images(&self, count: usize, seed: u64) -> Vec<f64> {
        let jumps = |y: &[f64]| match self.between {
            Between::Windows { function: ClientFunction::ArgMax, size, stride } => windows(y.len(), size, stride)
                .any(|w| w.clone().any(|i| w.clone().any(|j| i != j && (y[i] - y[j]).abs() < 0.01))),
            _ => false,
        };
        let candidates = numbers(self.first.inputs * count * 4, seed);
        let images = candidates.chunks(self.first.inputs).filter(|x| !jumps(&self.first.evaluate(x)));
        let images: Vec<f64> = images.take(count).flatten().copied().collect();
        assert_eq!(images.len(), count * self.first.inputs);
        images
    }

    /// As wide as asked, so that a run takes a while.
    pub(crate) fn wide(width: usize) -> Self {
        let mut second = Dense::new(width, 3, 3);
        second.weights.iter_mut().for_each(|w| *w /= width as f64);
        let between = Between::Each(ClientFunction::BoundedRelu { max: 1.5 });
        Self { first: Dense::new(6, width, 1), second, between }
    }

    pub(crate) fn program(&self) -> HeProgram {
        self.program_on(&params())
    }

    pub(crate) fn program_on(&self, params: &CkksParams) -> HeProgram {
        let (q, top) = (params.q(), params.max_level());
        let mut b = HeProgramBuilder::new("network", q.to_vec());
        let x = b.input("x", vec![self.first.inputs], top, params.scale()).unwrap();
        let y = b.linear(self.first.map(q[q.len() - 1] as f64), x, vec![self.first.outputs], "first").unwrap();
        let y = b.push(Op::Rescale, &[y], "first").unwrap();
        let (function, groups, width) = match self.between {
            Between::Square => (None, None, self.first.outputs),
            Between::Each(function) => (Some(function), None, self.first.outputs),
            Between::Windows { function, size, stride } => {
                let mut groups = Vec::new();
                let mut width = 0;
                for window in windows(self.first.outputs, size, stride) {
                    let results = function.results_of(size).unwrap() as u32;
                    let inputs = window.map(|i| i as u32).collect();
                    groups.push(RefreshGroup { inputs, outputs: (width..width + results).collect() });
                    width += results;
                }
                (Some(function), Some(groups), width as usize)
            }
        };
        let y = match function {
            None => {
                let y = b.push(Op::Square, &[y], "square").unwrap();
                let y = b.push(Op::Relinearize, &[y], "square").unwrap();
                b.push(Op::Rescale, &[y], "square").unwrap()
            }
            Some(function) => {
                // Down to the last level, where the first layer has not ended there already.
                let y = match q.len() {
                    ..=2 => y,
                    _ => b.push(Op::DropLevel { to: Level::new(0) }, &[y], "between").unwrap(),
                };
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

    /// What stands before the function between the layers, for one image.
    pub(crate) fn hidden(&self, image: &[f64]) -> Vec<f64> {
        self.first.evaluate(image)
    }

    /// Batches through the network, image after image.
    pub(crate) fn evaluate(&self, images: &[f64]) -> Vec<f64> {
        let image = |x: &[f64]| {
            let mut y = self.first.evaluate(x);
            match self.between {
                Between::Square => y.iter_mut().for_each(|y| *y *= *y),
                Between::Each(function) => y = expected(function, &y),
                Between::Windows { function, size, stride } => {
                    y = windows(y.len(), size, stride).flat_map(|window| expected(function, &y[window])).collect();
                }
            }
            self.second.evaluate(&y)
        };
        images.chunks(self.first.inputs).flat_map(image).collect()
    }
}

/// Windows over `len` values.
fn windows(len: usize, size: usize, stride: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..=len - size).step_by(stride).map(move |start| start..start + size)
}

/// Each of `values` numbers twice as large.
pub(crate) fn doubled(values: usize) -> HeProgram {
    let params = params();
    let mut b = HeProgramBuilder::new("doubled", params.q().to_vec());
    let x = b.input("x", vec![values], params.max_level(), params.scale()).unwrap();
    let y = b.push(Op::Add, &[x, x], "doubled").unwrap();
    b.output("y", y);
    b.finish().unwrap()
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
