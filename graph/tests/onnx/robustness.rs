//! Damaged and random bytes: an error or a graph, never a panic.

use graph::import::onnx::{self, ImportOptions, OnnxError};
use proptest::prelude::*;

use super::{read, testdata};

fn models() -> Vec<Vec<u8>> {
    ["small_cryptonets", "old_exporter", "every_operator_18", "every_nonlinearity"]
        .map(|name| read(testdata().join(format!("{name}.onnx"))))
        .to_vec()
}

#[test]
fn every_truncation_is_an_error() {
    for model in models() {
        for length in 0..model.len() {
            // A cut between two fields of the model itself loses a whole part of it.
            let error = onnx::from_bytes(&model[..length], &ImportOptions::default()).unwrap_err();
            assert!(
                matches!(error, OnnxError::Truncated { .. } | OnnxError::Malformed { .. } | OnnxError::Missing { .. }),
                "{length} bytes: {error}"
            );
        }
    }
}

#[test]
fn text_is_not_a_model() {
    for bytes in [&b"hello, world"[..], b"{\"json\": true}", b"\x89PNG\r\n\x1a\n", &[0xff; 64], &[0x00; 64]] {
        assert!(onnx::from_bytes(bytes, &ImportOptions::default()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = onnx::from_bytes(&bytes, &ImportOptions::default());
        let _ = onnx::tensor_from_bytes(&bytes);
    }

    #[test]
    fn mutated_models(which in 0usize..3, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut model = models().swap_remove(which);
        for (at, byte) in edits {
            let at = at.index(model.len());
            model[at] = byte;
        }
        let _ = onnx::from_bytes(&model, &ImportOptions::default());
    }

    #[test]
    fn spliced_models(which in 0usize..3, cut in any::<prop::sample::Index>(), length in 0usize..64, to in any::<prop::sample::Index>()) {
        let mut model = models().swap_remove(which);
        let at = cut.index(model.len());
        let piece: Vec<u8> = model[at..(at + length).min(model.len())].to_vec();
        let to = to.index(model.len());
        model.splice(to..to, piece);
        let _ = onnx::from_bytes(&model, &ImportOptions::default());
    }
}
