//! Attributes of a node, read by name and kind; what nobody read is unknown.

use super::NodeError;
use super::proto::{AttributeProto, NodeProto, TensorProto};

/// AttributeProto.type.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// Attributes that have not been read yet.
pub(super) struct NodeAttributes<'p> {
    unread: Vec<&'p AttributeProto>,
}

fn name_of(attribute: &AttributeProto) -> &str {
    attribute.name.as_deref().unwrap_or_default()
}

impl<'p> NodeAttributes<'p> {
    pub(super) fn new(node: &'p NodeProto) -> Result<Self, NodeError> {
        let unread: Vec<&AttributeProto> = node.attribute.iter().collect();
        for (i, attribute) in unread.iter().enumerate() {
            let name = name_of(attribute);
            if unread[..i].iter().any(|other| name_of(other) == name) {
                return Err(refuse(name, "one of that name", "two"));
            }
            if attribute.ref_attr_name.as_deref().is_some_and(|reference| !reference.is_empty()) {
                return Err(refuse(name, "a value", "a reference to a function's attribute"));
            }
            if unread.len() > 64 {
                return Err(refuse(name, "at most 64 attributes", unread.len().to_string()));
            }
        }
        Ok(Self { unread })
    }

    /// Refuses what nobody read.
    pub(super) fn finish(self) -> Result<(), NodeError> {
        match self.unread.first() {
            Some(attribute) => Err(NodeError::UnknownAttribute(name_of(attribute).to_owned())),
            None => Ok(()),
        }
    }

    fn take(&mut self, name: &str, kind: i32, expected: &str) -> Result<Option<&'p AttributeProto>, NodeError> {
        let Some(i) = self.unread.iter().position(|attribute| name_of(attribute) == name) else { return Ok(None) };
        let attribute = self.unread.remove(i);
        match attribute.r#type {
            // The first versions of the format had no type: then the field tells.
            None | Some(0) => Ok(Some(attribute)),
            Some(found) if found == kind => Ok(Some(attribute)),
            Some(found) => Err(refuse(name, expected, format!("attribute type {found}"))),
        }
    }

    pub(super) fn int(&mut self, name: &str) -> Result<Option<i64>, NodeError> {
        // A field that is not written holds the default of its type.
        Ok(self.take(name, INT, "an integer")?.map(|attribute| attribute.i.unwrap_or(0)))
    }

    pub(super) fn float(&mut self, name: &str) -> Result<Option<f64>, NodeError> {
        let value = self.take(name, FLOAT, "a number")?.map(|attribute| f64::from(attribute.f.unwrap_or(0.0)));
        match value {
            Some(value) if !value.is_finite() => Err(refuse(name, "a finite number", value.to_string())),
            _ => Ok(value),
        }
    }

    pub(super) fn ints(&mut self, name: &str) -> Result<Option<&'p [i64]>, NodeError> {
        Ok(self.take(name, INTS, "integers")?.map(|attribute| attribute.ints.as_slice()))
    }

    pub(super) fn floats(&mut self, name: &str) -> Result<Option<&'p [f32]>, NodeError> {
        Ok(self.take(name, FLOATS, "numbers")?.map(|attribute| attribute.floats.as_slice()))
    }

    pub(super) fn tensor(&mut self, name: &str) -> Result<Option<&'p TensorProto>, NodeError> {
        Ok(self.take(name, TENSOR, "a tensor")?.and_then(|attribute| attribute.t.as_ref()))
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, NodeError> {
        let attribute = self.take(name, STRING, "a string")?;
        Ok(attribute.map(|a| String::from_utf8_lossy(a.s.as_deref().unwrap_or_default()).into_owned()))
    }

    /// An integer that only makes sense as 0 or 1.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, NodeError> {
        match self.int(name)? {
            None | Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err(refuse(name, "0 or 1", other.to_string())),
        }
    }

    /// An integer for which a single value is supported.
    pub(super) fn only(&mut self, name: &str, supported: i64) -> Result<(), NodeError> {
        match self.int(name)? {
            Some(found) if found != supported => Err(refuse(name, supported.to_string(), found.to_string())),
            _ => Ok(()),
        }
    }

    /// Extents: integers from 0.
    pub(super) fn sizes(&mut self, name: &str) -> Result<Option<Vec<usize>>, NodeError> {
        let Some(ints) = self.ints(name)? else { return Ok(None) };
        sizes(name, ints).map(Some)
    }
}

/// Extents: integers from 0.
pub(super) fn sizes(name: &str, ints: &[i64]) -> Result<Vec<usize>, NodeError> {
    let converted = ints.iter().map(|&i| usize::try_from(i)).collect::<Result<_, _>>();
    converted.map_err(|_| refuse(name, "no negative entries", format!("{ints:?}")))
}

pub(super) fn refuse(attribute: &str, expected: impl Into<String>, found: impl Into<String>) -> NodeError {
    NodeError::Attribute { attribute: attribute.to_owned(), expected: expected.into(), found: found.into() }
}
