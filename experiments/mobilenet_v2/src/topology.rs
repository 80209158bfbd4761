//! MobileNetV2 as published, at any width and resolution, with seeded weights.
//!
//! Topology: \[MNV2\] table 2 and section 4: convolution 3x3 stride 2; seventeen inverted residuals; pointwise convolution to 1280
//! channels (times the width, where that is above 1); mean over the plane; 1000 logits. Channels are multiplied by the width and
//! brought to a multiple of 8 that is not more than a tenth below. Borders are "same" (an odd one larger behind), as in the
//! authors' implementation.
//!
//! Weights: nobody publishes trained weights of every width, and what a network costs under encryption does not depend on its
//! weights. So they are drawn at random, normal with the variance that keeps every value in range (He et al. 2015: 2 / inputs
//! behind a ReLU6; 1 / (inputs x variance) behind a linear layer, whose variance the residual sums add up), and batch
//! normalisation counts as folded: each convolution has a bias. Such a network classifies nothing.

use anyhow::Context;
use graph::ops::{AveragePool, BoundedRelu, Conv, Gemm};
use graph::{Expr, Graph, GraphBuilder, Tensor};

/// Expansion, channels, repeats, stride of the first: \[MNV2\] table 2.
const BLOCKS: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// Classes of ImageNet.
pub(crate) const CLASSES: usize = 1000;

/// Name of the input, `[batch, 3, resolution, resolution]`, elements in [-1, 1].
pub(crate) const INPUT: &str = "image";

/// The network.
pub(crate) fn mobilenet_v2(width: f64, resolution: usize, seed: u64) -> anyhow::Result<Graph> {
    anyhow::ensure!(resolution.is_multiple_of(32) && resolution > 0, "resolution {resolution} is no multiple of 32");
    anyhow::ensure!((0.1..=4.0).contains(&width), "width {width} is not within 0.1 and 4");
    let name = format!("mobilenet_v2_{width}_{resolution}");
    let g = GraphBuilder::new(&name);
    let mut layers = Layers { g: &g, normal: Normal::new(seed) };
    // Pixels are spread over [-1, 1]: variance 1/3.
    let mut x =
        Value { expr: g.input(INPUT, &[3, resolution, resolution]), channels: 3, side: resolution, square: 1.0 / 3.0 };
    x = layers.convolve("stem", x, channels(32.0 * width), 3, 2, false)?;
    let mut number = 0;
    for (expansion, wide, repeats, stride) in BLOCKS {
        for repeat in 0..repeats {
            x = layers.inverted_residual(
                number,
                x,
                expansion,
                channels(wide as f64 * width),
                if repeat == 0 { stride } else { 1 },
            )?;
            number += 1;
        }
    }
    let head = if width > 1.0 { channels(1280.0 * width) } else { 1280 };
    x = layers.convolve("head", x, head, 1, 1, false)?;
    let features = g.apply("pool", AveragePool::new(&[x.side, x.side]), &[x.expr]).flatten();
    let weights = layers.normal.tensor(&[CLASSES, head], 1.0 / head as f64)?;
    let bias = layers.normal.tensor(&[CLASSES], 0.01)?;
    let operands = [features, g.constant("classes/weights", weights), g.constant("classes/bias", bias)];
    let logits = g.apply("logits", Gemm { transposed: true, ..Gemm::default() }, &operands);
    g.finish(&[logits]).with_context(|| name.clone())
}

/// Channels at a width: a multiple of 8, not more than a tenth below what was asked for.
fn channels(wanted: f64) -> usize {
    let rounded = ((wanted + 4.0) as usize / 8 * 8).max(8);
    if (rounded as f64) < 0.9 * wanted { rounded + 8 } else { rounded }
}

/// A value on the way, `[batch, channels, side, side]`.
#[derive(Clone, Copy)]
struct Value<'b> {
    expr: Expr<'b>,
    channels: usize,
    side: usize,
    /// About what the mean square of its elements is.
    square: f64,
}

struct Layers<'b> {
    g: &'b GraphBuilder,
    normal: Normal,
}

