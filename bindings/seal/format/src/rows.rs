//! Residues: polynomial after polynomial, prime after prime, N words each.

use crate::source::Source;
use crate::{Context, FormatError, ParmsId};

/// What the words of an object are, and how a bad one is reported.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) field: &'static str,
    pub(crate) degree: usize,
    /// Row `i` is modulo prime `i mod primes.len()`.
    pub(crate) primes: &'a [u64],
    /// Whether a residue may not be shown.
    pub(crate) secret: bool,
}

impl Rows<'_> {
    /// Room for `count` words, if so many can follow.
    pub(crate) fn reserve(self, source: &Source, count: usize) -> Result<Vec<u64>, FormatError> {
        source.expect("data", 8 * count as u64)?;
        Ok(vec![0; count])
    }

    /// Fills `words` and checks them while they are near.
    pub(crate) fn read(self, source: &mut Source, words: &mut [u64]) -> Result<(), FormatError> {
        for (row, words) in words.chunks_mut(self.degree).enumerate() {
            source.words("data", words)?;
            self.check_row(row, words)?;
        }
        Ok(())
    }

    /// Refuses a word that is not below its prime.
    pub(crate) fn check(self, words: &[u64]) -> Result<(), FormatError> {
        words.chunks(self.degree).enumerate().try_for_each(|(row, words)| self.check_row(row, words))
    }

    fn check_row(self, row: usize, words: &[u64]) -> Result<(), FormatError> {
        let limb = row % self.primes.len().max(1);
        let prime = self.primes.get(limb).copied().unwrap_or_default();
        // A prime has at most 60 bits: the top bit of one of the two tells, without a branch.
        let seen = words.iter().fold(0, |seen, word| seen | *word | prime.wrapping_sub(1).wrapping_sub(*word));
        if seen >> 63 == 0 {
            return Ok(());
        }
        if self.secret {
            return Err(FormatError::SecretResidue { field: self.field, limb, prime });
        }
        let polynomial = row / self.primes.len().max(1);
        let (position, found) = words.iter().copied().enumerate().find(|(_, word)| *word >= prime).unwrap_or_default();
        Err(FormatError::Residue { field: self.field, polynomial, limb, position, found, prime })
    }
}

/// The name of a level, 32 bytes.
pub(crate) fn parms_id(source: &mut Source) -> Result<ParmsId, FormatError> {
    let mut words = [0; 4];
    source.words("parms_id", &mut words)?;
    Ok(ParmsId::from_words(words))
}

/// Primes of the level that an object names: of the key level if it is a key, of a data level if it is a message.
pub(crate) fn prime_count(
    context: &Context,
    field: &'static str,
    found: ParmsId,
    key: bool,
) -> Result<usize, FormatError> {
    let (count, first) = (context.prime_count(found), context.first_parms_id());
    match count {
        Some(count) if key && count == context.key_prime_count() => Ok(count),
        _ if key => Err(FormatError::NotKeyLevel { field, found, expected: context.key_parms_id() }),
        Some(count) if count <= context.data_prime_count() => Ok(count),
        Some(_) => Err(FormatError::KeyLevel { field, found, first }),
        None => Err(FormatError::UnknownParmsId { field, found, first }),
    }
}
