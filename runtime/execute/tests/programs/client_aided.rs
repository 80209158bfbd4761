//! Small networks that the key owner helps with, written by hand and evaluated a second time.

use std::sync::Arc;

use he_ir::{
    ClientFunction, Group, HeProgram, HeProgramBuilder, LinearMap, Op, Packing, Refresh, RefreshGroup, ValueId,
    WeightBlock,
};
use he_params::{CkksParams, CkksParamsLiteral, Level, ModulusChain, RequiredSecurity, Scale};

use super::numbers;

/// Two primes, secure at N = 2^11.
pub(crate) fn client_params() -> CkksParams {
    let mut literal = CkksParamsLiteral::new(11, ModulusChain::Bits(vec![28, 22]), ModulusChain::Bits(vec![]), 24.0);
    literal.security = RequiredSecurity::default();
    CkksParams::try_from(literal).unwrap()
}

const WEIGHT_BITS: f64 = 16.0;

#[derive(Clone, Debug)]
enum Layer {
    /// Kernel side, stride 1, zero border: channels in, channels out.
    Conv(usize, usize, usize),
    /// Kernel side: each channel by itself.
    Depthwise(usize, usize),
    Function(ClientFunction),
    /// 2x2 windows.
    MaxPool,
    /// Adds the value after so many layers.
    Shortcut(usize),
    Dense(usize),
    Softmax,
}

/// A network of images of `side` squared and `channels`.
pub(crate) struct Layers {
    name: &'static str,
    channels: usize,
    side: usize,
    layers: Vec<Layer>,
}

/// Values while a network is built or evaluated: `channels` planes of `side` squared.
#[derive(Clone, Copy)]
struct Shape {
    channels: usize,
    side: usize,
}

impl Shape {
    fn elements(self) -> usize {
        self.channels * self.side * self.side
    }
}

impl Layers {
    pub(crate) fn all() -> Vec<Layers> {
        use ClientFunction as F;
        use Layer::*;
        let network = |name, channels, side, layers| Layers { name, channels, side, layers };
        vec![
            network(
                "relu",
                1,
                4,
                vec![Conv(3, 1, 3), Function(F::Relu), Dense(5), Function(F::LeakyRelu { alpha: 0.2 }), Dense(3)],
            ),
            network(
                "pooled",
                2,
                6,
                vec![Conv(3, 2, 3), Function(F::Relu), MaxPool, Conv(1, 3, 2), Function(F::Tanh), Dense(4), Softmax],
            ),
            Self::deep(),
        ]
    }

    /// Two depthwise-separable blocks, the second with a shortcut.
    pub(crate) fn deep() -> Layers {
        use ClientFunction as F;
        use Layer::*;
        let relu6 = Function(F::BoundedRelu { max: 6.0 });
        let block = |layers: &mut Vec<Layer>, from, to| {
            layers.extend([
                Conv(1, from, 6),
                relu6.clone(),
                Depthwise(3, 6),
                relu6.clone(),
                Conv(1, 6, to),
                Function(F::Identity),
            ]);
        };
        let mut layers = Vec::new();
        block(&mut layers, 2, 3);
        block(&mut layers, 3, 3);
        layers.push(Shortcut(6));
        layers.extend([Function(F::Identity), Conv(1, 3, 8), relu6.clone(), Dense(4)]);
        Layers { name: "separable", channels: 2, side: 8, layers }
    }

    /// The same blocks on larger images, and nothing that reads a whole image.
    pub(crate) fn tall() -> Layers {
        let mut layers = Self::deep();
        layers.layers.pop();
        layers.layers.push(Layer::Conv(1, 8, 1));
        Layers { name: "tall", side: 32, ..layers }
    }

    fn weights(&self, layer: usize, count: usize, seen: usize) -> Vec<f64> {
        numbers(count, 100 + layer as u64).iter().map(|w| w * 1.5 / (seen as f64).sqrt()).collect()
    }

