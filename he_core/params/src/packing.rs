//! How images lie in ciphertexts.

/// How images lie in the slots of a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Packing {
    /// Image i of the batch in slot i, one ciphertext per tensor element.
    #[default]
    Batch,
    /// Image i in the real part of slot i, image i + N/2 in the imaginary part, which is negated in odd slots: N images in N/2 slots.
    ///
    /// With the signs, `1 + X^(N/2)` is one in both parts of every slot (slot j is the value at `zeta^(3^j)`), so a bias is that
    /// polynomial times a number. Holds where no ciphertext is multiplied by a ciphertext.
    Complex,
}

impl Packing {
    /// Images that a ciphertext of so many slots holds.
    pub fn images(self, slots: usize) -> usize {
        match self {
            Packing::Batch => slots,
            Packing::Complex => 2 * slots,
        }
    }
}