impl<'b> Layers<'b> {
    /// Convolution, `size` x `size`, and ReLU6.
    fn convolve(
        &mut self,
        name: &str,
        x: Value<'b>,
        channels: usize,
        size: usize,
        stride: usize,
        depthwise: bool,
    ) -> anyhow::Result<Value<'b>> {
        let y = self.linear(name, x, channels, size, stride, depthwise)?;
        let expr = self.g.apply(&format!("{name}/relu6"), BoundedRelu { max: 6.0 }, &[y.expr]);
        // Half of a standard normal is above 0, and hardly any of it above 6.
        Ok(Value { expr, square: 0.5, ..y })
    }

    fn linear(
        &mut self,
        name: &str,
        x: Value<'b>,
        channels: usize,
        size: usize,
        stride: usize,
        depthwise: bool,
    ) -> anyhow::Result<Value<'b>> {
        let seen = if depthwise { 1 } else { x.channels };
        let variance = 1.0 / ((seen * size * size) as f64 * x.square);
        let weights = self.normal.tensor(&[channels, seen, size, size], variance)?;
        let bias = self.normal.tensor(&[channels], 0.01)?;
        let side = x.side.div_ceil(stride);
        let border = ((side - 1) * stride + size).saturating_sub(x.side);
        let op = Conv::new(2).stride(stride).pad(border / 2, border - border / 2);
        let op = op.groups(if depthwise { channels } else { 1 });
        let weights = self.g.constant(&format!("{name}/weights"), weights);
        let bias = self.g.constant(&format!("{name}/bias"), bias);
        let expr = self.g.apply(name, op, &[x.expr, weights, bias]);
        Ok(Value { expr, channels, side, square: 1.0 })
    }

    fn inverted_residual(
        &mut self,
        number: usize,
        x: Value<'b>,
        expansion: usize,
        channels: usize,
        stride: usize,
    ) -> anyhow::Result<Value<'b>> {
        let block = format!("block{number}");
        let mut y = x;
        if expansion > 1 {
            y = self.convolve(&format!("{block}/expand"), y, expansion * x.channels, 1, 1, false)?;
        }
        y = self.convolve(&format!("{block}/depthwise"), y, y.channels, 3, stride, true)?;
        y = self.linear(&format!("{block}/project"), y, channels, 1, 1, false)?;
        if stride == 1 && x.channels == channels {
            let expr = self.g.apply(&format!("{block}/add"), graph::ops::Add, &[x.expr, y.expr]);
            y = Value { expr, square: x.square + y.square, ..y };
        }
        Ok(y)
    }
}

/// Seeded numbers that are as good as normal: sums of twelve uniform ones, exact on every machine.
struct Normal {
    state: u64,
}

impl Normal {
    fn new(seed: u64) -> Normal {
        Normal { state: seed }
    }

    /// SplitMix64: Steele, Lea and Flood 2014.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Numbers of mean 0, rounded to f32 as a model file would hold them.
    fn tensor(&mut self, dims: &[usize], variance: f64) -> anyhow::Result<Tensor> {
        let deviation = variance.sqrt();
        let data = (0..dims.iter().product())
            .map(|_: usize| {
                let sum: f64 = (0..12).map(|_| (self.next() >> 11) as f64 / (1u64 << 53) as f64).sum();
                f64::from(((sum - 6.0) * deviation) as f32)
            })
            .collect();
        Ok(Tensor::new(dims.to_vec(), data)?)
    }
}

#[cfg(test)]
mod tests {
    use graph::ops::Op;

    use super::*;

    /// Multiply-accumulates of convolutions and dense layers, and the number of weights without biases.
    fn sizes(graph: &Graph) -> (usize, usize) {
        let (mut products, mut weights) = (0, 0);
        for (_, node) in graph.nodes() {
            if matches!(node.op(), Op::Conv(_) | Op::Gemm(_)) {
                let own = graph.shape(node.inputs()[1]).elements_per_image();
                let out = graph.shape(node.output()).per_image();
                products += own * out[1..].iter().product::<usize>();
                weights += own;
            }
        }
        (products, weights)
    }

    #[test]
    fn sizes_are_the_published_ones() {
        // The paper's table 4: 300 million multiply-adds and 3.4 million parameters at width 1 and 224 pixels, 585 million and
        // 6.9 million at width 1.4; 59 million and 1.66 million at width 0.35 in the authors' list of trained networks. Biases and batch
        // normalisations are not among these weights.
        let (products, weights) = sizes(&mobilenet_v2(1.0, 224, 1).unwrap());
        assert_eq!((products, weights), (300_774_272, 3_469_760));
        let (products, weights) = sizes(&mobilenet_v2(1.4, 224, 1).unwrap());
        assert!((580_000_000..590_000_000).contains(&products), "{products}");
        assert!((6_000_000..7_000_000).contains(&weights), "{weights}");
        let (products, weights) = sizes(&mobilenet_v2(0.35, 224, 1).unwrap());
        assert_eq!((products, weights), (59_285_808, 1_662_048));
    }

    #[test]
    fn channels_are_multiples_of_eight() {
        assert_eq!([11.2, 5.6, 8.4, 22.4, 33.6, 56.0, 112.0].map(channels), [16, 8, 8, 24, 32, 56, 112]);
        assert_eq!([44.8, 1792.0].map(channels), [48, 1792]);
    }

    #[test]
    fn values_stay_in_range() {
        let graph = mobilenet_v2(0.35, 96, 7).unwrap();
        let mut normal = Normal::new(3);
        let image = (0..3 * 96 * 96).map(|_| (normal.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0).collect();
        let image = Tensor::new(vec![1, 3, 96, 96], image).unwrap();
        let mut largest = 0.0f64;
        let logits = graph::interpret::run_observed(&graph, &[image], |_, tensor| {
            largest = tensor.data().iter().fold(largest, |m, x| m.max(x.abs()));
        });
        let logits = logits.unwrap().remove(0);
        let spread = logits.data().iter().map(|x| x * x).sum::<f64>() / logits.data().len() as f64;
        assert!(largest < 40.0 && (0.01..4.0).contains(&spread), "largest {largest}, mean square of logits {spread}");
    }

    #[test]
    fn the_same_seed_gives_the_same_network() {
        let [a, b, c] = [1, 1, 2].map(|seed| mobilenet_v2(0.35, 32, seed).unwrap().to_string());
        assert!(a == b && a != c);
        assert!(mobilenet_v2(1.0, 100, 1).is_err() && mobilenet_v2(9.0, 96, 1).is_err());
    }
}
