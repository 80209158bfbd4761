//! TensorProto into numbers: the count is computed from the extents, checked, and compared with the bytes present
//! before anything is allocated.

use std::sync::Arc;

use prost::Message;

use super::{OnnxError, proto};
use crate::{Shape, Tensor};

/// A constant of a model file.
#[derive(Clone, Debug)]
pub(super) enum Constant {
    /// FLOAT or DOUBLE.
    Numbers(Arc<Tensor>),
    /// INT32, INT64 or BOOL (0 and 1).
    Integers(Vec<i64>),
}

const FLOAT: i32 = 1;
const INT32: i32 = 6;
const INT64: i32 = 7;
const BOOL: i32 = 9;
const DOUBLE: i32 = 11;

/// Name of an ONNX element type, for messages.
pub(super) fn type_name(data_type: i32) -> String {
    let known = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    usize::try_from(data_type)
        .ok()
        .and_then(|i| known.get(i))
        .map_or_else(|| format!("type {data_type}"), |s| (*s).to_owned())
}

/// Whether values of this element type can be computed with.
pub(super) fn is_number(data_type: i32) -> bool {
    matches!(data_type, FLOAT | DOUBLE)
}

/// Reads a file that holds one tensor of type float, double, int32, int64 or bool, as numbers.
///
/// # Errors
/// Bytes that are no such tensor, or integers beyond 2^53, which `f64` does not hold exactly.
pub fn tensor_from_bytes(bytes: &[u8]) -> Result<Tensor, OnnxError> {
    let proto = proto::TensorProto::decode(bytes).map_err(|source| OnnxError::Decode { source })?;
    match constant(&proto)? {
        Constant::Numbers(tensor) => Ok(Arc::unwrap_or_clone(tensor)),
        Constant::Integers(integers) => {
            if let Some(large) = integers.iter().find(|i| i.unsigned_abs() > 1 << 53) {
                return Err(refuse(&proto, format!("integer {large} is beyond 2^53")));
            }
            let numbers = integers.into_iter().map(|i| i as f64).collect();
            Tensor::new(extents(&proto)?.0, numbers).map_err(|e| refuse(&proto, e.to_string()))
        }
    }
}

/// Reads a tensor.
pub(super) fn constant(proto: &proto::TensorProto) -> Result<Constant, OnnxError> {
    if proto.data_location.unwrap_or(0) != 0 || !proto.external_data.is_empty() {
        return Err(refuse(proto, "external data is not supported"));
    }
    if proto.segment.is_some() {
        return Err(refuse(proto, "segments are not supported"));
    }
    let (dims, count) = extents(proto)?;
    let data_type = proto.data_type.unwrap_or(0);
    let numbers = match data_type {
        FLOAT => {
            from_fields(proto, count, &proto.float_data, f64::from, |b: [u8; 4]| f64::from(f32::from_le_bytes(b)))?
        }
        DOUBLE => from_fields(proto, count, &proto.double_data, |v| v, f64::from_le_bytes)?,
        INT32 => {
            let integers =
                from_fields(proto, count, &proto.int32_data, i64::from, |b: [u8; 4]| i64::from(i32::from_le_bytes(b)));
            return Ok(Constant::Integers(integers?));
        }
        INT64 => {
            return Ok(Constant::Integers(from_fields(proto, count, &proto.int64_data, |v| v, i64::from_le_bytes)?));
        }
        BOOL => {
            let integers = from_fields(proto, count, &proto.int32_data, i64::from, |b: [u8; 1]| i64::from(b[0] != 0));
            return Ok(Constant::Integers(integers?));
        }
        other => {
            let reason =
                format!("element type {} is not supported (float, double, int32, int64, bool are)", type_name(other));
            return Err(refuse(proto, reason));
        }
    };
    Tensor::new(dims, numbers)
        .map(|tensor| Constant::Numbers(Arc::new(tensor)))
        .map_err(|e| refuse(proto, e.to_string()))
}

fn refuse(proto: &proto::TensorProto, reason: impl Into<String>) -> OnnxError {
    OnnxError::Tensor {
        tensor: proto.name.clone().unwrap_or_else(|| "without a name".to_owned()),
        reason: reason.into(),
    }
}

fn extents(proto: &proto::TensorProto) -> Result<(Vec<usize>, usize), OnnxError> {
    let cannot =
        || refuse(proto, format!("extents {:?} cannot be", &proto.dims[..proto.dims.len().min(Shape::MAX_RANK)]));
    if proto.dims.len() > Shape::MAX_RANK {
        return Err(cannot());
    }
    let dims = proto.dims.iter().map(|&d| usize::try_from(d)).collect::<Result<Vec<_>, _>>().map_err(|_| cannot())?;
    let count = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d)).filter(|&n| n <= Shape::MAX_ELEMENTS);
    Ok((dims, count.ok_or_else(cannot)?))
}

/// Elements from the field of their type, or from `raw_data` in little-endian order.
fn from_fields<F: Copy, T, const BYTES: usize>(
    proto: &proto::TensorProto,
    count: usize,
    field: &[F],
    convert: impl Fn(F) -> T,
    read: impl Fn([u8; BYTES]) -> T,
) -> Result<Vec<T>, OnnxError> {
    match &proto.raw_data {
        Some(raw) if field.is_empty() => {
            if Some(raw.len()) != count.checked_mul(BYTES) {
                let reason = format!(
                    "extents {:?} take {count} elements of {BYTES} bytes, found {} bytes",
                    proto.dims,
                    raw.len()
                );
                return Err(refuse(proto, reason));
            }
            Ok(raw.as_chunks::<BYTES>().0.iter().copied().map(read).collect())
        }
        Some(_) => Err(refuse(proto, "data stands in two fields")),
        None => {
            if field.len() != count {
                let reason = format!("extents {:?} take {count} elements, found {}", proto.dims, field.len());
                return Err(refuse(proto, reason));
            }
            Ok(field.iter().copied().map(convert).collect())
        }
    }
}
