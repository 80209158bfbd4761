//! Microsoft SEAL, where this build has it: Bazel links it (feature `seal`), cargo does not.

#[cfg(feature = "seal")]
#[expect(unsafe_code, reason = "what the cxx bridge generates; nothing else stands in that file")]
mod bridge;
#[cfg(feature = "seal")]
mod matrix;
#[cfg(feature = "seal")]
mod network;
#[cfg(feature = "seal")]
mod scheme;

#[cfg(feature = "seal")]
pub(crate) use matrix::Matrix;
#[cfg(feature = "seal")]
pub(crate) use network::{Network, Step, Way};
#[cfg(feature = "seal")]
pub(crate) use scheme::Scheme;

/// Version and build of the library, or that there is none.
pub(crate) fn describe() -> Option<String> {
    #[cfg(feature = "seal")]
    return Some(bridge::describe());
    #[cfg(not(feature = "seal"))]
    None
}

/// Processor time of the calling thread, where this build can ask for it.
pub(crate) fn thread_time() -> Option<std::time::Duration> {
    #[cfg(feature = "seal")]
    return Some(std::time::Duration::from_secs_f64(bridge::thread_seconds()));
    #[cfg(not(feature = "seal"))]
    None
}

/// Processor time of all threads together, in microseconds, where this build can ask for it.
pub(crate) fn process_microseconds() -> Option<f64> {
    #[cfg(feature = "seal")]
    return Some(1e6 * bridge::process_seconds());
    #[cfg(not(feature = "seal"))]
    None
}
