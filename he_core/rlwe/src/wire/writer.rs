//! Builds the bytes of one object.

use std::io::Write;
use std::mem;

use he_params::{CkksParams, GaloisElement, Level, Scale};
use he_ring::sampling::Seed;
use zeroize::Zeroize;

use super::envelope::{CHECKSUM_LEN, HEADER_LEN, Header, checksum};
use super::{Kind, ParamsDigest, WireError};

/// The bytes of one object in the making; what a kind that is secret leaves behind in memory is wiped.
///
/// Every method appends one field; [`super::Reader`] has a method of the same name.
pub struct Writer {
    kind: Kind,
    params: ParamsDigest,
    /// Room for the header, then the body.
    bytes: Vec<u8>,
}

impl Writer {
    /// An object with an empty body, made under `params`.
    pub fn new(kind: Kind, params: &CkksParams) -> Self {
        Self::with_digest(kind, ParamsDigest::of(params))
    }

    /// As [`Writer::new`], for a digest that is known already.
    pub fn with_digest(kind: Kind, params: ParamsDigest) -> Self {
        Self { kind, params, bytes: vec![0; HEADER_LEN] }
    }

    /// Bytes of body so far.
    pub fn body_len(&self) -> u64 {
        self.bytes.len().saturating_sub(HEADER_LEN) as u64
    }

    /// Makes room for `len` further bytes at once.
    pub fn reserve(&mut self, len: usize) {
        if self.bytes.capacity() - self.bytes.len() >= len {
            return;
        }
        if !self.kind.is_secret() {
            self.bytes.reserve(len);
            return;
        }
        let mut larger = Vec::with_capacity(2 * (self.bytes.len() + len));
        larger.extend_from_slice(&self.bytes);
        mem::replace(&mut self.bytes, larger).zeroize();
    }

    /// Appends `len` zeros, to be written.
    pub(super) fn extend(&mut self, len: usize) -> &mut [u8] {
        self.reserve(len);
        let start = self.bytes.len();
        self.bytes.resize(start + len, 0);
        self.bytes.get_mut(start..).unwrap_or_default()
    }

    /// Bytes as they are; the reader must know how many.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// A count as a u32.
    ///
    /// # Errors
    /// [`WireError::OutOfRange`] for a count that does not fit.
    pub fn count(&mut self, field: &'static str, count: usize) -> Result<(), WireError> {
        let max = u64::from(u32::MAX);
        let fits = u32::try_from(count).map_err(|_| WireError::OutOfRange { field, found: count as u64, min: 0, max });
        self.u32(fits?);
        Ok(())
    }

    /// A level as a u8.
    pub fn level(&mut self, level: Level) {
        self.u8(level.get());
    }

    /// A scale as the eight bytes of its IEEE 754 double.
    pub fn scale(&mut self, scale: Scale) {
        self.u64(scale.get().to_bits());
    }

    /// A Galois element as a u32.
    pub fn galois_element(&mut self, element: GaloisElement) {
        self.u32(element.get());
    }

    /// The 32 bytes of a seed.
    pub fn seed(&mut self, seed: &Seed) {
        self.bytes(seed.expose_bytes());
    }

    /// Text of at most `max` bytes: its length as a u16, then UTF-8.
    ///
    /// # Errors
    /// [`WireError::TooLong`].
    pub fn text(&mut self, field: &'static str, text: &str, max: u16) -> Result<(), WireError> {
        let too_long = || WireError::TooLong { field, found: text.len() as u64, max: u64::from(max) };
        let len = u16::try_from(text.len()).ok().filter(|len| *len <= max).ok_or_else(too_long)?;
        self.u16(len);
        self.bytes(text.as_bytes());
        Ok(())
    }

    /// The whole object. Of a secret kind: wiping it is now up to the caller.
    pub fn finish(mut self) -> Vec<u8> {
        let header = Header { kind: self.kind, params: self.params, body_len: self.body_len() }.to_bytes();
        self.reserve(CHECKSUM_LEN);
        if let Some((head, body)) = self.bytes.split_at_mut_checked(HEADER_LEN) {
            head.copy_from_slice(&header);
            let sum = checksum(head, body);
            self.bytes.extend_from_slice(&sum);
        }
        mem::take(&mut self.bytes)
    }

    /// The body alone. Of a secret kind: wiping it is now up to the caller.
    pub fn into_body(mut self) -> Vec<u8> {
        self.bytes.drain(..HEADER_LEN);
        mem::take(&mut self.bytes)
    }

    /// Writes the whole object; memory of a secret kind is wiped.
    ///
    /// # Errors
    /// [`WireError::Io`].
    pub fn write_to(self, output: &mut (impl Write + ?Sized)) -> Result<(), WireError> {
        let secret = self.kind.is_secret();
        let mut bytes = self.finish();
        let written = output.write_all(&bytes);
        if secret {
            bytes.zeroize();
        }
        Ok(written?)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.kind.is_secret() {
            self.bytes.zeroize();
        }
    }
}

impl std::fmt::Debug for Writer {
    /// Sizes only: the body may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("kind", &self.kind).field("body_len", &self.body_len()).finish_non_exhaustive()
    }
}
