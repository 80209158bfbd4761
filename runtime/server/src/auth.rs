//! Who a client is: a bearer token, or a certificate that the configured authority signed.
//!
//! Tokens are stored as SHA-256 digests. A token is 32 or more random bytes, so a plain digest cannot be reversed; it would be the wrong choice for passwords.
//! Every stored digest is compared, each in constant time.

use std::fmt;
use std::sync::Arc;

use protocol::Digest;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::ServerError;

/// Longest token accepted, in bytes.
const MAX_TOKEN: usize = 1024;

/// A client as quotas and logs know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Principal(Arc<str>);

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest of a client's token, and the client's name.
#[derive(Clone, Debug)]
pub struct Token {
    name: Arc<str>,
    digest: Digest,
}

impl Token {
    /// For a client called `name`, in logs and quotas.
    pub fn new(name: &str, digest: Digest) -> Self {
        Self { name: name.into(), digest }
    }

    /// Reads a list: on each line a name, white space, the SHA-256 of the token as 64 hexadecimal digits; empty lines and lines that begin with `#`
    /// do not count.
    ///
    /// # Errors
    /// [`ServerError::Token`].
    pub fn list(text: &str) -> Result<Vec<Token>, ServerError> {
        let mut tokens = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let refuse = |reason| ServerError::Token { line: index + 1, reason };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, digits) = line.split_once(char::is_whitespace).ok_or(refuse("expected a name and a digest"))?;
            let digest = Digest::from_hex(digits.trim()).ok_or(refuse("expected 64 hexadecimal digits"))?;
            tokens.push(Token::new(name, digest));
        }
        Ok(tokens)
    }
}

/// Who may come.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Clients with a bearer token.
    pub tokens: Vec<Token>,
    /// Clients with a certificate that TLS has verified.
    pub certificates: bool,
    /// Everybody, under one name: for tests and for one user on one machine.
    pub anybody: bool,
}

impl Access {
    /// Tells who sent a request.
    pub(crate) fn authenticate(&self, metadata: &MetadataMap, certificate: Option<&[u8]>) -> Result<Principal, Status> {
        if let Some(certificate) = certificate.filter(|_| self.certificates) {
            return Ok(Principal(format!("certificate {}", Digest::of(certificate)).into()));
        }
        if let Some(principal) = self.by_token(metadata) {
            return Ok(principal);
        }
        if self.anybody {
            return Ok(Principal("anybody".into()));
        }
        Err(Status::unauthenticated("no valid bearer token and no client certificate"))
    }

    fn by_token(&self, metadata: &MetadataMap) -> Option<Principal> {
        let token = metadata.get("authorization")?.as_bytes().strip_prefix(b"Bearer ")?;
        if token.len() > MAX_TOKEN {
            return None;
        }
        let digest = Digest::of(token);
        let (mut found, mut index) = (Choice::from(0), 0u64);
        for (i, known) in (0u64..).zip(&self.tokens) {
            let equal = known.digest.0.ct_eq(&digest.0);
            index.conditional_assign(&i, equal);
            found |= equal;
        }
        let name = self.tokens.get(usize::try_from(index).ok()?)?.name.clone();
        bool::from(found).then_some(Principal(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let token = |name, secret: &[u8]| Token::new(name, Digest::of(secret));
        Access { tokens: vec![token("ward", b"first"), token("lab", b"second")], ..Access::default() }
    }

    fn with(value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", value.parse().unwrap());
        metadata
    }

    #[test]
    fn a_token_names_its_client() {
        let name = |value| access().authenticate(&with(value), None).map(|p| p.to_string()).map_err(|s| s.code());
        assert_eq!(name("Bearer first"), Ok("ward".into()));
        assert_eq!(name("Bearer second"), Ok("lab".into()));
        for wrong in ["Bearer third", "Bearer ", "first", "bearer first", "Bearer first "] {
            assert_eq!(name(wrong), Err(tonic::Code::Unauthenticated), "{wrong:?}");
        }
        assert_eq!(name(&format!("Bearer {}", "x".repeat(MAX_TOKEN + 1))), Err(tonic::Code::Unauthenticated));
    }

    #[test]
    fn certificates_count_where_they_are_configured() {
        let none = MetadataMap::new();
        assert!(access().authenticate(&none, Some(b"der")).is_err());
        let both = Access { certificates: true, ..access() };
        assert!(both.authenticate(&none, Some(b"der")).unwrap().to_string().starts_with("certificate "));
        assert!(both.authenticate(&none, None).is_err());
        assert_eq!(both.authenticate(&with("Bearer first"), None).unwrap().to_string(), "ward");
    }

    #[test]
    fn token_files_are_checked_line_by_line() {
        let digest = "ab".repeat(32);
        let tokens = Token::list(&format!("# clients\n\nward {digest}\n lab\t{digest} \n")).unwrap();
        assert_eq!(tokens.iter().map(|t| &*t.name).collect::<Vec<_>>(), ["ward", "lab"]);
        for (text, line) in [("ward", 1), ("\nward 12", 2), ("ward zz", 1)] {
            assert!(matches!(Token::list(text), Err(ServerError::Token { line: l, .. }) if l == line), "{text:?}");
        }
        assert!(Token::list(&format!("ward {}g", &digest[1..])).is_err());
    }
}
