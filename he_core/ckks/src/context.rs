//! Everything that depends on the parameters alone: ring, level plans, transform tables. Built once, shared.

use std::sync::Arc;

use he_params::{CkksParams, CkksParamsLiteral, Level, Scale};
use he_ring::{FftPlan, Isa, Ring};
use he_rlwe::RlweContext;

use crate::CkksError;

/// Parameters ready for use. Cheap to share: every part of the scheme holds an `Arc` of it.
#[derive(Debug)]
pub struct CkksContext {
    rlwe: RlweContext,
    fft: FftPlan,
}

impl CkksContext {
    /// A context on the fastest instruction set, or the one that `HENGE_ISA` names.
    ///
    /// # Errors
    /// [`CkksError::Ring`] when `HENGE_ISA` names a set that cannot be used.
    pub fn new(params: CkksParams) -> Result<Arc<Self>, CkksError> {
        Self::with_isa(params, Isa::best()?)
    }

    /// A context on the given instruction set; results are the same on each.
    ///
    /// # Errors
    /// None for checked parameters.
    pub fn with_isa(params: CkksParams, isa: Isa) -> Result<Arc<Self>, CkksError> {
        let fft = FftPlan::new(u32::from(params.shape().cyclotomic().get()), isa)?;
        Ok(Arc::new(Self { rlwe: RlweContext::new(params, isa)?, fft }))
    }

    /// Checks a literal and makes a context.
    ///
    /// # Errors
    /// [`CkksError::Params`] names the bound that failed; as [`CkksContext::new`].
    pub fn from_literal(literal: CkksParamsLiteral) -> Result<Arc<Self>, CkksError> {
        Self::new(CkksParams::try_from(literal)?)
    }

    /// The parameters.
    pub fn params(&self) -> &CkksParams {
        self.rlwe.params()
    }

    /// Ring, levels and key switching.
    pub fn rlwe(&self) -> &RlweContext {
        &self.rlwe
    }

    /// The ring over all primes.
    pub fn ring(&self) -> &Ring {
        self.rlwe.ring()
    }

    /// The transform between slots and coefficients of the cyclotomic ring, or of the one that the ring lies in.
    pub fn fft(&self) -> &FftPlan {
        &self.fft
    }

    /// The instruction set of all kernels.
    pub fn isa(&self) -> Isa {
        self.ring().isa()
    }

    /// Numbers in one plaintext: N/2 complex ones, or N real ones in the conjugate-invariant ring.
    pub fn slots(&self) -> usize {
        self.fft.slots()
    }

    /// Refuses a scale that is not below the modulus at `level`.
    pub(crate) fn check_scale(&self, level: Level, scale: Scale) -> Result<Scale, CkksError> {
        let log_q = self.params().log_q_at(level);
        if scale.log2() < log_q { Ok(scale) } else { Err(CkksError::ScaleTooLarge { scale, log_q }) }
    }

    /// Refuses magnitudes that are not below half the modulus at `level`.
    pub(crate) fn check_magnitude(&self, level: Level, magnitude: f64) -> Result<(), CkksError> {
        if magnitude.is_nan() || magnitude.is_infinite() {
            return Err(CkksError::NotFinite);
        }
        let log_q = self.params().log_q_at(level);
        let log_coefficient = magnitude.max(1.0).log2();
        // The margin covers rounding of the magnitude and of both logarithms.
        if log_coefficient < log_q - 1.0 - 1e-9 {
            Ok(())
        } else {
            Err(CkksError::EncodingOverflow { log_coefficient, log_q })
        }
    }
}
