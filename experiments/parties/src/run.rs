//! One run: the server set up as asked, all images classified, everything stopped again.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use graph::Tensor;

use crate::classify::{Classified, classify};
use crate::serve::{Here, Ready, Served, Task};
use crate::{Child, Options, Relay, Way, namespaces};

/// What the parties said.
#[derive(Clone, Debug)]
pub struct Run {
    pub(crate) began: Instant,
    pub(crate) ready: Ready,
    pub(crate) found: Classified,
    pub(crate) served: Served,
}

impl Run {
    /// Encrypted outputs, image after image.
    pub fn outputs(&self) -> &[f64] {
        &self.found.outputs
    }
}

/// What must be done before anything else in a process: the threads that all works on; and where the client is to have a namespace of its own, this
/// program started again inside it, in which case this does not return.
///
/// # Errors
/// Namespaces that cannot be had; threads that were started before.
pub fn begin(options: &Options) -> anyhow::Result<()> {
    if options.way() == Way::Namespaces && !options.inside {
        namespaces::enter(std::env::args_os().skip(1))?;
    }
    Ok(rayon::ThreadPoolBuilder::new().num_threads(options.threads()).build_global()?)
}

/// Has images classified in batches of `batch`. `task` is what the server does; where the server is a process of its own, that process makes its own.
///
/// # Errors
/// Whatever goes wrong on either side.
pub fn run(
    options: &Options,
    task: impl FnOnce() -> anyhow::Result<Task>,
    images: &Arc<Tensor>,
    batch: usize,
) -> anyhow::Result<Run> {
    let began = Instant::now();
    if options.way() == Way::OneProcess {
        let server = Here::start(options, task()?)?;
        let ready = server.ready().clone();
        let found = classify(&ready, ready.address, images, batch)?;
        let served = server.stop()?;
        return Ok(Run { began, ready, found, served });
    }
    let arguments = std::env::args_os().skip(1).chain(["--party", "server"].map(OsString::from));
    let server = Child::start(options, arguments)?;
    let ready = server.ready().clone();
    let found = classify(&ready, address(options, &ready)?, images, batch)?;
    let served = server.stop()?;
    Ok(Run { began, ready, found, served })
}

/// Where the client finds the server, or the relay before it.
fn address(options: &Options, ready: &Ready) -> anyhow::Result<SocketAddr> {
    Ok(match (options.way(), options.link) {
        (Way::Relay, Some(link)) => Relay::start(ready.address, link)?.address(),
        (Way::Namespaces, link) => {
            let server = SocketAddr::from((namespaces::SERVER, ready.address.port()));
            match link {
                Some(link) if link.delay > 0.0 => Relay::delay(server, link)?.address(),
                _ => server,
            }
        }
        _ => ready.address,
    })
}
