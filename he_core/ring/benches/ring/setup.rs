//! Chains of primes, rings over them, tensors and names.

use he_params::LogN;
use he_params::primes::ntt_primes;
use he_ring::{Eval, Isa, Ring, RnsTensor};

/// So many primes of so many bits.
#[derive(Clone, Copy)]
pub(crate) struct Chain {
    pub(crate) count: usize,
    pub(crate) bits: u8,
}

impl Chain {
    pub(crate) const fn new(count: usize, bits: u8) -> Self {
        Self { count, bits }
    }

    pub(crate) fn primes(self, log_n: u32) -> Vec<u64> {
        ntt_primes(self.bits, LogN::new(log_n as u8).expect("a degree"), self.count).expect("enough primes")
    }

    pub(crate) fn ring(self, log_n: u32, isa: Isa) -> Ring {
        Ring::new(log_n, &self.primes(log_n), isa).expect("primes for this degree")
    }

    /// Words of a polynomial over all primes.
    pub(crate) fn words(self, log_n: u32) -> u64 {
        (self.count as u64) << log_n
    }

    /// The last parts of a bench's name.
    pub(crate) fn name(self, op: &str, log_n: u32, isa: Isa) -> String {
        format!("{op}/{log_n}/{}x{}/{}", self.count, self.bits, isa.name())
    }
}

/// Small coefficients without structure, as evaluations: words that look random.
pub(crate) fn tensor(ring: &Ring, rows: usize, limbs: &[usize]) -> RnsTensor<Eval> {
    let coefficients: Vec<i64> = (0..(rows * ring.n()) as i64).map(|i| i.wrapping_mul(0x1e37_79b9_7f4a_7c15)).collect();
    ring.forward(ring.from_signed(&coefficients, limbs).expect("whole rows")).expect("a tensor of this ring")
}

/// Every limb of a ring.
pub(crate) fn all_limbs(ring: &Ring) -> Vec<usize> {
    (0..ring.primes().len()).collect()
}
