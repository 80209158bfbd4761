//! Checked parameters, and the one place where a literal is checked.

use crate::noise::Digit;
use crate::primes::{MAX_PRIME_BITS, is_prime, ntt_prime_chain};
use crate::{
    CkksParamsLiteral, ErrorDistribution, Level, LogN, ModulusChain, ParamsError, RequiredSecurity, RingShape,
    RingType, Scale, SecretDistribution, SecurityBits, SecurityReport,
};

/// Parameters that passed every check; made from a [`CkksParamsLiteral`] and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct CkksParams {
    literal: CkksParamsLiteral,
    shape: RingShape,
    q: Vec<u64>,
    p: Vec<u64>,
    scale: Scale,
}

/// Smallest log2 N that is ever called secure.
const MIN_SECURE_LOG_N: u8 = 10;

impl CkksParams {
    /// Most primes a chain may have, special ones included.
    pub const MAX_PRIMES: usize = 64;

    /// The literal these parameters were made from.
    pub fn literal(&self) -> &CkksParamsLiteral {
        &self.literal
    }

    /// The ring type and its degree.
    pub fn shape(&self) -> RingShape {
        self.shape
    }

    /// log2 of the ring degree.
    pub fn log_n(&self) -> LogN {
        self.shape.log_n()
    }

    /// The ring degree N.
    pub fn n(&self) -> usize {
        self.shape.n()
    }

    /// Numbers in one plaintext: N/2 complex ones, or N real ones in the conjugate-invariant ring.
    pub fn slots(&self) -> usize {
        self.shape.slots()
    }

    /// Ciphertext primes q_0..q_L.
    pub fn q(&self) -> &[u64] {
        &self.q
    }

    /// Ciphertext primes active at `level`: q_0..q_l (all of them above the top level).
    pub fn q_at(&self, level: Level) -> &[u64] {
        self.q.get(..level.prime_count()).unwrap_or(&self.q)
    }

    /// Special primes.
    pub fn p(&self) -> &[u64] {
        &self.p
    }

    /// The top level L, one below the number of ciphertext primes.
    pub fn max_level(&self) -> Level {
        Level::with_prime_count(self.q.len()).unwrap_or_default()
    }

    /// Scale of fresh messages.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Ciphertext primes to one key switching digit.
    pub fn primes_per_digit(&self) -> usize {
        usize::from(self.literal.primes_per_digit)
    }

    /// Distribution of the secret key.
    pub fn secret(&self) -> SecretDistribution {
        self.literal.secret
    }

    /// Distribution of errors.
    pub fn error(&self) -> ErrorDistribution {
        self.literal.error
    }

    /// log2 of the ciphertext modulus at `level`.
    pub fn log_q_at(&self, level: Level) -> f64 {
        log2_product(self.q_at(level))
    }

    /// log2 of the product of all primes.
    pub fn log_qp(&self) -> f64 {
        log2_product(&self.q) + log2_product(&self.p)
    }

    /// log2 of the product of the special primes; 0 without any.
    pub fn log_p(&self) -> f64 {
        log2_product(&self.p)
    }

    /// The key switching digits of a ciphertext at `level`.
    pub fn digits_at(&self, level: Level) -> Vec<Digit> {
        Digit::of(self.q_at(level), self.primes_per_digit())
    }

    /// What the literal's table says about these parameters.
    pub fn security_report(&self) -> SecurityReport {
        let log_qp = self.log_qp();
        let table = self.literal.table;
        let covered = self.literal.secret == SecretDistribution::UniformTernary;
        let granted = if covered { table.granted(self.log_n(), log_qp) } else { None };
        SecurityReport {
            required: self.literal.security,
            bits: granted.map_or(0, SecurityBits::get),
            log_qp,
            bound: table.max_log_qp(self.log_n(), granted.unwrap_or_default()),
            table,
        }
    }

    /// Canonical bytes of everything that decides which keys and ciphertexts belong together: equal for two literals that name the
    /// same primes in different ways, different otherwise. Security demands and the default scale are left out. Meant to be hashed.
    ///
    /// Layout, integers little-endian: `b"henge ckks 1"` (followed by `b" conjugate-invariant"` in that ring), log_n u8, primes_per_digit u8, error u8 (0 binomial, 1 Gaussian), secret u8 (0 ternary,
    /// 1 weight) and its weight u32, number of q u16, number of p u16, then all primes u64, q first.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut bytes = b"henge ckks 1".to_vec();
        if self.shape.ring_type() == RingType::ConjugateInvariant {
            bytes.extend(b" conjugate-invariant");
        }
        let (secret, weight) = match self.literal.secret {
            SecretDistribution::UniformTernary => (0, 0),
            SecretDistribution::HammingWeight(h) => (1, h),
        };
        let error = match self.literal.error {
            ErrorDistribution::CentredBinomial => 0,
            ErrorDistribution::RoundedGaussian => 1,
        };
        bytes.extend([self.log_n().get(), self.literal.primes_per_digit, error, secret]);
        bytes.extend(weight.to_le_bytes());
        bytes.extend((self.q.len() as u16).to_le_bytes());
        bytes.extend((self.p.len() as u16).to_le_bytes());
        bytes.extend(self.q.iter().chain(&self.p).flat_map(|prime| prime.to_le_bytes()));
        bytes
    }
}

