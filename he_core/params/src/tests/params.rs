//! Literals, what becomes of them, and the security tables.

use crate::*;

fn chain(bits: &[u8]) -> ModulusChain {
    ModulusChain::Bits(bits.to_vec())
}

#[test]
fn bits_become_seals_primes_special_last() {
    let literal = CkksParamsLiteral::new(13, chain(&[30; 6]), chain(&[30]), 30.0);
    let params = CkksParams::try_from(literal.clone()).unwrap();
    assert_eq!(params.p(), [1073692673]);
    assert_eq!(params.q()[0], 1073184769);
    assert_eq!(params.q_at(Level::new(1)), &params.q()[..2]);
    assert_eq!((params.n(), params.slots(), params.max_level()), (8192, 4096, Level::new(5)));
    assert_eq!(params.literal(), &literal);
    let report = params.security_report();
    assert_eq!((report.bits, report.bound), (128, Some(214)));
    assert!((report.log_qp - 7.0 * 30.0).abs() < 0.01);
}

#[test]
fn canonical_bytes_see_primes_not_their_spelling() {
    let by_bits = CkksParamsLiteral::new(13, chain(&[30, 30]), chain(&[30]), 20.0);
    let params = CkksParams::try_from(by_bits.clone()).unwrap();
    let by_primes = CkksParamsLiteral {
        q: ModulusChain::Primes(params.q().to_vec()),
        p: ModulusChain::Primes(params.p().to_vec()),
        table: SecurityTable::HeStandard2018,
        ..by_bits.clone()
    };
    let bytes = |literal: CkksParamsLiteral| CkksParams::try_from(literal).unwrap().canonical_bytes();
    assert_eq!(bytes(by_bits.clone()), bytes(by_primes));
    for other in [
        CkksParamsLiteral { log_n: 12, security: RequiredSecurity::Insecure, ..by_bits.clone() },
        CkksParamsLiteral { q: chain(&[30]), p: chain(&[30, 30]), ..by_bits.clone() },
        CkksParamsLiteral { error: ErrorDistribution::RoundedGaussian, ..by_bits.clone() },
        CkksParamsLiteral { primes_per_digit: 2, ..by_bits.clone() },
        CkksParamsLiteral { ring: RingType::ConjugateInvariant, ..by_bits.clone() },
        CkksParamsLiteral {
            secret: SecretDistribution::HammingWeight(64),
            security: RequiredSecurity::Insecure,
            ..by_bits.clone()
        },
    ] {
        assert_ne!(bytes(by_bits.clone()), bytes(other));
    }
}

