//! What secret seeds are used for. Public seeds and secret ones are derived from a master by different purposes, so that a
//! published seed tells nothing about the errors beside it.

use he_ring::sampling::Purpose;

/// The secret key itself; object 0.
pub(crate) const SECRET_KEY: Purpose = Purpose::new(*b"sk.secrt");
/// Master seed of a key generator to the public seed of one key.
pub(crate) const PUBLIC_SEED_OF_KEY: Purpose = Purpose::new(*b"kg.publc");
/// Master seed of a key generator to the secret seed of one key's errors.
pub(crate) const SECRET_SEED_OF_KEY: Purpose = Purpose::new(*b"kg.secrt");
/// Master seed of an encryptor to the public seed of its ciphertexts.
pub(crate) const PUBLIC_SEED_OF_CIPHERTEXTS: Purpose = Purpose::new(*b"en.publc");
/// Master seed of an encryptor to the secret seed of its errors.
pub(crate) const SECRET_SEED_OF_CIPHERTEXTS: Purpose = Purpose::new(*b"en.secrt");
/// The errors of a key; object = digit.
pub(crate) const KEY_ERROR: Purpose = Purpose::new(*b"ks.error");
/// The errors of symmetric ciphertexts; object = value.
pub(crate) const CIPHERTEXT_ERROR: Purpose = Purpose::new(*b"ct.error");
