//! A model, ready for any number of clients.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use execute::ckks::CkksBackend;
use execute::{StreamOptions, Streamed, prepare_streamed};
use he_ckks::{CkksContext, SeededCiphertextTensor};
use he_ir::HeProgram;
use he_params::CkksParams;
use he_rlwe::{EvaluationKeys, PublicKey};
use protocol::{Description, Port, limits, program_digest};
use tracing::info;

use crate::{ServerError, Work};

/// What the owner of a model chooses for it.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// Lowest and highest number of each input, in the order of the program; clients refuse others. Missing ones are not stated.
    pub ranges: Vec<Option<(f64, f64)>>,
    /// How many ciphertexts travel at a time, and how many requests are open.
    pub tiles: StreamOptions,
    /// Elements of a tile travel in random order where each result needs one element alone. A client that looks at numbers alone cannot tell which neuron of
    /// the tile one belongs to; from one that looks at ciphertexts it hides nothing.
    pub shuffle: bool,
    /// Standard deviation of the noise added to every number of a result, which is then a fresh encryption: neither the noise of the computation nor
    /// the components of the result tell of the weights. Tiles that the client refreshes are sent as computed.
    pub flooding: Option<f64>,
    /// The same program under a mask, which runs in its place: what the client sees is multiplied by factors and reordered. The description, and the
    /// digest in it, stay those of the program itself.
    pub masked: Option<HeProgram>,
    /// Who is told what each inference took that was computed to its end; logs and metrics say less of it.
    pub work: Option<Sender<Work>>,
}

/// A program, its parameters, its packed weights.
#[derive(Debug)]
pub struct Model {
    description: Description,
    context: Arc<CkksContext>,
    streamed: Streamed<CkksBackend>,
    keyless: Arc<CkksBackend>,
    options: ModelOptions,
}

impl Model {
    /// Verifies a program and packs its weights.
    ///
    /// # Errors
    /// A program that cannot run on these parameters, that the protocol has no room for, or whose outputs do not suit the options.
    pub fn new(
        name: &str,
        program: &HeProgram,
        params: CkksParams,
        mut options: ModelOptions,
    ) -> Result<Self, ServerError> {
        let masked = options.masked.take();
        if masked.as_ref().is_some_and(|masked| !program.differs_in_numbers_only(masked)) {
            return Err(ServerError::Mask(name.to_owned()));
        }
        let named = |source| ServerError::Model { model: name.to_owned(), source };
        let port = |name: &str, value: &he_ir::CipherType, range| Port {
            name: name.to_owned(),
            shape: value.shape.clone(),
            level: value.level,
            scale: value.scale,
            range,
        };
        let ranges = options.ranges.iter().copied().chain(std::iter::repeat(None));
        let outputs = program.outputs().iter().filter_map(|(name, id)| Some((name, program.node(*id)?.value())));
        let outputs: Vec<_> = outputs.collect();
        if let Some(std_dev) = options.flooding {
            if !(std_dev.is_finite() && std_dev > 0.0) {
                return Err(ServerError::Flooding(std_dev));
            }
            if outputs.iter().any(|(_, value)| value.component_count != 2) {
                return Err(ServerError::NotRelinearized(name.to_owned()));
            }
        }
        let context = CkksContext::new(params.clone())?;
        let keyless = Arc::new(CkksBackend::to_prepare(&context).with_packing(program.packing())?);
        let streamed = prepare_streamed(&*keyless, masked.as_ref().unwrap_or(program), &options.tiles)?;
        let description = Description {
            model: name.to_owned(),
            program: program_digest(program, &params).map_err(named)?,
            packing: program.packing(),
            inputs: program.inputs().zip(ranges).map(|((name, _, value), range)| port(name, value, range)).collect(),
            outputs: outputs.iter().map(|(name, value)| port(name, value, None)).collect(),
            relinearizes: program.nodes().iter().any(|node| node.op().relinearizes()),
            refreshes: program.refreshes().count(),
            tile_values: streamed.largest_request(),
            wants_public_key: options.flooding.is_some(),
            params,
        };
        // What a client would refuse is refused here, before one comes.
        let description = Description::try_from(protocol::v1::Description::from(&description)).map_err(named)?;
        Ok(Self { description, context, streamed, keyless, options })
    }

