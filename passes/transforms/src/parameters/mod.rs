//! Chooses N, primes and scales for a circuit: the smallest degree that holds the batch and the modulus, then the cheapest program whose
//! predicted output error meets the precision asked for.
//!
//! A circuit of segments (see [`crate::segments`]) gets the two primes that cost the fewest bits on the way to the key owner and back. For all
//! others, for each degree, smallest first, two ways are tried. Where every operation reads the one before it, scales are carried: schedules over as few
//! primes as serve, all below 2^30, by cost. Otherwise, or when that finds nothing, each level has its scale: chains of all sizes
//! (scale bits x weight bits) are built, ordered by log2(QP), placed and estimated, those of primes below 2^30 before larger ones; the first
//! that is secure, holds every value and is precise enough wins. The log says what was tried and why it was passed over.

mod carried;
mod chain;
mod segments;

use he_params::noise::{Encryption, NoiseModel};
use he_params::{
    CkksParams, CkksParamsLiteral, LogN, ModulusChain, ParamsError, RequiredSecurity, RingShape, RingType,
    SecurityTable,
};

use self::carried::Problem;
use self::chain::{Needs, Sizes, WORD_32_BITS};
use crate::cost::CostModel;
use crate::labels::WeightsBy;
use crate::lowering::Circuit;
use crate::placement::{Chain, Placed, PlacementError, place};
use crate::precision::{NoiseSetting, ValueError, estimate};
use crate::ranges::ValueRange;
use crate::sensitivity::Sensitivity;

/// What is asked of the parameters.
#[derive(Clone, Debug)]
pub struct Request {
    /// Images in one batch; the slots must hold them.
    pub batch: usize,
    /// The ring that parameters are chosen in.
    pub ring: RingType,
    /// Bits between an output's typical magnitude and the bound on its error.
    pub precision_bits: f64,
    /// The security required.
    pub security: RequiredSecurity,
    /// The table it is judged by.
    pub table: SecurityTable,
    /// How inputs are encrypted.
    pub encryption: Encryption,
    /// Whether a relinearize and the rescale behind it are one operation, which rounds once.
    pub fused: bool,
}

/// Parameters, the program placed on them, and what is predicted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The parameters.
    pub params: CkksParams,
    /// The chain of scales and primes it was placed on.
    pub chain: Chain,
    /// The program.
    pub placed: Placed,
    /// One prediction per value of the program.
    pub errors: Vec<ValueError>,
    /// Bits between an output's typical magnitude and the bound on its error, the worst of all outputs.
    pub precision_bits: f64,
    /// What the weights were made as small as.
    pub weights: WeightsBy,
    /// What was tried, and why it was passed over.
    pub log: Vec<String>,
}

/// Why no parameters serve.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParametersError {
    /// The search found nothing.
    #[error("no parameters serve: {}", log.join("; "))]
    NoneFound {
        /// What was tried, and why it was passed over.
        log: Vec<String>,
    },
    /// More images than the largest degree has slots.
    #[error("batch of {batch} images, N = {log_n} has {slots} slots")]
    Batch {
        /// Images.
        batch: usize,
        /// The degree.
        log_n: LogN,
        /// Its slots.
        slots: usize,
    },
    /// A value that does not fit its modulus.
    #[error(
        "node {node} ({op}): magnitudes up to {magnitude:.3e} ({range_source}) may outgrow the modulus by {missing_bits:.1} bits"
    )]
    Outgrows {
        /// The layer.
        node: String,
        /// The operation of the program.
        op: &'static str,
        /// Bound on its messages.
        magnitude: f64,
        /// Where that bound comes from.
        range_source: String,
        /// Bits beyond half the modulus.
        missing_bits: f64,
    },
    /// Given parameters are not precise enough.
    #[error("the given parameters leave {found:.1} bits of precision, {wanted:.1} asked")]
    Imprecise {
        /// Bits predicted.
        found: f64,
        /// Bits asked for.
        wanted: f64,
    },
    /// Products and no special prime.
    #[error("the model multiplies encrypted values, which needs a special prime, and the given parameters have none")]
    NoSpecialPrime,
    /// The parameters are refused.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// The circuit does not fit the chain.
    #[error(transparent)]
    Placement(#[from] PlacementError),
}

