//! The operations in `f64`.

use std::sync::Arc;

use he_ir::{CipherType, Groups, HeProgram, LinearMap, Op, WeightBlock};
use he_params::{Level, Scale};

use super::{ClearError, ClearTensor, ClearWeights};
use crate::{Backend, Batch, Operand, TensorState, TiledBackend};

/// Computes in `f64`, at most `slots` images at a time.
#[derive(Clone, Debug)]
pub struct ClearBackend {
    q: Vec<u64>,
    slots: usize,
}

type Taken<'a> = Operand<'a, ClearTensor>;
type Made = Result<ClearTensor, ClearError>;

impl ClearBackend {
    /// For programs over the ciphertext primes `q`, or the first of them; `slots` is N/2.
    pub fn new(q: &[u64], slots: usize) -> Self {
        Self { q: q.to_vec(), slots }
    }

    /// A batch as the input of a program.
    pub fn input(&self, value: &CipherType, batch: Batch) -> ClearTensor {
        ClearTensor::new(batch, value.level, value.scale)
    }
}

impl Backend for ClearBackend {
    type Tensor = ClearTensor;
    type Weights = ClearWeights;
    type Error = ClearError;

    fn name(&self) -> &'static str {
        "clear"
    }

    fn accept(&self, program: &HeProgram) -> Result<(), ClearError> {
        if self.q.starts_with(program.q()) {
            return Ok(());
        }
        Err(ClearError::Primes { program: program.q().to_vec(), backend: self.q.clone() })
    }

    fn pack(&self, map: &LinearMap, _: &CipherType) -> Result<ClearWeights, ClearError> {
        Ok(ClearWeights::new(map))
    }

    fn weights_bytes(&self, weights: &ClearWeights) -> usize {
        weights.bytes()
    }

    fn state(&self, tensor: &ClearTensor) -> TensorState {
        tensor.state()
    }

    fn slots(&self) -> usize {
        self.slots
    }

    fn bytes(&self, tensor: &ClearTensor) -> usize {
        size_of_val(tensor.batch.values())
    }

    fn planned_bytes(&self, value: &CipherType) -> usize {
        value.elements() * self.slots * size_of::<f64>()
    }

    fn planned_growth(&self, op: &Op, operand: &CipherType, result: &CipherType) -> usize {
        let (before, after) = (self.planned_bytes(operand), self.planned_bytes(result));
        if matches!(op, Op::Linear { .. } | Op::Gather { .. }) { after } else { after.saturating_sub(before) }
    }

    fn linear(&self, x: Taken<'_>, weights: &ClearWeights) -> Made {
        let x = x.as_ref();
        if weights.inputs() != x.batch.elements() {
            return Err(ClearError::Element { index: weights.inputs(), elements: x.batch.elements() });
        }
        let (batch, scale) = (weights.apply(&x.batch), x.scale.times(weights.scale)?);
        Ok(ClearTensor { batch, scale, ..*x })
    }

    fn add(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        x.into_owned().zip(y.as_ref(), |x, y| x + y)
    }

    fn sub(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        x.into_owned().zip(y.as_ref(), |x, y| x - y)
    }

    fn negate(&self, x: Taken<'_>) -> Made {
        Ok(x.into_owned().map(|x| -x))
    }

    fn add_constant(&self, x: Taken<'_>, values: &[f64]) -> Made {
        let mut x = x.into_owned();
        let (images, elements) = (x.batch.images().max(1), x.batch.elements());
        if values.len() != elements {
            return Err(ClearError::Element { index: values.len(), elements });
        }
        for (row, value) in x.batch.values_mut().chunks_exact_mut(images).zip(values) {
            row.iter_mut().for_each(|x| *x += value);
        }
        Ok(x)
    }

    fn mul(&self, x: Taken<'_>, y: Taken<'_>) -> Made {
        let scale = x.as_ref().scale.times(y.as_ref().scale)?;
        Ok(ClearTensor { scale, component_count: 3, ..x.into_owned().zip(y.as_ref(), |x, y| x * y)? })
    }

    fn square(&self, x: Taken<'_>) -> Made {
        let scale = x.as_ref().scale.times(x.as_ref().scale)?;
        Ok(ClearTensor { scale, component_count: 3, ..x.into_owned().map(|x| x * x) })
    }

    fn relinearize(&self, x: Taken<'_>) -> Made {
        Ok(ClearTensor { component_count: 2, ..x.into_owned() })
    }

    fn rescale(&self, x: Taken<'_>) -> Made {
        let mut x = x.into_owned();
        let no_prime = ClearError::NoPrime { level: x.level };
        let (Some(below), Some(&prime)) = (x.level.below(), self.q.get(x.level.last_prime())) else {
            return Err(no_prime);
        };
        x.scale = x.scale.over(prime)?;
        x.level = below;
        Ok(x)
    }

    fn relinearize_rescale(&self, x: Taken<'_>) -> Made {
        self.rescale(Operand::Last(self.relinearize(x)?))
    }

    fn drop_level(&self, x: Taken<'_>, to: Level) -> Made {
        Ok(ClearTensor { level: to, ..x.into_owned() })
    }

    fn gather(&self, x: Taken<'_>, indices: &[u32]) -> Made {
        let x = x.as_ref();
        ClearTensor::gather_of(&indices.iter().map(|&i| (x, i as usize)).collect::<Vec<_>>())
    }
}

impl TiledBackend for ClearBackend {
    type Block = Arc<Vec<f64>>;

    fn pack_block(&self, block: &WeightBlock) -> Result<Self::Block, ClearError> {
        Ok(Arc::new(block.weights().iter().map(|&w| w as f64).collect()))
    }

    fn pack_tile(
        &self,
        inputs: usize,
        blocks: Vec<Self::Block>,
        groups: Groups,
        bias: Vec<f64>,
        weight_scale: Scale,
    ) -> Result<ClearWeights, ClearError> {
        Ok(ClearWeights::of_tile(inputs, blocks, groups, bias, weight_scale))
    }

    fn block_bytes(&self, block: &Self::Block) -> usize {
        size_of_val(&block[..])
    }

    fn tile_bytes(&self, weights: &ClearWeights) -> usize {
        weights.list_bytes()
    }

    fn linear_of(&self, values: &[(&ClearTensor, usize)], weights: &ClearWeights) -> Made {
        self.linear(Operand::Last(self.gather_of(values)?), weights)
    }

    fn gather_of(&self, values: &[(&ClearTensor, usize)]) -> Made {
        ClearTensor::gather_of(values)
    }

    fn settle(&self, tensor: ClearTensor) -> Made {
        Ok(tensor)
    }
}
