//! Seeds, and the uniform polynomial each stands for.
//!
//! Formula: a stream of 4096-byte buffers, number `c = 0, 1, ..` being `BLAKE2Xb(key = seed, message = c)` or `SHAKE256(seed || c)`.
//! A word `w` is uniform modulo q below the bound `2^64 - 1 - ((2^64 - 1) mod q) - 1` and becomes `w mod q`. Since SEAL 3.6 the N·L words of a
//! polynomial come first, prime after prime, and what takes the place of a refused one comes after all of them. SEAL 3.5 drew word after word, from
//! two 32-bit halves, the high one first; SEAL 3.4 so too, out of 63 bits.
//! Source: SEAL 4.1.2, `randomgen.cpp`, `sample_poly_uniform`, `sample_poly_uniform_seal_3_4` and `_3_5` in `util/rlwe.cpp`.

use std::fmt;

use rayon::prelude::*;
use sha3::Shake256;
use sha3::digest::{ExtendableOutput, Update, XofReader};

use crate::blake2::blake2xb;
use crate::sink::Sink;
use crate::source::Source;
use crate::{FormatError, Version};

/// Words of one buffer.
const BUFFER: usize = 512;
/// Bytes of a seed.
const SEED: usize = 64;

/// SEAL's generators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generator {
    /// BLAKE2Xb, what SEAL uses unless built otherwise.
    Blake2xb,
    /// SHAKE256.
    Shake256,
}

impl Generator {
    const fn byte(self) -> u8 {
        match self {
            Generator::Blake2xb => 1,
            Generator::Shake256 => 2,
        }
    }
}

impl fmt::Display for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Generator::Blake2xb => "blake2xb",
            Generator::Shake256 => "shake256",
        })
    }
}

/// SEAL's `UniformRandomGeneratorInfo`: what the second polynomial of a seeded ciphertext is expanded from. It is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed {
    /// Which generator.
    pub generator: Generator,
    /// Its 64 bytes, as little-endian words.
    pub words: [u64; 8],
}

/// Which version of SEAL drew the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Draw {
    Since36,
    Seal35,
    Seal34,
}

impl Seed {
    /// Bytes of a saved seed, its header included.
    pub(crate) const SAVED_LEN: usize = crate::Header::LEN + 1 + SEED;

    /// The polynomial it stands for under `primes`, in the form that its ciphertext has: for CKKS the NTT form. Row after row, `degree`
    /// words each, every one below its prime. `version` is that of the object the seed was found in.
    pub fn expand(&self, version: Version, degree: usize, primes: &[u64]) -> Vec<u64> {
        let mut out = vec![0; degree * primes.len()];
        self.expand_into(version, degree, primes, &mut out);
        out
    }

    /// As [`Seed::expand`], into `degree * primes.len()` words.
    pub(crate) fn expand_into(&self, version: Version, degree: usize, primes: &[u64], out: &mut [u64]) {
        let draw = match (version.major, version.minor) {
            (3, 4) => Draw::Seal34,
            (3, 5) => Draw::Seal35,
            _ => Draw::Since36,
        };
        if draw == Draw::Since36 {
            // Whole buffers are independent of each other.
            out.par_chunks_mut(BUFFER).enumerate().for_each(|(counter, words)| self.fill(counter as u64, words));
        }
        let drawn = if draw == Draw::Since36 { out.len() } else { 0 };
        let mut stream = Words::after(self, drawn);
        for (row, q) in out.chunks_mut(degree.max(1)).zip(primes) {
            let most = if draw == Draw::Seal34 { i64::MAX as u64 } else { u64::MAX };
            let bound = most - most % q - 1;
            for word in row {
                let mut drawn = match draw {
                    Draw::Since36 => *word,
                    _ => stream.draw(draw),
                };
                while drawn >= bound {
                    drawn = stream.draw(draw);
                }
                *word = drawn % q;
            }
        }
    }

    /// The first words of buffer number `counter`.
    fn fill(&self, counter: u64, out: &mut [u64]) {
        match self.generator {
            Generator::Blake2xb => {
                // The length of the output goes into it, so a part of a buffer is the part of a whole one.
                let mut buffer = [0; BUFFER];
                match <&mut [u64; BUFFER]>::try_from(&mut *out) {
                    Ok(whole) => blake2xb(&self.words, counter, whole),
                    Err(_) => {
                        blake2xb(&self.words, counter, &mut buffer);
                        out.iter_mut().zip(buffer).for_each(|(out, word)| *out = word);
                    }
                }
            }
            Generator::Shake256 => {
                let mut hasher = Shake256::default();
                self.words.iter().chain([&counter]).for_each(|word| hasher.update(&word.to_le_bytes()));
                hasher.finalize_xof().read(bytemuck::cast_slice_mut(out));
                if cfg!(target_endian = "big") {
                    out.iter_mut().for_each(|word| *word = word.swap_bytes());
                }
            }
        }
    }

    /// Reads type and seed, in the envelope that SEAL 3.6 and later put around them.
    pub(crate) fn read(source: &mut Source, version: Version) -> Result<Seed, FormatError> {
        if version < (Version { major: 3, minor: 6 }) {
            return Seed::read_words(source, Generator::Blake2xb);
        }
        source.nested("prng_info", |source, _| {
            let generator = match source.u8("prng_type")? {
                1 => Generator::Blake2xb,
                2 => Generator::Shake256,
                found => return Err(FormatError::Generator { found }),
            };
            Seed::read_words(source, generator)
        })
    }

    fn read_words(source: &mut Source, generator: Generator) -> Result<Seed, FormatError> {
        let mut words = [0; SEED / 8];
        source.words("prng_seed", &mut words)?;
        Ok(Seed { generator, words })
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        sink.header(Self::SAVED_LEN);
        sink.bytes(&[self.generator.byte()]);
        sink.words(&self.words);
    }
}

/// The stream of a seed from some word on.
struct Words<'a> {
    seed: &'a Seed,
    buffer: [u64; BUFFER],
    /// Number of the next buffer.
    counter: u64,
    /// Place of the next word; `BUFFER` when there is none.
    next: usize,
}

impl<'a> Words<'a> {
    fn after(seed: &'a Seed, words: usize) -> Self {
        let mut stream = Self { seed, buffer: [0; BUFFER], counter: (words / BUFFER) as u64, next: BUFFER };
        if !words.is_multiple_of(BUFFER) {
            stream.refill();
            stream.next = words % BUFFER;
        }
        stream
    }

    fn refill(&mut self) {
        self.seed.fill(self.counter, &mut self.buffer);
        (self.counter, self.next) = (self.counter + 1, 0);
    }

    fn draw(&mut self, draw: Draw) -> u64 {
        if self.next == BUFFER {
            self.refill();
        }
        let word = self.buffer.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        let (first, second) = (word & 0xffff_ffff, word >> 32);
        match draw {
            Draw::Since36 => word,
            Draw::Seal35 => first << 32 | second,
            Draw::Seal34 => first << 31 | second >> 1,
        }
    }
}
