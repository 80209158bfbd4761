//! Ciphertexts and public keys.
//!
//! Layout: parms_id, u8 is_ntt_form, u64 size, u64 N, u64 l, f64 scale, u64 correction_factor (not before major 4), array of words:
//! polynomial after polynomial, prime after prime. Seeded, the array holds polynomial 0 alone and a seed follows. A public key is a ciphertext of
//! two polynomials of the key level, in NTT form.
//! Source: SEAL 4.1.2, `Ciphertext::load_members`, `PublicKey::load`, `valcheck.cpp`.

use std::fmt;

use crate::object::sealed::{self, Body};
use crate::object::{Load, Save, load_body, longest};
use crate::parameters::{check_count, check_range};
use crate::rows::{self, Rows};
use crate::seed::Seed;
use crate::sink::{Sink, array_len};
use crate::source::Source;
use crate::{Context, FormatError, ParmsId, Version};

/// SEAL's `SEAL_CIPHERTEXT_SIZE_MAX`.
const MAX_SIZE: u64 = 16;
/// Polynomials of a fresh ciphertext: SEAL's `SEAL_CIPHERTEXT_SIZE_MIN`.
const FRESH: usize = 2;
/// Bytes of what stands in front of the words.
const METADATA: usize = 32 + 1 + 8 + 8 + 8 + 8 + 8;

/// What stands in front of a ciphertext's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CiphertextMetadata {
    /// The name of its level.
    pub parms_id: ParmsId,
    /// Whether its words are evaluations, as CKKS has them unless the caller of SEAL transformed them.
    pub is_ntt_form: bool,
    /// Polynomials: 2 to 16, 0 of an empty one.
    pub size: usize,
    /// What the message was multiplied by.
    pub scale: f64,
}

/// SEAL's `Ciphertext` of CKKS.
///
/// Memory: `8 N l` bytes for each polynomial, 16 polynomials at most.
#[derive(Clone, PartialEq)]
pub struct Ciphertext {
    metadata: CiphertextMetadata,
    degree: usize,
    prime_count: usize,
    /// `size * l` rows of N words.
    words: Vec<u64>,
    /// What polynomial 1 is expanded from.
    seed: Option<Seed>,
}

impl fmt::Debug for Ciphertext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ciphertext")
            .field("metadata", &self.metadata)
            .field("poly_modulus_degree", &self.degree)
            .field("coeff_modulus_size", &self.prime_count)
            .field("seeded", &self.seed.is_some())
            .finish_non_exhaustive()
    }
}

/// What a ciphertext is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Message,
    PublicKey,
}

impl Role {
    const fn field(self) -> &'static str {
        match self {
            Role::Message => "Ciphertext",
            Role::PublicKey => "PublicKey",
        }
    }
}

