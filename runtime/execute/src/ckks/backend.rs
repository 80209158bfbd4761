//! The operations on ciphertexts: each is one call into the evaluator.

use std::borrow::Cow;
use std::sync::Arc;

use he_ckks::{
    CiphertextTensor, CkksContext, CkksError, Evaluator, LinearOperand, LinearWeights, PackedBlock, WeightBlock,
};
use he_ir::{CipherType, Groups, HeProgram, LinearMap, Op};
use he_params::{Level, Packing, Scale};
use he_rlwe::{EvaluationKeys, RelinearizationKey};

use super::{CkksBackendError, CkksTensor};
use crate::{Backend, Operand, TensorState, TiledBackend};

/// Computes on ciphertexts, with evaluation keys and nothing secret.
#[derive(Debug)]
pub struct CkksBackend {
    context: Arc<CkksContext>,
    evaluator: Evaluator,
    keys: EvaluationKeys,
    prepares_only: bool,
}

/// A linear map packed for the residue matrix product.
#[derive(Debug)]
pub struct CkksWeights {
    weights: LinearWeights,
    scale: Scale,
    bias: Vec<f64>,
}

type Taken<'a> = Operand<'a, CkksTensor>;
type Made = Result<CkksTensor, CkksBackendError>;

impl CkksBackend {
    /// For programs over the ciphertext primes of the context, or the first of them.
    pub fn new(context: &Arc<CkksContext>, keys: EvaluationKeys) -> Self {
        Self { context: Arc::clone(context), evaluator: Evaluator::new(context), keys, prepares_only: false }
    }

    /// Without keys, to prepare a program once for many key owners: each run has a backend of its own, which must accept the program.
    pub fn to_prepare(context: &Arc<CkksContext>) -> Self {
        Self { prepares_only: true, ..Self::new(context, EvaluationKeys::default()) }
    }

    /// The same for programs whose images are packed so.
    ///
    /// # Errors
    /// [`CkksError::RealSlots`] for complex packing in the conjugate-invariant ring.
    pub fn with_packing(self, packing: Packing) -> Result<Self, CkksError> {
        Ok(Self { evaluator: self.evaluator.with_packing(packing)?, ..self })
    }

    /// The parameters made ready.
    pub fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    fn key(&self) -> Result<&RelinearizationKey, CkksBackendError> {
        self.keys.relinearization.as_ref().ok_or(CkksBackendError::NoRelinearizationKey)
    }

    /// The ciphertexts, to read.
    fn lent<'a>(&self, x: Taken<'a>) -> Result<Cow<'a, CiphertextTensor>, CkksBackendError> {
        Ok(x.ciphertexts(&self.context)?)
    }

    /// The ciphertexts, to write into; copied only when somebody still reads them.
    fn owned(&self, x: Taken<'_>) -> Result<CiphertextTensor, CkksBackendError> {
        Ok(self.lent(x)?.into_owned())
    }

    /// Bytes of ciphertexts down to a level; a level that the context does not have was refused by `accept`.
    fn bytes_at(&self, values: usize, components: usize, level: Level) -> usize {
        CiphertextTensor::planned_byte_len(&self.context, values, components, level).unwrap_or_default()
    }
}

impl Backend for CkksBackend {
    type Tensor = CkksTensor;
    type Weights = CkksWeights;
    type Error = CkksBackendError;

