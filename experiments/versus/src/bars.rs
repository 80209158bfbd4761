//! The ratios that are asked for, on AVX2 and two cores.

/// Peer's time over Henge's, at least: row, peer, ratio.
const BARS: [(&str, &str, f64); 19] = [
    ("ntt_forward_2^13_30bit", SEAL, 10.0),
    ("ntt_forward_2^13_30bit", "concrete-ntt", 2.0),
    ("ntt_forward_2^13_30bit", "tfhe-ntt", 2.0),
    ("ntt_forward_2^14_60bit", SEAL, 2.0),
    ("ntt_forward_2^14_60bit", "concrete-ntt", 1.0),
    ("ntt_forward_2^14_60bit", "tfhe-ntt", 1.0),
    ("ntt_forward_2^14_50bit", SEAL, 2.0),
    ("ntt_forward_2^14_50bit", "concrete-ntt", 1.0),
    ("ntt_forward_2^14_50bit", "tfhe-ntt", 1.0),
    ("relinearize_2^13_7x30", SEAL, 8.0),
    ("rotate_2^13_7x30", SEAL, 8.0),
    ("rescale_2^13_7x30", SEAL, 7.0),
    ("encode_encrypt_symmetric_2^12_3x30", SEAL, 8.0),
    ("decrypt_decode_2^12_1x30", SEAL, 8.0),
    ("relinearize_2^14_60_6x40_60", SEAL, 2.0),
    ("cryptonets_4096", SEAL_OWN_KERNELS, 15.0),
    ("cryptonets_4096", SEAL_HAND_TUNED, 6.5),
    ("cryptonets_4096_client", SEAL, 8.0),
    ("cryptonets_4096_memory", SEAL_HAND_TUNED, 3.0),
];

/// Microsoft SEAL through its documented interface.
pub(crate) const SEAL: &str = "SEAL";
/// Scalar products straight on SEAL's buffers by SEAL's own kernels, as HE-Transformer drove it.
pub(crate) const SEAL_OWN_KERNELS: &str = "SEAL, own kernels";
/// Linear layers by hand-written AVX2 on SEAL's buffers, everything else SEAL's.
pub(crate) const SEAL_HAND_TUNED: &str = "SEAL, hand-tuned";
/// The residue matrix product of one prime.
pub(crate) const MATRIX_PRODUCT: &str = "matrix_product_845x100_2^13";
/// The server's work for one batch of CryptoNets.
pub(crate) const CRYPTONETS: &str = "cryptonets_4096";
/// The same against more than a bar asks for.
pub(crate) const CRYPTONETS_MOONSHOT: &str = "cryptonets_4096_moonshot";
/// Twice the images in a batch, in the conjugate-invariant ring.
pub(crate) const CONJUGATE_INVARIANT: &str = "cryptonets_8192_conjugate_invariant";

/// A speed that is asked for whatever peers reach. It stands in the peer's place: its time is what the work may take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    /// What stands as the peer.
    pub(crate) name: &'static str,
    /// Units of work a second.
    pub(crate) per_second: f64,
    /// Hoped for, not asked for.
    pub(crate) moonshot: bool,
}

/// Multiply-accumulates of one core.
pub(crate) const MULTIPLY_ACCUMULATES: Speed =
    Speed { name: "asked: 15 G multiply-accumulates/s", per_second: 15e9, moonshot: false };
/// Images on [`CORES`].
pub(crate) const IMAGES: Speed = Speed { name: "asked: 5,000 images/s", per_second: 5e3, moonshot: false };
/// Images on [`CORES`], one to each of N/2 slots.
pub(crate) const IMAGES_MOONSHOT: Speed = Speed { name: "moonshot: 10,000 images/s", per_second: 1e4, moonshot: true };
/// Images on [`CORES`] with N real slots.
pub(crate) const IMAGES_CONJUGATE_INVARIANT: Speed =
    Speed { name: "moonshot: 20,000 images/s", per_second: 2e4, moonshot: true };

/// Cores that images a second are asked of; on another number they are not judged.
pub(crate) const CORES: usize = 2;

pub(crate) fn ratio(row: &str, peer: &str) -> Option<f64> {
    BARS.iter().find(|(name, of, _)| *name == row && *of == peer).map(|(_, _, ratio)| *ratio)
}

/// What the code of a row does so as to be fast: where a bar is missed, all of it was tried and kept, and is not enough.
pub(crate) fn tried(row: &str) -> Option<&'static str> {
    const TRIED: [(&str, &str); 8] = [
        (
            "ntt_forward_2^13_30bit",
            "two layers at a time in Montgomery form, so that two products share a reduction (22 vector multiplications where \
             Shoup's butterflies take 24); odd words and halves of rows by load and store ports; blocks finished depth first; \
             the layers inside vectors in two sweeps of short chains",
        ),
        (
            "ntt_",
            "signed words reduced as late as a computed bound allows; two layers a pass, depth first above the first-level \
             cache; up to 50 bits exact floating-point or 52-bit multiply-add, above it quotients from 32-bit halves",
        ),
        ("relinearize", KEY_SWITCH),
        ("rotate", KEY_SWITCH),
        (
            "rescale",
            "the remainder is reduced in the first pass of its transforms; subtraction and the product with the inverse in one \
             pass; the transforms themselves as in the row of the transform",
        ),
        (
            "encode_encrypt",
            "one polynomial at a time while it is in the cache; message and error share a transform; half of the ciphertext \
             stays a seed; embedding, key stream and draws by vectors",
        ),
        (
            "decrypt_decode",
            "real parts by an embedding of half the size; numbers composed in place, centred and scaled by vectors",
        ),
        (
            "cryptonets",
            "weights at the smallest scales that keep the labels, the shortest chain; squares made as the next layer reads \
             them; the seeds' halves drawn one prime at a time; sums of products exact in floating point, reduced once",
        ),
    ];
    TRIED.iter().find(|(prefix, _)| row.starts_with(prefix)).map(|(_, text)| *text)
}

const KEY_SWITCH: &str = "all digits of a polynomial modulo one prime in the second-level cache; a raised digit reduced in the \
                          first pass of its transform; sums of products with the key in registers, reduced once, divided where \
                          they were made";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_and_what_was_tried() {
        assert_eq!((ratio("rescale_2^13_7x30", SEAL), ratio("rescale_2^13_7x30", "concrete-ntt")), (Some(7.0), None));
        // Whatever can be missed has something to say.
        for (row, _, _) in BARS.iter().filter(|(row, _, _)| !row.ends_with("memory")) {
            assert!(tried(row).is_some(), "{row}");
        }
        assert!(tried("ntt_forward_2^13_30bit") != tried("ntt_forward_2^14_60bit") && tried("add_2^13_7x30").is_none());
    }
}
