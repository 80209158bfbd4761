//! Runs a program on SEAL: its ciphertexts, its operations, and weighted sums that it has no operation for.

mod convert;
mod error;
mod linear;
mod tensor;

use execute::{Backend, Operand, TensorState};
use he_ir::{CipherType, HeProgram, LinearMap, Op};
use he_params::{Level, Packing};
use rayon::prelude::*;

pub use error::SealBackendError;
pub use linear::SealWeights;
pub use tensor::SealTensor;

use crate::{Ciphertext, Context, Evaluator, RelinKeys, SealError};

/// Computes on SEAL's ciphertexts, with a relinearization key and nothing secret.
///
/// One ciphertext holds one element of every image, as in [`execute::ckks`]; elements are worked on in parallel, and the memory
/// of each goes back as soon as what replaces it stands.
#[derive(Debug)]
pub struct SealBackend {
    context: Context,
    evaluator: Evaluator,
    relinearization: Option<RelinKeys>,
}

/// What SEAL would do in two divisions, and round twice.
const FUSED: &str =
    "relinearize_rescale, which rounds once: compile with relinearize and rescale apart (henge explain --seal-exact)";

type Taken<'a> = Operand<'a, SealTensor>;
type Made = Result<SealTensor, SealBackendError>;

impl SealBackend {
    /// For programs over the primes of the context but the special one, or the first of them.
    ///
    /// # Errors
    /// None that is expected.
    pub fn new(context: &Context, relinearization: Option<RelinKeys>) -> Result<Self, SealError> {
        Ok(Self { context: context.clone(), evaluator: Evaluator::new(context)?, relinearization })
    }

    /// SEAL's context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn key(&self) -> Result<&RelinKeys, SealBackendError> {
        self.relinearization.as_ref().ok_or(SealBackendError::NoRelinearizationKey)
    }

    fn bytes_at(&self, elements: usize, components: usize, level: Level) -> usize {
        elements * components * level.prime_count() * self.context.log_n().n() * size_of::<u64>()
    }

    /// What a function makes of each ciphertext; one at its last use is dropped as soon as its own result stands.
    fn each(&self, x: Taken<'_>, make: impl Fn(&Ciphertext) -> Result<Ciphertext, SealError> + Send + Sync) -> Made {
        let made: Result<Vec<Ciphertext>, SealError> = match x {
            Operand::Last(x) => x.into_ciphertexts().into_par_iter().map(|x| make(&x)).collect(),
            Operand::Kept(x) => x.ciphertexts().par_iter().map(make).collect(),
        };
        SealTensor::new(made?)
    }

    /// Writes into each ciphertext, or into a copy of one that is read again.
    fn each_assign(
        &self,
        x: Taken<'_>,
        write: impl Fn(usize, &mut Ciphertext) -> Result<(), SealError> + Send + Sync,
    ) -> Made {
        let write = |(index, mut x): (usize, Ciphertext)| {
            write(index, &mut x)?;
            Ok(x)
        };
        let made: Result<Vec<Ciphertext>, SealError> = match x {
            Operand::Last(x) => x.into_ciphertexts().into_par_iter().enumerate().map(write).collect(),
            Operand::Kept(x) => x.ciphertexts().par_iter().cloned().enumerate().map(write).collect(),
        };
        SealTensor::new(made?)
    }

    /// A sum or a difference; scales that differ by rounding are made one, which SEAL asks for.
    fn sum(
        &self,
        x: Taken<'_>,
        y: &SealTensor,
        write: impl Fn(&mut Ciphertext, &Ciphertext) -> Result<(), SealError> + Send + Sync,
    ) -> Made {
        let (left, right) = (x.as_ref().scale(), y.scale());
        same_length(x.as_ref(), y)?;
        self.each_assign(x, |index, x| {
            let y = &y.ciphertexts()[index];
            if left.is_close(right) {
                x.set_scale(right);
            }
            write(x, y)?;
            x.set_scale(left);
            Ok(())
        })
    }
}

fn same_length(x: &SealTensor, y: &SealTensor) -> Result<(), SealBackendError> {
    let (expected, found) = (x.ciphertexts().len(), y.ciphertexts().len());
    if expected == found { Ok(()) } else { Err(SealBackendError::Elements { expected, found }) }
}

impl Backend for SealBackend {
    type Tensor = SealTensor;
    type Weights = SealWeights;
    type Error = SealBackendError;

