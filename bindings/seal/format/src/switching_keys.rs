//! Keys for switching: relinearization keys and Galois keys.
//!
//! Layout: parms_id of the key level, u64 d1, then d1 times: u64 d2, d2 public keys with their own headers. d2 is 0 where there is no key,
//! else the number of data primes. Component `j` of a key for `t` is an encryption of zero with `P t_j` added in row `j` of polynomial 0, P being the
//! special prime.
//! Source: SEAL 4.1.2, `KSwitchKeys::load_members`, `relinkeys.h`, `galoiskeys.h`, `valcheck.cpp`.

use rayon::prelude::*;

use crate::ciphertext::PublicKey;
use crate::object::sealed::{self, Body};
use crate::object::{Load, Save, load_body, longest};
use crate::parameters::{check_count, check_range};
use crate::rows;
use crate::sink::Sink;
use crate::source::{Part, Source};
use crate::{Context, FormatError, Header, ParmsId};

/// What keys are made of.
const COMPONENT: &str = "PublicKey";

/// SEAL's `KSwitchKeys`: a list of keys, each a list of components, empty where there is no key.
#[derive(Clone, Debug, PartialEq)]
struct KSwitchKeys {
    parms_id: ParmsId,
    keys: Vec<Vec<PublicKey>>,
}

impl KSwitchKeys {
    fn new(context: &Context, keys: Vec<Vec<PublicKey>>, max: u64) -> Result<Self, FormatError> {
        check_range("keys_dim1", keys.len() as u64, 0, max)?;
        let parms_id = context.key_parms_id();
        for (index, key) in keys.iter().enumerate() {
            check_components(context, key.len() as u64)?;
            // Made for some context; it has to be this one.
            for (component, public) in key.iter().enumerate() {
                let found = public.as_ciphertext().metadata().parms_id;
                if found != parms_id {
                    let source = FormatError::NotKeyLevel { field: "PublicKey", found, expected: parms_id };
                    return Err(in_key(index, component, source));
                }
            }
        }
        Ok(Self { parms_id, keys })
    }

    fn read(source: &mut Source, context: &Context, field: &'static str, max: u64) -> Result<Self, FormatError> {
        let expected = context.key_parms_id();
        let parms_id = rows::parms_id(source)?;
        if parms_id != expected {
            return Err(FormatError::NotKeyLevel { field, found: parms_id, expected });
        }
        let count = source.u64("keys_dim1")?;
        check_range("keys_dim1", count, 0, max)?;
        let mut keys = Vec::with_capacity(count as usize);
        // Components that are read on their own, all at once: what has to be decompressed is read in its turn.
        let mut parts = Vec::new();
        let mut held = 0;
        for index in 0..count as usize {
            let components = source.u64("keys_dim2")?;
            check_components(context, components)?;
            let mut key = Vec::with_capacity(components as usize);
            for component in 0..components as usize {
                held += component_len(context);
                check_bound(source, context, held)?;
                match source.part(COMPONENT).map_err(|source| in_key(index, component, source))? {
                    Some(part) => parts.push((index, component, part)),
                    None => key.push(
                        source
                            .nested(COMPONENT, |source, version| PublicKey::read(source, version, context))
                            .map_err(|source| in_key(index, component, source))?,
                    ),
                }
            }
            keys.push(key);
        }
        let read = |(index, component, part): (usize, usize, Part)| {
            let public = part.read(COMPONENT, |source, version| PublicKey::read(source, version, context));
            (index, public.map_err(|source| in_key(index, component, source)))
        };
        // In order: the first one that is wrong is reported, whichever thread comes first.
        for (index, public) in parts.into_par_iter().map(read).collect::<Vec<_>>() {
            let public = public?;
            if let Some(key) = keys.get_mut(index) {
                key.push(public);
            }
        }
        Ok(Self { parms_id, keys })
    }

    /// The most bytes of the fields of so many keys.
    fn max_body_len(context: &Context, keys: usize) -> usize {
        let key = context.data_prime_count() * (Header::LEN + PublicKey::max_body_len(context));
        32 + 8 + keys.saturating_mul(8 + key)
    }

    fn body_len(&self) -> usize {
        let component = |public: &PublicKey| Header::LEN + public.body_len();
        let key = |key: &Vec<PublicKey>| 8 + key.iter().map(component).sum::<usize>();
        32 + 8 + self.keys.iter().map(key).sum::<usize>()
    }

    fn write(&self, sink: &mut Sink) {
        sink.words(&self.parms_id.words());
        sink.u64(self.keys.len() as u64);
        for key in &self.keys {
            sink.u64(key.len() as u64);
            for public in key {
                sink.header(Header::LEN + public.body_len());
                public.write(sink);
            }
        }
    }

    fn key(&self, index: usize) -> Option<&[PublicKey]> {
        self.keys.get(index).map(Vec::as_slice).filter(|key| !key.is_empty())
    }
}

fn in_key(index: usize, component: usize, source: FormatError) -> FormatError {
    FormatError::Key { index, component, source: Box::new(source) }
}

/// No key, or one component for each data prime.
fn check_components(context: &Context, found: u64) -> Result<(), FormatError> {
    if found == 0 { Ok(()) } else { check_count("keys_dim2", found, context.data_prime_count() as u64) }
}

