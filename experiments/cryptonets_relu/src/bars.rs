//! What the project asks of CryptoNets-ReLU on two processors.

use parties::{Record, Way};
use report::{Bar, Bound, LARGEST_ERROR_SHARE};

/// Images of a batch that fills its ciphertexts.
const FULL_BATCH: usize = 2048;

/// The bars of this set-up. Speed is asked of full batches over loopback TLS, size of full batches; labels and errors always.
pub(crate) fn bars(r: &Record) -> Vec<Bar> {
    let mut bars = Vec::new();
    let full = r.batch_size == FULL_BATCH;
    if full && r.way == Way::Loopback {
        bars.push(Bar::new("speed, both parties", "images/s", Bound::AtLeast(8000.0), r.images_per_second));
    }
    if full {
        let found = 1e-6 * r.bytes_per_image();
        let bar = Bar::new("travels for an image", "MB", Bound::AtMost(0.016), found);
        bars.push(bar.moonshot(Bound::AtMost(0.012)));
    }
    let differing = r.disagreements.len() as f64;
    bars.push(Bar::new("labels that differ from the clear model's", "images", Bound::AtMost(0.0), differing));
    let share = 100.0 * r.largest_logit_error / r.logit_range;
    bars.push(Bar::new("largest logit error", "% of the range", Bound::AtMost(100.0 * LARGEST_ERROR_SHARE), share));
    bars
}
