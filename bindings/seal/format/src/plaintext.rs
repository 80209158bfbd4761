//! Plaintexts and secret keys.
//!
//! Layout: parms_id, u64 coeff_count, f64 scale, array of coeff_count words: row after row, in NTT form. A secret key is a plaintext of the key
//! level.
//! Source: SEAL 4.1.2, `Plaintext::load_members`, `SecretKey::load`, `valcheck.cpp`.

use std::fmt;

use zeroize::Zeroizing;

use crate::object::sealed::{self, Body};
use crate::object::{Load, Save, load_body, longest};
use crate::parameters::check_count;
use crate::rows::{self, Rows};
use crate::sink::{Sink, array_len};
use crate::source::Source;
use crate::{Compression, Context, FormatError, ParmsId};

/// SEAL's `Plaintext` of CKKS: one encoded message under the primes of a data level, in NTT form. The one that SEAL makes empty has no
/// words and [`ParmsId::ZERO`].
///
/// Its words are wiped on drop and not printed. Memory: `8 N l` bytes at most, for `l` primes of the first data level.
#[derive(Clone, PartialEq)]
pub struct Plaintext {
    parms_id: ParmsId,
    scale: f64,
    words: Zeroizing<Vec<u64>>,
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext")
            .field("parms_id", &self.parms_id)
            .field("scale", &self.scale)
            .field("coeff_count", &self.words.len())
            .finish_non_exhaustive()
    }
}

/// Bytes of what stands in front of the words.
const METADATA: usize = 32 + 8 + 8;

/// What a plaintext is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Message,
    SecretKey,
}

impl Role {
    const fn field(self) -> &'static str {
        match self {
            Role::Message => "Plaintext",
            Role::SecretKey => "SecretKey",
        }
    }
}

impl Plaintext {
    /// A plaintext of the level named `parms_id`: N words for each of its primes, row after row, in NTT form, each below its prime.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, parms_id: ParmsId, scale: f64, words: Vec<u64>) -> Result<Self, FormatError> {
        Self::checked(context, parms_id, scale, words, Role::Message)
    }

    fn checked(
        context: &Context,
        parms_id: ParmsId,
        scale: f64,
        words: Vec<u64>,
        role: Role,
    ) -> Result<Self, FormatError> {
        let words = Zeroizing::new(words);
        Self::rows(context, parms_id, words.len() as u64, scale, role)?.check(&words)?;
        Ok(Self { parms_id, scale, words })
    }

    /// Checks everything but the words and says what these are.
    fn rows(
        context: &Context,
        parms_id: ParmsId,
        coeff_count: u64,
        scale: f64,
        role: Role,
    ) -> Result<Rows<'_>, FormatError> {
        let field = role.field();
        let secret = role == Role::SecretKey;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(FormatError::Scale { field, found: scale });
        }
        let rows = |primes| Rows { field, degree: context.degree(), primes, secret };
        if parms_id == ParmsId::ZERO && !secret {
            check_count("coeff_count", coeff_count, 0)?;
            return Ok(rows(&[]));
        }
        let count = rows::prime_count(context, field, parms_id, secret)?;
        check_count("coeff_count", coeff_count, (context.degree() * count) as u64)?;
        Ok(rows(context.primes_at(count)))
    }

    fn read(source: &mut Source, context: &Context, role: Role) -> Result<Self, FormatError> {
        let parms_id = rows::parms_id(source)?;
        let coeff_count = source.u64("coeff_count")?;
        let scale = source.f64("scale")?;
        let rows = Self::rows(context, parms_id, coeff_count, scale, role)?;
        let words = source.nested("data", |source, _| {
            check_count("data size", source.u64("data size")?, coeff_count)?;
            // N for each prime, as was checked.
            let mut words = Zeroizing::new(rows.reserve(source, coeff_count as usize)?);
            rows.read(source, &mut words)?;
            Ok(words)
        })?;
        Ok(Self { parms_id, scale, words })
    }

    /// The name of its level.
    pub fn parms_id(&self) -> ParmsId {
        self.parms_id
    }

    /// What the message was multiplied by.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The words, row after row.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
}

impl sealed::Sealed for Plaintext {}

impl Load for Plaintext {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("Plaintext", bytes, context.reader(), |source, _| Self::read(source, context, Role::Message))
    }

    fn max_len(context: &Context) -> u64 {
        longest(METADATA + array_len(context.degree() * context.data_prime_count()))
    }
}

impl Save for Plaintext {}

impl Body for Plaintext {
    fn body_len(&self) -> usize {
        METADATA + array_len(self.words.len())
    }

    fn write(&self, sink: &mut Sink) {
        sink.words(&self.parms_id.words());
        sink.u64(self.words.len() as u64);
        sink.f64(self.scale);
        sink.array(&self.words);
    }
}

/// SEAL's `SecretKey`: s, ternary, under all primes in NTT form. As in SEAL nothing tells whether the residues are those of a
/// ternary polynomial; who uses the key has to.
///
/// Wiped on drop, not printed, not copied. What a decompressor or a compressor keeps for itself is not wiped, so a secret key is best
/// saved with [`Compression::None`]. Memory: `8 N k` bytes.
#[derive(PartialEq)]
pub struct SecretKey(Plaintext);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

impl SecretKey {
    /// A key of k rows of N words, row after row, in NTT form, each word below its prime.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, words: Vec<u64>) -> Result<Self, FormatError> {
        Plaintext::checked(context, context.key_parms_id(), 1.0, words, Role::SecretKey).map(Self)
    }

    /// The words, row after row.
    pub fn expose_words(&self) -> &[u64] {
        self.0.words()
    }

    /// Bytes without compression, exactly.
    pub fn saved_len(&self) -> usize {
        self.0.saved_len()
    }

    /// As [`Save::save`]; the bytes are wiped on drop.
    ///
    /// # Errors
    /// [`FormatError::Compressor`].
    pub fn save(&self, compression: Compression) -> Result<Zeroizing<Vec<u8>>, FormatError> {
        self.0.save(compression).map(Zeroizing::new)
    }

    /// As [`Save::save_for`]; the bytes are wiped on drop.
    ///
    /// # Errors
    /// [`FormatError::Version`], [`FormatError::Compressor`].
    pub fn save_for(&self, compression: Compression, minor: u8) -> Result<Zeroizing<Vec<u8>>, FormatError> {
        self.0.save_for(compression, minor).map(Zeroizing::new)
    }
}

impl sealed::Sealed for SecretKey {}

impl Load for SecretKey {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("SecretKey", bytes, context.reader(), |source, _| Plaintext::read(source, context, Role::SecretKey))
            .map(|(key, taken)| (Self(key), taken))
    }

    fn max_len(context: &Context) -> u64 {
        longest(METADATA + array_len(context.degree() * context.key_prime_count()))
    }
}
