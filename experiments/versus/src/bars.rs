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

/// The row that is asked for multiply-accumulates, not for a ratio.
pub(crate) const MATRIX_PRODUCT: &str = "matrix_product_845x100_2^13";
/// Multiply-accumulates a second that one core is asked for.
pub(crate) const MATRIX_PRODUCT_PER_SECOND: f64 = 15e9;
/// Images a second that two cores are asked for.
pub(crate) const IMAGES_PER_SECOND: f64 = 5000.0;

/// Whether something is asked of a row.
pub(crate) fn asked(row: &str) -> bool {
    row == MATRIX_PRODUCT || BARS.iter().any(|(name, _, _)| *name == row)
}

pub(crate) fn ratio(row: &str, peer: &str) -> Option<f64> {
    BARS.iter().find(|(name, of, _)| *name == row && *of == peer).map(|(_, _, ratio)| *ratio)
}
