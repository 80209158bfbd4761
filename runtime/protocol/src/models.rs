//! What a server has.

use std::collections::HashSet;

use crate::error::at_most;
use crate::{ProtocolError, limits, v1};

/// The names that a server answered, held against the bounds; none twice.
///
/// # Errors
/// [`ProtocolError::TooMuch`], [`ProtocolError::Missing`], [`ProtocolError::Value`].
pub fn model_names(reply: v1::ModelsReply) -> Result<Vec<String>, ProtocolError> {
    at_most("models", reply.names.len(), limits::MODELS)?;
    let mut seen = HashSet::new();
    for name in &reply.names {
        at_most("bytes of the model's name", name.len(), limits::NAME_BYTES)?;
        if name.is_empty() {
            return Err(ProtocolError::Missing { field: "name of a model" });
        }
        if !seen.insert(name) {
            let found = format!("{name:?} twice, expected each once");
            return Err(ProtocolError::Value { field: "name of a model", found });
        }
    }
    Ok(reply.names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_distinct() {
        let names = |names: Vec<String>| model_names(v1::ModelsReply { names }).map_err(|error| error.to_string());
        assert_eq!(names(vec![]).unwrap(), [""; 0]);
        let most: Vec<String> = (0..limits::MODELS).map(|i| i.to_string()).collect();
        assert_eq!(names(most.clone()).unwrap(), most);
        assert_eq!(names([most, vec!["x".into()]].concat()).unwrap_err(), "models: 257, at most 256");
        assert!(names(vec!["x".repeat(limits::NAME_BYTES + 1)]).unwrap_err().contains("at most 256"));
        assert!(names(vec!["a".into(), String::new()]).unwrap_err().contains("missing"));
        assert!(names(vec!["a".into(), "b".into(), "a".into()]).unwrap_err().contains("\"a\" twice"));
    }
}
