//! Published parameter choices by name: the configurations that HE-Transformer ships.
//!
//! A name `N13_L7` means N = 2^13 and seven primes, the last of which is special when there is more than one.
//!
//! | name | log2 N | bits of q | bits of p | log2 QP | scale | security |
//! |---|---|---|---|---|---|---|
//! | `N11_L1` | 11 | 54 | | 54 | 2^23 | 128 (2018 table) |
//! | `N11_L1_small` | 11 | 30 | | 30 | 2^24 | 192 (2024 table) |
//! | `N11_L2` | 11 | 31 | 23 | 54 | 2^11 | 128 (2018 table) |
//! | `N11_L4_debug` | 11 | 30, 22, 22 | 30 | 104 | 2^22 | none: insecure |
//! | `N12_L4` | 12 | 30, 22, 22 | 30 | 104 | 2^22 | 128 (2024 table) |
//! | `N13_L5_gc` | 13 | 44, 24, 24, 24 | 30 | 146 | 2^24 | 192 (2024 table) |
//! | `N13_L7` | 13 | 30, 5 of 24 | 30 | 180 | 2^24 | 128 (2024 table) |
//! | `N13_L8` | 13 | 30, 6 of 24 | 30 | 204 | 2^24 | 128 (2024 table) |
//! | `N13_L9_debug` | 13 | 30, 7 of 24 | 30 | 228 | 2^24 | none: insecure |
//! | `N13_L10_debug` | 13 | 30, 8 of 24 | 30 | 252 | 2^24 | none: insecure |
//! | `N14_L10` | 14 | 30, 8 of 24 | 30 | 252 | 2^24 | 192 (2024 table) |
//!
//! Every preset asks for 128 bits, or for none. Where HE-Transformer's file states no scale, its rule is followed: the prime before the last,
//! a 4096th of the last of two, the square root of a 256th of a single one.
//! Source: the folder `configs` of HE-Transformer.

use crate::primes::ntt_prime_chain;
use crate::{CkksParamsLiteral, LogN, ModulusChain, ParamsError, RequiredSecurity, SecurityTable};

/// How a preset stands with the tables.
#[derive(Clone, Copy)]
enum Standing {
    Guidelines2024,
    HeStandard2018,
    Insecure,
}

struct Preset {
    name: &'static str,
    log_n: u8,
    bits: &'static [u8],
    log_scale: Option<f64>,
    standing: Standing,
}

use Standing::{Guidelines2024, HeStandard2018, Insecure};

const fn preset_of(
    name: &'static str,
    log_n: u8,
    bits: &'static [u8],
    log_scale: Option<f64>,
    standing: Standing,
) -> Preset {
    Preset { name, log_n, bits, log_scale, standing }
}

const PRESETS: [Preset; 11] = [
    preset_of("N11_L1", 11, &[54], None, HeStandard2018),
    preset_of("N11_L1_small", 11, &[30], Some(24.0), Guidelines2024),
    preset_of("N11_L2", 11, &[31, 23], None, HeStandard2018),
    preset_of("N11_L4_debug", 11, &[30, 22, 22, 30], None, Insecure),
    preset_of("N12_L4", 12, &[30, 22, 22, 30], None, Guidelines2024),
    preset_of("N13_L5_gc", 13, &[44, 24, 24, 24, 30], Some(24.0), Guidelines2024),
    preset_of("N13_L7", 13, &[30, 24, 24, 24, 24, 24, 30], Some(24.0), Guidelines2024),
    preset_of("N13_L8", 13, &[30, 24, 24, 24, 24, 24, 24, 30], None, Guidelines2024),
    preset_of("N13_L9_debug", 13, &[30, 24, 24, 24, 24, 24, 24, 24, 30], None, Insecure),
    preset_of("N13_L10_debug", 13, &[30, 24, 24, 24, 24, 24, 24, 24, 24, 30], None, Insecure),
    preset_of("N14_L10", 14, &[30, 24, 24, 24, 24, 24, 24, 24, 24, 30], None, Guidelines2024),
];

/// All names, smallest degree first.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|p| p.name)
}

/// The literal of that name.
///
/// # Errors
/// [`ParamsError::UnknownPreset`] names the known ones.
pub fn preset(name: &str) -> Result<CkksParamsLiteral, ParamsError> {
    let unknown = || ParamsError::UnknownPreset { found: name.into(), known: names().collect::<Vec<_>>().join(", ") };
    let preset = PRESETS.iter().find(|p| p.name == name).ok_or_else(unknown)?;
    let (q, p) = match preset.bits.split_last() {
        Some((last, rest)) if !rest.is_empty() => (rest.to_vec(), vec![*last]),
        _ => (preset.bits.to_vec(), vec![]),
    };
    let log_scale = match preset.log_scale {
        Some(log_scale) => log_scale,
        None => default_log_scale(preset)?,
    };
    let mut literal = CkksParamsLiteral::new(preset.log_n, ModulusChain::Bits(q), ModulusChain::Bits(p), log_scale);
    match preset.standing {
        Guidelines2024 => {}
        HeStandard2018 => literal.table = SecurityTable::HeStandard2018,
        Insecure => literal.security = RequiredSecurity::Insecure,
    }
    Ok(literal)
}

fn default_log_scale(preset: &Preset) -> Result<f64, ParamsError> {
    let primes = ntt_prime_chain(preset.bits, LogN::new(preset.log_n)?, &[])?;
    let log = |prime: u64| (prime as f64).log2();
    Ok(match primes.as_slice() {
        [only] => (log(*only) - 8.0) / 2.0,
        [_, last] => log(*last) - 12.0,
        [.., before_last, _] => log(*before_last),
        [] => return Err(ParamsError::NoPrimes),
    })
}
