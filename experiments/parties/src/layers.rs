//! What the compiler said of a program, layer by layer and operation by operation, with what travels for each layer.

use he_ir::{HeProgram, Op};
use report::Step;
use serde::{Deserialize, Serialize};
use transforms::explain::Explain;

/// A layer of the model: what its operations are and what travels for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the keys of a record, as in `Record`")]
pub struct Layer {
    pub name: String,
    pub operations: Vec<String>,
    /// Ciphertexts of what it computes.
    pub ciphertexts: usize,
    pub component_count: usize,
    pub level: usize,
    pub log_scale: f64,
    /// Bound on the magnitude of its values, and where the bound comes from.
    pub magnitude: f64,
    pub range_from: String,
    /// Bound on their error.
    pub error_bound: f64,
    /// Server time of a batch, forecast.
    pub forecast_seconds: f64,
    /// Requests that the client answers for it, a batch.
    pub requests: u64,
    /// Ciphertexts that go to the client, and come back.
    pub ciphertexts_down: usize,
    pub ciphertexts_up: usize,
    /// What they take at least, a batch: two polynomials down, one up, log2 of the modulus to a coefficient.
    pub bytes_down: f64,
    pub bytes_up: f64,
}

/// The layers of a program: runs of operations that come from the same layer. `requests` counts those for a node.
pub(crate) fn layers(program: &HeProgram, explain: &Explain, requests: impl Fn(usize) -> u64) -> Vec<Layer> {
    let images = explain.slots as f64;
    let client = explain.client.as_ref();
    // Bytes of the refreshes are told one by one; what remains is that of inputs, and of outputs.
    let of_refreshes = |bytes: fn(&transforms::explain::ClientLayer) -> u64| {
        client.map_or(0.0, |part| part.layers.iter().map(bytes).sum::<u64>() as f64)
    };
    let up = client.map_or(0.0, |part| part.bytes_up_per_image * images) - of_refreshes(|layer| layer.bytes_up);
    let down = client.map_or(0.0, |part| part.bytes_down_per_image * images) - of_refreshes(|layer| layer.bytes_down);
    let mut refreshes = client.map(|part| part.layers.iter()).into_iter().flatten();

    let mut layers: Vec<Layer> = Vec::new();
    for (index, node) in program.nodes().iter().enumerate() {
        let value = node.value();
        let (verb, name) = match node.op() {
            Op::Input { name } => ("input", name.as_str()),
            op => (op.verb(), node.source()),
        };
        if layers.last().is_none_or(|last| last.name != name) {
            layers.push(Layer { name: name.to_owned(), ..Layer::default() });
        }
        let Some(layer) = layers.last_mut() else { continue };
        layer.operations.push(verb.to_owned());
        layer.ciphertexts = value.elements();
        layer.component_count = value.component_count;
        layer.level = usize::from(value.level.get());
        layer.log_scale = value.scale.log2();
        layer.requests += requests(index);
        match node.op() {
            Op::Input { .. } => {
                layer.ciphertexts_up += value.elements();
                // Experiments have one input.
                layer.bytes_up += up;
            }
            Op::Refresh { .. } => {
                let Some(refresh) = refreshes.next() else { continue };
                layer.ciphertexts_down += refresh.values_down;
                layer.ciphertexts_up += refresh.values_up;
                layer.bytes_down += refresh.bytes_down as f64;
                layer.bytes_up += refresh.bytes_up as f64;
            }
            _ => {}
        }
    }
    if let Some(last) = layers.last_mut() {
        last.ciphertexts_down += last.ciphertexts;
        last.bytes_down += down;
    }
    for (layer, known) in layers.iter_mut().zip(&explain.layers) {
        layer.magnitude = known.magnitude;
        layer.range_from.clone_from(&known.range_source);
        layer.error_bound = known.error_bound;
        layer.forecast_seconds = known.seconds;
    }
    layers
}

/// The operations of a program, with forecasts in place of times.
pub(crate) fn steps(explain: &Explain) -> Vec<Step> {
    let step = |operation: &transforms::explain::Operation| Step {
        verb: operation.verb.to_owned(),
        layer: operation.layer.clone(),
        seconds: operation.seconds,
        level: operation.primes.saturating_sub(1),
        log_scale: operation.log_scale,
        component_count: operation.components,
        ciphertexts: operation.ciphertexts,
    };
    explain.operations.iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use graph::{GraphBuilder, Tensor};
    use transforms::ranges::Interval;
    use transforms::{CompileOptions, compile};

    use super::*;

    #[test]
    fn bytes_of_layers_are_those_that_the_compiler_counts() {
        let g = GraphBuilder::new("two layers");
        let x = g.input("x", &[3]);
        let weights = g.constant("weights", Tensor::new(vec![3, 2], vec![0.5; 6]).unwrap());
        let hidden = g.apply("dense", graph::ops::MatMul, &[x, weights]);
        let active = g.apply("relu", graph::ops::Relu, &[hidden]);
        let graph = g.finish(&[active]).unwrap();
        let mut options = CompileOptions::new(64);
        options.input_ranges.insert("x".to_owned(), Interval::new(-1.0, 1.0));
        let compiled = compile(&graph, &options).unwrap();
        let found = layers(&compiled.program, &compiled.explain, |node| node as u64 * 100);
        let client = compiled.explain.client.as_ref().unwrap();
        let (up, down) = found.iter().fold((0.0, 0.0), |(u, d), layer| (u + layer.bytes_up, d + layer.bytes_down));
        let images = compiled.explain.slots as f64;
        assert!((up - client.bytes_up_per_image * images).abs() < 1e-6 * up, "{up}");
        assert!((down - client.bytes_down_per_image * images).abs() < 1e-6 * down, "{down}");
        // Three inputs up; two values down, two up, and those are the outputs.
        assert_eq!((found[0].name.as_str(), found[0].ciphertexts_up, found[0].ciphertexts_down), ("x", 3, 0));
        assert!(found[0].bytes_up > 0.0);
        let last = found.last().unwrap();
        assert_eq!((last.ciphertexts_down, last.ciphertexts_up), (4, 2));
        assert!(last.bytes_up > 0.0 && last.bytes_down > last.bytes_up, "{last:?}");
        assert_eq!(found.iter().map(|l| l.requests).sum::<u64>() % 100, 0);
        assert_eq!(steps(&compiled.explain).len(), compiled.program.nodes().len());
    }
}
