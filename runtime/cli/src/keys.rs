//! A key pair as files: the secret key, the evaluation keys, the public key.
//!
//! `henge keygen` writes them where it is told; `henge infer --keys FOLDER` keeps them in one folder under the names of [`FILES`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use client::Keys;
use he_ckks::{CkksContext, Seed};
use he_rlwe::wire::WireObject;
use he_rlwe::{EvaluationKeys, PublicKey};
use he_secret::{KeyGenerator, SecretKey};
use zeroize::Zeroizing;

use crate::bundle::{Header, Role, read_one};
use crate::files::{self, Place};
use crate::identity::KeyId;

/// Names of the files in a folder of keys.
const FILES: [&str; 3] = ["secret.key", "evaluation.keys", "public.key"];

/// Where the files of a pair are.
pub(crate) struct Paths {
    pub(crate) secret: PathBuf,
    pub(crate) evaluation: PathBuf,
    pub(crate) public: Option<PathBuf>,
}

/// The keys of one secret.
pub(crate) struct Pair {
    secret: SecretKey,
    evaluation: EvaluationKeys,
    public: PublicKey,
}

/// A pair that has been written: its name, and the bytes of its secret key, its evaluation keys, its public key.
pub(crate) struct Written {
    pub(crate) id: KeyId,
    pub(crate) bytes: [usize; 3],
}

/// A seed that nobody has.
pub(crate) fn fresh_seed() -> anyhow::Result<Seed> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
    Ok(Seed::new(*bytes))
}

impl Pair {
    /// A new pair: the secret key from the first seed, the others from the second.
    pub(crate) fn generate(context: &Arc<CkksContext>, seeds: [Seed; 2]) -> anyhow::Result<Self> {
        let [first, second] = seeds;
        let secret = SecretKey::generate(context, &first)?;
        let generator = KeyGenerator::new(context, &secret, second);
        // Without special primes nothing is ever relinearized.
        let relinearizes = !context.params().p().is_empty();
        let relinearization = relinearizes.then(|| generator.relinearization_key()).transpose()?;
        let evaluation = EvaluationKeys { relinearization, ..EvaluationKeys::default() };
        let public = generator.public_key()?;
        Ok(Self { secret, evaluation, public })
    }

    /// Writes all files, the secret key readable by its owner only.
    pub(crate) fn write(&self, context: &Arc<CkksContext>, paths: &Paths, replace: bool) -> anyhow::Result<Written> {
        let evaluation = self.evaluation.to_bytes(context.rlwe())?;
        let public = self.public.to_bytes(context.rlwe())?;
        let secret = Zeroizing::new(self.secret.to_bytes(context)?);
        // The public key stands for the pair: it is there even when there are no other keys.
        let id = KeyId::of(&public);
        let put = |path: &Path, private, role, bytes: &[u8]| {
            files::write(path, Place { private, replace }, |out| {
                Header::of_key(role, id).write_to(out)?;
                Ok(out.write_all(bytes)?)
            })
        };
        put(&paths.secret, true, Role::SecretKey, &secret)?;
        put(&paths.evaluation, false, Role::EvaluationKeys, &evaluation)?;
        if let Some(path) = &paths.public {
            put(path, false, Role::PublicKey, &public)?;
        }
        Ok(Written { id, bytes: [secret.len(), evaluation.len(), public.len()] })
    }

    /// As the client's library wants them.
    fn into_keys(self, context: &Arc<CkksContext>) -> anyhow::Result<Keys> {
        Ok(Keys::from_parts(Arc::clone(context), self.secret, Some(&self.evaluation), Some(&self.public))?)
    }
}

/// The keys of a folder; where it has none they are made and kept there. Whether they were made.
///
/// # Errors
/// A folder with some of the files, files of several pairs, keys of other parameters.
pub(crate) fn of_folder(context: &Arc<CkksContext>, folder: &Path) -> anyhow::Result<(Keys, bool)> {
    let [secret, evaluation, public] = FILES.map(|name| folder.join(name));
    if secret.exists() {
        let pair = read(context, &secret, &evaluation, &public)?;
        return Ok((pair.into_keys(context)?, false));
    }
    // Keys without their secret one were made by somebody for something: they are not written over.
    for path in [&evaluation, &public] {
        anyhow::ensure!(!path.exists(), "{} is there, but {} is not", path.display(), secret.display());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let pair = Pair::generate(context, [fresh_seed()?, fresh_seed()?])?;
    pair.write(context, &Paths { secret, evaluation, public: Some(public) }, false)?;
    Ok((pair.into_keys(context)?, true))
}

fn read(context: &Arc<CkksContext>, secret: &Path, evaluation: &Path, public: &Path) -> anyhow::Result<Pair> {
    let rlwe = context.rlwe();
    let (key, read_secret) = read_one(secret, Role::SecretKey, &**context, SecretKey::body_len(context))?;
    let most = EvaluationKeys::max_body_len(rlwe, 0)?;
    let (header, read_evaluation) = read_one(evaluation, Role::EvaluationKeys, rlwe, most)?;
    header.expect_key(evaluation, key.key, "secret key")?;
    let (header, read_public) = read_one(public, Role::PublicKey, rlwe, PublicKey::max_body_len(rlwe)?)?;
    header.expect_key(public, key.key, "secret key")?;
    Ok(Pair { secret: read_secret, evaluation: read_evaluation, public: read_public })
}

#[cfg(test)]
mod tests {
    use he_params::{CkksParamsLiteral, ModulusChain, RequiredSecurity};

    use super::*;

    fn context(bits: u8) -> Arc<CkksContext> {
        let mut literal =
            CkksParamsLiteral::new(10, ModulusChain::Bits(vec![bits, 26]), ModulusChain::Bits(vec![30]), 26.0);
        literal.security = RequiredSecurity::Insecure;
        CkksContext::from_literal(literal).unwrap()
    }

    #[test]
    fn a_folder_is_filled_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let context = context(30);
        let files = || FILES.map(|name| std::fs::read(keys.join(name)).unwrap());
        assert!(of_folder(&context, &keys).unwrap().1);
        let first = files();
        assert!(!of_folder(&context, &keys).unwrap().1);
        assert_eq!(files(), first);
        // Keys of other parameters.
        let error = of_folder(&self::context(29), &keys).unwrap_err();
        assert!(format!("{error:#}").contains("parameter"), "{error:#}");
        // A file of another pair.
        let other = folder.path().join("other");
        of_folder(&context, &other).unwrap();
        std::fs::copy(other.join("public.key"), keys.join("public.key")).unwrap();
        let error = of_folder(&context, &keys).unwrap_err();
        assert!(format!("{error:#}").contains("belongs to key"), "{error:#}");
        // A folder that lost its secret key is not filled again.
        std::fs::remove_file(keys.join("secret.key")).unwrap();
        assert!(of_folder(&context, &keys).unwrap_err().to_string().contains("is there, but"));
    }
}
