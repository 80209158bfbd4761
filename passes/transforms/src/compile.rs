//! The whole way from a graph to a program: graph passes, lowering, ranges, parameters, placement, and the report.

use std::collections::HashMap;

use graph::{Graph, Tensor};
use he_ir::HeProgram;
use he_params::noise::Encryption;
use he_params::{CkksParams, CkksParamsLiteral, RequiredSecurity, RingType, SecurityTable};

use crate::choices::{Activations, CannotChoose, Choices};
use crate::complex_packing::ComplexPacking;
use crate::cost::CostModel;
use crate::explain::{Explain, PassNotes};
use crate::labels::{Judge, WeightsBy};
use crate::lowering::{Circuit, lower_with};
use crate::masking::Masking;
use crate::parameters::{ParametersError, Request, Selection, select, with_literal};
use crate::placement::{Chain, place};
use crate::ranges::{Interval, RangeError, RangeOptions, Sample, ValueRange, analyse};
use crate::segments::cut;
use crate::{ActivationError, Pass, PassError, PassReport, Pipeline, default_pipeline};

/// Bits of precision asked for when the caller does not say: errors below 2e-3 of the outputs' magnitude, by a bound of twelve standard
/// deviations (twice as many where slots are real) on images that are larger than the samples by the margin. What is measured is some twenty times smaller.
pub const DEFAULT_PRECISION_BITS: f64 = 9.0;

/// What the caller asks for.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Images in one batch.
    pub batch: usize,
    /// Bits between the outputs' typical magnitude and the bound on their error.
    pub precision_bits: f64,
    /// Lowest and highest element of an input, by name; an input without one is bounded by the calibration images.
    pub input_ranges: HashMap<String, Interval>,
    /// Sample images, one tensor per input in the graph's order, axis 0 counting images.
    pub calibration: Vec<Tensor>,
    /// Factor on what the samples reach.
    pub margin: f64,
    /// The ring that parameters are chosen in: the cyclotomic one, whose ciphertexts are SEAL's, or the conjugate-invariant one, which holds twice as
    /// many images where they lie one to a slot.
    pub ring: RingType,
    /// Parameters to use instead of choosing; they name a ring of their own.
    pub params: Option<CkksParamsLiteral>,
    /// Security required of chosen parameters.
    pub security: RequiredSecurity,
    /// The table it is judged by.
    pub table: SecurityTable,
    /// Costs that placement and forecasts go by.
    pub costs: CostModel,
    /// Where they come from, for the report.
    pub costs_from: String,
    /// Threads that forecasts are made for.
    pub threads: usize,
    /// How inputs are encrypted.
    pub encryption: Encryption,
    /// Keeps relinearize and rescale two operations, as SEAL has them: the program then computes SEAL's residues, and runs on SEAL. Otherwise the two
    /// are one where one follows the other, which is faster and rounds once.
    pub seal_exact: bool,
    /// Who computes the functions between linear layers.
    pub activations: Activations,
    /// Leaves room for a mask over what the key owner sees (see [`crate::masking`]), and says layer by layer what one would hide.
    pub mask_channels: bool,
}

impl CompileOptions {
    /// Options for batches of so many images: [`DEFAULT_PRECISION_BITS`], margin 2, 128 bits of security in the 2024 table, one thread, inputs under
    /// the secret key.
    pub fn new(batch: usize) -> CompileOptions {
        CompileOptions {
            batch,
            precision_bits: DEFAULT_PRECISION_BITS,
            input_ranges: HashMap::new(),
            calibration: Vec::new(),
            margin: 2.0,
            ring: RingType::default(),
            params: None,
            security: RequiredSecurity::default(),
            table: SecurityTable::default(),
            costs: CostModel::default(),
            costs_from: "built in, avx2".to_owned(),
            threads: 1,
            encryption: Encryption::Symmetric,
            seal_exact: false,
            activations: Activations::default(),
            mask_channels: false,
        }
    }
}

/// A program ready to run, and everything known about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program.
    pub program: HeProgram,
    /// The parameters it was placed on.
    pub params: CkksParams,
    /// The primes and scales it was placed on: with the same network and choices, [`replay_with`] gives the same program.
    pub chain: Chain,
    /// What was decided about functions between linear layers.
    pub choices: Choices,
    /// The report for people.
    pub explain: Explain,
    /// What each pass did, in order.
    pub reports: Vec<(&'static str, PassReport)>,
    /// The circuit it was placed from.
    pub circuit: Circuit,
    /// One range per node of the circuit.
    pub ranges: Vec<ValueRange>,
}

