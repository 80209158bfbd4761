//! Header and checksum around a body, and objects read whole from a stream.

use std::io::{self, Read};

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use super::{Kind, ParamsDigest, Reader, WireError};

/// The first bytes of every object.
pub const MAGIC: [u8; 4] = *b"HNGE";
/// The version written, and the only one read.
pub const VERSION: u16 = 1;
/// Bytes before the body.
pub const HEADER_LEN: usize = 56;
/// Bytes after the body.
pub const CHECKSUM_LEN: usize = 32;

/// Bytes of the body to one leaf of the checksum: part of the format.
const CHUNK: usize = 1 << 20;

/// What stands before the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the object is.
    pub kind: Kind,
    /// The parameters it was made under.
    pub params: ParamsDigest,
    /// Bytes of the body.
    pub body_len: u64,
}

impl Header {
    /// Reads the header at the beginning of `bytes`: enough to say what a file is.
    ///
    /// # Errors
    /// [`WireError::Truncated`], [`WireError::Magic`], [`WireError::Version`], [`WireError::UnknownKind`],
    /// [`WireError::Flags`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let mut fields = Reader::new(bytes);
        if bytes.len() < HEADER_LEN {
            fields.bytes("header", HEADER_LEN)?;
        }
        let found = fields.array("magic")?;
        if found != MAGIC {
            return Err(WireError::Magic { found, expected: MAGIC });
        }
        let version = fields.u16("version")?;
        if version != VERSION {
            return Err(WireError::Version { found: version, expected: VERSION });
        }
        let kind = Kind::try_from(fields.u16("kind")?)?;
        let flags = fields.u64("flags")?;
        if flags != 0 {
            return Err(WireError::Flags { found: flags });
        }
        let params = ParamsDigest::from_bytes(fields.array("parameter digest")?);
        Ok(Self { kind, params, body_len: fields.u64("body length")? })
    }

    /// The bytes [`Header::parse`] reads.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let fields: [&[u8]; 6] = [
            &MAGIC,
            &VERSION.to_le_bytes(),
            &self.kind.number().to_le_bytes(),
            &0u64.to_le_bytes(),
            self.params.as_bytes(),
            &self.body_len.to_le_bytes(),
        ];
        let fields = fields.into_iter().flatten();
        bytes.iter_mut().zip(fields).for_each(|(byte, field)| *byte = *field);
        bytes
    }

    pub(super) fn expect_kind(&self, expected: Kind) -> Result<(), WireError> {
        let found = self.kind;
        if found == expected { Ok(()) } else { Err(WireError::Kind { found, expected }) }
    }

    pub(super) fn expect_params(&self, expected: &ParamsDigest) -> Result<(), WireError> {
        let (found, expected) = (self.params, *expected);
        if found == expected { Ok(()) } else { Err(WireError::OtherParams { found, expected }) }
    }
}

/// SHA-256 of the header and of the SHA-256 of every chunk of the body; chunks in parallel.
pub(super) fn checksum(header: &[u8], body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let leaves: Vec<[u8; CHECKSUM_LEN]> = body.par_chunks(CHUNK).map(|chunk| Sha256::digest(chunk).into()).collect();
    let mut root = Sha256::new();
    root.update(header);
    leaves.iter().for_each(|leaf| root.update(leaf));
    root.finalize().into()
}

/// Splits a whole object into header and body after every check but those of kind and parameters.
pub(super) fn open(bytes: &[u8]) -> Result<(Header, &[u8]), WireError> {
    let header = Header::parse(bytes)?;
    let mut fields = Reader::new(bytes);
    let head = fields.bytes("header", HEADER_LEN)?;
    let left = fields.remaining();
    let needed = header.body_len.saturating_add(CHECKSUM_LEN as u64);
    if left > needed {
        return Err(WireError::TrailingBytes { field: "object", found: left - needed });
    }
    let len = usize::try_from(header.body_len).unwrap_or(usize::MAX);
    let body = fields.bytes("body", len)?;
    if fields.array("checksum")? != checksum(head, body) {
        return Err(WireError::Checksum);
    }
    Ok((header, body))
}

/// A whole object in memory, its checksum verified; wiped on drop when its kind is secret.
#[derive(Debug)]
pub struct Envelope {
    header: Header,
    body: Body,
}

/// Keeps the body out of `Debug`.
struct Body(Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl Envelope {
    /// Reads exactly one object of at most `max_body` bytes of body and leaves what follows unread.
    ///
    /// Memory grows with the bytes that arrive, never with a length that is merely announced.
    ///
    /// # Errors
    /// As [`Header::parse`], then in this order [`WireError::Kind`], [`WireError::OtherParams`], [`WireError::TooLong`],
    /// [`WireError::Truncated`], [`WireError::Checksum`]; [`WireError::Io`].
    pub fn read_from(
        input: &mut (impl Read + ?Sized),
        kind: Kind,
        params: &ParamsDigest,
        max_body: u64,
    ) -> Result<Self, WireError> {
        Self::read_checked(input, max_body, |header| {
            header.expect_kind(kind)?;
            header.expect_params(params)
        })
    }

    pub(super) fn read_checked(
        input: &mut (impl Read + ?Sized),
        max_body: u64,
        check: impl FnOnce(&Header) -> Result<(), WireError>,
    ) -> Result<Self, WireError> {
        let head = read_piece(input, "header", HEADER_LEN as u64, HEADER_LEN)?;
        let header = Header::parse(&head)?;
        check(&header)?;
        let len = header.body_len;
        if len > max_body {
            return Err(WireError::TooLong { field: "body", found: len, max: max_body });
        }
        // A vector that holds a secret must not grow: growing leaves a copy behind.
        let at_once = if header.kind.is_secret() { len } else { len.min(CHUNK as u64) };
        let body = read_piece(input, "body", len, usize::try_from(at_once).unwrap_or(usize::MAX))?;
        let envelope = Self { header, body: Body(body) };
        if read_piece(input, "checksum", CHECKSUM_LEN as u64, CHECKSUM_LEN)? != checksum(&head, &envelope.body.0) {
            return Err(WireError::Checksum);
        }
        Ok(envelope)
    }

    /// What stands before the body.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A reader at the beginning of the body.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&self.body.0)
    }
}

impl Drop for Envelope {
    fn drop(&mut self) {
        if self.header.kind.is_secret() {
            self.body.0.zeroize();
        }
    }
}

/// Refuses anything that still follows in `input`: for a file that holds one object.
///
/// # Errors
/// [`WireError::TrailingBytes`], [`WireError::Io`].
pub fn expect_end_of_stream(input: &mut (impl Read + ?Sized)) -> Result<(), WireError> {
    match read_up_to(input, 1, 1)?.len() as u64 {
        0 => Ok(()),
        found => Err(WireError::TrailingBytes { field: "object", found }),
    }
}

fn read_piece(
    input: &mut (impl Read + ?Sized),
    field: &'static str,
    needed: u64,
    at_once: usize,
) -> Result<Vec<u8>, WireError> {
    let bytes = read_up_to(input, needed, at_once)?;
    let found = bytes.len() as u64;
    if found == needed { Ok(bytes) } else { Err(WireError::Truncated { field, needed, found }) }
}

/// At most `len` bytes, in a vector that begins with room for `at_once`.
fn read_up_to(input: &mut (impl Read + ?Sized), len: u64, at_once: usize) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(at_once).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    input.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}
