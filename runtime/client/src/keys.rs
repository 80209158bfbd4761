//! A secret key and what goes with it.

use std::sync::Arc;

use bytes::Bytes;
use he_ckks::{CkksContext, Seed};
use he_rlwe::wire::WireObject;
use he_rlwe::{EvaluationKeys, PublicKey};
use he_secret::{KeyGenerator, SecretKey};
use protocol::{Description, Digest};
use zeroize::Zeroizing;

use crate::ClientError;

/// Keys for the parameters of a model. They serve every model on the same parameters, and any number of inferences.
#[derive(Debug)]
pub struct Keys {
    context: Arc<CkksContext>,
    secret: SecretKey,
    evaluation: Option<(Digest, Bytes)>,
    public: Option<(Digest, Bytes)>,
}

/// A seed that nobody has.
pub(crate) fn fresh_seed() -> Result<Seed, getrandom::Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)?;
    Ok(Seed::new(*bytes))
}

impl Keys {
    /// New keys, from the operating system's random bytes, as many as the model needs.
    ///
    /// # Errors
    /// Parameters that cannot be made ready; no random bytes.
    pub fn generate(model: &Description) -> Result<Self, ClientError> {
        let context = model.context()?;
        let secret = SecretKey::generate(&context, &fresh_seed()?)?;
        let generator = KeyGenerator::new(&context, &secret, fresh_seed()?);
        let relinearization = model.relinearizes.then(|| generator.relinearization_key()).transpose()?;
        let evaluation =
            relinearization.map(|key| EvaluationKeys { relinearization: Some(key), ..EvaluationKeys::default() });
        let public = model.wants_public_key.then(|| generator.public_key()).transpose()?;
        Self::from_parts(context, secret, evaluation.as_ref(), public.as_ref())
    }

    /// Keys that exist.
    ///
    /// # Errors
    /// [`ClientError::Wire`] for keys of other parameters than the context's.
    pub fn from_parts(
        context: Arc<CkksContext>,
        secret: SecretKey,
        evaluation: Option<&EvaluationKeys>,
        public: Option<&PublicKey>,
    ) -> Result<Self, ClientError> {
        let named = |body: Vec<u8>| (Digest::of(&body), Bytes::from(body));
        let evaluation = evaluation.map(|keys| keys.to_body(context.rlwe())).transpose()?.map(named);
        let public = public.map(|key| key.to_body(context.rlwe())).transpose()?.map(named);
        Ok(Self { context, secret, evaluation, public })
    }

    /// The parameters.
    pub fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    pub(crate) fn secret(&self) -> &SecretKey {
        &self.secret
    }

    pub(crate) fn evaluation(&self) -> Option<&(Digest, Bytes)> {
        self.evaluation.as_ref()
    }

    pub(crate) fn public(&self) -> Option<&(Digest, Bytes)> {
        self.public.as_ref()
    }
}
