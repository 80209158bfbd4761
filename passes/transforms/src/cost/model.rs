//! Seconds for work.

use serde::{Deserialize, Serialize};

use super::{CLASSES, Work};

/// Nanoseconds of one core per unit of work, by class of primes: `[up to 30 bits, 31 to 50 bits, 51 to 61 bits]`.
///
/// The constants built in were measured at N = 2^13 on one core of an Intel server processor of 2023 at about 3 GHz, but for the last class:
/// those of the class before, butterflies times what `//experiments:versus` prints for `ntt_forward_2^14_60bit` over `ntt_forward_2^14_50bit`. They order alternatives and make a forecast, they are no promise. One command prints them as they stand here, once for each of
/// `HENGE_ISA=avx2` and `HENGE_ISA=avx512_ifma`:
///
/// ```text
/// henge calibrate --output costs.json --rust
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostModel {
    /// Per butterfly of a transform; a row has N/2 log2 N of them.
    pub butterfly_ns: [f64; CLASSES],
    /// Per multiply-accumulate of a small integer with one word.
    pub multiply_accumulate_ns: [f64; CLASSES],
    /// Per word read or written by an element-wise operation.
    pub pass_ns: [f64; CLASSES],
    /// Per word drawn from a seed.
    pub sample_ns: [f64; CLASSES],
    /// Part of a second core, and of each further one, that comes through (memory and clock are shared).
    pub parallel_efficiency: f64,
}

impl Default for CostModel {
    /// [`CostModel::AVX2`].
    fn default() -> Self {
        Self::AVX2
    }
}

impl CostModel {
    /// With AVX2 kernels.
    pub const AVX2: CostModel = CostModel {
        butterfly_ns: [0.29, 0.70, 1.48],
        multiply_accumulate_ns: [0.073, 0.13, 0.13],
        pass_ns: [0.12, 0.36, 0.36],
        sample_ns: [1.85, 6.0, 6.0],
        parallel_efficiency: 0.9,
    };

    /// With AVX-512 kernels.
    pub const AVX512: CostModel = CostModel {
        butterfly_ns: [0.3, 0.56, 1.18],
        multiply_accumulate_ns: [0.056, 0.111, 0.111],
        pass_ns: [0.117, 0.22, 0.22],
        sample_ns: [1.44, 3.83, 3.83],
        parallel_efficiency: 0.9,
    };

    /// The constants built in for an instruction set, by the name that `he_ring` gives it: those of AVX-512 or of AVX2.
    pub fn for_isa(isa: &str) -> CostModel {
        if isa.starts_with("avx512") { CostModel::AVX512 } else { CostModel::AVX2 }
    }

    /// Seconds for `work` at ring degree 2^`log_n` on one core.
    pub fn seconds(&self, work: &Work, log_n: u32) -> f64 {
        let n = f64::from(log_n).exp2();
        let butterflies = n / 2.0 * f64::from(log_n);
        let per_class = |class: usize| {
            work.transforms[class] as f64 * butterflies * self.butterfly_ns[class]
                + work.row_multiply_accumulates[class] as f64 * n * self.multiply_accumulate_ns[class]
                + work.row_passes[class] as f64 * n * self.pass_ns[class]
                + work.row_samples[class] as f64 * n * self.sample_ns[class]
        };
        (0..CLASSES).map(per_class).sum::<f64>() * 1e-9
    }

    /// Seconds on `threads` cores.
    pub fn seconds_on(&self, work: &Work, log_n: u32, threads: usize) -> f64 {
        let cores = 1.0 + threads.saturating_sub(1) as f64 * self.parallel_efficiency;
        self.seconds(work, log_n) / cores
    }
}
