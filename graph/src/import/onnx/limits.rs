//! A walk over the bytes of a model before anything is allocated for it.
//!
//! An empty message takes two bytes in a file and hundreds in memory. So the structural messages (model, graph, nodes,
//! attributes, value types; not the data within tensors) are walked first, and their fields counted.

use prost::encoding::{WireType, decode_key, decode_varint};

use super::OnnxError;

/// Most fields in all structural messages of a model together.
const MAX_FIELDS: usize = 1 << 21;

/// Messages that are walked into.
#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    TensorShape,
    Dimension,
}

impl Kind {
    /// The message that a field of this one holds, if it is to be walked.
    fn field(self, tag: u32) -> Option<Kind> {
        match (self, tag) {
            (Kind::Model, 7) => Some(Kind::Graph),
            (Kind::Graph, 1) => Some(Kind::Node),
            (Kind::Graph, 5) => Some(Kind::Tensor),
            (Kind::Graph, 11 | 12) => Some(Kind::ValueInfo),
            (Kind::Node, 5) => Some(Kind::Attribute),
            (Kind::Attribute, 5) => Some(Kind::Tensor),
            (Kind::ValueInfo, 2) => Some(Kind::Type),
            (Kind::Type, 1) => Some(Kind::TensorType),
            (Kind::TensorType, 2) => Some(Kind::TensorShape),
            (Kind::TensorShape, 1) => Some(Kind::Dimension),
            _ => None,
        }
    }
}

/// Checks the number of fields, and that every length lies within the bytes present.
pub(super) fn check(bytes: &[u8]) -> Result<(), OnnxError> {
    let mut fields = 0;
    // Messages still to be walked; at most ten levels deep, so no recursion is needed and none happens.
    let mut pending = vec![(Kind::Model, bytes)];
    while let Some((kind, mut rest)) = pending.pop() {
        while !rest.is_empty() {
            fields += 1;
            if fields > MAX_FIELDS {
                return Err(OnnxError::TooManyFields { limit: MAX_FIELDS });
            }
            let at = offset(bytes, rest);
            let malformed = |source| OnnxError::Malformed { at, source };
            let (tag, wire) = decode_key(&mut rest).map_err(malformed)?;
            let length = match wire {
                WireType::Varint => {
                    decode_varint(&mut rest).map_err(malformed)?;
                    0
                }
                WireType::ThirtyTwoBit => 4,
                WireType::SixtyFourBit => 8,
                WireType::LengthDelimited => decode_varint(&mut rest).map_err(malformed)?,
                WireType::StartGroup | WireType::EndGroup => return Err(OnnxError::Group { at, tag }),
            };
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some((body, behind)) = rest.split_at_checked(length) else {
                return Err(OnnxError::Truncated { at, length, present: rest.len() });
            };
            rest = behind;
            if let (WireType::LengthDelimited, Some(inner)) = (wire, kind.field(tag)) {
                pending.push((inner, body));
            }
        }
    }
    Ok(())
}

/// Where `rest` begins within `bytes`, for messages.
fn offset(bytes: &[u8], rest: &[u8]) -> usize {
    (rest.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize)
}
