//! Damage to files, the same for the same number: what loaders are tested with.
//!
//! Half of it goes into the fields of an object, which are then packed as SEAL would (none, zlib or zstd, the size in the header right), so
//! that it reaches the checks behind the decompressors; the other half into the packed file.
//!
//! A module of the tests here and of `bindings/seal/bridge`.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Write;

use flate2::write::ZlibEncoder;
use seal_format::{Compression, Header, Reader, Version};

/// Numbers that lengths and counts get.
const LARGE: [u64; 10] = [0, 1, 2, 255, 1 << 16, 1 << 31, 1 << 32, 1 << 61, 1 << 63, u64::MAX];

/// The most bytes that a bomb decompresses to, beyond its object.
const BOMB: usize = 1 << 22;

/// A damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutated {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// What was done, in words.
    pub(crate) what: Vec<&'static str>,
}

/// SplitMix64: enough to choose.
struct Choice(u64);

impl Choice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, 0 of none.
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// A place among `n`, often one of the first 256, where the lengths are.
    fn place(&mut self, n: usize) -> usize {
        let n = if self.below(2) == 0 { n.min(256) } else { n };
        self.below(n)
    }

    fn of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        let i = self.below(all.len());
        all.get(i).copied().unwrap_or_default()
    }
}

/// Damage number `number` to `file`, an uncompressed file of SEAL.
pub(crate) fn mutate(file: &[u8], number: u64) -> Mutated {
    let mut choice = Choice(number.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ file.len() as u64);
    let mut what = Vec::new();
    let version = Header::read(file, Reader::Known).map_or(Version::DEFAULT, |header| header.version);
    let mut fields = file.get(Header::LEN..).unwrap_or_default().to_vec();
    let inside = choice.below(2) == 0;
    if inside {
        for _ in 0..=choice.below(3) {
            what.push(damage(&mut choice, &mut fields));
        }
    }
    if choice.below(64) == 0 {
        what.push("inflated by zeros");
        fields.resize(fields.len() + choice.below(BOMB), 0);
    }
    let compression = Compression::ALL.get(choice.below(3)).copied().unwrap_or(Compression::None);
    let mut bytes = pack(&fields, compression, version).unwrap_or_else(|_| file.to_vec());
    if !inside || choice.below(8) == 0 {
        for _ in 0..=choice.below(3) {
            what.push(damage(&mut choice, &mut bytes));
        }
    }
    Mutated { bytes, what }
}

/// The fields as an object that states its own length.
fn pack(fields: &[u8], compression: Compression, version: Version) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; Header::LEN];
    match compression {
        Compression::None => bytes.extend(fields),
        Compression::Zlib => {
            let mut encoder = ZlibEncoder::new(&mut bytes, flate2::Compression::default());
            encoder.write_all(fields)?;
            encoder.finish()?;
        }
        Compression::Zstd => bytes.extend(zstd::bulk::compress(fields, 3)?),
    }
    let header = Header { version, compression, size: bytes.len() as u64 };
    bytes.iter_mut().zip(header.to_bytes()).for_each(|(byte, value)| *byte = value);
    Ok(bytes)
}

/// One thing done to `bytes`, in words.
fn damage(choice: &mut Choice, bytes: &mut Vec<u8>) -> &'static str {
    let at = choice.place(bytes.len());
    match choice.below(9) {
        0 => {
            bytes.truncate(at);
            "cut"
        }
        1 | 2 => {
            for _ in 0..=choice.below(4) {
                let (at, bit) = (choice.place(bytes.len()), choice.below(8));
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            "bits flipped"
        }
        3 => {
            let value = choice.of(&LARGE);
            put(bytes, at, value);
            "a word replaced"
        }
        4 => {
            // A length or a count, somewhat larger or smaller.
            let word = bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
            let value = match choice.below(4) {
                0 => word.wrapping_add(1),
                1 => word.wrapping_sub(1),
                2 => word.wrapping_shl(1 + choice.below(32) as u32),
                _ => word.wrapping_add(8 << choice.below(40)),
            };
            put(bytes, at, value);
            "a word changed"
        }
        5 => {
            let byte = choice.next() as u8;
            bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte);
            "a byte replaced"
        }
        6 => {
            let length = choice.below(32).min(bytes.len() - at);
            bytes.drain(at..at + length);
            "bytes removed"
        }
        7 => {
            let extra: Vec<u8> = (0..choice.below(32)).map(|_| choice.next() as u8).collect();
            bytes.splice(at..at, extra);
            "bytes inserted"
        }
        _ => {
            let from = choice.place(bytes.len());
            let length = choice.below(64).min(bytes.len() - from);
            let copy: Vec<u8> = bytes.iter().skip(from).take(length).copied().collect();
            bytes.iter_mut().skip(at).zip(copy).for_each(|(old, new)| *old = new);
            "bytes copied"
        }
    }
}

fn put(bytes: &mut [u8], at: usize, word: u64) {
    bytes.iter_mut().skip(at).zip(word.to_le_bytes()).for_each(|(old, new)| *old = new);
}