    fn name(&self) -> &'static str {
        "seal"
    }

    fn accept(&self, program: &HeProgram) -> Result<(), SealBackendError> {
        let primes = &self.context.primes()[..self.context.max_level().prime_count()];
        if !primes.starts_with(program.q()) {
            return Err(SealBackendError::Primes { program: program.q().to_vec(), context: primes.to_vec() });
        }
        if program.packing() != Packing::Batch {
            return Err(SealBackendError::Unsupported("packing of two images in one slot"));
        }
        if program.nodes().iter().any(|node| matches!(node.op(), Op::Refresh { .. })) {
            return Err(SealBackendError::Unsupported("way to ask the key owner"));
        }
        if program.nodes().iter().any(|node| matches!(node.op(), Op::RelinearizeRescale)) {
            return Err(SealBackendError::Unsupported(FUSED));
        }
        let relinearizes = program.nodes().iter().any(|node| node.op().relinearizes());
        if relinearizes { self.key().map(|_| ()) } else { Ok(()) }
    }

    fn pack(&self, map: &LinearMap, operand: &CipherType) -> Result<SealWeights, SealBackendError> {
        Ok(SealWeights::new(map, &self.context.primes()[..self.context.check(operand.level)?]))
    }

    fn weights_bytes(&self, weights: &SealWeights) -> usize {
        weights.byte_len()
    }

    fn state(&self, tensor: &SealTensor) -> TensorState {
        TensorState {
            elements: tensor.ciphertexts().len(),
            level: tensor.level(),
            scale: tensor.scale(),
            component_count: tensor.component_count(),
            slots: self.slots(),
        }
    }

    fn slots(&self) -> usize {
        self.context.slots()
    }

    fn bytes(&self, tensor: &SealTensor) -> usize {
        self.bytes_at(tensor.ciphertexts().len(), tensor.component_count(), tensor.level())
    }

    fn planned_bytes(&self, value: &CipherType) -> usize {
        self.bytes_at(value.elements(), value.component_count, value.level)
    }

    fn planned_growth(&self, op: &Op, operand: &CipherType, result: &CipherType) -> usize {
        let (before, after) = (self.planned_bytes(operand), self.planned_bytes(result));
        match op {
            // All ciphertexts of the result stand before the first one of the operand goes.
            Op::Linear { .. } | Op::Gather { .. } => after,
            // In step: every thread holds one of either side.
            _ => after.saturating_sub(before),
        }
    }

    fn linear(&self, x: Taken<'_>, weights: &SealWeights) -> Made {
        weights.apply(&self.context, x.as_ref())
    }

    fn add(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        // Addition commutes: write into whichever side nobody reads again.
        let (x, y) = match (x, y) {
            (x @ Operand::Kept(_), y @ Operand::Last(_)) => (y, x),
            both => both,
        };
        self.sum(x, y.as_ref(), |x, y| self.evaluator.add_assign(x, y))
    }

    fn sub(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        self.sum(x, y.as_ref(), |x, y| self.evaluator.sub_assign(x, y))
    }

    fn negate(&self, x: Taken<'_>) -> Made {
        self.each_assign(x, |_, x| self.evaluator.negate_assign(x))
    }

    fn add_constant(&self, x: Taken<'_>, values: &[f64]) -> Made {
        let (expected, found) = (x.as_ref().ciphertexts().len(), values.len());
        if expected != found {
            return Err(SealBackendError::Elements { expected, found });
        }
        let (scale, primes) = (x.as_ref().scale(), self.context.primes());
        self.each_assign(x, |index, x| {
            linear::add_constant(x, values[index], scale, self.context.log_n().n(), primes);
            Ok(())
        })
    }

    fn mul(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        same_length(x.as_ref(), y.as_ref())?;
        let pairs = x.as_ref().ciphertexts().par_iter().zip(y.as_ref().ciphertexts());
        SealTensor::new(pairs.map(|(x, y)| self.evaluator.mul(x, y)).collect::<Result<_, SealError>>()?)
    }

    fn square(&self, x: Taken<'_>) -> Made {
        self.each(x, |x| self.evaluator.square(x))
    }

    fn relinearize(&self, x: Taken<'_>) -> Made {
        let key = self.key()?;
        self.each(x, |x| {
            let mut x = x.clone();
            self.evaluator.relinearize_assign(&mut x, key)?;
            // A copy has no room left of the third component.
            Ok(x.clone())
        })
    }

    fn rescale(&self, x: Taken<'_>) -> Made {
        self.each(x, |x| self.evaluator.rescale(x))
    }

    fn relinearize_rescale(&self, _: Taken<'_>) -> Made {
        Err(SealBackendError::Unsupported(FUSED))
    }

    fn drop_level(&self, x: Taken<'_>, to: Level) -> Made {
        self.each(x, |x| self.evaluator.drop_level(x, to))
    }

    fn gather(&self, x: Taken<'_>, indices: &[u32]) -> Made {
        let x = x.as_ref().ciphertexts();
        let one = |index: &u32| {
            let index = *index as usize;
            x.get(index).cloned().ok_or(SealBackendError::NoSuchElement { index, elements: x.len() })
        };
        SealTensor::new(indices.iter().map(one).collect::<Result<_, _>>()?)
    }
}
