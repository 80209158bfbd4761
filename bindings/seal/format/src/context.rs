//! Checked parameters and the chain of their levels.
//!
//! Formula: level with `l` primes has the first `l`; the key level has all `k`, data levels have `k - 1` down to 1 (with one prime alone it
//! is both). Their names are [`ParmsId::of`] the primes that remain.
//! Source: SEAL 4.1.2, `SEALContext::SEALContext`, `validate` and `create_next_context_data`.

use he_params::primes::is_prime;
use he_params::{LogN, RequiredSecurity, SecurityBits, SecurityReport, SecurityTable};

use crate::parameters::check_range;
use crate::{EncryptionParameters, FormatError, ParmsId, Reader};

/// SEAL's `SEAL_USER_MOD_BIT_COUNT_MAX`.
const MAX_PRIME_BITS: u32 = 60;
/// SEAL's `SEAL_POLY_MOD_DEGREE_MIN`.
const MIN_DEGREE: u64 = 2;

/// SEAL's `SEALContext`: parameters that objects are checked against.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    parameters: EncryptionParameters,
    /// Entry `l - 1` is the level with `l` primes.
    levels: Vec<ParmsId>,
    reader: Reader,
}

impl Context {
    /// Checks what SEAL checks but security, which [`Context::security`] reports: a ring degree that is a power of two, distinct primes of 2 to 60
    /// bits, each 1 modulo 2N.
    ///
    /// # Errors
    /// [`FormatError::Range`], [`FormatError::Degree`], [`FormatError::Modulus`].
    pub fn new(parameters: EncryptionParameters) -> Result<Self, FormatError> {
        let degree = parameters.degree();
        check_range("poly_modulus_degree", degree, MIN_DEGREE, u64::MAX)?;
        if !degree.is_power_of_two() {
            return Err(FormatError::Degree { found: degree });
        }
        let primes = parameters.moduli();
        for (index, &found) in primes.iter().enumerate() {
            let refused = |expected| Err(FormatError::Modulus { index, found, expected });
            if found >> MAX_PRIME_BITS != 0 || found < 2 {
                return refused("a prime of 2 to 60 bits");
            }
            if found % (2 * degree) != 1 {
                return refused("a prime that is 1 modulo 2 * poly_modulus_degree");
            }
            if !is_prime(found) {
                return refused("a prime");
            }
            if primes.iter().take(index).any(|earlier| *earlier == found) {
                return refused("a prime that is not among those before");
            }
        }
        let levels = (1..=primes.len()).map(|l| ParmsId::of(degree, primes.get(..l).unwrap_or_default())).collect();
        Ok(Self { parameters, levels, reader: Reader::Known })
    }

    /// The same, reading no other versions than `reader` does.
    #[must_use]
    pub fn with_reader(self, reader: Reader) -> Self {
        Self { reader, ..self }
    }

    /// Which versions are read.
    pub fn reader(&self) -> Reader {
        self.reader
    }

    /// What was checked.
    pub fn parameters(&self) -> &EncryptionParameters {
        &self.parameters
    }

    /// Ring degree N.
    pub fn degree(&self) -> usize {
        // At most 131072.
        self.parameters.degree() as usize
    }

    /// All k primes, the special one last.
    pub fn primes(&self) -> &[u64] {
        self.parameters.moduli()
    }

    /// The first `count` primes, at most all.
    pub fn primes_at(&self, count: usize) -> &[u64] {
        self.primes().get(..count).unwrap_or(self.primes())
    }

    /// Primes of the key level: k.
    pub fn key_prime_count(&self) -> usize {
        self.primes().len()
    }

    /// Primes of the first data level: `k - 1`, but 1 of 1. So many components has a key for switching.
    pub fn data_prime_count(&self) -> usize {
        (self.key_prime_count() - 1).max(1)
    }

    /// Whether there is a special prime, without which no key can be switched.
    pub fn uses_key_switching(&self) -> bool {
        self.key_prime_count() > 1
    }

    /// The name of the key level.
    pub fn key_parms_id(&self) -> ParmsId {
        self.parms_id(self.key_prime_count()).unwrap_or_default()
    }

    /// The name of the first data level.
    pub fn first_parms_id(&self) -> ParmsId {
        self.parms_id(self.data_prime_count()).unwrap_or_default()
    }

    /// The name of the level with `primes` primes, if there is one.
    pub fn parms_id(&self, primes: usize) -> Option<ParmsId> {
        self.levels.get(primes.checked_sub(1)?).copied()
    }

    /// How many primes the level of this name has, if it is one.
    pub fn prime_count(&self, parms_id: ParmsId) -> Option<usize> {
        self.levels.iter().position(|level| *level == parms_id).map(|i| i + 1)
    }

    /// Bits of the product of all primes.
    pub fn total_bits(&self) -> u32 {
        let mut product = vec![1u64];
        for prime in self.primes() {
            let mut carry = 0;
            for word in &mut product {
                let wide = u128::from(*word) * u128::from(*prime) + carry;
                (*word, carry) = (wide as u64, wide >> 64);
            }
            product.extend((carry > 0).then_some(carry as u64));
        }
        let top = product.last().map_or(0, |word| u64::BITS - word.leading_zeros());
        top + (product.len() as u32 - 1) * u64::BITS
    }

    /// What the homomorphic encryption standard of 2018 says of these parameters; SEAL enforces its 128 bits unless told otherwise:
    /// 109, 218 and 438 bits in all for N = 4096, 8192 and 16384.
    pub fn security(&self) -> SecurityReport {
        const TABLE: SecurityTable = SecurityTable::HeStandard2018;
        let total = self.total_bits();
        let log_n = u8::try_from(self.degree().trailing_zeros()).ok().and_then(|log_n| LogN::new(log_n).ok());
        let granted = log_n.and_then(|log_n| TABLE.granted(log_n, f64::from(total)));
        SecurityReport {
            required: RequiredSecurity::AtLeast(SecurityBits::Bits128),
            bits: granted.map_or(0, SecurityBits::get),
            log_qp: f64::from(total),
            bound: log_n.and_then(|log_n| TABLE.max_log_qp(log_n, granted.unwrap_or_default())),
            table: TABLE,
        }
    }
}
