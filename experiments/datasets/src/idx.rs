//! Reads one idx file of unsigned bytes, plain or gzipped, bounded.
//!
//! Layout: big-endian u32 magic (`0x0000_08RR`: type 8 is unsigned byte, RR the number of dimensions), RR big-endian
//! u32 dimensions, then the bytes in row-major order, and nothing after them.
//! A file is gzipped when its name ends in `.gz`. No more than [`MAX_BYTES`] are ever held.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::DatasetError;

/// Bound on a file's bytes after decompression, header included: 64 MiB (the largest real file has 47,040,016).
pub const MAX_BYTES: u64 = 64 << 20;

/// Bound on the number of dimensions.
pub const MAX_RANK: usize = 4;

/// The content of an idx file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    dimensions: Vec<u32>,
    bytes: Vec<u8>,
}

impl Idx {
    /// Reads `path`, which must have exactly `rank` dimensions (1 to [`MAX_RANK`]).
    ///
    /// # Errors
    /// [`DatasetError`]: unreadable, too long, wrong magic number, header or body of another length than stated.
    pub fn read(path: &Path, rank: usize) -> Result<Idx, DatasetError> {
        let failed = |source| DatasetError::Read { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(failed)?;
        let mut content = Vec::new();
        let read = if path.extension().is_some_and(|e| e == "gz") {
            MultiGzDecoder::new(file).take(MAX_BYTES + 1).read_to_end(&mut content)
        } else {
            file.take(MAX_BYTES + 1).read_to_end(&mut content)
        };
        if read.map_err(failed)? as u64 > MAX_BYTES {
            return Err(DatasetError::TooLong { path: path.to_path_buf(), limit: MAX_BYTES });
        }
        Idx::parse(path, &content, rank)
    }

    /// Parses `content`; `path` only names it in errors.
    ///
    /// # Errors
    /// As [`Idx::read`].
    pub fn parse(path: &Path, content: &[u8], rank: usize) -> Result<Idx, DatasetError> {
        debug_assert!((1..=MAX_RANK).contains(&rank));
        let header = 4 * (1 + rank);
        let (Some(head), Some(body)) = (content.get(..header), content.get(header..)) else {
            return Err(DatasetError::ShortHeader { path: path.to_path_buf(), expected: header, found: content.len() });
        };
        let mut words = head.chunks_exact(4).map(|w| w.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)));
        let expected = 0x0800 + rank as u32;
        let found = words.next().unwrap_or_default();
        if found != expected {
            return Err(DatasetError::Magic { path: path.to_path_buf(), expected, found });
        }
        let dimensions: Vec<u32> = words.collect();
        // Several u32 fit in no u64 product; a product beyond u64 is longer than any file.
        let expected =
            dimensions.iter().try_fold(1_u64, |product, d| product.checked_mul(u64::from(*d))).unwrap_or(u64::MAX);
        if body.len() as u64 != expected {
            return Err(DatasetError::Length { path: path.to_path_buf(), expected, found: body.len() as u64 });
        }
        Ok(Idx { dimensions, bytes: body.to_vec() })
    }

    /// The dimensions, outermost first.
    pub fn dimensions(&self) -> &[u32] {
        &self.dimensions
    }

    /// The bytes in row-major order; as many as the product of the dimensions.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests;
