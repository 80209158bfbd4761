//! The thread of a session.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use execute::ExecuteError;
use execute::ckks::{CkksBackend, CkksTensor};
use he_ckks::CiphertextTensor;
use he_rlwe::wire::WireObject;
use tonic::Status;
use tracing::{error, info};

use crate::flooding::Flooding;
use crate::key_cache::ClientKeys;
use crate::metrics::Metrics;
use crate::port::SessionPort;
use crate::session::Session;
use crate::work::{self, Watch, Work};

/// Runs the program of a session on a thread of its own.
///
/// # Errors
/// When the operating system gives no thread.
pub(crate) fn start(session: Arc<Session>, keys: Option<Arc<ClientKeys>>, metrics: Arc<Metrics>) -> Result<(), Status> {
    let name = format!("session {}", session.number);
    let body = move || {
        let start = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| run(&session, keys.as_deref()))) {
            Ok(Ok((outputs, nodes))) => {
                let (took, waited) = (start.elapsed(), session.waited());
                metrics.finished(session.images, took, waited);
                let (seconds, waited_seconds) = (took.as_secs_f64(), waited.as_secs_f64());
                info!(session = session.number, seconds, waited_seconds, "computed");
                let work = Work { total: took.saturating_sub(waited), nodes };
                work::log(&session, &work);
                session.model.did(work);
                session.finish(outputs);
            }
            Ok(Err(status)) => {
                metrics.failed();
                info!(session = session.number, code = ?status.code(), reason = status.message(), "ended");
                session.end(status);
            }
            Err(panic) => {
                metrics.failed();
                metrics.defect();
                error!(session = session.number, panic = text(&*panic), "the run panicked (defect)");
                session.end(Status::internal("the run failed (defect of the server)"));
            }
        }
    };
    let thread = std::thread::Builder::new().name(name).spawn(body);
    thread.map(|_| ()).map_err(|error| Status::resource_exhausted(format!("no thread for the session: {error}")))
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// The program, from the first request to the encoded outputs, and the time of each of its nodes.
fn run(session: &Arc<Session>, keys: Option<&ClientKeys>) -> Result<(Vec<Bytes>, Vec<Duration>), Status> {
    let model = &session.model;
    let backend: &CkksBackend = keys.map_or(model.keyless(), |keys| &keys.backend);
    let mut port = SessionPort::new(session);
    let mut watch = Watch::new(session);
    let outputs = compute(session, backend, &mut port, &mut watch)?;
    let mut flooding = match (model.options().flooding, keys.and_then(|keys| keys.public.clone())) {
        (Some(std_dev), Some(key)) => Some(Flooding::new(model.context(), key, std_dev).map_err(internal)?),
        (Some(_), None) => return Err(Status::internal("the public key is gone")),
        (None, _) => None,
    };
    let encode = |output: CkksTensor| {
        session.checkpoint()?;
        let mut output = output.into_ciphertexts(model.context()).map_err(internal)?;
        if let Some(flooding) = &mut flooding {
            flooding.flood(&mut output).map_err(internal)?;
        }
        Ok(CiphertextTensor::to_body(&output, model.context()).map_err(internal)?.into())
    };
    Ok((outputs.into_iter().map(encode).collect::<Result<_, Status>>()?, watch.into_nodes()))
}

fn compute(
    session: &Session,
    backend: &CkksBackend,
    port: &mut SessionPort,
    watch: &mut Watch<'_>,
) -> Result<Vec<CkksTensor>, Status> {
    let outputs = execute::run_streamed(backend, session.model.streamed(), port, watch);
    outputs.map_err(|error| match error {
        ExecuteError::Stopped { .. } => session.checkpoint().err().unwrap_or_else(|| internal(error)),
        error => refused(&error),
    })
}

/// The status inside an error, when a port gave one; otherwise a defect.
fn refused(error: &(dyn Error + 'static)) -> Status {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let boxed = error.downcast_ref::<Box<Status>>().map(|status| &**status);
        if let Some(status) = error.downcast_ref::<Status>().or(boxed) {
            return status.clone();
        }
        cause = error.source();
    }
    internal(error)
}

fn internal(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}
