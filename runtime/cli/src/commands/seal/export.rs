//! `henge seal export`: Henge's files become SEAL's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use he_ckks::CkksContext;
use he_rlwe::{EvaluationKeys, PublicKey};
use he_secret::SecretKey;
use seal_format::convert::{self, Converter};
use seal_format::{Compression, Save};

use super::{Parameters, Report};
use crate::args::Args;
use crate::args::seal::{self, Export, ExportCiphertexts, ExportEvaluationKeys, ExportObject, ExportParameters, Form};
use crate::bundle::{Role, read_one, read_whatever_tensors};

pub(super) fn export(args: &Args, command: &Export) -> anyhow::Result<()> {
    match command {
        Export::Parameters(command) => parameters(args, command),
        Export::SecretKey(command) => Exported::read(args, command)?.secret_key(),
        Export::PublicKey(command) => Exported::read(args, command)?.public_key(),
        Export::RelinearizationKeys(command) => Exported::read(args, command)?.relinearization_keys(),
        Export::GaloisKeys(command) => Exported::read(args, command)?.galois_keys(),
        Export::EvaluationKeys(command) => evaluation_keys(args, command),
        Export::Ciphertexts(command) => ciphertexts(args, command),
    }
}

impl Form {
    fn compression(&self, default: Compression) -> Compression {
        match self.compression {
            None => default,
            Some(seal::Compression::None) => Compression::None,
            Some(seal::Compression::Zlib) => Compression::Zlib,
            Some(seal::Compression::Zstd) => Compression::Zstd,
        }
    }

    fn bytes(&self, object: &impl Save) -> anyhow::Result<Vec<u8>> {
        Ok(object.save_for(self.compression(Compression::Zstd), self.seal)?)
    }
}

fn parameters(args: &Args, command: &ExportParameters) -> anyhow::Result<()> {
    let ExportParameters { under, form, to } = command;
    let parameters = Parameters::read(args, &under.params)?;
    let parms =
        convert::encryption_parameters(&parameters.params).with_context(|| under.params.display().to_string())?;
    // What SEAL will say of them.
    let seal = seal_format::Context::new(parms.clone())?.security();
    let mut report = Report::new("parameters", &parameters.params);
    (report.security, report.security_bits) = (seal.to_string(), seal.bits);
    let bytes = form.bytes(&parms)?;
    report.write(to.force, &to.output, false, |out| Ok(out.write_all(&bytes)?))?;
    report.print(parameters.line, to.json)
}

/// A key to export, and what it is under.
struct Exported<'a> {
    command: &'a ExportObject,
    parameters: Parameters,
    context: Arc<CkksContext>,
    converter: Converter,
}

impl<'a> Exported<'a> {
    fn read(args: &Args, command: &'a ExportObject) -> anyhow::Result<Self> {
        let (parameters, context, converter) = under(args, &command.under.params)?;
        Ok(Exported { command, parameters, context, converter })
    }

    fn write(self, object: &'static str, count: usize, private: bool, bytes: &[u8]) -> anyhow::Result<()> {
        let to = &self.command.to;
        let mut report = Report::new(object, &self.parameters.params);
        report.count = count;
        report.write(to.force, &to.output, private, |out| Ok(out.write_all(bytes)?))?;
        report.print(self.parameters.line, to.json)
    }

    fn secret_key(self) -> anyhow::Result<()> {
        let most = SecretKey::body_len(&self.context);
        let (_, key) = read_one::<SecretKey>(&self.command.file, Role::SecretKey, &self.context, most)?;
        let key = self.converter.secret_key_to_seal(&key)?;
        // A compressor would keep a copy.
        let bytes = key.save_for(self.command.form.compression(Compression::None), self.command.form.seal)?;
        self.write("secret key", 1, true, &bytes)
    }

    fn public_key(self) -> anyhow::Result<()> {
        let most = PublicKey::max_body_len(self.context.rlwe())?;
        let (_, key) = read_one::<PublicKey>(&self.command.file, Role::PublicKey, self.context.rlwe(), most)?;
        let bytes = self.command.form.bytes(&self.converter.public_key_to_seal(&key)?)?;
        self.write("public key", 1, false, &bytes)
    }

    fn relinearization_keys(self) -> anyhow::Result<()> {
        let file = &self.command.file;
        let bytes = relinearization(file, &read_keys(file, &self.context)?, &self.converter, &self.command.form)?;
        self.write("relinearization keys", 1, false, &bytes)
    }