    /// The linear map of a layer.
    fn map(&self, index: usize, shape: Shape) -> (LinearMap, Shape) {
        let scale = Scale::from_log2(WEIGHT_BITS).unwrap();
        let integers = |w: &[f64]| w.iter().map(|w| (w * scale.get()).round() as i64).collect::<Vec<i64>>();
        let side = shape.side as i64;
        let plane = side * side;
        let (mut blocks, mut groups) = (Vec::new(), Vec::new());
        let (maps, kernel, depthwise) = match self.layers[index] {
            Layer::Conv(kernel, _, maps) => (maps, kernel, false),
            Layer::Depthwise(kernel, channels) => (channels, kernel, true),
            Layer::Dense(outputs) => {
                let weights = self.weights(index, outputs * shape.elements(), shape.elements());
                blocks.push(WeightBlock::new(outputs, shape.elements(), integers(&weights)).unwrap());
                groups.push(Group {
                    inputs: (0..shape.elements() as u32).collect(),
                    outputs: (0..outputs as u32).collect(),
                    block: 0,
                });
                let bias = numbers(outputs, 7);
                return (
                    LinearMap::new(shape.elements(), blocks, groups, bias, scale).unwrap(),
                    Shape { channels: outputs, side: 1 },
                );
            }
            _ => panic!("not linear"),
        };
        let seen = if depthwise { 1 } else { shape.channels };
        let weights = self.weights(index, maps * seen * kernel * kernel, seen * kernel * kernel);
        let at = |map: usize, channel: usize, tap: usize| weights[(map * seen + channel) * kernel * kernel + tap];
        for position in 0..plane {
            let taps: Vec<(usize, i64)> = (0..kernel * kernel)
                .filter_map(|tap| {
                    let half = kernel as i64 / 2;
                    let (y, x) = (
                        position / side + (tap / kernel) as i64 - half,
                        position % side + (tap % kernel) as i64 - half,
                    );
                    ((0..side).contains(&y) && (0..side).contains(&x)).then_some((tap, y * side + x))
                })
                .collect();
            for first in if depthwise { 0..shape.channels } else { 0..1 } {
                let channels = if depthwise { first..first + 1 } else { 0..shape.channels };
                let rows = if depthwise { first..first + 1 } else { 0..maps };
                let mut block = Vec::new();
                for map in rows.clone() {
                    for channel in channels.clone() {
                        let channel = if depthwise { 0 } else { channel };
                        block.extend(taps.iter().map(|(tap, _)| at(map, channel, *tap)));
                    }
                }
                let inputs = channels
                    .flat_map(|c| taps.iter().map(move |(_, at)| (c as i64 * plane + at) as u32))
                    .collect::<Vec<u32>>();
                let outputs: Vec<u32> = rows.map(|map| (map as i64 * plane + position) as u32).collect();
                blocks.push(WeightBlock::new(outputs.len(), inputs.len(), integers(&block)).unwrap());
                groups.push(Group { inputs, outputs, block: blocks.len() - 1 });
            }
        }
        let bias: Vec<f64> = numbers(maps, 8).iter().flat_map(|b| vec![*b; plane as usize]).collect();
        (LinearMap::new(shape.elements(), blocks, groups, bias, scale).unwrap(), Shape { channels: maps, ..shape })
    }

    fn pool_groups(shape: Shape) -> Vec<RefreshGroup> {
        let (side, half) = (shape.side, shape.side / 2);
        let mut groups = Vec::new();
        for channel in 0..shape.channels {
            for position in 0..half * half {
                let corner = channel * side * side + position / half * 2 * side + position % half * 2;
                let inputs = [corner, corner + 1, corner + side, corner + side + 1].map(|i| i as u32).to_vec();
                groups.push(RefreshGroup { inputs, outputs: vec![(channel * half * half + position) as u32] });
            }
        }
        groups
    }

