//! Parameters as an object of their own.

use std::io::{Read, Write};

use he_params::{
    CkksParams, CkksParamsLiteral, ErrorDistribution, ModulusChain, RequiredSecurity, RingType, SecretDistribution,
    SecurityBits, SecurityTable,
};

use super::{Envelope, Kind, ParamsDigest, Reader, WireError, Writer, envelope};

/// Bytes of the section without its primes.
const FIXED_LEN: u64 = 23;

/// Set in the byte of log_n for the conjugate-invariant ring.
const CONJUGATE_INVARIANT: u8 = 1 << 7;

/// The greatest legal body of a parameter set.
pub const MAX_PARAMS_BODY: u64 = FIXED_LEN + 8 * CkksParams::MAX_PRIMES as u64;

impl Writer {
    /// The literal, its primes written out whichever way it named them.
    pub fn params(&mut self, params: &CkksParams) {
        let literal = params.literal();
        self.u8(match literal.ring {
            RingType::Cyclotomic => literal.log_n,
            RingType::ConjugateInvariant => literal.log_n | CONJUGATE_INVARIANT,
        });
        self.u8(literal.primes_per_digit);
        self.u8(match literal.error {
            ErrorDistribution::CentredBinomial => 0,
            ErrorDistribution::RoundedGaussian => 1,
        });
        let (secret, weight) = match literal.secret {
            SecretDistribution::UniformTernary => (0, 0),
            SecretDistribution::HammingWeight(weight) => (1, weight),
        };
        self.u8(secret);
        self.u32(weight);
        self.u8(match literal.table {
            SecurityTable::Guidelines2024 => 0,
            SecurityTable::HeStandard2018 => 1,
        });
        self.u16(match literal.security {
            RequiredSecurity::AtLeast(bits) => bits.get() as u16,
            RequiredSecurity::Insecure => 0,
        });
        self.u64(literal.log_scale.to_bits());
        self.u16(params.q().len() as u16);
        self.u16(params.p().len() as u16);
        params.q().iter().chain(params.p()).for_each(|prime| self.u64(*prime));
    }
}

impl Reader<'_> {
    /// Parameters, through every check of [`CkksParams`].
    ///
    /// # Errors
    /// [`WireError::OutOfRange`], [`WireError::Params`], [`WireError::Truncated`].
    pub fn params(&mut self) -> Result<CkksParams, WireError> {
        let (log_n, primes_per_digit) = (self.u8("log_n")?, self.u8("primes per digit")?);
        let (ring, log_n) = match log_n & CONJUGATE_INVARIANT {
            0 => (RingType::Cyclotomic, log_n),
            flag => (RingType::ConjugateInvariant, log_n ^ flag),
        };
        let error = match self.u8("error distribution")? {
            0 => ErrorDistribution::CentredBinomial,
            1 => ErrorDistribution::RoundedGaussian,
            found => return Err(tag("error distribution", found, 1)),
        };
        let secret = match (self.u8("secret distribution")?, self.u32("hamming weight")?) {
            (0, 0) => SecretDistribution::UniformTernary,
            (0, found) => {
                return Err(WireError::Mismatch { field: "hamming weight", found: u64::from(found), expected: 0 });
            }
            (1, weight) => SecretDistribution::HammingWeight(weight),
            (found, _) => return Err(tag("secret distribution", found, 1)),
        };
        let table = match self.u8("security table")? {
            0 => SecurityTable::Guidelines2024,
            1 => SecurityTable::HeStandard2018,
            found => return Err(tag("security table", found, 1)),
        };
        let security = match self.u16("security")? {
            0 => RequiredSecurity::Insecure,
            found => RequiredSecurity::AtLeast(security_bits(found)?),
        };
        let log_scale = f64::from_bits(self.u64("log_scale")?);
        let (q, p) = (usize::from(self.u16("ciphertext primes")?), usize::from(self.u16("special primes")?));
        let (q, p) = (self.primes("ciphertext primes", q)?, self.primes("special primes", p)?);
        let literal =
            CkksParamsLiteral { ring, log_n, q, p, log_scale, primes_per_digit, secret, error, table, security };
        Ok(CkksParams::try_from(literal)?)
    }

    fn primes(&mut self, field: &'static str, count: usize) -> Result<ModulusChain, WireError> {
        if count > CkksParams::MAX_PRIMES {
            let (found, max) = (count as u64, CkksParams::MAX_PRIMES as u64);
            return Err(WireError::OutOfRange { field, found, min: 0, max });
        }
        let (primes, _) = self.bytes(field, 8 * count)?.as_chunks::<8>();
        Ok(ModulusChain::Primes(primes.iter().map(|prime| u64::from_le_bytes(*prime)).collect()))
    }
}

fn tag(field: &'static str, found: u8, max: u64) -> WireError {
    WireError::OutOfRange { field, found: u64::from(found), min: 0, max }
}

fn security_bits(found: u16) -> Result<SecurityBits, WireError> {
    let known = SecurityBits::ALL.into_iter().find(|bits| bits.get() == u32::from(found));
    let reason = || format!("{found}, expected 0 (insecure), 128, 192 or 256");
    known.ok_or_else(|| WireError::Invalid { field: "security", reason: reason() })
}

/// A parameter set as an object.
pub fn params_to_bytes(params: &CkksParams) -> Vec<u8> {
    let mut writer = Writer::new(Kind::Params, params);
    writer.params(params);
    writer.finish()
}

/// Reads what [`params_to_bytes`] made. The literal inside names primes, never bit sizes.
///
/// # Errors
/// As [`Reader::open`] and [`Reader::params`]; [`WireError::OtherParams`] when header and body contradict each other.
pub fn params_from_bytes(bytes: &[u8]) -> Result<CkksParams, WireError> {
    let (header, body) = envelope::open(bytes)?;
    header.expect_kind(Kind::Params)?;
    body_params(Reader::new(body), &header.params)
}

/// Writes [`params_to_bytes`].
///
/// # Errors
/// [`WireError::Io`].
pub fn write_params(params: &CkksParams, output: &mut (impl Write + ?Sized)) -> Result<(), WireError> {
    Ok(output.write_all(&params_to_bytes(params))?)
}

/// Reads one parameter set from a stream and leaves what follows unread.
///
/// # Errors
/// As [`Envelope::read_from`] and [`params_from_bytes`].
pub fn read_params(input: &mut (impl Read + ?Sized)) -> Result<CkksParams, WireError> {
    let envelope = Envelope::read_checked(input, MAX_PARAMS_BODY, |header| header.expect_kind(Kind::Params))?;
    body_params(envelope.reader(), &envelope.header().params)
}

fn body_params(mut body: Reader<'_>, found: &ParamsDigest) -> Result<CkksParams, WireError> {
    let params = body.params()?;
    body.finish()?;
    let (found, expected) = (*found, ParamsDigest::of(&params));
    if found == expected { Ok(params) } else { Err(WireError::OtherParams { found, expected }) }
}