#[test]
fn primes_of_the_conjugate_invariant_ring_have_larger_roots() {
    let literal = CkksParamsLiteral {
        ring: RingType::ConjugateInvariant,
        ..CkksParamsLiteral::new(12, chain(&[30, 30]), chain(&[30]), 25.0)
    };
    let params = CkksParams::try_from(literal.clone()).unwrap();
    assert_eq!((params.n(), params.slots()), (4096, 4096));
    assert!(params.q().iter().chain(params.p()).all(|q| q % (4 * 4096) == 1));
    // Security is that of the ring's own degree.
    assert_eq!((params.security_report().bits, params.security_report().bound), (128, Some(106)));
    let text = serde_json::to_string(&literal).unwrap();
    assert!(text.starts_with(r#"{"ring":"conjugate_invariant","log_n":12,"#), "{text}");
    assert_eq!(serde_json::from_str::<CkksParamsLiteral>(&text).unwrap(), literal);
    let plain = CkksParamsLiteral { ring: RingType::Cyclotomic, ..literal.clone() };
    assert!(!serde_json::to_string(&plain).unwrap().contains("ring"));
    // 1 modulo 2N and not modulo 4N.
    let small = (1..).map(|k| 8192 * (2 * k + 1) + 1).find(|q| primes::is_prime(*q)).unwrap();
    let refused = CkksParams::try_from(CkksParamsLiteral { q: ModulusChain::Primes(vec![small]), ..literal });
    assert_eq!(refused, Err(ParamsError::NotNttFriendly { found: small, order: 16384 }));
}

#[test]
fn json_round_trips_and_has_defaults() {
    let short = r#"{"log_n": 12, "q": {"bits": [30, 22, 22]}, "p": {"primes": [1073668097]}, "log_scale": 22}"#;
    let literal: CkksParamsLiteral = serde_json::from_str(short).unwrap();
    assert_eq!(literal.security, RequiredSecurity::AtLeast(SecurityBits::Bits128));
    assert_eq!(literal.table, SecurityTable::Guidelines2024);
    let insecure = CkksParamsLiteral { security: RequiredSecurity::Insecure, ..literal.clone() };
    for literal in [literal, insecure] {
        let text = serde_json::to_string(&literal).unwrap();
        assert_eq!(serde_json::from_str::<CkksParamsLiteral>(&text).unwrap(), literal, "{text}");
    }
}

#[test]
fn json_refuses_what_it_does_not_know() {
    let parse = |text: &str| serde_json::from_str::<CkksParamsLiteral>(text).unwrap_err().to_string();
    let unknown = parse(r#"{"log_n": 12, "q": {"bits": [30]}, "log_scale": 22, "scale": 3}"#);
    assert!(unknown.contains("unknown field `scale`"), "{unknown}");
    let level = parse(r#"{"log_n": 12, "q": {"bits": [30]}, "log_scale": 22, "security": 100}"#);
    assert!(level.contains("security is 100"), "{level}");
    assert!(parse(r#"{"log_n": 12, "log_scale": 22}"#).contains("missing field `q`"));
}

#[test]
fn tables_grow_with_the_degree_and_shrink_with_the_level() {
    for table in [SecurityTable::Guidelines2024, SecurityTable::HeStandard2018] {
        for bits in SecurityBits::ALL {
            let bounds: Vec<u32> = (10..=16).filter_map(|n| table.max_log_qp(LogN::new(n).unwrap(), bits)).collect();
            assert!(
                bounds.windows(2).all(|w| 2 * w[0] < w[1] + 4 && w[1] <= 2 * w[0] + 12),
                "{table} {bits}: {bounds:?}"
            );
        }
        for n in 10..=16 {
            let log_n = LogN::new(n).unwrap();
            let row: Vec<u32> = SecurityBits::ALL.iter().filter_map(|&b| table.max_log_qp(log_n, b)).collect();
            assert!(row.is_sorted_by(|a, b| a > b), "{table} {log_n}: {row:?}");
        }
    }
}

#[test]
fn tables_differ_where_they_should() {
    let bound = |table: SecurityTable, n| table.max_log_qp(LogN::new(n).unwrap(), SecurityBits::Bits128);
    let rows = |table| (10..=16).map(|n| bound(table, n).unwrap_or(0)).collect::<Vec<_>>();
    assert_eq!(rows(SecurityTable::Guidelines2024), [26, 53, 106, 214, 430, 868, 1747]);
    assert_eq!(rows(SecurityTable::HeStandard2018), [27, 54, 109, 218, 438, 881, 0]);
    assert_eq!(bound(SecurityTable::Guidelines2024, 9), None);
}

#[test]
fn reports_say_what_is_granted() {
    let smallest = SecurityTable::Guidelines2024.smallest_log_n(214.1, SecurityBits::Bits128);
    assert_eq!(smallest, Some(LogN::new(14).unwrap()));
    let table = SecurityTable::Guidelines2024;
    assert_eq!(table.granted(LogN::new(13).unwrap(), 114.0), Some(SecurityBits::Bits256));
    assert_eq!(table.granted(LogN::new(13).unwrap(), 114.1), Some(SecurityBits::Bits192));
    let literal = CkksParamsLiteral {
        security: RequiredSecurity::Insecure,
        ..CkksParamsLiteral::new(5, chain(&[30]), chain(&[]), 20.0)
    };
    let report = CkksParams::try_from(literal).unwrap().security_report();
    assert_eq!((report.bits, report.bound), (0, None));
    assert!(report.to_string().starts_with("INSECURE"), "{report}");
}
