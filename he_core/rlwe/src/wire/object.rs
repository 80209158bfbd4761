//! What has a wire form: two methods to write, four to use.

use std::io::{Read, Write};

use super::{Envelope, Kind, ParamsDigest, Reader, WireError, Writer};

/// An object with a wire form of its own. The implementor says what stands in the body; envelope, checksum, parameters and
/// trailing bytes are checked here.
pub trait WireObject: Sized {
    /// The number in the header.
    const KIND: Kind;

    /// What an object is written and checked against: parameters, ring, bounds.
    type Context: ?Sized;

    /// Digest of the parameters of a context.
    fn params_digest(context: &Self::Context) -> ParamsDigest;

    /// Writes the body.
    ///
    /// # Errors
    /// For an object that does not belong to the context.
    fn write_body(&self, context: &Self::Context, body: &mut Writer) -> Result<(), WireError>;

    /// Reads the body and checks everything in it; bytes that remain are refused by the caller.
    ///
    /// # Errors
    /// For anything but the body of an object of this context.
    fn read_body(context: &Self::Context, body: &mut Reader<'_>) -> Result<Self, WireError>;

    /// The whole object in memory.
    ///
    /// # Errors
    /// As [`WireObject::write_body`].
    fn to_bytes(&self, context: &Self::Context) -> Result<Vec<u8>, WireError> {
        Ok(written(self, context)?.finish())
    }

    /// The body alone, for a channel that keeps bytes whole and knows the parameters.
    ///
    /// # Errors
    /// As [`WireObject::write_body`].
    fn to_body(&self, context: &Self::Context) -> Result<Vec<u8>, WireError> {
        Ok(written(self, context)?.into_body())
    }

    /// The object whose body is all of `bytes`.
    ///
    /// # Errors
    /// As [`WireObject::read_body`]; [`WireError::TrailingBytes`].
    fn from_body(context: &Self::Context, bytes: &[u8]) -> Result<Self, WireError> {
        finished(context, Reader::new(bytes))
    }

    /// Writes the object.
    ///
    /// # Errors
    /// As [`WireObject::write_body`]; [`WireError::Io`].
    fn write_to(&self, context: &Self::Context, output: &mut (impl Write + ?Sized)) -> Result<(), WireError> {
        written(self, context)?.write_to(output)
    }

    /// The object that is all of `bytes`.
    ///
    /// # Errors
    /// As [`Reader::open`] and [`WireObject::read_body`]; [`WireError::TrailingBytes`].
    fn from_bytes(context: &Self::Context, bytes: &[u8]) -> Result<Self, WireError> {
        let body = Reader::open(bytes, Self::KIND, &Self::params_digest(context))?;
        finished(context, body)
    }

    /// Reads one object of at most `max_body` bytes of body and leaves what follows unread.
    ///
    /// # Errors
    /// As [`Envelope::read_from`] and [`WireObject::read_body`]; [`WireError::TrailingBytes`].
    fn read_from(context: &Self::Context, input: &mut (impl Read + ?Sized), max_body: u64) -> Result<Self, WireError> {
        let envelope = Envelope::read_from(input, Self::KIND, &Self::params_digest(context), max_body)?;
        finished(context, envelope.reader())
    }
}

fn written<T: WireObject>(object: &T, context: &T::Context) -> Result<Writer, WireError> {
    let mut writer = Writer::with_digest(T::KIND, T::params_digest(context));
    object.write_body(context, &mut writer)?;
    Ok(writer)
}

fn finished<T: WireObject>(context: &T::Context, mut body: Reader<'_>) -> Result<T, WireError> {
    let object = T::read_body(context, &mut body)?;
    body.finish()?;
    Ok(object)
}
