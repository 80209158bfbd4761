//! The layers of a program: what they took, what the compiler said of them, and what travels for each.

use he_ir::{HeProgram, Op};
use report::Step;
use serde::{Deserialize, Serialize};
use transforms::explain::{ClientLayer, Explain};

/// A layer of the model: what its operations are and what travels for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of a record, as in `Record`")]
pub struct Layer {
    #[serde(flatten)]
    pub computed: report::Layer,
    /// The rounds in which it asks the client, from 1; none of most layers, and of inputs, which are asked for before the first.
    pub rounds: Vec<usize>,
    /// Requests that the client answers for it, a batch.
    pub requests: u64,
    /// Ciphertexts that go to the client, and come back.
    pub ciphertexts_down: usize,
    pub ciphertexts_up: usize,
    /// What they take at least, a batch: two polynomials down, one up, log2 of the modulus to a coefficient.
    pub bytes_down: f64,
    pub bytes_up: f64,
}

/// What the inputs of a batch take at least on their way up, and the outputs on their way down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ends {
    pub(crate) input_bytes: f64,
    pub(crate) output_bytes: f64,
}

impl Ends {
    /// Bytes of the refreshes are told one by one; what remains of the sums is that of inputs, and of outputs.
    pub(crate) fn of(explain: &Explain) -> Ends {
        let Some(client) = &explain.client else { return Ends::default() };
        let images = explain.slots as f64;
        let refreshes = |bytes: fn(&ClientLayer) -> u64| client.layers.iter().map(bytes).sum::<u64>() as f64;
        Ends {
            input_bytes: client.bytes_up_per_image * images - refreshes(|layer| layer.bytes_up),
            output_bytes: client.bytes_down_per_image * images - refreshes(|layer| layer.bytes_down),
        }
    }
}

/// The layers of a program, given its operations with their times, and the requests of each.
pub(crate) fn layers(program: &HeProgram, explain: &Explain, steps: &[Step], requests: &[u64]) -> Vec<Layer> {
    let ends = Ends::of(explain);
    let mut refreshes = explain.client.iter().flat_map(|part| &part.layers);
    let mut nodes = program.nodes().iter().zip(requests);
    let gathered = report::gather(steps, &explain.layers).into_iter();
    let mut layers: Vec<Layer> = gathered.map(|computed| Layer { computed, ..Layer::default() }).collect();
    for layer in &mut layers {
        for (node, requests) in nodes.by_ref().take(layer.computed.operations.len()) {
            layer.requests += requests;
            match node.op() {
                Op::Input { .. } => {
                    layer.ciphertexts_up += node.value().elements();
                    // Experiments have one input.
                    layer.bytes_up += ends.input_bytes;
                }
                Op::Refresh { .. } => {
                    let Some(refresh) = refreshes.next() else { continue };
                    layer.rounds.push(refresh.round);
                    layer.ciphertexts_down += refresh.values_down;
                    layer.ciphertexts_up += refresh.values_up;
                    layer.bytes_down += refresh.bytes_down as f64;
                    layer.bytes_up += refresh.bytes_up as f64;
                }
                _ => {}
            }
        }
    }
    if let Some(last) = layers.last_mut() {
        last.ciphertexts_down += last.computed.ciphertexts;
        last.bytes_down += ends.output_bytes;
    }
    layers
}

#[cfg(test)]
mod tests {
    use graph::{GraphBuilder, Tensor};
    use transforms::ranges::Interval;
    use transforms::{CompileOptions, compile};

    use super::*;

    #[test]
    fn layers_hold_what_the_compiler_counts_and_what_each_operation_took() {
        let g = GraphBuilder::new("two layers");
        let x = g.input("x", &[3]);
        let weights = g.constant("weights", Tensor::new(vec![3, 2], vec![0.5; 6]).unwrap());
        let hidden = g.apply("dense", graph::ops::MatMul, &[x, weights]);
        let active = g.apply("relu", graph::ops::Relu, &[hidden]);
        let graph = g.finish(&[active]).unwrap();
        let mut options = CompileOptions::new(64);
        options.input_ranges.insert("x".to_owned(), Interval::new(-1.0, 1.0));
        let compiled = compile(&graph, &options).unwrap();
        let count = compiled.program.nodes().len();
        // Numbers that no two sums of neighbours share.
        let seconds: Vec<f64> = (0..count).map(|node| f64::from(1 << node)).collect();
        let requests: Vec<u64> = (0..count as u64).map(|node| 100 * node).collect();
        let nodes = compiled.program.nodes().iter().zip(&seconds);
        let steps: Vec<Step> = nodes.map(|(node, &seconds)| Step::of(node, seconds)).collect();
        let found = layers(&compiled.program, &compiled.explain, &steps, &requests);
        let client = compiled.explain.client.as_ref().unwrap();
        let (up, down) = found.iter().fold((0.0, 0.0), |(u, d), layer| (u + layer.bytes_up, d + layer.bytes_down));
        let images = compiled.explain.slots as f64;
        assert!((up - client.bytes_up_per_image * images).abs() < 1e-6 * up, "{up}");
        assert!((down - client.bytes_down_per_image * images).abs() < 1e-6 * down, "{down}");
        // Three inputs up; two values down, two up, and those are the outputs.
        let (first, last) = (&found[0], found.last().unwrap());
        assert_eq!((first.computed.name.as_str(), first.ciphertexts_up, first.ciphertexts_down), ("x", 3, 0));
        assert!(first.bytes_up > 0.0 && first.rounds.is_empty());
        assert_eq!((last.computed.name.as_str(), last.ciphertexts_down, last.ciphertexts_up), ("relu", 4, 2));
        assert!(last.bytes_up > 0.0 && last.bytes_down > last.bytes_up, "{last:?}");
        assert_eq!((last.rounds.as_slice(), client.rounds), (&[1][..], 1));
        let mut node = 0;
        for layer in &found {
            let own = node..node + layer.computed.operations.len();
            node = own.end;
            assert_eq!(layer.computed.seconds, own.clone().map(|node| seconds[node]).sum::<f64>(), "{layer:?}");
            assert_eq!(layer.requests, own.map(|node| requests[node]).sum::<u64>(), "{layer:?}");
        }
        assert_eq!(node, count);
    }
}
