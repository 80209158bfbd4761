//! Everything that can be wrong with parameters.

#![expect(missing_docs, reason = "the fields are what the message beside them names")]

use crate::{LogN, SecurityBits, SecurityTable};

/// Why a parameter literal, or one of its values, was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The ring degree is outside what exists here.
    #[error("log2 of the ring degree is {found}, expected {min} to {max}")]
    LogN { found: u8, min: u8, max: u8 },
    /// A scale must be finite and positive.
    #[error("scale {found} is not finite and positive")]
    Scale { found: f64 },
    /// log2 of the default scale does not fit below the ciphertext modulus.
    #[error(
        "log2 of the scale is {found}, expected more than 0 and less than the {log_q:.1} bits of the ciphertext modulus"
    )]
    LogScale { found: f64, log_q: f64 },
    /// A Galois element must be odd and below 2N.
    #[error("galois element {found} is not an odd number below 2N for N = {log_n}")]
    GaloisElement { found: u32, log_n: LogN },
    /// There is no ciphertext prime.
    #[error("the ciphertext modulus has no prime")]
    NoPrimes,
    /// Too many primes in all.
    #[error("{found} primes in the chain, at most {max}")]
    TooManyPrimes { found: usize, max: usize },
    /// A prime is too large for the arithmetic.
    #[error("modulus {found} is not below 2^{max_bits}")]
    PrimeTooLarge { found: u64, max_bits: u32 },
    /// A modulus is not prime.
    #[error("modulus {found} is not prime")]
    NotPrime { found: u64 },
    /// A prime does not split the ring.
    #[error("prime {found} is not 1 modulo {order}: it has no root of unity of that order")]
    NotNttFriendly { found: u64, order: u64 },
    /// The same prime twice.
    #[error("prime {found} appears more than once in the chain")]
    RepeatedPrime { found: u64 },
    /// A bit size for which no prime can exist.
    #[error("no NTT prime of {bits} bits for N = {log_n}: expected {min} to {max} bits")]
    PrimeBits { bits: u8, log_n: LogN, min: u8, max: u8 },
    /// Fewer primes of that size exist than were asked for.
    #[error("only {found} of {wanted} NTT primes of {bits} bits exist for N = {log_n}")]
    PrimesExhausted { bits: u8, log_n: LogN, found: usize, wanted: usize },
    /// Key switching digits need at least one prime each.
    #[error("{found} primes to a key switching digit, expected 1 to {max}")]
    PrimesPerDigit { found: u8, max: usize },
    /// A Hamming weight that no secret of this degree can have.
    #[error("hamming weight {found} of the secret, expected 1 to N = {log_n}")]
    HammingWeight { found: u32, log_n: LogN },
    /// No table covers sparse secrets.
    #[error("a secret of hamming weight {found} has no published bound here: state security \"insecure\" to use it")]
    SparseSecret { found: u32 },
    /// The table has no entry for this degree and level.
    #[error("N = {log_n}: no bound known for {required} bits of security in the {table}")]
    NoBoundKnown { log_n: LogN, required: SecurityBits, table: SecurityTable },
    /// The modulus is too large for the security asked for.
    #[error(
        "N = {log_n}: log2(QP) is {found:.2} bits, the {table} allows at most {bound} for {required} bits of security"
    )]
    Insecure { log_n: LogN, found: f64, bound: u32, required: SecurityBits, table: SecurityTable },
    /// No ring of that name.
    #[error("unknown ring {found:?}, expected cyclotomic or conjugate-invariant")]
    UnknownRing { found: String },
    /// No preset of that name.
    #[error("unknown preset {found:?}, known: {known}")]
    UnknownPreset { found: String, known: String },
}
