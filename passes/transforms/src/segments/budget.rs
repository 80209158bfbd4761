//! How errors add up along a circuit of segments, before any prime is chosen.
//!
//! Three things err: fresh ciphertexts at scale `D`, weights rounded at scale `W`, and the rescale that brings a sum to scale `S`. Errors are taken as
//! independent, so the variance of an output is `A / D^2 + B / W^2 + C / S^2`, and one walk through the circuit gives A, B and C of every
//! output. A function of the key owner passes an error on with its
//! largest slope, a ReLU as often as it is open; a quotient passes relative errors on.

use he_ir::{ClientFunction, RefreshGroup};
use he_params::noise::{NoiseModel, slot_bound_stds};

use crate::lowering::{Circuit, Gate};
use crate::ranges::ValueRange;

/// The least part of a ReLU's numbers that is taken to come through: samples may be few.
const LEAST_OPEN: f64 = 1.0 / 16.0;

/// Variance of one slot in units of the message, by what makes it: fresh ciphertexts, weights, rescales.
pub(crate) type Shares = [f64; 3];

/// What errs in a circuit of segments, and where values have to fit.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// For each output element the shares, and the square of the magnitude that precision is measured against.
    pub(crate) outputs: Vec<(Shares, f64)>,
    /// Largest magnitude of a value at level 0.
    pub(crate) settled: f64,
    /// Largest magnitude of a fresh value at level 1.
    pub(crate) fresh: f64,
    /// Largest weight.
    pub(crate) weight: f64,
    /// Standard deviations that bound an error.
    pub(crate) bound_stds: f64,
}

impl Budget {
    /// One walk through a circuit of depth 1.
    pub(crate) fn of(circuit: &Circuit, ranges: &[ValueRange], model: &NoiseModel) -> Budget {
        let shape = model.shape();
        let fresh = model.encoding().plus(model.symmetric_encryption()).slot_std(shape).powi(2);
        let rescale = model.rounding(2).slot_std(shape).powi(2);
        let required = circuit.required_levels();
        let mut table: Vec<Vec<Shares>> = Vec::with_capacity(circuit.nodes.len());
        for (index, node) in circuit.nodes.iter().enumerate() {
            // A sum at level 0 reads what stands above it through one more rescale.
            let operand = |i: usize| {
                let x = node.operands[i];
                let down = if required[x] > node.gate.operand_level(required[index]) {
                    rescale * ranges[x].factor.powi(2)
                } else {
                    0.0
                };
                table[x].iter().map(move |[a, b, c]| [*a, *b, c + down])
            };
            // As [`crate::precision`] counts factors of a mask.
            let own = ranges[index].factor.powi(2);
            let (rescale, fresh) = (rescale * own, fresh * own);
            let made = if required[index] > 0 { [fresh, 0.0, 0.0] } else { [0.0, 0.0, fresh] };
            let shares: Vec<Shares> = match &node.gate {
                Gate::Input { .. } => vec![made; node.elements()],
                Gate::Linear(map) => {
                    let (x, squares) = (&table[node.operands[0]], &ranges[node.operands[0]].squares);
                    let rounding = own * ranges[node.operands[0]].factor.powi(2) / 12.0;
                    let mut sums = vec![[0.0, 0.0, rescale]; node.elements()];
                    for group in map.groups() {
                        let block = map.block(group);
                        for (row, &output) in group.outputs.iter().enumerate() {
                            let sum = &mut sums[output as usize];
                            for (w, &i) in block.row(row).iter().zip(&group.inputs).filter(|(w, _)| **w != 0.0) {
                                let x = &x[i as usize];
                                (0..3).for_each(|k| sum[k] += w * w * x[k]);
                                sum[1] += squares[i as usize] * rounding;
                            }
                        }
                    }
                    sums
                }
                Gate::Add | Gate::Sub => operand(0).zip(operand(1)).map(|(x, y)| plus(x, y)).collect(),
                Gate::Gather(indices) => {
                    let x: Vec<Shares> = operand(0).collect();
                    indices.iter().map(|&i| x[i as usize]).collect()
                }
                Gate::Client(client) => {
                    let x: Vec<Shares> = (0..node.operands.len()).flat_map(&operand).collect();
                    let squares = node.operands.iter().flat_map(|&x| &ranges[x].squares).copied().collect::<Vec<_>>();
                    let magnitude = node.operands.iter().map(|&x| ranges[x].magnitude).fold(0.0, f64::max);
                    let groups = client.groups.as_deref();
                    let passed = pass_on(client.function, groups, &x, &squares, magnitude, &ranges[index].squares);
                    passed.into_iter().map(|x| plus(x, made)).collect()
                }
                _ => operand(0).collect(),
            };
            table.push(shares);
        }
        let largest = |level: usize| {
            let there = required.iter().zip(ranges).filter(|(at, _)| **at == level);
            there.map(|(_, range)| range.magnitude).fold(0.0, f64::max)
        };
        let weights = circuit.nodes.iter().enumerate().filter_map(|(index, node)| match &node.gate {
            Gate::Linear(map) => {
                let masked = ranges[index].factor * ranges[node.operands[0]].factor;
                Some(map.blocks().iter().flat_map(|b| b.weights()).fold(0.0, |m: f64, w| w.abs().max(m)) * masked)
            }
            _ => None,
        });
        // What a sum reads from above is brought down too.
        let brought = circuit.nodes.iter().flat_map(|node| &node.operands).filter(|&&x| required[x] > 0);
        let sums = circuit.nodes.iter().any(|n| matches!(n.gate, Gate::Add | Gate::Sub));
        let brought = brought.filter(|_| sums).map(|&x| ranges[x].magnitude).fold(0.0, f64::max);
        let outputs = circuit.outputs.iter().flat_map(|&(_, i)| {
            let typical = ranges[i].typical().powi(2);
            table[i].iter().map(move |shares| (*shares, typical)).collect::<Vec<_>>()
        });
        Budget {
            outputs: outputs.collect(),
            settled: largest(0).max(brought),
            fresh: largest(1),
            weight: weights.fold(1.0, f64::max),
            bound_stds: slot_bound_stds(shape.ring_type()),
        }
    }

