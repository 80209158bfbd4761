//! From ciphertexts to numbers, and whether they are a message at all.
//!
//! A message has coefficients below half the modulus, and slots that the model keeps below it: at most Q / (2 scale). A ciphertext under another key, one
//! that was computed with evaluation keys of another secret, or one whose polynomials were changed decrypts to coefficients that are uniform modulo Q:
//! slots of standard deviation sqrt(N / 24) Q / scale in each part. A slot beyond Q / scale is therefore no number of the model. At N = 2^11
//! one uniform slot stays within with probability 0.09, and all 1024 of a ciphertext never; larger degrees are further away.

use he_ckks::{CiphertextTensor, Encoder};
use he_params::Packing;
use he_secret::Decryptor;
use rayon::prelude::*;

use crate::{ClientError, Keys};

/// Decrypts with one key, decodes with one packing.
pub(crate) struct Decoder<'a> {
    keys: &'a Keys,
    encoder: Encoder,
    packing: Packing,
    images: usize,
}

/// What ciphertexts hold.
pub(crate) struct Decoded {
    /// Row after row, one number per image.
    pub(crate) numbers: Vec<f64>,
    /// Slots, those of no image among them, that are no numbers of a message under this key.
    pub(crate) garbled: u64,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(keys: &'a Keys, packing: Packing, images: usize) -> Self {
        Self { keys, encoder: Encoder::new(keys.context()), packing, images }
    }

    pub(crate) fn decode(&self, x: &CiphertextTensor) -> Result<Decoded, ClientError> {
        let context = self.keys.context();
        let plain = Decryptor::new(context, self.keys.secret()).decrypt(x)?;
        let most = context.params().log_q_at(x.level()).min(1000.0).exp2() / x.scale().get();
        // Slots without an image tell as much of the key as the others.
        let slots = context.slots().max(self.images);
        let row = |(value, row): (usize, &mut [f64])| {
            let mut all = vec![0.0; slots];
            self.encoder.decode_packed(&plain, value, self.packing, &mut all)?;
            row.iter_mut().zip(&all).for_each(|(to, from)| *to = *from);
            Ok::<_, ClientError>(all.iter().filter(|x| x.is_nan() || x.abs() > most).count() as u64)
        };
        let mut numbers = vec![0.0; x.values() * self.images];
        let garbled = numbers.par_chunks_mut(self.images.max(1)).enumerate().map(row).sum::<Result<u64, _>>()?;
        Ok(Decoded { numbers, garbled })
    }
}
