//! Bytes of a stream as they arrived: what a message leaves out, as fields that nobody knows, counts like what it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::Request;
use tokio_stream::StreamExt;

/// Bytes of one request's body: gRPC messages and the five bytes before each. Not counted are headers, frames of HTTP/2 and TLS, and what nobody had read
/// when the stream ended: at most its window.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived(Arc<AtomicU64>);

impl Arrived {
    /// Those that nobody has taken yet.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Sets a count beside a request, which goes on while its body is read.
pub(crate) async fn count(mut request: Request) -> Request {
    let arrived = Arrived::default();
    request.extensions_mut().insert(arrived.clone());
    request.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |data| {
            arrived.0.fetch_add(data.as_ref().map_or(0, |data| data.len() as u64), Ordering::Relaxed);
            data
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_byte_that_was_read_is_counted_once() {
        let pieces = ["a piece", "", "and another"].map(Ok::<_, std::io::Error>);
        let request = count(Request::new(Body::from_stream(tokio_stream::iter(pieces)))).await;
        let arrived = request.extensions().get::<Arrived>().unwrap().clone();
        let mut body = request.into_body().into_data_stream();
        assert_eq!(arrived.take(), 0);
        assert_eq!(body.next().await.unwrap().unwrap(), "a piece");
        assert_eq!((arrived.take(), arrived.take()), (7, 0));
        while body.next().await.is_some() {}
        assert_eq!(arrived.take(), 11);
    }
}
