//! Where objects are written to.

use zeroize::Zeroizing;

use crate::compress::{zlib, zstd};
use crate::object::sealed::Body;
use crate::{Compression, FormatError, Header, Reader, Version};

/// Bytes of an object, its version stamped on each object inside.
pub struct Sink {
    out: Vec<u8>,
    version: Version,
}

impl Sink {
    /// The header of an object of `size` bytes, itself included.
    pub(crate) fn header(&mut self, size: usize) {
        let header = Header { version: self.version, compression: Compression::None, size: size as u64 };
        self.out.extend(header.to_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn u64(&mut self, word: u64) {
        self.bytes(&word.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, number: f64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn words(&mut self, words: &[u64]) {
        if cfg!(target_endian = "little") {
            self.bytes(bytemuck::cast_slice(words));
        } else {
            words.iter().for_each(|word| self.u64(*word));
        }
    }

    /// SEAL's `DynArray`.
    pub(crate) fn array(&mut self, words: &[u64]) {
        self.header(array_len(words.len()));
        self.u64(words.len() as u64);
        self.words(words);
    }
}

/// Bytes of a saved array of `words` words.
pub(crate) const fn array_len(words: usize) -> usize {
    Header::LEN + 8 + 8 * words
}

impl Sink {
    /// A whole object: header and fields, compressed. Fields that were only written to be compressed are wiped.
    pub(crate) fn envelope<B: Body + ?Sized>(
        body: &B,
        compression: Compression,
        version: Version,
    ) -> Result<Vec<u8>, FormatError> {
        let reader = Reader::Known;
        if !reader.reads(version) {
            return Err(FormatError::Version { found: version, reader });
        }
        let length = body.body_len();
        if compression == Compression::None {
            let mut sink = Sink { out: Vec::with_capacity(Header::LEN + length), version };
            sink.header(Header::LEN + length);
            body.write(&mut sink);
            debug_assert_eq!(sink.out.len(), Header::LEN + length);
            return Ok(sink.out);
        }
        let mut sink = Sink { out: Vec::with_capacity(length), version };
        body.write(&mut sink);
        debug_assert_eq!(sink.out.len(), length);
        pack(&Zeroizing::new(sink.out), compression, version)
    }
}

/// A header in front of fields, which are compressed.
pub(crate) fn pack(fields: &[u8], compression: Compression, version: Version) -> Result<Vec<u8>, FormatError> {
    let mut out = vec![0; Header::LEN];
    match compression {
        Compression::None => out.extend_from_slice(fields),
        Compression::Zlib => zlib(fields, &mut out)?,
        Compression::Zstd => zstd(fields, &mut out)?,
    }
    let header = Header { version, compression, size: out.len() as u64 };
    out.iter_mut().zip(header.to_bytes()).for_each(|(out, byte)| *out = byte);
    Ok(out)
}
