//! Objects in parts.

use bytes::Bytes;

use crate::{ProtocolError, limits, v1};

/// The parts of an object, in order; an empty object has one, empty.
pub fn parts(sequence: u64, object: &Bytes) -> impl Iterator<Item = v1::Part> + use<> {
    let object = object.clone();
    let count = object.len().div_ceil(limits::PART_BYTES).max(1);
    (0..count).map(move |part| {
        let start = part * limits::PART_BYTES;
        let end = object.len().min(start + limits::PART_BYTES);
        let (total, offset) = (object.len() as u64, start as u64);
        v1::Part { sequence, total, offset, data: object.slice(start..end) }
    })
}

/// Room is made for the whole object, but for at most so many times what has arrived.
const AHEAD: usize = 8;

/// An object that is arriving, part by part.
#[derive(Debug, Default)]
pub struct Assembly {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    sequence: u64,
    total: usize,
    bytes: Vec<u8>,
}

/// Refuses a part of another object than the one whose turn it is.
///
/// # Errors
/// [`ProtocolError::Part`].
pub fn expect_sequence(found: u64, expected: u64) -> Result<(), ProtocolError> {
    if found == expected { Ok(()) } else { Err(ProtocolError::Part { field: "sequence", found, expected }) }
}

impl Assembly {
    /// Takes the next part; the object, and its sequence, when that was the last one. The first part of an object is held against `max(sequence)`, the
    /// most bytes that this object may have, before memory is taken; and memory is taken for what has arrived, not for what is announced.
    ///
    /// # Errors
    /// [`ProtocolError::TooMuch`], [`ProtocolError::Part`]; whatever `max` refuses.
    pub fn take<E: From<ProtocolError>>(
        &mut self,
        part: v1::Part,
        max: impl FnOnce(u64) -> Result<u64, E>,
    ) -> Result<Option<(u64, Bytes)>, E> {
        let v1::Part { sequence, total, offset, data } = part;
        let refuse = |field, found, expected| Err(ProtocolError::Part { field, found, expected }.into());
        if data.len() > limits::PART_BYTES {
            let (found, max) = (data.len() as u64, limits::PART_BYTES as u64);
            return Err(ProtocolError::TooMuch { field: "bytes of a part", found, max }.into());
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let max = max(sequence)?.min(limits::OBJECT_BYTES);
                if total > max {
                    return Err(ProtocolError::TooMuch { field: "bytes of an object", found: total, max }.into());
                }
                if data.len() as u64 == total && offset == 0 {
                    return Ok(Some((sequence, data)));
                }
                let total = total as usize;
                Open { sequence, total, bytes: Vec::new() }
            }
        };
        let have = open.bytes.len() as u64;
        expect_sequence(sequence, open.sequence)?;
        if total != open.total as u64 {
            return refuse("total", total, open.total as u64);
        }
        if offset != have {
            return refuse("offset", offset, have);
        }
        let left = open.total - open.bytes.len();
        if data.is_empty() || data.len() > left {
            return refuse("length", data.len() as u64, left.min(limits::PART_BYTES) as u64);
        }
        let needed = open.bytes.len() + data.len();
        if needed > open.bytes.capacity() {
            let room = open.total.min(needed.saturating_mul(AHEAD));
            open.bytes.reserve_exact(room - open.bytes.len());
        }
        open.bytes.extend_from_slice(&data);
        if open.bytes.len() == open.total {
            return Ok(Some((sequence, open.bytes.into())));
        }
        self.open = Some(open);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(_: u64) -> Result<u64, ProtocolError> {
        Ok(1 << 30)
    }

    #[test]
    fn objects_come_back_whole() {
        for len in
            [0, 1, limits::PART_BYTES - 1, limits::PART_BYTES, limits::PART_BYTES + 1, 3 * limits::PART_BYTES + 7]
        {
            let object = Bytes::from((0..len).map(|i| (i * 31 % 251) as u8).collect::<Vec<_>>());
            let mut assembly = Assembly::default();
            let mut made = Vec::new();
            for part in parts(9, &object) {
                made.extend(assembly.take(part, all).unwrap());
            }
            assert_eq!(made, [(9, object)]);
        }
    }

    #[test]
    fn what_does_not_continue_an_object_is_refused() {
        let object = Bytes::from(vec![7; 2 * limits::PART_BYTES + 5]);
        type Change = fn(&mut v1::Part);
        let change: [(&str, Change); 6] = [
            ("sequence", |p| p.sequence += 1),
            ("total", |p| p.total += 1),
            ("offset", |p| p.offset += 1),
            ("offset", |p| p.offset -= 1),
            ("length", |p| p.data = Bytes::new()),
            ("bytes of a part", |p| p.data = vec![0; limits::PART_BYTES + 1].into()),
        ];
        for (field, change) in change {
            let mut assembly = Assembly::default();
            let mut parts = parts(0, &object);
            assert_eq!(assembly.take(parts.next().unwrap(), all).unwrap(), None);
            let mut second = parts.next().unwrap();
            change(&mut second);
            let error = assembly.take(second, all).unwrap_err();
            assert!(error.to_string().contains(field), "{error} does not name {field}");
        }
    }

    #[test]
    fn an_object_is_bounded_before_memory_is_taken() {
        let part = v1::Part { sequence: 0, total: u64::MAX, offset: 0, data: vec![1].into() };
        let error = Assembly::default().take(part, |_| Ok::<_, ProtocolError>(99)).unwrap_err();
        assert!(matches!(error, ProtocolError::TooMuch { found: u64::MAX, max: 99, .. }), "{error}");
    }

    #[test]
    fn memory_is_taken_for_what_has_arrived() {
        let mut assembly = Assembly::default();
        let total = 4 << 30;
        for count in 1..=3u64 {
            let offset = (count - 1) * limits::PART_BYTES as u64;
            let part = v1::Part { sequence: 0, total, offset, data: vec![1; limits::PART_BYTES].into() };
            assert_eq!(assembly.take(part, |_| Ok::<_, ProtocolError>(total)).unwrap(), None);
            let taken = assembly.open.as_ref().unwrap().bytes.capacity();
            assert!(taken <= count as usize * AHEAD * limits::PART_BYTES, "{taken} bytes for {count} parts");
        }
    }

    proptest! {
        #[test]
        fn no_sequence_of_parts_panics(parts in prop::collection::vec(
            (0u64..3, 0u64..40, 0u64..40, 0usize..20), 0..30))
        {
            let mut assembly = Assembly::default();
            for (sequence, total, offset, len) in parts {
                let part = v1::Part { sequence, total, offset, data: vec![0; len].into() };
                if let Ok(Some((_, object))) = assembly.take(part, |_| Ok::<_, ProtocolError>(30)) {
                    prop_assert!(object.len() <= 30);
                }
            }
        }
    }
}