/// Sizes of product primes tried for 32-bit words.
const SCALES_32: [u8; 6] = [22, 24, 26, 28, 29, WORD_32_BITS];
/// Sizes of product primes tried for 64-bit words.
const SCALES_64: [u8; 6] = [32, 36, 40, 44, 48, 52];
/// Weight sizes tried for 32-bit words.
const WEIGHTS_32: [u8; 7] = [14, 16, 18, 20, 22, 24, 26];
/// Weight sizes tried for 64-bit words.
const WEIGHTS_64: [u8; 7] = [20, 24, 28, 32, 34, 36, 40];
/// Boosts tried.
const BOOSTS: [u8; 8] = [0, 1, 2, 3, 4, 6, 8, 10];

/// Programs that take longer by this part at most count as equally fast.
const NEARLY: f64 = 0.02;

/// Times that sizes of segments are asked for.
const SEGMENT_TRIALS: usize = 4;

/// The best parameters for the circuit.
///
/// # Errors
/// See [`ParametersError`].
pub fn select(
    circuit: &Circuit,
    ranges: &[ValueRange],
    request: &Request,
    costs: &CostModel,
) -> Result<Selection, ParametersError> {
    let magnitudes: Vec<f64> = ranges.iter().map(|r| r.magnitude).collect();
    let needs = Needs::of(circuit, &magnitudes, request.fused);
    let sensitivity = carried::applies(circuit).then(|| Sensitivity::of(circuit, ranges));
    let mut log = Vec::new();
    let degrees = (10..=LogN::MAX).filter_map(|n| LogN::new(n).ok());
    for shape in degrees.filter_map(|log_n| RingShape::new(request.ring, log_n).ok()) {
        let (log_n, images) = (shape.log_n(), circuit.packing.images(shape.slots()));
        if images < request.batch {
            log.push(format!("N = {log_n}: {images} slots, {} images", request.batch));
            continue;
        }
        if segments::applies(circuit) {
            let mut search = Search { circuit, ranges, request, costs, needs: &needs, shape, best: None };
            if let Some(mut found) = search.segments() {
                log.push(format!(
                    "N = {log_n}, segments of one level: chosen, log2(Q) = {:.1}, {:.1} bits of precision, {:.1} asked",
                    found.params.log_qp(),
                    found.precision_bits,
                    request.precision_bits
                ));
                found.log = log;
                return Ok(found);
            }
            log.push(format!("N = {log_n}, segments of one level: {}", search.why_not()));
            continue;
        }
        if let Some(sensitivity) = &sensitivity {
            let mut search = Search { circuit, ranges, request, costs, needs: &needs, shape, best: None };
            if let Some(mut found) = search.carry(sensitivity) {
                log.push(format!(
                    "N = {log_n}, scales carried: chosen, {} + {} primes, log2(QP) = {:.1}, {:.1} bits of precision, {:.1} asked",
                    found.params.q().len(),
                    found.params.p().len(),
                    found.params.log_qp(),
                    found.precision_bits,
                    request.precision_bits
                ));
                found.log = log;
                return Ok(found);
            }
            log.push(format!("N = {log_n}, scales carried: {}", search.why_not()));
        }
        for (word, scales, weights) in [(32, SCALES_32, WEIGHTS_32), (64, SCALES_64, WEIGHTS_64)] {
            let mut search = Search { circuit, ranges, request, costs, needs: &needs, shape, best: None };
            if let Some(mut found) = search.run(scales, weights) {
                log.push(format!(
                    "N = {log_n}, {word}-bit words: chosen, log2(QP) = {:.1}, {:.1} bits of precision, {:.1} asked",
                    found.params.log_qp(),
                    found.precision_bits,
                    request.precision_bits
                ));
                found.log = log;
                return Ok(found);
            }
            log.push(format!("N = {log_n}, {word}-bit words: {}", search.why_not()));
        }
    }
    Err(ParametersError::NoneFound { log })
}

struct Search<'a> {
    circuit: &'a Circuit,
    ranges: &'a [ValueRange],
    request: &'a Request,
    costs: &'a CostModel,
    needs: &'a Needs,
    shape: RingShape,
    /// Best precision seen, or the reason there is none.
    best: Option<Result<f64, ParametersError>>,
}

