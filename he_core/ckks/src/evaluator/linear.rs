//! The weighted sum of many ciphertexts: every linear layer of a network under batch packing.
//!
//! Formula: `out_o = sum_k w[o][k] x_k + bias_o`, component by component, modulo one prime after the other. What an operand
//! does not hold is made for one prime at a time: the second components of seeded ciphertexts are drawn, the squares of
//! ciphertexts are multiplied as the matrix product reads them. An operand that was given away is freed prime by prime.

use std::borrow::Cow;

use he_params::{Level, Scale};
use he_ring::{Eval, Factor, LinearWeights, RnsScalars, RnsTensor};

use crate::{CiphertextTensor, CkksError, Evaluator, SeededCiphertextTensor};

/// What a linear map reads, lent or given away.
#[derive(Clone, Debug)]
pub enum LinearOperand<'a> {
    /// Ciphertexts of 2 or 3 components.
    Ciphertexts(Cow<'a, CiphertextTensor>),
    /// Ciphertexts whose second components are a seed.
    Seeded(Cow<'a, SeededCiphertextTensor>),
    /// The squares, of 3 components, of ciphertexts of 2.
    SquaresOf(Cow<'a, CiphertextTensor>),
    /// Values of several tensors of one level, scale and component count: value k is value `.1` of tensor `.0`.
    Scattered(Vec<(&'a CiphertextTensor, usize)>),
}

impl<'a> From<&'a CiphertextTensor> for LinearOperand<'a> {
    fn from(x: &'a CiphertextTensor) -> Self {
        Self::Ciphertexts(Cow::Borrowed(x))
    }
}

impl From<CiphertextTensor> for LinearOperand<'_> {
    fn from(x: CiphertextTensor) -> Self {
        Self::Ciphertexts(Cow::Owned(x))
    }
}

impl<'a> From<&'a SeededCiphertextTensor> for LinearOperand<'a> {
    fn from(x: &'a SeededCiphertextTensor) -> Self {
        Self::Seeded(Cow::Borrowed(x))
    }
}

impl From<SeededCiphertextTensor> for LinearOperand<'_> {
    fn from(x: SeededCiphertextTensor) -> Self {
        Self::Seeded(Cow::Owned(x))
    }
}

impl LinearOperand<'_> {
    fn values(&self) -> usize {
        match self {
            Self::Ciphertexts(x) | Self::SquaresOf(x) => x.values(),
            Self::Seeded(x) => x.values(),
            Self::Scattered(x) => x.len(),
        }
    }

    fn components(&self) -> usize {
        match self {
            Self::Ciphertexts(x) => x.component_count(),
            Self::Seeded(_) => 2,
            Self::SquaresOf(_) => 3,
            Self::Scattered(x) => x.first().map_or(2, |x| x.0.component_count()),
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Ciphertexts(x) | Self::SquaresOf(x) => x.level(),
            Self::Seeded(x) => x.level(),
            Self::Scattered(x) => x.first().map_or(Level::BOTTOM, |x| x.0.level()),
        }
    }

    fn scale(&self) -> Result<Scale, CkksError> {
        Ok(match self {
            Self::Ciphertexts(x) => x.scale(),
            Self::Seeded(x) => x.scale(),
            Self::SquaresOf(x) => x.scale().times(x.scale())?,
            Self::Scattered(x) => x.first().map_or(Scale::ONE, |x| x.0.scale()),
        })
    }

    /// Ring indices of the primes.
    fn limb_indices(&self) -> Vec<usize> {
        match self {
            Self::Ciphertexts(x) | Self::SquaresOf(x) => x.rows().limb_indices(),
            Self::Seeded(x) => x.rows().limb_indices(),
            Self::Scattered(x) => x.first().map_or_else(Vec::new, |x| x.0.rows().limb_indices()),
        }
    }

    /// Values of several tensors agree in everything but their number, and are there.
    fn check(&self) -> Result<(), CkksError> {
        match self {
            Self::SquaresOf(x) => x.check_components(2),
            Self::Scattered(values) => {
                let Some((first, _)) = values.first() else { return Ok(()) };
                values.iter().try_for_each(|(x, value)| {
                    first.check_same_level(x.level())?;
                    first.check_same_scale(x.scale())?;
                    x.check_components(first.component_count())?;
                    let (value, values) = (*value, x.values());
                    if value < values { Ok(()) } else { Err(CkksError::ValueOutOfRange { value, values }) }
                })
            }
            _ => Ok(()),
        }
    }

    /// Frees what is left of a prime, if that is ours.
    fn drop_limb(&mut self, index: usize) -> Result<(), CkksError> {
        let rows = match self {
            Self::Ciphertexts(Cow::Owned(x)) | Self::SquaresOf(Cow::Owned(x)) => x.rows_mut(),
            Self::Seeded(Cow::Owned(x)) => x.rows_mut(),
            _ => return Ok(()),
        };
        Ok(rows.drop_limb(index)?)
    }
}

