//! CryptoNets by each contender: the committed model, one batch of MNIST test images, labels.
//!
//! What crosses between client and server is the same on all sides: one ciphertext per pixel, images in the slots, one
//! ciphertext per logit back. Every contender gets the weights as the model file has them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use datasets::{Dataset, LabelledImages, Part, data_root_from};
use execute::ckks::{CkksBackend, decode};
use execute::{Batch, Prepared, Recorder, prepare};
use graph::import::onnx::{self, ImportOptions};
use graph::{Tensor, interpret};
use he_ckks::{CiphertextTensor, CkksContext, Encoder, Seed, SeededCiphertextTensor};
use he_params::{RequiredSecurity, RingType};
use he_ring::Isa;
use he_rlwe::EvaluationKeys;
use he_secret::{Decryptor, KeyGenerator, SecretKey, SymmetricEncryptor};
#[cfg(feature = "seal")]
use seal_bridge::{SealBackend, SealTensor};
use transforms::ranges::Interval;
use transforms::{CompileOptions, Compiled, DEFAULT_PRECISION_BITS, compile};

const MODEL: &str = "experiments/cryptonets/models/mnist_squashed.onnx";
/// Training images that the compiler looks at, as `//experiments:cryptonets` has it.
const CALIBRATION_IMAGES: usize = 1024;

/// Which program the compiler writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As it does when nothing is said: N/2 slots.
    Usual,
    /// What SEAL does apart is kept apart.
    SealExact,
    /// N real slots.
    ConjugateInvariant,
}

/// Bits of precision asked for where slots are real: their errors are bounded by twice as many standard deviations, for the same probability, so
/// that a bit less is promised of the same errors.
const REAL_PRECISION_BITS: f64 = DEFAULT_PRECISION_BITS - 1.0;

/// The network and a batch for it.
pub(crate) struct Task {
    pub(crate) compiled: Compiled,
    pub(crate) images: usize,
    /// `[pixel][image]`.
    pub(crate) pixels: Batch,
    labels: Vec<u8>,
    /// What the model says in the clear.
    clear: Vec<usize>,
}

/// Where a contender put the images.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labels {
    pub(crate) labels: Vec<usize>,
    /// Share that it put where the data set has them, and where the model in the clear does.
    pub(crate) accuracy: f64,
    pub(crate) agreement: f64,
}

impl Task {
    /// Compiles the committed model for a batch of test images: as many as N = 2^13 has slots, on parameters of 128 bits.
    /// `quick` takes few images, and the smallest parameters that compute correctly, whatever their security.
    pub(crate) fn load(quick: bool, threads: usize, kind: Kind) -> anyhow::Result<Task> {
        let images = match kind {
            _ if quick => 64,
            Kind::Usual | Kind::SealExact => 4096,
            Kind::ConjugateInvariant => 8192,
        };
        let path = model()?;
        let file = std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let graph = onnx::from_bytes(&file, &ImportOptions::default())?;
        let &[input] = graph.inputs() else { anyhow::bail!("the model does not have one input") };
        let (name, shape) = (graph.value(input).name().to_owned(), graph.shape(input).per_image());

        let named = std::env::var_os("HENGE_DATA").map(PathBuf::from);
        let root = data_root_from(named.as_deref(), Path::new(""))?;
        let training = Dataset::Mnist.load(&root, Part::Train)?.take(CALIBRATION_IMAGES);
        let test = Dataset::Mnist.load(&root, Part::Test)?.take(images);

        let mut options = CompileOptions::new(images);
        options.calibration = vec![tensor(&training, &shape)?];
        options.threads = threads;
        options.seal_exact = kind == Kind::SealExact;
        if kind == Kind::ConjugateInvariant {
            options.ring = RingType::ConjugateInvariant;
            options.precision_bits = REAL_PRECISION_BITS;
        }
        if quick {
            options.security = RequiredSecurity::Insecure;
        }
        options.input_ranges.insert(name, Interval::new(0.0, 1.0));
        let compiled = compile(&graph, &options)?;

        let input = tensor(&test, &shape)?;
        let pixels = Batch::from_images(input.data(), shape.iter().product())?;
        let logits = interpret::run(&graph, &[input])?;
        let clear = logits.first().context("no output")?.data().chunks_exact(10).map(largest).collect();
        Ok(Task { compiled, images, pixels, labels: test.labels().to_vec(), clear })
    }

    /// The linear layers, between which there are squares.
    #[cfg(feature = "seal")]
    pub(crate) fn layers(&self) -> anyhow::Result<Vec<&graph::affine::AffineMap>> {
        use transforms::lowering::Gate;

        let mut layers = Vec::new();
        for (position, node) in self.compiled.circuit.nodes.iter().skip(1).enumerate() {
            match (&node.gate, position % 2) {
                (Gate::Linear(map), 0) => layers.push(map.as_ref()),
                (Gate::Square, 1) => {}
                (gate, _) => anyhow::bail!("{} where linear layers and squares alternate", gate.verb()),
            }
        }
        Ok(layers)
    }

