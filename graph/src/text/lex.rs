//! Text into tokens, each with its line.

use super::ParseError;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A bare word: verb, keyword, name, number.
    Word(String),
    /// A name in quotes.
    Quoted(String),
    /// `%`, `@`, `=`, `,`, brackets, `->` (as `>`), `..` (as `~`).
    Mark(char),
}

/// Characters of a bare word.
pub(super) fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':' | '-' | '+')
}

/// Tokens of one line.
pub(super) fn line(text: &str, line: usize) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        match c {
            '#' => break,
            c if c.is_whitespace() => {
                chars.next();
            }
            '%' | '@' | '=' | ',' | '(' | ')' | '[' | ']' | '{' | '}' | '?' => {
                chars.next();
                tokens.push(Token::Mark(c));
            }
            '"' => {
                chars.next();
                tokens.push(Token::Quoted(quoted(&mut chars, line)?));
            }
            c if is_bare(c) => {
                let mut word = String::new();
                while let Some(c) = chars.next_if(|&c| is_bare(c)) {
                    word.push(c);
                }
                match word.as_str() {
                    "-" if chars.next_if_eq(&'>').is_some() => tokens.push(Token::Mark('>')),
                    ".." => tokens.push(Token::Mark('~')),
                    _ => tokens.push(Token::Word(word)),
                }
            }
            c => return Err(ParseError::at(line, format!("unexpected character {c:?}"))),
        }
    }
    Ok(tokens)
}

fn quoted(chars: &mut impl Iterator<Item = char>, line: usize) -> Result<String, ParseError> {
    let mut name = String::new();
    loop {
        match chars.next() {
            None => return Err(ParseError::at(line, "a name in quotes does not end")),
            Some('"') => return Ok(name),
            Some('\\') => match chars.next() {
                Some(c @ ('"' | '\\')) => name.push(c),
                Some('u') => {
                    let digits: String = chars.skip_while(|&c| c == '{').take_while(|&c| c != '}').take(7).collect();
                    let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    name.push(c.ok_or_else(|| ParseError::at(line, format!("no character \\u{{{digits}}}")))?);
                }
                other => return Err(ParseError::at(line, format!("unknown escape {other:?}"))),
            },
            Some(c) => name.push(c),
        }
    }
}
