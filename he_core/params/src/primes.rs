//! NTT primes: primality, SEAL's walk, and primes near a target.
//!
//! Formula: a prime q splits X^N + 1 into linear factors exactly when q = 1 mod 2N.
//! Source: the walk is that of SEAL's `CoeffModulus::Create`, so the same bit sizes name the same primes.

use crate::{LogN, ParamsError};

/// Primes stay below 2^61, so that lazy sums of eight fit a 64-bit word.
pub const MAX_PRIME_BITS: u8 = 61;

fn mul_mod(a: u64, b: u64, m: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) % u128::from(m)) as u64
}

fn pow_mod(mut base: u64, mut exponent: u64, m: u64) -> u64 {
    let mut power = 1 % m;
    base %= m;
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = mul_mod(power, base, m);
        }
        base = mul_mod(base, base, m);
        exponent >>= 1;
    }
    power
}

/// Whether `n` is prime: Miller-Rabin with the first twelve primes as bases, which decides every `n` below 2^64
/// (J. Sorenson, J. Webster, Strong pseudoprimes to twelve prime bases, Mathematics of Computation 86, 2017).
pub fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    for p in BASES {
        if n.is_multiple_of(p) {
            return n == p;
        }
    }
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    BASES.into_iter().all(|base| {
        let mut x = pow_mod(base, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            x = mul_mod(x, x, n);
            x == n - 1
        })
    })
}

/// The first `count` primes of exactly `bits` bits met when walking down from 2^bits in steps of 2N, smallest first.
///
/// Errors: [`ParamsError::PrimeBits`] for a size no such prime can have, [`ParamsError::PrimesExhausted`] when there are too few.
pub fn ntt_primes(bits: u8, log_n: LogN, count: usize) -> Result<Vec<u64>, ParamsError> {
    ntt_primes_except(bits, log_n, count, &[])
}

/// As [`ntt_primes`], passing over the primes in `taken`.
pub fn ntt_primes_except(bits: u8, log_n: LogN, count: usize, taken: &[u64]) -> Result<Vec<u64>, ParamsError> {
    let min = log_n.get() + 2;
    if !(min..=MAX_PRIME_BITS).contains(&bits) {
        return Err(ParamsError::PrimeBits { bits, log_n, min, max: MAX_PRIME_BITS });
    }
    let step = 2 * log_n.n() as u64;
    let floor = 1u64 << (bits - 1);
    let mut candidate = ((1u64 << bits) - 1) / step * step + 1;
    let mut found = Vec::new();
    while found.len() < count && candidate > floor {
        if !taken.contains(&candidate) && is_prime(candidate) {
            found.push(candidate);
        }
        candidate -= step;
    }
    if found.len() < count {
        return Err(ParamsError::PrimesExhausted { bits, log_n, found: found.len(), wanted: count });
    }
    found.reverse();
    Ok(found)
}

/// Primes for a list of bit sizes, in the order of the list: each size's primes are handed out smallest first, as SEAL does.
pub fn ntt_prime_chain(bits: &[u8], log_n: LogN, taken: &[u64]) -> Result<Vec<u64>, ParamsError> {
    let mut sizes = bits.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    let mut supply = Vec::with_capacity(sizes.len());
    for size in sizes {
        let count = bits.iter().filter(|&&b| b == size).count();
        supply.push((size, ntt_primes_except(size, log_n, count, taken)?.into_iter()));
    }
    Ok(bits
        .iter()
        .filter_map(|b| supply.iter_mut().find(|(size, _)| size == b).and_then(|(_, primes)| primes.next()))
        .collect())
}

/// On which side of a target [`nearest_ntt_prime`] may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At or below the target.
    Below,
    /// At or above the target.
    Above,
    /// Whichever is nearer in absolute difference; below on a tie.
    Either,
}

/// The NTT prime nearest to `target`, not in `taken` and below 2^61; `None` when the walk finds none.
pub fn nearest_ntt_prime(target: u64, log_n: LogN, side: Side, taken: &[u64]) -> Option<u64> {
    let step = 2 * log_n.n() as u64;
    let limit = 1u64 << MAX_PRIME_BITS;
    let accept = |q: u64| q < limit && !taken.contains(&q) && is_prime(q);
    let below = || {
        let mut q = (target.min(limit).checked_sub(1)? / step) * step + 1;
        while q > 1 && !accept(q) {
            q -= step;
        }
        (q > 1).then_some(q)
    };
    let above = || {
        let mut q = target.max(2).checked_sub(1)?.div_ceil(step).checked_mul(step)?.checked_add(1)?;
        while q < limit && !accept(q) {
            q += step;
        }
        (q < limit).then_some(q)
    };
    match side {
        Side::Below => below(),
        Side::Above => above(),
        Side::Either => match (below(), above()) {
            (Some(b), Some(a)) if a - target < target - b => Some(a),
            (Some(b), _) => Some(b),
            (None, a) => a,
        },
    }
}
