//! Text into a graph.

use std::collections::HashMap;
use std::sync::Arc;

use super::digest;
use super::lex::{self, Token};
use crate::ops::{Attribute, Attributes, Op};
use crate::{Dim, Graph, Node, NodeId, Shape, Tensor, Value, ValueId, ValueSource, VerifyErrors};

/// How deep attributes may nest.
const MAX_DEPTH: usize = 8;

/// Text that is no graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A line that cannot be read.
    #[error("line {line}: {reason}")]
    Line {
        /// Which, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// The lines make a graph that breaks rules.
    #[error(transparent)]
    Verify(#[from] VerifyErrors),
}

impl ParseError {
    pub(super) fn at(line: usize, reason: impl Into<String>) -> Self {
        Self::Line { line, reason: reason.into() }
    }
}

/// Reads a graph whose constants are all written in full.
///
/// # Errors
/// The first line that cannot be read, or every rule that the graph breaks.
pub fn parse(text: &str) -> Result<Graph, ParseError> {
    parse_with(text, &HashMap::new())
}

/// Reads a graph; constants that are written as a digest are looked up by name.
///
/// # Errors
/// As [`parse`]; a constant that is not given or has another digest.
pub fn parse_with(text: &str, constants: &HashMap<String, Arc<Tensor>>) -> Result<Graph, ParseError> {
    let graph = parse_unverified(text, constants)?;
    graph.verify()?;
    Ok(graph)
}

/// As [`parse_with`], leaving it to the caller to verify.
pub(crate) fn parse_unverified(text: &str, constants: &HashMap<String, Arc<Tensor>>) -> Result<Graph, ParseError> {
    let mut statements = Vec::new();
    for (i, text) in text.lines().enumerate() {
        let tokens = lex::line(text, i + 1)?;
        if !tokens.is_empty() {
            statements.push(Line { tokens: tokens.into_iter(), next: None, line: i + 1 }.statement(constants)?);
        }
    }
    resolve(statements)
}

enum Statement {
    Graph(String),
    Input(Value),
    Constant(Value),
    Node { line: usize, name: String, op: Op, operands: Vec<String>, output: Value },
    Outputs(usize, Vec<String>),
}

/// Names into ids. A node may read what stands below it: that is for the verifier to refuse.
fn resolve(statements: Vec<Statement>) -> Result<Graph, ParseError> {
    let (mut name, mut inputs, mut values, mut pending) = (String::new(), Vec::new(), Vec::new(), Vec::new());
    let mut outputs_by_name = Vec::new();
    let id = |index: usize| ValueId::from_index(index).ok_or_else(|| ParseError::at(0, "too many values"));
    for statement in statements {
        match statement {
            Statement::Graph(graph) => name = graph,
            Statement::Input(value) => {
                inputs.push(id(values.len())?);
                values.push(value);
            }
            Statement::Constant(value) => values.push(value),
            Statement::Node { line, name, op, operands, mut output } => {
                let node = NodeId::from_index(pending.len()).ok_or_else(|| ParseError::at(line, "too many nodes"))?;
                output.source = ValueSource::Node(node);
                pending.push((line, name, op, operands, id(values.len())?));
                values.push(output);
            }
            Statement::Outputs(line, names) => outputs_by_name.extend(names.into_iter().map(|name| (line, name))),
        }
    }
    let mut names = HashMap::new();
    for (i, value) in values.iter().enumerate() {
        names.insert(value.name.clone(), id(i)?);
    }
    let find = |line: usize, name: &str| {
        names.get(name).copied().ok_or_else(|| ParseError::at(line, format!("no value is called %{name}")))
    };
    let nodes = pending.into_iter().map(|(line, name, op, operands, output)| {
        let inputs = operands.iter().map(|operand| find(line, operand)).collect::<Result<_, _>>()?;
        Ok(Node { name, op, inputs, output })
    });
    let nodes = nodes.collect::<Result<_, ParseError>>()?;
    let outputs = outputs_by_name.iter().map(|(line, name)| find(*line, name)).collect::<Result<_, _>>()?;
    Ok(Graph::from_parts(name, values, nodes, inputs, outputs))
}

/// Tokens of a line, with one of look-ahead.
struct Line {
    tokens: std::vec::IntoIter<Token>,
    next: Option<Token>,
    line: usize,
}

impl Line {
    fn refuse<T>(&self, reason: impl Into<String>) -> Result<T, ParseError> {
        Err(ParseError::at(self.line, reason))
    }

    fn take(&mut self) -> Option<Token> {
        self.next.take().or_else(|| self.tokens.next())
    }

    fn peek(&mut self) -> Option<&Token> {
        if self.next.is_none() {
            self.next = self.tokens.next();
        }
        self.next.as_ref()
    }

    fn accept(&mut self, mark: char) -> bool {
        let there = self.peek() == Some(&Token::Mark(mark));
        if there {
            self.next = None;
        }
        there
    }

    fn expect(&mut self, mark: char) -> Result<(), ParseError> {
        if self.accept(mark) {
            return Ok(());
        }
        let found = self.peek().cloned();
        self.refuse(format!("expected {mark:?}, found {found:?}"))
    }

    fn word(&mut self) -> Result<String, ParseError> {
        match self.take() {
            Some(Token::Word(word)) => Ok(word),
            other => self.refuse(format!("expected a word, found {other:?}")),
        }
    }

    fn name(&mut self) -> Result<String, ParseError> {
        match self.take() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            other => self.refuse(format!("expected a name, found {other:?}")),
        }
    }

    fn value_name(&mut self) -> Result<String, ParseError> {
        self.expect('%')?;
        self.name()
    }

    /// Items up to a closing mark that has not been read yet.
    fn list<T>(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        let mut items = Vec::new();
        if self.accept(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.accept(close) {
                return Ok(items);
            }
            self.expect(',')?;
        }
    }

    fn shape(&mut self) -> Result<Shape, ParseError> {
        self.expect('[')?;
        let dims = self.list(']', |line| {
            let word = line.word()?;
            match (word.as_str(), word.parse()) {
                ("batch", _) => Ok(Dim::Batch),
                (_, Ok(extent)) => Ok(Dim::Fixed(extent)),
                _ => line.refuse(format!("expected an extent, found {word}")),
            }
        })?;
        Shape::new(dims).or_else(|e| self.refuse(e.to_string()))
    }

    fn attribute(&mut self, depth: usize) -> Result<Attribute, ParseError> {
        if depth > MAX_DEPTH {
            return self.refuse(format!("attributes nest deeper than {MAX_DEPTH}"));
        }
        if self.accept('[') {
            return Ok(Attribute::List(self.list(']', |line| line.attribute(depth + 1))?));
        }
        if self.accept('{') {
            return Ok(Attribute::Record(self.fields(depth + 1)?));
        }
        let word = self.word()?;
        let begins_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        Ok(match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(int), _) if begins_number => Attribute::Int(int),
            (_, Ok(float)) if begins_number => Attribute::Float(float),
            _ => Attribute::Word(word),
        })
    }

    /// `key=value, ..}`.
    fn fields(&mut self, depth: usize) -> Result<Vec<(String, Attribute)>, ParseError> {
        self.list('}', |line| {
            let key = line.word()?;
            line.expect('=')?;
            Ok((key, line.attribute(depth)?))
        })
    }

    fn statement(mut self, constants: &HashMap<String, Arc<Tensor>>) -> Result<Statement, ParseError> {
        let statement = match self.take() {
            Some(Token::Word(word)) => match word.as_str() {
                "graph" => Statement::Graph(self.name()?),
                "input" => {
                    let (name, shape) = (self.value_name()?, self.shape()?);
                    Statement::Input(Value { name, shape, source: ValueSource::Input })
                }
                "const" => self.constant(constants)?,
                "output" => {
                    let mut names = vec![self.value_name()?];
                    while self.accept(',') {
                        names.push(self.value_name()?);
                    }
                    Statement::Outputs(self.line, names)
                }
                _ => return self.refuse(format!("expected graph, input, const, output or %, found {word}")),
            },
            Some(Token::Mark('%')) => self.node()?,
            other => return self.refuse(format!("expected graph, input, const, output or %, found {other:?}")),
        };
        match self.take() {
            None => Ok(statement),
            Some(token) => self.refuse(format!("unexpected {token:?} at the end of the line")),
        }
    }

    fn node(&mut self) -> Result<Statement, ParseError> {
        let value = self.name()?;
        self.expect('=')?;
        let verb = self.word()?;
        self.expect('(')?;
        let operands = self.list(')', Self::value_name)?;
        let attributes = if self.accept('{') { self.fields(0)? } else { Vec::new() };
        let op = Op::from_attributes(&verb, Attributes(attributes)).or_else(|e| self.refuse(e.to_string()))?;
        self.expect('>')?;
        let shape = self.shape()?;
        let name = if self.accept('@') { self.name()? } else { value.clone() };
        // The source is settled once nodes are numbered.
        let output = Value { name: value, shape, source: ValueSource::Input };
        Ok(Statement::Node { line: self.line, name, op, operands, output })
    }

    fn constant(&mut self, constants: &HashMap<String, Arc<Tensor>>) -> Result<Statement, ParseError> {
        let (name, shape) = (self.value_name()?, self.shape()?);
        self.expect('=')?;
        let tensor = if self.peek() == Some(&Token::Mark('[')) {
            let elements = self.attribute(0)?.floats("elements").or_else(|e| self.refuse(e.to_string()))?;
            Arc::new(Tensor::new(shape.with_batch(1), elements).or_else(|e| self.refuse(e.to_string()))?)
        } else {
            let written = self.word()?;
            self.expect('[')?;
            self.list(']', |line| if line.accept('~') { Ok(()) } else { line.attribute(0).map(|_| ()) })?;
            let Some(tensor) = constants.get(&name) else {
                return self.refuse(format!("constant %{name} is written as a digest and not given"));
            };
            let found = digest::of_tensor(tensor);
            if found != written {
                return self.refuse(format!("constant %{name}: written {written}, given {found}"));
            }
            Arc::clone(tensor)
        };
        Ok(Statement::Constant(Value { name, shape, source: ValueSource::Constant(tensor) }))
    }
}
