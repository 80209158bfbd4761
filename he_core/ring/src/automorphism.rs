//! The automorphisms `a(X) -> a(X^g)`, g odd, in both domains.
//!
//! Formula: coefficient `k` of the image is `a_i` with `i = k * g^-1 mod 2N`, where `a_(i+N) = -a_i`; evaluation `i` is
//! `a(psi^(g*(2*bitrev(i)+1)))`, another evaluation of `a`: a permutation, without signs.
//! Layout: a table of N source positions; in coefficients the top bit means a change of sign.

use std::marker::PhantomData;

use crate::modulus::Modulus;
use crate::ntt::bit_reverse;
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
    sources: Vec<u32>,
    domain: PhantomData<D>,
}

impl<D: Domain> Galois<D> {
    /// The Galois element, in `0..2N`.
    pub fn element(&self) -> u32 {
        self.g
    }
}

impl Ring {
    /// The automorphism `X -> X^g`; g counts modulo 2N.
    ///
    /// # Errors
    /// [`RingError::EvenGaloisElement`].
    pub fn galois<D: Domain>(&self, g: u64) -> Result<Galois<D>, RingError> {
        if g.is_multiple_of(2) {
            return Err(RingError::EvenGaloisElement { g });
        }
        let (n, log_n, mask) = (self.n(), self.log_n(), 2 * self.n() - 1);
        let g = (g as usize) & mask;
        let sources = if D::IS_EVAL {
            let source = |i| bit_reverse(((g * (2 * bit_reverse(i, log_n) + 1)) & mask) >> 1, log_n) as u32;
            (0..n).map(source).collect()
        } else {
            // The group of odd numbers modulo 2N has order N.
            let inverse = (1..n).fold(1, |power, _| (power * g) & mask);
            let source = |k: usize| {
                let i = (k * inverse) & mask;
                if i < n { i as u32 } else { (i - n) as u32 | NEGATE }
            };
            (0..n).map(source).collect()
        };
        Ok(Galois { g: g as u32, sources, domain: PhantomData })
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
        if galois.sources.len() != self.n() {
            let (expected, found) = (self.n(), galois.sources.len());
            return Err(RingError::LengthMismatch { what: "galois table", expected, found });
        }
        let limbs = x.limb_indices();
        let mut out = self.zero(x.rows(), &limbs)?;
        let x = self.operand(&limbs, x.rows(), x)?;
        self.par_rows(out.view_mut(), |l, r, row| {
            each_width!(row, |plan, out| {
                if D::IS_EVAL {
                    permute(out, x.words(l, r), &galois.sources);
                } else {
                    permute_signed(plan.modulus(), out, x.words(l, r), &galois.sources);
                }
            })
        });
        Ok(out)
    }
}

fn permute<W: Word>(out: &mut [W], x: &[W], sources: &[u32]) {
    out.iter_mut().zip(sources).for_each(|(out, source)| *out = x[*source as usize]);
}

fn permute_signed<W: Word>(m: Modulus<W>, out: &mut [W], x: &[W], sources: &[u32]) {
    for (out, source) in out.iter_mut().zip(sources) {
        let word = x[(source & !NEGATE) as usize];
        *out = if source & NEGATE == 0 { word } else { m.neg(word) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mixed_ring, random_tensor};
    use crate::{Coeff, Eval, Isa};

    #[test]
    fn both_domains_agree_with_the_definition() {
        for log_n in [1, 2, 3, 6] {
            let ring = mixed_ring(log_n, Isa::Scalar);
            let n = ring.n();
            let x: RnsTensor<Coeff> = random_tensor(&ring, 3, &[0, 1, 2]);
            let x_eval = ring.forward(x.clone()).unwrap();
            for g in [1, 3, 5, 2 * n as u64 - 1, 2 * n as u64 + 3] {
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

    #[test]
    fn even_elements_and_foreign_tables_are_refused() {
        let (small, large) = (mixed_ring(3, Isa::Scalar), mixed_ring(4, Isa::Scalar));
        assert_eq!(small.galois::<Eval>(4).err(), Some(RingError::EvenGaloisElement { g: 4 }));
        let x: RnsTensor<Eval> = random_tensor(&small, 1, &[0]);
        let refusal = small.automorphism(&large.galois(3).unwrap(), &x).err();
        assert_eq!(refusal, Some(RingError::LengthMismatch { what: "galois table", expected: 8, found: 16 }));
    }
}
