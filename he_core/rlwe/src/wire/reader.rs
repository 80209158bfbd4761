//! Takes the body of one object apart.

use std::ops::RangeInclusive;

use he_params::{CkksParams, GaloisElement, Level, RingShape, Scale};
use he_ring::sampling::Seed;

use super::{Kind, ParamsDigest, WireError, envelope};

/// What is left of a body.
///
/// Every method takes one field off the front, by the name that an error will show; [`super::Writer`] has a method of the
/// same name. No method allocates more than the bytes that are there can fill, and none panics.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Opens a whole object that is in memory.
    ///
    /// # Errors
    /// As [`super::Header::parse`], then in this order [`WireError::Kind`], [`WireError::OtherParams`],
    /// [`WireError::TrailingBytes`], [`WireError::Truncated`], [`WireError::Checksum`].
    pub fn open(bytes: &'a [u8], kind: Kind, params: &ParamsDigest) -> Result<Self, WireError> {
        let header = super::Header::parse(bytes)?;
        header.expect_kind(kind)?;
        header.expect_params(params)?;
        Ok(Self::new(envelope::open(bytes)?.1))
    }

    /// A reader of bare bytes, without an envelope.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes left.
    pub fn remaining(&self) -> u64 {
        self.rest.len() as u64
    }

    /// Refuses bytes that are left: to be called at the end.
    ///
    /// # Errors
    /// [`WireError::TrailingBytes`].
    pub fn finish(self) -> Result<(), WireError> {
        match self.remaining() {
            0 => Ok(()),
            found => Err(WireError::TrailingBytes { field: "body", found }),
        }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`], as every method.
    pub fn bytes(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], WireError> {
        let truncated = WireError::Truncated { field, needed: len as u64, found: self.remaining() };
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(truncated)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Refuses when fewer than `len` bytes are left: to be called before memory is taken for them.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn expect(&self, field: &'static str, len: u64) -> Result<(), WireError> {
        let found = self.remaining();
        if len <= found { Ok(()) } else { Err(WireError::Truncated { field, needed: len, found }) }
    }

    /// The next `LEN` bytes.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn array<const LEN: usize>(&mut self, field: &'static str) -> Result<[u8; LEN], WireError> {
        let truncated = WireError::Truncated { field, needed: LEN as u64, found: self.remaining() };
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(truncated)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(u8::from_le_bytes(self.array(field)?))
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        Ok(u16::from_le_bytes(self.array(field)?))
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        Ok(u64::from_le_bytes(self.array(field)?))
    }

    /// A count within `legal`. It promises nothing about the bytes that follow: before taking memory for so many items,
    /// call [`Reader::expect`].
    ///
    /// # Errors
    /// [`WireError::OutOfRange`], [`WireError::Truncated`].
    pub fn count(&mut self, field: &'static str, legal: RangeInclusive<usize>) -> Result<usize, WireError> {
        let found = self.u32(field)?;
        let count = usize::try_from(found).ok().filter(|count| legal.contains(count));
        let (min, max) = (*legal.start() as u64, *legal.end() as u64);
        count.ok_or(WireError::OutOfRange { field, found: u64::from(found), min, max })
    }

    /// A level that `params` have.
    ///
    /// # Errors
    /// [`WireError::OutOfRange`], [`WireError::Truncated`].
    pub fn level(&mut self, field: &'static str, params: &CkksParams) -> Result<Level, WireError> {
        let (found, max) = (self.u8(field)?, params.max_level().get());
        if found > max {
            return Err(WireError::OutOfRange { field, found: u64::from(found), min: 0, max: u64::from(max) });
        }
        Ok(Level::new(found))
    }

    /// A scale, finite and positive.
    ///
    /// # Errors
    /// [`WireError::Scale`], [`WireError::Truncated`].
    pub fn scale(&mut self, field: &'static str) -> Result<Scale, WireError> {
        let found = f64::from_bits(self.u64(field)?);
        Scale::new(found).map_err(|_| WireError::Scale { field, found })
    }

    /// A Galois element: odd and below 2N.
    ///
    /// # Errors
    /// [`WireError::Params`], [`WireError::Truncated`].
    pub fn galois_element(&mut self, field: &'static str, shape: RingShape) -> Result<GaloisElement, WireError> {
        Ok(GaloisElement::new(self.u32(field)?, shape)?)
    }

    /// The 32 bytes of a seed.
    ///
    /// # Errors
    /// [`WireError::Truncated`].
    pub fn seed(&mut self, field: &'static str) -> Result<Seed, WireError> {
        Ok(Seed::new(self.array(field)?))
    }

    /// Text of at most `max` bytes, borrowed from the body.
    ///
    /// # Errors
    /// [`WireError::TooLong`], [`WireError::Utf8`], [`WireError::Truncated`].
    pub fn text(&mut self, field: &'static str, max: u16) -> Result<&'a str, WireError> {
        let len = self.u16(field)?;
        if len > max {
            return Err(WireError::TooLong { field, found: u64::from(len), max: u64::from(max) });
        }
        let bytes = self.bytes(field, usize::from(len))?;
        str::from_utf8(bytes).map_err(|error| WireError::Utf8 { field, valid: error.valid_up_to() as u64 })
    }
}

impl std::fmt::Debug for Reader<'_> {
    /// Sizes only: the body may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}
