//! The ring `Z_Q[X]/(X^N + 1)` or its conjugate-invariant kin, Q a product of primes, and the transforms between its two
//! domains.
//!
//! Everything that acts on whole tensors runs in parallel over rows of limbs; results do not depend on the number of
//! threads.

use std::marker::PhantomData;

use he_params::RingType;
use rayon::prelude::*;

use crate::kernels;
use crate::ntt::NttPlan;
use crate::tensor::{Coeff, Domain, Eval, Limb, RnsTensor, Words};
use crate::view::{RnsView, RnsViewMut};
use crate::{Isa, RingError, Word};

/// Words of work that are worth a task of their own.
const TASK_WORDS: usize = 1 << 14;

/// Signed coefficients that are widened together before they are reduced.
const SIGNED_BLOCK: usize = 512;

/// The plan of one prime, its width erased.
#[derive(Clone, Debug)]
pub enum Plan {
    /// A prime below 2^30.
    U32(NttPlan<u32>),
    /// A larger prime.
    U64(NttPlan<u64>),
}

impl Plan {
    /// `x^-1` modulo the prime, 0 when there is none.
    fn inverse_of(&self, x: u64) -> u64 {
        fn inverse<W: Word>(plan: &NttPlan<W>, x: u64) -> u64 {
            let m = plan.modulus();
            let x = m.reduce_u64(x);
            if x == W::default() { 0 } else { m.inverse_vartime(x).to_u64() }
        }
        match self {
            Plan::U32(plan) => inverse(plan, x),
            Plan::U64(plan) => inverse(plan, x),
        }
    }
}

/// A row to write with the plan of its prime; [`each_width`] opens it.
pub(crate) enum PlannedRow<'a> {
    U32(&'a NttPlan<u32>, &'a mut [u32]),
    U64(&'a NttPlan<u64>, &'a mut [u64]),
}

/// Runs one generic body for whichever width the row has.
macro_rules! each_width {
    ($row:expr, |$plan:ident, $x:ident| $body:expr) => {
        match $row {
            $crate::ring::PlannedRow::U32($plan, $x) => $body,
            $crate::ring::PlannedRow::U64($plan, $x) => $body,
        }
    };
}
pub(crate) use each_width;

/// The plans of all primes of one ring degree: what every operation on tensors needs.
#[derive(Clone, Debug)]
pub struct Ring {
    ring_type: RingType,
    log_n: u32,
    isa: Isa,
    primes: Vec<u64>,
    pub(crate) plans: Vec<Plan>,
    /// `[i][j] = q_i^-1 mod q_j`, 0 where i = j.
    inverses: Vec<Vec<u64>>,
}

/// A right-hand side: its limbs in the order of the left, one row per row of the left or one for all.
pub(crate) struct Operand<'a, D: Domain> {
    view: RnsView<'a, D>,
    limbs: Vec<&'a Limb>,
    broadcast: bool,
}

impl<'a, D: Domain> Operand<'a, D> {
    /// Row `row` at limb position `limb` of the left.
    #[inline]
    pub(crate) fn words<W: Word>(&self, limb: usize, row: usize) -> &'a [W] {
        self.view.words(self.limbs[limb], if self.broadcast { 0 } else { row })
    }
}

impl Ring {
    /// Plans of the cyclotomic ring of degree `2^log_n` over distinct primes `1 mod 2^(log_n+1)` below 2^61, in the order
    /// given.
    ///
    /// # Errors
    /// As [`Ring::of_type`].
    pub fn new(log_n: u32, primes: &[u64], isa: Isa) -> Result<Self, RingError> {
        Self::of_type(RingType::Cyclotomic, log_n, primes, isa)
    }

    /// As [`Ring::new`] for either ring; the conjugate-invariant one asks for primes `1 mod 2^(log_n+2)`.
    ///
    /// # Errors
    /// [`RingError::LogNOutOfRange`], [`RingError::ModulusTooLarge`], [`RingError::NotPrime`],
    /// [`RingError::NotNttFriendly`], [`RingError::DuplicatePrime`].
    pub fn of_type(ring_type: RingType, log_n: u32, primes: &[u64], isa: Isa) -> Result<Self, RingError> {
        if !(1..=crate::MAX_LOG_N).contains(&log_n) {
            return Err(RingError::LogNOutOfRange { log_n });
        }
        if let Some((_, q)) = primes.iter().enumerate().find(|(i, q)| primes[..*i].contains(q)) {
            return Err(RingError::DuplicatePrime { q: *q });
        }
        let plan = |q: &u64| {
            if *q >> u32::MAX_MODULUS_BITS == 0 {
                NttPlan::of_type(ring_type, log_n, *q, isa).map(Plan::U32)
            } else {
                NttPlan::of_type(ring_type, log_n, *q, isa).map(Plan::U64)
            }
        };
        let plans: Vec<Plan> = primes.par_iter().map(plan).collect::<Result<_, _>>()?;
        let inverses = primes.iter().map(|q| plans.iter().map(|plan| plan.inverse_of(*q)).collect()).collect();
        Ok(Self { ring_type, log_n, isa, primes: primes.to_vec(), plans, inverses })
    }

