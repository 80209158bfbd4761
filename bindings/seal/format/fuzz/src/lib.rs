//! What every target checks: a loader refuses, or reads what it would read again from what it saves.

use std::fmt::Debug;
use std::sync::LazyLock;

use seal_format::{Compression, Context, EncryptionParameters, Load, Outline, Reader, Save};

static PARAMETERS: &[u8] = include_bytes!("../../testdata/parameters.none.seal");

/// The parameters of testdata/.
pub static CONTEXT: LazyLock<Context> = LazyLock::new(|| {
    let (parameters, _) = EncryptionParameters::load(PARAMETERS, Reader::Known).expect("parameters of SEAL");
    Context::new(parameters).expect("a context of SEAL")
});

/// Reads `bytes` as `T`.
pub fn check<T: Load + Save + PartialEq + Debug>(bytes: &[u8]) {
    let Ok((object, taken)) = T::load(bytes, &CONTEXT) else { return };
    assert!(taken <= bytes.len());
    let whole = object.save(Compression::None).expect("memory");
    assert_eq!(whole.len(), object.saved_len());
    assert_eq!(T::load(&whole, &CONTEXT), Ok((object, whole.len())));
}

/// Reads the front of `bytes`, which without parameters says less than a loader does.
pub fn outline(bytes: &[u8]) {
    let Ok((outline, taken)) = Outline::read(bytes, Reader::Known) else { return };
    // Compared as text, for a scale may be no number.
    let again = Outline::read(&bytes[..taken], Reader::Known);
    assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, ()>((outline, taken))));
}
