//! What seeds are used for. The eight letters are part of the wire format (public seeds) or of reproducibility.

use he_ring::sampling::Purpose;

/// The uniform halves of key switching keys; object = digit.
pub const KEY_UNIFORM: Purpose = Purpose::new(*b"ks.unifm");
/// The uniform half of a public key; object 0.
pub const PUBLIC_KEY_UNIFORM: Purpose = Purpose::new(*b"pk.unifm");
/// The uniform halves of symmetric ciphertexts; object = value.
pub const CIPHERTEXT_UNIFORM: Purpose = Purpose::new(*b"ct.unifm");
/// The ternary factor of public-key encryptions; object = value.
pub const ENCRYPTION_TERNARY: Purpose = Purpose::new(*b"pe.trnry");
/// The errors of public-key encryptions; object = 2 value + component.
pub const ENCRYPTION_ERROR: Purpose = Purpose::new(*b"pe.error");
