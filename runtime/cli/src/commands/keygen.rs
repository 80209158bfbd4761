//! `henge keygen`: a secret key, and the keys that go with it.

use std::path::Path;

use he_ckks::{CkksContext, Seed};
use he_rlwe::EvaluationKeys;
use he_rlwe::wire::WireObject;
use he_secret::{KeyGenerator, SecretKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::args::{Args, Keygen};
use crate::bundle::{Header, Role};
use crate::files::{self, Place};
use crate::identity::KeyId;
use crate::interface::read_params;
use crate::security;

pub(crate) fn keygen(args: &Args, command: &Keygen) -> anyhow::Result<()> {
    let params = read_params(&command.params)?;
    let line = security::admit(&params, args.insecure)?;
    let outputs = [Some(&command.secret_key), Some(&command.evaluation_keys), command.public_key.as_ref()];
    for path in outputs.into_iter().flatten().filter(|_| !command.force) {
        anyhow::ensure!(!path.exists(), "{} exists; --force replaces it", path.display());
    }
    if command.seed.is_some() {
        eprintln!("henge: WARNING: keys drawn from --seed are for tests only: who knows the seed has the secret key");
    }
    let seeds = match &command.seed {
        Some(seed) => [derived(&seed.0, 0), derived(&seed.0, 1)],
        None => [fresh_seed()?, fresh_seed()?],
    };
    let context = CkksContext::new(params)?;
    let (secret, public, keys) = super::step(args, "keys made", || {
        let secret = SecretKey::generate(&context, &seeds[0])?;
        let generator = KeyGenerator::new(&context, &secret, seeds[1].clone());
        // Without special primes nothing is ever relinearized.
        let relinearizes = !context.params().p().is_empty();
        let relinearization = relinearizes.then(|| generator.relinearization_key()).transpose()?;
        let keys = EvaluationKeys { relinearization, ..EvaluationKeys::default() };
        let public = generator.public_key()?;
        Ok((secret, public, keys))
    })?;
    let keys = keys.to_bytes(context.rlwe())?;
    let public = public.to_bytes(context.rlwe())?;
    let secret = Zeroizing::new(secret.to_bytes(&context)?);
    // The public key stands for the pair: it is there even when there are no other keys.
    let id = KeyId::of(&public);
    let put = |path, private, role, bytes: &[u8]| {
        files::write(path, Place { private, replace: command.force }, |out| {
            Header::of_key(role, id).write_to(out)?;
            Ok(out.write_all(bytes)?)
        })
    };
    put(&command.secret_key, true, Role::SecretKey, &secret)?;
    put(&command.evaluation_keys, false, Role::EvaluationKeys, &keys)?;
    if let Some(path) = &command.public_key {
        put(path, false, Role::PublicKey, &public)?;
    }
    let params = context.params();
    let mut report = format!("key {id}: N = 2^{}, {}\n", params.log_n().get(), params.security_report());
    let mut file = |what: &str, path: &Path, bytes: &[u8]| {
        report.push_str(&format!("{what:<15} {} ({} bytes)\n", path.display(), bytes.len()));
    };
    file("secret key", &command.secret_key, &secret);
    file("evaluation keys", &command.evaluation_keys, &keys);
    if let Some(path) = &command.public_key {
        file("public key", path, &public);
    }
    super::print(line, false, &report)
}

/// A seed that nobody has.
pub(super) fn fresh_seed() -> anyhow::Result<Seed> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(Seed::new(*bytes))
}

/// One of two seeds from one.
fn derived(seed: &[u8; 32], index: u8) -> Seed {
    Seed::new(Sha256::new().chain_update(b"henge keygen").chain_update(seed).chain_update([index]).finalize().into())
}
