//! `henge run`: the model on encrypted images, or on images in the clear.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use execute::ckks::{CkksBackend, CkksTensor};
use execute::clear::ClearBackend;
use execute::{Backend, Batch, Prepared, Recorder, prepare};
use he_ckks::CkksContext;
use he_ir::HeProgram;
use he_rlwe::EvaluationKeys;
use serde::Serialize;

use crate::args::{self, Args, Run};
use crate::bundle::{Form, Header, Role, read_one, read_tensors, write_tensor};
use crate::files::{self, Place};
use crate::interface::{Interface, Port};
use crate::numbers::{self, Array};
use crate::progress::Bar;
use crate::security;

/// What a run reports.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    backend: &'static str,
    images: usize,
    threads: usize,
    n: usize,
    log_qp: f64,
    security_bits: u32,
    /// Packing the weights.
    prepare_seconds: f64,
    /// The program, from inputs in memory to outputs in memory.
    seconds: f64,
    images_per_second: f64,
    /// Live tensors at the most, planned before the run.
    tensor_bytes_peak: usize,
    weight_bytes: usize,
    layers: Vec<LayerTime>,
    operations: Vec<OperationTime>,
}

#[derive(Debug, Serialize)]
struct LayerTime {
    layer: String,
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct OperationTime {
    index: usize,
    operation: &'static str,
    layer: String,
    ciphertexts: usize,
    seconds: f64,
    bytes_held: usize,
}

pub(crate) fn run(args: &Args, command: &Run) -> anyhow::Result<()> {
    let interface = Interface::read(&command.params)?;
    let line = security::admit(interface.params(), args.insecure)?;
    let graph = super::step(args, "model read", || super::load_model(&command.model))?;
    let program = super::step(args, "compiled", || interface.compile(&graph))?;
    drop(graph);
    let report = match command.backend {
        args::Backend::Ckks => ckks(args, command, &interface, &program)?,
        args::Backend::Seal => seal(args, command, &interface, &program)?,
        args::Backend::Clear => clear(command, &interface, &program)?,
    };
    let text = match command.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.to_string(),
    };
    super::print(line, command.json, &text)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { model, backend, images, seconds, images_per_second, threads, .. } = self;
        write!(f, "{model} ({backend}): {images} images in {seconds:.3} s on {threads} threads")?;
        writeln!(f, ", {images_per_second:.1} images per second")?;
        let width = self.layers.iter().map(|l| l.layer.len()).max().unwrap_or(0);
        let shown = self.layers.iter().filter(|l| l.seconds >= 0.0005);
        shown.map(|l| (&l.layer, l.seconds)).try_for_each(|(layer, s)| writeln!(f, "  {layer:width$}  {s:.3} s"))
    }
}

/// Encrypted images and the keys to compute on them.
struct Encrypted {
    context: Arc<CkksContext>,
    keys: EvaluationKeys,
    header: Header,
    tensors: Vec<CkksTensor>,
}

/// Keys for rotations that a file may hold beside the relinearization key: those that SEAL makes unless told otherwise.
fn most_galois_keys(context: &CkksContext) -> usize {
    2 * usize::from(context.params().log_n().get())
}

impl Encrypted {
    fn read(args: &Args, command: &Run, interface: &Interface) -> anyhow::Result<Encrypted> {
        let context = CkksContext::new(interface.params().clone())?;
        let Some(path) = &command.evaluation_keys else { anyhow::bail!("--evaluation-keys is not given") };
        let most = EvaluationKeys::max_body_len(context.rlwe(), most_galois_keys(&context))?;
        let (keys_header, keys) = read_one::<EvaluationKeys>(path, Role::EvaluationKeys, context.rlwe(), most)?;
        let [input] = command.input.as_slice() else {
            anyhow::bail!("{} inputs given, all encrypted inputs stand in one file", command.input.len());
        };
        let (header, tensors) = super::step(args, "inputs read", || {
            let values: Vec<usize> = interface.inputs().iter().map(Port::elements).collect();
            let (header, tensors) = read_tensors(input.as_ref(), Role::Inputs, &context, &values)?;
            header.expect_program(input.as_ref(), interface.program())?;
            header.expect_key(input.as_ref(), keys_header.key, "evaluation keys")?;
            let (images, slots) = (header.images as usize, context.slots());
            anyhow::ensure!(
                (1..=slots).contains(&images),
                "{input}: a batch of {images} images, there are {slots} slots"
            );
            Ok((header, tensors))
        })?;
        Ok(Encrypted { context, keys, header, tensors })
    }
}

/// Writes the encrypted outputs of a run on these inputs.
fn write_outputs(
    command: &Run,
    interface: &Interface,
    context: &CkksContext,
    inputs: Header,
    outputs: &[CkksTensor],
) -> anyhow::Result<()> {
    let header = Header {
        role: Role::Outputs,
        objects: interface.outputs().iter().map(|port| port.name.clone()).zip(outputs.iter().map(Form::of)).collect(),
        ..inputs
    };
    files::write(&command.output, Place::PLAIN, |out| {
        header.write_to(out)?;
        outputs.iter().try_for_each(|tensor| write_tensor(context, tensor, out))
    })
}