impl Ciphertext {
    /// A ciphertext of whole polynomials: `words` are polynomial after polynomial, prime after prime, N words each, every one below its prime.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, metadata: CiphertextMetadata, words: Vec<u64>) -> Result<Self, FormatError> {
        Self::checked(context, metadata, words, Role::Message)
    }

    /// A ciphertext of two polynomials, the second one expanded from a seed as SEAL 3.6 and later do. `words` are those of the first.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn seeded(
        context: &Context,
        metadata: CiphertextMetadata,
        words: Vec<u64>,
        seed: Seed,
    ) -> Result<Self, FormatError> {
        Self::checked_seeded(context, metadata, words, seed, Role::Message)
    }

    fn checked(
        context: &Context,
        metadata: CiphertextMetadata,
        words: Vec<u64>,
        role: Role,
    ) -> Result<Self, FormatError> {
        let rows = Self::rows(context, metadata, role)?;
        check_count("data size", words.len() as u64, (metadata.size * rows.degree * rows.primes.len()) as u64)?;
        rows.check(&words)?;
        Ok(Self { metadata, degree: rows.degree, prime_count: rows.primes.len(), words, seed: None })
    }

    fn checked_seeded(
        context: &Context,
        metadata: CiphertextMetadata,
        mut words: Vec<u64>,
        seed: Seed,
        role: Role,
    ) -> Result<Self, FormatError> {
        let rows = Self::rows(context, metadata, role)?;
        let polynomial = rows.degree * rows.primes.len();
        check_count("size", metadata.size as u64, FRESH as u64)?;
        check_count("data size", words.len() as u64, polynomial as u64)?;
        rows.check(&words)?;
        words.resize(FRESH * polynomial, 0);
        let expanded = words.get_mut(polynomial..).unwrap_or_default();
        seed.expand_into(Version::DEFAULT, rows.degree, rows.primes, expanded);
        Ok(Self { metadata, degree: rows.degree, prime_count: rows.primes.len(), words, seed: Some(seed) })
    }

    /// Checks everything but the words and says what these are.
    fn rows(context: &Context, metadata: CiphertextMetadata, role: Role) -> Result<Rows<'_>, FormatError> {
        let field = role.field();
        let CiphertextMetadata { parms_id, is_ntt_form, size, scale } = metadata;
        let count = rows::prime_count(context, field, parms_id, role == Role::PublicKey)?;
        match role {
            Role::PublicKey => {
                check_count("is_ntt_form", is_ntt_form.into(), 1)?;
                check_count("size", size as u64, FRESH as u64)?;
            }
            Role::Message if size == 0 => {}
            Role::Message => check_range("size", size as u64, FRESH as u64, MAX_SIZE)?,
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(FormatError::Scale { field, found: scale });
        }
        Ok(Rows { field, degree: context.degree(), primes: context.primes_at(count), secret: false })
    }

    pub(crate) fn read(
        source: &mut Source,
        version: Version,
        context: &Context,
        role: Role,
    ) -> Result<Self, FormatError> {
        let parms_id = rows::parms_id(source)?;
        let is_ntt_form = u64::from(source.u8("is_ntt_form")?);
        check_range("is_ntt_form", is_ntt_form, 0, 1)?;
        let size = source.u64("size")?;
        check_range("size", size, 0, MAX_SIZE)?;
        let degree = source.u64("poly_modulus_degree")?;
        let limbs = source.u64("coeff_modulus_size")?;
        let scale = source.f64("scale")?;
        let metadata = CiphertextMetadata { parms_id, is_ntt_form: is_ntt_form == 1, size: size as usize, scale };
        if version.major == 4 {
            check_count("correction_factor", source.u64("correction_factor")?, 1)?;
        }
        let rows = Self::rows(context, metadata, role)?;
        check_count("poly_modulus_degree", degree, rows.degree as u64)?;
        check_count("coeff_modulus_size", limbs, rows.primes.len() as u64)?;

        let polynomial = rows.degree * rows.primes.len();
        let whole = metadata.size * polynomial;
        let (mut words, stored) = source.nested("data", |source, _| {
            let stored = source.u64("data size")?;
            if metadata.size != FRESH || stored != polynomial as u64 {
                check_count("data size", stored, whole as u64)?;
            }
            // One polynomial or all, as was checked.
            let stored = stored as usize;
            source.expect("data", 8 * stored as u64)?;
            let mut words = vec![0; whole];
            rows.read(source, words.get_mut(..stored).unwrap_or_default())?;
            Ok((words, stored))
        })?;
        let mut seed = None;
        if stored < whole {
            let found = Seed::read(source, version)?;
            found.expand_into(version, rows.degree, rows.primes, words.get_mut(stored..).unwrap_or_default());
            // What SEAL 3.4 and 3.5 expanded can only be saved in full.
            seed = (version >= Version { major: 3, minor: 6 }).then_some(found);
        }
        Ok(Self { metadata, degree: rows.degree, prime_count: rows.primes.len(), words, seed })
    }

    /// What stands in front of the words.
    pub fn metadata(&self) -> CiphertextMetadata {
        self.metadata
    }

    /// Ring degree N.
    pub fn degree(&self) -> usize {
        self.degree
    }

    /// Primes of its level.
    pub fn prime_count(&self) -> usize {
        self.prime_count
    }

    /// All words: polynomial after polynomial, prime after prime, N words each. What a seed stood for is expanded.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words of polynomial `i`; none where there is none.
    pub fn polynomial(&self, i: usize) -> &[u64] {
        let length = self.degree * self.prime_count;
        self.words.get(i * length..(i + 1) * length).unwrap_or_default()
    }

    /// The words, given away.
    pub fn into_words(self) -> Vec<u64> {
        self.words
    }

    /// What polynomial 1 was expanded from, if it was. Such a ciphertext is saved with its seed again, in half the space; SEAL saves it whole
    /// once it has loaded it.
    pub fn seed(&self) -> Option<&Seed> {
        self.seed.as_ref()
    }

    /// The same ciphertext, to be saved whole.
    #[must_use]
    pub fn without_seed(self) -> Self {
        Self { seed: None, ..self }
    }
}