    /// What clients are told.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Bytes that one inference plans with: live tiles, what waits on its way to the client or back, and the keys of its client.
    pub fn planned_bytes(&self) -> u64 {
        // Of each open request two components of a tile, or the first of its answer.
        let polynomials =
            SeededCiphertextTensor::max_body_len(&self.context, self.description.tile_values).unwrap_or(0);
        let under_way = polynomials.saturating_mul(2 * self.options.tiles.in_flight as u64);
        under_way.saturating_add(self.streamed.memory().peak as u64).saturating_add(self.keys_bytes())
    }

    /// Bytes that keys of one client take at the most: as they arrive, and in words, of which a residue fills half or more.
    fn keys_bytes(&self) -> u64 {
        let Description { relinearizes, wants_public_key, .. } = self.description;
        let rlwe = self.context.rlwe();
        let evaluation = relinearizes.then(|| EvaluationKeys::max_body_len(rlwe, 0).unwrap_or(0));
        let public = wants_public_key.then(|| PublicKey::max_body_len(rlwe).unwrap_or(0));
        (evaluation.unwrap_or(0).saturating_add(public.unwrap_or(0))).saturating_mul(3)
    }

    /// Bytes of packed weights, which all inferences share.
    pub fn weights_bytes(&self) -> u64 {
        self.streamed.weights_bytes() as u64
    }

    /// Bytes of the program and of the lists of its tiles, which all inferences share.
    pub fn program_bytes(&self) -> u64 {
        self.streamed.program_bytes() as u64
    }

    /// Requests to the client along one inference that are for one node of the program.
    pub fn requests_of(&self, node: usize) -> u64 {
        self.streamed.requests_of(node)
    }

    /// Tells the operator what a model takes, before the first client comes.
    pub(crate) fn log(&self) {
        let plan = self.streamed.memory();
        let layer = self.streamed.program().nodes().get(plan.peak_node).map_or("", |node| node.source());
        info!(
            model = self.name(),
            program = %self.description.program,
            tiles_peak_bytes = plan.peak,
            peak_layer = layer,
            planned_bytes = self.planned_bytes(),
            weights_bytes = self.weights_bytes(),
            program_bytes = self.program_bytes(),
            requests = self.streamed.requests(),
            images_carried = self.description.capacity(),
            shuffle = self.options.shuffle,
            flooding = self.options.flooding,
            "model"
        );
    }

    pub(crate) fn name(&self) -> &str {
        &self.description.model
    }

    pub(crate) fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    pub(crate) fn streamed(&self) -> &Streamed<CkksBackend> {
        &self.streamed
    }

    pub(crate) fn options(&self) -> &ModelOptions {
        &self.options
    }

    /// An inference was computed to its end.
    pub(crate) fn did(&self, work: Work) {
        if let Some(told) = &self.options.work {
            // Whoever does not listen any more does not want to know.
            let _ = told.send(work);
        }
    }

    /// The backend of clients that need no keys.
    pub(crate) fn keyless(&self) -> &Arc<CkksBackend> {
        &self.keyless
    }
}

/// Names are unique, and there are as many models as the protocol allows.
pub(crate) fn check_names(models: &[Arc<Model>]) -> Result<(), ServerError> {
    let (found, max) = (models.len(), limits::MODELS);
    if !(1..=max).contains(&found) {
        return Err(ServerError::Models { found, max });
    }
    for (index, model) in models.iter().enumerate() {
        if models.iter().take(index).any(|other| other.name() == model.name()) {
            return Err(ServerError::SameName(model.name().to_owned()));
        }
    }
    Ok(())
}
