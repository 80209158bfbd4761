//! SEAL's two compressors: the same C libraries with the same settings, so the bytes are SEAL's as well.
//!
//! Nor do these libraries take what SEAL's refuse: a zlib in another language may, of streams that no zlib writes.

use std::io::Write;

use flate2::write::ZlibEncoder;
use zstd::zstd_safe::{CCtx, InBuffer, OutBuffer, get_error_name, zstd_sys::ZSTD_EndDirective};

use crate::{Compression, FormatError};

/// Appends the zlib stream of `bytes`.
pub(crate) fn zlib(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
    let failed = |e: std::io::Error| FormatError::Compressor { compression: Compression::Zlib, reason: e.to_string() };
    let mut encoder = ZlibEncoder::new(out, flate2::Compression::default());
    encoder.write_all(bytes).map_err(failed)?;
    encoder.finish().map_err(failed)?;
    Ok(())
}

/// SEAL's `buffer_size` of `util/ztools.cpp`.
const BUFFER: usize = 256 * 1024;

/// Appends the Zstandard frame of `bytes`.
///
/// libzstd finds other matches when it has more room for its output, so the rooms are those that SEAL gives it.
pub(crate) fn zstd(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
    let failed = |code| FormatError::Compressor { compression: Compression::Zstd, reason: get_error_name(code).into() };
    let mut context = CCtx::create();
    let mut input = InBuffer::around(bytes);
    let mut rooms = Rooms::default();
    let mut room = BUFFER;
    loop {
        let start = out.len();
        out.resize(start + room, 0);
        let mut output = OutBuffer::around(out.get_mut(start..).unwrap_or_default());
        let pending =
            context.compress_stream2(&mut output, &mut input, ZSTD_EndDirective::ZSTD_e_end).map_err(failed)?;
        let written = output.pos();
        out.truncate(start + written);
        room -= written;
        rooms.wrote(written);
        if pending == 0 {
            return Ok(());
        }
        if room == 0 {
            room = rooms.next(input.pos());
        }
    }
}

/// The sizes of output rooms that SEAL offers: a buffer beside the input, which replaces the part of the input that has been read once
/// it fits there, and what of that part is free.
#[derive(Default)]
struct Rooms {
    /// Bytes that stand in front of the input already.
    settled: usize,
    /// Bytes in the buffer beside it.
    beside: usize,
    /// Whether output goes in front of the input.
    in_front: bool,
}

impl Rooms {
    fn wrote(&mut self, bytes: usize) {
        if self.in_front {
            self.settled += bytes;
        } else {
            self.beside += bytes;
        }
    }

    /// The size of the next room, after `read` bytes of input.
    fn next(&mut self, read: usize) -> usize {
        loop {
            let room = if self.in_front {
                self.in_front = false;
                BUFFER
            } else if read >= self.settled + self.beside {
                self.settled += self.beside;
                self.beside = 0;
                self.in_front = true;
                read - self.settled
            } else {
                BUFFER
            };
            if room > 0 {
                return room;
            }
        }
    }
}
