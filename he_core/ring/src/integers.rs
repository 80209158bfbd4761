//! Polynomials with integer coefficients on their way into a tensor: what encoding ends in and encryption starts from.
//!
//! One polynomial at a time and per thread: coefficients are rounded, errors added, and per prime reduced, transformed, and
//! masked, while they are in the first-level cache.

use he_params::{ErrorDistribution, SecretDistribution};
use rayon::prelude::*;
use zeroize::Zeroize;

use crate::fft::RealPoly;
use crate::kernels::fft::{SHORT_LIMIT, round_to_i32, round_to_i64};
use crate::kernels::integers::{add_small_i32, add_small_i64, reduce_i32_into};
use crate::ring::{Plan, PlannedRow, Ring, each_width};
use crate::sampling::{Sampler, Stream};
use crate::scratch::Scratch;
use crate::tensor::{Domain, Words};
use crate::{Eval, RingError, RnsTensor, RnsViewMut, Word, kernels};

/// Magnitudes below this fit 32 bits with room for an error.
const SHORT: f64 = SHORT_LIMIT - 256.0;
/// Magnitudes below this fit 64 bits with room for an error.
const LONG: f64 = (1u64 << 62) as f64;
/// Magnitudes below this fit 128 bits with room for an error.
pub const MAX_INTEGER: f64 = (1u128 << 126) as f64;

/// Words of one polynomial from which on its primes are worth tasks of their own.
const PARALLEL_WORDS: usize = 1 << 15;

/// Secrets and errors are at most this.
const DRAW_MAX: u32 = i8::MAX as u32;

/// One polynomial with integer coefficients, in the narrowest words that hold them. Wiped on drop.
#[derive(Default)]
pub struct IntegerPoly {
    width: Width,
    /// A bound on the magnitudes while they are short.
    largest: u32,
    short: Vec<i32>,
    long: Vec<i64>,
    wide: Vec<i128>,
    /// Bytes of small signed draws, as words, which are wiped faster.
    draws: Vec<u64>,
}

#[derive(Clone, Copy, Default)]
enum Width {
    #[default]
    Short,
    Long,
    Wide,
}

impl std::fmt::Debug for IntegerPoly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IntegerPoly(..)")
    }
}

impl Drop for IntegerPoly {
    fn drop(&mut self) {
        self.short.zeroize();
        self.long.zeroize();
        self.wide.zeroize();
        self.draws.zeroize();
    }
}

impl IntegerPoly {
    /// Rounds to nearest, halves away from zero; magnitudes must be below [`MAX_INTEGER`], anything above saturates.
    pub fn round(&mut self, x: &RealPoly<'_>) {
        let largest = x.largest();
        let n = x.unscaled.len();
        if largest < SHORT {
            (self.width, self.largest) = (Width::Short, largest as u32 + 1);
            self.short.resize(n, 0);
            round_to_i32(x.isa, x.scale, x.unscaled, &mut self.short);
        } else if largest < LONG {
            self.width = Width::Long;
            self.long.resize(n, 0);
            round_to_i64(x.isa, x.scale, largest, x.unscaled, &mut self.long);
        } else {
            self.width = Width::Wide;
            self.wide.clear();
            self.wide.extend(x.coefficients().map(|x| x.round() as i128));
        }
    }

    /// Number of coefficients.
    fn n(&self) -> usize {
        match self.width {
            Width::Short => self.short.len(),
            Width::Long => self.long.len(),
            Width::Wide => self.wide.len(),
        }
    }

    /// Draws `n` coefficients from an error distribution.
    pub fn draw_error(&mut self, n: usize, sampler: &mut Sampler, distribution: ErrorDistribution) {
        self.draw(n, |draws| sampler.fill_error(distribution, draws));
    }

    /// Draws `n` coefficients from the distribution of a secret.
    pub fn draw_secret(&mut self, n: usize, sampler: &mut Sampler, distribution: SecretDistribution) {
        self.draw(n, |draws| sampler.fill_secret(distribution, draws));
    }

    /// Adds an error to every coefficient.
    pub fn add_error(&mut self, sampler: &mut Sampler, distribution: ErrorDistribution) {
        let n = self.n();
        let errors = small(&mut self.draws, n);
        sampler.fill_error(distribution, errors);
        // Every width has room for them.
        match self.width {
            Width::Short => {
                self.largest += DRAW_MAX;
                add_small_i32(sampler.isa(), &mut self.short, errors);
            }
            Width::Long => add_small_i64(sampler.isa(), &mut self.long, errors),
            Width::Wide => self.wide.iter_mut().zip(errors).for_each(|(x, e)| *x += i128::from(*e)),
        }
    }

    fn draw(&mut self, n: usize, fill: impl FnOnce(&mut [i8])) {
        let draws = small(&mut self.draws, n);
        fill(draws);
        (self.width, self.largest) = (Width::Short, DRAW_MAX);
        self.short.resize(n, 0);
        self.short.iter_mut().zip(draws).for_each(|(x, e)| *x = i32::from(*e));
    }

