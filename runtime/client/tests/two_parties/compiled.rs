//! Networks as the compiler makes them, through both parties: results against the interpreter, and what the client is shown on the way.

use std::collections::BTreeMap;
use std::convert::Infallible;

use execute::StreamOptions;
use graph::ops::{AveragePool, BoundedRelu, Conv, LeakyRelu, Relu, Sigmoid};
use graph::{Expr, Graph, GraphBuilder, Tensor, interpret};
use he_ir::{ClientFunction, Packing};
use he_params::RequiredSecurity;
use protocol::program_digest;
use server::{Model, ModelOptions};
use transforms::ranges::Interval;
use transforms::{Activation, Activations, CompileOptions, Compiled, compile, replay_masked};

use crate::networks::numbers;
use crate::party::{Models, Setup};
use crate::results::largest_error;
use crate::watcher::{Shown, Watcher};

/// Less than the first layer of [`channels`] has, more than its second.
const TILE: usize = 40;

fn weights<'b>(g: &'b GraphBuilder, name: &str, dims: &[usize], seed: u64, factor: f64) -> Expr<'b> {
    let data = numbers(dims.iter().product(), seed).iter().map(|w| w * factor).collect();
    g.constant(name, Tensor::new(dims.to_vec(), data).unwrap())
}

/// Convolution to three channels of 6x6, ReLU, dense, leaky ReLU, dense.
fn channels() -> Graph {
    let g = GraphBuilder::new("channels");
    let conv = Conv { pads: vec![[1, 1], [1, 1]], ..Conv::new(2) };
    let y = g.input("image", &[1, 6, 6]).conv(conv, weights(&g, "k", &[3, 1, 3, 3], 1, 0.5));
    let y = g.apply("relu", Relu, &[y]).flatten().matmul(weights(&g, "w", &[108, 5], 2, 0.3));
    let y = g.apply("leaky", LeakyRelu { alpha: 0.1 }, &[y]);
    g.finish(&[y.matmul(weights(&g, "v", &[5, 3], 3, 0.7))]).unwrap()
}

/// Dense, ReLU, dense, sigmoid, dense.
fn dense() -> Graph {
    let g = GraphBuilder::new("dense");
    let y = g.input("image", &[6]).matmul(weights(&g, "w1", &[6, 5], 1, 0.5));
    let y = g.apply("relu", Relu, &[y]).matmul(weights(&g, "w2", &[5, 4], 2, 0.5));
    let y = g.apply("sigmoid", Sigmoid, &[y]);
    g.finish(&[y.matmul(weights(&g, "w3", &[4, 2], 3, 0.5))]).unwrap()
}

/// A convolution in two groups, an inverted residual as in MobileNetV2 (expanded, channel by channel, projected, added to what it came from), the mean.
fn residual() -> Graph {
    let g = GraphBuilder::new("residual");
    let padded = |groups| Conv { pads: vec![[1, 1], [1, 1]], groups, ..Conv::new(2) };
    let relu6 = |name: &str, x| g.apply(name, BoundedRelu { max: 6.0 }, &[x]);
    let x = g.input("image", &[4, 4, 4]);
    let x = relu6("stem", x.conv(padded(2), weights(&g, "s", &[4, 2, 3, 3], 1, 4.0)));
    let y = relu6("expanded", x.conv(Conv::new(2), weights(&g, "e", &[6, 4, 1, 1], 2, 1.0)));
    let y = relu6("depthwise", y.conv(padded(6), weights(&g, "d", &[6, 1, 3, 3], 3, 1.0)));
    let y = y.conv(Conv::new(2), weights(&g, "p", &[4, 6, 1, 1], 4, 0.5)) + x;
    let y = relu6("head", y.conv(Conv::new(2), weights(&g, "h", &[3, 4, 1, 1], 5, 1.0)));
    g.finish(&[y.average_pool(AveragePool::new(&[4, 4])).flatten()]).unwrap()
}

/// A network, and what is chosen for it.
struct Subject {
    name: &'static str,
    graph: Graph,
    activations: Activations,
    masked: bool,
}

impl Subject {
    fn masked() -> Self {
        Self { name: "masked", graph: channels(), activations: Activations::default(), masked: true }
    }

