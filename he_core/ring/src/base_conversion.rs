//! From residues modulo some primes to residues modulo others.
//!
//! Formula, for `x` in `[0, Q)`, `Q = q_0 .. q_(k-1)`, a target prime t: mixed-radix digits `x = v_0 + v_1 q_0 + v_2 q_0 q_1 + ..`,
//! `0 <= v_i < q_i`, then the same sum modulo t, its products accumulated before they are reduced: exact, by integers alone, so the same on every processor. Digits cost
//! `k(k-1)/2` products, each target k more. (The sum of `[x_i (Q/q_i)^-1]_(q_i) (Q/q_i)`, whose result is off by up to k - 1
//! times Q, needs k products in place of `k(k-1)/2`: no fewer up to three primes.)
//! Layout: coefficients in and out, limb after limb; digits take the place of the residues they come from.
//! Source: D. E. Knuth, The Art of Computer Programming 2, section 4.3.2.

use crate::kernels;
use crate::modulus::Modulus;
use crate::ring::{Ring, each_width};
use crate::tensor::{Coeff, Limb, RnsTensor, Words};
use crate::view::RnsView;
use crate::{RingError, Word};

/// The constants of conversions from one list of primes to another.
#[derive(Clone, Debug)]
pub struct BaseConversion {
    from: Vec<(usize, u64)>,
    to: Vec<(usize, u64)>,
    /// `[i][j] = q_j^-1 mod q_i`, j < i.
    inverses: Vec<Vec<u64>>,
    /// `[t][i] = q_0 .. q_(i-1) mod t`.
    radices: Vec<Vec<u64>>,
    /// `floor(Q/2)` modulo the primes of `from`, then of `to`.
    half_from: Vec<u64>,
    half_to: Vec<u64>,
    /// `Q^-1` modulo the primes of `to`.
    inverse_to: Vec<u64>,
}

/// `product of factors mod q`.
fn product(factors: impl Iterator<Item = u64>, q: u64) -> u64 {
    factors.fold(1 % q, |p, f| (u128::from(p) * u128::from(f) % u128::from(q)) as u64)
}

fn inverse_vartime(x: u64, q: u64) -> Result<u64, RingError> {
    let m = Modulus::<u64>::new(q)?;
    Ok(m.inverse_vartime(m.reduce_u64(x)))
}

impl BaseConversion {
    /// Conversions of values over the limbs `from` (at least one) to the limbs `to`, disjoint from them.
    ///
    /// # Errors
    /// [`RingError::LimbOutOfRange`], [`RingError::DuplicateLimb`], [`RingError::LengthMismatch`] with an empty `from`.
    pub fn new(ring: &Ring, from: &[usize], to: &[usize]) -> Result<Self, RingError> {
        if from.is_empty() {
            return Err(RingError::LengthMismatch { what: "source limbs", expected: 1, found: 0 });
        }
        let all: Vec<usize> = from.iter().chain(to).copied().collect();
        ring.resolve(&all)?;
        let (from, to) = (ring.resolve(from)?, ring.resolve(to)?);
        let q = |i: usize| from[i].1;
        let prefix = |i: usize| (0..i).map(q);
        let inverses = (0..from.len())
            .map(|i| prefix(i).map(|other| inverse_vartime(other, q(i))).collect::<Result<Vec<_>, _>>())
            .collect::<Result<Vec<_>, _>>()?;
        let radices = to.iter().map(|(_, t)| (0..from.len()).map(|i| product(prefix(i), *t)).collect()).collect();
        // Q is odd, so floor(Q/2) = (Q-1)/2: modulo q_i that is -1/2, modulo t it is (Q-1)/2.
        let half_from = from.iter().map(|(_, q)| (q - 1) / 2).collect();
        let mut half_to = Vec::with_capacity(to.len());
        let mut inverse_to = Vec::with_capacity(to.len());
        for (_, t) in &to {
            let q_mod_t = product(prefix(from.len()), *t);
            half_to.push(product([(q_mod_t + t - 1) % t, t.div_ceil(2)].into_iter(), *t));
            inverse_to.push(inverse_vartime(q_mod_t, *t)?);
        }
        Ok(Self { from, to, inverses, radices, half_from, half_to, inverse_to })
    }

    /// Ring indices of the source limbs.
    pub fn from_limbs(&self) -> Vec<usize> {
        self.from.iter().map(|limb| limb.0).collect()
    }

    /// Ring indices of the target limbs.
    pub fn to_limbs(&self) -> Vec<usize> {
        self.to.iter().map(|limb| limb.0).collect()
    }

    /// Position of a target limb.
    pub(crate) fn target(&self, index: usize) -> Option<usize> {
        self.to.iter().position(|limb| limb.0 == index)
    }

    pub(crate) fn half_to(&self, target: usize) -> u64 {
        self.half_to[target]
    }

    pub(crate) fn inverse_to(&self, target: usize) -> u64 {
        self.inverse_to[target]
    }
}

/// Digits of polynomials over the source limbs and what they are multiplied with.
pub(crate) struct Digits<'a> {
    pub(crate) tensor: RnsTensor<Coeff>,
    factors: &'a [Vec<u64>],
}

