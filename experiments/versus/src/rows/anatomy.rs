//! The parts of the scheme's operations, each measured alone on one thread: transforms counted and timed, the rest by the
//! ring's operations on operands of the same shapes.

use anyhow::Context;
use he_ckks::{CkksContext, Seed};
use he_params::{GaloisElement, Level, Rotation};
use he_ring::sampling::Stream;
use he_ring::{BaseConversion, Domain, Eval, IntegerPoly, NttPlan, Ring, RnsTensor, RnsView, Word};
use he_rlwe::purpose;

use super::scheme::Operation;
use super::{numbers, residues};
use crate::contest::Plan;
use crate::limit::{bits, word_bytes};
use crate::parts::{Profile, time};

/// What stands for the rest of an operation.
pub(super) const REST: &str = "the rest";
/// Drawing what half of a ciphertext is.
pub(super) const UNIFORM_HALF: &str = "drawing the uniform half";

/// The operations of one context at one level.
pub(super) struct Anatomy<'a> {
    context: &'a CkksContext,
    ring: &'a Ring,
    plan: &'a Plan,
    /// Ring indices of the level's primes, and of those for key switching.
    limbs: Vec<usize>,
    special: Vec<usize>,
}

/// Transforms of one prime.
struct Transforms {
    q: u64,
    forward: usize,
    inverse: usize,
}

