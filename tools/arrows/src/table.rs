//! The table of arrows, out of `docs/architecture.md`.
//!
//! Format: the first fenced block below the heading `## Arrows`; one line `name : right side` per crate or room. The right
//! side is `-` (nothing), names separated by commas, or `anything`, `anything but NAME, ...`; what follows a semicolon
//! is a remark. A line `name (tests) : ...` lists what the tests of `name` may use as well.

use std::collections::BTreeMap;

/// What the right side of a line allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// These and no others.
    Only(Vec<String>),
    /// All but these.
    AllBut(Vec<String>),
}

impl Right {
    fn parse(text: &str) -> Right {
        let text = text.split(';').next().unwrap_or_default().trim();
        let names =
            |list: &str| list.split(',').map(|n| n.trim().to_owned()).filter(|n| !n.is_empty() && n != "-").collect();
        match text.strip_prefix("anything") {
            Some(rest) => Right::AllBut(names(rest.trim().trim_start_matches("but "))),
            None => Right::Only(names(text)),
        }
    }

    fn allows(&self, name: &str) -> bool {
        match self {
            Right::Only(list) => list.iter().any(|n| n == name),
            Right::AllBut(list) => list.iter().all(|n| n != name),
        }
    }
}

/// The arrows: from a line's name to what it may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    lines: BTreeMap<String, Right>,
    tests: BTreeMap<String, Right>,
}

impl Table {
    /// Reads the table out of the text of `docs/architecture.md`.
    ///
    /// # Errors
    /// When there is no such block, or a line of it has no colon.
    pub fn parse(document: &str) -> Result<Table, String> {
        let mut lines = document.lines().skip_while(|l| l.trim() != "## Arrows").skip(1);
        let block = lines.by_ref().skip_while(|l| !l.starts_with("```")).skip(1).take_while(|l| !l.starts_with("```"));
        let mut table = Table::default();
        for line in block.filter(|l| !l.trim().is_empty()) {
            let (name, right) =
                line.split_once(':').ok_or_else(|| format!("line of the arrow table without a colon: {line:?}"))?;
            match name.trim().strip_suffix("(tests)") {
                Some(name) => table.tests.insert(name.trim().to_owned(), Right::parse(right)),
                None => table.lines.insert(name.trim().to_owned(), Right::parse(right)),
            };
        }
        if table.lines.is_empty() {
            return Err("no arrow table below a heading `## Arrows`".to_owned());
        }
        Ok(table)
    }

    /// The names on the left side.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.keys().map(String::as_str)
    }

    /// Whether the library or binary `user` may use `used`.
    pub fn allows(&self, user: &str, used: &str) -> bool {
        self.lines.get(user).is_some_and(|right| right.allows(used))
    }

    /// Whether the tests of `user` may use `used`.
    pub fn allows_tests(&self, user: &str, used: &str) -> bool {
        self.allows(user, used) || self.tests.get(user).is_some_and(|right| right.allows(used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Title\n```\nx : y\n```\n## Arrows\nProse.\n```\nring : -\nckks : ring\nckks (tests) : secret\nsecret : ckks, ring   (x)\ncli : anything but papers\npapers : anything; nothing uses it\n```\n";

    #[test]
    fn reads_every_kind_of_line() {
        let table = Table::parse(TEXT).unwrap();
        assert_eq!(table.names().collect::<Vec<_>>(), ["ckks", "cli", "papers", "ring", "secret"]);
        assert!(table.allows("ckks", "ring") && table.allows("secret", "ckks"));
        assert!(!table.allows("ring", "ckks") && !table.allows("ckks", "secret"));
        assert!(table.allows_tests("ckks", "secret") && table.allows_tests("ckks", "ring"));
        assert!(table.allows("cli", "secret") && !table.allows("cli", "papers"));
        assert!(table.allows("papers", "cli") && table.allows("papers", "papers"));
    }

    #[test]
    fn refuses_a_document_without_a_table() {
        assert!(Table::parse("# Nothing\n").is_err());
        assert!(Table::parse("## Arrows\n```\nno colon\n```\n").is_err());
    }
}
