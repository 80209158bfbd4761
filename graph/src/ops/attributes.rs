//! Attributes of an operation as the text form shows them: a small tree of numbers, words and lists.

use std::fmt;

/// One attribute value.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// A number; always printed with a point or an exponent.
    Float(f64),
    /// A bare word: `true`, `false`, a digest.
    Word(String),
    /// `[a, b, c]`.
    List(Vec<Attribute>),
    /// `{key=value, ...}`.
    Record(Vec<(String, Attribute)>),
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::Int(value) => write!(f, "{value}"),
            // `{:?}` is the shortest text that reads back as the same number, and keeps a point or an exponent.
            Attribute::Float(value) => write!(f, "{value:?}"),
            Attribute::Word(word) => f.write_str(word),
            Attribute::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Attribute::Record(fields) => {
                f.write_str("{")?;
                for (i, (key, value)) in fields.iter().enumerate() {
                    write!(f, "{}{key}={value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Attributes of one operation, in printing order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(String, Attribute)>);

/// Why attributes do not make an operation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// No operation of that name.
    #[error("unknown operation {0}")]
    UnknownOperation(String),
    /// The operation has no such attribute.
    #[error("{op} has no attribute {attribute}")]
    Unknown {
        /// The operation.
        op: &'static str,
        /// The attribute.
        attribute: String,
    },
    /// An attribute is not there.
    #[error("attribute {attribute} is missing")]
    Missing {
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute of another kind.
    #[error("attribute {attribute}: expected {expected}, found {found}")]
    Kind {
        /// The attribute.
        attribute: String,
        /// What it must be.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

impl Attributes {
    pub(crate) fn with(mut self, key: &str, value: impl Into<Attribute>) -> Self {
        self.0.push((key.to_owned(), value.into()));
        self
    }

    /// Takes an attribute out; what is left over at the end is unknown.
    pub(crate) fn take(&mut self, key: &'static str) -> Result<Attribute, AttributeError> {
        match self.0.iter().position(|(name, _)| name == key) {
            Some(i) => Ok(self.0.remove(i).1),
            None => Err(AttributeError::Missing { attribute: key }),
        }
    }

    pub(crate) fn take_float(&mut self, key: &'static str) -> Result<f64, AttributeError> {
        self.take(key)?.float(key)
    }

    pub(crate) fn take_float_if_any(&mut self, key: &'static str) -> Result<Option<f64>, AttributeError> {
        match self.take(key) {
            Ok(value) => value.float(key).map(Some),
            Err(_) => Ok(None),
        }
    }

    pub(crate) fn take_bool(&mut self, key: &'static str) -> Result<bool, AttributeError> {
        match self.take(key)? {
            Attribute::Word(word) if word == "true" => Ok(true),
            Attribute::Word(word) if word == "false" => Ok(false),
            other => Err(kind(key, "true or false", &other)),
        }
    }

    pub(crate) fn take_size(&mut self, key: &'static str) -> Result<usize, AttributeError> {
        self.take(key)?.size(key)
    }

    pub(crate) fn take_sizes(&mut self, key: &'static str) -> Result<Vec<usize>, AttributeError> {
        self.take(key)?.sizes(key)
    }

    pub(crate) fn take_pads(&mut self, key: &'static str) -> Result<Vec<[usize; 2]>, AttributeError> {
        let pair = |item: Attribute| {
            let shown = item.clone();
            item.sizes(key)?.try_into().map_err(|_| kind(key, "[before, after]", &shown))
        };
        self.take(key)?.list(key)?.into_iter().map(pair).collect()
    }
}

impl Attribute {
    pub(crate) fn list(self, key: &str) -> Result<Vec<Attribute>, AttributeError> {
        match self {
            Attribute::List(items) => Ok(items),
            other => Err(kind(key, "a list", &other)),
        }
    }

    pub(crate) fn float(self, key: &str) -> Result<f64, AttributeError> {
        match self {
            Attribute::Float(value) => Ok(value),
            Attribute::Int(value) => Ok(value as f64),
            other => Err(kind(key, "a number", &other)),
        }
    }

    pub(crate) fn floats(self, key: &str) -> Result<Vec<f64>, AttributeError> {
        self.list(key)?.into_iter().map(|item| item.float(key)).collect()
    }

    pub(crate) fn size(self, key: &str) -> Result<usize, AttributeError> {
        match self {
            Attribute::Int(value) => usize::try_from(value).map_err(|_| kind(key, "a size", &Attribute::Int(value))),
            other => Err(kind(key, "a size", &other)),
        }
    }

    pub(crate) fn sizes(self, key: &str) -> Result<Vec<usize>, AttributeError> {
        self.list(key)?.into_iter().map(|item| item.size(key)).collect()
    }
}

fn kind(key: &str, expected: &'static str, found: &Attribute) -> AttributeError {
    AttributeError::Kind { attribute: key.to_owned(), expected, found: found.to_string() }
}

impl From<f64> for Attribute {
    fn from(value: f64) -> Self {
        Attribute::Float(value)
    }
}

impl From<usize> for Attribute {
    fn from(value: usize) -> Self {
        Attribute::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Attribute::Word(value.to_string())
    }
}

impl<T: Clone + Into<Attribute>> From<&[T]> for Attribute {
    fn from(items: &[T]) -> Self {
        Attribute::List(items.iter().cloned().map(Into::into).collect())
    }
}

impl From<[usize; 2]> for Attribute {
    fn from(pair: [usize; 2]) -> Self {
        Attribute::from(pair.as_slice())
    }
}
