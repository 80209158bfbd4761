//! The negacyclic number-theoretic transform over `Z_q[X]/(X^N + 1)`.
//!
//! Formula: word `i` of the output is `a(psi^(2*bitrev(i)+1))`, bitrev on log2 N bits, psi the smallest primitive 2N-th
//! root of unity modulo q (Microsoft SEAL's convention, so its residues are ours after a copy).
//! Layout: in place, N words in `[0, q)` in and out. Twiddle `k` of a direction is `psi^(+-bitrev(k))` with its Shoup
//! quotient: layer with `m` blocks uses twiddles `m..2m` in order. A plan keeps them once, in the form that the chosen
//! kernel reads.
//! Source: \[Har14\]; \[LN16\] for merging psi into the twiddles.

use crate::kernels;
use crate::modulus::{Modulus, ShoupFactor};
use crate::roots::{is_prime_vartime, minimal_root_vartime};
use crate::{Isa, RingError, Word};

/// The largest supported base-2 logarithm of the ring degree.
pub const MAX_LOG_N: u32 = 17;

/// Twiddle factors of one direction, values and Shoup quotients apart so that vectors load either.
#[derive(Clone, Debug)]
pub(crate) struct Twiddles<W> {
    pub(crate) values: Vec<W>,
    pub(crate) quotients: Vec<W>,
}

impl<W: Word> Twiddles<W> {
    fn new(m: Modulus<W>, root: W, log_n: u32) -> Self {
        let n = 1usize << log_n;
        let (mut values, mut quotients) = (vec![W::default(); n], vec![W::default(); n]);
        let step = m.shoup(root);
        let mut power = W::from_u64(1);
        for i in 0..n {
            let k = bit_reverse(i, log_n);
            values[k] = power;
            quotients[k] = m.shoup(power).quotient();
            power = m.mul_shoup(power, step);
        }
        Self { values, quotients }
    }
}

/// The twiddle factors of one prime as the portable transforms read them; kernels pack theirs from these.
#[derive(Clone, Debug)]
pub struct Tables<W> {
    pub(crate) forward: Twiddles<W>,
    pub(crate) inverse: Twiddles<W>,
    /// `N^-1`, and `N^-1` times the only twiddle of the last inverse layer.
    pub(crate) n_inverse: ShoupFactor<W>,
    pub(crate) n_inverse_twiddle: ShoupFactor<W>,
}

impl<W: Word> Tables<W> {
    fn new(m: Modulus<W>, root: W, log_n: u32) -> Self {
        let forward = Twiddles::new(m, root, log_n);
        let inverse = Twiddles::new(m, m.inverse_vartime(root), log_n);
        let n_inverse = m.inverse_vartime(m.reduce_u64(1 << log_n));
        let n_inverse_twiddle = m.shoup(m.mul(n_inverse, inverse.values[1]));
        Self { forward, inverse, n_inverse: m.shoup(n_inverse), n_inverse_twiddle }
    }
}

/// The low `bits` bits of `i` in reverse order.
pub(crate) fn bit_reverse(i: usize, bits: u32) -> usize {
    if bits == 0 { 0 } else { i.reverse_bits() >> (usize::BITS - bits) }
}

/// Everything one prime needs for transforms, with the instruction set they run on.
#[derive(Clone, Debug)]
pub struct NttPlan<W: Word> {
    log_n: u32,
    isa: Isa,
    modulus: Modulus<W>,
    root: W,
    transform: W::Transform,
}

impl<W: Word> NttPlan<W> {
    /// A plan for the prime `q = 1 mod 2^(log_n+1)`.
    ///
    /// # Errors
    /// [`RingError::LogNOutOfRange`], [`RingError::ModulusTooLarge`], [`RingError::NotPrime`],
    /// [`RingError::NotNttFriendly`].
    pub fn new(log_n: u32, q: u64, isa: Isa) -> Result<Self, RingError> {
        if !(1..=MAX_LOG_N).contains(&log_n) {
            return Err(RingError::LogNOutOfRange { log_n });
        }
        let modulus = Modulus::<W>::new(q)?;
        if !is_prime_vartime(q) {
            return Err(RingError::NotPrime { q });
        }
        let two_n = 2u64 << log_n;
        if q % two_n != 1 {
            return Err(RingError::NotNttFriendly { q, two_n });
        }
        let root = minimal_root_vartime(modulus, log_n);
        let transform = W::transform(isa, modulus, Tables::new(modulus, root, log_n));
        Ok(Self { log_n, isa, modulus, root, transform })
    }

    /// Base-2 logarithm of the degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// The prime.
    pub fn modulus(&self) -> Modulus<W> {
        self.modulus
    }

    /// The instruction set of the kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The smallest primitive 2N-th root of unity.
    pub fn root(&self) -> W {
        self.root
    }

    /// Coefficients to evaluations, in place.
    ///
    /// # Panics
    /// When `x` does not have N words.
    #[inline]
    pub fn forward(&self, x: &mut [W]) {
        assert_eq!(x.len(), 1 << self.log_n, "a transform of N words");
        debug_assert!(x.iter().all(|w| *w < self.modulus.value()));
        W::ntt_forward(&self.transform, x);
    }

    /// Evaluations of `x + c` for coefficients x modulo any prime below 2^30: the reduction is part of the first pass where
    /// the kernel has one for this prime.
    pub(crate) fn forward_of(&self, out: &mut [W], x: &[u32], c: W) {
        assert!(out.len() == 1 << self.log_n && x.len() == out.len(), "a transform of N words");
        if !W::ntt_forward_of(&self.transform, out, x, c) {
            kernels::reduce_add_into(self.isa, self.modulus, out, x, c);
            self.forward(out);
        }
    }

    /// Evaluations to coefficients, in place.
    ///
    /// # Panics
    /// When `x` does not have N words.
    #[inline]
    pub fn inverse(&self, x: &mut [W]) {
        assert_eq!(x.len(), 1 << self.log_n, "a transform of N words");
        debug_assert!(x.iter().all(|w| *w < self.modulus.value()));
        W::ntt_inverse(&self.transform, x);
    }
}

#[cfg(test)]
mod tests;