impl Evaluator {
    /// `out_o = sum_k w[o][k] x_k + bias_o`, with integer weights that stand for numbers times `weight_scale`: the result has
    /// scale `x.scale * weight_scale`, the level and the component count (2 or 3) of x. `bias` has one number per output, or
    /// one for all, or none; it is rounded at the resulting scale. Whatever form x has, the residues are the same.
    ///
    /// # Errors
    /// [`CkksError::ValueMismatch`] unless x has as many values as the weights have inputs and `bias` fits the outputs;
    /// [`CkksError::ComponentCount`] for squares of ciphertexts of 3 components;
    /// [`CkksError::ScaleTooLarge`], [`CkksError::NotFinite`], [`CkksError::EncodingOverflow`]; [`CkksError::Ring`] for a
    /// tensor of other parameters.
    pub fn linear<'a>(
        &self,
        x: impl Into<LinearOperand<'a>>,
        weights: &LinearWeights,
        weight_scale: Scale,
        bias: &[f64],
    ) -> Result<CiphertextTensor, CkksError> {
        let mut x = x.into();
        if x.values() != weights.input_count() {
            return Err(CkksError::ValueMismatch { left: x.values(), right: weights.input_count() });
        }
        x.check()?;
        let (level, components) = (x.level(), x.components());
        let scale = self.context.check_scale(level, x.scale()?.times(weight_scale)?)?;
        let bias = match bias {
            [] => None,
            numbers if numbers.len() == 1 || numbers.len() == weights.output_count() => {
                Some(self.encoder.encode_scalars(numbers, level, scale)?)
            }
            _ => return Err(CkksError::ValueMismatch { left: weights.output_count(), right: bias.len() }),
        };
        let mut rows: Option<RnsTensor<Eval>> = None;
        for index in x.limb_indices() {
            let limb = self.linear_limb(&x, weights, index, bias.as_ref())?;
            x.drop_limb(index)?;
            rows = Some(match rows {
                Some(rows) => rows.join_limbs(limb)?,
                None => limb,
            });
        }
        let rows = rows.ok_or(CkksError::NoPrimeToDrop(level))?;
        Ok(CiphertextTensor::new_unchecked(rows, components, level, scale))
    }

    /// All components of the result modulo one prime.
    fn linear_limb(
        &self,
        x: &LinearOperand<'_>,
        weights: &LinearWeights,
        index: usize,
        bias: Option<&RnsScalars>,
    ) -> Result<RnsTensor<Eval>, CkksError> {
        let ring = self.context.ring();
        let multiply = |factors: &[Factor<'_>]| {
            let bias = bias.map(|numbers| self.bias(numbers));
            Ok(ring.matrix_product_of(weights, &[index], factors, bias)?)
        };
        match x {
            LinearOperand::Ciphertexts(x) => {
                let component = |c| Ok(Factor::Rows(x.component(c)?));
                multiply(&(0..x.component_count()).map(component).collect::<Result<Vec<_>, CkksError>>()?)
            }
            LinearOperand::Seeded(x) => {
                let mut uniform = ring.unwritten(x.values(), &[index])?;
                x.draw_into(&self.context, uniform.view_mut())?;
                multiply(&[Factor::Rows(x.rows().view()), Factor::Rows(uniform.view())])
            }
            LinearOperand::SquaresOf(x) => {
                let (x0, x1) = (x.component(0)?, x.component(1)?);
                multiply(&[Factor::Products(x0, x0), Factor::TwiceProducts(x0, x1), Factor::Products(x1, x1)])
            }
            LinearOperand::Scattered(values) => {
                let component = |c| {
                    values.iter().map(|(x, value)| x.component_row(*value, c)).collect::<Result<Vec<_>, CkksError>>()
                };
                let rows = (0..x.components()).map(component).collect::<Result<Vec<_>, CkksError>>()?;
                multiply(&rows.iter().map(|rows| Factor::Each(rows)).collect::<Vec<_>>())
            }
        }
    }
}
