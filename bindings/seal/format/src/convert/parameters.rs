//! Encryption parameters to a parameter literal and back.
//!
//! Formula: of SEAL's k primes the last is special and the others are q_0..q_{k-2}; a single prime is q_0 and nothing is special.
//! SEAL switches keys with one prime to a digit, draws ternary secrets and centred binomial errors, and knows no default scale.

use he_params::{CkksParams, CkksParamsLiteral, ModulusChain, RequiredSecurity, RingType, SecurityTable};

use super::ConvertError;
use crate::EncryptionParameters;

/// SEAL's `SEAL_USER_MOD_BIT_COUNT_MAX`: contexts refuse longer primes.
const MAX_PRIME_BITS: u32 = 60;

/// The literal of SEAL's parameters, judged by the standard of 2018 as SEAL itself does; unchecked, as every literal.
///
/// `log_scale` is what fresh messages are encoded at. Without it: log2 of q_L, the prime that the first rescale divides by, and half
/// of it where there is no other.
///
/// # Errors
/// [`ConvertError::Degree`].
pub fn literal(
    parms: &EncryptionParameters,
    log_scale: Option<f64>,
    security: RequiredSecurity,
) -> Result<CkksParamsLiteral, ConvertError> {
    let degree = parms.degree();
    let log_n = if degree.is_power_of_two() { degree.trailing_zeros() as u8 } else { 0 };
    if log_n == 0 {
        return Err(ConvertError::Degree { found: degree });
    }
    let (q, p) = match parms.moduli() {
        [q @ .., p] if !q.is_empty() => (q.to_vec(), vec![*p]),
        only => (only.to_vec(), Vec::new()),
    };
    let log_scale = log_scale.unwrap_or_else(|| match q.as_slice() {
        [_, .., last] => (*last as f64).log2(),
        only => only.iter().map(|q| (*q as f64).log2() / 2.0).sum(),
    });
    let (q, p) = (ModulusChain::Primes(q), ModulusChain::Primes(p));
    let table = SecurityTable::HeStandard2018;
    Ok(CkksParamsLiteral { table, security, ..CkksParamsLiteral::new(log_n, q, p, log_scale) })
}

/// SEAL's parameters with the same ring and primes.
///
/// # Errors
/// What SEAL has no parameters for: [`ConvertError::RingType`], [`ConvertError::SpecialPrimes`], [`ConvertError::PrimesPerDigit`],
/// [`ConvertError::PrimeTooLong`].
pub fn encryption_parameters(params: &CkksParams) -> Result<EncryptionParameters, ConvertError> {
    if params.shape().ring_type() != RingType::Cyclotomic {
        return Err(ConvertError::RingType(params.shape().ring_type()));
    }
    let (q, p) = (params.q(), params.p());
    match (q.len(), p.len()) {
        (_, 1) | (1, 0) => {}
        (ciphertext, special) => return Err(ConvertError::SpecialPrimes { ciphertext, special }),
    }
    if !p.is_empty() && params.primes_per_digit() != 1 {
        return Err(ConvertError::PrimesPerDigit { found: params.primes_per_digit() });
    }
    let primes: Vec<u64> = q.iter().chain(p).copied().collect();
    if let Some(found) = primes.iter().find(|prime| **prime >> MAX_PRIME_BITS != 0) {
        return Err(ConvertError::PrimeTooLong { found: *found, max_bits: MAX_PRIME_BITS });
    }
    Ok(EncryptionParameters::new(params.n() as u64, primes)?)
}
