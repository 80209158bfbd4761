//! Encryption parameters.
//!
//! Layout: u8 scheme, u64 N, u64 k, k moduli, the plain modulus; a modulus is an object of its own around a u64.
//! Source: SEAL 4.1.2, `EncryptionParameters::load_members` and `Modulus::load_members`.

use crate::object::{Save, load_body, sealed::Body};
use crate::sink::Sink;
use crate::source::Source;
use crate::{FormatError, Header, ParmsId, Reader};

/// SEAL's `scheme_type::ckks`.
const CKKS: u8 = 2;
/// SEAL's `SEAL_POLY_MOD_DEGREE_MAX`.
const MAX_DEGREE: u64 = 131_072;
/// SEAL's `SEAL_COEFF_MOD_COUNT_MAX`; 64 before SEAL 4.1.
const MAX_MODULI: u64 = 256;
/// SEAL's `SEAL_MOD_BIT_COUNT_MAX`.
const MAX_MODULUS_BITS: u32 = 61;
/// Bytes of a saved modulus.
const MODULUS: usize = Header::LEN + 8;

/// SEAL's `EncryptionParameters` of the scheme CKKS: a ring degree and moduli, the special one last. As in SEAL they may be parameters
/// that no context accepts; [`Context::new`](crate::Context::new) tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionParameters {
    degree: u64,
    moduli: Vec<u64>,
}

impl EncryptionParameters {
    /// Parameters of ring degree `degree`, at most 131072, with 1 to 256 moduli of at most 61 bits, the special one last.
    ///
    /// # Errors
    /// [`FormatError::Range`], [`FormatError::Modulus`].
    pub fn new(degree: u64, moduli: Vec<u64>) -> Result<Self, FormatError> {
        let count = moduli.len() as u64;
        check_range("poly_modulus_degree", degree, 0, MAX_DEGREE)?;
        check_range("coeff_modulus_size", count, 1, MAX_MODULI)?;
        moduli.iter().enumerate().try_for_each(|(index, modulus)| check_modulus(index, *modulus))?;
        Ok(Self { degree, moduli })
    }

    /// Reads what SEAL's `EncryptionParameters::save` wrote, from the beginning of `bytes`; also says how many of them it takes. What
    /// follows is left alone, as SEAL does.
    ///
    /// Memory: 2 KiB at most, for 256 moduli.
    ///
    /// # Errors
    /// Parameters of BFV or BGV are [`FormatError::Scheme`].
    pub fn load(bytes: &[u8], reader: Reader) -> Result<(Self, usize), FormatError> {
        load_body("EncryptionParameters", bytes, reader, |source, _| Self::read(source))
    }

    fn read(source: &mut Source) -> Result<Self, FormatError> {
        let scheme = source.u8("scheme")?;
        if scheme != CKKS {
            return Err(FormatError::Scheme { found: scheme });
        }
        let degree = source.u64("poly_modulus_degree")?;
        check_range("poly_modulus_degree", degree, 0, MAX_DEGREE)?;
        let count = source.u64("coeff_modulus_size")?;
        check_range("coeff_modulus_size", count, 1, MAX_MODULI)?;
        let mut modulus = |field| source.nested(field, |source, _| source.u64(field));
        let moduli = (0..count).map(|_| modulus("coeff_modulus")).collect::<Result<_, _>>()?;
        let plain = modulus("plain_modulus")?;
        if plain != 0 {
            return Err(FormatError::Count { field: "plain_modulus", found: plain, expected: 0 });
        }
        Self::new(degree, moduli)
    }

    /// Ring degree N.
    pub fn degree(&self) -> u64 {
        self.degree
    }

    /// All k moduli, the special one last.
    pub fn moduli(&self) -> &[u64] {
        &self.moduli
    }

    /// The name of these parameters.
    pub fn parms_id(&self) -> ParmsId {
        ParmsId::of(self.degree, &self.moduli)
    }
}

impl Save for EncryptionParameters {}

impl Body for EncryptionParameters {
    fn body_len(&self) -> usize {
        1 + 8 + 8 + MODULUS * (self.moduli.len() + 1)
    }

    fn write(&self, sink: &mut Sink) {
        sink.bytes(&[CKKS]);
        sink.u64(self.degree);
        sink.u64(self.moduli.len() as u64);
        for modulus in self.moduli.iter().chain([&0]) {
            sink.header(MODULUS);
            sink.u64(*modulus);
        }
    }
}

/// SEAL's `Modulus` is unset (0) or of 2 to 61 bits.
fn check_modulus(index: usize, found: u64) -> Result<(), FormatError> {
    if found == 1 || found >> MAX_MODULUS_BITS != 0 {
        return Err(FormatError::Modulus { index, found, expected: "0 or a number from 2 to 2^61 - 1" });
    }
    Ok(())
}

pub(crate) fn check_range(field: &'static str, found: u64, min: u64, max: u64) -> Result<(), FormatError> {
    if !(min..=max).contains(&found) {
        return Err(FormatError::Range { field, found, min, max });
    }
    Ok(())
}

pub(crate) fn check_count(field: &'static str, found: u64, expected: u64) -> Result<(), FormatError> {
    if found != expected {
        return Err(FormatError::Count { field, found, expected });
    }
    Ok(())
}