fn ckks(args: &Args, command: &Run, interface: &Interface, program: &HeProgram) -> anyhow::Result<Report> {
    let Encrypted { context, keys, header, tensors } = Encrypted::read(args, command, interface)?;
    let backend = CkksBackend::new(&context, keys);
    let (outputs, report) = timed(&backend, interface, program, tensors, header.images as usize)?;
    write_outputs(command, interface, &context, header, &outputs)?;
    Ok(report)
}

#[cfg(feature = "seal")]
fn seal(args: &Args, command: &Run, interface: &Interface, program: &HeProgram) -> anyhow::Result<Report> {
    let Encrypted { context, keys, header, tensors } = Encrypted::read(args, command, interface)?;
    let backend = seal_bridge::SealBackend::for_ckks(&context, &keys)?;
    let tensors = tensors.into_iter().map(|tensor| backend.import(&context, tensor)).collect::<Result<_, _>>()?;
    let (outputs, report) = timed(&backend, interface, program, tensors, header.images as usize)?;
    let outputs = outputs.iter().map(|tensor| Ok(backend.export(&context, tensor)?.into()));
    write_outputs(command, interface, &context, header, &outputs.collect::<anyhow::Result<Vec<CkksTensor>>>()?)?;
    Ok(report)
}

#[cfg(not(feature = "seal"))]
fn seal(_: &Args, _: &Run, _: &Interface, _: &HeProgram) -> anyhow::Result<Report> {
    anyhow::bail!(
        "--backend seal: this henge was built without Microsoft SEAL; ./bazelw build //runtime/cli:henge has it"
    )
}

fn clear(command: &Run, interface: &Interface, program: &HeProgram) -> anyhow::Result<Report> {
    let params = interface.params();
    numbers::check_name(&command.output, interface.outputs().len())?;
    let arrays =
        super::read_inputs(&command.input, interface.inputs(), (params.slots(), "a ciphertext has slots for"))?;
    let backend = ClearBackend::new(params.q(), params.slots());
    let mut inputs = Vec::with_capacity(arrays.len());
    for ((array, port), (_, _, value)) in arrays.iter().zip(interface.inputs()).zip(program.inputs()) {
        let batch = Batch::from_images(&array.data, port.elements())?;
        port.check_numbers(&batch)?;
        inputs.push(backend.input(value, batch));
    }
    let images = inputs.first().map_or(0, |input| input.batch().images());
    let (outputs, report) = timed(&backend, interface, program, inputs, images)?;
    let named = |(port, tensor): (&Port, execute::clear::ClearTensor)| (port.name.clone(), array(port, tensor.batch()));
    let outputs: Vec<(String, Array)> = interface.outputs().iter().zip(outputs).map(named).collect();
    numbers::write(&command.output, &outputs)?;
    Ok(report)
}

/// A batch as an array with the shape that the model gives it.
pub(super) fn array(port: &Port, batch: &Batch) -> Array {
    Array { dims: [&[batch.images()], port.shape.as_slice()].concat(), data: batch.to_images() }
}

fn timed<B: Backend>(
    backend: &B,
    interface: &Interface,
    program: &HeProgram,
    inputs: Vec<B::Tensor>,
    images: usize,
) -> anyhow::Result<(Vec<B::Tensor>, Report)> {
    let params = interface.params();
    let start = Instant::now();
    let prepared: Prepared<B> = prepare(backend, program)?;
    let prepare_seconds = start.elapsed().as_secs_f64();
    let mut recorder = Recorder::new(Bar::new(program, params));
    let start = Instant::now();
    let outputs = execute::run(backend, &prepared, inputs, &mut recorder)?;
    let seconds = start.elapsed().as_secs_f64();
    let layers = recorder.layers().into_iter();
    let layers = layers.map(|(layer, time)| LayerTime { layer, seconds: time.as_secs_f64() }).collect();
    let (times, bar) = recorder.into_parts();
    bar.finish();
    let operation = |node: execute::NodeTime| OperationTime {
        index: node.index,
        operation: node.verb,
        layer: node.layer,
        ciphertexts: node.elements,
        seconds: node.duration.as_secs_f64(),
        bytes_held: node.bytes_held,
    };
    let report = Report {
        model: interface.model().to_owned(),
        backend: backend.name(),
        images,
        threads: rayon::current_num_threads(),
        n: params.n(),
        log_qp: params.log_qp(),
        security_bits: params.security_report().bits,
        prepare_seconds,
        seconds,
        images_per_second: images as f64 / seconds.max(f64::MIN_POSITIVE),
        tensor_bytes_peak: prepared.memory().peak,
        weight_bytes: prepared.weights_bytes(),
        layers,
        operations: times.into_iter().map(operation).collect(),
    };
    Ok((outputs, report))
}
