//! What an object looks like to somebody who does not have its parameters.
//!
//! Formula: nothing in a file says what kind of object it is, but the array inside stands elsewhere in each: 48 bytes into a plaintext, 73 into
//! a ciphertext (65 before SEAL 4.0), after the counts of a set of keys; parameters begin with their scheme.

use crate::source::Source;
use crate::{EncryptionParameters, FormatError, Header, ParmsId, Reader};

/// Bytes that tell the kinds apart: a ciphertext as far as the length of its array.
const HEAD: usize = 32 + 1 + 4 * 8 + 8 + Header::LEN + 8;
/// SEAL's greatest ring degree: a set of keys has no more places.
const MAX_PLACES: u64 = 131_072;
/// More primes than SEAL has, so more components than a key has.
const MAX_COMPONENTS: u64 = 256;
/// How many bytes of keys one compressed byte can stand for: residues are uniform, no prime has less than two bits, and a residue takes eight bytes.
const MAX_EXPANSION: u64 = 32;

/// Bytes that are passed over at once.
const PASSED: usize = 48 << 10;

/// The fields at the front of an object. None of them has been held against parameters.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outline {
    /// Parameters, read whole.
    Parameters(EncryptionParameters),
    /// A plaintext, or a secret key.
    Plaintext {
        /// The name of its level.
        parms_id: ParmsId,
        /// N for each of its primes.
        coeff_count: u64,
        /// What the message was multiplied by; 1 for a secret key.
        scale: f64,
    },
    /// A ciphertext, or a public key.
    Ciphertext {
        /// The name of its level.
        parms_id: ParmsId,
        /// Whether its words are evaluations.
        is_ntt_form: bool,
        /// Polynomials.
        size: u64,
        /// Ring degree N.
        degree: u64,
        /// Primes of its level.
        primes: u64,
        /// What the message was multiplied by; 1 for a public key.
        scale: f64,
        /// Whether the second polynomial is a seed.
        seeded: bool,
    },
    /// Relinearization keys, which have few places, or Galois keys, which have N.
    Keys {
        /// The name of the key level.
        parms_id: ParmsId,
        /// Places for keys.
        places: u64,
        /// The places that hold one.
        taken: Vec<u32>,
        /// Components of each key, the most there are.
        components: u64,
    },
}

impl Outline {
    /// Reads the front of the object that `bytes` begin with; also says how many of them it takes.
    ///
    /// Memory: 64 KiB and, of keys, eight bytes for each place that holds one. Of compressed keys no more is decompressed than 32 times their
    /// bytes, which uniform residues do not exceed, and 1 MiB for empty places.
    ///
    /// # Errors
    /// As [`Header::read`] for what is no object of SEAL; [`FormatError::Range`], [`FormatError::Truncated`], [`FormatError::Inflated`] for one that is
    /// none of these kinds.
    pub fn read(bytes: &[u8], reader: Reader) -> Result<(Outline, usize), FormatError> {
        let header = Header::read(bytes, reader)?;
        let found = (bytes.len() as u64, header.size);
        let length = usize::try_from(header.size).ok().filter(|length| (Header::LEN..=bytes.len()).contains(length));
        let length = length.ok_or(FormatError::Truncated { field: "object", expected: found.1, found: found.0 })?;
        if let Ok((parameters, length)) = EncryptionParameters::load(bytes, reader) {
            return Ok((Outline::Parameters(parameters), length));
        }
        let body = bytes.get(Header::LEN..length).unwrap_or_default();
        let source = || Source::new("object", header, body, reader);
        let head = Head::read(source()?, header);
        let outline = head.plaintext(reader).or_else(|| head.ciphertext(reader));
        Ok((outline.map_or_else(|| keys(source()?, reader), Ok)?, length))
    }
}

/// The first bytes of the fields, as many as there are.
struct Head {
    bytes: Vec<u8>,
    header: Header,
}

impl Head {
    fn read(mut source: Source, header: Header) -> Head {
        let bytes = (0..HEAD).map_while(|_| source.u8("object").ok()).collect();
        Head { bytes, header }
    }

    fn word(&self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    fn parms_id(&self) -> Option<ParmsId> {
        Some(ParmsId::from_words([self.word(0)?, self.word(8)?, self.word(16)?, self.word(24)?]))
    }

    /// Whether an array begins there; its length in words.
    fn array(&self, at: usize, reader: Reader) -> Option<u64> {
        Header::read(self.bytes.get(at..)?, reader).ok()?;
        self.word(at + Header::LEN)
    }

    fn plaintext(&self, reader: Reader) -> Option<Outline> {
        let (coeff_count, scale) = (self.word(32)?, f64::from_bits(self.word(40)?));
        let outline = Outline::Plaintext { parms_id: self.parms_id()?, coeff_count, scale };
        (self.array(48, reader)? == coeff_count).then_some(outline)
    }

    fn ciphertext(&self, reader: Reader) -> Option<Outline> {
        let factor = if self.header.version.major == 4 { 8 } else { 0 };
        let stored = self.array(65 + factor, reader)?;
        let (size, degree, primes) = (self.word(33)?, self.word(41)?, self.word(49)?);
        let polynomial = degree.checked_mul(primes)?;
        Some(Outline::Ciphertext {
            parms_id: self.parms_id()?,
            is_ntt_form: *self.bytes.get(32)? == 1,
            size,
            degree,
            primes,
            scale: f64::from_bits(self.word(57)?),
            seeded: size == 2 && stored == polynomial,
        })
    }
}

/// Walks over a set of keys.
fn keys(mut source: Source, reader: Reader) -> Result<Outline, FormatError> {
    let range = |field, found, max| match found {
        _ if found <= max => Ok(found),
        _ => Err(FormatError::Range { field, found, min: 0, max }),
    };
    let parms_id = crate::rows::parms_id(&mut source)?;
    let places = range("keys_dim1", source.u64("keys_dim1")?, MAX_PLACES)?;
    let (mut taken, mut components) = (Vec::new(), 0);
    let mut passed = vec![0; PASSED];
    let input = source.input();
    let bound = input.saturating_mul(MAX_EXPANSION).saturating_add(8 * MAX_PLACES);
    for place in 0..places as u32 {
        let count = range("keys_dim2", source.u64("keys_dim2")?, MAX_COMPONENTS)?;
        components = components.max(count);
        taken.extend((count > 0).then_some(place));
        for _ in 0..count {
            let header = Header::read(&source.bytes::<{ Header::LEN }>("PublicKey")?, reader)?;
            let mut left = header.size.saturating_sub(Header::LEN as u64);
            let found = source.taken().saturating_add(left);
            if found > bound {
                return Err(FormatError::Inflated { found, input, bound });
            }
            while left > 0 {
                let step = usize::try_from(left).unwrap_or(usize::MAX).min(passed.len());
                source.fill("PublicKey", passed.get_mut(..step).unwrap_or_default())?;
                left -= step as u64;
            }
        }
    }
    Ok(Outline::Keys { parms_id, places, taken, components })
}