    /// Residues of all coefficients.
    fn reduce_into<W: Word>(&self, plan: &crate::NttPlan<W>, out: &mut [W]) {
        let m = plan.modulus();
        match self.width {
            Width::Short => reduce_i32_into(plan.isa(), m, self.largest, &self.short, out),
            Width::Long => kernels::reduce_i64_into(plan.isa(), m, out, &self.long),
            Width::Wide => out.iter_mut().zip(&self.wide).for_each(|(out, x)| *out = m.reduce_i128(*x)),
        }
    }
}

/// `n` bytes of words.
fn small(words: &mut Vec<u64>, n: usize) -> &mut [i8] {
    words.resize(n.div_ceil(size_of::<u64>()), 0);
    &mut bytemuck::cast_slice_mut(words)[..n]
}

/// What hides a polynomial: `a * key`, a uniform; row r draws a as object `first_object + r` of the stream, as
/// [`Ring::fill_uniform`] does.
#[derive(Clone, Copy, Debug)]
pub struct Mask<'a> {
    /// Where a is drawn from.
    pub stream: &'a Stream,
    /// The object number of row 0.
    pub first_object: u64,
    /// One row over at least the primes of what is masked.
    pub key: &'a RnsTensor<Eval>,
}

impl Ring {
    /// Writes every row in view: `integers(row, poly)` makes its polynomial, which is reduced, transformed, and masked if
    /// there is a mask. Parallel over rows, or over primes when there are fewer rows than threads.
    ///
    /// # Errors
    /// What `integers` gives, for one of the rows; [`RingError::ForeignTensor`], [`RingError::MissingLimb`] for a key of
    /// other primes, [`RingError::LengthMismatch`] for a polynomial of another degree.
    pub fn transform_integers<'x, E: From<RingError> + Send>(
        &self,
        out: impl Into<RnsViewMut<'x, Eval>>,
        mask: Option<Mask<'_>>,
        integers: impl Fn(usize, &mut IntegerPoly) -> Result<(), E> + Sync,
    ) -> Result<(), E> {
        let out = out.into();
        self.check(out.tensor)?;
        let indices = out.tensor.limb_indices();
        let key = mask.map(|mask| self.operand(&indices, 1, mask.key.view())).transpose()?;
        let n = self.n();
        let make = |row: usize, poly: &mut IntegerPoly| -> Result<(), E> {
            integers(row, poly)?;
            if poly.n() != n {
                return Err(RingError::LengthMismatch { what: "coefficients", expected: n, found: poly.n() }.into());
            }
            Ok(())
        };
        let write = |row: usize, limb: usize, poly: &IntegerPoly, words: PlannedRow<'_>| {
            each_width!(words, |plan, words| {
                poly.reduce_into(plan, words);
                plan.forward(words);
                if let (Some(mask), Some(key)) = (mask, &key) {
                    let object = mask.first_object.wrapping_add(row as u64);
                    let mut sampler = mask.stream.sampler(self.isa(), object, indices[limb] as u32);
                    Scratch::with_scratch(n, |uniform| {
                        sampler.fill_uniform(plan.modulus(), uniform);
                        kernels::mul_add_assign(plan.isa(), plan.modulus(), words, uniform, key.words(limb, 0));
                    });
                }
            });
        };
        let rows = self.rows_of_limbs(out);
        let threads = rayon::current_num_threads();
        if rows.len() >= threads {
            return rows.into_par_iter().enumerate().try_for_each_init(IntegerPoly::default, |poly, (row, limbs)| {
                make(row, poly)?;
                limbs.into_iter().enumerate().for_each(|(limb, words)| write(row, limb, poly, words));
                Ok(())
            });
        }
        let mut poly = IntegerPoly::default();
        for (row, limbs) in rows.into_iter().enumerate() {
            make(row, &mut poly)?;
            let poly = &poly;
            if n * limbs.len() < PARALLEL_WORDS {
                limbs.into_iter().enumerate().for_each(|(limb, words)| write(row, limb, poly, words));
            } else {
                limbs.into_par_iter().enumerate().for_each(|(limb, words)| write(row, limb, poly, words));
            }
        }
        Ok(())
    }

    /// For every row in view its words in every limb.
    fn rows_of_limbs<'x, D: Domain>(&'x self, out: RnsViewMut<'x, D>) -> Vec<Vec<PlannedRow<'x>>> {
        let (n, stride, rows) = (self.n(), out.tensor.stride(), out.rows);
        let mut all: Vec<Vec<PlannedRow<'_>>> =
            (0..rows.count).map(|_| Vec::with_capacity(out.tensor.limbs.len())).collect();
        if all.is_empty() {
            return all;
        }
        let (start, step) = (rows.first * stride, rows.step * stride);
        for limb in &mut out.tensor.limbs {
            match (&self.plans[limb.index], &mut limb.words) {
                (Plan::U32(plan), Words::U32(words)) => all
                    .iter_mut()
                    .zip(words.as_mut_slice()[start..].chunks_mut(step))
                    .for_each(|(row, words)| row.push(PlannedRow::U32(plan, &mut words[..n]))),
                (Plan::U64(plan), Words::U64(words)) => all
                    .iter_mut()
                    .zip(words.as_mut_slice()[start..].chunks_mut(step))
                    .for_each(|(row, words)| row.push(PlannedRow::U64(plan, &mut words[..n]))),
                _ => unreachable!("the width of a limb follows from its prime"),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
