//! Decrypted messages back to a batch of numbers.

use he_ckks::{CkksError, Encoder, Plaintext};
use rayon::prelude::*;

use crate::Batch;

/// The first `images` slots of every message.
///
/// # Errors
/// [`CkksError::TooManySlots`] for more images than slots; a plaintext of other parameters.
pub fn decode(encoder: &Encoder, plain: &Plaintext, images: usize) -> Result<Batch, CkksError> {
    if images > encoder.slots() {
        return Err(CkksError::TooManySlots { found: images, slots: encoder.slots() });
    }
    let mut batch = Batch::zero(plain.values(), images);
    let row = |(value, row): (usize, &mut [f64])| {
        let numbers = encoder.decode(plain, value)?;
        row.iter_mut().zip(numbers).for_each(|(to, from)| *to = from);
        Ok::<(), CkksError>(())
    };
    batch.values_mut().par_chunks_mut(images.max(1)).enumerate().try_for_each(row)?;
    Ok(batch)
}
