//! What can go wrong: what SEAL throws, in its own words.

/// An exception of SEAL, or of the checks before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SEAL, {operation}: {message}")]
pub struct SealError {
    /// What was asked for: `add`, `load a ciphertext`.
    pub operation: &'static str,
    /// What it has against it.
    pub message: String,
}

impl SealError {
    pub(crate) fn new(operation: &'static str, message: impl Into<String>) -> SealError {
        SealError { operation, message: message.into() }
    }
}

/// Names the operation that threw.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T, SealError>;
}

impl<T> During<T> for Result<T, cxx::Exception> {
    fn during(self, operation: &'static str) -> Result<T, SealError> {
        self.map_err(|thrown| SealError::new(operation, thrown.what()))
    }
}
