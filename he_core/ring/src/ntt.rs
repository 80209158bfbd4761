//! The number-theoretic transforms of both rings, negacyclic over `Z_q[X]/(X^N + 1)` and conjugate-invariant.
//!
//! Formula, cyclotomic ring: word `i` of the output is `a(psi^(2*bitrev(i)+1))`, bitrev on log2 N bits, psi the smallest
//! primitive 2N-th root of unity modulo q (Microsoft SEAL's convention, so its residues are ours after a copy).
//! Conjugate-invariant ring: psi is the smallest primitive 4N-th root, word `i` is `a(psi^(4*bitrev(i)+1))`. At these roots
//! `X^N` is `I = psi^N`, so `a_k X^-k` counts as `-I a_k X^(N-k)`: folded to `a_k - I a_(N-k)`, k > 0, the polynomial is one
//! modulo `X^N - I`, the left half of `X^2N + 1`, and its layers are those of the cyclotomic transform of degree 2N that
//! touch that half. Back, `a_k = (y_k + I y_(N-k)) / 2`, and `a_0 = y_0`.
//! Layout: in place, N words in `[0, q)` in and out. Twiddle `k` of a direction is `psi^(+-bitrev(k))` with its Shoup
//! quotient: layer with `m` blocks uses twiddles `m..2m` in order. A plan keeps them once, in the form that the chosen
//! kernel reads.
//! Source: \[Har14\]; \[LN16\] for merging psi into the twiddles; \[KS18\] for the conjugate-invariant ring.

use he_params::RingType;

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
    fn new(m: Modulus<W>, root: W, ring_type: RingType, log_n: u32) -> Self {
        let n = 1usize << log_n;
        let step = m.shoup(root);
        let powers = std::iter::successors(Some(W::from_u64(1)), |power| Some(m.mul_shoup(*power, step)));
        let powers: Vec<W> = powers.take(2 * n).collect();
        let exponent = |k: usize| match ring_type {
            RingType::Cyclotomic => bit_reverse(k, log_n),
            // Block k of a layer of m is block k + m of twice as many.
            RingType::ConjugateInvariant if k > 0 => bit_reverse(k + (1 << k.ilog2()), log_n + 1),
            RingType::ConjugateInvariant => 0,
        };
        let values: Vec<W> = (0..n).map(|k| powers[exponent(k)]).collect();
        let quotients = values.iter().map(|value| m.shoup(*value).quotient()).collect();
        Self { values, quotients }
    }
}

/// The twiddle factors of one prime as the portable transforms read them; kernels pack theirs from these.
#[derive(Clone, Debug)]
pub struct Tables<W> {
    pub(crate) forward: Twiddles<W>,
    pub(crate) inverse: Twiddles<W>,
    /// The factor after an inverse transform, `N^-1` (`(2N)^-1` in the conjugate-invariant ring), and that times the only
    /// twiddle of the last inverse layer.
    pub(crate) n_inverse: ShoupFactor<W>,
    pub(crate) n_inverse_twiddle: ShoupFactor<W>,
}

impl<W: Word> Tables<W> {
    fn new(m: Modulus<W>, root: W, ring_type: RingType, log_n: u32) -> Self {
        let forward = Twiddles::new(m, root, ring_type, log_n);
        let inverse = Twiddles::new(m, m.inverse_vartime(root), ring_type, log_n);
        let n_inverse = m.inverse_vartime(m.reduce_u64(1 << log_order(ring_type, log_n) >> 1));
        let n_inverse_twiddle = m.shoup(m.mul(n_inverse, inverse.values[1]));
        Self { forward, inverse, n_inverse: m.shoup(n_inverse), n_inverse_twiddle }
    }
}

/// Base-2 logarithm of the order of the roots of unity: of 2N, or of 4N in the conjugate-invariant ring.
pub(crate) fn log_order(ring_type: RingType, log_n: u32) -> u32 {
    match ring_type {
        RingType::Cyclotomic => log_n + 1,
        RingType::ConjugateInvariant => log_n + 2,
    }
}

/// What the conjugate-invariant ring adds before a forward and after an inverse transform: `x_k += w x_(N-k)`, k > 0.
#[derive(Clone, Copy, Debug)]
struct Fold<W> {
    forward: ShoupFactor<W>,
    inverse: ShoupFactor<W>,
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
    /// Of the conjugate-invariant ring.
    fold: Option<Fold<W>>,
}

impl<W: Word> NttPlan<W> {
    /// A plan of the cyclotomic ring for the prime `q = 1 mod 2^(log_n+1)`.
    ///
    /// # Errors
    /// As [`NttPlan::of_type`].
    pub fn new(log_n: u32, q: u64, isa: Isa) -> Result<Self, RingError> {
        Self::of_type(RingType::Cyclotomic, log_n, q, isa)
    }

    /// A plan for the prime `q`, 1 modulo `2^(log_n+1)`, or `2^(log_n+2)` in the conjugate-invariant ring.
    ///
    /// # Errors
    /// [`RingError::LogNOutOfRange`], [`RingError::ModulusTooLarge`], [`RingError::NotPrime`],
    /// [`RingError::NotNttFriendly`].
    pub fn of_type(ring_type: RingType, log_n: u32, q: u64, isa: Isa) -> Result<Self, RingError> {
        if !(1..=MAX_LOG_N).contains(&log_n) {
            return Err(RingError::LogNOutOfRange { log_n });
        }
        let modulus = Modulus::<W>::new(q)?;
        if !is_prime_vartime(q) {
            return Err(RingError::NotPrime { q });
        }
        let log_order = log_order(ring_type, log_n);
        let order = 1u64 << log_order;
        if q % order != 1 {
            return Err(RingError::NotNttFriendly { q, order });
        }
        let root = minimal_root_vartime(modulus, log_order - 1);
        let transform = W::transform(isa, modulus, Tables::new(modulus, root, ring_type, log_n));
        let fold = (ring_type == RingType::ConjugateInvariant).then(|| {
            let i = modulus.pow_vartime(root, 1 << log_n);
            Fold { forward: modulus.shoup(modulus.neg(i)), inverse: modulus.shoup(i) }
        });
        Ok(Self { log_n, isa, modulus, root, transform, fold })
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

    /// The smallest primitive root of unity of order 2N, or 4N in the conjugate-invariant ring.
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
        if let Some(fold) = &self.fold {
            kernels::fold_assign(self.isa, self.modulus, x, fold.forward);
        }
        W::ntt_forward(&self.transform, x);
    }

    /// Evaluations of `x + c` for coefficients x modulo any prime below 2^30: the reduction is part of the first pass where
    /// the kernel has one for this prime.
    pub(crate) fn forward_of(&self, out: &mut [W], x: &[u32], c: W) {
        assert!(out.len() == 1 << self.log_n && x.len() == out.len(), "a transform of N words");
        if self.fold.is_some() || !W::ntt_forward_of(&self.transform, out, x, c) {
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
        if let Some(fold) = &self.fold {
            kernels::fold_assign(self.isa, self.modulus, x, fold.inverse);
            // Halved with all others, and not a sum of two.
            x[0] = self.modulus.add(x[0], x[0]);
        }
    }
}

#[cfg(test)]
mod tests;
