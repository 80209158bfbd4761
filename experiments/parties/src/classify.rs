//! The client: batches of images to a server, outputs back, and what it took.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use client::{Client, ClientOptions, Images, Input, Keys, RowMaker};
use graph::Tensor;

use crate::Ready;
use crate::serve::MODEL;

/// Bytes of a batch that is held in memory; a larger one is made a row at a time from the images that it repeats.
const HELD_BYTES: usize = 256 << 20;

/// Outputs of all images, and what they took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Classified {
    /// Image after image.
    pub(crate) outputs: Vec<f64>,
    /// Key generation.
    pub(crate) seconds_keygen: f64,
    /// Each batch, from images to outputs.
    pub(crate) seconds: Vec<f64>,
    /// Images of all batches, those that fill up the last one among them.
    pub(crate) images: usize,
    /// Bytes from the client and from the server, all batches, without the keys.
    pub(crate) bytes_up: u64,
    /// From the server.
    pub(crate) bytes_down: u64,
    /// What the ciphertexts among them take at least.
    pub(crate) minimum_up: f64,
    /// From the server.
    pub(crate) minimum_down: f64,
    /// Bytes of keys.
    pub(crate) key_bytes: u64,
    /// Requests that the client answered for one batch.
    pub(crate) requests: u64,
    /// Connections of all batches.
    pub(crate) connections: u64,
    /// The most memory that this process held until the last batch.
    pub(crate) peak_rss_bytes: u64,
}

/// Has all images classified, `batch` at a time, at `address` (the server's own, or a relay's before it). The last batch is
/// filled up with the first images, so that every batch costs the same.
///
/// # Errors
/// Whatever goes wrong between client and server.
pub(crate) fn classify(
    ready: &Ready,
    address: SocketAddr,
    images: &Arc<Tensor>,
    batch: usize,
) -> anyhow::Result<Classified> {
    let count = images.dims().first().copied().unwrap_or(0);
    anyhow::ensure!(count > 0 && batch > 0, "{count} images in batches of {batch}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let client = Client::connect(options(ready, address)).await?;
        let model = client.describe(MODEL).await?;
        let start = Instant::now();
        let keys = Arc::new(Keys::generate(&model)?);
        let mut found = Classified { seconds_keygen: start.elapsed().as_secs_f64(), ..Classified::default() };
        for first in (0..count).step_by(batch) {
            let start = Instant::now();
            let inference = client.infer(&model, &keys, vec![input(images, first, batch)?]).await?;
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
            found.requests = traffic.requests;
            found.connections += traffic.connections;
        }
        found.peak_rss_bytes = machine::peak_rss_bytes();
        Ok(found)
    })
}

fn options(ready: &Ready, address: SocketAddr) -> ClientOptions {
    let scheme = if ready.certificate.is_some() { "https" } else { "http" };
    // A run that breaks is not measured: nothing is taken up again in silence.
    let mut options = ClientOptions::new(&format!("{scheme}://{address}")).attempts(1).restart(false);
    options = match &ready.certificate {
        Some(certificate) => options.authority(certificate.as_bytes()).server_name("localhost"),
        None => options.insecure_no_tls(),
    };
    match &ready.token {
        Some(token) => options.token(token),
        None => options,
    }
}

/// A batch that begins with image `first` and goes round.
fn input(images: &Arc<Tensor>, first: usize, batch: usize) -> anyhow::Result<Input> {
    let count = images.dims().first().copied().unwrap_or(0).max(1);
    let elements = images.data().len() / count;
    if batch * elements * size_of::<f64>() <= HELD_BYTES {
        let number = |image: usize, element: usize| images.data()[(first + image) % count * elements + element];
        return Ok(Images::from_fn(batch, elements, number)?.into());
    }
    let images = Arc::clone(images);
    let row: RowMaker = Arc::new(move |element, row: &mut [f64]| {
        for (image, x) in row.iter_mut().enumerate() {
            *x = images.data()[(first + image) % count * elements + element];
        }
    });
    Ok(Input::Made { images: batch, elements, row })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_goes_round_and_large_ones_are_not_held() {
        let images = Arc::new(Tensor::new(vec![3, 2], (0..6).map(f64::from).collect()).unwrap());
        let small = input(&images, 2, 4).unwrap();
        assert!(matches!(small, Input::Held(_)));
        assert_eq!(small.row(1).unwrap()[..], [5.0, 1.0, 3.0, 5.0]);
        let many = HELD_BYTES / 16 + 1;
        let large = input(&images, 2, many).unwrap();
        assert!(matches!(large, Input::Made { .. }));
        assert_eq!((large.images(), large.elements()), (many, 2));
        assert_eq!(large.row(1).unwrap()[..4], [5.0, 1.0, 3.0, 5.0]);
        assert!(large.row(2).is_none());
    }
}
