//! The encrypted run: compile, make keys, then for each batch encrypt, run, decrypt, timing each of the three apart.
//!
//! Client and server share this process but nothing else: what crosses between them is the seeded input, the evaluation
//! keys and the output, as it would over a wire.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use datasets::LabelledImages;
use execute::ckks::{CkksBackend, decode};
use execute::{Batch, Prepared, Recorder, prepare};
use graph::Tensor;
use he_ckks::{CiphertextTensor, CkksContext, Encoder, Isa, SeededCiphertextTensor};
use he_ir::{CipherType, Node};
use he_params::{RequiredSecurity, RingType};
use he_rlwe::{EvaluationKeys, RelinearizationKey};
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
use report::{Bytes, Logits, Step, median};
use transforms::cost::CostModel;
use transforms::ranges::Interval;
use transforms::{CompileOptions, Compiled, compile};

use crate::args::Seed;
use crate::model::Model;
use crate::progress::Watch;
use crate::record::Seconds;

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) batch_size: usize,
    pub(crate) ring: RingType,
    pub(crate) precision_bits: f64,
    pub(crate) threads: usize,
    pub(crate) seed: Seed,
    /// Take the smallest ring that holds a batch, whatever its security.
    pub(crate) insecure: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct EncryptedRun {
    pub(crate) logits: Logits,
    pub(crate) compiled: Compiled,
    pub(crate) isa: &'static str,
    pub(crate) steps: Vec<Step>,
    pub(crate) seconds: Seconds,
    pub(crate) bytes: Bytes,
}

/// Chooses a program and parameters for a model. `calibration` are training images as the model's input.
pub(crate) fn compile_model(model: &Model, calibration: Tensor, settings: &Settings) -> anyhow::Result<Compiled> {
    let mut options = CompileOptions::new(settings.batch_size);
    options.calibration = vec![calibration];
    options.ring = settings.ring;
    options.precision_bits = settings.precision_bits;
    options.threads = settings.threads;
    let isa = Isa::best()?.name();
    (options.costs, options.costs_from) = (CostModel::for_isa(isa), format!("built in, {isa}"));
    // Pixels, whatever the calibration images reach.
    options.input_ranges.insert(model.input_name().to_owned(), Interval::new(0.0, 1.0));
    if settings.insecure {
        options.security = RequiredSecurity::Insecure;
    }
    Ok(compile(&model.graph, &options)?)
}

/// Classifies all images encrypted. Runs on the caller's rayon pool.
pub(crate) fn run_encrypted(
    model: &Model,
    compiled: Compiled,
    images: &LabelledImages,
    settings: &Settings,
) -> anyhow::Result<EncryptedRun> {
    let context = CkksContext::new(compiled.params.clone())?;
    let mut seconds = Seconds::default();

    let start = Instant::now();
    let seed = he_ckks::Seed::new(settings.seed.0);
    let secret = SecretKey::generate(&context, &seed)?;
    let relinearization = KeyGenerator::new(&context, &secret, seed.clone()).relinearization_key()?;
    seconds.keygen = start.elapsed().as_secs_f64();
    let evaluation_keys = relinearization.key().byte_len() as u64;
    let mut client = Client {
        input: input_type(&compiled)?,
        encryptor: SymmetricEncryptor::new(&context, &secret, &seed),
        decryptor: Decryptor::new(&context, &secret),
        encoder: Encoder::new(&context),
    };

    let start = Instant::now();
    let server = Server::new(&context, &compiled, relinearization)?;
    seconds.prepare = start.elapsed().as_secs_f64();

    let batches = images.len().div_ceil(settings.batch_size);
    let mut watch = Watch::new(&forecast(&compiled), batches);
    let (mut encrypt, mut decrypt, mut times) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = Bytes { evaluation_keys, ..Bytes::default() };
    let mut logits = Vec::with_capacity(images.len() * model.classes());
    for first in (0..images.len()).step_by(settings.batch_size) {
        let range = first..images.len().min(first + settings.batch_size);
        watch.say("encrypt");
        let start = Instant::now();
        let input = client.encrypt(model, images, range.clone())?;
        encrypt.push(start.elapsed().as_secs_f64());
        bytes.input = input.rows().byte_len() as u64;
        watch.encrypted();

        let start = Instant::now();
        let (output, steps) = server.run(input, &mut watch)?;
        let took = start.elapsed().as_secs_f64();
        seconds.server.push(took);
        times.push(steps);
        bytes.output = output.byte_len() as u64;

        watch.say("decrypt");
        let start = Instant::now();
        logits.extend(client.decrypt(&output, range.len())?);
        decrypt.push(start.elapsed().as_secs_f64());
        watch.batch_done(took);
    }
    seconds.encrypt = median(&encrypt);
    seconds.decrypt = median(&decrypt);
    Ok(EncryptedRun {
        logits: Logits::new(model.classes(), logits)?,
        isa: context.isa().name(),
        steps: steps(&compiled, &times),
        seconds,
        bytes,
        compiled,
    })
}

