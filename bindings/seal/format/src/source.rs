//! Bytes of an object, decompressed as they are asked for: nothing is held but what a field needs.

use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::read::Decoder;

use crate::{Compression, FormatError, Header, Reader, Version};

/// Frames that need more than 2^23 bytes behind them are refused; SEAL's need 2^21. 8 MiB is what \[RFC8878\] recommends that
/// every decoder support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Fields one after the other.
pub(crate) struct Source<'a> {
    kind: Kind<'a>,
    /// Bytes handed out.
    taken: u64,
    reader: Reader,
    /// Length of the input, before decompression.
    input: u64,
}

/// An object inside another one, found by the size in its header.
pub(crate) struct Part<'a> {
    header: Header,
    source: Source<'a>,
}

impl Part<'_> {
    /// Its fields, which have to fill it.
    pub(crate) fn read<T>(
        mut self,
        field: &'static str,
        fields: impl FnOnce(&mut Source, Version) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let value = fields(&mut self.source, self.header.version)?;
        self.source.finish(field, self.header)?;
        Ok(value)
    }
}

enum Kind<'a> {
    Plain(&'a [u8]),
    Zlib { state: Box<Decompress>, rest: &'a [u8], ended: bool },
    Zstd(Box<Decoder<'static, &'a [u8]>>),
}

impl<'a> Source<'a> {
    /// The body of the object that `header` stands in front of; `body` is what follows the header.
    pub(crate) fn new(
        field: &'static str,
        header: Header,
        body: &'a [u8],
        reader: Reader,
    ) -> Result<Self, FormatError> {
        let kind = if header.compression == Compression::None {
            Kind::Plain(body)
        } else {
            let available = (Header::LEN + body.len()) as u64;
            let length = header.size.checked_sub(Header::LEN as u64).ok_or(FormatError::ObjectSize {
                field,
                found: header.size,
                expected: Header::LEN as u64,
            })?;
            let truncated = FormatError::Truncated { field, expected: header.size, found: available };
            let rest = usize::try_from(length).ok().and_then(|length| body.get(..length)).ok_or(truncated)?;
            match header.compression {
                Compression::Zstd => {
                    let failed = |e: std::io::Error| FormatError::Decompression {
                        field,
                        compression: Compression::Zstd,
                        reason: e.to_string(),
                    };
                    let mut decoder = Decoder::with_buffer(rest).map_err(failed)?;
                    decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(failed)?;
                    Kind::Zstd(Box::new(decoder))
                }
                _ => Kind::Zlib { state: Box::new(Decompress::new(true)), rest, ended: false },
            }
        };
        let input = match (&kind, header.compression) {
            (Kind::Plain(body), _) => body.len() as u64,
            _ => header.size,
        };
        Ok(Self { kind, taken: 0, reader, input })
    }

    /// Bytes of input, before decompression.
    pub(crate) fn input(&self) -> u64 {
        self.input
    }

    /// Bytes handed out so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Refuses a field that is longer than what is left, where that is known, before memory is asked for.
    pub(crate) fn expect(&self, field: &'static str, expected: u64) -> Result<(), FormatError> {
        match &self.kind {
            Kind::Plain(rest) if (rest.len() as u64) < expected => {
                Err(FormatError::Truncated { field, expected, found: rest.len() as u64 })
            }
            _ => Ok(()),
        }
    }

    /// Fills all of `out`.
    pub(crate) fn fill(&mut self, field: &'static str, out: &mut [u8]) -> Result<(), FormatError> {
        let expected = out.len() as u64;
        let got = match &mut self.kind {
            Kind::Plain(rest) => match rest.split_at_checked(out.len()) {
                Some((front, back)) => {
                    out.copy_from_slice(front);
                    *rest = back;
                    out.len()
                }
                None => rest.len(),
            },
            Kind::Zlib { state, rest, ended } => inflate(field, state, rest, ended, out)?,
            Kind::Zstd(decoder) => {
                let mut got = 0;
                while let Some(space) = out.get_mut(got..).filter(|space| !space.is_empty()) {
                    match decoder.read(space).map_err(|e| zstd_failed(field, &e))? {
                        0 => break,
                        n => got += n,
                    }
                }
                got
            }
        };
        if (got as u64) < expected {
            return Err(FormatError::Truncated { field, expected, found: got as u64 });
        }
        self.taken += expected;
        Ok(())
    }

    /// The next `L` bytes.
    pub(crate) fn bytes<const L: usize>(&mut self, field: &'static str) -> Result<[u8; L], FormatError> {
        let mut bytes = [0; L];
        self.fill(field, &mut bytes)?;
        Ok(bytes)
    }

    /// The next byte.
    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, FormatError> {
        self.bytes(field).map(u8::from_le_bytes)
    }

    /// The next eight bytes as an integer.
    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, FormatError> {
        self.bytes(field).map(u64::from_le_bytes)
    }

    /// The next eight bytes as a number.
    pub(crate) fn f64(&mut self, field: &'static str) -> Result<f64, FormatError> {
        self.bytes(field).map(f64::from_le_bytes)
    }

    /// Fills all of `out` with the next words.
    pub(crate) fn words(&mut self, field: &'static str, out: &mut [u64]) -> Result<(), FormatError> {
        self.fill(field, bytemuck::cast_slice_mut(out))?;
        if cfg!(target_endian = "big") {
            out.iter_mut().for_each(|word| *word = word.swap_bytes());
        }
        Ok(())
    }

    /// An object inside this one: its own header, its fields, and the size in the header held against them.
    pub(crate) fn nested<T>(
        &mut self,
        field: &'static str,
        fields: impl FnOnce(&mut Self, Version) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let start = self.taken;
        let header = Header::parse(&self.bytes(field)?, self.reader)?;
        if header.compression != Compression::None {
            return Err(FormatError::NestedCompression { field, found: header.compression });
        }
        let value = fields(self, header.version)?;
        check_size(field, header, self.taken - start)?;
        Ok(value)
    }

    /// An object inside this one, to be read on its own while reading goes on behind it; only where bytes need not be decompressed in order.
    pub(crate) fn part(&mut self, field: &'static str) -> Result<Option<Part<'a>>, FormatError> {
        let Kind::Plain(rest) = &mut self.kind else { return Ok(None) };
        let header = Header::read(rest, self.reader)?;
        let truncated = FormatError::Truncated { field, expected: header.size, found: rest.len() as u64 };
        let Some((object, back)) = usize::try_from(header.size).ok().and_then(|size| rest.split_at_checked(size))
        else {
            return Err(truncated);
        };
        let short = FormatError::ObjectSize { field, found: header.size, expected: Header::LEN as u64 };
        let body = object.get(Header::LEN..).ok_or(short)?;
        if header.compression != Compression::None {
            return Err(FormatError::NestedCompression { field, found: header.compression });
        }
        *rest = back;
        self.taken += header.size;
        Ok(Some(Part { header, source: Source::new(field, header, body, self.reader)? }))
    }

    /// The end of the object: a compressed stream has to be over, complete, with nothing left.
    pub(crate) fn finish(mut self, field: &'static str, header: Header) -> Result<(), FormatError> {
        let failed = |reason: String| FormatError::Decompression { field, compression: header.compression, reason };
        let mut more = [0u8; 1];
        let (got, left) = match &mut self.kind {
            Kind::Plain(_) => return check_size(field, header, self.taken + Header::LEN as u64),
            Kind::Zlib { state, rest, ended } => {
                let got = inflate(field, state, rest, ended, &mut more)?;
                if got == 0 && !*ended {
                    return Err(failed(format!("the stream has no end, expected one after {} bytes", self.taken)));
                }
                (got, rest.len())
            }
            Kind::Zstd(decoder) => (decoder.read(&mut more).map_err(|e| zstd_failed(field, &e))?, 0),
        };
        match (got, left) {
            (0, 0) => Ok(()),
            (0, left) => Err(failed(format!("{left} bytes follow its end, expected none"))),
            _ => Err(failed(format!("more bytes than the {} of the object's fields", self.taken))),
        }
    }
}

fn check_size(field: &'static str, header: Header, taken: u64) -> Result<(), FormatError> {
    if header.size != taken {
        return Err(FormatError::ObjectSize { field, found: header.size, expected: taken });
    }
    Ok(())
}

fn zstd_failed(field: &'static str, error: &std::io::Error) -> FormatError {
    FormatError::Decompression { field, compression: Compression::Zstd, reason: error.to_string() }
}

/// Decompresses into `out` until it is full, the stream is over or there is no more input; bytes written.
fn inflate(
    field: &'static str,
    state: &mut Decompress,
    rest: &mut &[u8],
    ended: &mut bool,
    out: &mut [u8],
) -> Result<usize, FormatError> {
    let mut got = 0;
    while let (false, Some(space)) = (*ended, out.get_mut(got..).filter(|space| !space.is_empty())) {
        let (read, written) = (state.total_in(), state.total_out());
        let status = state.decompress(rest, space, FlushDecompress::None).map_err(|e| FormatError::Decompression {
            field,
            compression: Compression::Zlib,
            reason: e.to_string(),
        })?;
        let (read, written) = ((state.total_in() - read) as usize, (state.total_out() - written) as usize);
        *rest = rest.get(read..).unwrap_or_default();
        got += written;
        *ended = status == Status::StreamEnd;
        if read == 0 && written == 0 {
            break;
        }
    }
    Ok(got)
}
