//! From a Hello to a session, old or new, and to the keys it needs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use execute::ckks::CkksBackend;
use he_params::Packing;
use he_rlwe::wire::{ParamsDigest, WireObject, tensor_len};
use he_rlwe::{EvaluationKeys, PublicKey};
use protocol::{Digest, Hello, SessionId};
use tonic::Status;

use crate::Model;
use crate::auth::Principal;
use crate::key_cache::{ClientKeys, KeysId};
use crate::service::Shared;
use crate::session::Session;

/// What a Hello leads to.
pub(crate) struct Opened {
    pub(crate) session: Arc<Session>,
    /// Whether it was there before.
    pub(crate) resumed: bool,
}

/// The keys of a session.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    id: KeysId,
}

impl Shared {
    /// Checks a Hello and gives it a session.
    pub(crate) fn open(&self, principal: &Principal, hello: &Hello) -> Result<Opened, Status> {
        let model = self.model(&hello.model)?;
        let description = model.description();
        if hello.program != description.program {
            let (found, expected) = (hello.program, description.program);
            return Err(Status::failed_precondition(format!(
                "the client was told of program {found}, the server runs {expected}"
            )));
        }
        if let Some(id) = hello.resume {
            let session = self.sessions.find(id, principal)?;
            if session.model.name() != hello.model || session.images != hello.images {
                return Err(Status::invalid_argument("the session is one of another model or of another batch"));
            }
            return Ok(Opened { session, resumed: true });
        }
        self.sessions.check_open()?;
        if hello.images > description.capacity() {
            let (found, most) = (hello.images, description.capacity());
            return Err(Status::invalid_argument(format!("{found} images, one batch has room for {most}")));
        }
        let needed = |needed: bool, digest: Option<Digest>, what| match (needed, digest) {
            (true, None) => Err(Status::invalid_argument(format!("the program needs {what}"))),
            (true, digest) => Ok(digest),
            (false, _) => Ok(None),
        };
        let id = KeysId {
            principal: principal.clone(),
            complex: description.packing == Packing::Complex,
            params: *ParamsDigest::of(&description.params).as_bytes(),
            evaluation: needed(description.relinearizes, hello.evaluation_keys, "evaluation keys")?,
            public: needed(description.wants_public_key, hello.public_key, "a public key")?,
        };
        let limits = self.admission.limits();
        let deadline = hello.deadline.map_or(limits.deadline, |deadline: Duration| deadline.min(limits.deadline));
        let place = self.admission.admit(principal, model.planned_bytes(), description.capacity())?;
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| Status::internal(format!("no random bytes: {error}")))?;
        let (name, number) = (SessionId(name), self.sessions.next_number());
        let (model, wanted) = (Arc::clone(model), Wanted { id });
        let session = Session::new(name, number, principal.clone(), model, hello.images, wanted, deadline, place);
        let session = Arc::new(session);
        self.sessions.insert(&session);
        Ok(Opened { session, resumed: false })
    }
}

impl Wanted {
    /// The keys, where they are known.
    pub(crate) fn known(&self, shared: &Shared) -> Option<Arc<ClientKeys>> {
        shared.keys.get(&self.id)
    }

    pub(crate) fn evaluation(&self) -> bool {
        self.id.evaluation.is_some()
    }

    pub(crate) fn public(&self) -> bool {
        self.id.public.is_some()
    }

    /// Longest evaluation keys, in bytes: one relinearization key.
    pub(crate) fn max_evaluation(model: &Model) -> Result<u64, Status> {
        EvaluationKeys::max_body_len(model.context().rlwe(), 0).map_err(|error| Status::internal(error.to_string()))
    }

    /// Longest public key, in bytes: a seed and two rows, in case no seed stands for the second.
    pub(crate) fn max_public(model: &Model) -> Result<u64, Status> {
        let rlwe = model.context().rlwe();
        let rows = tensor_len(rlwe.ring(), 2, &rlwe.all_limbs());
        rows.map(|rows| rows + 32).map_err(|error| Status::internal(error.to_string()))
    }

    /// Reads keys that have arrived, holds them against their digests, and keeps them.
    pub(crate) fn read(
        &self,
        shared: &Shared,
        model: &Model,
        evaluation: Option<&Bytes>,
        public: Option<&Bytes>,
    ) -> Result<Arc<ClientKeys>, Status> {
        let rlwe = model.context().rlwe();
        let other = |what: &str| Status::invalid_argument(format!("the {what} is not the one that Hello announced"));
        let refuse = |error: he_rlwe::wire::WireError| Status::invalid_argument(format!("keys refused: {error}"));
        let evaluation = evaluation.map(|bytes| {
            let known = Some(Digest::of(bytes)) == self.id.evaluation;
            if known { EvaluationKeys::from_body(rlwe, bytes).map_err(refuse) } else { Err(other("evaluation key")) }
        });
        let public_key = public.map(|bytes| {
            let known = Some(Digest::of(bytes)) == self.id.public;
            if known { PublicKey::from_body(rlwe, bytes).map_err(refuse) } else { Err(other("public key")) }
        });
        let backend = match evaluation.transpose()? {
            Some(keys) => {
                let backend = CkksBackend::new(model.context(), keys).with_packing(model.description().packing);
                Arc::new(backend.map_err(|error| Status::internal(error.to_string()))?)
            }
            None => Arc::clone(model.keyless()),
        };
        execute::Backend::accept(&*backend, model.streamed().program())
            .map_err(|error| Status::invalid_argument(format!("keys refused: {error}")))?;
        let bytes = shared_len(public) + backend_len(&backend, model);
        let keys = Arc::new(ClientKeys { backend, public: public_key.transpose()?, bytes });
        shared.keys.put(self.id.clone(), &keys);
        Ok(keys)
    }
}

fn shared_len(bytes: Option<&Bytes>) -> u64 {
    bytes.map_or(0, |bytes| bytes.len() as u64)
}

/// Bytes that keys take in memory, at the most: both rows of every digit.
fn backend_len(backend: &Arc<CkksBackend>, model: &Model) -> u64 {
    if Arc::ptr_eq(backend, model.keyless()) { 0 } else { Wanted::max_evaluation(model).unwrap_or(0).saturating_mul(3) }
}