impl Digits<'_> {
    /// `out = sum_i digit_i * factor_i + c` modulo target `target`, for one row. Products are summed unreduced, as many as fit.
    pub(crate) fn combine<W: Word>(&self, plan: &crate::NttPlan<W>, out: &mut [W], target: usize, row: usize, c: W) {
        let (m, isa) = (plan.modulus(), plan.isa());
        let start = row * self.tensor.stride();
        let words = start..start + out.len();
        // One source prime has factor 1.
        match &self.tensor.limbs[..] {
            [Limb { words: Words::U32(x), .. }] => {
                return kernels::reduce_add_into(isa, m, out, &x.as_slice()[words], c);
            }
            [Limb { words: Words::U64(x), .. }] => {
                return kernels::reduce_add_into(isa, m, out, &x.as_slice()[words], c);
            }
            _ => out.fill(c),
        }
        let (mut short, mut long, mut long_bits) = (Terms::default(), Terms::default(), 0);
        for (limb, factor) in self.tensor.limbs.iter().zip(&self.factors[target]) {
            let factor = W::from_u64(*factor);
            match &limb.words {
                Words::U32(x) => short.push(&x.as_slice()[words.clone()], factor),
                Words::U64(x) => {
                    long.push(&x.as_slice()[words.clone()], factor);
                    long_bits = long_bits.max(u64::BITS - limb.q.leading_zeros());
                }
            }
        }
        if !short.rows.is_empty() {
            kernels::add_weighted_u32_assign(isa, m, out, &short.rows, &short.factors);
        }
        if !long.rows.is_empty() {
            kernels::add_weighted_u64_assign(isa, m, out, &long.rows, &long.factors, long_bits);
        }
    }
}

/// Rows of digits of one width and what they are multiplied with.
struct Terms<'a, S, W> {
    rows: Vec<&'a [S]>,
    factors: Vec<W>,
}

impl<S, W> Default for Terms<'_, S, W> {
    fn default() -> Self {
        Self { rows: Vec::new(), factors: Vec::new() }
    }
}

impl<'a, S, W> Terms<'a, S, W> {
    fn push(&mut self, row: &'a [S], factor: W) {
        self.rows.push(row);
        self.factors.push(factor);
    }
}

impl Digits<'_> {
    /// [`Digits::combine`] and its transform.
    pub(crate) fn combine_forward<W: Word>(
        &self,
        plan: &crate::NttPlan<W>,
        out: &mut [W],
        target: usize,
        row: usize,
        c: W,
    ) {
        let start = row * self.tensor.stride();
        // One source prime has factor 1.
        if let [Limb { words: Words::U32(x), .. }] = &self.tensor.limbs[..] {
            plan.forward_of(out, &x.as_slice()[start..start + out.len()], c);
        } else {
            self.combine(plan, out, target, row, c);
            plan.forward(out);
        }
    }
}

impl Ring {
    /// The representative of x in `[0, Q)` over the target limbs.
    ///
    /// # Errors
    /// [`RingError::MissingLimb`], [`RingError::ForeignTensor`].
    pub fn convert<'x>(
        &self,
        conversion: &BaseConversion,
        x: impl Into<RnsView<'x, Coeff>>,
    ) -> Result<RnsTensor<Coeff>, RingError> {
        let x = x.into();
        self.check(x.tensor)?;
        let digits = self.digits(conversion, x.with_limbs(&conversion.from_limbs())?);
        self.combine(conversion, &digits)
    }

    /// Adds `floor(Q/2)` to every coefficient over the source limbs.
    pub(crate) fn add_half(&self, conversion: &BaseConversion, x: &mut RnsTensor<Coeff>) {
        self.par_rows(x.view_mut(), |limb, _, row| {
            each_width!(row, |plan, x| {
                let half = Word::from_u64(conversion.half_from[limb]);
                kernels::add_constant_assign(plan.isa(), plan.modulus(), x, half);
            })
        });
    }

    /// Takes a tensor over exactly the source limbs, in their order.
    pub(crate) fn digits<'c>(&self, conversion: &'c BaseConversion, mut x: RnsTensor<Coeff>) -> Digits<'c> {
        let stride = x.stride();
        for i in 1..x.limbs.len() {
            // Limbs before i hold digits already; limb i becomes a tensor of its own for the parallel loop.
            let rest = x.limbs.split_off(i + 1);
            let Some(limb) = x.limbs.pop() else { break };
            let mut current = RnsTensor { log_n: x.log_n, rows: x.rows, limbs: vec![limb], domain: x.domain };
            self.par_rows(current.view_mut(), |_, row, out| {
                each_width!(out, |plan, out| subtract_digits(
                    plan,
                    out,
                    &x.limbs,
                    row * stride,
                    &conversion.inverses[i]
                ))
            });
            x.limbs.extend(current.limbs);
            x.limbs.extend(rest);
        }
        Digits { tensor: x, factors: &conversion.radices }
    }

    fn combine(&self, conversion: &BaseConversion, digits: &Digits<'_>) -> Result<RnsTensor<Coeff>, RingError> {
        let mut out = self.unwritten(digits.tensor.rows, &conversion.to_limbs())?;
        self.par_rows(out.view_mut(), |limb, row, out| {
            each_width!(out, |plan, out| digits.combine(plan, out, limb, row, Word::from_u64(0)))
        });
        Ok(out)
    }
}

/// `x = ((x - v_0) / q_0 - v_1) / q_1 ..` modulo the prime of the plan: the next digit.
fn subtract_digits<W: Word>(plan: &crate::NttPlan<W>, x: &mut [W], digits: &[Limb], start: usize, inverses: &[u64]) {
    let (m, isa) = (plan.modulus(), plan.isa());
    W::with_scratch(x.len(), |t| {
        for (digit, inverse) in digits.iter().zip(inverses) {
            match &digit.words {
                Words::U32(v) => {
                    kernels::reduce_add_into(isa, m, t, &v.as_slice()[start..start + x.len()], W::default())
                }
                Words::U64(v) => {
                    kernels::reduce_add_into(isa, m, t, &v.as_slice()[start..start + x.len()], W::default())
                }
            }
            kernels::sub_mul_shoup_assign(isa, m, x, t, m.shoup(W::from_u64(*inverse)));
        }
    });
}

#[cfg(test)]
mod tests;