impl sealed::Sealed for Ciphertext {}

impl Load for Ciphertext {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("Ciphertext", bytes, context.reader(), |source, version| {
            Self::read(source, version, context, Role::Message)
        })
    }

    fn max_len(context: &Context) -> u64 {
        longest(METADATA + array_len(MAX_SIZE as usize * context.degree() * context.data_prime_count()))
    }
}

impl Save for Ciphertext {}

impl Body for Ciphertext {
    fn body_len(&self) -> usize {
        METADATA
            + match self.seed {
                None => array_len(self.words.len()),
                Some(_) => array_len(self.words.len() / FRESH) + Seed::SAVED_LEN,
            }
    }

    fn write(&self, sink: &mut Sink) {
        let CiphertextMetadata { parms_id, is_ntt_form, size, scale } = self.metadata;
        sink.words(&parms_id.words());
        sink.bytes(&[is_ntt_form.into()]);
        sink.u64(size as u64);
        sink.u64(self.degree as u64);
        sink.u64(self.prime_count as u64);
        sink.f64(scale);
        // The correction factor of BGV.
        sink.u64(1);
        match &self.seed {
            None => sink.array(&self.words),
            Some(seed) => {
                sink.array(self.polynomial(0));
                seed.write(sink);
            }
        }
    }
}

/// SEAL's `PublicKey`: an encryption of zero under all primes, in NTT form. Also what keys for switching are made of.
///
/// Memory: `16 N k` bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicKey(Ciphertext);

impl PublicKey {
    /// A key of `2 k` rows: polynomial after polynomial, prime after prime, N words each, in NTT form, every word below its prime.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, words: Vec<u64>) -> Result<Self, FormatError> {
        Ciphertext::checked(context, Self::metadata(context), words, Role::PublicKey).map(Self)
    }

    /// A key whose second polynomial is expanded from a seed; `words` are the k rows of the first.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn seeded(context: &Context, words: Vec<u64>, seed: Seed) -> Result<Self, FormatError> {
        Ciphertext::checked_seeded(context, Self::metadata(context), words, seed, Role::PublicKey).map(Self)
    }

    fn metadata(context: &Context) -> CiphertextMetadata {
        CiphertextMetadata { parms_id: context.key_parms_id(), is_ntt_form: true, size: FRESH, scale: 1.0 }
    }

    pub(crate) fn read(source: &mut Source, version: Version, context: &Context) -> Result<Self, FormatError> {
        Ciphertext::read(source, version, context, Role::PublicKey).map(Self)
    }

    /// The most bytes of its fields. Of the smallest rings a seed is longer than the polynomial.
    pub(crate) fn max_body_len(context: &Context) -> usize {
        METADATA + array_len(FRESH * context.degree() * context.key_prime_count()) + Seed::SAVED_LEN
    }

    /// The key as the ciphertext it is.
    pub fn as_ciphertext(&self) -> &Ciphertext {
        &self.0
    }

    /// The ciphertext it is.
    pub fn into_ciphertext(self) -> Ciphertext {
        self.0
    }

    /// The same key, to be saved whole.
    #[must_use]
    pub fn without_seed(self) -> Self {
        Self(self.0.without_seed())
    }
}

impl sealed::Sealed for PublicKey {}

impl Load for PublicKey {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("PublicKey", bytes, context.reader(), |source, version| Self::read(source, version, context))
    }

    fn max_len(context: &Context) -> u64 {
        longest(Self::max_body_len(context))
    }
}

impl Save for PublicKey {}

impl Body for PublicKey {
    fn body_len(&self) -> usize {
        self.0.body_len()
    }

    fn write(&self, sink: &mut Sink) {
        self.0.write(sink);
    }
}