    fn plain() -> Self {
        Self { name: "plain", masked: false, ..Self::masked() }
    }

    fn polynomial() -> Self {
        let activations = Activations { default: Some(Activation::Polynomial), ..Activations::default() };
        Self { name: "polynomial", graph: dense(), activations, masked: false }
    }

    fn mixed() -> Self {
        let nodes = [("relu".to_owned(), Activation::Polynomial)].into();
        Self { name: "mixed", graph: dense(), activations: Activations { default: None, nodes }, masked: false }
    }

    fn residual() -> Self {
        Self { name: "residual", graph: residual(), activations: Activations::default(), masked: false }
    }

    fn images(&self, count: usize, seed: u64) -> Tensor {
        let dims = self.graph.shape(self.graph.inputs()[0]).with_batch(count);
        let data = numbers(dims.iter().product(), seed);
        Tensor::new(dims, data).unwrap()
    }

    fn compile(&self) -> Compiled {
        let mut options = CompileOptions::new(64);
        options.security = RequiredSecurity::Insecure;
        options.input_ranges.insert("image".into(), Interval::new(-1.0, 1.0));
        options.calibration = vec![self.images(32, 7)];
        options.activations = self.activations.clone();
        options.mask_channels = self.masked;
        compile(&self.graph, &options).unwrap()
    }

    fn model(&self) -> Model {
        let Compiled { program, params, chain, choices, .. } = self.compile();
        // With it no factor is near 1, and no order is the model's.
        let mut state = 5u64;
        let random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            Ok::<u64, Infallible>(state ^ state >> 29)
        };
        let masked = self.masked.then(|| replay_masked(&self.graph, &chain, &choices, TILE, random).unwrap());
        let tiles = StreamOptions { tile_values: TILE, in_flight: 2 };
        Model::new(self.name, &program, params, ModelOptions { masked, tiles, ..ModelOptions::default() }).unwrap()
    }

    /// Through both parties: what comes back is what the interpreter says, within the error that the compiler promised.
    async fn check(&self, images: &Tensor) -> (Compiled, Vec<Shown>) {
        let party = Setup { tls: false, models: Models::Compiled, ..Setup::new() }.start();
        let watcher = Watcher::start(&party).await;
        let model = watcher.client.describe(self.name).await.unwrap();
        let compiled = self.compile();
        assert_eq!(model.program, program_digest(&compiled.program, &compiled.params).unwrap());
        let (found, shown) = watcher.infer(&model, images.data()).await;
        let mut chosen = self.graph.clone();
        compiled.choices.apply(&mut chosen).unwrap();
        let expected = evaluate(&chosen, images);
        let reach = expected.iter().fold(0.0f64, |most, y| most.max(y.abs()));
        let (error, bound) = (largest_error(&found, &expected), compiled.explain.layers.last().unwrap().error_bound);
        println!("{}: largest error {error:.1e}, promised {bound:.1e} of {reach:.2}", self.name);
        assert!(error < bound && bound < 0.01 * reach, "largest error {error}, promised {bound} of {reach}");
        // A polynomial is not the function that it stands in for.
        let exact = largest_error(&expected, &evaluate(&self.graph, images));
        assert_eq!(exact > bound, !compiled.choices.polynomials.is_empty(), "{exact}");
        (compiled, shown)
    }

    /// What a node of the network reads: a row per element, one number per image.
    fn read_by(&self, node: &str, images: &Tensor) -> Vec<Vec<f64>> {
        let (_, node) = self.graph.nodes().find(|(_, n)| n.name() == node).unwrap();
        let mut rows = Vec::new();
        interpret::run_observed(&self.graph, std::slice::from_ref(images), |id, value| {
            if id == node.inputs()[0] {
                let elements = value.data().len() / value.dims()[0];
                rows =
                    (0..elements).map(|e| value.data().iter().skip(e).step_by(elements).copied().collect()).collect();
            }
        })
        .unwrap();
        rows
    }
}

fn evaluate(graph: &Graph, images: &Tensor) -> Vec<f64> {
    interpret::run(graph, std::slice::from_ref(images)).unwrap()[0].data().to_vec()
}

/// The models of the server's side.
pub(crate) fn models() -> Vec<Model> {
    [Subject::masked(), Subject::plain(), Subject::polynomial(), Subject::mixed(), Subject::residual()]
        .iter()
        .map(Subject::model)
        .collect()
}

