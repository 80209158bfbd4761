//! Sections of residue rows: shape, then every row packed in as many bits as its prime has.

use he_ring::bits::{BadRow, bits_of, pack, packed_len, unpack};
use he_ring::{Domain, Isa, Residues, ResiduesMut, Ring, RnsTensor, RnsView, RnsViewMut};
use rayon::prelude::*;

use super::{Reader, WireError, Writer};

/// Words of work that are worth a task of their own.
const TASK_WORDS: usize = 1 << 14;

/// Exact bytes of a tensor section of `rows` rows over `limbs` (ring indices): what callers add up to the greatest legal body.
///
/// # Errors
/// [`WireError::OutOfRange`] for an index outside the ring.
pub fn tensor_len(ring: &Ring, rows: usize, limbs: &[usize]) -> Result<u64, WireError> {
    let shape = 8 + 2 * limbs.len() as u64;
    let row: u64 = row_lens(ring, limbs)?.into_iter().sum();
    Ok(row.saturating_mul(rows as u64).saturating_add(shape))
}

/// Bytes of one packed row, by limb.
fn row_lens(ring: &Ring, limbs: &[usize]) -> Result<Vec<u64>, WireError> {
    let max = ring.primes().len().saturating_sub(1) as u64;
    let len = |limb: &usize| {
        let q = ring.primes().get(*limb);
        let q = q.ok_or(WireError::OutOfRange { field: "limb index", found: *limb as u64, min: 0, max })?;
        Ok(packed_len(ring.n() as u64, *q))
    };
    limbs.iter().map(len).collect()
}

/// Pieces of `bytes`: for each limb `rows` pieces of that limb's length.
fn split_mut<'b>(mut bytes: &'b mut [u8], rows: usize, lens: &[u64]) -> Vec<&'b mut [u8]> {
    let mut pieces = Vec::with_capacity(rows * lens.len());
    for len in lens.iter().flat_map(|len| std::iter::repeat_n(*len as usize, rows)) {
        let (piece, rest) = std::mem::take(&mut bytes).split_at_mut(len);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// Refuses rows of another ring.
fn check_ring<D: Domain>(ring: &Ring, rows: &RnsView<'_, D>) -> Result<(), WireError> {
    let (limbs, primes) = (rows.limb_indices(), rows.primes());
    let ours = |(limb, q): (&usize, &u64)| ring.primes().get(*limb) == Some(q);
    if rows.log_n() != ring.log_n() || !limbs.iter().zip(&primes).all(ours) {
        let (expected, found) = (ring.log_n(), rows.log_n());
        return Err(he_ring::RingError::ForeignTensor { expected, found, primes }.into());
    }
    Ok(())
}

impl Writer {
    /// The rows of a tensor or view, all its limbs; one component of every ciphertext is
    /// `tensor.view().select(component, values, components)?`.
    ///
    /// # Errors
    /// [`WireError::Ring`] for rows of another ring, [`WireError::OutOfRange`] for 2^32 rows or more.
    pub fn tensor<'t, D: Domain>(&mut self, ring: &Ring, rows: impl Into<RnsView<'t, D>>) -> Result<(), WireError> {
        let rows = rows.into();
        check_ring(ring, &rows)?;
        let limbs = rows.limb_indices();
        let lens = row_lens(ring, &limbs)?;
        let len = tensor_len(ring, rows.rows(), &limbs)?;
        self.reserve(usize::try_from(len).unwrap_or(usize::MAX));
        self.u8(u8::from(D::IS_EVAL));
        self.u8(ring.log_n() as u8);
        self.u16(limbs.len() as u16);
        self.count("rows", rows.rows())?;
        limbs.iter().for_each(|limb| self.u16(*limb as u16));
        let packed = self.extend(lens.iter().map(|len| *len as usize * rows.rows()).sum());
        let bits: Vec<u32> = rows.primes().into_iter().map(bits_of).collect();
        split_mut(packed, rows.rows(), &lens)
            .into_par_iter()
            .enumerate()
            .with_min_len(TASK_WORDS.div_ceil(ring.n()))
            .for_each(|(piece, out)| {
                let (limb, row) = (piece / rows.rows(), piece % rows.rows());
                match rows.row(limb, row) {
                    Residues::U32(words) => pack(words, bits[limb], out),
                    Residues::U64(words) => pack(words, bits[limb], out),
                }
            });
        Ok(())
    }
}

