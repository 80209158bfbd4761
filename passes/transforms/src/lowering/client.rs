//! What only the key owner can compute: non-linear functions, as a function and the elements that meet in it.

use graph::ops::Op;
use graph::{Graph, Node};
use he_ir::{ClientFunction, RefreshGroup};

use crate::affine::{along, per_image};

/// A function of the key owner and the elements that meet in it; without groups, result i comes from element i.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientGate {
    /// What is computed.
    pub function: ClientFunction,
    /// Which elements meet; those of a second operand count on behind those of the first.
    pub groups: Option<Vec<RefreshGroup>>,
}

impl ClientGate {
    /// A function of each element.
    pub fn elementwise(function: ClientFunction) -> ClientGate {
        ClientGate { function, groups: None }
    }

    /// The function of one image, operands one behind the other.
    pub fn evaluate(&self, x: &[f64], results: usize) -> Vec<f64> {
        let Some(groups) = &self.groups else {
            let mut out = x.to_vec();
            self.function.apply_assign(&mut out);
            return out;
        };
        let mut out = vec![0.0; results];
        for group in groups {
            let inputs: Vec<[f64; 1]> = group.inputs.iter().map(|&i| [x[i as usize]]).collect();
            let mut outputs = vec![[0.0]; group.outputs.len()];
            let rows: Vec<&[f64]> = inputs.iter().map(|x| &x[..]).collect();
            self.function.apply_group(&rows, &mut outputs.iter_mut().map(|x| &mut x[..]).collect::<Vec<_>>());
            group.outputs.iter().zip(&outputs).for_each(|(&o, x)| out[o as usize] = x[0]);
        }
        out
    }
}

/// The gate of a node that has one; the reason where the node's operation has one and this node has not. `encrypted` says how many of its
/// operands are encrypted, `squares_for_client` whether the key owner squares if this is a square.
pub(super) fn client_gate(
    graph: &Graph,
    node: &Node,
    encrypted: usize,
    squares_for_client: bool,
) -> Result<Option<ClientGate>, String> {
    use ClientFunction as F;
    let shape = |i: usize| graph.shape(node.inputs()[i]);
    let input = || shape(0).per_image();
    let elementwise = |function| Ok(Some(ClientGate::elementwise(function)));
    let grouped = |function, groups| Ok(Some(ClientGate { function, groups: Some(groups) }));
    let pairs = || {
        // Both have the shape of the result by now.
        let elements = graph.shape(node.output()).elements_per_image() as u32;
        (0..elements).map(|i| RefreshGroup { inputs: vec![i, i + elements], outputs: vec![i] }).collect()
    };
    match node.op() {
        Op::Relu(_) => elementwise(F::Relu),
        Op::BoundedRelu(op) => elementwise(F::BoundedRelu { max: op.max }),
        Op::LeakyRelu(op) => elementwise(F::LeakyRelu { alpha: op.alpha }),
        // Others were written as a ReLU by `client_forms`.
        Op::Clip(op) => match (op.min, op.max) {
            (None, None) => elementwise(F::Identity),
            (min, max) => Err(format!("clips from {min:?} to {max:?}, expected a lower bound below the upper one")),
        },
        Op::Sigmoid(_) => elementwise(F::Sigmoid),
        Op::Tanh(_) => elementwise(F::Tanh),
        Op::Exp(_) => elementwise(F::Exp),
        Op::Mul(_) if squares_for_client && encrypted == 2 && node.inputs()[0] == node.inputs()[1] => {
            elementwise(F::Power { exponent: 2.0 })
        }
        Op::Pow(_) => match graph.constant(node.inputs()[1]).map(|c| c.data()) {
            // A square is a product of ciphertexts unless the key owner is to compute it.
            Some(&[2.0]) if !squares_for_client => Ok(None),
            Some(&[exponent]) => elementwise(F::Power { exponent }),
            _ => Err("the client raises to one constant power only".into()),
        },
        Op::Div(_) if encrypted == 2 => grouped(F::Divide, pairs()),
        Op::Max(_) if encrypted == 2 => grouped(F::Max, pairs()),
        Op::MaxPool(op) => {
            let input = input();
            let (channels, spatial) = (input[0], &input[1..]);
            let pixels: usize = spatial.iter().product();
            let positions: usize = graph.shape(node.output()).per_image()[1..].iter().product();
            let mut groups = Vec::with_capacity(channels * positions);
            let visited = op.window.for_each_position(spatial, |position, taps| {
                groups.extend((0..channels).map(|channel| RefreshGroup {
                    inputs: taps.iter().map(|tap| (channel * pixels + tap.input) as u32).collect(),
                    outputs: vec![(channel * positions + position) as u32],
                }));
            });
            visited.map_err(|error| error.to_string())?;
            grouped(F::Max, groups)
        }
        Op::ReduceMax(op) => {
            grouped(F::Max, numbered(along(&input(), &per_image(&op.axes)).into_iter(), |_, result| vec![result]))
        }
        Op::ArgMax(op) if !op.last => {
            grouped(F::ArgMax, numbered(along(&input(), &per_image(&[op.axis])).into_iter(), |_, result| vec![result]))
        }
        Op::ArgMax(_) => Err("the client takes the first of equals".into()),
        Op::Softmax(op) => {
            let together = along(&input(), &per_image(&op.axes));
            grouped(F::Softmax, numbered(together.into_iter(), |inputs, _| inputs.to_vec()))
        }
        _ => Ok(None),
    }
}

fn numbered(sets: impl Iterator<Item = Vec<u32>>, outputs: impl Fn(&[u32], u32) -> Vec<u32>) -> Vec<RefreshGroup> {
    let group = |(result, inputs): (u32, Vec<u32>)| RefreshGroup { outputs: outputs(&inputs, result), inputs };
    (0..).zip(sets).map(group).collect()
}