    fn name(&self) -> &'static str {
        "ckks"
    }

    fn accept(&self, program: &HeProgram) -> Result<(), CkksBackendError> {
        let params = self.context.params().q();
        if !params.starts_with(program.q()) {
            return Err(CkksBackendError::Primes { program: program.q().to_vec(), params: params.to_vec() });
        }
        let (packing, own) = (program.packing(), self.evaluator.packing());
        if packing != own {
            return Err(CkksBackendError::Packing { program: packing, backend: own });
        }
        let relinearizes = program.nodes().iter().any(|node| node.op().relinearizes());
        if relinearizes && !self.prepares_only { self.key().map(|_| ()) } else { Ok(()) }
    }

    fn pack(&self, map: &LinearMap, _: &CipherType) -> Result<CkksWeights, CkksBackendError> {
        let blocks = map.blocks().iter().map(block).collect();
        let weights = LinearWeights::new(map.inputs(), map.outputs(), blocks, map.groups().clone())?;
        Ok(CkksWeights { weights, scale: map.weight_scale(), bias: map.bias().to_vec() })
    }

    fn weights_bytes(&self, weights: &CkksWeights) -> usize {
        weights.weights.byte_len() + size_of_val(&weights.bias[..])
    }

    fn state(&self, tensor: &CkksTensor) -> TensorState {
        TensorState {
            elements: tensor.values(),
            level: tensor.level(),
            scale: tensor.scale(),
            component_count: tensor.component_count(),
            slots: self.slots(),
        }
    }

    fn slots(&self) -> usize {
        self.evaluator.packing().images(self.context.slots())
    }

    fn bytes(&self, tensor: &CkksTensor) -> usize {
        tensor.byte_len()
    }

    fn planned_bytes(&self, value: &CipherType) -> usize {
        self.bytes_at(value.elements(), value.component_count, value.level)
    }

    fn planned_growth(&self, op: &Op, operand: &CipherType, result: &CipherType) -> usize {
        let (before, after) = (self.planned_bytes(operand), self.planned_bytes(result));
        match op {
            // Each prime of the result is made before that prime of the operand is freed.
            Op::Linear { .. } => {
                let made = |level| self.bytes_at(result.elements(), result.component_count, level);
                let freed = |level| self.bytes_at(operand.elements(), operand.component_count, level);
                let levels = (0..=operand.level.get()).map(Level::new);
                levels.map(|level| made(level).saturating_sub(level.below().map_or(0, freed))).max().unwrap_or(after)
            }
            Op::Add | Op::Sub if operand.component_count == result.component_count => after.saturating_sub(before),
            Op::Negate | Op::AddConstant { .. } | Op::Rescale | Op::DropLevel { .. } => after.saturating_sub(before),
            _ => after,
        }
    }

    fn linear(&self, x: Taken<'_>, weights: &CkksWeights) -> Made {
        Ok(self.evaluator.linear(x.linear(), &weights.weights, weights.scale, &weights.bias)?.into())
    }

    fn fuses_squares(&self) -> bool {
        true
    }

    fn linear_of_square(&self, x: Taken<'_>, weights: &CkksWeights) -> Made {
        let squares = LinearOperand::SquaresOf(self.lent(x)?);
        Ok(self.evaluator.linear(squares, &weights.weights, weights.scale, &weights.bias)?.into())
    }

    fn add(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        // Addition commutes: write into whichever side nobody reads again.
        let (x, y) = match (x, y) {
            (x @ Operand::Kept(_), y @ Operand::Last(_)) => (y, x),
            both => both,
        };
        let mut sum = self.owned(x)?;
        self.evaluator.add_assign(&mut sum, self.lent(y)?.as_ref())?;
        Ok(sum.into())
    }

    fn sub(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        let mut difference = self.owned(x)?;
        self.evaluator.sub_assign(&mut difference, self.lent(y)?.as_ref())?;
        Ok(difference.into())
    }

    fn negate(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.negate(self.owned(x)?)?.into())
    }

    fn add_constant(&self, x: Taken<'_>, values: &[f64]) -> Made {
        let mut sum = self.owned(x)?;
        self.evaluator.add_scalar_assign(&mut sum, values)?;
        Ok(sum.into())
    }

    fn mul(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        Ok(self.evaluator.mul(self.lent(x)?.as_ref(), self.lent(y)?.as_ref())?.into())
    }

    fn square(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.square(self.lent(x)?.as_ref())?.into())
    }

    fn relinearize(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.relinearize(self.lent(x)?.as_ref(), self.key()?)?.into())
    }

    fn rescale(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.rescale(self.owned(x)?)?.into())
    }

    fn relinearize_rescale(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.relinearize_rescale(self.lent(x)?.as_ref(), self.key()?)?.into())
    }

    fn drop_level(&self, x: Taken<'_>, to: Level) -> Made {
        Ok(self.evaluator.drop_level(self.owned(x)?, to)?.into())
    }

    fn gather(&self, x: Taken<'_>, indices: &[u32]) -> Made {
        let indices: Vec<usize> = indices.iter().map(|&i| i as usize).collect();
        Ok(self.lent(x)?.gather(&indices)?.into())
    }
}

fn block(block: &he_ir::WeightBlock) -> WeightBlock {
    WeightBlock { outputs: block.rows(), inputs: block.columns(), weights: block.weights().to_vec() }
}

impl TiledBackend for CkksBackend {
    type Block = PackedBlock;

    fn pack_block(&self, weights: &he_ir::WeightBlock) -> Result<PackedBlock, CkksBackendError> {
        Ok(PackedBlock::new(&block(weights))?)
    }

    fn pack_tile(
        &self,
        inputs: usize,
        blocks: Vec<PackedBlock>,
        groups: Groups,
        bias: Vec<f64>,
        scale: Scale,
    ) -> Result<CkksWeights, CkksBackendError> {
        Ok(CkksWeights { weights: LinearWeights::from_packed(inputs, bias.len(), blocks, groups)?, scale, bias })
    }

    fn block_bytes(&self, block: &PackedBlock) -> usize {
        block.byte_len()
    }

    fn tile_bytes(&self, weights: &CkksWeights) -> usize {
        weights.weights.lists_byte_len() + size_of_val(&weights.bias[..])
    }

    fn linear_of(&self, values: &[(&CkksTensor, usize)], weights: &CkksWeights) -> Made {
        let values = LinearOperand::Scattered(whole(values)?);
        Ok(self.evaluator.linear(values, &weights.weights, weights.scale, &weights.bias)?.into())
    }

    fn gather_of(&self, values: &[(&CkksTensor, usize)]) -> Made {
        Ok(CiphertextTensor::gather_of(&whole(values)?)?.into())
    }

    fn settle(&self, tensor: CkksTensor) -> Made {
        Ok(tensor.into_ciphertexts(&self.context)?.into())
    }
}

/// Ciphertexts whose second components are there: [`TiledBackend::settle`] saw to that.
fn whole<'a>(values: &[(&'a CkksTensor, usize)]) -> Result<Vec<(&'a CiphertextTensor, usize)>, CkksBackendError> {
    let value = |&(tensor, value): &(&'a CkksTensor, usize)| match tensor {
        CkksTensor::Whole(tensor) => Ok((tensor, value)),
        CkksTensor::Seeded(_) => Err(CkksBackendError::Seeded),
    };
    values.iter().map(value).collect()
}
