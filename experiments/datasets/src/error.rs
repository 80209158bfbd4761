//! What can be wrong with a data set on disk.

use std::path::PathBuf;

/// Why a data set could not be loaded. Each variant names the file, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// No folder with data sets is known.
    #[error("no data sets found: {found}; fetch them with `{command}`, then set HENGE_DATA=DIR")]
    NoRoot {
        /// Where was looked and what was there.
        found: String,
        /// The command that fetches them.
        command: &'static str,
    },
    /// A committed model is not where it should be.
    #[error("{} is not there: run from the root of the repository, or name a model with --model", .0.display())]
    NoModel(PathBuf),
    /// Neither the plain nor the gzipped file is there.
    #[error("{} is not there, nor with .gz; fetch it with `{command}`", path.display())]
    Missing {
        /// The plain file's path.
        path: PathBuf,
        /// The command that fetches it.
        command: &'static str,
    },
    /// The file could not be read or decompressed.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system or the decompressor said.
        source: std::io::Error,
    },
    /// The file holds more bytes than any data set needs.
    #[error("{}: holds more than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The bound in bytes.
        limit: u64,
    },
    /// The header ends early.
    #[error("{}: header needs {expected} bytes, found {found}", path.display())]
    ShortHeader {
        /// The file.
        path: PathBuf,
        /// Bytes the header needs.
        expected: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// The magic number is not that of unsigned bytes.
    #[error("{}: magic number {found:#010x}, expected {expected:#010x}", path.display())]
    Magic {
        /// The file.
        path: PathBuf,
        /// The magic number of the expected kind.
        expected: u32,
        /// The magic number in the file.
        found: u32,
    },
    /// The dimensions are not those of the data set.
    #[error("{}: dimensions {found:?}, expected {expected:?}", path.display())]
    Dimensions {
        /// The file.
        path: PathBuf,
        /// Dimensions of the data set.
        expected: Vec<u32>,
        /// Dimensions in the header.
        found: Vec<u32>,
    },
    /// The bytes after the header are not as many as the dimensions say.
    #[error("{}: {found} bytes after the header, dimensions say {expected}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Product of the dimensions.
        expected: u64,
        /// Bytes after the header.
        found: u64,
    },
    /// A label that names no class.
    #[error("{}: label {found} at image {image}, expected below {expected}", path.display())]
    Label {
        /// The file.
        path: PathBuf,
        /// Index of the image.
        image: usize,
        /// Number of classes.
        expected: u8,
        /// The label in the file.
        found: u8,
    },
}
