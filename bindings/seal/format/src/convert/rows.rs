//! Words in SEAL's order to rows of a tensor and back: copies, and a change of width for primes below 2^30.
//!
//! Layout: SEAL keeps `[polynomial][prime][N]` as 64-bit words; a tensor keeps `[prime][row][N]`, each prime at its own width.
//! Both hold evaluations in the same order, so nothing is transformed.

use he_ring::{Eval, Residues, Ring, RingError, RnsTensor, RnsView};

/// Rows of a tensor over the primes `limbs` (ring indices) from as many polynomials of words.
///
/// # Errors
/// [`RingError::LengthMismatch`], [`RingError::ResidueOutOfRange`], [`RingError::LimbOutOfRange`].
pub(super) fn from_words<'w>(
    ring: &Ring,
    limbs: &[usize],
    polynomials: impl IntoIterator<Item = &'w [u64], IntoIter: ExactSizeIterator>,
) -> Result<RnsTensor<Eval>, RingError> {
    let polynomials = polynomials.into_iter();
    let (n, expected) = (ring.n(), limbs.len() * ring.n());
    let mut rows = ring.zero(polynomials.len(), limbs)?;
    for (row, words) in polynomials.enumerate() {
        if words.len() != expected {
            return Err(RingError::LengthMismatch { what: "polynomial", expected, found: words.len() });
        }
        for (limb, residues) in words.chunks_exact(n).enumerate() {
            rows.set_row_from_u64(limb, row, residues.iter().copied())?;
        }
    }
    Ok(rows)
}

/// The words of all rows, one row after the other.
pub(super) fn to_words(rows: RnsView<'_, Eval>) -> Vec<u64> {
    let limbs = rows.limb_indices().len();
    let mut words = Vec::with_capacity((rows.rows() * limbs) << rows.log_n());
    for row in 0..rows.rows() {
        for limb in 0..limbs {
            match rows.row(limb, row) {
                Residues::U32(residues) => words.extend(residues.iter().map(|x| u64::from(*x))),
                Residues::U64(residues) => words.extend_from_slice(residues),
            }
        }
    }
    words
}
