//! Counters, as Prometheus reads them (text format 0.0.4), and whether the server is well.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;

use crate::service::Shared;

/// What has been counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    sessions: AtomicU64,
    resumed: AtomicU64,
    refused: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    defects: AtomicU64,
    images: AtomicU64,
    run_microseconds: AtomicU64,
    waited_microseconds: AtomicU64,
    bytes_up: AtomicU64,
    bytes_down: AtomicU64,
    requests: AtomicU64,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Metrics {
    pub(crate) fn started(&self, resumed: bool) {
        add(if resumed { &self.resumed } else { &self.sessions }, 1);
    }

    pub(crate) fn refused(&self) {
        add(&self.refused, 1);
    }

    /// An inference that took `time`, of which it waited `waited` for its client.
    pub(crate) fn finished(&self, images: usize, time: Duration, waited: Duration) {
        let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        add(&self.finished, 1);
        add(&self.images, images as u64);
        add(&self.run_microseconds, microseconds(time));
        add(&self.waited_microseconds, microseconds(waited));
    }

    pub(crate) fn failed(&self) {
        add(&self.failed, 1);
    }

    /// A run that panicked: never the client's fault.
    pub(crate) fn defect(&self) {
        add(&self.defects, 1);
    }

    pub(crate) fn received(&self, bytes: u64) {
        add(&self.bytes_up, bytes);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        add(&self.bytes_down, bytes);
    }

    pub(crate) fn asked(&self) {
        add(&self.requests, 1);
    }

    /// The page.
    pub(crate) fn render(&self, shared: &Shared) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        let (held, memory) = shared.admission.held();
        let counters = [
            ("henge_sessions_started_total", "Inferences begun.", get(&self.sessions)),
            ("henge_sessions_resumed_total", "Inferences taken up after a cut.", get(&self.resumed)),
            ("henge_refused_total", "Streams refused before an inference began.", get(&self.refused)),
            ("henge_inferences_finished_total", "Inferences computed to the end.", get(&self.finished)),
            ("henge_inferences_failed_total", "Inferences that ended before their outputs.", get(&self.failed)),
            ("henge_defects_total", "Inferences that ended by a defect of the server.", get(&self.defects)),
            ("henge_images_total", "Images of finished inferences, as clients declared them.", get(&self.images)),
            ("henge_run_seconds_total", "Wall time of finished inferences.", get(&self.run_microseconds) / 1e6),
            ("henge_waited_seconds_total", "Of that, waited for clients.", get(&self.waited_microseconds) / 1e6),
            ("henge_received_bytes_total", "Bytes of messages received.", get(&self.bytes_up)),
            ("henge_sent_bytes_total", "Bytes of ciphertexts sent.", get(&self.bytes_down)),
            ("henge_requests_total", "Tiles asked of clients.", get(&self.requests)),
        ];
        let gauges = [
            ("henge_sessions", "Sessions held, those without a connection among them.", held as f64),
            ("henge_planned_memory_bytes", "Bytes of live tensors that sessions plan with.", memory as f64),
            ("henge_key_cache_bytes", "Bytes of cached keys.", shared.keys.bytes() as f64),
        ];
        let mut page = String::new();
        let kinds = [("counter", &counters[..]), ("gauge", &gauges[..])];
        for (kind, list) in kinds {
            for (name, help, value) in list {
                let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
            }
        }
        page
    }
}

/// `/metrics` and `/healthz`.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let (metrics, health) = (Arc::clone(shared), Arc::clone(shared));
    let page = move || async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.metrics.render(&metrics))
    };
    let well = move || async move {
        match health.sessions.check_open() {
            Ok(()) => (StatusCode::OK, "serving\n"),
            Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
        }
    };
    Router::new().route("/metrics", get(page)).route("/healthz", get(well))
}
