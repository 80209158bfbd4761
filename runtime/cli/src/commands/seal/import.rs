//! `henge seal import`: SEAL's files become Henge's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use execute::ckks::CkksTensor;
use he_ckks::{CiphertextTensor, CkksContext};
use he_rlwe::EvaluationKeys;
use he_rlwe::wire::WireObject;
use seal_format::convert::Converter;
use seal_format::{Ciphertext, GaloisKeys, Load, PublicKey, RelinKeys, SecretKey};
use zeroize::Zeroizing;

use super::{MAX_FILE, Parameters, Report, load};
use crate::args::Args;
use crate::args::seal::{Import, ImportCiphertexts, ImportEvaluationKeys, ImportKey, ImportParameters, To};
use crate::bundle::{Form, Header, Role, write_tensor};
use crate::files;
use crate::identity::{KeyId, ProgramId};
use crate::interface::{Interface, Port};

pub(super) fn import(args: &Args, command: &Import) -> anyhow::Result<()> {
    match command {
        Import::Parameters(command) => parameters(args, command),
        Import::SecretKey(command) => secret_key(args, command),
        Import::PublicKey(command) => public_key(args, command),
        Import::RelinearizationKeys(ImportKey { file, under, pair, to }) => {
            let files = Switching { relinearization: Some(file), ..Switching::default() };
            evaluation_keys(args, "relinearization keys", files, (&under.params, pair.as_deref(), to))
        }
        Import::GaloisKeys(ImportKey { file, under, pair, to }) => {
            let files = Switching { galois: Some(file), ..Switching::default() };
            evaluation_keys(args, "Galois keys", files, (&under.params, pair.as_deref(), to))
        }
        Import::EvaluationKeys(ImportEvaluationKeys { relinearization, galois, under, pair, to }) => {
            let files = Switching { relinearization: relinearization.as_deref(), galois: galois.as_deref() };
            evaluation_keys(args, "evaluation keys", files, (&under.params, pair.as_deref(), to))
        }
        Import::Ciphertexts(command) => ciphertexts(args, command),
    }
}

/// Parameters with their conversions.
struct Under {
    parameters: Parameters,
    context: Arc<CkksContext>,
    converter: Converter,
}

impl Under {
    fn read(args: &Args, path: &Path) -> anyhow::Result<Under> {
        let parameters = Parameters::read(args, path)?;
        let context = CkksContext::new(parameters.params.clone())?;
        let converter = Converter::new(&context).with_context(|| path.display().to_string())?;
        Ok(Under { parameters, context, converter })
    }
}

fn parameters(args: &Args, command: &ImportParameters) -> anyhow::Result<()> {
    let ImportParameters { file, log_scale, to } = command;
    let bytes = files::read(file, super::MAX_PARAMETERS)?;
    let params = super::seal_parameters(args, file, &bytes, *log_scale)?;
    let line = crate::security::admit(&params, args.insecure)?;
    let mut report = Report::new("parameters", &params);
    let literal = super::literal_json(params.literal())?;
    report.write(to.force, &to.output, false, |out| Ok(out.write_all(literal.as_bytes())?))?;
    report.print(line, to.json)
}

/// The mark of the key pair that a file of Henge's belongs to.
fn mark_of(path: &Path) -> anyhow::Result<KeyId> {
    let header = Header::read_any(&mut files::open(path)?).with_context(|| path.display().to_string())?;
    Ok(header.key)
}

/// Writes a key in Henge's format.
fn write_key(mut report: Report, under: Under, to: &To, role: Role, key: KeyId, bytes: &[u8]) -> anyhow::Result<()> {
    report.pair = Some(key.to_string());
    report.write(to.force, &to.output, role == Role::SecretKey, |out| {
        Header::of_key(role, key).write_to(out)?;
        Ok(out.write_all(bytes)?)
    })?;
    report.print(under.parameters.line, to.json)
}

fn secret_key(args: &Args, command: &ImportKey) -> anyhow::Result<()> {
    let ImportKey { file, under, pair, to } = command;
    let under = Under::read(args, &under.params)?;
    let found = load::<SecretKey>(file, "SEAL's secret key", under.converter.seal())?;
    let key = under.converter.secret_key_from_seal(&found).with_context(|| file.display().to_string())?;
    drop(found);
    let bytes = Zeroizing::new(key.to_bytes(&under.context)?);
    // A mark that says nothing about the key.
    let mark = pair.as_deref().map_or_else(KeyId::fresh, mark_of)?;
    write_key(Report::new("secret key", &under.parameters.params), under, to, Role::SecretKey, mark, &bytes)
}

fn public_key(args: &Args, command: &ImportKey) -> anyhow::Result<()> {
    let ImportKey { file, under, pair, to } = command;
    let under = Under::read(args, &under.params)?;
    let found = load::<PublicKey>(file, "SEAL's public key", under.converter.seal())?;
    let key = under.converter.public_key_from_seal(&found).with_context(|| file.display().to_string())?;
    let bytes = key.to_bytes(under.context.rlwe())?;
    let mark = pair.as_deref().map_or_else(|| Ok(KeyId::of(&bytes)), mark_of)?;
    write_key(Report::new("public key", &under.parameters.params), under, to, Role::PublicKey, mark, &bytes)
}

/// SEAL's files of keys that Henge keeps together.
#[derive(Default)]
struct Switching<'a> {
    relinearization: Option<&'a Path>,
    galois: Option<&'a Path>,
}

