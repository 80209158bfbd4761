//! `henge keygen`: a secret key, and the keys that go with it.

use std::path::Path;

use he_ckks::{CkksContext, Seed};
use sha2::{Digest, Sha256};

use crate::args::{Args, Keygen};
use crate::interface::read_params;
use crate::keys::{Pair, Paths, Written, fresh_seed};
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
    let pair = super::step(args, "keys made", || Pair::generate(&context, seeds))?;
    let paths = Paths {
        secret: command.secret_key.clone(),
        evaluation: command.evaluation_keys.clone(),
        public: command.public_key.clone(),
    };
    let Written { id, bytes: [secret, evaluation, public] } = pair.write(&context, &paths, command.force)?;
    let params = context.params();
    let mut report = format!("key {id}: N = 2^{}, {}\n", params.log_n().get(), params.security_report());
    let mut file = |what: &str, path: &Path, bytes: usize| {
        report.push_str(&format!("{what:<15} {} ({bytes} bytes)\n", path.display()));
    };
    file("secret key", &command.secret_key, secret);
    file("evaluation keys", &command.evaluation_keys, evaluation);
    if let Some(path) = &command.public_key {
        file("public key", path, public);
    }
    super::print(line, false, &report)
}

/// One of two seeds from one.
fn derived(seed: &[u8; 32], index: u8) -> Seed {
    Seed::new(Sha256::new().chain_update(b"henge keygen").chain_update(seed).chain_update([index]).finalize().into())
}
