//! A graph as text: inputs, then each constant just before its first reader, nodes in running order, outputs.

use std::collections::HashSet;
use std::fmt;

use super::{FULL_CONSTANT, digest, lex};
use crate::ops::Attribute;
use crate::{Graph, Node, Tensor, ValueId};

/// Elements of a large constant that are shown.
const SHOWN: usize = 3;

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "graph {}", Name(self.name()))?;
        for &id in self.inputs() {
            writeln!(f, "input %{} {}", Name(self.value(id).name()), self.shape(id))?;
        }
        let mut printed = HashSet::new();
        for (_, node) in self.nodes() {
            for &input in node.inputs() {
                self.print_constant(f, input, &mut printed)?;
            }
            self.print_node(f, node)?;
        }
        // Constants that nobody reads, and those that only the outputs do.
        let unread: Vec<ValueId> = self.values().map(|(id, _)| id).collect();
        for id in unread {
            self.print_constant(f, id, &mut printed)?;
        }
        if self.outputs().is_empty() {
            return Ok(());
        }
        let outputs: Vec<String> = self.outputs().iter().map(|&id| self.operand(id)).collect();
        writeln!(f, "output {}", outputs.join(", "))
    }
}

impl Graph {
    fn operand(&self, id: ValueId) -> String {
        match self.get_value(id) {
            Some(value) => format!("%{}", Name(value.name())),
            None => format!("%?{id:?}"),
        }
    }

    fn print_node(&self, f: &mut fmt::Formatter<'_>, node: &Node) -> fmt::Result {
        let operands: Vec<String> = node.inputs().iter().map(|&id| self.operand(id)).collect();
        write!(f, "{} = {}({})", self.operand(node.output()), node.op().name(), operands.join(", "))?;
        let attributes = node.op().attributes().0;
        if !attributes.is_empty() {
            write!(f, " {}", Attribute::Record(attributes))?;
        }
        if let Some(value) = self.get_value(node.output()) {
            write!(f, " -> {}", value.shape())?;
            if value.name() != node.name() {
                write!(f, " @{}", Name(node.name()))?;
            }
        }
        writeln!(f)
    }

    fn print_constant(&self, f: &mut fmt::Formatter<'_>, id: ValueId, printed: &mut HashSet<ValueId>) -> fmt::Result {
        match (self.get_value(id), self.constant(id)) {
            (Some(value), Some(tensor)) if printed.insert(id) => {
                writeln!(f, "const %{} {} = {}", Name(value.name()), value.shape(), Elements(tensor))
            }
            _ => Ok(()),
        }
    }
}

/// A name, in quotes if it has to be.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(lex::is_bare) {
            f.write_str(self.0)
        } else {
            f.write_str("\"")?;
            for c in self.0.chars() {
                match c {
                    '"' | '\\' => write!(f, "\\{c}")?,
                    c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                    c => write!(f, "{c}")?,
                }
            }
            f.write_str("\"")
        }
    }
}

/// The elements of a constant, or what stands for them.
struct Elements<'a>(&'a Tensor);

impl fmt::Display for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.0.data();
        if data.len() <= FULL_CONSTANT {
            return write!(f, "{}", Attribute::from(data));
        }
        write!(f, "{} [", digest::of_tensor(self.0))?;
        for number in data.iter().take(SHOWN) {
            write!(f, "{}, ", Attribute::Float(*number))?;
        }
        f.write_str("..]")
    }
}
