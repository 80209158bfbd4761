//! The client: batches of images to a server, outputs back, and what it took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use client::{Client, ClientOptions, Images, Keys};
use graph::Tensor;

use crate::Ready;
use crate::serve::MODEL;

/// Outputs of all images, and what they took.
#[derive(Clone, Debug, Default)]
pub struct Classified {
    /// Image after image.
    pub outputs: Vec<f64>,
    /// Key generation.
    pub seconds_keygen: f64,
    /// Each batch, from images to outputs.
    pub seconds: Vec<f64>,
    /// Images of all batches, those that fill up the last one among them.
    pub images: usize,
    /// Bytes from the client and from the server, all batches, without the keys.
    pub bytes_up: u64,
    /// From the server.
    pub bytes_down: u64,
    /// What the ciphertexts among them take at least.
    pub minimum_up: f64,
    /// From the server.
    pub minimum_down: f64,
    /// Bytes of keys.
    pub key_bytes: u64,
    /// Answers that the client computed for one batch.
    pub rounds: u64,
    /// Connections of all batches.
    pub connections: u64,
    /// The most memory that the client's process held until the last batch.
    pub peak_rss_bytes: u64,
}

/// Has all images classified, `batch` at a time, at `address` (the server's own, or a relay's before it). The last batch is
/// filled up with the first images, so that every batch costs the same.
///
/// # Errors
/// Whatever goes wrong between client and server.
pub fn classify(ready: &Ready, address: SocketAddr, images: &Tensor, batch: usize) -> anyhow::Result<Classified> {
    let count = images.dims().first().copied().unwrap_or(0);
    anyhow::ensure!(count > 0 && batch > 0, "{count} images in batches of {batch}");
    let elements = images.data().len() / count;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let options = ClientOptions::new(&format!("https://{address}"))
            .authority(ready.certificate.as_bytes())
            .server_name("localhost")
            // A run that breaks is not measured: nothing is taken up again in silence.
            .attempts(1)
            .restart(false);
        let client = Client::connect(options).await?;
        let model = client.describe(MODEL).await?;
        let start = Instant::now();
        let keys = Arc::new(Keys::generate(&model)?);
        let mut found = Classified { seconds_keygen: start.elapsed().as_secs_f64(), ..Classified::default() };
        for first in (0..count).step_by(batch) {
            let start = Instant::now();
            let number = |image: usize, element: usize| images.data()[(first + image) % count * elements + element];
            let inputs = vec![Images::from_fn(batch, elements, number)?];
            let inference = client.infer(&model, &keys, inputs).await?;
            let [output] = inference.outputs.as_slice() else { anyhow::bail!("the model does not have one output") };
            let outputs = output.to_image_major();
            found.seconds.push(start.elapsed().as_secs_f64());
            let wanted = (count - first).min(batch) * output.elements();
            found.outputs.extend_from_slice(outputs.get(..wanted).context("fewer outputs than images")?);
            let traffic = inference.traffic;
            found.images += batch;
            found.bytes_up += traffic.bytes_up;
            found.bytes_down += traffic.bytes_down;
            found.minimum_up += traffic.minimum_up;
            found.minimum_down += traffic.minimum_down;
            found.key_bytes += traffic.key_bytes;
            found.rounds = traffic.rounds;
            found.connections += traffic.connections;
        }
        found.peak_rss_bytes = machine::peak_rss_bytes();
        Ok(found)
    })
}
