//! The automorphisms `a(X) -> a(X^g)`, g odd, in both domains.
//!
//! Formula, cyclotomic ring: coefficient `k` of the image is `a_i` with `i = k * g^-1 mod 2N`, where `a_(i+N) = -a_i`;
//! evaluation `i` is `a(psi^(g*(2*bitrev(i)+1)))`, another evaluation of `a`: a permutation, without signs.
//! Conjugate-invariant ring: `i = k * g^-1 mod 4N`, where `a_(4N-i) = a_i` and `a_(2N-i) = -a_i`; evaluation `i` is
//! `a(psi^(g*(4*bitrev(i)+1)))`. g and -g move alike, and one of them is 1 modulo 4.
//! Evaluations move in blocks: for `r = bitrev(i)` the source is `bitrev(s)`, `s = g*r + h mod N`, h the half of `g - 1`, or the
//! quarter in the conjugate-invariant ring. The low three bits of
//! i are the top ones of r, which move only the top three bits of s: eight neighbours come from one block, in one of
//! eight orders.
//! Layout: a table of source blocks and orders; in coefficients, or below eight words, of N source positions, where the
//! top bit means a change of sign.

use std::marker::PhantomData;

use he_params::RingType;

use crate::kernels::{PERMUTE_BLOCK, Patterns, permute_blocks};
use crate::modulus::Modulus;
use crate::ntt::{NttPlan, bit_reverse, log_order};
use crate::ring::{Ring, each_width};
use crate::tensor::{Domain, RnsTensor};
use crate::view::RnsView;
use crate::{RingError, Word};

/// Marks a source that changes sign.
const NEGATE: u32 = 1 << 31;

/// Where each word of an image comes from, for one Galois element and domain.
#[derive(Clone, Debug)]
pub struct Galois<D: Domain> {
    g: u32,
    log_n: u32,
    sources: Sources,
    domain: PhantomData<D>,
}

#[derive(Clone, Debug)]
enum Sources {
    /// A position for every word.
    Words(Vec<u32>),
    /// An entry for every block of words.
    Blocks { entries: Vec<u32>, patterns: Box<Patterns> },
}

impl<D: Domain> Galois<D> {
    /// The Galois element, below the order of the roots of unity.
    pub fn element(&self) -> u32 {
        self.g
    }

    /// Refuses a table of another degree than the ring's.
    pub(crate) fn check(&self, ring: &Ring) -> Result<(), RingError> {
        if self.log_n == ring.log_n() {
            return Ok(());
        }
        Err(RingError::LengthMismatch { what: "galois table", expected: ring.n(), found: 1 << self.log_n })
    }

    /// The image of one row.
    pub(crate) fn image_into<W: Word>(&self, plan: &NttPlan<W>, out: &mut [W], x: &[W]) {
        match &self.sources {
            Sources::Blocks { entries, patterns } => permute_blocks(plan.isa(), out, x, entries, patterns),
            Sources::Words(sources) => permute_signed(plan.modulus(), out, x, sources),
        }
    }
}

impl Ring {
    /// The automorphism `X -> X^g`; g counts modulo 2N, modulo 4N in the conjugate-invariant ring.
    ///
    /// # Errors
    /// [`RingError::EvenGaloisElement`].
    pub fn galois<D: Domain>(&self, g: u64) -> Result<Galois<D>, RingError> {
        if g.is_multiple_of(2) {
            return Err(RingError::EvenGaloisElement { g });
        }
        let (n, log_n, log_order) = (self.n(), self.log_n(), log_order(self.ring_type(), self.log_n()));
        let order = 1usize << log_order;
        let g = (g as usize) & (order - 1);
        let sources = if D::IS_EVAL {
            let (g, h) = match self.ring_type() {
                RingType::Cyclotomic => (g, g / 2),
                RingType::ConjugateInvariant if g % 4 == 1 => (g, g / 4),
                RingType::ConjugateInvariant => (order - g, (order - g) / 4),
            };
            if n >= PERMUTE_BLOCK {
                blocks(g, h, log_n)
            } else {
                let source = |i| bit_reverse((g * bit_reverse(i, log_n) + h) & (n - 1), log_n) as u32;
                Sources::Words((0..n).map(source).collect())
            }
        } else {
            // The number of odd numbers below the order is a multiple of the order of each.
            let inverse = (1..order / 2).fold(1, |power, _| (power * g) & (order - 1));
            let source = |k: usize| match (self.ring_type(), (k * inverse) & (order - 1)) {
                (RingType::Cyclotomic, i) if i < n => i as u32,
                (RingType::Cyclotomic, i) => (i - n) as u32 | NEGATE,
                (RingType::ConjugateInvariant, i) => {
                    let i = i.min(order - i);
                    if i < n { i as u32 } else { (2 * n - i) as u32 | NEGATE }
                }
            };
            Sources::Words((0..n).map(source).collect())
        };
        Ok(Galois { g: g as u32, log_n, sources, domain: PhantomData })
    }

    /// The image of each row.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`]; [`RingError::LengthMismatch`] for a table of another degree.
    pub fn automorphism<'x, D: Domain>(
        &self,
        galois: &Galois<D>,
        x: impl Into<RnsView<'x, D>>,
    ) -> Result<RnsTensor<D>, RingError> {
        let x = x.into();
        galois.check(self)?;
        let limbs = x.limb_indices();
        let mut out = self.unwritten(x.rows(), &limbs)?;
        let x = self.operand(&limbs, x.rows(), x)?;
        self.par_rows(out.view_mut(), |l, r, row| {
            each_width!(row, |plan, out| galois.image_into(plan, out, x.words(l, r)))
        });
        Ok(out)
    }
}