impl<'a> Anatomy<'a> {
    pub(super) fn new(context: &'a CkksContext, level: Level, plan: &'a Plan) -> anyhow::Result<Anatomy<'a>> {
        let limbs = context.rlwe().limbs_at(level)?.to_vec();
        Ok(Anatomy { context, ring: context.ring(), plan, limbs, special: context.rlwe().special_limbs() })
    }

    /// The parts of an operation on one ciphertext; none for one that is a part itself.
    pub(super) fn of(&self, operation: Operation) -> anyhow::Result<Profile> {
        let mut profile = Profile::default();
        let parts = &mut profile;
        match operation {
            Operation::Relinearize => self.key_switch(parts, false)?,
            Operation::RelinearizeRescale => self.key_switch(parts, true)?,
            Operation::Rotate => {
                self.key_switch(parts, false)?;
                self.automorphism(parts)?;
            }
            Operation::Rescale => self.rescale(parts)?,
            Operation::Encode => self.encode(parts)?,
            Operation::EncodeEncryptSymmetric => {
                self.encode(parts)?;
                self.mask(parts)?;
            }
            Operation::DecryptDecode => self.decrypt(parts)?,
            Operation::Add
            | Operation::Multiply
            | Operation::Square
            | Operation::MultiplyPlain
            | Operation::EncryptPublic => {}
        }
        Ok(profile)
    }

    /// One digit to a prime. Each is transformed back, then forward modulo every other prime; of both sums those modulo the
    /// primes divided out go back, and what is divided goes forward modulo those that stay.
    fn key_switch(&self, parts: &mut Profile, rescales: bool) -> anyhow::Result<()> {
        let digits = self.limbs.len();
        let all: Vec<usize> = self.limbs.iter().chain(&self.special).copied().collect();
        let (stay, divided) = all.split_at(digits - usize::from(rescales));
        let counts = all.iter().map(|index| {
            let of_digits = digits - usize::from(self.limbs.contains(index));
            let (forward, inverse) = if stay.contains(index) { (2, 0) } else { (0, 2) };
            let inverse = inverse + usize::from(self.limbs.contains(index));
            Ok(Transforms { q: self.prime(*index)?, forward: of_digits + forward, inverse })
        });
        self.transforms(parts, &counts.collect::<anyhow::Result<Vec<_>>>()?)?;

        let raised: Vec<RnsTensor<Eval>> = (0..digits).map(|_| self.filled(1, &all)).collect::<anyhow::Result<_>>()?;
        let key: RnsTensor<Eval> = self.filled(2 * digits, &all)?;
        let raised: Vec<RnsView<'_, Eval>> = raised.iter().map(RnsTensor::view).collect();
        let keys = (0..digits).map(|digit| key.view().range(2 * digit, 2)).collect::<Result<Vec<_>, _>>()?;
        parts.add("products with the key", self.time(|()| Ok(self.ring.inner_product(&raised, &keys)?))?);

        // As coefficients, so without transforms.
        let conversion = BaseConversion::new(self.ring, divided, stay)?;
        let sums = self.filled::<he_ring::Coeff>(2, &all)?;
        let divide = time(self.plan, || Ok(sums.clone()), |x| Ok(self.ring.mod_down(&conversion, x)?))?;
        parts.add("division by the special prime", divide);
        Ok(())
    }

    fn automorphism(&self, parts: &mut Profile) -> anyhow::Result<()> {
        let element = GaloisElement::rotation(Rotation(1), self.context.params().log_n());
        let galois = self.ring.galois::<Eval>(u64::from(element.get()))?;
        let x = self.filled::<Eval>(2, &self.limbs)?;
        parts.add("automorphism", self.time(|()| Ok(self.ring.automorphism(&galois, &x)?))?);
        Ok(())
    }

    /// The last prime's residues back, their remainders forward modulo the others.
    fn rescale(&self, parts: &mut Profile) -> anyhow::Result<()> {
        let last = *self.limbs.last().context("no prime")?;
        let count = |index: &usize| {
            let (forward, inverse) = if *index == last { (0, 2) } else { (2, 0) };
            Ok(Transforms { q: self.prime(*index)?, forward, inverse })
        };
        self.transforms(parts, &self.limbs.iter().map(count).collect::<anyhow::Result<Vec<_>>>()?)?;
        let x = self.filled::<he_ring::Coeff>(2, &self.limbs)?;
        let divide = time(self.plan, || Ok(x.clone()), |x| Ok(self.ring.divide_round_by_last(x)?))?;
        parts.add("division by the last prime", divide);
        Ok(())
    }

    fn encode(&self, parts: &mut Profile) -> anyhow::Result<()> {
        let (fft, factor) = (self.context.fft(), self.context.params().scale().get());
        let slots = numbers(1, fft.slots());
        let mut scratch = vec![0.0; 2 * fft.slots()];
        let embed = self.time(|()| Ok(fft.slots_to_coefficients(&slots, &[], factor, &mut scratch).map(drop)?))?;
        parts.add("embedding", embed);
        let real = fft.slots_to_coefficients(&slots, &[], factor, &mut scratch)?.first(self.ring.n());
        let mut poly = IntegerPoly::default();
        let round = self.time(|()| {
            std::hint::black_box(real.largest());
            poly.round(&real);
            Ok(())
        })?;
        parts.add("rounding", round);
        self.each_prime(parts, 1, 0)
    }

    /// What hides an encoded message.
    fn mask(&self, parts: &mut Profile) -> anyhow::Result<()> {
        let stream = Stream::new(&Seed::new([6; 32]), purpose::CIPHERTEXT_UNIFORM);
        let (isa, n, error) = (self.ring.isa(), self.ring.n(), self.context.params().error());
        let mut poly = IntegerPoly::default();
        let errors = self.time(|()| {
            poly.draw_error(n, &mut stream.sampler(isa, 0, 0), error);
            Ok(())
        })?;
        parts.add("drawing errors", errors);
        let mut uniform = self.filled::<Eval>(1, &self.limbs)?;
        let draw = self.time(|()| Ok(self.ring.fill_uniform(&stream, 0, uniform.view_mut())?))?;
        parts.add(UNIFORM_HALF, draw);
        self.product(parts)
    }

    fn decrypt(&self, parts: &mut Profile) -> anyhow::Result<()> {
        self.product(parts)?;
        self.each_prime(parts, 0, 1)?;
        let (fft, x) = (self.context.fft(), self.filled::<he_ring::Coeff>(1, &self.limbs)?);
        let mut coefficients = vec![0.0; self.ring.n()];
        let compose = self.time(|()| Ok(self.ring.compose_centered_into(&x, 0, 1.0, &mut coefficients)?))?;
        parts.add("residues to numbers", compose);
        let given = numbers(2, 2 * fft.slots());
        let (mut work, mut slots) = (given.clone(), vec![0.0; fft.slots()]);
        let embed = self.time(|()| {
            work.copy_from_slice(&given);
            Ok(fft.coefficients_to_slots(&mut work, &mut slots, &mut [])?)
        })?;
        parts.add("embedding", embed);
        Ok(())
    }

    /// A component times the key, added to the other.
    fn product(&self, parts: &mut Profile) -> anyhow::Result<()> {
        let (x, y) = (self.filled::<Eval>(1, &self.limbs)?, self.filled::<Eval>(1, &self.limbs)?);
        let mut sum = self.filled::<Eval>(1, &self.limbs)?;
        parts.add("product with the key", self.time(|()| Ok(self.ring.mul_add_assign(&mut sum, &x, &y)?))?);
        Ok(())
    }

    fn each_prime(&self, parts: &mut Profile, forward: usize, inverse: usize) -> anyhow::Result<()> {
        let count = |index: &usize| Ok(Transforms { q: self.prime(*index)?, forward, inverse });
        self.transforms(parts, &self.limbs.iter().map(count).collect::<anyhow::Result<Vec<_>>>()?)
    }

    /// One part for the primes of one size.
    fn transforms(&self, parts: &mut Profile, counts: &[Transforms]) -> anyhow::Result<()> {
        let mut sizes: Vec<u32> = counts.iter().map(|of| bits(of.q)).collect();
        sizes.sort_unstable();
        sizes.dedup();
        for size in sizes {
            let of_size: Vec<&Transforms> = counts.iter().filter(|of| bits(of.q) == size).collect();
            let Some(q) = of_size.first().map(|of| of.q) else { continue };
            let (forward_us, inverse_us) =
                if word_bytes(q) == 4.0 { self.transform::<u32>(q)? } else { self.transform::<u64>(q)? };
            let forward: usize = of_size.iter().map(|of| of.forward).sum();
            let inverse: usize = of_size.iter().map(|of| of.inverse).sum();
            let us = forward as f64 * forward_us + inverse as f64 * inverse_us;
            let count = forward + inverse;
            let plural = if count == 1 { "" } else { "s" };
            parts.add(format!("{count} transform{plural} of {size} bits"), us);
        }
        Ok(())
    }

    /// Microseconds of one transform forward, and of one back.
    fn transform<W: Word>(&self, q: u64) -> anyhow::Result<(f64, f64)> {
        let plan = NttPlan::<W>::new(self.ring.log_n(), q, self.ring.isa())?;
        let mut x: Vec<W> = residues(3, q, self.ring.n()).into_iter().map(W::from_u64).collect();
        let forward = self.time(|()| {
            plan.forward(&mut x);
            Ok(())
        })?;
        let inverse = self.time(|()| {
            plan.inverse(&mut x);
            Ok(())
        })?;
        Ok((forward, inverse))
    }

    fn time<R>(&self, operation: impl FnMut(()) -> anyhow::Result<R>) -> anyhow::Result<f64> {
        time(self.plan, || Ok(()), operation)
    }

    fn prime(&self, index: usize) -> anyhow::Result<u64> {
        self.ring.primes().get(index).copied().context("no such prime")
    }

    fn filled<D: Domain>(&self, rows: usize, limbs: &[usize]) -> anyhow::Result<RnsTensor<D>> {
        let mut x = self.ring.zero::<D>(rows, limbs)?;
        for (limb, q) in x.primes().into_iter().enumerate() {
            for row in 0..rows {
                x.set_row_from_u64(limb, row, residues((limb * rows + row) as u64, q, self.ring.n()).into_iter())?;
            }
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use he_params::{CkksParams, CkksParamsLiteral, ModulusChain, RequiredSecurity};

    use super::*;

    #[test]
    fn transforms_of_a_key_switch_and_a_rescale() {
        let chain = |bits: &[u8]| ModulusChain::Bits(bits.to_vec());
        let mut literal = CkksParamsLiteral::new(10, chain(&[30; 6]), chain(&[30]), 30.0);
        literal.security = RequiredSecurity::Insecure;
        let context = CkksContext::new(CkksParams::try_from(literal).unwrap()).unwrap();
        let plan = Plan { rounds: 1, sample: Duration::ZERO, patience: Duration::ZERO };
        let anatomy = Anatomy::new(&context, context.params().max_level(), &plan).unwrap();
        let names = |operation| -> Vec<String> {
            let parts = anatomy.of(operation).unwrap().of(1e9, REST);
            assert!(parts.iter().all(|part| part.us >= 0.0));
            parts.into_iter().map(|part| part.what).collect()
        };
        for (operation, transforms) in [
            (Operation::Relinearize, "56 transforms of 30 bits"),
            (Operation::RelinearizeRescale, "56 transforms of 30 bits"),
            (Operation::Rotate, "56 transforms of 30 bits"),
            (Operation::Rescale, "12 transforms of 30 bits"),
            (Operation::EncodeEncryptSymmetric, "6 transforms of 30 bits"),
            (Operation::DecryptDecode, "6 transforms of 30 bits"),
        ] {
            let names = names(operation);
            assert!(names.iter().any(|name| name == transforms) && names.last().unwrap() == REST, "{names:?}");
        }
        assert!(names(Operation::Add).is_empty());
    }
}
