//! The calls in a `BUILD.bazel`: rule names, and the strings in each of their attributes.

use std::collections::BTreeMap;

/// One call at the top level, such as `rust_library(name = "x", deps = [...])`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The name that is called.
    pub rule: String,
    /// From an attribute to every string literal in its value, in order; unnamed arguments stand under "".
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl Call {
    /// The strings of an attribute; none when it is absent.
    pub fn strings(&self, attribute: &str) -> &[String] {
        self.attributes.get(attribute).map_or(&[], Vec::as_slice)
    }

    /// The `name` attribute.
    pub fn name(&self) -> &str {
        self.strings("name").first().map_or("", String::as_str)
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

fn tokens(source: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' => while chars.next_if(|&c| c != '\n').is_some() {},
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next_if(|&c| c != '"') {
                    text.extend(if c == '\\' { chars.next() } else { Some(c) });
                }
                chars.next();
                out.push(Token::Text(text));
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|&c| c.is_alphanumeric() || c == '_' || c == '.') {
                    word.push(c);
                }
                out.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => out.push(Token::Mark(c)),
        }
    }
    out
}

/// Reads every call at the top level of the text of a BUILD file.
pub fn parse(source: &str) -> Vec<Call> {
    let tokens = tokens(source);
    let mut calls: Vec<Call> = Vec::new();
    let mut depth = 0usize;
    let mut attribute = String::new();
    for (i, token) in tokens.iter().enumerate() {
        match token {
            // A list at the top level: calls made for each of some names stand in it as they would without.
            Token::Mark('[') if depth == 0 => {}
            Token::Mark('(' | '[' | '{') => {
                if let (0, Some(Token::Word(rule))) = (depth, i.checked_sub(1).and_then(|j| tokens.get(j))) {
                    calls.push(Call { rule: rule.clone(), ..Call::default() });
                    attribute.clear();
                }
                depth += 1;
            }
            Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
            Token::Mark(',') if depth == 1 => attribute.clear(),
            Token::Word(word) if depth == 1 && tokens.get(i + 1) == Some(&Token::Mark('=')) => {
                attribute.clone_from(word)
            }
            Token::Text(text) if depth > 0 => {
                if let Some(call) = calls.last_mut() {
                    call.attributes.entry(attribute.clone()).or_default().push(text.clone());
                }
            }
            _ => {}
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_calls_attributes_and_nested_strings() {
        let calls = parse(
            "load(\"@x//:y.bzl\", \"rule\")  # a \"remark\"\n\
             package(default_visibility = [\"//visibility:private\"])\n\
             rust_library(\n  name = \"a\",\n  srcs = glob([\"src/**/*.rs\"], exclude = [\"b\"]),\n  deps = [\"//c\"] + [\"@d//:e\"],\n)\n\
             exports_files([\"f\"], visibility = [\"//g:__pkg__\"])\n\
             _ALL = [\"h\"]\n\
             [\n  rust_test(\n    name = name,\n    deps = [\"@i//:j\"],\n  )\n  for name in [\"k\", \"l\"]\n]\n",
        );
        let rules: Vec<&str> = calls.iter().map(|c| c.rule.as_str()).collect();
        assert_eq!(rules, ["load", "package", "rust_library", "exports_files", "rust_test"]);
        assert_eq!(calls[1].strings("default_visibility"), ["//visibility:private"]);
        assert_eq!(calls[2].name(), "a");
        assert_eq!(calls[2].strings("deps"), ["//c", "@d//:e"]);
        assert_eq!(calls[2].strings("srcs"), ["src/**/*.rs", "b"]);
        assert_eq!(calls[3].strings(""), ["f"]);
        assert_eq!(calls[3].strings("visibility"), ["//g:__pkg__"]);
        assert!(calls[3].strings("deps").is_empty());
        assert_eq!(calls[4].strings("deps"), ["@i//:j"]);
        assert_eq!(calls[4].name(), "");
    }
}