/// All rows that the client was shown for a function.
fn rows(shown: &[Shown], function: ClientFunction) -> Vec<Vec<f64>> {
    shown.iter().filter(|tile| tile.function == function).flat_map(|tile| tile.rows.iter().cloned()).collect()
}

/// Of each row that was shown, the element of the model that it is a multiple of, and the factor.
fn origins(shown: &[Vec<f64>], model: &[Vec<f64>]) -> Vec<(usize, f64)> {
    let origin = |shown: &Vec<f64>| {
        let of = |(element, model): (usize, &Vec<f64>)| {
            let product = |x: &[f64]| -> f64 { x.iter().zip(model).map(|(x, y)| x * y).sum() };
            let factor = product(shown) / product(model);
            let multiple: Vec<f64> = model.iter().map(|x| factor * x).collect();
            (factor > 0.0 && largest_error(shown, &multiple) < 5e-3).then_some((element, factor))
        };
        let found: Vec<(usize, f64)> = model.iter().enumerate().filter_map(of).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]
    };
    shown.iter().map(origin).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_shows_the_client_other_numbers_in_another_order() {
    let (masked, plain) = (Subject::masked(), Subject::plain());
    let images = masked.images(16, 11);
    let (masked, plain) = (masked.check(&images).await.1, plain.check(&images).await.1);
    // A layer of several tiles is reordered channel by channel, one of a single tile element by element.
    let leaky = ClientFunction::LeakyRelu { alpha: 0.1 };
    for (function, node, channels, pixels) in [(ClientFunction::Relu, "relu", 3, 36), (leaky, "leaky", 5, 1)] {
        let model = Subject::plain().read_by(node, &images);
        let [masked, plain] = [&masked, &plain].map(|shown| origins(&rows(shown, function), &model));
        assert_eq!((masked.len(), plain.len()), (channels * pixels, channels * pixels));
        assert!(plain.iter().all(|(_, factor)| (factor - 1.0).abs() < 0.01), "{plain:?}");
        // Which channel stands in the place of each, and its factor.
        let mut stands = BTreeMap::new();
        for (&(element, factor), &(own, _)) in masked.iter().zip(&plain) {
            let (channel, of_channel) = *stands.entry(own / pixels).or_insert((element / pixels, factor));
            assert_eq!((element / pixels, element % pixels), (channel, own % pixels));
            assert!((factor / of_channel - 1.0).abs() < 0.01, "{factor}, {of_channel}");
        }
        let (mut order, factors): (Vec<usize>, Vec<f64>) = stands.into_values().unzip();
        assert!(factors.iter().all(|f| (0.49..2.01).contains(f) && (f - 1.0).abs() > 0.02), "{factors:?}");
        assert!(!order.is_sorted(), "{order:?}");
        order.sort_unstable();
        assert_eq!(order, (0..channels).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polynomials_show_the_client_nothing() {
    let subject = Subject::polynomial();
    let images = subject.images(64, 11);
    let (compiled, shown) = subject.check(&images).await;
    assert_eq!(shown.len(), 0);
    assert_eq!(compiled.choices.polynomials.keys().collect::<Vec<_>>(), ["relu", "sigmoid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_polynomial_before_a_function_of_the_client() {
    let subject = Subject::mixed();
    let images = subject.images(64, 11);
    let (compiled, shown) = subject.check(&images).await;
    assert_eq!(compiled.choices.polynomials.keys().collect::<Vec<_>>(), ["relu"]);
    assert_eq!(shown.iter().map(|tile| tile.function).collect::<Vec<_>>(), [ClientFunction::Sigmoid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inverted_residual_two_images_to_a_slot() {
    let subject = Subject::residual();
    let images = subject.images(subject.compile().params.slots() + 3, 11);
    let (compiled, shown) = subject.check(&images).await;
    assert_eq!(compiled.program.packing(), Packing::Complex);
    // Both bounds of the function are met.
    let read = rows(&shown, ClientFunction::BoundedRelu { max: 6.0 }).concat();
    assert!(read.iter().any(|x| *x > 7.0) && read.iter().any(|x| *x < -1.0));
}
