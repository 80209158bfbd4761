//! `henge seal`: Microsoft SEAL's files and Henge's, one into the other. Pure Rust: no SEAL is needed.

mod decrypt;
mod export;
mod import;
mod inspect;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use he_params::{CkksParams, CkksParamsLiteral, RequiredSecurity, SecurityBits};
use seal_format::{EncryptionParameters, Load, Reader, convert};
use serde::Serialize;

use crate::args::Args;
use crate::args::seal::Seal;
use crate::files::{self, Place};
use crate::interface::{Either, Interface};
use crate::security;

/// The two bytes that every SEAL object begins with.
const MAGIC: [u8; 2] = [0x5e, 0xa1];
/// Longest file of parameters, an interface or SEAL's own.
const MAX_PARAMETERS: u64 = 1 << 20;
/// Longest file of ciphertexts, and of anything whose parameters are not known; what is read stands in memory. SEAL's largest ciphertext has 16 polynomials
/// of 131072 words under each of 256 primes. A key under known parameters is read as far as it can be long, [`Load::max_len`].
const MAX_FILE: u64 = 16 * 131_072 * 256 * 8 + (1 << 24);

pub(crate) fn seal(args: &Args, command: &Seal) -> anyhow::Result<()> {
    match command {
        Seal::Import(command) => import::import(args, command),
        Seal::Export(command) => export::export(args, command),
        Seal::Inspect(command) => inspect::inspect(args, command),
        Seal::Decrypt(command) => decrypt::decrypt(args, command),
    }
}

/// The parameters an object belongs to, and what a report says of them.
struct Parameters {
    params: CkksParams,
    /// When they came from an interface.
    interface: Option<Interface>,
    /// The line that a report must begin with.
    line: Option<String>,
}

impl Parameters {
    /// Parameters from an interface, from a JSON literal, or from SEAL's own file.
    fn read(args: &Args, path: &Path) -> anyhow::Result<Parameters> {
        let bytes = files::read(path, MAX_PARAMETERS)?;
        let (params, interface) = if bytes.starts_with(&MAGIC) {
            (seal_parameters(args, path, &bytes, None)?, None)
        } else {
            match Either::parse(path, &bytes)? {
                Either::Interface(interface) => (interface.params().clone(), Some(*interface)),
                Either::Params(params) => (*params, None),
            }
        };
        let line = security::admit(&params, args.insecure)?;
        Ok(Parameters { params, interface, line })
    }
}

/// SEAL's parameters as Henge's: 128 bits by the standard of 2018, or what `--insecure` accepts.
fn seal_parameters(args: &Args, path: &Path, bytes: &[u8], log_scale: Option<f64>) -> anyhow::Result<CkksParams> {
    let read = || -> anyhow::Result<CkksParams> {
        let (parms, length) = EncryptionParameters::load(bytes, Reader::Known)?;
        expect_end(bytes, length)?;
        let literal = |security| convert::literal(&parms, log_scale, security);
        let params = CkksParams::try_from(literal(RequiredSecurity::AtLeast(SecurityBits::Bits128))?);
        match params {
            Err(_) if args.insecure => Ok(CkksParams::try_from(literal(RequiredSecurity::Insecure)?)?),
            params => Ok(params?),
        }
    };
    read().with_context(|| format!("{}, SEAL's encryption parameters", path.display()))
}

/// The parameter literal as a person would write it: primes, not their sizes.
fn literal_json(literal: &CkksParamsLiteral) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(literal)? + "\n")
}

/// Refuses bytes behind the only object of a file.
fn expect_end(bytes: &[u8], length: usize) -> anyhow::Result<()> {
    let more = bytes.len().saturating_sub(length);
    anyhow::ensure!(more == 0, "{more} bytes follow the object, expected none");
    Ok(())
}

/// Reads the one object of a SEAL file.
fn load<T: Load>(path: &Path, what: &str, context: &seal_format::Context) -> anyhow::Result<T> {
    let read = || -> anyhow::Result<T> {
        let bytes = zeroize::Zeroizing::new(files::read(path, T::max_len(context))?);
        let (object, length) = T::load(&bytes, context)?;
        expect_end(&bytes, length)?;
        Ok(object)
    };
    read().with_context(|| format!("{} as {what}", path.display()))
}

/// What was read and what was written.
#[derive(Debug, Serialize)]
struct Report {
    /// What the objects are.
    object: &'static str,
    /// Objects moved: 1, or the number of ciphertexts or Galois keys.
    count: usize,
    log_n: u8,
    /// Ciphertext primes, then special ones.
    primes: Vec<u64>,
    security: String,
    security_bits: u32,
    /// The mark of the key pair, where Henge's file has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pair: Option<String>,
    files: Vec<WrittenFile>,
}

#[derive(Debug, Serialize)]
struct WrittenFile {
    path: PathBuf,
    bytes: u64,
}

impl Report {
    fn new(object: &'static str, params: &CkksParams) -> Report {
        Report {
            object,
            count: 1,
            log_n: params.log_n().get(),
            primes: params.q().iter().chain(params.p()).copied().collect(),
            security: params.security_report().to_string(),
            security_bits: params.security_report().bits,
            pair: None,
            files: Vec::new(),
        }
    }

    /// Writes a file, or nothing, and notes it.
    fn write(
        &mut self,
        force: bool,
        path: &Path,
        private: bool,
        fill: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        files::write(path, Place { private, replace: force }, fill)?;
        let bytes = std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
        self.files.push(WrittenFile { path: path.to_owned(), bytes });
        Ok(())
    }

    /// Prints it, after the line on insecure parameters.
    fn print(&self, line: Option<String>, json: bool) -> anyhow::Result<()> {
        if json {
            return super::print(line, true, &(serde_json::to_string_pretty(self)? + "\n"));
        }
        let Report { object, count, log_n, primes, security, pair, .. } = self;
        let number = if *count == 1 { String::new() } else { format!("{count} ") };
        let mut text = format!("{number}{object}: N = 2^{log_n}, {} primes, {security}\n", primes.len());
        if let Some(pair) = pair {
            text.push_str(&format!("key pair {pair}\n"));
        }
        for WrittenFile { path, bytes } in &self.files {
            text.push_str(&format!("{} ({bytes} bytes)\n", path.display()));
        }
        super::print(line, false, &text)
    }
}