impl Reader<'_> {
    /// A tensor of exactly `rows` rows over exactly `limbs` (ring indices, in that order).
    ///
    /// # Errors
    /// [`WireError::Mismatch`] for another domain, degree, number of rows or list of limbs, [`WireError::Truncated`] before
    /// any memory is taken, [`WireError::Residue`], [`WireError::Padding`], [`WireError::Ring`].
    pub fn tensor<D: Domain>(&mut self, ring: &Ring, rows: usize, limbs: &[usize]) -> Result<RnsTensor<D>, WireError> {
        self.expect("tensor", tensor_len(ring, rows, limbs)?)?;
        let mut tensor = ring.unwritten(rows, limbs)?;
        self.tensor_into(ring, &mut tensor)?;
        Ok(tensor)
    }

    /// As [`Reader::tensor`], into rows that exist: one component of every ciphertext is
    /// `tensor.view_mut().select(component, values, components)?`. After an error the rows are unspecified residues.
    ///
    /// # Errors
    /// As [`Reader::tensor`].
    pub fn tensor_into<'t, D: Domain>(
        &mut self,
        ring: &Ring,
        out: impl Into<RnsViewMut<'t, D>>,
    ) -> Result<(), WireError> {
        let out = out.into();
        check_ring(ring, &out.as_view())?;
        let (rows, limbs, primes) = (out.rows(), out.as_view().limb_indices(), out.as_view().primes());
        let lens = row_lens(ring, &limbs)?;
        self.expect("tensor", tensor_len(ring, rows, &limbs)?)?;
        self.equal("domain", 1, u64::from(D::IS_EVAL))?;
        self.equal("log_n", 1, u64::from(ring.log_n()))?;
        self.equal("limbs", 2, limbs.len() as u64)?;
        self.equal("rows", 4, rows as u64)?;
        limbs.iter().try_for_each(|limb| self.equal("limb index", 2, *limb as u64))?;

        let mut pieces = Vec::with_capacity(rows * limbs.len());
        for len in &lens {
            for _ in 0..rows {
                pieces.push(self.bytes("packed row", *len as usize)?);
            }
        }
        let read = |(piece, (packed, out)): (usize, (&[u8], ResiduesMut<'_>))| {
            let (limb, row) = (piece / rows, piece % rows);
            read_row(ring.isa(), packed, primes[limb], out).err().map(|bad| match bad {
                BadRow::Residue(word, found) => WireError::Residue { limb, row, word, found, q: primes[limb] },
                BadRow::Padding(found) => WireError::Padding { limb, row, found },
            })
        };
        let first_error = pieces
            .into_par_iter()
            .zip(out.into_rows())
            .enumerate()
            .with_min_len(TASK_WORDS.div_ceil(ring.n()))
            .find_map_first(read);
        first_error.map_or(Ok(()), Err)
    }

    /// A number of `len` bytes that must be `expected`.
    fn equal(&mut self, field: &'static str, len: usize, expected: u64) -> Result<(), WireError> {
        let bytes = self.bytes(field, len)?;
        let found = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        if found == expected { Ok(()) } else { Err(WireError::Mismatch { field, found, expected }) }
    }
}

/// Unpacks a row; a bad one is left zero, so that no residue ever reaches its prime.
fn read_row(isa: Isa, packed: &[u8], q: u64, out: ResiduesMut<'_>) -> Result<(), BadRow> {
    match out {
        ResiduesMut::U32(words) => unpack(isa, packed, q, words).inspect_err(|_| words.fill(0)),
        ResiduesMut::U64(words) => unpack(isa, packed, q, words).inspect_err(|_| words.fill(0)),
    }
}