    /// Bits between an output and the bound on its error, the worst of all outputs, at these scales.
    pub(crate) fn precision_bits(&self, fresh: f64, weights: f64, settled: f64) -> f64 {
        let inverse = [fresh, weights, settled].map(|scale| 1.0 / (scale * scale));
        let worst = self.outputs.iter().map(|(shares, typical)| {
            (0..3).map(|k| shares[k] * inverse[k]).sum::<f64>() / typical.max(f64::MIN_POSITIVE)
        });
        -0.5 * worst.fold(f64::MIN_POSITIVE, f64::max).log2() - self.bound_stds.log2()
    }
}

fn plus(x: Shares, y: Shares) -> Shares {
    [x[0] + y[0], x[1] + y[1], x[2] + y[2]]
}

/// The square of the largest slope of a function of one number, on numbers up to `magnitude`.
fn steepest(function: ClientFunction, magnitude: f64) -> f64 {
    use ClientFunction as F;
    match function {
        F::LeakyRelu { alpha } => alpha.abs().max(1.0).powi(2),
        F::Sigmoid => 1.0 / 16.0,
        F::Exp => (2.0 * magnitude).exp(),
        F::Power { exponent } => (exponent * magnitude.powf(exponent - 1.0)).powi(2),
        F::ArgMax => 0.0,
        _ => 1.0,
    }
}

/// The mean square of the slopes that errors meet: of a ReLU, the part of mean squares that comes through, over the whole layer, since that is
/// about how often it is open; of all others the steepest.
fn slope(function: ClientFunction, magnitude: f64, squares: &[f64], results: &[f64]) -> f64 {
    let steepest = steepest(function, magnitude);
    match function {
        ClientFunction::Relu | ClientFunction::BoundedRelu { .. } => {
            let [before, after] = [squares, results].map(|squares| squares.iter().sum::<f64>());
            if before > 0.0 { (after / before).clamp(LEAST_OPEN, steepest) } else { steepest }
        }
        _ => steepest,
    }
}

/// What a function makes of the errors of its operands.
///
/// `x` are variances of operand elements and `squares` their mean squares, `results` the mean squares of the results, all in units of the
/// message; no operand exceeds `magnitude`.
pub(crate) fn pass_on<const K: usize>(
    function: ClientFunction,
    groups: Option<&[RefreshGroup]>,
    x: &[[f64; K]],
    squares: &[f64],
    magnitude: f64,
    results: &[f64],
) -> Vec<[f64; K]> {
    let slope = slope(function, magnitude, squares, results);
    let Some(groups) = groups else {
        return x.iter().map(|x| x.map(|v| v * slope)).collect();
    };
    let mut out = vec![[0.0; K]; results.len()];
    for group in groups {
        let mut largest = [0.0; K];
        for &i in &group.inputs {
            largest.iter_mut().zip(&x[i as usize]).for_each(|(m, v)| *m = v.max(*m));
        }
        for &o in &group.outputs {
            out[o as usize] = match (function, group.inputs.as_slice()) {
                (ClientFunction::Divide, &[a, b]) => {
                    let [a, b] = [a as usize, b as usize];
                    let relative = |i: usize, k: usize| x[i][k] / squares[i].max(f64::MIN_POSITIVE);
                    std::array::from_fn(|k| (relative(a, k) + relative(b, k)) * results[o as usize])
                }
                _ => largest.map(|v| v * slope),
            };
        }
    }
    out
}