fn log2_product(primes: &[u64]) -> f64 {
    primes.iter().map(|&q| (q as f64).log2()).sum()
}

impl TryFrom<CkksParamsLiteral> for CkksParams {
    type Error = ParamsError;

    fn try_from(literal: CkksParamsLiteral) -> Result<CkksParams, ParamsError> {
        let log_n = LogN::new(literal.log_n)?;
        let shape = RingShape::new(literal.ring, log_n)?;
        let count = literal.q.len().saturating_add(literal.p.len());
        if literal.q.is_empty() {
            return Err(ParamsError::NoPrimes);
        }
        if count > Self::MAX_PRIMES {
            return Err(ParamsError::TooManyPrimes { found: count, max: Self::MAX_PRIMES });
        }
        let (q, p) = resolve(&literal.q, &literal.p, shape.cyclotomic())?;
        check_primes(&q, &p, shape.cyclotomic())?;
        if literal.primes_per_digit == 0 || usize::from(literal.primes_per_digit) > q.len() {
            return Err(ParamsError::PrimesPerDigit { found: literal.primes_per_digit, max: q.len() });
        }
        let log_q = log2_product(&q);
        if !(literal.log_scale > 0.0 && literal.log_scale < log_q) {
            return Err(ParamsError::LogScale { found: literal.log_scale, log_q });
        }
        let scale = Scale::from_log2(literal.log_scale)?;
        if let SecretDistribution::HammingWeight(h) = literal.secret {
            if h == 0 || h as usize > log_n.n() {
                return Err(ParamsError::HammingWeight { found: h, log_n });
            }
            if literal.security != RequiredSecurity::Insecure {
                return Err(ParamsError::SparseSecret { found: h });
            }
        }
        if let RequiredSecurity::AtLeast(required) = literal.security {
            if log_n.get() < MIN_SECURE_LOG_N {
                return Err(ParamsError::NoBoundKnown { log_n, required, table: literal.table });
            }
            literal.table.check(log_n, log_q + log2_product(&p), required)?;
        }
        Ok(CkksParams { literal, shape, q, p, scale })
    }
}

/// Turns bit sizes into primes: one walk over the ciphertext and special sizes together, passing over primes that were given.
fn resolve(q: &ModulusChain, p: &ModulusChain, cyclotomic: LogN) -> Result<(Vec<u64>, Vec<u64>), ParamsError> {
    match (q, p) {
        (ModulusChain::Primes(q), ModulusChain::Primes(p)) => Ok((q.clone(), p.clone())),
        (ModulusChain::Bits(q), ModulusChain::Primes(p)) => Ok((ntt_prime_chain(q, cyclotomic, p)?, p.clone())),
        (ModulusChain::Primes(q), ModulusChain::Bits(p)) => Ok((q.clone(), ntt_prime_chain(p, cyclotomic, q)?)),
        (ModulusChain::Bits(q_bits), ModulusChain::Bits(p_bits)) => {
            let sizes: Vec<u8> = q_bits.iter().chain(p_bits).copied().collect();
            let mut q = ntt_prime_chain(&sizes, cyclotomic, &[])?;
            let p = q.split_off(q_bits.len());
            Ok((q, p))
        }
    }
}

fn check_primes(q: &[u64], p: &[u64], cyclotomic: LogN) -> Result<(), ParamsError> {
    let mut sorted: Vec<u64> = q.iter().chain(p).copied().collect();
    for &prime in &sorted {
        if prime >> MAX_PRIME_BITS != 0 {
            return Err(ParamsError::PrimeTooLarge { found: prime, max_bits: u32::from(MAX_PRIME_BITS) });
        }
        if !is_prime(prime) {
            return Err(ParamsError::NotPrime { found: prime });
        }
        let order = 2 * cyclotomic.n() as u64;
        if prime % order != 1 {
            return Err(ParamsError::NotNttFriendly { found: prime, order });
        }
    }
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(ParamsError::RepeatedPrime { found: pair.first().copied().unwrap_or_default() }),
        None => Ok(()),
    }
}