impl Search<'_> {
    fn run(&mut self, scales: [u8; 6], weights: [u8; 7]) -> Option<Selection> {
        let boosts = if self.needs.allows_boost() { &BOOSTS[..] } else { &BOOSTS[..1] };
        let weights = move |scale_bits| weights.into_iter().map(move |weight_bits| (scale_bits, weight_bits));
        let all = scales.into_iter().flat_map(weights).flat_map(|(scale_bits, weight_bits)| {
            boosts.iter().map(move |&boost| Sizes { scale_bits, weight_bits, boost })
        });
        let mut literals: Vec<(f64, CkksParams, Chain)> = Vec::new();
        for sizes in all {
            match self.literal(sizes) {
                Ok((params, chain)) => {
                    // Circuits without levels of their own for weights give the same chain for every weight size.
                    if literals.last().is_none_or(|(_, _, last)| *last != chain) {
                        literals.push((params.log_qp(), params, chain));
                    }
                }
                Err(error) => self.note(Err(error.into())),
            }
        }
        literals.sort_by(|a, b| a.0.total_cmp(&b.0));
        literals.into_iter().find_map(|(_, params, chain)| {
            let selection = evaluate(self.circuit, self.ranges, params, &chain, self.request, self.costs);
            match selection {
                Ok(selection) => {
                    self.note(Ok(selection.precision_bits));
                    (selection.precision_bits >= self.request.precision_bits).then_some(selection)
                }
                Err(error) => {
                    self.note(Err(error));
                    None
                }
            }
        })
    }

    /// Two primes of the fewest bits on the way that are precise enough.
    fn segments(&mut self) -> Option<Selection> {
        let problem = segments::Problem::new(self.circuit, self.ranges, self.shape);
        // The budget is a forecast: when the estimate of the whole program falls short of it, ask for more.
        let mut wanted = self.request.precision_bits;
        for _ in 0..SEGMENT_TRIALS {
            let sizes = problem.sizes(wanted);
            if sizes.is_empty() {
                if let Some(bits) = problem.most_precise() {
                    self.note(Ok(bits));
                }
                return None;
            }
            let selection = sizes.into_iter().find_map(|sizes| {
                let chain = problem.chain(sizes).map_err(ParametersError::from);
                let params = chain.and_then(|chain| Ok((self.params(&chain)?, chain)));
                let (params, chain) = params.map_err(|error| self.note(Err(error))).ok()?;
                evaluate(self.circuit, self.ranges, params, &chain, self.request, self.costs)
                    .map_err(|error| self.note(Err(error)))
                    .ok()
            })?;
            self.note(Ok(selection.precision_bits));
            if selection.precision_bits >= self.request.precision_bits {
                return Some(selection);
            }
            wanted += self.request.precision_bits - selection.precision_bits + 0.05;
        }
        None
    }

    /// The cheapest program with scales carried over operations, of those that are precise enough, over as few primes as serve or one more;
    /// among the nearly cheapest the most precise.
    fn carry(&mut self, sensitivity: &Sensitivity) -> Option<Selection> {
        let problem = Problem::new(self.circuit, self.ranges, sensitivity, self.shape, self.request);
        let mut served: Vec<(f64, Selection)> = Vec::new();
        let mut one_more = false;
        for primes in 1..CkksParams::MAX_PRIMES {
            for schedule in problem.schedules(primes, self.costs) {
                let chain = schedule.chain(self.shape, self.needs).map_err(ParametersError::from);
                let selection = chain.and_then(|chain| {
                    let params = self.params(&chain)?;
                    evaluate(self.circuit, self.ranges, params, &chain, self.request, self.costs)
                });
                match &selection {
                    Ok(found) => self.note(Ok(found.precision_bits)),
                    Err(error) => self.note(Err(error.clone())),
                }
                match selection {
                    Ok(found) if found.precision_bits >= self.request.precision_bits => {
                        served.push((schedule.seconds, found));
                    }
                    // More primes would not be more secure.
                    Err(ParametersError::Params(ParamsError::Insecure { .. })) => return best(served),
                    _ => {}
                }
            }
            if one_more {
                break;
            }
            one_more = !served.is_empty();
        }
        best(served)
    }

    fn literal(&self, sizes: Sizes) -> Result<(CkksParams, Chain), ParamsError> {
        let chain = chain::build(self.needs, self.shape, sizes)?;
        Ok((self.params(&chain)?, chain))
    }

    fn params(&self, chain: &Chain) -> Result<CkksParams, ParamsError> {
        let literal = CkksParamsLiteral {
            ring: self.shape.ring_type(),
            table: self.request.table,
            security: self.request.security,
            ..CkksParamsLiteral::new(
                self.shape.log_n().get(),
                ModulusChain::Primes(chain.q.clone()),
                ModulusChain::Primes(chain.p.clone()),
                chain.input_scale.log2(),
            )
        };
        CkksParams::try_from(literal)
    }

    /// Remembers the nearest miss: the best precision, else the smallest modulus that was refused, else any other reason.
    fn note(&mut self, outcome: Result<f64, ParametersError>) {
        fn rank(outcome: &Result<f64, ParametersError>) -> (u8, f64) {
            match outcome {
                Ok(bits) => (2, *bits),
                Err(ParametersError::Params(ParamsError::Insecure { found, .. })) => (1, -found),
                Err(_) => (0, 0.0),
            }
        }
        if self.best.as_ref().is_none_or(|best| rank(best) < rank(&outcome)) {
            self.best = Some(outcome);
        }
    }

    fn why_not(self) -> String {
        match self.best {
            Some(Ok(bits)) => format!("at most {bits:.1} bits of precision, {:.1} asked", self.request.precision_bits),
            Some(Err(ParametersError::Params(ParamsError::Insecure { found, bound, required, .. }))) => {
                format!("log2(QP) is at least {found:.1}, {required} bits of security allow {bound}")
            }
            Some(Err(reason)) => reason.to_string(),
            None => "nothing to try".into(),
        }
    }
}