fn evaluation_keys(
    args: &Args,
    object: &'static str,
    files: Switching<'_>,
    (params, pair, to): (&Path, Option<&Path>, &To),
) -> anyhow::Result<()> {
    let under = Under::read(args, params)?;
    let mut keys = EvaluationKeys::default();
    if let Some(path) = files.relinearization {
        let found = load::<RelinKeys>(path, "SEAL's relinearization keys", under.converter.seal())?;
        let key = under.converter.relinearization_key_from_seal(&found).with_context(|| path.display().to_string())?;
        keys.relinearization = Some(key);
    }
    if let Some(path) = files.galois {
        let found = load::<GaloisKeys>(path, "SEAL's Galois keys", under.converter.seal())?;
        keys.galois = under.converter.galois_keys_from_seal(&found).with_context(|| path.display().to_string())?;
    }
    let mut report = Report::new(object, &under.parameters.params);
    report.count = usize::from(keys.relinearization.is_some()) + keys.galois.len();
    let bytes = keys.to_bytes(under.context.rlwe())?;
    let mark = pair.map_or_else(|| Ok(KeyId::of(&bytes)), mark_of)?;
    write_key(report, under, to, Role::EvaluationKeys, mark, &bytes)
}

fn ciphertexts(args: &Args, command: &ImportCiphertexts) -> anyhow::Result<()> {
    let ImportCiphertexts { files: paths, under, pair, images, outputs, to } = command;
    let under = Under::read(args, &under.params)?;
    let key = mark_of(pair)?;
    let found = read_ciphertexts(paths, &under.converter)?;
    let role = if *outputs { Role::Outputs } else { Role::Inputs };
    let count = found.len();
    let tensors = match &under.parameters.interface {
        Some(interface) => in_ports(if *outputs { interface.outputs() } else { interface.inputs() }, found)?,
        None => vec![(String::new(), one_tensor(&found.iter().collect::<Vec<_>>())?)],
    };
    let slots = under.context.slots() as u32;
    let images = images.unwrap_or(slots);
    anyhow::ensure!(images <= slots, "a batch of {images} images, there are {slots} slots");
    let program = under.parameters.interface.as_ref().map_or(ProgramId::NONE, Interface::program);
    let (names, tensors): (Vec<String>, Vec<CkksTensor>) = tensors.into_iter().unzip();
    let objects = names.into_iter().zip(tensors.iter().map(Form::of)).collect();
    let header = Header { role, key, program, images, objects };
    let mut report = Report::new("ciphertexts", &under.parameters.params);
    (report.count, report.pair) = (count, Some(key.to_string()));
    report.write(to.force, &to.output, false, |out| {
        header.write_to(out)?;
        tensors.iter().try_for_each(|tensor| write_tensor(&under.context, tensor, out))
    })?;
    report.print(under.parameters.line, to.json)
}

/// A ciphertext and where it was read.
pub(super) struct Found {
    pub(super) ciphertext: CiphertextTensor,
    place: String,
}

/// All ciphertexts of all files, in order.
pub(super) fn read_ciphertexts(paths: &[PathBuf], converter: &Converter) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for path in paths {
        let bytes = files::read(path, MAX_FILE)?;
        let mut rest = bytes.as_slice();
        let mut number = 0;
        // An empty file holds no ciphertext, and is refused as one.
        while number == 0 || !rest.is_empty() {
            let place = || format!("{}, ciphertext {number}", path.display());
            let (seal, length) = Ciphertext::load(rest, converter.seal()).with_context(place)?;
            let ciphertext = converter.ciphertext_from_seal(&seal).with_context(place)?;
            found.push(Found { ciphertext, place: place() });
            rest = rest.get(length..).unwrap_or_default();
            number += 1;
        }
    }
    Ok(found)
}

/// The ciphertexts as the model's inputs or outputs want them.
fn in_ports(ports: &[Port], found: Vec<Found>) -> anyhow::Result<Vec<(String, CkksTensor)>> {
    let expected: usize = ports.iter().map(Port::elements).sum();
    anyhow::ensure!(found.len() == expected, "{} ciphertexts, the interface has {expected}", found.len());
    let mut found = found.iter();
    let tensor = |port: &Port| {
        let of_port: Vec<&Found> = found.by_ref().take(port.elements()).collect();
        for Found { ciphertext: x, place } in &of_port {
            let (level, scale) = (x.level(), x.scale());
            anyhow::ensure!(
                level == port.level && scale.is_close(port.scale),
                "{place}: level {level} and scale {scale}, the interface has level {} and scale {} for {:?}",
                port.level,
                port.scale,
                port.name
            );
        }
        Ok((port.name.clone(), one_tensor(&of_port)?))
    };
    ports.iter().map(tensor).collect()
}

/// Ciphertexts that agree in level, scale and components as one tensor.
fn one_tensor(found: &[&Found]) -> anyhow::Result<CkksTensor> {
    let kind = |x: &CiphertextTensor| (x.level(), x.scale(), x.component_count());
    if let Some((first, rest)) = found.split_first() {
        let expected = kind(&first.ciphertext);
        for Found { ciphertext, place } in rest {
            let found = kind(ciphertext);
            let show = |(level, scale, components)| format!("level {level}, scale {scale}, {components} components");
            anyhow::ensure!(found == expected, "{place}: {}, the first has {}", show(found), show(expected));
        }
    }
    let parts: Vec<&CiphertextTensor> = found.iter().map(|found| &found.ciphertext).collect();
    Ok(CiphertextTensor::concat(&parts)?.into())
}
