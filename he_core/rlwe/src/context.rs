//! A ring with a plan for every level: which primes are active, how a polynomial splits into digits, what is divided out.
//!
//! Layout: ring indices 0..=L are the ciphertext primes q_0..q_L, the special primes p follow. Digit `d` is the residues
//! modulo primes `d*g .. (d+1)*g`, g primes to a digit; at a lower level the last digit is shorter or missing.

use he_params::{CkksParams, Level};
use he_ring::{BaseConversion, Isa, Ring};

use crate::RlweError;

/// Parameters, their ring, and the conversions of every level.
#[derive(Debug)]
pub struct RlweContext {
    params: CkksParams,
    ring: Ring,
    /// By level.
    levels: Vec<LevelPlan>,
}

/// What one level needs.
#[derive(Debug)]
pub(crate) struct LevelPlan {
    /// Ring indices of the active ciphertext primes: `0..=l`.
    pub(crate) q: Vec<usize>,
    /// Each digit to the other active and the special primes; empty without special primes.
    pub(crate) raise: Vec<BaseConversion>,
    /// From the special primes to the active ones; `None` without special primes.
    pub(crate) divide: Option<BaseConversion>,
    /// From the special primes and the last active one to the others; `None` without special primes and at level 0.
    pub(crate) divide_rescale: Option<BaseConversion>,
}

impl RlweContext {
    /// A context on the given instruction set.
    ///
    /// # Errors
    /// [`RlweError::Ring`]; none for checked parameters.
    pub fn new(params: CkksParams, isa: Isa) -> Result<Self, RlweError> {
        let primes: Vec<u64> = params.q().iter().chain(params.p()).copied().collect();
        let ring = Ring::of_type(params.shape().ring_type(), u32::from(params.log_n().get()), &primes, isa)?;
        let levels =
            (1..=params.q().len()).map(|count| LevelPlan::new(&params, &ring, count)).collect::<Result<_, _>>()?;
        Ok(Self { params, ring, levels })
    }

    /// The parameters.
    pub fn params(&self) -> &CkksParams {
        &self.params
    }

    /// The ring over all primes.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Ring indices of the primes active at `level`: q_0..q_l.
    ///
    /// # Errors
    /// [`RlweError::LevelOutOfRange`].
    pub fn limbs_at(&self, level: Level) -> Result<&[usize], RlweError> {
        Ok(&self.plan(level)?.q)
    }

    /// Ring indices of all primes, q then p.
    pub fn all_limbs(&self) -> Vec<usize> {
        (0..self.ring.primes().len()).collect()
    }

    /// Ring indices of the special primes.
    pub fn special_limbs(&self) -> Vec<usize> {
        (self.params.q().len()..self.ring.primes().len()).collect()
    }

    /// Number of digits a polynomial over all ciphertext primes splits into.
    pub fn digit_count(&self) -> usize {
        self.params.q().len().div_ceil(self.params.primes_per_digit())
    }

    pub(crate) fn plan(&self, level: Level) -> Result<&LevelPlan, RlweError> {
        let max = self.params.max_level();
        self.levels.get(usize::from(level.get())).ok_or(RlweError::LevelOutOfRange { level, max })
    }

    /// The level whose primes are exactly `limbs`, as ring indices in ascending order.
    ///
    /// # Errors
    /// [`RlweError::NoSuchLevel`].
    pub fn level_of_limbs(&self, limbs: &[usize]) -> Result<Level, RlweError> {
        let found = self.level_of(limbs).ok().and_then(|plan| Level::with_prime_count(plan.q.len()));
        found.ok_or_else(|| RlweError::NoSuchLevel { limbs: limbs.to_vec() })
    }

    /// The plan of the level whose primes are exactly `limbs`.
    ///
    /// # Errors
    /// [`RlweError::NoSuchLevel`].
    pub(crate) fn level_of(&self, limbs: &[usize]) -> Result<&LevelPlan, RlweError> {
        let plan = limbs.len().checked_sub(1).and_then(|level| self.levels.get(level));
        plan.filter(|plan| plan.q == limbs).ok_or_else(|| RlweError::NoSuchLevel { limbs: limbs.to_vec() })
    }
}

impl LevelPlan {
    fn new(params: &CkksParams, ring: &Ring, count: usize) -> Result<Self, RlweError> {
        let q: Vec<usize> = (0..count).collect();
        let p: Vec<usize> = (params.q().len()..ring.primes().len()).collect();
        if p.is_empty() {
            return Ok(Self { q, raise: Vec::new(), divide: None, divide_rescale: None });
        }
        let raise = |digit: &[usize]| {
            let others: Vec<usize> = q.iter().chain(&p).filter(|index| !digit.contains(index)).copied().collect();
            BaseConversion::new(ring, digit, &others)
        };
        let raise = q.chunks(params.primes_per_digit()).map(raise).collect::<Result<_, _>>()?;
        let divide = Some(BaseConversion::new(ring, &p, &q)?);
        let divide_rescale = match q.split_last() {
            Some((last, rest)) if !rest.is_empty() => {
                let from: Vec<usize> = p.iter().chain([last]).copied().collect();
                Some(BaseConversion::new(ring, &from, rest)?)
            }
            _ => None,
        };
        Ok(Self { q, raise, divide, divide_rescale })
    }
}
