//! What all objects have in common: an envelope around fields.

use crate::sink::Sink;
use crate::source::Source;
use crate::{Compression, Context, FormatError, Header, Reader, Version};

pub(crate) mod sealed {
    use crate::sink::Sink;

    /// The fields of an object, without the header in front of it.
    pub trait Body {
        /// Bytes of the fields.
        fn body_len(&self) -> usize;
        /// Writes exactly as many.
        fn write(&self, sink: &mut Sink);
    }

    /// Only the objects of this crate are read.
    pub trait Sealed {}
}

/// Objects that are read under known parameters.
pub trait Load: Sized + sealed::Sealed {
    /// Reads what SEAL's `save` wrote, from the beginning of `bytes`; also says how many of them it takes. What follows is left alone, as
    /// SEAL does. Every field is checked as SEAL's `load` checks it, every residue is below its prime.
    ///
    /// Memory: that of the object, see the type; nothing is reserved before its length has been checked.
    ///
    /// # Errors
    /// The first field that is wrong, see [`FormatError`].
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError>;

    /// The length of the longest file of such an object, in any mode: nothing longer need be read.
    fn max_len(context: &Context) -> u64;
}

/// The longest file with so many bytes of fields. Neither compressor lets what it cannot compress grow by more: zstd by one byte in 256, zlib by less.
pub(crate) fn longest(fields: usize) -> u64 {
    let length = (Header::LEN as u64).saturating_add(fields as u64);
    length.saturating_add(length / 256).saturating_add(64)
}

/// Objects that anybody may see.
pub trait Save: sealed::Body {
    /// Bytes without compression, exactly.
    fn saved_len(&self) -> usize {
        Header::LEN + self.body_len()
    }

    /// The bytes of SEAL's `save`, stamped as version [`Version::DEFAULT`].
    ///
    /// # Errors
    /// [`FormatError::Compressor`].
    fn save(&self, compression: Compression) -> Result<Vec<u8>, FormatError> {
        self.save_for(compression, Version::DEFAULT.minor)
    }

    /// The same for SEAL 4.`minor`.
    ///
    /// # Errors
    /// [`FormatError::Version`] for a version whose format is not known, [`FormatError::Compressor`].
    fn save_for(&self, compression: Compression, minor: u8) -> Result<Vec<u8>, FormatError> {
        Sink::envelope(self, compression, Version { major: 4, minor })
    }
}

/// Reads the object that `bytes` begin with.
pub(crate) fn load_body<T>(
    field: &'static str,
    bytes: &[u8],
    reader: Reader,
    read: impl FnOnce(&mut Source, Version) -> Result<T, FormatError>,
) -> Result<(T, usize), FormatError> {
    let header = Header::read(bytes, reader)?;
    let mut source = Source::new(field, header, bytes.get(Header::LEN..).unwrap_or_default(), reader)?;
    let value = read(&mut source, header.version)?;
    source.finish(field, header)?;
    // No larger than `bytes`, which held it.
    Ok((value, header.size as usize))
}
