//! Results that tell nothing but their numbers: made fresh under the client's public key, with noise on top.
//!
//! Of results alone: tiles that the client refreshes are sent as computed.
//!
//! Formula: `out + Enc_pk(e)`, e a vector of normal random numbers with a given standard deviation in every slot. The fresh encryption of zero hides how the second
//! component of the result came about (the client knows the second components that it sent, and could solve for the weights); e hides the noise of
//! the computation, which depends on weights and data.
//! Source: circuit privacy by noise flooding, \[Gen09\]; statistical distance about (noise of the computation) / (2 standard deviations) per number.

use std::f64::consts::TAU;
use std::sync::Arc;

use he_ckks::{CiphertextTensor, CkksContext, CkksError, Complex64, Encoder, Evaluator, PublicEncryptor, Seed};
use he_params::RingType;
use he_rlwe::PublicKey;

use crate::ServerError;

/// Makes results fresh for one client.
pub(crate) struct Flooding {
    context: Arc<CkksContext>,
    encryptor: PublicEncryptor,
    std_dev: f64,
}

/// Why results cannot be made fresh.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FloodingError {
    #[error(transparent)]
    Ckks(#[from] CkksError),
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

impl Flooding {
    pub(crate) fn new(context: &Arc<CkksContext>, key: PublicKey, std_dev: f64) -> Result<Self, ServerError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(ServerError::Random)?;
        let encryptor = PublicEncryptor::new(context, key, Seed::new(seed));
        Ok(Self { context: Arc::clone(context), encryptor, std_dev })
    }

    /// Adds a fresh encryption of noise to every ciphertext.
    pub(crate) fn flood(&mut self, x: &mut CiphertextTensor) -> Result<(), FloodingError> {
        let slots = self.context.slots();
        let rows = (0..x.values()).map(|_| normal(slots, self.std_dev)).collect::<Result<Vec<_>, _>>()?;
        let encoder = Encoder::new(&self.context);
        let noise = match self.context.params().shape().ring_type() {
            RingType::Cyclotomic => encoder.encode_complex_tensor(&rows, x.level(), x.scale())?,
            RingType::ConjugateInvariant => {
                let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|z| z.re).collect()).collect();
                encoder.encode_tensor(&rows, x.level(), x.scale())?
            }
        };
        let fresh = self.encryptor.encrypt(&noise)?;
        Ok(Evaluator::new(&self.context).add_assign(x, &fresh)?)
    }
}

/// Normal random numbers, in both parts (Box and Muller).
fn normal(len: usize, std_dev: f64) -> Result<Vec<Complex64>, getrandom::Error> {
    let mut bytes = vec![0u8; 16 * len];
    getrandom::fill(&mut bytes)?;
    let (pairs, _) = bytes.as_chunks::<16>();
    // 53 bits in (0, 1].
    let unit = |word: u64| ((word >> 11) + 1) as f64 / (1u64 << 53) as f64;
    let number = |pair: &[u8; 16]| {
        let both = u128::from_le_bytes(*pair);
        let radius = std_dev * (-2.0 * unit(both as u64).ln()).sqrt();
        let (sin, cos) = (TAU * unit((both >> 64) as u64)).sin_cos();
        Complex64 { re: radius * cos, im: radius * sin }
    };
    Ok(pairs.iter().map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_standard_deviation() {
        let numbers = normal(20_000, 3.0).unwrap();
        let all = || numbers.iter().flat_map(|z| [z.re, z.im]);
        let (mean, square) = (all().sum::<f64>() / 40_000.0, all().map(|x| x * x).sum::<f64>() / 40_000.0);
        assert!(mean.abs() < 0.1, "{mean}");
        assert!((square.sqrt() - 3.0).abs() < 0.08, "{square}");
    }
}