/// The blocks of evaluations, of at least [`PERMUTE_BLOCK`] of them.
fn blocks(g: usize, h: usize, log_n: u32) -> Sources {
    const LOG_BLOCK: u32 = PERMUTE_BLOCK.ilog2();
    const TOP: usize = PERMUTE_BLOCK - 1;
    let (high, n) = (log_n - LOG_BLOCK, 1usize << log_n);
    let entry = |block: usize| {
        // s of the first word of the block: its top bits choose the order, the others the source block.
        let s = (g * bit_reverse(block, high) + h) & (n - 1);
        (bit_reverse(s & ((1 << high) - 1), high) << LOG_BLOCK | s >> high) as u32
    };
    let source = |top: usize, b: usize| bit_reverse((top + g * bit_reverse(b, LOG_BLOCK)) & TOP, LOG_BLOCK) as u32;
    let patterns: Patterns = std::array::from_fn(|top| std::array::from_fn(|b| source(top, b)));
    Sources::Blocks { entries: (0..n / PERMUTE_BLOCK).map(entry).collect(), patterns: Box::new(patterns) }
}

/// Coefficients, and evaluations of the smallest rings. No operation of the scheme moves coefficients, so no set has a form of
/// its own.
fn permute_signed<W: Word>(m: Modulus<W>, out: &mut [W], x: &[W], sources: &[u32]) {
    for (out, source) in out.iter_mut().zip(sources) {
        let word = x[(source & !NEGATE) as usize];
        *out = if source & NEGATE == 0 { word } else { m.neg(word) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mixed_ring, mixed_ring_of_type, random_tensor};
    use crate::{Coeff, Eval, Isa};

    #[test]
    fn both_domains_agree_with_the_definition() {
        let isas = Isa::available();
        for (log_n, isa) in [1, 2, 3, 4, 6, 9].into_iter().flat_map(|log_n| isas.iter().map(move |isa| (log_n, *isa))) {
            let ring = mixed_ring(log_n, isa);
            let n = ring.n();
            let x: RnsTensor<Coeff> = random_tensor(&ring, 3, &[0, 1, 2]);
            let x_eval = ring.forward(x.clone()).unwrap();
            for g in [1, 3, 5, 7, 2 * n as u64 - 1, 2 * n as u64 + 3] {
                let image = ring.automorphism(&ring.galois::<Coeff>(g).unwrap(), &x).unwrap();
                for (limb, q) in x.primes().into_iter().enumerate() {
                    for row in 0..3 {
                        let mut want = vec![0; n];
                        for (i, a) in x.row(limb, row).iter().enumerate() {
                            let k = i * g as usize % (2 * n);
                            if k < n { want[k] = a } else { want[k - n] = (q - a) % q }
                        }
                        assert_eq!(image.row(limb, row).iter().collect::<Vec<_>>(), want, "g={g} log_n={log_n}");
                    }
                }
                let eval = ring.automorphism(&ring.galois::<Eval>(g).unwrap(), &x_eval).unwrap();
                assert_eq!(eval, ring.forward(image).unwrap(), "g={g} log_n={log_n}");
            }
        }
    }

    /// `X^i + X^-i` goes to `X^(gi) + X^-(gi)`.
    #[test]
    fn conjugate_invariant_images_agree_with_the_definition() {
        let isas = Isa::available();
        for (log_n, isa) in [1, 2, 3, 4, 6, 9].into_iter().flat_map(|log_n| isas.iter().map(move |isa| (log_n, *isa))) {
            let ring = mixed_ring_of_type(RingType::ConjugateInvariant, log_n, isa);
            let n = ring.n();
            let x: RnsTensor<Coeff> = random_tensor(&ring, 2, &[0, 1, 2]);
            let x_eval = ring.forward(x.clone()).unwrap();
            for g in [1, 3, 5, 7, 4 * n as u64 - 3, 4 * n as u64 - 1, 4 * n as u64 + 3] {
                let image = ring.automorphism(&ring.galois::<Coeff>(g).unwrap(), &x).unwrap();
                for (limb, q) in x.primes().into_iter().enumerate() {
                    for row in 0..2 {
                        let mut want = vec![0; n];
                        for (i, a) in x.row(limb, row).iter().enumerate() {
                            let e = i * g as usize % (4 * n);
                            let e = e.min(4 * n - e);
                            if e < n { want[e] = a } else { want[2 * n - e] = (q - a) % q }
                        }
                        assert_eq!(image.row(limb, row).iter().collect::<Vec<_>>(), want, "g={g} log_n={log_n}");
                    }
                }
                let eval = ring.automorphism(&ring.galois::<Eval>(g).unwrap(), &x_eval).unwrap();
                assert_eq!(eval, ring.forward(image).unwrap(), "g={g} log_n={log_n}");
            }
        }
    }

    #[test]
    fn even_elements_and_foreign_tables_are_refused() {
        let (small, large) = (mixed_ring(3, Isa::Scalar), mixed_ring(4, Isa::Scalar));
        assert_eq!(small.galois::<Eval>(4).err(), Some(RingError::EvenGaloisElement { g: 4 }));
        let x: RnsTensor<Eval> = random_tensor(&small, 1, &[0]);
        let refusal = small.automorphism(&large.galois(3).unwrap(), &x).err();
        assert_eq!(refusal, Some(RingError::LengthMismatch { what: "galois table", expected: 8, found: 16 }));
    }
}