    pub(crate) fn program(&self, params: &CkksParams) -> HeProgram {
        let (top, fresh) = (Level::new(1), params.scale());
        let mut b = HeProgramBuilder::new(self.name, params.q().to_vec());
        b.packing(Packing::Complex);
        let mut shape = Shape { channels: self.channels, side: self.side };
        let dims = |s: Shape| vec![s.channels, s.side, s.side];
        let mut value = b.input("image", dims(shape), top, fresh).unwrap();
        // Values as they stand, and the linear map of weight one that brings a fresh one to the state of a sum.
        let mut values: Vec<(ValueId, Shape)> = vec![(value, shape)];
        for (index, layer) in self.layers.iter().enumerate() {
            let refresh = |function, groups, shape: Shape| Op::Refresh {
                refresh: Arc::new(Refresh { function, groups, shape: dims(shape), level: top, scale: fresh }),
            };
            match layer {
                Layer::Conv(..) | Layer::Depthwise(..) | Layer::Dense(_) => {
                    let (map, to) = self.map(index, shape);
                    shape = to;
                    value = b.linear(Arc::new(map), value, dims(shape), "linear").unwrap();
                    value = b.push(Op::Rescale, &[value], "linear").unwrap();
                }
                Layer::Function(function) => {
                    value = b.push(refresh(*function, None, shape), &[value], "function").unwrap();
                }
                Layer::MaxPool => {
                    let groups = Self::pool_groups(shape);
                    shape.side /= 2;
                    value = b.push(refresh(ClientFunction::Max, Some(groups), shape), &[value], "pool").unwrap();
                }
                Layer::Shortcut(from) => {
                    let (from, _) = values[*from];
                    value = b.push(Op::Add, &[value, from], "shortcut").unwrap();
                    let one = Scale::from_log2(WEIGHT_BITS).unwrap();
                    let block = WeightBlock::new(1, 1, vec![one.get() as i64]).unwrap();
                    let elements = shape.elements();
                    let groups = (0..elements as u32).map(|i| Group { inputs: vec![i], outputs: vec![i], block: 0 });
                    let map =
                        LinearMap::new(elements, vec![block], groups.collect::<Vec<_>>(), vec![0.0; elements], one)
                            .unwrap();
                    value = b.linear(Arc::new(map), value, dims(shape), "shortcut").unwrap();
                    value = b.push(Op::Rescale, &[value], "shortcut").unwrap();
                }
                Layer::Softmax => {
                    let all: Vec<u32> = (0..shape.elements() as u32).collect();
                    let groups = vec![RefreshGroup { inputs: all.clone(), outputs: all }];
                    value = b.push(refresh(ClientFunction::Softmax, Some(groups), shape), &[value], "softmax").unwrap();
                }
            }
            values.push((value, shape));
        }
        b.output("out", value);
        b.finish().unwrap()
    }

    /// One image, real weights.
    pub(crate) fn evaluate(&self, image: &[f64]) -> Vec<f64> {
        let mut shape = Shape { channels: self.channels, side: self.side };
        let mut x = image.to_vec();
        let mut values = vec![x.clone()];
        for (index, layer) in self.layers.iter().enumerate() {
            match layer {
                Layer::Conv(..) | Layer::Depthwise(..) | Layer::Dense(_) => {
                    let (map, to) = self.map(index, shape);
                    shape = to;
                    x = map.apply(&x).unwrap();
                }
                Layer::Function(function) => function.apply_assign(&mut x),
                Layer::MaxPool => {
                    let groups = Self::pool_groups(shape);
                    shape.side /= 2;
                    x = groups
                        .iter()
                        .map(|g| g.inputs.iter().map(|&i| x[i as usize]).fold(f64::MIN, f64::max))
                        .collect();
                }
                Layer::Shortcut(from) => x.iter_mut().zip(&values[*from]).for_each(|(x, y)| *x += y),
                Layer::Softmax => {
                    let sum: f64 = x.iter().map(|x| x.exp()).sum();
                    x.iter_mut().for_each(|x| *x = x.exp() / sum);
                }
            }
            values.push(x.clone());
        }
        x
    }
}