    fn galois_keys(self) -> anyhow::Result<()> {
        let file = &self.command.file;
        let keys = read_keys(file, &self.context)?;
        let bytes = galois(file, &keys, &self.converter, &self.command.form)?;
        self.write("Galois keys", keys.galois.len(), false, &bytes)
    }
}

fn read_keys(file: &Path, context: &CkksContext) -> anyhow::Result<EvaluationKeys> {
    // A key for every element of the group; memory is taken as bytes arrive.
    let most = EvaluationKeys::max_body_len(context.rlwe(), context.params().n())?;
    Ok(read_one(file, Role::EvaluationKeys, context.rlwe(), most)?.1)
}

fn relinearization(file: &Path, keys: &EvaluationKeys, converter: &Converter, form: &Form) -> anyhow::Result<Vec<u8>> {
    let nothing = || format!("{} holds no relinearization key", file.display());
    let key = keys.relinearization.as_ref().with_context(nothing)?;
    form.bytes(&converter.relinearization_key_to_seal(key)?)
}

fn galois(file: &Path, keys: &EvaluationKeys, converter: &Converter, form: &Form) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(!keys.galois.is_empty(), "{} holds no Galois keys", file.display());
    form.bytes(&converter.galois_keys_to_seal(&keys.galois)?)
}

fn evaluation_keys(args: &Args, command: &ExportEvaluationKeys) -> anyhow::Result<()> {
    let ExportEvaluationKeys { file, relinearization: of_relinearization, galois: of_galois, .. } = command;
    let (parameters, context, converter) = under(args, &command.under.params)?;
    let keys = read_keys(file, &context)?;
    let mut report = Report::new("evaluation keys", &parameters.params);
    report.count = 0;
    let mut written = Vec::new();
    if let Some(path) = of_relinearization {
        written.push((path, relinearization(file, &keys, &converter, &command.form)?));
        report.count += 1;
    }
    if let Some(path) = of_galois {
        written.push((path, galois(file, &keys, &converter, &command.form)?));
        report.count += keys.galois.len();
    }
    for (path, bytes) in written {
        report.write(command.force, path, false, |out| Ok(out.write_all(&bytes)?))?;
    }
    report.print(parameters.line, command.json)
}

fn under(args: &Args, path: &Path) -> anyhow::Result<(Parameters, Arc<CkksContext>, Converter)> {
    let parameters = Parameters::read(args, path)?;
    let context = CkksContext::new(parameters.params.clone())?;
    let converter = Converter::new(&context).with_context(|| path.display().to_string())?;
    Ok((parameters, context, converter))
}

fn ciphertexts(args: &Args, command: &ExportCiphertexts) -> anyhow::Result<()> {
    let ExportCiphertexts { file, under: of, form, each, to } = command;
    let (parameters, context, converter) = under(args, &of.params)?;
    let (header, tensors) = read_whatever_tensors(file, &context)?;
    if let Some(interface) = &parameters.interface {
        header.expect_program(file, interface.program())?;
    }
    let mut report = Report::new("ciphertexts", &parameters.params);
    (report.count, report.pair) = (0, Some(header.key.to_string()));
    let tensors = tensors.into_iter().map(|tensor| tensor.into_ciphertexts(&context)).collect::<Result<Vec<_>, _>>()?;
    let values = tensors.iter().flat_map(|tensor| (0..tensor.values()).map(move |value| (tensor, value)));
    if *each {
        for (number, (tensor, value)) in values.enumerate() {
            let bytes = form.bytes(&converter.ciphertext_to_seal(tensor, value)?)?;
            report.write(to.force, &numbered(&to.output, number), false, |out| Ok(out.write_all(&bytes)?))?;
            report.count += 1;
        }
    } else {
        let mut count = 0;
        report.write(to.force, &to.output, false, |out| {
            for (tensor, value) in values {
                out.write_all(&form.bytes(&converter.ciphertext_to_seal(tensor, value)?)?)?;
                count += 1;
            }
            Ok(())
        })?;
        report.count = count;
    }
    report.print(parameters.line, to.json)
}

/// `logits.seal` to `logits.7.seal`.
fn numbered(path: &Path, number: usize) -> PathBuf {
    match path.extension() {
        Some(extension) => path.with_extension(format!("{number}.{}", extension.to_string_lossy())),
        None => path.with_extension(number.to_string()),
    }
}