/// Bytes that one component takes in memory.
fn component_len(context: &Context) -> u64 {
    16 * (context.degree() * context.key_prime_count()) as u64
}

/// The most bytes of keys that `input` bytes can stand for.
///
/// Half of a key is uniform, whatever the other half is expanded from, so it cannot be compressed below `log2 q` bits for a residue
/// that takes 64 in memory: `input * 2 * 64 / floor(log2 q)` for the smallest prime q, and one component.
pub(crate) fn memory_bound(context: &Context, input: u64) -> u64 {
    let bits = context.primes().iter().map(|q| q.ilog2()).min().unwrap_or(1).max(1);
    input.saturating_mul(2 * u64::from(u64::BITS)) / u64::from(bits) + component_len(context)
}

fn check_bound(source: &Source, context: &Context, found: u64) -> Result<(), FormatError> {
    let input = source.input();
    let bound = memory_bound(context, input);
    if found > bound { Err(FormatError::Inflated { found, input, bound }) } else { Ok(()) }
}

/// SEAL's `RelinKeys`: keys for the powers of s from the second on.
///
/// Memory: at most what uniform residues of as many bytes as the input had can take, `128 / log2 q` times its length for the smallest prime
/// q, and one component; beside the residues of each component up to 1 KiB.
#[derive(Clone, Debug, PartialEq)]
pub struct RelinKeys(KSwitchKeys);

/// Powers of s up to the 15th.
const MAX_POWERS: u64 = 14;

impl RelinKeys {
    /// Keys for `s^2, s^3, ..`, one component for each data prime.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, keys: Vec<Vec<PublicKey>>) -> Result<Self, FormatError> {
        KSwitchKeys::new(context, keys, MAX_POWERS).map(Self)
    }

    /// The components of the key for `s^power`, if there is one; `power` is at least 2.
    pub fn key(&self, power: usize) -> Option<&[PublicKey]> {
        self.0.key(power.checked_sub(2)?)
    }

    /// The keys for `s^2, s^3, ..`; empty where there is none.
    pub fn keys(&self) -> &[Vec<PublicKey>] {
        &self.0.keys
    }

    /// The keys, given away.
    pub fn into_keys(self) -> Vec<Vec<PublicKey>> {
        self.0.keys
    }
}

impl sealed::Sealed for RelinKeys {}

impl Load for RelinKeys {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("RelinKeys", bytes, context.reader(), |source, _| {
            KSwitchKeys::read(source, context, "RelinKeys", MAX_POWERS).map(Self)
        })
    }

    fn max_len(context: &Context) -> u64 {
        longest(KSwitchKeys::max_body_len(context, MAX_POWERS as usize))
    }
}

impl Save for RelinKeys {}

impl Body for RelinKeys {
    fn body_len(&self) -> usize {
        self.0.body_len()
    }

    fn write(&self, sink: &mut Sink) {
        self.0.write(sink);
    }
}

/// SEAL's `GaloisKeys`: keys for the automorphisms `X -> X^g`, that for `g` in place `(g - 1) / 2` of N.
///
/// Memory: as [`RelinKeys`], and 24 N bytes for the places.
#[derive(Clone, Debug, PartialEq)]
pub struct GaloisKeys(KSwitchKeys);

impl GaloisKeys {
    /// Keys in their places, at most N; one component for each data prime, none where there is no key.
    ///
    /// # Errors
    /// As [`Load::load`].
    pub fn new(context: &Context, keys: Vec<Vec<PublicKey>>) -> Result<Self, FormatError> {
        KSwitchKeys::new(context, keys, context.degree() as u64).map(Self)
    }

    /// The components of the key for Galois element `g`, if there is one.
    pub fn key(&self, g: u32) -> Option<&[PublicKey]> {
        if g % 2 == 1 { self.0.key((g / 2) as usize) } else { None }
    }

    /// The Galois elements that there are keys for, smallest first.
    pub fn elements(&self) -> impl Iterator<Item = u32> {
        // At most N places, so an element has 18 bits.
        (0u32..).zip(&self.0.keys).filter(|(_, key)| !key.is_empty()).map(|(place, _)| 2 * place + 1)
    }

    /// The keys in their places; empty where there is none.
    pub fn keys(&self) -> &[Vec<PublicKey>] {
        &self.0.keys
    }

    /// The keys, given away.
    pub fn into_keys(self) -> Vec<Vec<PublicKey>> {
        self.0.keys
    }
}

impl sealed::Sealed for GaloisKeys {}

impl Load for GaloisKeys {
    fn load(bytes: &[u8], context: &Context) -> Result<(Self, usize), FormatError> {
        load_body("GaloisKeys", bytes, context.reader(), |source, _| {
            KSwitchKeys::read(source, context, "GaloisKeys", context.degree() as u64).map(Self)
        })
    }

    fn max_len(context: &Context) -> u64 {
        longest(KSwitchKeys::max_body_len(context, context.degree()))
    }
}

impl Save for GaloisKeys {}

impl Body for GaloisKeys {
    fn body_len(&self) -> usize {
        self.0.body_len()
    }

    fn write(&self, sink: &mut Sink) {
        self.0.write(sink);
    }
}
