//! Constants of the ring as residues: what a scalar plaintext is.

use crate::ntt::NttPlan;
use crate::ring::{Plan, Ring};
use crate::{RingError, Word};

/// One integer, or one per row, modulo each prime of a list of limbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RnsScalars {
    count: usize,
    /// Ring index and residues.
    limbs: Vec<(usize, Vec<u64>)>,
}

/// What is added to a polynomial: numbers, one per row or one for all.
#[derive(Clone, Copy, Debug)]
pub enum Bias<'a> {
    /// The constant c: c in every slot.
    Real(&'a RnsScalars),
    /// The polynomial c + c X^(N/2): c (1 + i) in even slots and c (1 - i) in odd ones, where slot j is the value at zeta^(3^j).
    BothParts(&'a RnsScalars),
}

impl<'a> Bias<'a> {
    /// The numbers.
    pub fn scalars(self) -> &'a RnsScalars {
        match self {
            Bias::Real(scalars) | Bias::BothParts(scalars) => scalars,
        }
    }

    /// What c becomes in the evaluation domain: in the first half of a row and in the second.
    ///
    /// Word i is the value at `psi^(2 bitrev(i) + 1)`; bitrev(i) is even in the first half, so `X^(N/2)` is `I = psi^(N/2)` there and
    /// `I^3 = -I` in the second.
    pub(crate) fn halves<W: Word>(self, plan: &NttPlan<W>) -> impl Fn(W) -> [W; 2] {
        let m = plan.modulus();
        let i = match self {
            Bias::Real(_) => W::default(),
            Bias::BothParts(_) => m.pow_vartime(plan.root(), 1 << (plan.log_n() - 1)),
        };
        move |c| {
            let imaginary = m.mul(c, i);
            [m.add(c, imaginary), m.sub(c, imaginary)]
        }
    }
}

/// Scalars in the limb order of a left-hand side.
pub(crate) struct ScalarRows<'a> {
    broadcast: bool,
    limbs: Vec<&'a [u64]>,
}

impl ScalarRows<'_> {
    #[inline]
    pub(crate) fn get(&self, limb: usize, row: usize) -> u64 {
        self.limbs[limb][if self.broadcast { 0 } else { row }]
    }
}

impl RnsScalars {
    /// How many integers.
    pub fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn for_limbs(&self, ring: &Ring, limbs: &[usize], rows: usize) -> Result<ScalarRows<'_>, RingError> {
        if self.count != rows && self.count != 1 {
            return Err(RingError::RowMismatch { left: rows, right: self.count });
        }
        let find = |index: &usize| {
            let found = self.limbs.iter().find(|limb| limb.0 == *index).map(|limb| &limb.1[..]);
            let values = found.ok_or_else(|| RingError::MissingLimb {
                index: *index,
                found: self.limbs.iter().map(|limb| limb.0).collect(),
            })?;
            // Scalars of another ring could exceed our primes.
            match values.iter().find(|value| **value >= ring.primes()[*index]) {
                Some(value) => Err(RingError::ResidueOutOfRange { value: *value, q: ring.primes()[*index] }),
                None => Ok(values),
            }
        };
        Ok(ScalarRows { broadcast: self.count == 1, limbs: limbs.iter().map(find).collect::<Result<_, _>>()? })
    }
}

impl Plan {
    fn residue_of_i128(&self, x: i128) -> u64 {
        match self {
            Plan::U32(plan) => plan.modulus().reduce_i128(x).to_u64(),
            Plan::U64(plan) => plan.modulus().reduce_i128(x).to_u64(),
        }
    }
}

impl Ring {
    /// Signed integers modulo each of `limbs`.
    ///
    /// # Errors
    /// [`RingError::LimbOutOfRange`], [`RingError::DuplicateLimb`].
    pub fn scalars(&self, values: &[i128], limbs: &[usize]) -> Result<RnsScalars, RingError> {
        let limb =
            |(index, _): (usize, u64)| (index, values.iter().map(|v| self.plans[index].residue_of_i128(*v)).collect());
        Ok(RnsScalars { count: values.len(), limbs: self.resolve(limbs)?.into_iter().map(limb).collect() })
    }

    /// Scalars from residues, one list per limb, each of the same length.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`], [`RingError::ResidueOutOfRange`]; as [`Ring::scalars`].
    pub fn scalars_from_residues(&self, limbs: &[usize], residues: &[Vec<u64>]) -> Result<RnsScalars, RingError> {
        if residues.len() != limbs.len() {
            let (expected, found) = (limbs.len(), residues.len());
            return Err(RingError::LengthMismatch { what: "lists of residues", expected, found });
        }
        let count = residues.first().map_or(0, Vec::len);
        let limb = |((index, q), values): ((usize, u64), &Vec<u64>)| {
            if values.len() != count {
                return Err(RingError::LengthMismatch { what: "residues", expected: count, found: values.len() });
            }
            match values.iter().find(|value| **value >= q) {
                Some(value) => Err(RingError::ResidueOutOfRange { value: *value, q }),
                None => Ok((index, values.clone())),
            }
        };
        let limbs = self.resolve(limbs)?.into_iter().zip(residues).map(limb).collect::<Result<_, _>>()?;
        Ok(RnsScalars { count, limbs })
    }

    /// The product of the primes `of`, modulo each of `limbs` (0 modulo a prime that it contains).
    ///
    /// # Errors
    /// As [`Ring::scalars`].
    pub fn product_of_primes(&self, of: &[usize], limbs: &[usize]) -> Result<RnsScalars, RingError> {
        let factors = self.resolve(of)?;
        let modulo =
            |q: u64| factors.iter().fold(1 % q, |p, (_, f)| (u128::from(p) * u128::from(*f) % u128::from(q)) as u64);
        let limbs = self.resolve(limbs)?.into_iter().map(|(index, q)| (index, vec![modulo(q)])).collect();
        Ok(RnsScalars { count: 1, limbs })
    }
}