/// Why a network cannot be compiled; names pass, node and operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A graph pass or the lowering.
    #[error(transparent)]
    Pass(Box<PassError>),
    /// Ranges are not known.
    #[error("pass ranges: {0}")]
    Ranges(#[from] RangeError),
    /// No parameters serve.
    #[error("pass parameters: {0}")]
    Parameters(Box<ParametersError>),
    /// Calibration tensors that do not fit the graph.
    #[error("calibration: {0}")]
    Calibration(String),
    /// A batch of no images.
    #[error("batch of 0 images")]
    EmptyBatch,
    /// A wish for a function between linear layers that cannot be granted.
    #[error("activations: {0}")]
    Activation(#[from] ActivationError),
    /// A program compiled without room for a mask.
    #[error("masks need a program that was compiled with room for them")]
    NotMasked,
    /// No random numbers for a mask.
    #[error("random numbers for the mask: {0}")]
    Random(String),
}

impl From<PassError> for CompileError {
    fn from(error: PassError) -> Self {
        CompileError::Pass(Box::new(error))
    }
}

impl From<CannotChoose> for CompileError {
    fn from(error: CannotChoose) -> Self {
        match error {
            CannotChoose::Activation(error) => error.into(),
            CannotChoose::Pass(error) => error.into(),
        }
    }
}

impl From<ParametersError> for CompileError {
    fn from(error: ParametersError) -> Self {
        CompileError::Parameters(Box::new(error))
    }
}

/// Compiles a network.
///
/// # Errors
/// See [`CompileError`].
pub fn compile(graph: &Graph, options: &CompileOptions) -> Result<Compiled, CompileError> {
    compile_with(graph, options, &default_pipeline()?)
}

/// Compiles a network with graph passes of one's own.
///
/// # Errors
/// See [`CompileError`].
pub fn compile_with(graph: &Graph, options: &CompileOptions, pipeline: &Pipeline) -> Result<Compiled, CompileError> {
    if options.batch == 0 {
        return Err(CompileError::EmptyBatch);
    }
    let ring = options.params.as_ref().map_or(options.ring, |literal| literal.ring);
    let samples = samples(graph, &options.calibration)?;
    let range_options = RangeOptions { inputs: options.input_ranges.clone(), samples, margin: options.margin };
    let (mut choices, polynomials) = Choices::start(graph, &options.activations)?;
    // Each polynomial is fitted to the range that those before it leave.
    for (node, degree) in polynomials {
        let (circuit, _) = circuit_of(graph, &choices, ring, pipeline)?;
        let ranges = analyse(&circuit, &range_options)?;
        choices.fit(&node, degree, &circuit, &ranges);
    }
    choices.masked = options.mask_channels;
    let (circuit, mut reports) = circuit_of(graph, &choices, ring, pipeline)?;
    let mut ranges = analyse(&circuit, &range_options)?;
    if choices.masked {
        let masking = Masking::of(&circuit);
        masking.reserve(&mut ranges);
        reports.push(("masking", masking.report(&circuit)));
    }
    let request = Request {
        batch: options.batch,
        ring,
        precision_bits: options.precision_bits,
        security: options.security,
        table: options.table,
        encryption: options.encryption,
        fused: !options.seal_exact,
    };
    let selection = match &options.params {
        Some(literal) => with_literal(&circuit, &ranges, literal.clone(), &request, &options.costs),
        None => select(&circuit, &ranges, &request, &options.costs),
    }?;
    let judge = Judge {
        circuit: &circuit,
        ranges: &ranges,
        samples: &range_options.samples,
        request: &request,
        costs: &options.costs,
        threads: options.threads,
    };
    // Under a mask the precision asked for stands.
    let selection = if choices.masked {
        Selection { weights: WeightsBy::ErrorBound { reason: "labels are judged without a mask" }, ..selection }
    } else {
        judge.smallest(selection)
    };
    reports.push(("placement", selection.placed.report.clone()));
    let notes = reports.iter().map(|(pass, report)| notes(pass, report)).collect();
    let explain = Explain::new(&selection, &ranges, options, notes);
    Ok(Compiled {
        program: selection.placed.program,
        params: selection.params,
        chain: selection.chain,
        choices,
        explain,
        reports,
        circuit,
        ranges,
    })
}

/// The program of a network on a chain that an earlier [`compile`] chose: the same network gives the same program. Nothing is chosen and
/// nothing is checked against ranges; whoever calls this compares the program with the one that was.
///
/// # Errors
/// A graph pass or the lowering; a network that does not fit the chain.
pub fn replay(graph: &Graph, chain: &Chain) -> Result<HeProgram, CompileError> {
    replay_with(graph, chain, &Choices::default())
}

/// As [`replay`], for a network that was compiled with choices.
///
/// # Errors
/// As [`replay`].
pub fn replay_with(graph: &Graph, chain: &Chain, choices: &Choices) -> Result<HeProgram, CompileError> {
    placed(&circuit_of(graph, choices, chain.shape.ring_type(), &default_pipeline()?)?.0, chain)
}

/// The program of [`replay_with`] under a mask drawn from `random` (see [`crate::masking`]): the same operations on the same levels and scales,
/// other weights and indices. Values of at most `whole` elements, which one tile holds, are reordered as a whole, larger ones channel by channel.
///
/// # Errors
/// As [`replay`]; [`CompileError::NotMasked`] and [`CompileError::Random`].
pub fn replay_masked<E: std::fmt::Display>(
    graph: &Graph,
    chain: &Chain,
    choices: &Choices,
    whole: usize,
    mut random: impl FnMut() -> Result<u64, E>,
) -> Result<HeProgram, CompileError> {
    if !choices.masked {
        return Err(CompileError::NotMasked);
    }
    let (circuit, _) = circuit_of(graph, choices, chain.shape.ring_type(), &default_pipeline()?)?;
    let masking = Masking::of(&circuit);
    let mask = masking.draw(whole, &mut random).map_err(|error| CompileError::Random(error.to_string()))?;
    let masked = masking.apply(&mask, &circuit).map_err(|source| PassError::Shape {
        pass: "masking",
        site: circuit.name.clone(),
        source,
    })?;
    placed(&masked, chain)
}

fn placed(circuit: &Circuit, chain: &Chain) -> Result<HeProgram, CompileError> {
    Ok(place(circuit, chain, &CostModel::default()).map_err(ParametersError::Placement)?.program)
}

/// What each pass did, by name.
type Reports = Vec<(&'static str, PassReport)>;

/// The circuit of a network, cut and packed, and what each pass did on the way.
fn circuit_of(
    graph: &Graph,
    choices: &Choices,
    ring: RingType,
    pipeline: &Pipeline,
) -> Result<(Circuit, Reports), CompileError> {
    let mut graph = graph.clone();
    let mut reports = choices.apply(&mut graph)?;
    reports.extend(pipeline.run(&mut graph)?);
    let (mut circuit, segments) = cut(lower_with(&graph, &choices.client_squares)?);
    if circuit.is_client_aided() {
        reports.push(("segments", segments));
    }
    let packing = ComplexPacking { ring };
    reports.push((packing.name(), packing.run(&mut circuit)?));
    Ok((circuit, reports))
}

/// Splits calibration tensors into images.
fn samples(graph: &Graph, tensors: &[Tensor]) -> Result<Vec<Sample>, CompileError> {
    let wrong = |what: String| Err(CompileError::Calibration(what));
    if tensors.is_empty() {
        return Ok(vec![]);
    }
    if tensors.len() != graph.inputs().len() {
        return wrong(format!("{} tensors, the model has {} inputs", tensors.len(), graph.inputs().len()));
    }
    let images = tensors.first().and_then(|t| t.dims().first()).copied().unwrap_or(0);
    let mut samples = vec![Sample::new(); images];
    for (&id, tensor) in graph.inputs().iter().zip(tensors) {
        let value = graph.value(id);
        let expected = value.shape().with_batch(images);
        if tensor.dims() != expected {
            return wrong(format!("input {:?} is {:?}, the sample {:?}", value.name(), expected, tensor.dims()));
        }
        let elements = value.shape().elements_per_image().max(1);
        for (sample, image) in samples.iter_mut().zip(tensor.data().chunks(elements)) {
            sample.insert(value.name().to_owned(), image.to_vec());
        }
    }
    Ok(samples)
}

fn notes(pass: &str, report: &PassReport) -> PassNotes {
    let lines = |places: &[(String, String)]| places.iter().map(|(site, what)| format!("{site}: {what}")).collect();
    PassNotes { pass: pass.to_owned(), rewritten: lines(&report.rewritten), declined: lines(&report.declined) }
}

#[cfg(test)]
mod tests;
