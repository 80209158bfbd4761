//! Wire form of the secret key; see [`he_rlwe::wire`] for the envelope.
//!
//! **Whoever reads these bytes reads every message encrypted under the key.** Nothing encrypts them: keep the file where
//! only its owner can read it (mode 0600; the program that writes it sees to that).
//!
//! Body: N coefficients of two bits each, coefficient i at bits `2i` of the little-endian body: 0 for 0, 1 for 1, 3 for -1.
//! 2 is refused, and so is anything in the bits left over when N < 4.

use he_ckks::CkksContext;
use he_rlwe::wire::{Kind, ParamsDigest, Reader, WireError, WireObject, Writer};
use zeroize::Zeroizing;

use crate::{SecretError, SecretKey};

impl SecretKey {
    /// Bytes of its body.
    pub fn body_len(context: &CkksContext) -> u64 {
        context.params().n().div_ceil(4) as u64
    }
}

impl WireObject for SecretKey {
    const KIND: Kind = Kind::SecretKey;
    type Context = CkksContext;

    fn params_digest(context: &CkksContext) -> ParamsDigest {
        ParamsDigest::of(context.params())
    }

    fn write_body(&self, context: &CkksContext, body: &mut Writer) -> Result<(), WireError> {
        if self.expose_coefficients().len() != context.params().n() {
            return Err(WireError::Invalid { field: "secret key", reason: "does not fit the parameters".into() });
        }
        body.reserve(Self::body_len(context) as usize);
        for four in self.expose_coefficients().chunks(4) {
            body.u8(four.iter().rev().fold(0, |byte, s| byte << 2 | (*s as u8 & 3)));
        }
        Ok(())
    }

    fn read_body(context: &CkksContext, body: &mut Reader<'_>) -> Result<Self, WireError> {
        let n = context.params().n();
        let bytes = body.bytes("secret key", n.div_ceil(4))?;
        let field = |i: usize| bytes.get(i / 4).map_or(0, |byte| byte >> (2 * (i % 4)) & 3);
        let mut coefficients = Zeroizing::new(vec![0i8; n]);
        let mut bad = 0u8;
        for (i, s) in coefficients.iter_mut().enumerate() {
            let code = field(i);
            // 0, 1, 3 to 0, 1, -1; 2 is counted, not branched on.
            *s = (code & 1) as i8 - (code & 2) as i8;
            bad |= (code >> 1) & !code & 1;
        }
        bad |= (n..n.div_ceil(4) * 4).fold(0, |bad, i| bad | field(i));
        if bad != 0 {
            return Err(WireError::Invalid { field: "secret key", reason: "not ternary".into() });
        }
        SecretKey::from_coefficients(context, std::mem::take(&mut coefficients)).map_err(|error| match error {
            SecretError::Ring(error) => WireError::Ring(error),
            error => WireError::Invalid { field: "secret key", reason: error.to_string() },
        })
    }
}