/// The most precise of those that take hardly longer than the fastest.
fn best(served: Vec<(f64, Selection)>) -> Option<Selection> {
    let least = served.iter().map(|(seconds, _)| *seconds).reduce(f64::min)?;
    let nearly = served.into_iter().filter(|(seconds, _)| *seconds <= least * (1.0 + NEARLY));
    nearly.map(|(_, selection)| selection).max_by(|a, b| a.precision_bits.total_cmp(&b.precision_bits))
}

/// The circuit on parameters given from outside.
///
/// # Errors
/// See [`ParametersError`].
pub fn with_literal(
    circuit: &Circuit,
    ranges: &[ValueRange],
    literal: CkksParamsLiteral,
    request: &Request,
    costs: &CostModel,
) -> Result<Selection, ParametersError> {
    let params = CkksParams::try_from(literal)?;
    let slots = circuit.packing.images(params.slots());
    if request.batch > slots {
        return Err(ParametersError::Batch { batch: request.batch, log_n: params.log_n(), slots });
    }
    let magnitudes: Vec<f64> = ranges.iter().map(|r| r.magnitude).collect();
    let needs = Needs::of(circuit, &magnitudes, request.fused);
    if needs.products && params.p().is_empty() {
        return Err(ParametersError::NoSpecialPrime);
    }
    let chain = chain::of_params(&needs, params.q(), params.p(), params.shape(), params.scale())?;
    let mut selection = evaluate(circuit, ranges, params, &chain, request, costs)?;
    if selection.precision_bits < request.precision_bits {
        return Err(ParametersError::Imprecise { found: selection.precision_bits, wanted: request.precision_bits });
    }
    selection.log.push("parameters were given".into());
    Ok(selection)
}

/// Places, estimates, and checks that every value fits.
pub(crate) fn evaluate(
    circuit: &Circuit,
    ranges: &[ValueRange],
    params: CkksParams,
    chain: &Chain,
    request: &Request,
    costs: &CostModel,
) -> Result<Selection, ParametersError> {
    let placed = place(circuit, chain, costs)?;
    let value_ranges: Vec<&ValueRange> = placed.origins.iter().map(|&origin| &ranges[origin]).collect();
    let setting = NoiseSetting {
        model: NoiseModel::of(&params),
        log_p: params.log_p(),
        q: params.q(),
        primes_per_digit: params.primes_per_digit(),
        encryption: request.encryption,
    };
    let errors = estimate(&placed.program, &value_ranges, &placed.real_weights, &setting);
    for ((node, error), range) in placed.program.nodes().iter().zip(&errors).zip(&value_ranges) {
        if error.headroom_bits < 0.0 {
            return Err(ParametersError::Outgrows {
                node: node.source().to_owned(),
                op: node.op().verb(),
                magnitude: range.magnitude,
                range_source: range.source.to_string(),
                missing_bits: -error.headroom_bits,
            });
        }
    }
    let bits = |index: usize| (value_ranges[index].typical() / errors[index].bound).log2();
    let precision_bits = placed.program.outputs().iter().map(|(_, id)| bits(id.index())).fold(f64::INFINITY, f64::min);
    let weights = WeightsBy::ErrorBound { reason: "labels were not asked for" };
    Ok(Selection { params, chain: chain.decided(&placed), placed, errors, precision_bits, weights, log: Vec::new() })
}

#[cfg(test)]
mod tests;