/// What the program takes: the type of its only input.
fn input_type(compiled: &Compiled) -> anyhow::Result<CipherType> {
    let mut inputs = compiled.program.inputs();
    match (inputs.next(), inputs.next()) {
        (Some((_, _, value)), None) => Ok(value.clone()),
        _ => anyhow::bail!("the program does not have one input"),
    }
}

/// The key owner.
struct Client<'a> {
    input: CipherType,
    encryptor: SymmetricEncryptor<'a>,
    decryptor: Decryptor<'a>,
    encoder: Encoder,
}

impl Client<'_> {
    /// One ciphertext per pixel, images in the slots.
    fn encrypt(
        &mut self,
        model: &Model,
        images: &LabelledImages,
        range: Range<usize>,
    ) -> anyhow::Result<SeededCiphertextTensor> {
        let batch = Batch::from_images(model.input(images, range)?.data(), self.input.elements())?;
        let rows: Vec<&[f64]> = batch.rows().collect();
        Ok(self.encryptor.encrypt_tensor(&rows, self.input.level, self.input.scale)?)
    }

    /// Logits, image after image.
    fn decrypt(&self, output: &CiphertextTensor, images: usize) -> anyhow::Result<Vec<f64>> {
        let plain = self.decryptor.decrypt(output)?;
        Ok(decode(&self.encoder, &plain, images)?.to_images())
    }
}

/// Who computes, with evaluation keys and nothing secret.
struct Server {
    backend: CkksBackend,
    prepared: Prepared<CkksBackend>,
}

impl Server {
    fn new(context: &Arc<CkksContext>, compiled: &Compiled, key: RelinearizationKey) -> anyhow::Result<Server> {
        let keys = EvaluationKeys { relinearization: Some(key), ..EvaluationKeys::default() };
        let backend = CkksBackend::new(context, keys);
        let prepared = prepare(&backend, &compiled.program)?;
        Ok(Server { backend, prepared })
    }

    /// Runs the program; also the seconds of each operation. The map that reads the input draws what its seed stands for.
    fn run(&self, input: SeededCiphertextTensor, watch: &mut Watch) -> anyhow::Result<(CiphertextTensor, Vec<f64>)> {
        let mut recorder = Recorder::new(watch);
        let mut outputs = execute::run(&self.backend, &self.prepared, vec![input.into()], &mut recorder)?;
        let seconds = recorder.times().iter().map(|t| t.duration.as_secs_f64()).collect();
        let output = outputs.pop().filter(|_| outputs.is_empty());
        let output = output.context("the program does not have one output")?;
        Ok((output.into_ciphertexts(self.backend.context())?, seconds))
    }
}

/// Seconds that the compiler forecasts for each operation.
fn forecast(compiled: &Compiled) -> Vec<f64> {
    compiled.explain.operations.iter().map(|operation| operation.seconds).collect()
}

/// The operations of the program with the median of their times.
fn steps(compiled: &Compiled, times: &[Vec<f64>]) -> Vec<Step> {
    let nodes = compiled.program.nodes().iter().enumerate();
    let step = |(index, node): (usize, &Node)| {
        let each: Vec<f64> = times.iter().filter_map(|t| t.get(index)).copied().collect();
        Step::of(node, median(&each))
    };
    nodes.map(step).collect()
}

#[cfg(test)]
mod tests;
