//! Parameters made ready, and the chain of levels that follows from them.

use std::fmt;
use std::sync::Arc;

use cxx::UniquePtr;
use he_params::{Level, LogN};

use crate::bridge::{self, SEALContext};
use crate::error::During;
use crate::{Compression, SealError};

/// The least security that SEAL has to grant for a context, by its own table (the 2018 standard).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// Any parameters: those of tests, or ones that were judged elsewhere.
    None,
    /// 128 bits.
    #[default]
    Bits128,
    /// 192 bits.
    Bits192,
    /// 256 bits.
    Bits256,
}

impl Security {
    fn bits(self) -> u32 {
        match self {
            Security::None => 0,
            Security::Bits128 => 128,
            Security::Bits192 => 192,
            Security::Bits256 => 256,
        }
    }
}

/// SEAL's name of a level: a hash of the parameters and of the primes that are left.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParmsId(pub [u64; 4]);

impl fmt::Debug for ParmsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

/// CKKS parameters made ready: `seal::SEALContext`. Clones share it; any thread may use it.
///
/// SEAL keeps the last prime for key switching. With one prime there is none to keep: ciphertexts live on it and nothing can
/// be relinearized or rotated.
#[derive(Clone)]
pub struct Context {
    inner: Arc<UniquePtr<SEALContext>>,
    log_n: LogN,
    primes: Arc<[u64]>,
}

impl Context {
    /// Ring degree and all primes, the special one last.
    ///
    /// # Errors
    /// What SEAL has against them.
    pub fn new(log_n: LogN, primes: &[u64], security: Security) -> Result<Context, SealError> {
        Self::wrap(bridge::make_context(log_n.n(), primes, security.bits(), &[]).during("make a context")?)
    }

    /// As [`Context::new`], and every generator of random numbers starts from the same seed: two encryptions of one message are
    /// the same, and two of different messages betray their difference. For tests.
    ///
    /// # Errors
    /// As [`Context::new`].
    pub fn with_fixed_randomness(
        log_n: LogN,
        primes: &[u64],
        security: Security,
        seed: [u64; 8],
    ) -> Result<Context, SealError> {
        Self::wrap(bridge::make_context(log_n.n(), primes, security.bits(), &seed).during("make a context")?)
    }

    /// From parameters that SEAL saved. Untrusted bytes go through `seal_format` first, as the crate's page says.
    ///
    /// # Errors
    /// Bytes that are none, parameters of another scheme or of a degree above 2^16, or those that SEAL refuses.
    pub fn load(bytes: &[u8], security: Security) -> Result<Context, SealError> {
        Self::wrap(bridge::load_context(bytes, security.bits()).during("load parameters")?)
    }

    fn wrap(inner: UniquePtr<SEALContext>) -> Result<Context, SealError> {
        let log_n = u8::try_from(bridge::degree(&inner).trailing_zeros()).unwrap_or(u8::MAX);
        let log_n = LogN::new(log_n).map_err(|error| SealError::new("make a context", error.to_string()))?;
        let primes = bridge::primes(&inner).into();
        Ok(Context { inner: Arc::new(inner), log_n, primes })
    }

    pub(crate) fn ffi(&self) -> &SEALContext {
        &self.inner
    }

    /// The parameters in SEAL's format.
    ///
    /// # Errors
    /// None that is expected.
    pub fn save(&self, compression: Compression) -> Result<Vec<u8>, SealError> {
        let bytes = bridge::save_parameters(self.ffi(), compression.mode()).during("save parameters")?;
        Ok(bytes.as_slice().to_vec())
    }

    /// The ring degree.
    pub fn log_n(&self) -> LogN {
        self.log_n
    }

    /// Slots of a plaintext: N/2.
    pub fn slots(&self) -> usize {
        self.log_n.slots()
    }

    /// All primes, the special one last.
    pub fn primes(&self) -> &[u64] {
        &self.primes
    }

    /// Whether the last prime is special: there is more than one.
    pub fn has_special_prime(&self) -> bool {
        bridge::has_special_prime(self.ffi())
    }

    /// The level of fresh ciphertexts: all primes but the special one.
    pub fn max_level(&self) -> Level {
        let primes = self.primes.len() - usize::from(self.has_special_prime());
        Level::with_prime_count(primes).unwrap_or_default()
    }

    /// Bits of security that SEAL grants: 0, 128, 192 or 256.
    pub fn granted_security(&self) -> u32 {
        bridge::granted_security(self.ffi())
    }

    /// SEAL's name of the level of keys: all primes.
    ///
    /// # Errors
    /// None that is expected.
    pub fn key_id(&self) -> Result<ParmsId, SealError> {
        Ok(ParmsId(bridge::level_id(self.ffi(), self.primes.len()).during("name the level of keys")?))
    }

    /// SEAL's name of a level of ciphertexts.
    ///
    /// # Errors
    /// For a level above [`Context::max_level`].
    pub fn level_id(&self, level: Level) -> Result<ParmsId, SealError> {
        Ok(ParmsId(bridge::level_id(self.ffi(), self.check(level)?).during("name a level")?))
    }

    /// The level that SEAL's chain has after this one.
    ///
    /// # Errors
    /// For a level above [`Context::max_level`].
    pub fn below(&self, level: Level) -> Result<Option<Level>, SealError> {
        let next = bridge::next_level(self.ffi(), self.check(level)?).during("walk the chain")?;
        Ok(Level::with_prime_count(next))
    }

    /// Number of primes at a level that ciphertexts may have.
    pub(crate) fn check(&self, level: Level) -> Result<usize, SealError> {
        let top = self.max_level();
        if level <= top {
            return Ok(level.prime_count());
        }
        Err(SealError::new("take a level", format!("{level} is asked for, the highest is {top}")))
    }

    /// The root of unity of SEAL's transform, one per prime.
    pub fn roots(&self) -> Vec<u64> {
        bridge::roots(self.ffi())
    }

    /// SEAL's forward transform of N residues of prime number `prime`, in place.
    ///
    /// # Errors
    /// For another number of words, words that are not below the prime, or a prime that does not exist.
    pub fn forward(&self, prime: usize, words: &mut [u64]) -> Result<(), SealError> {
        bridge::ntt_forward(self.ffi(), prime, words).during("transform")
    }

    /// SEAL's inverse transform, as [`Context::forward`].
    ///
    /// # Errors
    /// As [`Context::forward`].
    pub fn inverse(&self, prime: usize, words: &mut [u64]) -> Result<(), SealError> {
        bridge::ntt_inverse(self.ffi(), prime, words).during("transform back")
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("log_n", &self.log_n).field("primes", &self.primes).finish()
    }
}

/// The primes that SEAL picks for sizes in bits: `seal::CoeffModulus::Create`.
///
/// # Errors
/// When there are not enough primes of a size, or a size or N is out of SEAL's bounds.
pub fn pick_primes(log_n: LogN, bits: &[u8]) -> Result<Vec<u64>, SealError> {
    let bits: Vec<i32> = bits.iter().map(|&bits| i32::from(bits)).collect();
    bridge::pick_primes(log_n.n(), &bits).during("pick primes")
}

/// The most bits that all primes together may have by SEAL's table; 0 for a degree that it does not have.
///
/// # Errors
/// None that is expected.
pub fn max_bit_count(log_n: LogN, security: Security) -> Result<u32, SealError> {
    bridge::max_bit_count(log_n.n(), security.bits()).during("look up the bound of bits")
}

/// Version of the library and the compiler it was built with.
pub fn describe() -> String {
    bridge::describe()
}
