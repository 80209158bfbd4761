//! The sixteen bytes in front of every saved object.
//!
//! Layout, little-endian: u16 magic 0xA15E, u8 header size 16, u8 major, u8 minor, u8 compression, u16 reserved, u64 size of the
//! whole object, these bytes included, as it stands in the file. What is not that may be a header of SEAL 3.4: u16 magic, u8 zero,
//! u8 compression, u32 size, u64 zero.
//! Source: SEAL 4.1.2, `serialization.h` and `Serialization::LoadHeader`.

use std::fmt;

use crate::FormatError;

const MAGIC: u16 = 0xa15e;

/// The version of SEAL that wrote an object, or is to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 3 or 4.
    pub major: u8,
    /// From 4 on with major 3.
    pub minor: u8,
}

impl Version {
    /// What is stamped on an object unless the caller says otherwise: read by SEAL 4.1 and by 4.4 and later. SEAL 4.0 to 4.3 read of
    /// version 4 only files of exactly their own minor.
    pub const DEFAULT: Version = Version { major: 4, minor: 1 };
    /// The latest whose format this crate knows.
    pub const LATEST: Version = Version { major: 4, minor: 4 };
    /// The earliest.
    pub const EARLIEST: Version = Version { major: 3, minor: 4 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Which versions are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reader {
    /// All whose format is known: 3.4 and later of major 3, 4.0 to 4.4.
    #[default]
    Known,
    /// Those that SEAL 4.`minor` reads: 3.4 and later of major 3, and of major 4 its own minor alone up to 4.3, no later one from
    /// 4.4 on.
    Seal4 {
        /// Its minor version.
        minor: u8,
    },
}

impl Reader {
    /// Whether objects of this version are read.
    pub fn reads(self, version: Version) -> bool {
        match (version.major, self) {
            (3, _) => version.minor >= Version::EARLIEST.minor,
            (4, Reader::Known) => version.minor <= Version::LATEST.minor,
            (4, Reader::Seal4 { minor }) if minor < 4 => version.minor == minor,
            (4, Reader::Seal4 { minor }) => version.minor <= minor,
            _ => false,
        }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reader::Known => write!(f, "3.4 to {}", Version::LATEST),
            Reader::Seal4 { minor } => write!(f, "what SEAL 4.{minor} reads"),
        }
    }
}

/// How the body of an object is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// A zlib stream at level 6.
    Zlib,
    /// A Zstandard frame at level 3; what SEAL does unless told otherwise.
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Compression; 3] = [Compression::None, Compression::Zlib, Compression::Zstd];

    const fn byte(self) -> u8 {
        match self {
            Compression::None => 0,
            Compression::Zlib => 1,
            Compression::Zstd => 2,
        }
    }

    fn from_byte(byte: u8) -> Option<Compression> {
        Compression::ALL.into_iter().find(|compression| compression.byte() == byte)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::None => "none",
            Compression::Zlib => "zlib",
            Compression::Zstd => "zstd",
        })
    }
}

/// What stands in front of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who wrote it.
    pub version: Version,
    /// How its body is compressed.
    pub compression: Compression,
    /// Bytes of the whole object in the file, the header included.
    pub size: u64,
}

impl Header {
    /// Length in bytes.
    pub const LEN: usize = 16;

    /// Reads the header that `bytes` begin with. Nothing tells what kind of object follows.
    ///
    /// # Errors
    /// [`FormatError::Truncated`], [`FormatError::Magic`], [`FormatError::HeaderSize`], [`FormatError::Version`],
    /// [`FormatError::CompressionMode`].
    pub fn read(bytes: &[u8], reader: Reader) -> Result<Header, FormatError> {
        match bytes.first_chunk() {
            Some(bytes) => Header::parse(bytes, reader),
            None => {
                Err(FormatError::Truncated { field: "header", expected: Self::LEN as u64, found: bytes.len() as u64 })
            }
        }
    }

    pub(crate) fn parse(bytes: &[u8; Header::LEN], reader: Reader) -> Result<Header, FormatError> {
        let [m0, m1, length, b3, b4, b5, b6, b7, size @ ..] = *bytes;
        let magic = u16::from_le_bytes([m0, m1]);
        if magic != MAGIC {
            return Err(FormatError::Magic { found: magic });
        }
        // SEAL 3.4 wrote no length of the header and no version.
        if let (0, [0, 0, 0, 0, 0, 0, 0, 0], Some(compression)) = (length, size, Compression::from_byte(b3)) {
            let size = u64::from(u32::from_le_bytes([b4, b5, b6, b7]));
            return Ok(Header { version: Version::EARLIEST, compression, size });
        }
        if usize::from(length) != Self::LEN {
            return Err(FormatError::HeaderSize { found: length });
        }
        let version = Version { major: b3, minor: b4 };
        if !reader.reads(version) {
            return Err(FormatError::Version { found: version, reader });
        }
        let compression = Compression::from_byte(b5).ok_or(FormatError::CompressionMode { found: b5 })?;
        Ok(Header { version, compression, size: u64::from_le_bytes(size) })
    }

    /// The bytes, in the layout of SEAL 3.5 and later.
    pub fn to_bytes(self) -> [u8; Header::LEN] {
        let mut bytes = [0u8; Self::LEN];
        let ([m0, m1], size) = (MAGIC.to_le_bytes(), self.size.to_le_bytes());
        let front = [m0, m1, Self::LEN as u8, self.version.major, self.version.minor, self.compression.byte(), 0, 0];
        bytes.iter_mut().zip(front.into_iter().chain(size)).for_each(|(byte, value)| *byte = value);
        bytes
    }
}