    /// Judges logits, `[class][image]`.
    pub(crate) fn judge(&self, logits: &[f64]) -> anyhow::Result<Labels> {
        ensure!(logits.len() == 10 * self.images, "{} logits of {} images", logits.len(), self.images);
        let label = |image: usize| {
            let of_image: Vec<f64> =
                (0..10).filter_map(|class| logits.get(class * self.images + image)).copied().collect();
            largest(&of_image)
        };
        let labels: Vec<usize> = (0..self.images).map(label).collect();
        let share = |hits: usize| hits as f64 / self.images as f64;
        let accuracy = share(labels.iter().zip(&self.labels).filter(|(a, b)| **a == usize::from(**b)).count());
        let agreement = share(labels.iter().zip(&self.clear).filter(|(a, b)| a == b).count());
        Ok(Labels { labels, accuracy, agreement })
    }
}

fn model() -> anyhow::Result<PathBuf> {
    // Bazel lays it below the working directory; cargo names this crate's folder.
    let below_crate = std::env::var_os("CARGO_MANIFEST_DIR").map(|folder| Path::new(&folder).join("../..").join(MODEL));
    let found = [Some(PathBuf::from(MODEL)), below_crate].into_iter().flatten().find(|path| path.exists());
    found.with_context(|| format!("{MODEL} is not there: run from the root of the repository"))
}

fn tensor(images: &LabelledImages, shape: &[usize]) -> anyhow::Result<Tensor> {
    let mut dims = vec![images.len()];
    dims.extend(shape);
    Ok(Tensor::new(dims, images.pixels().iter().map(|p| f64::from(*p) / 255.0).collect())?)
}

fn largest(logits: &[f64]) -> usize {
    logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}

/// Henge, on one instruction set.
pub(crate) struct Henge {
    context: Arc<CkksContext>,
    secret: SecretKey,
    backend: CkksBackend,
    prepared: Prepared<CkksBackend>,
}

impl Henge {
    pub(crate) fn new(task: &Task, isa: Isa) -> anyhow::Result<Henge> {
        let context = CkksContext::with_isa(task.compiled.params.clone(), isa)?;
        let secret = SecretKey::generate(&context, &Seed::new([1; 32]))?;
        let relinearization = KeyGenerator::new(&context, &secret, Seed::new([2; 32])).relinearization_key()?;
        let keys = EvaluationKeys { relinearization: Some(relinearization), ..EvaluationKeys::default() };
        let backend = CkksBackend::new(&context, keys);
        let prepared = prepare(&backend, &task.compiled.program)?;
        Ok(Henge { context, secret, backend, prepared })
    }

    /// The same keys and the same program on SEAL.
    #[cfg(feature = "seal")]
    pub(crate) fn on_seal(&self, task: &Task) -> anyhow::Result<OnSeal> {
        let keys = KeyGenerator::new(&self.context, &self.secret, Seed::new([2; 32])).relinearization_key()?;
        let keys = EvaluationKeys { relinearization: Some(keys), ..EvaluationKeys::default() };
        let backend = SealBackend::for_ckks(&self.context, &keys)?;
        let prepared = prepare(&backend, &task.compiled.program)?;
        Ok(OnSeal { backend, prepared })
    }

    /// Encodes and encrypts under the secret key; half of each ciphertext is a seed.
    pub(crate) fn encrypt(&self, task: &Task) -> anyhow::Result<SeededCiphertextTensor> {
        let (_, _, input) = task.compiled.program.inputs().next().context("the program has no input")?;
        let rows: Vec<&[f64]> = task.pixels.rows().collect();
        // A seed of its own for every call would be drawn by a client; figures do not depend on it.
        let mut encryptor = SymmetricEncryptor::new(&self.context, &self.secret, &Seed::new([3; 32]));
        Ok(encryptor.encrypt_tensor(&rows, input.level, input.scale)?)
    }

    /// The server's work on a received batch, the expansion of its seeds included; `times` hears of every node.
    pub(crate) fn run(&self, input: SeededCiphertextTensor, times: &mut Recorder) -> anyhow::Result<CiphertextTensor> {
        let mut outputs = execute::run(&self.backend, &self.prepared, vec![input.into()], times)?;
        Ok(outputs.pop().context("the program has no output")?.into_ciphertexts(&self.context)?)
    }

    /// What keys and ciphertexts stand in.
    pub(crate) fn context(&self) -> &CkksContext {
        &self.context
    }

    /// Logits, `[class][image]`.
    pub(crate) fn decrypt(&self, output: &CiphertextTensor, images: usize) -> anyhow::Result<Vec<f64>> {
        let plain = Decryptor::new(&self.context, &self.secret).decrypt(output)?;
        Ok(decode(&Encoder::new(&self.context), &plain, images)?.values().to_vec())
    }
}

/// The server on SEAL.
#[cfg(feature = "seal")]
pub(crate) struct OnSeal {
    backend: SealBackend,
    prepared: Prepared<SealBackend>,
}

#[cfg(feature = "seal")]
impl OnSeal {
    /// What Henge's client sent, for SEAL.
    pub(crate) fn import(&self, henge: &Henge, input: SeededCiphertextTensor) -> anyhow::Result<SealTensor> {
        Ok(self.backend.import(&henge.context, input.into())?)
    }

    /// The server's work on a batch.
    pub(crate) fn run(&self, input: SealTensor) -> anyhow::Result<SealTensor> {
        let mut outputs = execute::run(&self.backend, &self.prepared, vec![input], &mut ())?;
        outputs.pop().context("the program has no output")
    }

    /// What goes back to Henge's client.
    pub(crate) fn export(&self, henge: &Henge, output: &SealTensor) -> anyhow::Result<CiphertextTensor> {
        Ok(self.backend.export(&henge.context, output)?)
    }
}