    /// Which of the two rings.
    pub fn ring_type(&self) -> RingType {
        self.ring_type
    }

    /// Base-2 logarithm of the degree.
    pub fn log_n(&self) -> u32 {
        self.log_n
    }

    /// The degree N.
    pub fn n(&self) -> usize {
        1 << self.log_n
    }

    /// The instruction set of all kernels.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The primes; a limb index is a position in this list.
    pub fn primes(&self) -> &[u64] {
        &self.primes
    }

    /// The inverse of prime `of` modulo prime `modulo`, both ring indices.
    pub(crate) fn inverse_of_prime(&self, of: usize, modulo: usize) -> u64 {
        self.inverses[of][modulo]
    }

    /// Ring indices and primes of a list of limbs.
    pub(crate) fn resolve(&self, limbs: &[usize]) -> Result<Vec<(usize, u64)>, RingError> {
        let resolve = |(i, index): (usize, &usize)| {
            if limbs[..i].contains(index) {
                return Err(RingError::DuplicateLimb { index: *index });
            }
            let out_of_range = RingError::LimbOutOfRange { index: *index, count: self.primes.len() };
            Ok((*index, *self.primes.get(*index).ok_or(out_of_range)?))
        };
        limbs.iter().enumerate().map(resolve).collect()
    }

    /// `rows` zero polynomials over the primes with ring indices `limbs`.
    ///
    /// # Errors
    /// [`RingError::LimbOutOfRange`], [`RingError::DuplicateLimb`].
    pub fn zero<D: Domain>(&self, rows: usize, limbs: &[usize]) -> Result<RnsTensor<D>, RingError> {
        Ok(RnsTensor::zero(self.log_n, rows, self.resolve(limbs)?.into_iter()))
    }

    /// As [`Ring::zero`], of memory that holds whatever it held before, numbers above the primes too: for who writes every row before
    /// any is read.
    ///
    /// # Errors
    /// As [`Ring::zero`].
    pub fn unwritten<D: Domain>(&self, rows: usize, limbs: &[usize]) -> Result<RnsTensor<D>, RingError> {
        Ok(RnsTensor::unwritten(self.log_n, rows, self.resolve(limbs)?.into_iter()))
    }

    /// Polynomials from signed coefficients (`rows * N` of them, row after row), reduced modulo each prime.
    ///
    /// # Errors
    /// [`RingError::LengthMismatch`] unless the length is a multiple of N; as [`Ring::zero`].
    pub fn from_signed<T>(&self, coefficients: &[T], limbs: &[usize]) -> Result<RnsTensor<Coeff>, RingError>
    where
        T: Copy + Into<i64> + Sync,
    {
        let mut out = self.unwritten_for(coefficients.len(), limbs)?;
        let n = self.n();
        self.par_rows(out.view_mut(), |_, row, x| {
            let source = &coefficients[row * n..(row + 1) * n];
            each_width!(x, |plan, x| {
                let mut block = [0i64; SIGNED_BLOCK];
                for (out, source) in x.chunks_mut(SIGNED_BLOCK).zip(source.chunks(SIGNED_BLOCK)) {
                    let block = &mut block[..source.len()];
                    block.iter_mut().zip(source).for_each(|(x, c)| *x = (*c).into());
                    kernels::reduce_i64_into(plan.isa(), plan.modulus(), out, block);
                }
            });
        });
        Ok(out)
    }

    /// As [`Ring::from_signed`], for coefficients beyond 64 bits.
    ///
    /// # Errors
    /// As [`Ring::from_signed`].
    pub fn from_signed_i128(&self, coefficients: &[i128], limbs: &[usize]) -> Result<RnsTensor<Coeff>, RingError> {
        let mut out = self.unwritten_for(coefficients.len(), limbs)?;
        let n = self.n();
        self.par_rows(out.view_mut(), |_, row, x| {
            let source = &coefficients[row * n..(row + 1) * n];
            each_width!(x, |plan, x| {
                let m = plan.modulus();
                x.iter_mut().zip(source).for_each(|(x, c)| *x = m.reduce_i128(*c));
            });
        });
        Ok(out)
    }

    fn unwritten_for(&self, coefficients: usize, limbs: &[usize]) -> Result<RnsTensor<Coeff>, RingError> {
        let rows = coefficients.div_ceil(self.n());
        if rows * self.n() != coefficients {
            let (expected, found) = (rows * self.n(), coefficients);
            return Err(RingError::LengthMismatch { what: "coefficients", expected, found });
        }
        self.unwritten(rows, limbs)
    }

