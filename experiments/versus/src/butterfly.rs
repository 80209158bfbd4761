//! What the butterflies of a transform cost at least: vector instructions on registers, counted in the loops of
//! `he_core/ring/src/kernels/ntt_*.rs`, against how many of them a core can begin in a cycle.
//!
//! Counted is a butterfly of one vector with another, on the way of most layers. Not counted, so part of the rest: loads and
//! stores, twiddles, layers inside vectors and their shuffles, reductions of the layers that need one, the last step to
//! `[0, q)`, and waiting for results.

use he_ring::Isa;

use crate::limit::{VECTOR_MULTIPLIES, instructions_per_cycle};
use crate::parts::Profile;

/// What stands for the rest of a transform.
pub(crate) const REST: &str = "the rest (loads and stores, layers inside vectors, waiting)";

/// Instructions of one butterfly of vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Butterfly {
    /// Words of a vector.
    lanes: f64,
    multiplications: f64,
    /// Sums, differences, shuffles, comparisons, shifts.
    others: f64,
}

/// The butterfly of the path that a prime of so many bits takes.
pub(crate) fn butterfly(isa: Isa, bits: u32, forward: bool, is_amd: bool) -> Option<Butterfly> {
    let of = |lanes, multiplications, others| Some(Butterfly { lanes, multiplications, others });
    let way = |forwards: f64, inverses: f64| if forward { forwards } else { inverses };
    match (isa.name(), bits) {
        // Two layers of four vectors at a time: four butterflies, 22 multiplications.
        ("avx2", ..=30) => of(8.0, 22.0 / 4.0, way(26.0, 29.0) / 4.0),
        ("avx512" | "avx512_ifma", ..=30) => of(16.0, 22.0 / 4.0, way(28.0, 31.0) / 4.0),
        // Floating point: two products and two multiples of q, of which three are fused; the rounding, two sums.
        ("avx2", ..=50) => of(4.0, 4.0, 4.0),
        ("avx512", ..=50) => of(8.0, 4.0, 4.0),
        // Quotient, product, multiple of q, all fused with sums.
        ("avx512_ifma", ..=50) => of(8.0, 3.0, 3.0),
        // Eight products of halves.
        ("avx2", _) => of(4.0, 8.0, 13.0),
        // Three products of halves and two of 64 bits, which Intel's processors make of three each.
        ("avx512" | "avx512_ifma", _) => of(8.0, if is_amd { 5.0 } else { 9.0 }, 9.0),
        _ => None,
    }
}

impl Butterfly {
    /// The least time of the butterflies of one transform of `2^log_n` words, in two parts.
    pub(crate) fn profile(&self, isa: Isa, log_n: u32, is_amd: bool, clock_hz: f64) -> Profile {
        let butterflies = f64::from(log_n) * f64::from(1u32 << log_n) / 2.0 / self.lanes;
        let us = |cycles: f64| butterflies * cycles / clock_hz * 1e6;
        let (width, instructions) = (instructions_per_cycle(isa, is_amd), self.multiplications + self.others);
        let multiplying = self.multiplications / VECTOR_MULTIPLIES;
        let issuing = (instructions / width).max(multiplying);
        let mut profile = Profile::default();
        profile.add(format!("{} vector multiplications a butterfly, 2 a cycle", self.multiplications), us(multiplying));
        profile.add(
            format!("{} other vector instructions, {width} of all a cycle", self.others),
            us(issuing - multiplying),
        );
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_at_the_rate_of_the_processor() {
        for isa in Isa::available() {
            for bits in [30, 50, 60] {
                assert_eq!(butterfly(isa, bits, true, false).is_some(), isa != Isa::Scalar, "{}", isa.name());
            }
        }
        // 13 layers of 256 butterflies of vectors at 1 GHz: two cycles each, one more, and one that is left.
        let butterfly = Butterfly { lanes: 16.0, multiplications: 4.0, others: 8.0 };
        let parts = butterfly.profile(Isa::Scalar, 13, true, 1e9).of(13.312, "rest");
        let us: Vec<f64> = parts.iter().map(|part| part.us).collect();
        assert!((us[0] - 6.656).abs() < 1e-9 && (us[1] - 3.328).abs() < 1e-9 && (us[2] - 3.328).abs() < 1e-9, "{us:?}");
    }
}
