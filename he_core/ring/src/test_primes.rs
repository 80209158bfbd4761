//! Primes for tests.

use crate::roots::is_prime_vartime;

/// The `count` largest primes `1 mod 2^(log_n+1)` below `bound`, largest first.
pub(crate) fn primes_below(bound: u64, log_n: u32, count: usize) -> Vec<u64> {
    let step = 2u64 << log_n;
    let top = (bound - 2) / step * step + 1;
    let walk = (0..top / step).map(|i| top - i * step);
    walk.filter(|q| is_prime_vartime(*q)).take(count).collect()
}
