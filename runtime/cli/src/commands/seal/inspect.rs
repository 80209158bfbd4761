//! `henge seal inspect`: what one of SEAL's files holds.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use he_params::{GaloisElement, LogN, Rotation};
use seal_format::{
    Ciphertext, Context, EncryptionParameters, GaloisKeys, Header, Load, Outline, ParmsId, Plaintext, PublicKey,
    Reader, RelinKeys, SecretKey,
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{MAGIC, MAX_FILE};
use crate::args::Args;
use crate::args::seal::Inspect;
use crate::files;

/// Most objects of a file that are listed.
const MAX_LISTED: usize = 1 << 16;

/// One object of a file.
#[derive(Debug, Serialize)]
struct Object {
    /// Version of SEAL that wrote it, or was said to.
    seal_version: String,
    compression: String,
    bytes: u64,
    #[serde(flatten)]
    contents: Contents,
}

/// What it holds. Without parameters a message and a key of the same shape are not told apart.
#[derive(Debug, Serialize)]
#[serde(tag = "object", rename_all = "snake_case")]
enum Contents {
    Parameters {
        n: u64,
        primes: Vec<u64>,
        total_bits: u32,
        security: String,
        security_bits: u32,
        parms_id: String,
    },
    Plaintext {
        primes: usize,
        scale: f64,
        parms_id: String,
    },
    PlaintextOrSecretKey {
        coeff_count: u64,
        scale: f64,
        parms_id: String,
    },
    Ciphertext {
        components: usize,
        primes: usize,
        scale: f64,
        seeded: bool,
        ntt: bool,
        parms_id: String,
    },
    CiphertextOrPublicKey {
        n: u64,
        components: u64,
        primes: u64,
        scale: f64,
        seeded: bool,
        ntt: bool,
        parms_id: String,
    },
    SecretKey {
        primes: usize,
    },
    PublicKey {
        primes: usize,
        seeded: bool,
    },
    RelinearizationKeys {
        powers: Vec<usize>,
        digits: u64,
    },
    GaloisKeys {
        elements: Vec<u32>,
        rotations: Vec<String>,
        digits: u64,
    },
}

pub(super) fn inspect(args: &Args, command: &Inspect) -> anyhow::Result<()> {
    let context = command.parms.as_deref().map(|path| context(args, path)).transpose()?;
    // Of one kind of object, Galois keys, there are longer files than of the longest ciphertext.
    let most = context.as_ref().map_or(0, GaloisKeys::max_len).max(MAX_FILE);
    let bytes = Zeroizing::new(files::read(&command.file, most)?);
    let mut objects = Vec::new();
    let mut rest = bytes.as_slice();
    while (objects.is_empty() || !rest.is_empty()) && objects.len() < MAX_LISTED {
        let number = objects.len();
        let place = || match number {
            0 => command.file.display().to_string(),
            _ => format!("{}, object {number}", command.file.display()),
        };
        let (object, length) = object(rest, context.as_ref()).with_context(place)?;
        objects.push(object);
        rest = rest.get(length..).unwrap_or_default();
    }
    if command.json {
        return crate::commands::print(None, true, &(serde_json::to_string_pretty(&objects)? + "\n"));
    }
    crate::commands::print(None, false, &objects.iter().map(Object::text).collect::<String>())
}

/// What files are checked against. Nothing is computed here, so parameters of any security will do.
fn context(args: &Args, path: &Path) -> anyhow::Result<Context> {
    let bytes = files::read(path, super::MAX_PARAMETERS)?;
    if bytes.starts_with(&MAGIC) {
        let read = || Context::new(EncryptionParameters::load(&bytes, Reader::Known)?.0);
        return read().with_context(|| format!("{}, SEAL's encryption parameters", path.display()));
    }
    let params = super::Parameters::read(args, path)?.params;
    let parms = seal_format::convert::encryption_parameters(&params).with_context(|| path.display().to_string())?;
    Ok(Context::new(parms)?)
}

/// The object that `bytes` begin with, and its length.
fn object(bytes: &[u8], context: Option<&Context>) -> anyhow::Result<(Object, usize)> {
    let header = Header::read(bytes, Reader::Known)?;
    let (contents, length) = match EncryptionParameters::load(bytes, Reader::Known) {
        Ok((parms, length)) => (parameters(parms), length),
        Err(_) => match context {
            Some(context) => contents(bytes, context)?,
            None => outlined(bytes)?,
        },
    };
    let (seal_version, compression) = (header.version.to_string(), header.compression.to_string());
    Ok((Object { seal_version, compression, bytes: header.size, contents }, length))
}

/// What the fields at the front say by themselves.
fn outlined(bytes: &[u8]) -> anyhow::Result<(Contents, usize)> {
    let (outline, length) = Outline::read(bytes, Reader::Known)?;
    let contents = match outline {
        Outline::Parameters(parms) => parameters(parms),
        Outline::Plaintext { parms_id, coeff_count, scale } => {
            Contents::PlaintextOrSecretKey { coeff_count, scale, parms_id: parms_id.to_string() }
        }
        Outline::Ciphertext { parms_id, is_ntt_form, size, degree, primes, scale, seeded } => {
            let parms_id = parms_id.to_string();
            let (n, components, ntt) = (degree, size, is_ntt_form);
            Contents::CiphertextOrPublicKey { n, components, primes, scale, seeded, ntt, parms_id }
        }
        // SEAL has at most 14 keys for powers of the secret, and N places for Galois keys.
        Outline::Keys { places, taken, components, .. } if places <= 14 => Contents::RelinearizationKeys {
            powers: taken.iter().map(|place| *place as usize + 2).collect(),
            digits: components,
        },
        Outline::Keys { places, taken, components, .. } => {
            let elements: Vec<u32> = taken.iter().map(|place| 2 * place + 1).collect();
            let rotations = elements.iter().map(|element| rotation(*element, places as usize)).collect();
            Contents::GaloisKeys { elements, rotations, digits: components }
        }
        other => anyhow::bail!("unknown to this command: {other:?}"),
    };
    Ok((contents, length))
}

fn parameters(parms: EncryptionParameters) -> Contents {
    let (n, primes, parms_id) = (parms.degree(), parms.moduli().to_vec(), parms.parms_id().to_string());
    let (total_bits, security, security_bits) = match Context::new(parms) {
        Ok(context) => (context.total_bits(), context.security().to_string(), context.security().bits),
        Err(refused) => (0, format!("SEAL makes no context of them: {refused}"), 0),
    };
    Contents::Parameters { n, primes, total_bits, security, security_bits, parms_id }
}

/// Every reading that the parameters allow; the level tells messages from keys, and the first that fits is right.
fn contents(bytes: &[u8], context: &Context) -> anyhow::Result<(Contents, usize)> {
    let key_level = context.key_prime_count();
    let mut refusals = Vec::new();
    macro_rules! try_as {
        ($kind:ty, $what:literal, $describe:expr) => {
            match <$kind>::load(bytes, context) {
                Ok((object, length)) => return Ok(($describe(object), length)),
                Err(refused) => refusals.push(format!("as {}: {refused}", $what)),
            }
        };
    }
    let primes = |id: ParmsId| context.prime_count(id).unwrap_or(0);
    try_as!(Ciphertext, "a ciphertext", |x: Ciphertext| {
        let metadata = x.metadata();
        Contents::Ciphertext {
            components: metadata.size,
            primes: primes(metadata.parms_id),
            scale: metadata.scale,
            seeded: x.seed().is_some(),
            ntt: metadata.is_ntt_form,
            parms_id: metadata.parms_id.to_string(),
        }
    });
    try_as!(Plaintext, "a plaintext", |x: Plaintext| Contents::Plaintext {
        primes: primes(x.parms_id()),
        scale: x.scale(),
        parms_id: x.parms_id().to_string(),
    });
    try_as!(SecretKey, "a secret key", |_| Contents::SecretKey { primes: key_level });
    try_as!(PublicKey, "a public key", |x: PublicKey| Contents::PublicKey {
        primes: key_level,
        seeded: x.as_ciphertext().seed().is_some(),
    });
    try_as!(RelinKeys, "relinearization keys", |x: RelinKeys| Contents::RelinearizationKeys {
        powers: (2..).zip(x.keys()).filter(|(_, key)| !key.is_empty()).map(|(power, _)| power).collect(),
        digits: context.data_prime_count() as u64,
    });
    try_as!(GaloisKeys, "Galois keys", |x: GaloisKeys| {
        let elements: Vec<u32> = x.elements().collect();
        let rotations = elements.iter().map(|element| rotation(*element, context.degree())).collect();
        Contents::GaloisKeys { elements, rotations, digits: context.data_prime_count() as u64 }
    });
    anyhow::bail!("no object of these parameters; {}", refusals.join("; "))
}

/// What an automorphism does to the slots, for those that do something simple.
fn rotation(element: u32, degree: usize) -> String {
    let Ok(log_n) = LogN::new(degree.trailing_zeros() as u8) else { return String::new() };
    if element == GaloisElement::conjugation(log_n).get() {
        return "conjugation".into();
    }
    let steps = (0..log_n.slots() as i32).find(|by| GaloisElement::rotation(Rotation(*by), log_n).get() == element);
    match steps {
        Some(steps) if steps as usize > log_n.slots() / 2 => (steps - log_n.slots() as i32).to_string(),
        Some(steps) => steps.to_string(),
        None => "rotation and conjugation".into(),
    }
}

impl Object {
    fn text(&self) -> String {
        let Object { seal_version, compression, bytes, contents } = self;
        let mut text = format!("SEAL {seal_version}, compression {compression}, {bytes} bytes: ");
        let _ = match contents {
            Contents::Parameters { n, primes, total_bits, security, parms_id, .. } => {
                let bits: Vec<String> = primes.iter().map(|q| (q.ilog2() + 1).to_string()).collect();
                let bits = bits.join(", ");
                writeln!(text, "CKKS parameters, N = {n}, primes of {bits} bits, {total_bits} in all")
                    .and_then(|()| writeln!(text, "  {security}\n  parms_id {parms_id}"))
            }
            Contents::Plaintext { primes, scale, parms_id } => {
                writeln!(text, "plaintext, {primes} primes, scale 2^{:.3}\n  parms_id {parms_id}", scale.log2())
            }
            Contents::Ciphertext { components, primes, scale, seeded, ntt, parms_id } => {
                let form = if *seeded { ", seeded" } else { "" };
                let domain = if *ntt { "" } else { ", not in NTT form" };
                let scale = scale.log2();
                writeln!(
                    text,
                    "ciphertext of {components} components{form}{domain}, {primes} primes, scale 2^{scale:.3}"
                )
                .and_then(|()| writeln!(text, "  parms_id {parms_id}"))
            }
            Contents::SecretKey { primes } => writeln!(text, "secret key, {primes} primes"),
            Contents::PublicKey { primes, seeded } => {
                writeln!(text, "public key{}, {primes} primes", if *seeded { ", seeded" } else { "" })
            }
            Contents::RelinearizationKeys { powers, digits } => {
                writeln!(text, "relinearization keys for powers {powers:?} of the secret, {digits} digits")
            }
            Contents::GaloisKeys { elements, rotations, digits } => {
                let list = rotations.join(", ");
                writeln!(text, "{} Galois keys, {digits} digits, rotations by {list}", elements.len())
            }
            Contents::PlaintextOrSecretKey { coeff_count, scale, parms_id } => {
                let scale = scale.log2();
                writeln!(text, "plaintext or secret key (--parms tells which), {coeff_count} words, scale 2^{scale:.3}")
                    .and_then(|()| writeln!(text, "  parms_id {parms_id}"))
            }
            Contents::CiphertextOrPublicKey { n, components, primes, scale, seeded, ntt, parms_id } => {
                let form = if *seeded { ", seeded" } else { "" };
                let domain = if *ntt { "" } else { ", not in NTT form" };
                writeln!(
                    text,
                    "ciphertext or public key (--parms tells which) of {components} components{form}{domain}"
                )
                .and_then(|()| writeln!(text, "  N = {n}, {primes} primes, scale 2^{:.3}", scale.log2()))
                .and_then(|()| writeln!(text, "  parms_id {parms_id}"))
            }
        };
        text
    }
}