    /// To evaluations, in place.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`].
    pub fn forward(&self, mut x: RnsTensor<Coeff>) -> Result<RnsTensor<Eval>, RingError> {
        self.check(&x)?;
        self.par_rows(x.view_mut(), |_, _, row| each_width!(row, |plan, x| plan.forward(x)));
        Ok(relabel(x))
    }

    /// To coefficients, in place.
    ///
    /// # Errors
    /// [`RingError::ForeignTensor`].
    pub fn inverse(&self, mut x: RnsTensor<Eval>) -> Result<RnsTensor<Coeff>, RingError> {
        self.check(&x)?;
        self.par_rows(x.view_mut(), |_, _, row| each_width!(row, |plan, x| plan.inverse(x)));
        Ok(relabel(x))
    }

    /// Refuses a tensor of another ring.
    pub(crate) fn check<D: Domain>(&self, x: &RnsTensor<D>) -> Result<(), RingError> {
        let ours = |limb: &Limb| self.primes.get(limb.index) == Some(&limb.q);
        if x.log_n != self.log_n || !x.limbs.iter().all(ours) {
            return Err(RingError::ForeignTensor { expected: self.log_n, found: x.log_n, primes: x.primes() });
        }
        Ok(())
    }

    /// Checks a right-hand side against the limbs and rows of the left.
    pub(crate) fn operand<'a, D: Domain>(
        &self,
        limbs: &[usize],
        rows: usize,
        view: RnsView<'a, D>,
    ) -> Result<Operand<'a, D>, RingError> {
        self.check(view.tensor)?;
        if view.rows() != rows && view.rows() != 1 {
            return Err(RingError::RowMismatch { left: rows, right: view.rows() });
        }
        let limbs = view.limbs_for(limbs)?;
        Ok(Operand { view, limbs, broadcast: view.rows() == 1 })
    }

    /// Runs `f(limb position, pair, words)` for every two rows of the view that follow each other, in parallel: the words from
    /// the first on, as far as the second, which begins a step of the view later.
    pub(crate) fn par_row_pairs<D: Domain>(
        &self,
        out: RnsViewMut<'_, D>,
        f: impl Fn(usize, usize, PlannedRow<'_>) + Send + Sync,
    ) {
        let (stride, rows) = (out.tensor.stride(), out.rows);
        debug_assert!(rows.count.is_multiple_of(2));
        if rows.count == 0 {
            return;
        }
        let (start, step) = (rows.first * stride, 2 * rows.step * stride);
        out.tensor.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => words.as_mut_slice()[start..]
                    .par_chunks_mut(step)
                    .take(rows.count / 2)
                    .enumerate()
                    .for_each(|(pair, x)| f(limb, pair, PlannedRow::U32(plan, x))),
                (Plan::U64(plan), Words::U64(words)) => words.as_mut_slice()[start..]
                    .par_chunks_mut(step)
                    .take(rows.count / 2)
                    .enumerate()
                    .for_each(|(pair, x)| f(limb, pair, PlannedRow::U64(plan, x))),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
    }

    /// Runs `f(limb position, row of the view, words)` for every row to write, in parallel.
    pub(crate) fn par_rows<D: Domain>(
        &self,
        out: RnsViewMut<'_, D>,
        f: impl Fn(usize, usize, PlannedRow<'_>) + Send + Sync,
    ) {
        let (n, stride, rows) = (self.n(), out.tensor.stride(), out.rows);
        if rows.count == 0 {
            return;
        }
        let (start, step) = (rows.first * stride, rows.step * stride);
        let at_least = TASK_WORDS.div_ceil(n);
        out.tensor.limbs.par_iter_mut().enumerate().for_each(|(limb, store)| {
            match (&self.plans[store.index], &mut store.words) {
                (Plan::U32(plan), Words::U32(words)) => words.as_mut_slice()[start..]
                    .par_chunks_mut(step)
                    .take(rows.count)
                    .enumerate()
                    .with_min_len(at_least)
                    .for_each(|(row, x)| f(limb, row, PlannedRow::U32(plan, &mut x[..n]))),
                (Plan::U64(plan), Words::U64(words)) => words.as_mut_slice()[start..]
                    .par_chunks_mut(step)
                    .take(rows.count)
                    .enumerate()
                    .with_min_len(at_least)
                    .for_each(|(row, x)| f(limb, row, PlannedRow::U64(plan, &mut x[..n]))),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        });
    }
}

/// The same words under the other domain; only the transforms may say so.
fn relabel<A: Domain, B: Domain>(x: RnsTensor<A>) -> RnsTensor<B> {
    RnsTensor { log_n: x.log_n, rows: x.rows, limbs: x.limbs, domain: PhantomData }
}
