//! Every refusal, provoked once, with its message.

use crate::primes::{ntt_primes, ntt_primes_except};
use crate::*;

fn literal() -> CkksParamsLiteral {
    CkksParamsLiteral::new(12, ModulusChain::Bits(vec![30, 30]), ModulusChain::Bits(vec![30]), 25.0)
}

fn refused(literal: CkksParamsLiteral) -> String {
    CkksParams::try_from(literal).unwrap_err().to_string()
}

fn primes(primes: &[u64]) -> ModulusChain {
    ModulusChain::Primes(primes.to_vec())
}

#[test]
fn literals() {
    let q = ntt_primes(30, LogN::new(12).unwrap(), 2).unwrap();
    let cases: [(CkksParamsLiteral, &str); 16] = [
        (CkksParamsLiteral { log_n: 17, ..literal() }, "log2 of the ring degree is 17, expected 1 to 16"),
        (CkksParamsLiteral { q: primes(&[]), ..literal() }, "the ciphertext modulus has no prime"),
        (CkksParamsLiteral { q: ModulusChain::Bits(vec![30; 64]), ..literal() }, "65 primes in the chain, at most 64"),
        (CkksParamsLiteral { q: primes(&[(1 << 61) + 1]), ..literal() }, "is not below 2^61"),
        (CkksParamsLiteral { q: primes(&[8192 * 7 + 1]), ..literal() }, "modulus 57345 is not prime"),
        (CkksParamsLiteral { q: primes(&[65537 + 2]), ..literal() }, "prime 65539 is not 1 modulo 8192"),
        (
            CkksParamsLiteral { q: primes(&[q[0], q[0]]), ..literal() },
            &format!("prime {} appears more than once in the chain", q[0]),
        ),
        (CkksParamsLiteral { q: ModulusChain::Bits(vec![62]), ..literal() }, "no NTT prime of 62 bits for N = 2^12"),
        (CkksParamsLiteral { primes_per_digit: 0, ..literal() }, "0 primes to a key switching digit, expected 1 to 2"),
        (CkksParamsLiteral { log_scale: 60.0, ..literal() }, "log2 of the scale is 60, expected more than 0"),
        (CkksParamsLiteral { log_scale: f64::NAN, ..literal() }, "log2 of the scale is NaN"),
        (
            CkksParamsLiteral { secret: SecretDistribution::HammingWeight(0), ..literal() },
            "hamming weight 0 of the secret, expected 1 to N = 2^12",
        ),
        (
            CkksParamsLiteral { secret: SecretDistribution::HammingWeight(64), ..literal() },
            "a secret of hamming weight 64 has no published bound",
        ),
        (
            CkksParamsLiteral { q: ModulusChain::Bits(vec![30; 3]), ..literal() },
            "N = 2^12: log2(QP) is 120.00 bits, the security guidelines of 2024 allows at most 106 for 128 bits",
        ),
        (CkksParamsLiteral { log_n: 9, ..literal() }, "N = 2^9: no bound known for 128 bits"),
        (
            CkksParamsLiteral { log_n: 16, table: SecurityTable::HeStandard2018, ..literal() },
            "N = 2^16: no bound known for 128 bits of security in the homomorphic encryption standard of 2018",
        ),
    ];
    for (literal, message) in cases {
        let found = refused(literal);
        assert!(found.contains(message), "{found:?} does not contain {message:?}");
    }
}

#[test]
fn values() {
    let log_n = LogN::new(4).unwrap();
    assert_eq!(Scale::new(0.0).unwrap_err().to_string(), "scale 0 is not finite and positive");
    assert!(Scale::new(f64::INFINITY).is_err());
    assert_eq!(LogN::new(0).unwrap_err().to_string(), "log2 of the ring degree is 0, expected 1 to 16");
    for g in [4, 33] {
        let error = GaloisElement::new(g, log_n).unwrap_err().to_string();
        assert_eq!(error, format!("galois element {g} is not an odd number below 2N for N = 2^4"));
    }
    assert!(presets::preset("N9_L1").unwrap_err().to_string().contains("known: N11_L1, "));
}

#[test]
fn prime_walks_end() {
    // Below 2^15 and 1 mod 2^14 stand only 1 and 2^14 + 1 = 5 * 29 * 113.
    let log_n = LogN::new(13).unwrap();
    let error = ntt_primes(15, log_n, 1).unwrap_err().to_string();
    assert_eq!(error, "only 0 of 1 NTT primes of 15 bits exist for N = 2^13");
    let seven = ntt_primes(20, log_n, 2).unwrap();
    assert!(ntt_primes_except(20, log_n, 32, &seven).is_err());
}
