//! The operations on ciphertexts: each is one call into the evaluator.

use std::sync::Arc;

use he_ckks::{CiphertextTensor, CkksContext, Evaluator, LinearGroup, LinearWeights, WeightBlock};
use he_ir::{CipherType, HeProgram, LinearMap, Op};
use he_params::{Level, Scale};
use he_rlwe::{EvaluationKeys, RelinearizationKey};

use super::CkksBackendError;
use crate::{Backend, Operand, TensorState};

/// Computes on ciphertexts, with evaluation keys and nothing secret.
#[derive(Debug)]
pub struct CkksBackend {
    context: Arc<CkksContext>,
    evaluator: Evaluator,
    keys: EvaluationKeys,
}

/// A linear map packed for the residue matrix product.
#[derive(Debug)]
pub struct CkksWeights {
    weights: LinearWeights,
    scale: Scale,
    bias: Vec<f64>,
}

type Taken<'a> = Operand<'a, CiphertextTensor>;
type Made = Result<CiphertextTensor, CkksBackendError>;

impl CkksBackend {
    /// For programs over the ciphertext primes of the context, or the first of them.
    pub fn new(context: &Arc<CkksContext>, keys: EvaluationKeys) -> Self {
        Self { context: Arc::clone(context), evaluator: Evaluator::new(context), keys }
    }

    /// The parameters made ready.
    pub fn context(&self) -> &Arc<CkksContext> {
        &self.context
    }

    fn key(&self) -> Result<&RelinearizationKey, CkksBackendError> {
        self.keys.relinearization.as_ref().ok_or(CkksBackendError::NoRelinearizationKey)
    }
}

impl Backend for CkksBackend {
    type Tensor = CiphertextTensor;
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
        let relinearizes = program.nodes().iter().any(|node| matches!(node.op(), Op::Relinearize));
        if relinearizes { self.key().map(|_| ()) } else { Ok(()) }
    }

    fn pack(&self, map: &LinearMap, _: &CipherType) -> Result<CkksWeights, CkksBackendError> {
        let block = |b: &he_ir::WeightBlock| WeightBlock {
            outputs: b.rows(),
            inputs: b.columns(),
            weights: b.weights().to_vec(),
        };
        let group =
            |g: &he_ir::Group| LinearGroup { inputs: g.inputs.clone(), outputs: g.outputs.clone(), block: g.block };
        let (blocks, groups) = (map.blocks().iter().map(block).collect(), map.groups().iter().map(group).collect());
        let weights = LinearWeights::new(map.inputs(), map.outputs(), blocks, groups)?;
        Ok(CkksWeights { weights, scale: map.weight_scale(), bias: map.bias().to_vec() })
    }

    fn weights_bytes(&self, weights: &CkksWeights) -> usize {
        weights.weights.byte_len() + size_of_val(&weights.bias[..])
    }

    fn state(&self, tensor: &CiphertextTensor) -> TensorState {
        TensorState {
            elements: tensor.values(),
            level: tensor.level(),
            scale: tensor.scale(),
            component_count: tensor.component_count(),
            slots: self.slots(),
        }
    }

    fn slots(&self) -> usize {
        self.context.slots()
    }

    fn bytes(&self, tensor: &CiphertextTensor) -> usize {
        tensor.byte_len()
    }

    fn planned_bytes(&self, value: &CipherType) -> usize {
        let (values, components) = (value.elements(), value.component_count);
        // A level that the context does not have was refused by `accept`.
        CiphertextTensor::planned_byte_len(&self.context, values, components, value.level).unwrap_or_default()
    }

    fn is_in_place(&self, op: &Op, operand: &CipherType, result: &CipherType) -> bool {
        match op {
            Op::Add | Op::Sub => operand.component_count == result.component_count,
            Op::Negate | Op::AddConstant { .. } | Op::Rescale | Op::DropLevel { .. } => true,
            _ => false,
        }
    }

    fn linear(&self, x: Taken<'_>, weights: &CkksWeights) -> Made {
        Ok(self.evaluator.linear(x.as_ref(), &weights.weights, weights.scale, &weights.bias)?)
    }

    fn add(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        // Addition commutes: write into whichever side nobody reads again.
        let (mut sum, other) = match (x, y) {
            (x @ Operand::Kept(_), Operand::Last(y)) => (y, x),
            (x, y) => (x.into_owned(), y),
        };
        self.evaluator.add_assign(&mut sum, other.as_ref())?;
        Ok(sum)
    }

    fn sub(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        let mut difference = x.into_owned();
        self.evaluator.sub_assign(&mut difference, y.as_ref())?;
        Ok(difference)
    }

    fn negate(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.negate(x.into_owned())?)
    }

    fn add_constant(&self, x: Taken<'_>, values: &[f64]) -> Made {
        let mut sum = x.into_owned();
        self.evaluator.add_scalar_assign(&mut sum, values)?;
        Ok(sum)
    }

    fn mul(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        Ok(self.evaluator.mul(x.as_ref(), y.as_ref())?)
    }

    fn square(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.square(x.as_ref())?)
    }

    fn relinearize(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.relinearize(x.as_ref(), self.key()?)?)
    }

    fn rescale(&self, x: Taken<'_>) -> Made {
        Ok(self.evaluator.rescale(x.into_owned())?)
    }

    fn drop_level(&self, x: Taken<'_>, to: Level) -> Made {
        Ok(self.evaluator.drop_level(x.into_owned(), to)?)
    }

    fn gather(&self, x: Taken<'_>, indices: &[u32]) -> Made {
        let indices: Vec<usize> = indices.iter().map(|&i| i as usize).collect();
        Ok(x.as_ref().gather(&indices)?)
    }
}
